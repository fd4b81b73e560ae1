"""What is worked out once, for all countries, parts or runs, is what each would be alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tariffsim
from tariffsim.behaviour.assembly import product_elsewhere
from tariffsim.behaviour.sourcing import choice_set, choice_weights
from tariffsim.calibration import build, build_economy
from tariffsim.law.duty_tables import TariffSchedule
from tariffsim.law.expected_burden import ExpectedBurden
from tariffsim.policy import INSTRUMENTS
from tariffsim.record.choice_set_prices import MeanDutyBurden
from tariffsim.scenario import load_scenario
from tariffsim.scenario.scenario_files import shipped_names
from tariffsim.simulation import Simulation
from tariffsim.state.constants import DESIGN
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.snapshot import digests
from tests.economies import last, scenario

CONTENT: dict[str, dict[str, Any]] = {
    "one tariff": {"a": {"rate": 0.5}},
    "at home too": {"a": {"rate": 0.5, "covers_home_assembly": True, "markets": ["US", "EU"]}},
    "two of a group": {
        "a": {"rate": 0.5, "stacking_group": "g", "assembly_countries": ["CN", "VN"]},
        "b": {"rate": 0.3, "stacking_group": "g", "coverage": 0.6, "markets": ["US", "EU"]},
    },
    "on each chip": {"a": {"rate": 0.4, "per": "chip"}},
    "a share deemed": {"a": {"rate": 0.5, "unknown_origin_rule": "deemed_share"}},
    "the whole value": {"a": {"rate": 0.5, "unknown_origin_rule": "full_value"}},
    "a threshold": {"a": {"rate": 0.5, "threshold": 0.01}},
}  # fmt: skip


def economy_with(policies: dict[str, Any], month: int = 14) -> Economy:
    """Two hundred makers in a month with some tariffs on Chinese chips announced."""
    tariff = {"kind": "component_tariff", "start": "2026-01", "announced": "2025-07"}
    chips = {"chip_regions": ["CN"]}
    named = {name: tariff | chips | fields for name, fields in policies.items()}
    return last(scenario({"policies": named}, makers=200), 3, month)


@pytest.mark.parametrize("name", CONTENT)
def test_duties_on_content_are_those_of_each_country(name: str) -> None:
    economy = economy_with(CONTENT[name])
    burden, flow = ExpectedBurden.of(economy), np.arange(len(economy.flows))
    countries = np.arange(len(economy.constants.codes.origins))[None]
    found = 0.0
    for future in economy.policy.expected.futures:
        product = product_elsewhere(economy, flow, countries, future)
        importer = economy.makers.importer[product.maker[:, None], product.market]
        who = burden.beliefs(future.regime, importer, product.market)
        at = product.shipments, product.cell, future.regime
        np.testing.assert_array_equal(
            burden.on_content(who, *at), burden._on_content(who, *at, triggered_only=False)
        )
        found += float(burden.on_content(who, *at).sum())
    assert found > 0


@pytest.mark.parametrize("name", CONTENT)
def test_parts_of_a_class_weigh_what_each_would_alone(name: str) -> None:
    economy = economy_with(CONTENT[name])
    choices, makers = choice_set(economy), economy.makers
    place = np.flatnonzero(makers.has_slot)[::7]
    weights = choice_weights(choices, makers.slots(place))
    for row in range(0, len(place), 40):
        alone = choice_weights(choices, makers.slots(place[[row]]))
        np.testing.assert_allclose(weights[row], alone[0], rtol=1e-14)  # sums over markets


def test_the_record_reads_only_importers_who_may_owe() -> None:
    economy = economy_with(CONTENT["two of a group"])
    futures, price = economy.policy.expected.futures, economy.constants.chip_price
    everyone, some = MeanDutyBurden(economy), MeanDutyBurden(economy)
    some.read(futures)
    assert len(some._row) < len(everyone._row)
    for kind in range(2):
        for found, expected in zip(
            some.slot(futures, kind, price), everyone.slot(futures, kind, price), strict=True
        ):
            np.testing.assert_array_equal(found, expected)


def test_a_law_in_a_month_is_its_instrument() -> None:
    economy = build_economy(load_scenario("truce_lapses"), 0)
    start = economy.scenario.run.start
    for law in economy.tariff_schedule.laws:
        one = law.instrument
        for month in range(start, start + 30, 3):
            told = law.in_month(month)
            assert told.rate == one.rate_in_force(month)
            assert (told.chance, told.knows_end) == (one.chance_in(month), law.knows_end(month))
            for later in (month, month + 9):
                ahead = law.rate_foreseen(later, month, told.knows_end)
                assert ahead == one.rate_if_enacted(later, month, told.knows_end)


def test_schedules_of_the_same_laws_share_their_answers() -> None:
    """But for what depends on the mark-up, which is drawn."""
    first, second = (
        build_economy(tariffsim.replace(load_scenario("component_50"), trade__markup=markup), 0)
        for markup in (0.15, 0.25)
    )
    one, other = first.tariff_schedule, second.tariff_schedule
    regime = one.regime(one.rates_in_force(first.scenario.run.start + 30))
    assert one.tables(regime).bare is other.tables(regime).bare
    alone = TariffSchedule(
        other.codes, other.laws, other.base_product, other.base_bare, other.markup
    ).tables(regime)
    np.testing.assert_array_equal(other.tables(regime).slot, alone.slot)
    assert (one.tables(regime).slot < other.tables(regime).slot).any()


def test_what_no_choice_depends_on_moves_no_expectation() -> None:
    """A capacity plan that falls month by month, and duties that stay: one set of expectations."""
    base = tariffsim.replace(load_scenario("no_expansion"), agents__makers=60)
    plan = [one for one in base.dated_policies.values() if not one.is_foreseen]
    assert plan
    assert plan[0].changes_in(base.run.start + 40)
    seen = [last(base, 0, month).policy.expected for month in (40, 41, 42)]
    with_plan = [one.of_kind(DESIGN)[0].regime for one in seen]
    assert with_plan[0] == with_plan[1] == with_plan[2]


def test_choices_foresee_duties_audits_and_supply() -> None:
    unseen = {kind for kind, one in INSTRUMENTS.items() if not one.model_construct().is_foreseen}
    assert unseen == {
        "capacity_grant", "capacity_loss", "capacity_plan", "counter_subsidy", "demand_shift",
        "disclosure", "duty_refund", "investment_credit", "price_cut", "repeal",
    }  # fmt: skip


@pytest.mark.parametrize("name", shipped_names())
def test_a_base_year_that_is_taken_over_is_the_one_that_would_be_built(name: str) -> None:
    """Scenarios that differ in their law alone share it; nothing of a run gets into it."""
    small = {"agents__makers": 60}
    base, own = (tariffsim.replace(load_scenario(one), **small) for one in ("baseline", name))
    build._base_years.clear()
    alone = digests(build_economy(own, 5))
    build._base_years.clear()
    simulation = Simulation(base, 5)
    for _ in range(3):
        simulation.step()
    assert digests(build_economy(own, 5)) == alone
    assert digests(build_economy(base, 5)) != digests(simulation.economy)


def test_an_economy_that_somebody_changes_is_nobody_elses() -> None:
    base = tariffsim.replace(load_scenario("baseline"), agents__makers=60)
    before = digests(build_economy(base, 6))
    changed = build_economy(base, 6)
    changed.base_shares[:] = 1 / changed.base_shares.shape[1]
    changed.base_chips[:] = 1.0
    changed.makers.supplier[:] = 0
    assert digests(build_economy(base, 6)) == before


def test_an_economy_has_the_draws_that_it_is_given() -> None:
    """Whatever seed is named beside them."""
    base = tariffsim.replace(load_scenario("baseline"), agents__makers=60)
    other = digests(build_economy(base, 6))
    assert digests(build_economy(base, 5, Draws(6))) == other != digests(build_economy(base, 5))

"""Where products are assembled: plants, shifts, new plants, and products as they would be."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim import kernels as k
from tariffsim.behaviour import assembly
from tariffsim.behaviour.assembly import counterfactual_product, expected_duty
from tariffsim.behaviour.front_loading import rise_ahead
from tariffsim.behaviour.sourcing import choice_set, choice_weights
from tariffsim.calibration import build_economy
from tariffsim.calibration.assembly import footprints
from tariffsim.explain import explain_choice
from tariffsim.law.expectations import Future
from tariffsim.state.constants import PLANT, SHIFT
from tariffsim.state.economy import Economy
from tariffsim.theory import gone_by, staying_probability
from tests.economies import (
    HELD,
    STILL,
    each_device,
    free_trade,
    last,
    product,
    run,
    scenario,
    slot_rows,
)

ROUNDING = 1e-12  # of a sum of some tens of products
AT_ONCE = {"assembly": {"shift_hazard": 1.0, "plant_hazard": 0.0}}
ALL_MOVE = {
    "assembly": {"shift_hazard": 1.0, "plant_hazard": 1.0, "shift_cost": 0.0, "plant_cost": 0.0}
}
"""Everybody looks every month, and moving is free."""
PROMPT = {"trade": {"maker_pass_through_months": 1.0}}
"""Prices ex works are those that costs call for."""
FOUR = 4.0
"""Standard errors allowed; a normal variable exceeds them 6e-5 of the time, and seeds are fixed."""


def on_china(rate: Any, **more: Any) -> dict[str, Any]:
    return product(rate, assembly_countries=["CN"], markets=["US"], **more)


def place(economy: Economy, code: str) -> int:
    return economy.constants.codes.origins.index(code)


def market(economy: Economy, code: str) -> int:
    return economy.constants.codes.markets.index(code)


def taxed_flows(economy: Economy) -> np.ndarray:
    """Flows assembled in China for the United States in the base year."""
    flows = economy.flows
    from_china = economy.makers.base_origin[flows.maker] == place(economy, "CN")
    return np.flatnonzero(from_china & (flows.market == market(economy, "US")))


def moved(economy: Economy) -> np.ndarray:
    return economy.flows.origin != economy.makers.base_origin[economy.flows.maker]


def price_of_suppliers(economy: Economy) -> np.ndarray:
    """(L, P) invoice price of the chips of each flow."""
    supplier = economy.makers.supplier[economy.flows.maker]
    return economy.foundries.price[supplier, economy.makers.slot_class]


# Products as they are, or would be


def test_a_product_as_it_is_has_its_own_cost_and_chips() -> None:
    duty = {"kind": "component_tariff", "rate": 0.5, "start": "2025-01"}
    rebate = {"kind": "counter_subsidy", "share": 0.5, "start": "2025-01"}
    bare = {"kind": "bare_chip_tariff", "rate": 0.3, "start": "2025-02", "markets": ["EU"]}
    policies = {"duty": duty, "rebate": rebate, "bare": bare}
    economy = last(scenario({"policies": policies}, PROMPT, makers=120), 0, 6)
    makers, flows, regime = economy.makers, economy.flows, economy.policy.regime
    assert makers.chip_counter_subsidy.any()
    assert flows.bare_duty.any()
    found = counterfactual_product(
        economy, flows.maker, makers.supplier[flows.maker], flows.market[:, None],
        flows.origin[:, None], price_of_suppliers(economy),
        Future.of(regime, economy.tariff_schedule),
    )  # fmt: skip
    for ours, theirs in (
        (found.bare_duty[:, 0], flows.bare_duty),
        (found.shipments.customs_value[:, 0], flows.customs_value),
        (found.shipments.chip_value[:, 0], makers.chip_value[flows.maker]),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=ROUNDING)


def test_landed_cost_of_a_place_by_hand() -> None:
    """`r = ((v + T) / (v_0 + T_0))^eps`: inputs at the cost of the country, chips, write-offs."""
    no_upkeep = {"orders": {"standby_cost": 0.0, "chip_carrying_cost": 0.0}}
    economy = last(scenario(STILL, HELD, no_upkeep, on_china(0.25), makers=150), 0, 1)
    makers, flows, codes = economy.makers, economy.flows, economy.constants.codes
    rows = taxed_flows(economy)
    maker, cost = flows.maker[rows], economy.constants.cost_factor
    location = cost / cost[place(economy, "CN")]
    chips = (makers.chips * economy.foundries.price[makers.supplier, makers.slot_class]).sum(1)
    bare = np.zeros((len(rows), len(location)))
    for o in range(len(location)):
        rate = economy.tariff_schedule.base_bare[o, makers.slot_class, makers.chip_region[maker]]
        bare[:, o] = (makers.chip_value[maker] * rate).sum(axis=1)
    unit = makers.other_inputs[maker, None] * location + chips[maker, None] + bare
    unit += makers.amortised_cost(0, maker)[:, None]
    price = (1 + economy.scenario.trade.markup) * unit
    cells = codes.cell(
        makers.device[maker, None], np.arange(len(location)), flows.market[rows, None]
    )
    base = economy.tariff_schedule.base_product[cells, 0]
    new = 0.25 * (np.arange(len(location)) == place(economy, "CN"))
    ratio = (1 + base + new) / (1 + base)
    factor = ratio**economy.scenario.assembly.elasticity
    found = assembly.places(economy, rows, SHIFT)
    np.testing.assert_allclose(found, factor, rtol=1e-10)
    np.testing.assert_allclose(assembly.places(economy, rows, PLANT), factor, rtol=1e-10)
    np.testing.assert_allclose(
        assembly.base_landed_cost(economy, rows, np.arange(len(location))[None]),
        price * (1 + base), rtol=ROUNDING,
    )  # fmt: skip


def test_what_triggers_take_is_none_of_what_chips_owe_anyhow() -> None:
    """A plan of suppliers that avoids triggers weighs their duty, and no component duty."""
    laws = {
        "chips": {"kind": "component_tariff", "rate": 0.5, "start": "2025-01"},
        "whole": {"kind": "product_tariff", "rate": 0.1, "start": "2025-01",
                  "only_with_chips_from": ["CN"]},
    }  # fmt: skip
    found = {}
    for names in (("chips",), ("whole",), ("chips", "whole")):
        policies = {"policies": {name: laws[name] for name in names}}
        economy = last(scenario(STILL, policies, makers=60), 0, 1)
        makers, flows = economy.makers, economy.flows
        law_of_month = Future.of(economy.policy.regime, economy.tariff_schedule)
        made = counterfactual_product(
            economy, flows.maker, makers.supplier[flows.maker], flows.market[:, None],
            flows.origin[:, None], price_of_suppliers(economy), law_of_month,
        )  # fmt: skip
        found[names] = expected_duty(economy, made, law_of_month, triggers_only=True)
    assert not found["chips",].any()
    assert found["whole",].any()
    np.testing.assert_allclose(found["chips", "whole"], found["whole",], rtol=ROUNDING)


# The base year


def test_plants_are_drawn_from_the_footprint() -> None:
    """One at home; a footloose maker has Poisson(n - 1) more, with the footprint's chances."""
    economies = [build_economy(scenario(makers=1200), seed) for seed in range(8)]
    one = economies[0]
    tables, rules = one.scenario.tables(), one.scenario.assembly
    footprint = footprints(one.constants, tables.devices.texts("sector"), rules.sector_footprint)
    np.testing.assert_allclose(footprint.sum(axis=1), 1.0, rtol=ROUNDING)
    footloose = np.array(tables.devices.numbers("footloose_share"))
    for device in range(len(footloose)):
        rows = [e.makers.device[: e.makers.n_lines] == device for e in economies]
        more = np.concatenate(
            [
                e.makers.plants[: e.makers.n_lines][own]
                - np.eye(13, dtype=int)[e.makers.base_origin[: e.makers.n_lines][own]]
                for e, own in zip(economies, rows, strict=True)
            ]
        )
        assert (more >= 0).all()
        mean, n = (rules.plants - 1) * footprint[device], len(more)
        expected = footloose[device] * mean
        variance = expected + footloose[device] * (1 - footloose[device]) * mean**2
        gap, error = np.abs(more.mean(axis=0) - expected), np.sqrt(variance / n)
        often = expected * n > 5  # where the number is about normal
        assert often.any()
        assert (gap[often] <= 4.5 * error[often]).all()
        assert (more[:, expected == 0] == 0).all()
        has_more = (more > 0).any(axis=1).mean()
        chance = footloose[device] * (1 - np.exp(-(rules.plants - 1)))
        assert has_more == pytest.approx(chance, abs=FOUR * np.sqrt(0.25 / n) + 1e-12)


def test_base_countries_have_won_the_race() -> None:
    """Whatever the parameters, no place is nearer than the one of the base year."""
    rules = {"assembly": {"plants": 100.0, "new_place_power": 0.0, "sector_footprint": 1.0}}
    economy = build_economy(scenario(rules, makers=1200), 3)
    flows, makers = economy.flows, economy.makers
    at_home = flows.race[np.arange(len(flows)), makers.base_origin[flows.maker]]
    assert (flows.race >= at_home[:, None]).all()
    assert flows.race.dtype == np.float32
    has_plant = makers.plants[flows.line] > 0
    assert np.isfinite(flows.race[has_plant]).all()


def test_a_smaller_number_of_plants_is_part_of_a_larger_one() -> None:
    """Draws are keyed by line and country, so that scenarios with other parameters are paired."""
    few, many = (
        build_economy(scenario({"assembly": {"plants": n}}, makers=300), 5).makers.plants
        for n in (4.0, 12.0)
    )
    assert (few <= many).all()
    assert few.sum() < many.sum()


# Nothing moves without a cause


def columns(economy: Economy) -> dict[str, np.ndarray]:
    tables = {"flows": economy.flows, "makers": economy.makers}
    return {
        f"{name}.{f.name}": getattr(table, f.name)
        for name, table in tables.items()
        for f in fields(table)
    }


def test_nothing_moves_without_a_cause() -> None:
    """E15: constant prices, no policy, moving free and looked at every month: nobody moves."""
    for economy in run(scenario(STILL, ALL_MOVE, makers=1200), 0, 24):
        assert not moved(economy).any()
        assert (economy.flows.arrival_month < 0).all()
        assert (economy.makers.plant_month < 0).all()
        assert not economy.flows.relocation.any()
        assert not economy.flows.second_best_place.any()


@pytest.mark.parametrize(
    "law",
    [
        product(0.0, assembly_countries=["CN"], announced="2025-02", start="2025-05"),
        product(0.5, assembly_countries=["CN"], announced="2029-01", start="2029-01"),
    ],
    ids=["zero rate", "unannounced"],
)
def test_a_law_without_effect_is_the_baseline_to_the_last_bit(law: dict[str, Any]) -> None:
    rules = scenario(ALL_MOVE, makers=300)
    plain, other = last(rules, 1, 15), last(scenario(ALL_MOVE, law, makers=300), 1, 15)
    for (name, before), after in zip(columns(plain).items(), columns(other).values(), strict=True):
        assert np.array_equal(before, after), name
    assert np.array_equal(plain.ledger, other.ledger)


@pytest.mark.parametrize("rate", [0.02, 0.059])
def test_a_duty_below_the_cost_of_a_shift_moves_nothing(rate: float) -> None:
    free = {"assembly": {"shift_hazard": 1.0, "plant_hazard": 1.0, "shift_cost": 0.06,
                         "plant_cost": 0.15}}  # fmt: skip
    economy = last(scenario(STILL, free_trade(), HELD, free, on_china(rate), makers=600), 0, 8)
    assert economy.scenario.assembly.shift_cost == 0.06
    assert not moved(economy).any()
    assert not economy.makers.plant_month.max() >= 0
    above = last(scenario(STILL, free_trade(), HELD, free, on_china(0.15), makers=600), 0, 8)
    assert moved(above).any()


@given(
    st.lists(st.floats(0, 50), min_size=3, max_size=3), st.floats(1, 10), st.floats(1, 40),
    st.lists(st.floats(0.01, 1), min_size=3, max_size=3),
)  # fmt: skip
def test_at_home_less_than_the_hurdle_never_moves(
    more: list[float], hurdle: float, building: float, lost: list[float]
) -> None:
    """The country in place has the least race time; r there is below the hurdle times all r."""
    race = np.array([[1.0, *(1 + np.array(more))]])
    factor = np.array([[1.0, *np.maximum(lost, 1.001 / hurdle)]])  # at 1 / hurdle rounding decides
    is_open = np.array([[True, True, False, True]])
    assert not k.shifts_to(race, factor, is_open, np.array([0]), hurdle)[1].any()
    building = max(building, hurdle)
    assert not k.builds_in(race, factor, is_open, np.array([0]), hurdle, building)[1].any()


# One country is taxed


@cache
def taxed(rate: float, seed: int, hazard: float = 1.0, months: int = 3) -> Economy:
    rules = {"assembly": {"shift_hazard": hazard, "plant_hazard": 0.0, "shift_cost": 0.06}}
    return last(
        scenario(STILL, free_trade(), HELD, PROMPT, rules, on_china(rate), makers=500), seed, months
    )


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5])
def test_those_who_stay_are_as_many_as_theory_says(rate: float) -> None:
    """E15: `n / (n + (n - c) max(r / K - 1, 0))`, over 12 repetitions."""
    gaps, variances, stays = [], [], []
    for seed in range(12):
        economy = taxed(rate, seed)
        rules, flows, rows = economy.scenario.assembly, economy.flows, taxed_flows(economy)
        plants = economy.makers.plants[flows.line[rows]]
        hurdle = k.moving_factor(rules.shift_cost, rules.elasticity)
        factor = np.full(len(rows), (1 + rate) ** rules.elasticity)
        at_home = plants[:, place(economy, "CN")]
        expected = staying_probability(plants.sum(axis=1), at_home, factor, hurdle)
        gaps.append((~moved(economy)[rows]).mean() - expected.mean())
        variances.append((expected * (1 - expected)).sum() / len(rows) ** 2)
        stays.append(expected.mean())
    assert abs(np.mean(gaps)) < FOUR * np.sqrt(np.sum(variances)) / 12
    assert 0.1 < np.mean(stays) < 0.95


def test_those_who_leave_are_as_quick_as_theory_says() -> None:
    """E15: `1 - (1 - h)^(t - L + 1)` of those that leave are gone t months after."""
    seeds, hazard, months = 10, 0.2, 9
    gone, leavers, lead = np.zeros(months), 0, 0
    for seed in range(seeds):
        leave = moved(taxed(0.5, seed))
        rules = {"assembly": {"shift_hazard": hazard, "plant_hazard": 0.0, "shift_cost": 0.06}}
        slow = scenario(STILL, free_trade(), HELD, rules, on_china(0.5), makers=500)
        lead, leavers = slow.assembly.shift_months, leavers + int(leave.sum())
        for month, economy in enumerate(run(slow, seed, months)):
            assert not (moved(economy) & ~leave).any()
            gone[month] += moved(economy).sum()
    expected = gone_by(np.arange(months), hazard, lead)
    error = np.sqrt(np.maximum(expected * (1 - expected), 1e-12) / leavers)
    assert (np.abs(gone / leavers - expected) <= FOUR * error).all()
    assert gone[lead - 1] == 0 < gone[lead]


def test_two_flows_of_one_maker_in_two_countries_and_back() -> None:
    """A duty of one market moves what is sold there; law, duty and customs value follow it."""
    law = on_china({"2025-02": 0.5, "2025-08": 0.0}, announced="2025-02")
    rules = scenario(STILL, HELD, AT_ONCE, {"sourcing": {"foresight": "none"}}, law, makers=300)
    apart: dict[int, tuple[int, int]] = {}
    back = 0
    for economy in run(rules, 0, 14):
        flows, makers, codes = economy.flows, economy.makers, economy.constants.codes
        us = np.flatnonzero(moved(economy))
        assert (flows.market[us] == market(economy, "US")).all()
        device = makers.device[flows.maker]
        cell = codes.cell(device, flows.origin, flows.market)
        assert (economy.flow_cells == cell).all()
        base = economy.tariff_schedule.base_product[cell, 0]
        np.testing.assert_allclose(flows.base_duty, base * flows.customs_value, rtol=ROUNDING)
        assert (makers.origin[flows.line, flows.market] == flows.origin).all()
        dutiable = (flows.origin == place(economy, "CN")) & (flows.market == market(economy, "US"))
        in_force = 0.5 * (1 <= economy.month < 7)
        np.testing.assert_allclose(
            flows.new_duty, in_force * dutiable * flows.customs_value, rtol=ROUNDING
        )
        cost = economy.constants.cost_factor
        for flow in us:
            other = np.flatnonzero((flows.line == flows.line[flow]) & (flows.maker != -1))
            for one in other[flows.origin[other] != flows.origin[flow]]:
                if flows.maker[one] == flows.maker[flow]:
                    apart[int(flow)] = int(flows.origin[flow]), int(flows.origin[one])
                    gap = [
                        flows.unit_cost[f]
                        - flows.bare_duty[f]
                        - makers.other_inputs[flows.maker[f]]
                        * cost[flows.origin[f]]
                        / cost[place(economy, "CN")]
                        for f in (flow, one)
                    ]
                    assert gap[0] == pytest.approx(gap[1], rel=1e-9)
                    assert flows.customs_value[flow] != flows.customs_value[one]
        back += sum(flows.origin[f] == makers.base_origin[flows.maker[f]] for f in apart)
    assert apart
    assert back
    flows = economy.flows
    stay = np.flatnonzero(moved(economy))
    rules_ = economy.scenario.assembly
    hurdle = k.moving_factor(rules_.shift_cost, rules_.elasticity)
    race = flows.race.astype(float)
    home = race[stay, economy.makers.base_origin[flows.maker[stay]]]
    assert (race[stay, flows.origin[stay]] <= home * hurdle * (1 + 1e-9)).all()
    assert len(stay)  # a way back costs as much: hysteresis


def test_a_move_is_paid_for_in_the_month_in_which_it_is_decided() -> None:
    """`S` or `F` of a year's customs value at that month's pace; the ledger has the sum."""
    rules = {"assembly": {"shift_hazard": 0.5, "plant_hazard": 0.5}}
    seen = set()
    before: tuple[np.ndarray, ...] | None = None
    for economy in run(scenario(STILL, rules, on_china(0.5), makers=300), 0, 14):
        flows, makers, given_ = economy.flows, economy.makers, economy.scenario.assembly
        shifts = flows.arrival_month == economy.month + given_.shift_months
        builds = makers.plant_month == economy.month + given_.plant_months
        year = 12 * flows.customs_value * flows.units
        paid = given_.shift_cost * shifts * year
        assert (flows.relocation >= paid * (1 - ROUNDING)).all()
        plant = np.flatnonzero(flows.relocation > paid * (1 + ROUNDING))
        assert set(flows.line[plant].tolist()) == set(np.flatnonzero(builds).tolist())
        np.testing.assert_allclose(
            flows.relocation[plant] - paid[plant], given_.plant_cost * year[plant], rtol=1e-9
        )
        seen |= {"shift"} if shifts.any() else set()
        seen |= {"plant"} if builds.any() else set()
        if before is not None:
            ready = before[0] == economy.month
            assert (makers.plants[ready, before[1][ready]] == 1).all()
        before = makers.plant_month.copy(), makers.new_plant.copy()
    assert seen == {"shift", "plant"}


def test_a_plant_is_built_where_it_is_worth_its_cost() -> None:
    """Makers with one plant leave a taxed country only through a new one, `L_s` + `L_f` later."""
    rules = {
        "assembly": {"shift_hazard": 1.0, "plant_hazard": 1.0},
        "figures": {"devices": each_device(footloose_share=0.0)},
    }
    economy = last(scenario(STILL, free_trade(), HELD, rules, on_china(0.5), makers=500), 0, 1)
    flows, makers, given_ = economy.flows, economy.makers, economy.scenario.assembly
    assert (makers.plants[: makers.n_lines].sum(axis=1) == 1).all()
    rows = taxed_flows(economy)
    china = place(economy, "CN")
    race = flows.race[rows].astype(float)
    home, others = race[:, china], np.delete(race, china, axis=1).min(axis=1)
    cost = (1 + given_.plant_cost) ** given_.elasticity
    wants = others * cost < home * 1.5**given_.elasticity
    builds = makers.plant_month[flows.line[rows]] == given_.plant_months
    assert (builds == wants).all()
    assert 0 < wants.mean() < 1
    for later in run(economy.scenario, 0, given_.plant_months + given_.shift_months + 1):
        if later.month < given_.plant_months + given_.shift_months:
            assert not moved(later).any()
    assert (moved(later)[rows] == wants).all()


def test_scarcity_counts_as_it_will_be_when_the_plant_delivers() -> None:
    """A shift takes months, a plant years: with idle capacity less is left of scarcity then."""
    books = {"supply": {"scarcity_elasticity": 2.0, "order_book_months": 12}}
    economy = last(scenario(STILL, books, makers=60), 0, 1)
    assert (economy.foundries.booked_utilisation < 1).all()
    rows = np.arange(len(economy.flows))
    calm = assembly.places(economy, rows, SHIFT)
    economy.foundries.scarcity = np.full_like(economy.foundries.scarcity, 2.0)
    soon, late = (assembly.places(economy, rows, kind) for kind in (SHIFT, PLANT))
    assert (soon > late).all()
    assert (late >= calm).all()
    economy.foundries.booked_utilisation = np.ones_like(economy.foundries.scarcity)
    full = assembly.places(economy, rows, PLANT)
    assert (full > late).all()


def test_losses_from_second_best_places_by_hand() -> None:
    """`(v + T)(b - 1)`: at the duty at which a flow is indifferent it gives up the difference."""
    economy = taxed(0.5, 0)
    flows, rules, china = economy.flows, economy.scenario.assembly, place(economy, "CN")
    rows = taxed_flows(economy)[moved(economy)[taxed_flows(economy)]]
    race = flows.race.astype(float)
    distance = (race[rows, flows.origin[rows]] / race[rows, china]) ** (1 / rules.elasticity)
    base = assembly.base_landed_cost(economy, rows, np.arange(13)[None])
    here = base[np.arange(len(rows)), flows.origin[rows]]
    worth = distance * base[:, china] / here
    np.testing.assert_allclose(
        flows.second_best_place[rows], flows.customs_value[rows] * (worth - 1), rtol=1e-9
    )
    # nobody gives up more than the duty avoided, less what a shift costs
    assert (distance <= 1.5 / 1.06 * (1 + 1e-9)).all()
    assert not flows.second_best_place[~moved(economy)].any()


@pytest.mark.parametrize("follow", [0.0, 0.5, 1.0])
def test_odds_of_chinese_foundries_follow_assembly(follow: float) -> None:
    """A line that left China by share 1 - a has its odds times `assembly_odds^(lambda (a - 1))`."""
    economy = last(scenario(STILL, HELD, AT_ONCE, on_china(0.5), makers=150), 0, 16)
    economy.scenario = economy.scenario.model_copy(
        update={"sourcing": economy.scenario.sourcing.model_copy(update={"odds_follow": follow})}
    )
    makers, flows = economy.makers, economy.flows
    lines = np.unique(flows.line[moved(economy)])
    assert len(lines)
    slots = slot_rows(economy, lines, int(np.flatnonzero(makers.has_slot[lines].all(axis=0))[0]))
    china = economy.foundries.is_chinese
    after = choice_weights(choice_set(economy), slots)
    lasting, makers.china_made = makers.china_made, np.repeat(makers.base_china[:, None], 12, 1)
    before = choice_weights(choice_set(economy), slots)
    expected = economy.scenario.sourcing.assembly_odds ** (
        follow * (lasting[lines].mean(axis=1) - makers.base_china[lines])
    )
    np.testing.assert_allclose(after[:, china], before[:, china] * expected[:, None], rtol=ROUNDING)
    assert np.array_equal(after[:, ~china], before[:, ~china])
    units = np.zeros(makers.n_lines)
    np.add.at(units, flows.line, flows.units)
    made = np.zeros(makers.n_lines)
    np.add.at(made, flows.line, flows.units * (flows.origin == place(economy, "CN")))
    share = np.where(units > 0, made / np.maximum(units, 1e-300), lasting[: len(units), -1])
    np.testing.assert_allclose(lasting[: len(units), -1], share, rtol=ROUNDING)


def test_nobody_stocks_up_ahead_of_a_duty_that_the_flow_will_not_owe() -> None:
    """Buying ahead looks at the country of the month in question."""
    law = on_china({"2025-04": 0.5}, announced="2025-01", start="2025-04")
    economy = last(scenario(STILL, law, {"assembly": {"shift_hazard": 0.0}}, makers=150), 0, 1)
    flows, rows = economy.flows, taxed_flows(economy)
    months, saved = rise_ahead(economy)
    value = flows.customs_value[rows]
    np.testing.assert_allclose(saved[rows], 0.5 * value, rtol=ROUNDING)
    assert (months[rows] == 3).all()
    gone, late = rows[0], rows[1]
    flows.next_origin[rows[:2]] = place(economy, "VN")
    flows.arrival_month[gone], flows.arrival_month[late] = 3, 4
    months, saved = rise_ahead(economy)
    assert saved[gone] == 0
    assert saved[late] == pytest.approx(0.5 * value[1])
    flows.origin[gone], flows.next_origin[gone] = place(economy, "VN"), place(economy, "CN")
    months, saved = rise_ahead(economy)
    assert months[gone] == 3
    assert saved[gone] > 0


# Why a flow is assembled where it is


def test_orders_shift_from_the_duty_that_is_explained() -> None:
    """E15 from outside: a little less than the duty told moves nothing, a little more does."""
    base = {"run": {"end": "2025-01"}}
    quiet = scenario(STILL, free_trade(), HELD, AT_ONCE, base, makers=150)
    economy = build_economy(quiet, 0)
    told = 0
    for flow in taxed_flows(economy):
        line = int(economy.flows.line[flow])
        (found,) = (p for p in explain_choice(quiet, line).places if p.market == "US")
        if not 0.02 < found.duty_to_shift < 4 or told == 4:
            continue
        told += 1
        for factor, shifts in ((0.999, False), (1.001, True)):
            law = on_china(factor * found.duty_to_shift)
            after = last(scenario(STILL, free_trade(), HELD, AT_ONCE, base, law, makers=150), 0, 1)
            assert (after.flows.arrival_month[flow] >= 0) == shifts
    assert told == 4


def test_the_cost_of_a_place_is_explained() -> None:
    """Parts add up to the price, price and duties to landed cost; the country in place is one."""
    law = on_china(0.5)
    no_calendar = {"trade": {"tariffs_in_force": False}}
    end = {"run": {"end": "2025-04"}}
    rules = scenario(AT_ONCE, law, no_calendar, PROMPT, end, makers=150)
    economy = last(rules, 0, 4)
    flow = next(f for f in taxed_flows(economy) if moved(economy)[f])
    line = int(economy.flows.line[flow])
    explanation = explain_choice(rules, line)
    (found,) = (p for p in explanation.places if p.market == "US")
    table = found.candidates
    assert found.origin == economy.constants.codes.origins[economy.flows.origin[flow]] != "CN"
    assert found.plants["CN"] >= 1
    home = ["other_inputs", "chips", "unmounted_chip_duty", "switching", "version", "upkeep"]
    costs = [*home, "margin", "exchange"]
    np.testing.assert_allclose(table[costs].sum(axis=1), table["price"], rtol=ROUNDING)
    duties = ["price", "base_duty", "new_duty"]
    np.testing.assert_allclose(table[duties].sum(axis=1), table["landed"], rtol=ROUNDING)
    here = table[table["in_place"]].iloc[0]
    assert here["relative"] == 1.0
    assert here["price"] == pytest.approx(economy.flows.customs_value[flow])
    elasticity = economy.scenario.assembly.elasticity
    np.testing.assert_allclose(
        table["factor"], (table["landed"] / table["base_landed"]) ** elasticity, rtol=ROUNDING
    )
    factor = assembly.places(economy, np.array([flow]), SHIFT)[0]
    codes = economy.constants.codes.origins
    np.testing.assert_allclose(table["factor"], factor[[codes.index(o) for o in table.index]],
                               rtol=1e-9)  # fmt: skip
    assert table.loc["CN", "new_duty"] == pytest.approx(0.5 * table.loc["CN", "price"])
    assert explanation.to_dict()["places"]

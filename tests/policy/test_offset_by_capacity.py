"""Duty that falls with what is built in the levying market: free chips, or a credit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tariffsim.errors import ScenarioError
from tariffsim.explain import explain_choice
from tariffsim.law import policy_of_month
from tariffsim.scenario import load_scenario, replace
from tariffsim.state.economy import Economy
from tests.economies import STILL, each_region, merged, run, scenario
from tests.policy.test_instruments import HELD, fingerprint, world

RATE = 0.5
GROWTH = 0.06
GROWS: dict[str, Any] = merged(
    HELD,
    {
        "supply": {"capacity_growth_factor": 1.0},
        "figures": {"foundry_regions": each_region(growth_per_year=GROWTH)},
    },
)
"""Nothing but capacity moves, and that by plan."""
CREDIT = {"component_tariff": 1.0, "bare_chip_tariff": 0.4}
"""USD for a USD of capital, so that what a grant builds pays for some months of duty."""
BOTH = pytest.mark.parametrize("kind", ["component_tariff", "bare_chip_tariff"])


def law(kind: str = "component_tariff", **fields: Any) -> dict[str, Any]:
    policy = {"kind": kind, "rate": RATE, "start": "2025-01", "chip_regions": "all"}
    return {"policies": {"levy": policy | fields}}


def us_capacity(economy: Economy) -> np.ndarray:
    """(K,) chips a month that stand in the United States."""
    codes, foundries = economy.constants.codes, economy.foundries
    return foundries.capacity[foundries.region == codes.regions.index("US")].sum(axis=0)


def levy(economy: Economy) -> int:
    """Number of the law with an offset, that of the first market if each has its own."""
    return [law.of for law in economy.tariff_schedule.laws].index(("levy",))


def rate(economy: Economy) -> float:
    """Its rate this month."""
    return float(economy.policy.rates[levy(economy)])


def rate_ahead(economy: Economy, months: int) -> float:
    """Its rate that is expected so many months from now."""
    return dict(economy.regime_ahead(months)).get(levy(economy), 0.0)


def monthly(economy: Economy) -> float:
    """Mean imports a month that count."""
    return float(economy.imports.annual[levy(economy)]) / 12


def months(rules: Any, n: int) -> list[tuple[float, float, float, np.ndarray]]:
    """By month: rate, imports a month that count, duty charged, capacity in the US before it."""
    found, capacity = [], None
    for economy in run(rules, 1, n):
        before = us_capacity(economy) if capacity is None else capacity
        charged = float(economy.policy_duty[levy(economy)])
        found.append((rate(economy), monthly(economy), charged, before))
        capacity = us_capacity(economy)
    return found


@BOTH
def test_chips_are_free_in_proportion_to_what_is_built(kind: str) -> None:
    """In month t: f s K ((1 + g)^((t - 1) / 12) - 1) chips of the imports of a month."""
    share, factor = 0.4, 3.0
    fields = {"free_chips_per_chip": factor, "owned_share": share, "node_classes": ["A", "C"]}
    found = months(scenario(GROWS, law(kind, **fields), makers=150), 30)
    built = found[0][3][[0, 2]].sum()
    for month, (rate, imports, _, _) in enumerate(found):
        grown = built * ((1 + GROWTH) ** (max(month - 1, 0) / 12) - 1)
        free = min(factor * share * grown / imports, 1.0)
        assert rate == pytest.approx(RATE * (1 - free), rel=1e-9)
    assert 0 < found[-1][0] < found[12][0] < RATE


@BOTH
def test_an_allowance_for_all_that_stands_and_for_pledges(kind: str) -> None:
    """`f_t (s K + P mix) / Q` is free: `mix` chips a thousand wafers in what stands there."""
    share, pledged, classes = 0.4, 12.0, ["A", "C"]
    by_date = {"2025-01": 0.2, "2026-01-16": 0.1}
    fields = {
        "free_chips_per_chip": by_date, "owned_share": share, "node_classes": classes,
        "capacity_counted": "standing", "pledged_kwpm": pledged,
    }  # fmt: skip
    rules = scenario(GROWS, law(kind, **fields), makers=150)
    for economy in run(rules, 1, 1):
        per_kwpm = economy.investment.chips_per_kwpm[[0, 2]]
    found = months(rules, 15)
    for month, (rate, imports, _, before) in enumerate(found):
        stands = (found[0][3] if month == 0 else before)[[0, 2]]
        if month:
            mix = stands.sum() / (stands / per_kwpm).sum()
            half = 0.1 + 0.1 * 15 / 31
            each = 0.2 if month < 12 else half if month == 12 else 0.1
            free = each * (share * stands.sum() + pledged * mix) / imports
            assert 0 < free < 1
            assert rate == pytest.approx(RATE * (1 - free), rel=1e-9)


@BOTH
def test_what_is_not_free_pays(kind: str) -> None:
    """The duty charged is the rate given times the value that is liable."""
    plain = months(scenario(GROWS, law(kind), makers=150), 20)
    some = months(scenario(GROWS, law(kind, free_chips_per_chip=2.0), makers=150), 20)
    for (_, _, whole, _), (rate, _, charged, _) in zip(plain, some, strict=True):
        assert charged == pytest.approx(rate / RATE * whole, rel=1e-6)
    assert some[-1][2] < 0.99 * plain[-1][2]


def test_never_more_than_all() -> None:
    found = months(scenario(GROWS, law(free_chips_per_chip=1000.0), makers=150), 20)
    assert found[-1][0] == 0.0
    assert all(charged >= 0 for _, _, charged, _ in found)


def test_unmounted_chips_are_counted_as_they_enter() -> None:
    fields = {"free_chips_per_chip": 1.0, "chip_regions": ["CN", "TW"], "node_classes": ["B", "D"]}
    rules = scenario(GROWS, law("bare_chip_tariff", **fields), makers=150)
    *_, economy = run(rules, 1, 2)
    makers, codes, constants = economy.makers, economy.constants.codes, economy.constants
    us = codes.markets.index("US")
    home = constants.origin_market[economy.flows.origin] == us
    covered = np.isin(makers.chip_region, [codes.regions.index(r) for r in ("CN", "TW")])
    covered &= np.isin(makers.slot_class, [codes.classes.index(k) for k in ("B", "D")])
    covered &= makers.has_slot
    each = (makers.chips * covered).sum(axis=1)[economy.flows.maker]
    entered = (each * economy.flows.units)[home].sum()
    assert entered > 0
    assert economy.imports.past_year[0, -1] == pytest.approx(entered, rel=1e-6)


@BOTH
def test_a_credit_is_used_up_and_never_above_the_duty(kind: str) -> None:
    """Duty waived since the start is what the capital built earned, while duty is above it."""
    credit, share = 0.02, 0.5
    found = months(
        scenario(GROWS, law(kind, credit_per_usd=credit, owned_share=share), makers=150), 30
    )
    for economy in run(scenario(GROWS, makers=150), 1, 1):
        wafers = (us_capacity(economy) / economy.investment.chips_per_kwpm).sum()
        region = economy.constants.codes.regions.index("US")
        cost = float(economy.constants.capital_cost[region])
    waived = 0.0
    for month, (rate, due, charged, _) in enumerate(found):
        earned = credit * share * cost * wafers * ((1 + GROWTH) ** (max(month - 1, 0) / 12) - 1)
        assert rate == pytest.approx(RATE - min((earned - waived) / due, RATE), rel=1e-7)
        waived += RATE * due - charged
        assert waived <= earned * (1 + 1e-6) + 1.0  # USD: orders move by 1e-9 a month
    assert 0 < found[-1][0] < RATE


def test_credit_that_is_not_used_is_kept() -> None:
    """Ten times the duty of a month waives ten months of it."""
    found = months(scenario(GROWS, law(credit_per_usd=1000.0), makers=150), 6)
    assert [rate for rate, *_ in found[2:]] == [0.0] * 4


def test_capacity_counts_from_the_first_month_in_force() -> None:
    late = law(free_chips_per_chip=2.0, start="2026-01")
    found = months(scenario(GROWS, late, makers=150), 16)
    assert [rate for rate, *_ in found[:13]] == [0.0] * 12 + [RATE]
    before = found[12][3].sum()
    rate, imports, _, capacity = found[-1]
    assert rate == pytest.approx(RATE * (1 - 2 * (capacity.sum() - before) / imports), rel=1e-9)


def test_each_market_has_what_is_built_there() -> None:
    both = law(free_chips_per_chip=2.0, markets=["US", "CN"])
    rules = scenario(GROWS, both, makers=150)
    names = {law.name for e in run(rules, 1, 1) for law in e.tariff_schedule.laws}
    assert names == {"levy, US", "levy, CN"}
    alone = months(scenario(GROWS, law(free_chips_per_chip=2.0), makers=150), 12)
    assert [m[0] for m in months(rules, 12)] == pytest.approx([m[0] for m in alone], rel=1e-9)


# Expectations.


def built_once() -> dict[str, Any]:
    """Capacity that a grant of one month builds three months later, and nothing else."""
    grant = {
        "kind": "capacity_grant", "budget_per_year": 5e10, "start": "2025-01", "end": "2025-01",
        "regions": ["US"],
    }  # fmt: skip
    lag = {"figures": {"foundry_regions": each_region(build_lag_months=3)}}
    return merged(HELD, lag, {"policies": {"levy": {}, "grant": grant}})


@BOTH
@pytest.mark.parametrize("foresight", ["announced", "none"])
def test_what_is_expected_is_charged_once_all_is_built(kind: str, foresight: str) -> None:
    """In a world in which nothing changes any more, over the next twelve months."""
    rules = scenario(
        built_once(), law(kind, free_chips_per_chip=5.0), {"sourcing": {"foresight": foresight}},
        makers=150,
    )  # fmt: skip
    rates: list[float] = []
    expected: list[float] = []
    for economy in run(rules, 1, 19):
        if economy.month == 6:
            expected = [rate_ahead(economy, n) for n in range(12)]
        if economy.month >= 6:
            rates.append(rate(economy))
    assert 0 < rates[0] < RATE
    assert np.mean(expected) == pytest.approx(np.mean(rates[:12]), rel=1e-6)


@BOTH
@pytest.mark.parametrize("foresight", ["announced", "none"])
def test_what_is_left_of_a_credit_is_expected_over_a_year(kind: str, foresight: str) -> None:
    """All is built at once; the credit pays for some months of the year, and agents know."""
    rules = scenario(
        built_once(), law(kind, credit_per_usd=CREDIT[kind]),
        {"sourcing": {"foresight": foresight}}, makers=150,
    )  # fmt: skip
    rates: list[float] = []
    expected: list[float] = []
    for economy in run(rules, 1, 19):
        if economy.month == 6:
            expected = [rate_ahead(economy, n) for n in range(12)]
        if economy.month >= 6:
            rates.append(rate(economy))
    assert rates[0] == 0.0
    assert rates[11] == RATE
    assert np.mean(expected) == pytest.approx(np.mean(rates[:12]), rel=1e-6)


def test_a_credit_earned_month_by_month_is_expected_to_go_on() -> None:
    """Growth at a steady rate: the share waived next year is that of this one, but for growth."""
    rules = scenario(GROWS, law(credit_per_usd=0.02), makers=150)
    charged: list[float] = []
    for economy in run(rules, 1, 25):
        if economy.month == 12:
            expected = np.mean([rate_ahead(economy, n) for n in range(12)])
        charged.append(rate(economy))
    waived = RATE - np.mean(charged[12:24])
    assert RATE - expected == pytest.approx(waived, rel=GROWTH)
    assert 0 < waived < RATE


def test_importers_who_weigh_tracing_count_with_the_relief() -> None:
    rules = scenario(built_once(), law(free_chips_per_chip=5.0), makers=150)
    *_, economy = run(rules, 1, 7)
    ahead = dict(economy.expectations.summed(economy.date, 24, economy.imports))
    assert ahead[levy(economy)] == pytest.approx(24 * rate(economy), rel=1e-9)


# Neutral values and files.


@BOTH
def test_without_owners_it_is_the_plain_tariff_to_the_last_bit(kind: str) -> None:
    plain = {"kind": kind, "rate": 0.3, "start": "2025-01"}
    one = fingerprint(world(plain))
    for fields in ({"free_chips_per_chip": 4.0}, {"credit_per_usd": 0.5}):
        other = fingerprint(world(plain | fields | {"owned_share": 0.0}))
        assert all((a == b).all() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"free_chips_per_chip": 1.0, "credit_per_usd": 0.1},
            "levy.credit_per_usd: is given beside free_chips_per_chip",
        ),
        ({"credit_per_usd": 0.1, "stacking_group": "g"}, "stacking_group: does not apply"),
        ({"free_chips_per_chip": {"2025-01": 1.0, "2026-01": 1001.0}}, "between 0 and 1000"),
        ({"pledged_kwpm": -1.0}, "pledged_kwpm: must be between 0 and 1000000"),
        ({"owned_share": 1.1}, "owned_share: must be between 0 and 1"),
        ({"free_chips_per_chip": -1.0}, "free_chips_per_chip: must be between 0 and 1000"),
    ],
)
def test_refusals(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        replace(load_scenario("baseline"), **law(**fields))
    assert said in str(refused.value)


def test_the_explanation_shows_the_rate_given() -> None:
    rules = scenario(built_once(), law(free_chips_per_chip=5.0), makers=150)
    (found,) = explain_choice(rules, 0, "2025-08").rates_to_date
    assert (found.name, found.unit, found.statutory) == ("levy", "chips", RATE)
    assert 0 < found.now < RATE
    assert found.expected == pytest.approx(found.now, rel=1e-9)


def test_still_worlds_build_nothing() -> None:
    found = months(scenario(STILL, law(free_chips_per_chip=1000.0), makers=60), 4)
    assert {rate for rate, *_ in found} == {RATE}


def test_where_less_stands_nothing_has_been_built() -> None:
    """Closures are taken off what is built, and leave neither chips nor capital below zero."""
    (economy,) = run(scenario(HELD, law(credit_per_usd=1.0), makers=60), 0, 1)
    (levy,) = (one.instrument for one in economy.tariff_schedule.laws if one.name == "levy")
    standing = economy.imports.capacity
    for part, sign in ((0.5, 1.0), (-0.5, 0.0)):
        chips, capital = policy_of_month._added(economy, levy, part * standing)
        assert (chips == sign * part * us_capacity(economy)).all()
        assert (capital > 0) == (sign > 0)
        assert capital >= 0

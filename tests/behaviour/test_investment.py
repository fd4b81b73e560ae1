"""What foundries build and close, what grants buy, and China's plan (MODEL 4.1)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariffsim.calibration import build_economy
from tariffsim.experiments.runs import context_of
from tariffsim.kernels.investment import (
    at_month,
    evenly,
    growth_response,
    month_on,
    plan_gap,
    plan_slowing,
)
from tariffsim.month import PHASES, invest
from tariffsim.record.metrics import capacity_measures
from tariffsim.scenario import Scenario
from tariffsim.simulation import Simulation
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.ledger import PAYMENTS
from tests.economies import (
    AT_ONCE,
    HELD,
    NO_STOCKS,
    REGIONS,
    STILL,
    component,
    each_device,
    each_region,
    last,
    merged,
    run,
    scenario,
)

US = REGIONS.index("US")
LAG, CLOSING = 5, 3
PLANNED: dict[str, Any] = {"supply": {"investment": "planned"}}
RESPONSIVE: dict[str, Any] = {"supply": {"investment": "responsive", "closure_months": CLOSING}}
UNPRICED: dict[str, Any] = {"supply": {"scarcity_elasticity": 0.0}}
"""Chips that are scarce are rationed at the price of all others."""
QUICK: dict[str, Any] = {"figures": {"foundry_regions": each_region(build_lag_months=LAG)}}


def world(*changes: dict[str, Any], **policies: dict[str, Any]) -> Scenario:
    """Capacity as planned unless a change says otherwise."""
    return scenario(QUICK, PLANNED, *changes, {"policies": policies}, makers=90)


def grant(budget: Any = 12e9, **fields: Any) -> dict[str, Any]:
    return {"kind": "capacity_grant", "budget_per_year": budget, "start": "2025-01"} | fields


def credit(part: float, **fields: Any) -> dict[str, Any]:
    return {"kind": "investment_credit", "credit": part, "start": "2025-01"} | fields


def cut(points: float, **fields: Any) -> dict[str, Any]:
    return {"kind": "price_cut", "points": points, "start": "2025-01"} | fields


def relative(economy: Economy) -> np.ndarray:
    """(F,) capacity relative to plan, the same in every class."""
    foundries = economy.foundries
    plan = np.maximum(foundries.planned_capacity, 1e-300)
    ratio = foundries.capacity / plan
    largest = ratio.max(axis=1)
    np.testing.assert_allclose(foundries.capacity, plan * largest[:, None], rtol=1e-12, atol=1e-290)
    return np.asarray(largest)


def wafers_of(economy: Economy, region: int) -> float:
    own = economy.foundries.region == region
    chips = economy.foundries.capacity[own] / economy.investment.chips_per_kwpm
    return float(chips.sum())


# The rule of growth


@given(st.floats(-2, 1), st.floats(-2, 1), st.floats(0.05, 0.6), st.floats(-0.2, 0.3))
def test_growth_follows_the_margin(one: float, other: float, over: float, hurdle: float) -> None:
    base = hurdle + over
    low, high = sorted((one, other))
    growth = growth_response(np.array([low, high, base, hurdle]), np.full(4, base), hurdle)
    rule = np.clip((np.array([low, high]) - hurdle) / over, -1, 2)
    np.testing.assert_allclose(growth[:2], rule, atol=1e-9 / over)  # differences of margins
    assert growth[2] == 1
    assert growth[3] == pytest.approx(0, abs=1e-9)
    assert growth[0] <= growth[1]


def test_growth_is_as_planned_where_the_base_margin_is_below_the_hurdle() -> None:
    margin = np.array([0.05, 0.04, 0.06])
    growth = growth_response(margin, np.full(3, 0.05), 0.10)
    assert growth[0] == 1
    assert growth[1] < 1 < growth[2]


@given(st.lists(st.integers(1, 6), min_size=2, max_size=2), st.floats(1, 1e12))
def test_schedules_pay_what_is_promised_when_it_is_due(months: list[int], amount: float) -> None:
    ahead, amounts = np.array(months), np.array([amount, 2 * amount])
    schedule = evenly(np.zeros((2, 6)), amounts, ahead)
    np.testing.assert_allclose(schedule.sum(axis=1), amounts)
    assert ((schedule > 0).sum(axis=1) == ahead).all()
    schedule = at_month(np.zeros((2, 6)), amounts, ahead)
    for month in range(1, 7):
        due, schedule = month_on(schedule)
        np.testing.assert_array_equal(due, np.where(ahead == month, amounts, 0.0))


def test_steady_state_is_as_planned() -> None:
    """Demand and capacity grow at one rate everywhere: margins stay, so nothing responds."""
    growth = {
        "figures": {
            "foundry_regions": each_region(growth_per_year=0.03),
            "devices": merged(
                each_device(requalification_cost_usd=0),  # no write-offs that come and go
                {"server": {f"extra_growth_from_{m}": 0.0 for m in ("2025-01", "2027-12")}},
            ),
            "markets": {m: {"growth_per_year": 0.03} for m in ("US", "EU", "JK", "CN", "ROW")},
        },
        "supply": {"capacity_growth_factor": 1.0},
        "trade": {"growth_factor": 1.0},
    }
    still = merged(STILL, HELD, {"trade": AT_ONCE, "orders": NO_STOCKS})  # stocks grow too
    rules = scenario(QUICK, still, growth, RESPONSIVE, makers=90)
    economy = last(rules, 3, 24)
    rivals = ~economy.foundries.is_chinese
    assert economy.foundries.planned_capacity[rivals].sum() > 1.05 * (
        economy.foundries.base_capacity[rivals].sum()
    )
    np.testing.assert_allclose(relative(economy), 1, rtol=1e-9)
    industry = economy.investment
    has = industry.base_wafers > 0
    rivals_of = has & (np.arange(len(has)) != REGIONS.index("CN"))
    np.testing.assert_allclose(industry.margins[rivals_of, -1], industry.base_margin[rivals_of])


# When it arrives


def decided(margin: float) -> list[np.ndarray]:
    """Capacity relative to plan by month when the year's margins are that far from their base."""
    economy, draws = build_economy(world(RESPONSIVE), 0), Draws(0)
    ratios = []
    for _ in range(LAG + 3):
        economy.investment.margins[:] = economy.investment.base_margin[:, None] + margin
        for phase in PHASES:
            phase(economy, draws)
        ratios.append(relative(economy))
    return ratios


def test_growth_arrives_after_the_build_lag_to_the_month() -> None:
    """What arrives in the first months was decided before the start, as planned."""
    economy = build_economy(world(), 0)
    rate = economy.constants.region_growth[economy.foundries.region]
    for month, ratio in enumerate(decided(10.0)):  # clipped at twice planned growth
        doubled = max(month - LAG + 1, 0)
        np.testing.assert_allclose(ratio, (1 + rate) ** (doubled / 12), rtol=1e-12)


def test_closures_take_their_months_and_building_stops_after_the_lag() -> None:
    economy = build_economy(world(), 0)
    rate = economy.constants.region_growth[economy.foundries.region]
    for month, ratio in enumerate(decided(-10.0)):  # clipped at minus planned growth
        closed, unbuilt = max(month - CLOSING + 1, 0), max(month - LAG + 1, 0)
        np.testing.assert_allclose(ratio, (1 + rate) ** (-(closed + unbuilt) / 12), rtol=1e-12)


def test_planned_ignores_margins() -> None:
    """Under `planned` the deepest price war leaves capacity as it is, to the last bit."""
    calm, war = (last(world(**p), 1, 14) for p in ({}, {"war": cut(0.5)}))
    np.testing.assert_array_equal(calm.foundries.capacity, war.foundries.capacity)
    np.testing.assert_array_equal(calm.foundries.capacity, calm.foundries.planned_capacity)


# Price wars


def test_a_discount_squeezes_rivals_through_sales_not_price() -> None:
    still = {"supply": {"utilisation_price_response": 0.0, "learning": 0.0}}
    calm, war = (last(world(still, **p), 1, 24) for p in ({}, {"war": cut(0.3)}))
    rivals = ~calm.foundries.is_chinese
    np.testing.assert_array_equal(calm.foundries.price[rivals], war.foundries.price[rivals])
    assert war.foundries.sales[rivals].sum() < 0.95 * calm.foundries.sales[rivals].sum()
    sold = calm.investment.base_wafers > 0
    sold[REGIONS.index("CN")] = False
    assert (war.investment.margins.mean(axis=1) < calm.investment.margins.mean(axis=1))[sold].all()


def test_a_price_war_hollows_out_rivals_and_leaves_china_its_plan() -> None:
    """Where scarcity has no price, which else takes most of China's discount back."""
    metrics = []
    for points in (0.0, 0.2, 0.4):
        simulation = Simulation(world(RESPONSIVE, UNPRICED, war=cut(points), months=cut(0.0)), 1)
        while simulation.economy.month < 40:
            simulation.step()
        history = simulation.recorder.history(1, simulation.scenario.run.start)
        metrics.append(capacity_measures(history, context_of(simulation.economy), 0))
        chinese = simulation.economy.foundries.is_chinese
        np.testing.assert_array_equal(
            simulation.economy.foundries.capacity[chinese],
            simulation.economy.foundries.planned_capacity[chinese],
        )
    lost = [m["capacity_lost"] for m in metrics]
    assert lost == sorted(lost)
    assert lost[-1] > 1
    above = [m["china_above_plan"] for m in metrics]
    assert above == sorted(above)
    assert above[-1] > 0.2


def lost(economy: Economy) -> float:
    """Part of the capacity planned outside China that is missing."""
    foundries = economy.foundries
    rivals = ~foundries.is_chinese
    return float(1 - foundries.capacity[rivals].sum() / foundries.planned_capacity[rivals].sum())


def test_scarcity_of_chinese_chips_spares_rivals() -> None:
    """Orders beyond Chinese capacity raise Chinese invoices: rivals keep sales and margins."""
    calm, priced, unpriced = (
        last(world(RESPONSIVE, *rules, war=cut(points)), 1, 40)
        for rules, points in (((), 0.0), ((), 0.4), ((UNPRICED,), 0.4))
    )
    chinese = calm.foundries.is_chinese
    assert priced.foundries.scarcity[chinese].min() > 1.5
    assert (priced.foundries.scarcity[~chinese] == 1).all()
    assert lost(calm) < lost(priced) < 0.5 * lost(unpriced)


def test_capacity_does_not_come_back_when_the_price_war_ends() -> None:
    """Hysteresis: three years after the war margins are back, and what was not built is missing."""
    calm, war = (
        last(world(RESPONSIVE, UNPRICED, **p), 1, 72)
        for p in ({}, {"war": cut(0.4, end="2027-12")})
    )
    peace = last(world(RESPONSIVE, UNPRICED, war=cut(0.4, end="2027-12")), 1, 36 + LAG)
    assert lost(peace) > 0.03
    assert lost(war) > 0.5 * lost(peace) + 0.5 * lost(calm)


# China's plan


def test_idle_lines_slow_the_plan() -> None:
    tariff = component(2.0)
    built = []
    for response in (0.0, 0.5, 1.0):
        slowed = {"supply": {"plan_response": response, "china_price_discount": 0.0}}
        economy = last(scenario(slowed, tariff, makers=90), 1, 36)
        chinese = economy.foundries.is_chinese
        built.append(
            economy.foundries.capacity[chinese].sum()
            / economy.foundries.planned_capacity[chinese].sum()
        )
    assert built[0] == 1
    assert built[0] > built[1] > built[2] > 0.7


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=20), st.floats(0, 1), st.floats(0, 1.5))
def test_plan_gap_is_the_recursion_of_built_capacity(
    plans: list[float], response: float, utilisation: float
) -> None:
    slowing = plan_slowing(response, 0.9, utilisation)
    assert slowing == pytest.approx(response * min(max((0.9 - utilisation) / 0.2, 0), 1))
    built, gap = plans[0], np.zeros(1)
    for before, plan in pairwise(plans):
        rise = plan - before
        built = built + (1 - slowing) * rise if rise > 0 else built * plan / before
        gap = plan_gap(gap, np.array([before]), np.array([plan]), slowing)
        assert plan * (1 - gap[0]) == pytest.approx(built, rel=1e-9)
        assert 0 <= gap[0] <= 1


# Grants and credits


def received(economies: Any, payment: str) -> np.ndarray:
    """(months, sectors) what was booked."""
    row = PAYMENTS.index(payment)
    return np.array([economy.ledger[row].copy() for economy in economies])


def test_grants_are_paid_evenly_and_in_full() -> None:
    rules = world(a=grant(12e9, end="2025-03"))
    booked = received(run(rules, 0, 3 + LAG + 4), "capacity grants")
    assert booked.sum() == 0
    paid = np.maximum(booked, 0).sum(axis=1)
    awarded = np.zeros(len(paid) + LAG)
    awarded[:3] = 1e9
    expected = [awarded[max(t - LAG, 0) : t].sum() / LAG for t in range(len(paid))]
    np.testing.assert_allclose(paid, expected)
    assert paid.sum() == pytest.approx(3e9)
    columns = build_economy(rules, 0).constants.codes.markets.index("US") + 5 * np.arange(5)
    assert np.abs(booked[:, np.setdiff1d(np.arange(booked.shape[1]), columns)]).max() == 0


def test_granted_capacity_arrives_after_the_lag_with_its_chips() -> None:
    rules = [world(a=grant(b, end="2025-01")) for b in (0.0, 12e9)]
    for month, (without, granted) in enumerate(zip(*(run(r, 0, LAG + 2) for r in rules))):  # noqa: B905
        more = granted.foundries.capacity - without.foundries.capacity
        if month < LAG:
            assert not more.any()
            continue
        own = granted.foundries.region == US
        assert not more[~own].any()
        cost = granted.constants.capital_cost[US]
        kwpm = 0.5 * 1e9 / (0.15 * cost)
        grown = (1 + granted.constants.region_growth[US]) ** ((month - LAG) / 12)
        gained = wafers_of(granted, US) - wafers_of(without, US)
        assert gained == pytest.approx(kwpm * grown, rel=1e-9)
        world_base = granted.foundries.base_capacity.sum(axis=0)
        chips = world_base / granted.constants.world_wafers
        share = without.foundries.capacity[own].sum(axis=0) / chips
        by_class = kwpm * grown * share / share.sum() * chips
        np.testing.assert_allclose(more[own].sum(axis=0), by_class, rtol=1e-9)


def test_grants_that_add_nothing_cost_the_same() -> None:
    plain, nothing, half = (
        last(world(**policies), 0, LAG + 4)
        for policies in ({}, {"a": grant(additionality=0.0)}, {"a": grant()})
    )
    np.testing.assert_array_equal(plain.foundries.capacity, nothing.foundries.capacity)
    np.testing.assert_array_equal(half.investment.grants, nothing.investment.grants)
    assert nothing.investment.grants[US] > 0


def test_regions_share_a_budget_by_capacity_and_one_without_foundries_gets_none() -> None:
    none = {"figures": {"foundry_regions": {"OTHER": {"foundries": 0}}}}
    economy = last(world(none, a=grant(regions=["US", "JP", "OTHER"])), 0, 2)
    industry = economy.investment
    assert industry.grants.sum() == pytest.approx(1e9 / LAG)
    assert industry.grants[REGIONS.index("OTHER")] == 0
    assert industry.grants[US] / industry.grants[REGIONS.index("JP")] == pytest.approx(
        industry.base_wafers[US] / industry.base_wafers[REGIONS.index("JP")]
    )
    lonely = last(world(none, a=grant(regions=["OTHER"])), 0, LAG + 2)
    assert not lonely.investment.grants.any()


@pytest.mark.parametrize("mode", ["planned", "responsive"])
def test_more_grant_more_capacity(mode: str) -> None:
    choice = {"supply": {"investment": mode}}
    sizes = [wafers_of(last(world(choice, a=grant(b)), 2, 20), US) for b in (0, 4e9, 12e9, 40e9)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 1.1 * sizes[0]


def test_a_credit_raises_growth_only_where_investment_responds() -> None:
    for mode in ("planned", "responsive"):
        choice = {"supply": {"investment": mode}}
        economies = [last(world(choice, a=credit(z)), 2, 20) for z in (0, 0.1, 0.25, 0.4)]
        sizes = [wafers_of(economy, US) for economy in economies]
        paid = [economy.investment.credits[US] for economy in economies]
        assert paid == sorted(paid)
        assert paid[0] == 0 < paid[1]
        if mode == "planned":
            assert len(set(sizes)) == 1
        else:
            assert sizes == sorted(sizes)
            assert sizes[-1] > sizes[0]


def test_a_credit_is_worth_its_part_of_capital_in_the_margin() -> None:
    """`0.45 z cost / price`: a quarter at a margin of 28 % is 8 points."""
    economy = last(world(HELD, STILL, RESPONSIVE, a=credit(0.25)), 2, 1)
    calm = last(world(HELD, STILL, RESPONSIVE), 2, 1)
    assert not economy.constants.region_growth[US]  # so give it some, and decide again
    for each in (economy, calm):
        growth = np.where(np.arange(len(REGIONS)) == US, 0.02, 0.0)
        each.constants = replace(each.constants, region_growth=growth)
        each.investment.growth_due[:] = 0.0
        invest(each, Draws(0))
    more = (economy.investment.growth_due - calm.investment.growth_due)[US]
    assert more[LAG - 1] == pytest.approx(0.45 * 0.25 * 0.72 / (0.28 - 0.10))
    assert np.count_nonzero(more) == 1


def test_the_cost_of_a_credit_is_its_part_of_what_is_built() -> None:
    economies = [
        (e.constants, wafers_of(e, US)) for e in run(world(a=credit(0.25, end="2025-01")), 0, 2)
    ]
    figures, standing = economies[0]
    built = standing * ((1 + figures.region_growth[US]) ** (1 / 12) - 1)
    economy = last(world(a=credit(0.25, end="2025-01")), 0, 2)
    bill = 0.25 * figures.capital_cost[US] * built
    assert economy.investment.credits[US] == pytest.approx(bill / LAG)


# At random


paths = st.fixed_dictionaries(
    {"2025-01": st.floats(-1, 1), "2025-04": st.floats(-1, 1), "2025-07": st.floats(-1, 1)}
)


@settings(max_examples=15)
@given(
    price=paths, plan=paths, budget=st.floats(0, 1e12), z=st.floats(0, 1),
    response=st.floats(0, 1), hurdle=st.floats(-1, 1), growth=st.floats(0, 5),
)  # fmt: skip
def test_capacity_stays_positive(
    price: Any, plan: Any, budget: float, z: float, response: float, hurdle: float, growth: float
) -> None:
    firms = {
        "plan_response": response, "investment_hurdle": hurdle, "capacity_growth_factor": growth,
    }  # fmt: skip
    rules = scenario(
        merged(QUICK, RESPONSIVE, {"supply": firms}),
        {
            "policies": {
                "a": {"kind": "price_cut", "points": price},
                "b": {"kind": "capacity_plan", "points": plan},
                "c": grant(budget, regions=["US", "CN"]),
                "d": credit(z, regions=["US", "EU", "CN"]),
            }
        },
        makers=12,
    )
    for economy in run(rules, 0, 10):
        foundries = economy.foundries
        has = foundries.base_capacity > 0
        assert (foundries.capacity[has] > 0).all()
        assert np.isfinite(foundries.capacity).all()
        assert np.isfinite(economy.ledger).all()

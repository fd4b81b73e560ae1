"""Properties of every kernel: closed forms, limits, conservation. Inputs are read-only arrays."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad

import tariffsim.kernels
from tariffsim.kernels.duties import (
    at_least_none,
    due_of_each,
    horizon_weights,
    slot_duty_rate,
    stacked,
)
from tariffsim.kernels.inventory import fill_rates_by_rank
from tariffsim.kernels.prices_and_demand import (
    adjusted_orders,
    cell_demand,
    ces_price_index,
    ex_works_price,
    landed_cost,
    passed_on_duty,
    rebate,
    retail_price,
    unit_cost,
    units_demanded,
)
from tariffsim.kernels.sourcing import (
    choice_probabilities,
    cost_odds,
    draw_choice,
    inertia_curvature,
    leaving_probability,
    odds_from_scale,
    steady_state_scale,
    steady_state_shares,
    switching_cost,
    utility,
    with_inertia,
)
from tariffsim.kernels.supply import (
    buyer_mix,
    china_capacity,
    counter_subsidy_share,
    experience,
    foundry_cost,
    grown_capacity,
    learning_index,
    odds,
    output_with_overflow,
    parity_price,
    posted_price,
)
from tariffsim.kernels.welfare import (
    MOST_MISSING,
    rule_of_half,
    surplus_change,
    undelivered_surplus,
)

ROUNDING = 1e-12
"""Relative: a few hundred roundings of 1e-16 each."""

EXACT = {"rtol": ROUNDING, "atol": 0}


def frozen(values: Any) -> np.ndarray:
    """A read-only array, so that a kernel that writes to its input fails by itself."""
    array = np.array(values, dtype=float)
    array.setflags(write=False)
    return array


def numbers(low: float, high: float, *shape: int) -> Any:
    elements = st.floats(low, high, allow_subnormal=False)
    return arrays(float, shape, elements=elements).map(frozen)


def shares(rows: int, alternatives: int) -> Any:
    """Rows that sum to one, some alternatives without any share."""
    weights = arrays(
        float, (rows, alternatives), elements=st.one_of(st.just(0.0), st.floats(1e-4, 1.0))
    )

    def scaled(values: np.ndarray) -> np.ndarray:
        values = values + 1e-3 * (np.arange(alternatives) == 0)
        return frozen(values / values.sum(axis=1, keepdims=True))

    return weights.map(scaled)


CURVATURES = st.one_of(
    st.floats(-0.45, 0.0), st.floats(0.0, 10.0), st.floats(0, 12).map(lambda power: 10.0**power)
)
"""From no inertia and half of all slots under way to slots that never switch."""


def curvatures(rows: int) -> Any:
    return arrays(float, (rows, 1), elements=CURVATURES).map(frozen)


# Sourcing


@given(shares(6, 5), curvatures(6))
def test_steady_state_is_inverted(base: np.ndarray, curvature: np.ndarray) -> None:
    scale = steady_state_scale(base, curvature)
    x = odds_from_scale(base, curvature, scale)
    np.testing.assert_allclose(x.sum(axis=1), 1, rtol=ROUNDING)
    # the inverse magnifies rounding by about the number of iterations, not by the curvature
    np.testing.assert_allclose(steady_state_shares(x, curvature), base, rtol=1e-10, atol=1e-14)
    bound = 1 + np.array([np.minimum(curvature, 0), np.maximum(curvature, 0)])
    assert (scale >= bound[0] * (1 - ROUNDING)).all()
    assert (scale <= bound[1] * (1 + ROUNDING)).all()


@given(shares(6, 3), numbers(-1.0, -0.5, 6, 1))
def test_steady_state_is_found_or_refused(base: np.ndarray, curvature: np.ndarray) -> None:
    scale = steady_state_scale(base, curvature)
    found = np.isfinite(scale[:, 0])
    x = odds_from_scale(base[found], curvature[found], scale[found])
    np.testing.assert_allclose(x.sum(axis=1), 1, rtol=1e-8)
    even = steady_state_scale(frozen(np.full((1, 4), 0.25)), frozen([[-0.8]]))
    assert np.isfinite(even).all()


@given(shares(4, 5))
def test_odds_are_shares_without_curvature(base: np.ndarray) -> None:
    flat = frozen(np.zeros((4, 1)))
    np.testing.assert_allclose(steady_state_scale(base, flat), 1, rtol=ROUNDING)
    np.testing.assert_allclose(odds_from_scale(base, flat, frozen(np.ones((4, 1)))), base)


@given(numbers(0, 1, 7), st.floats(0, 1e6), st.floats(0, 1))
def test_leaving_falls_with_own_odds_and_inertia(
    x: np.ndarray, extra: float, hazard: float
) -> None:
    x = frozen(np.sort(x))
    leaving = leaving_probability(x, frozen(np.full(7, 1 + extra)))
    assert ((leaving >= 0) & (leaving <= 1)).all()
    assert (np.diff(leaving) <= 0).all()
    assert (leaving <= leaving_probability(x, frozen(np.ones(7)))).all()
    np.testing.assert_allclose(leaving_probability(x, frozen(np.ones(7))), 1 - x)


@given(shares(3, 4), st.floats(0, 1e4), st.floats(0.01, 0.5), st.integers(1, 24))
def test_flows_balance_in_the_steady_state(
    x: np.ndarray, extra: float, hazard: float, lead: int
) -> None:
    # stocks of free slots x(1 + Kx); flows f to g are A_f x_g / (1 + K x_f): detailed balance
    inertia = frozen(np.full(3, 1 + extra))
    free = x * (1 + extra * x)
    leaving = free * leaving_probability(x, inertia[:, None])
    flows = free[:, :, None] * x[:, None, :] / (1 + extra * x[:, :, None])
    np.testing.assert_allclose(flows, flows.transpose(0, 2, 1), rtol=1e-9)
    supply = free + hazard * (lead - 1) * leaving
    curvature = inertia_curvature(inertia, frozen(hazard), frozen(lead))[:, None]
    np.testing.assert_allclose(
        supply / supply.sum(axis=1, keepdims=True), steady_state_shares(x, curvature), rtol=1e-9
    )


@given(numbers(1e3, 1e7, 5), numbers(0.1, 100, 5), numbers(1, 1e6, 5))
def test_switching_cost_is_relative_to_a_lifetime_of_chips(
    cost: np.ndarray, bill: np.ndarray, units: np.ndarray
) -> None:
    hazard, rho, cap = frozen(np.full(5, 1 / 40)), 0.08, 1000.0
    got = switching_cost(cost, bill, units, hazard, rho, cap)
    lifetime, _ = quad(lambda t: np.exp(-(1 / 40 + rho / 12) * t), 0, np.inf)
    # quad is good to about 1e-8
    np.testing.assert_allclose(got, np.minimum(cost / (bill * units * lifetime), cap), rtol=1e-7)
    doubled = switching_cost(frozen(2 * cost), frozen(2 * bill), units, hazard, rho, cap)
    np.testing.assert_allclose(doubled, got)  # money illusion would be an error
    none = switching_cost(cost, frozen(np.zeros(5)), units, hazard, rho, cap)
    assert (none == cap).all()


@given(numbers(0.1, 10, 4, 3), st.floats(0, 8))
def test_cost_odds(ratio: np.ndarray, elasticity: float) -> None:
    base = frozen(np.full((4, 3), 1.7))
    np.testing.assert_allclose(
        cost_odds(frozen(ratio * base), base, elasticity), ratio**-elasticity, rtol=1e-10
    )
    assert (cost_odds(base, base, elasticity) == 1).all()


@given(shares(5, 4), arrays(int, 5, elements=st.integers(0, 3)), st.floats(1, 1e6))
def test_inertia_favours_the_incumbent_alone(
    weights: np.ndarray, incumbent: np.ndarray, factor: float
) -> None:
    incumbent.setflags(write=False)
    with_it = with_inertia(weights, incumbent, frozen(np.full(5, factor)))
    rows = np.arange(5)
    np.testing.assert_array_equal(with_it[rows, incumbent], weights[rows, incumbent] * factor)
    others = np.arange(4) != incumbent[:, None]
    np.testing.assert_array_equal(with_it[others], weights[others])
    before, after = choice_probabilities(weights), choice_probabilities(with_it)
    np.testing.assert_allclose(after.sum(axis=1), 1)
    assert (after[rows, incumbent] >= before[rows, incumbent] * (1 - ROUNDING)).all()
    x, own = before[rows, incumbent], after[rows, incumbent]
    # 1 - own cancels where the incumbent all but always wins, hence the absolute part
    np.testing.assert_allclose(
        1 - own, leaving_probability(x, frozen(np.full(5, factor))), rtol=1e-9, atol=1e-15
    )


@given(shares(8, 5), arrays(float, (8, 5), elements=st.floats(1e-6, 20)).map(frozen))
def test_race_is_the_gumbel_maximum(weights: np.ndarray, exponentials: np.ndarray) -> None:
    won = draw_choice(weights, exponentials)
    with np.errstate(divide="ignore"):
        value = np.log(weights) - np.log(exponentials)
    rows = np.arange(8)
    assert (weights[rows, won] > 0).all()
    np.testing.assert_allclose(value[rows, won], value.max(axis=1), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        utility(weights, exponentials, won), value.max(axis=1), rtol=1e-9, atol=1e-9
    )


def test_race_wins_as_often_as_the_logit_says() -> None:
    weights = frozen([[0.5, 0.3, 0.15, 0.05, 0.0]])
    n = 100_000
    draws = np.random.default_rng(1).standard_exponential((n, 5))
    wins = np.bincount(draw_choice(np.repeat(weights, n, axis=0), draws), minlength=5)
    p = choice_probabilities(weights)[0]
    # chi-squared with three degrees of freedom exceeds 16.3 once in a thousand
    assert ((wins - n * p)[:4] ** 2 / (n * p[:4])).sum() < 16.3
    assert wins[4] == 0


# Demand


@given(shares(1, 4), numbers(0.3, 3, 4), st.floats(1.1, 8), st.floats(0.1, 3))
def test_ces_spends_what_demand_says(
    base: np.ndarray, ratio: np.ndarray, elasticity: float, eta: float
) -> None:
    share = frozen(base[0])
    power = frozen(ratio ** (1 - elasticity))
    one = np.zeros(4, dtype=np.intp)
    by_cell = frozen([elasticity])
    index = ces_price_index(power, share, one, 1, by_cell)
    assert ratio.min() * (1 - 1e-9) <= index[0] <= ratio.max() * (1 + 1e-9)
    demand = cell_demand(frozen(index), by_cell, frozen([eta]), frozen([1.3]))
    units = units_demanded(share, ratio, power, demand[one])
    # spending of a unit budget: growth x P^(1 - eta)
    np.testing.assert_allclose((ratio * units).sum(), 1.3 * index[0] ** (1 - eta), rtol=1e-9)
    doubled = ces_price_index(frozen((2 * ratio) ** (1 - elasticity)), share, one, 1, by_cell)
    np.testing.assert_allclose(doubled, 2 * index, rtol=1e-9)


@given(shares(1, 4), numbers(0.5, 2, 4))
def test_ces_close_to_unit_elasticity_is_cobb_douglas(base: np.ndarray, ratio: np.ndarray) -> None:
    elasticity = 1 + 1e-6
    index = ces_price_index(
        frozen(ratio ** (1 - elasticity)), frozen(base[0]), np.zeros(4, dtype=np.intp), 1,
        frozen([elasticity]),
    )  # fmt: skip
    # the second-order term is 1e-6 x variance of log price / 2; rounding is magnified by 1e6
    np.testing.assert_allclose(np.log(index), base[0] @ np.log(ratio), atol=1e-6)


def test_cells_without_lines_have_a_neutral_index() -> None:
    index = ces_price_index(frozen([0.5]), frozen([1.0]), np.array([1]), 3, frozen([3.0, 3.0, 3.0]))
    np.testing.assert_allclose(index, [1, 0.5**-0.5, 1])


@given(numbers(0, 1e6, 5), numbers(0, 1e6, 5), st.floats(0.05, 1))
def test_orders_close_geometrically(orders: np.ndarray, desired: np.ndarray, speed: float) -> None:
    now = orders
    for _ in range(6):
        now = frozen(adjusted_orders(now, desired, speed))
    np.testing.assert_allclose(
        now - desired, (1 - speed) ** 6 * (orders - desired), rtol=1e-6, atol=1e-8
    )
    np.testing.assert_allclose(adjusted_orders(orders, desired, 1.0), desired, atol=1e-9)


# Duties


@given(numbers(0, 1, 4), st.floats(0, 1), numbers(0, 1, 4), numbers(0, 2, 4))
def test_slot_duty_is_the_bill_with_the_chips_less_the_bill_without(
    product: np.ndarray, markup: float, bare: np.ndarray, chip: np.ndarray
) -> None:
    def bill(chips: float) -> np.ndarray:
        customs_value = (1 + markup) * (10 + chips * (1 + bare))
        return product * customs_value + bare * chips + chip * chips

    np.testing.assert_allclose(
        slot_duty_rate(product, markup, bare, chip), bill(1.0) - bill(0.0), atol=1e-12
    )


@given(numbers(0.001, 0.5, 6), st.floats(0, 0.5))
def test_horizon_weights(hazard: np.ndarray, rho: float) -> None:
    years = frozen(np.arange(4))
    weights = horizon_weights(hazard, rho, years)
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    assert (np.diff(weights, axis=0) <= 0).all()  # the near future counts most
    ratio = weights[1:] / weights[:-1]
    expected = (1 - hazard) ** 12 / (1 + rho)
    np.testing.assert_allclose(ratio, np.broadcast_to(expected, ratio.shape), rtol=1e-9)


@given(st.lists(st.tuples(st.sampled_from([None, "a", "b"]), st.floats(0, 1)), max_size=8))
def test_stacking_takes_the_highest_of_each_group(duties: list[tuple[str | None, float]]) -> None:
    total = stacked([(group, frozen([rate])) for group, rate in duties])
    groups = {group for group, _ in duties if group}
    expected = sum(rate for group, rate in duties if group is None) + sum(
        max(rate for group, rate in duties if group == name) for name in groups
    )
    np.testing.assert_allclose(total, expected, atol=1e-12)
    np.testing.assert_allclose(
        stacked([(g, frozen([r])) for g, r in reversed(duties)]), total, atol=1e-12
    )


@given(st.lists(st.tuples(st.sampled_from([None, "a", "b"]), st.floats(0, 1)), max_size=8))
def test_only_one_duty_of_a_group_is_due(duties: list[tuple[str | None, float]]) -> None:
    due = due_of_each([(group, frozen([rate])) for group, rate in duties])
    for name in {group for group, _ in duties}:
        rates = [rate for group, rate in duties if group == name]
        paid = [float(d[0]) for d, (group, _) in zip(due, duties, strict=True) if group == name]
        assert paid == rates if name is None else sum(paid) == max(rates)
    assert sum(due) == stacked([(group, frozen([rate])) for group, rate in duties])


def test_what_chips_take_off_a_duty_is_that_of_the_higher_rate() -> None:
    """Chips left out of two duties on the rest in one group: the higher duty leaves out more."""
    lower, higher = np.array([-0.1, 0.0]), np.array([-0.2, 0.0])
    for pair in ([("g", lower), ("g", higher)], [("g", higher), ("g", lower)]):
        np.testing.assert_array_equal(stacked(pair), higher)


def test_no_counter_subsidy_on_chips_that_lower_a_duty() -> None:
    given_back = counter_subsidy_share(np.array([-0.3, 0.0, 0.25]), 1.0)
    np.testing.assert_allclose(given_back, [0.0, 0.0, 0.2])


# Prices of products


@given(numbers(0, 100, 3), numbers(0.5, 2, 3), numbers(0, 10, 3), numbers(0, 1, 3))
def test_prices_add_up(
    other: np.ndarray, factor: np.ndarray, bill: np.ndarray, amortised: np.ndarray
) -> None:
    cost = frozen(unit_cost(other, factor, bill, amortised))
    np.testing.assert_allclose(cost, other * factor + bill + amortised)
    gate = frozen(ex_works_price(cost, 0.15))
    np.testing.assert_allclose(gate, 1.15 * cost)
    landed = frozen(landed_cost(gate, 0.03, bill))
    np.testing.assert_allclose(landed, 1.03 * gate + bill)
    np.testing.assert_allclose(retail_price(landed, landed, 0.4, bill), 1.4 * landed + bill)
    # who bears a new duty before its passing on: maker and importer, in full
    np.testing.assert_allclose(rebate(bill, 0.95) + 0.95 * bill, bill, atol=1e-15)


def test_pass_through_takes_its_time() -> None:
    duty, passed = frozen([8.0]), frozen([0.0])
    path = []
    for _ in range(600):
        passed = frozen(passed_on_duty(passed, duty, 0.9, 18.0))
        path.append(float(passed[0]) / 8.0)
    # MODEL 4.4 states them to two digits
    assert round(path[5], 2) == 0.26
    assert round(path[23], 2) == 0.67
    np.testing.assert_allclose(path, 0.9 * (1 - (1 - 1 / 18) ** np.arange(1, 601)), rtol=1e-9)
    assert path[-1] == pytest.approx(0.9, rel=1e-12)
    np.testing.assert_allclose(passed_on_duty(frozen([0.0]), duty, 1.0, 1.0), duty)


# Supply


@given(numbers(0.01, 0.99, 5))
def test_odds(share: np.ndarray) -> None:
    np.testing.assert_allclose(odds(share) / (1 + odds(share)), share)


@given(numbers(1, 1e6, 4), st.floats(0.05, 0.9), st.floats(0.05, 0.9))
def test_chinese_plan_reaches_its_share(others: np.ndarray, now: float, base: float) -> None:
    base_odds = frozen(np.full(4, base / (1 - base)))
    capacity = china_capacity(others, base_odds, now, base)
    np.testing.assert_allclose(capacity / (capacity + others), now, rtol=1e-9)
    np.testing.assert_allclose(china_capacity(others, base_odds, base, base), others * base_odds)


@given(numbers(1, 1e6, 4), st.floats(-0.3, 0.5))
def test_growth_compounds(capacity: np.ndarray, growth: float) -> None:
    half = grown_capacity(capacity, frozen(growth), 0.5)
    np.testing.assert_allclose(
        grown_capacity(frozen(half), frozen(growth), 0.5), capacity * (1 + growth), rtol=1e-9
    )
    np.testing.assert_array_equal(grown_capacity(capacity, frozen(growth), 0.0), capacity)


@given(numbers(0, 1e6, 4, 3), st.floats(0, 1))
def test_experience_is_own_and_a_part_of_others(output: np.ndarray, spillover: float) -> None:
    gained = experience(output, spillover)
    world = output.sum(axis=0)
    np.testing.assert_allclose(gained.sum(axis=0), world * (1 + 3 * spillover), atol=1e-6)
    np.testing.assert_allclose(experience(output, 1.0), np.tile(world, (4, 1)), atol=1e-6)
    np.testing.assert_array_equal(experience(output, 0.0), output)


@given(numbers(1, 1e9, 4), st.floats(0, 0.5))
def test_doubling_experience_saves_the_learning_rate(base: np.ndarray, learning: float) -> None:
    np.testing.assert_allclose(learning_index(base, base, learning), 1 - learning)
    np.testing.assert_allclose(learning_index(frozen(0 * base), base, learning), 1)
    quadrupled = learning_index(frozen(3 * base), base, learning)
    np.testing.assert_allclose(quadrupled, (1 - learning) ** 2)


@given(numbers(0, 2, 6), st.floats(0, 2))
def test_price_responds_to_utilisation(utilisation: np.ndarray, chi: float) -> None:
    base, one = frozen(np.full(6, 0.8)), frozen(np.ones(6))
    price = parity_price(frozen(2 * one), one, frozen(np.sort(utilisation)), base, chi)
    assert (np.diff(price) >= 0).all()
    assert (price <= 2 * np.exp(0.3 * chi) * (1 + ROUNDING)).all()  # the response is capped
    assert (price >= 2 * np.exp(-0.3 * chi) * (1 - ROUNDING)).all()
    np.testing.assert_array_equal(parity_price(one, one, base, base, chi), 1)


def test_two_points_of_utilisation_move_price_by_a_hundredth() -> None:
    price = parity_price(frozen([1.0]), frozen([1.0]), frozen([0.82]), frozen([0.80]), 0.5)
    assert price[0] == pytest.approx(1.01, abs=1e-4)  # MODEL 4.1 says about


@given(numbers(0.01, 100, 5), numbers(0.01, 100, 5), st.floats(0.05, 1))
def test_posted_price_converges(price: np.ndarray, target: np.ndarray, speed: float) -> None:
    now = price
    for _ in range(7):
        now = frozen(posted_price(now, target, speed))
    gap = np.log(now / target)
    np.testing.assert_allclose(gap, (1 - speed) ** 7 * np.log(price / target), atol=1e-10)
    np.testing.assert_allclose(posted_price(price, target, 1.0), target, rtol=1e-10)
    np.testing.assert_array_equal(posted_price(price, target, 0.0), price)


@given(numbers(1, 1e6, 4), st.floats(0.1, 1), st.floats(0, 1))
def test_foundry_cost_at_base_is_unit_cost(
    capacity: np.ndarray, base: float, variable: float
) -> None:
    unit, usage = frozen(np.full(4, 0.7)), frozen(np.full(4, base))
    output = frozen(base * capacity)
    np.testing.assert_allclose(foundry_cost(output, capacity, unit, usage, variable), 0.7 * output)
    idle = foundry_cost(frozen(0 * output), capacity, unit, usage, variable)
    np.testing.assert_allclose(idle, (1 - variable) * 0.7 * output)


BLOC = frozen([[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]])


@given(numbers(0, 1e6, 5, 3), numbers(0, 1e6, 5, 3))
def test_rationing_conserves_chips(orders: np.ndarray, capacity: np.ndarray) -> None:
    fill_rate = fill_rates_by_rank([orders], capacity, BLOC)[0]
    assert ((fill_rate >= 0) & (fill_rate <= 1)).all()
    filled = frozen(fill_rate * orders)
    made = output_with_overflow(filled, capacity, BLOC)
    # absolute: the bloc's capacity is up to 3e6, of which 1e-12 is rounding
    np.testing.assert_allclose(BLOC @ made, BLOC @ filled, atol=3e-6)
    assert (made <= capacity + 3e-6).all()
    assert (made >= 0).all()
    bloc_orders, bloc_capacity = BLOC @ orders, BLOC @ capacity
    np.testing.assert_allclose(
        BLOC @ filled, np.minimum(bloc_orders, bloc_capacity), rtol=1e-9, atol=1e-9
    )
    # sums in another order differ by rounding
    unrationed = (bloc_orders <= bloc_capacity * (1 - ROUNDING)) & (bloc_capacity > 0)
    assert (fill_rate == 1)[(BLOC.T @ unrationed) > 0].all()
    own = orders <= capacity
    enough = own & (BLOC.T @ (BLOC @ (orders > capacity)) == 0)  # nobody in the bloc overflows
    np.testing.assert_allclose(made[enough], filled[enough], rtol=1e-9)


@given(shares(1, 5), numbers(0.5, 2, 5), numbers(0.5, 2, 5), st.floats(0, 6))
def test_buyer_mix_is_a_logit(
    base: np.ndarray, size: np.ndarray, ratio: np.ndarray, elasticity: float
) -> None:
    column = [frozen(v.reshape(5, 1)) for v in (base[0], size, ratio)]
    mix = buyer_mix(*column, elasticity)
    np.testing.assert_allclose(mix.sum(axis=0), 1)
    one = frozen(np.ones((5, 1)))
    np.testing.assert_allclose(buyer_mix(column[0], one, one, elasticity), column[0])
    # odds against the first, which always has a share
    expected = column[0] * column[1] * column[2] ** -elasticity
    np.testing.assert_allclose(mix / mix[0], expected / expected[0], rtol=1e-9)
    nobody = buyer_mix(frozen(np.zeros((5, 1))), one, one, elasticity)
    assert (nobody == 0).all()


# Welfare

QUADRATURE = 1e-7
"""Relative to expenditure; quad promises 1.5e-8."""


@given(st.floats(0.3, 3), st.floats(0.05, 4))
def test_surplus_is_the_area_left_of_demand(index: float, eta: float) -> None:
    area, _ = quad(lambda p: p**-eta, 1, index)
    got = surplus_change(frozen([50.0]), frozen([index]), frozen([eta]))
    np.testing.assert_allclose(got, -50 * area, atol=50 * QUADRATURE)


@given(st.floats(1e-6, MOST_MISSING), st.floats(0.2, 4))
def test_missing_units_cost_the_area_under_demand(missing: float, eta: float) -> None:
    area, _ = quad(lambda q: q ** (-1 / eta) - 1, 1 - missing, 1)
    got = undelivered_surplus(frozen([50.0]), frozen([missing]), frozen([eta]))
    # at the corner, 90 % missing and eta 0.2, the area is 2,500 times the expenditure
    np.testing.assert_allclose(got, 50 * area, rtol=1e-6, atol=50 * QUADRATURE)


@pytest.mark.parametrize("distance", [1e-13, 1e-10, 1e-8, 1e-6])
@pytest.mark.parametrize("sign", [-1, 1])
def test_unit_elasticity_is_a_limit(distance: float, sign: int) -> None:
    one, near = frozen([1.0]), frozen([1 + sign * distance])
    money, index, missing = frozen([7.0]), frozen([1.4]), frozen([0.6])
    # the next term of the series is below distance x ln^2, itself below 2; 1e-8 is rounding
    # divided by the distance
    close = {"rtol": 2 * distance + 1e-8, "atol": 0}
    np.testing.assert_allclose(surplus_change(money, index, one), -7 * np.log(1.4))
    np.testing.assert_allclose(
        surplus_change(money, index, near), surplus_change(money, index, one), **close
    )
    np.testing.assert_allclose(undelivered_surplus(money, missing, one), 7 * (-np.log(0.4) - 0.6))
    np.testing.assert_allclose(
        undelivered_surplus(money, missing, near), undelivered_surplus(money, missing, one), **close
    )


def test_nothing_changes_nothing() -> None:
    for eta in (0.3, 1.0, 1.5):
        assert surplus_change(frozen([9.0]), frozen([1.0]), frozen([eta]))[0] == 0
        assert undelivered_surplus(frozen([9.0]), frozen([0.0]), frozen([eta]))[0] == 0
    worst = undelivered_surplus(frozen([1.0]), frozen([MOST_MISSING]), frozen([0.3]))
    np.testing.assert_array_equal(  # beyond what the curve can be trusted for
        undelivered_surplus(frozen([1.0]), frozen([1.0]), frozen([0.3])), worst
    )


@given(numbers(0.1, 9, 3, 4), numbers(0.1, 9, 3, 4), numbers(0, 9, 3, 4), numbers(0, 9, 3, 4))
def test_rule_of_half(
    price_0: np.ndarray, price_1: np.ndarray, chips_0: np.ndarray, chips_1: np.ndarray
) -> None:
    loss = rule_of_half(price_0, price_1, chips_0, chips_1)
    np.testing.assert_allclose(rule_of_half(price_1, price_0, chips_1, chips_0), -loss, atol=1e-9)
    half = frozen((price_0 + price_1) / 2), frozen((chips_0 + chips_1) / 2)
    # exact for linear demand: going there in two steps costs the same where demand is linear
    slope = (chips_1 - chips_0) / np.where(price_1 == price_0, 1, price_1 - price_0)
    linear = frozen(np.where(price_1 == price_0, chips_0, chips_0 + slope * (price_1 - price_0)))
    steps = rule_of_half(price_0, half[0], chips_0, frozen((chips_0 + linear) / 2)) + rule_of_half(
        half[0], price_1, frozen((chips_0 + linear) / 2), linear
    )
    np.testing.assert_allclose(steps, rule_of_half(price_0, price_1, chips_0, linear), atol=1e-9)


@given(arrays(float, 4, elements=st.floats(0, 5)), st.floats(0, 1))
def test_an_offset_gives_back_its_part_of_the_duty(rate: np.ndarray, offset: float) -> None:
    """In full, the price with duty is the price before; in part, so much of it is given back."""
    np.testing.assert_allclose((1 - counter_subsidy_share(rate, 1.0)) * (1 + rate), 1.0, rtol=1e-12)
    given_back = counter_subsidy_share(rate, offset) * (1 + rate)
    np.testing.assert_allclose(given_back, offset * rate, rtol=1e-12, atol=1e-300)


def test_what_is_taken_away_is_no_more_than_there_is() -> None:
    """Reductions share what the base and the additions leave; nobody is paid for importing."""
    base = np.array([0.10, 0.10, 0.0, 0.30])
    duties = [np.array([-0.05, -0.20, -0.2, 0.0]), np.array([-0.05, -0.20, 0.1, 0.2])]
    kept = at_least_none(base, duties)
    np.testing.assert_allclose(kept, [[-0.05, -0.05, -0.1, 0.0], [-0.05, -0.05, 0.1, 0.2]])
    np.testing.assert_allclose(base + sum(kept), [0.0, 0.0, 0.0, 0.5], atol=1e-15)
    assert at_least_none(base, duties[:0]) == []


def test_every_kernel_is_tested() -> None:
    """A new kernel comes with a test of its own, here or in another test_kernels file."""
    tests = "".join(f.read_text() for f in Path(__file__).parent.glob("test_kernels*.py"))
    missing = [
        f"{module.name}.{name}"
        for module in pkgutil.iter_modules(tariffsim.kernels.__path__)
        for name, thing in vars(importlib.import_module(f"tariffsim.kernels.{module.name}")).items()
        if inspect.isfunction(thing)
        and thing.__module__.endswith(module.name)
        and not name.startswith("_")
        and f"{name}(" not in tests
    ]
    assert not missing

"""Kernels of investment: limits and identities (MODEL 4.1)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tariffsim.kernels.investment import (
    at_month,
    capacity_added,
    capacity_after,
    credit_in_margin,
    credit_paid,
    evenly,
    granted_share,
    growth_above_plan,
    growth_response,
    last_year,
    month_on,
    operating_margin,
    plan_gap,
    plan_slowing,
    wafers,
    with_grants,
)
from tariffsim.kernels.sums import ratio

ROUNDING = 1e-12
"""Relative: a handful of roundings of 1e-16."""


def numbers(low: float, high: float, *shape: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(float, shape, elements=st.floats(low, high))


REVENUE = st.one_of(st.just(0.0), st.floats(1e-3, 1e3))  # no cents of a cent


@given(numbers(-1e3, 1e3, 5), arrays(float, 5, elements=REVENUE))
def test_margin_is_profit_over_revenue(profit: np.ndarray, revenue: np.ndarray) -> None:
    margin = operating_margin(profit, revenue)
    sold = revenue > 0
    np.testing.assert_allclose((margin * revenue)[sold], profit[sold], rtol=ROUNDING, atol=1e-300)
    assert (margin[revenue == 0] == -1).all()


@given(numbers(-1, 1, 4), numbers(-0.5, 0.6, 4), st.floats(0, 0.3), st.floats(0, 0.5))
def test_growth_rises_with_the_margin(
    margin: np.ndarray, base: np.ndarray, hurdle: float, more: float
) -> None:
    growth = growth_response(margin, base, hurdle)
    assert ((growth >= -1) & (growth <= 2)).all()
    assert (growth_response(margin + more, base, hurdle) >= growth).all()
    np.testing.assert_array_equal(growth_response(base, base, hurdle), 1.0)


def test_a_credit_of_all_capital_is_its_share_of_cost() -> None:
    """Capital is 45 % of the cost of a wafer; at cost 0.8 of the price that is 36 points."""
    worth = credit_in_margin(np.array([1.0, 0.5, 0.0]), 0.45, np.full(3, 0.8), np.ones(3))
    np.testing.assert_allclose(worth, [0.36, 0.18, 0.0], rtol=ROUNDING)


@given(numbers(0, 1e6, 3, 6), numbers(0, 1e6, 3), arrays(int, 3, elements=st.integers(1, 6)))
def test_schedules_add_what_is_promised(
    schedule: np.ndarray, amount: np.ndarray, months: np.ndarray
) -> None:
    """An amount comes due once in its month, or in equal parts over the months until then."""
    once, spread = at_month(schedule, amount, months), evenly(schedule, amount, months)
    for added in (once - schedule, spread - schedule):
        np.testing.assert_allclose(added.sum(axis=1), amount, rtol=1e-9, atol=1e-9)
    rows = np.arange(3)
    np.testing.assert_array_equal(once[rows, months - 1], (schedule[rows, months - 1] + amount))
    due, later = month_on(spread)
    np.testing.assert_array_equal(due, spread[:, 0])
    np.testing.assert_array_equal(later[:, :-1], spread[:, 1:])
    assert not later[:, -1].any()


@given(numbers(-1, 1, 2, 12), numbers(-1, 1, 2))
def test_a_year_keeps_the_last_twelve_months(window: np.ndarray, newest: np.ndarray) -> None:
    moved = last_year(window, newest)
    np.testing.assert_array_equal(moved[:, :-1], window[:, 1:])
    np.testing.assert_array_equal(moved[:, -1], newest)


@given(numbers(0, 0.9, 4), numbers(1, 1e6, 4), st.floats(1, 2), st.floats(0, 1))
def test_the_gap_is_what_is_not_built(
    gap: np.ndarray, before: np.ndarray, growth: float, slowing: float
) -> None:
    """Built capacity grows by the planned addition less what is left out of it."""
    plan = before * growth
    built = (1 - gap) * before + (1 - slowing) * (plan - before)
    np.testing.assert_allclose((1 - plan_gap(gap, before, plan, slowing)) * plan, built, rtol=1e-9)
    fallen = plan_gap(gap, plan, before, slowing)
    np.testing.assert_allclose(fallen, gap, rtol=ROUNDING)


def test_slowing_is_full_at_twenty_idle_points() -> None:
    assert plan_slowing(0.8, 0.9, 0.9) == 0.0
    assert plan_slowing(0.8, 0.9, 1.0) == 0.0
    np.testing.assert_allclose(plan_slowing(0.8, 0.9, 0.8), 0.4, rtol=ROUNDING)
    np.testing.assert_allclose(plan_slowing(0.8, 0.9, 0.1), 0.8, rtol=ROUNDING)


@given(numbers(0, 1e9, 3, 4), numbers(1, 1e7, 4))
def test_classes_add_up_in_wafers(capacity: np.ndarray, chips: np.ndarray) -> None:
    expected = sum(capacity[:, k] / chips[k] for k in range(4))
    np.testing.assert_allclose(wafers(capacity, chips), expected, rtol=ROUNDING)


def test_capacity_grows_ahead_of_its_plan_and_falls_short_of_it() -> None:
    plan, growth = np.array([[100.0]]), np.array([[0.1]])
    assert capacity_after(plan, growth, np.array([[0.0]]), np.zeros(1)) == 100
    assert capacity_after(plan, growth, np.array([[12.0]]), np.zeros(1)) == pytest.approx(110)
    assert capacity_after(plan, growth, np.array([[0.0]]), np.array([0.25])) == 75
    np.testing.assert_allclose(with_grants(plan, np.array([[0.5]])), 150)


def test_grants_build_what_they_pay_for() -> None:
    built = ratio(np.array([100e6, 0.0]), np.array([50e6, 50e6]))
    np.testing.assert_array_equal(built, [2.0, 0.0])
    np.testing.assert_array_equal(granted_share(built, np.array([40.0, 0.0])), [0.05, 0.0])
    paid = credit_paid(np.array([0.25, 0.0]), np.array([50e6, 50e6]), np.ones(2), built)
    np.testing.assert_array_equal(paid, [0.25 * 50e6 * 3, 0.0])


@given(st.floats(-1, 2))
def test_decided_growth_adds_capacity_in_proportion(decided: float) -> None:
    standing, growth = np.array([1000.0]), np.array([0.06])
    added = capacity_added(standing, growth, np.array([decided]))
    exact = 1000 * (1.06 ** (max(decided, 0.0) / 12) - 1)
    np.testing.assert_allclose(added, exact, atol=1e-9)
    assert growth_above_plan(np.array([decided])) == max(decided, 0.0) - 1


def test_growth_stops_at_the_hurdle_and_is_bounded() -> None:
    """A base margin of 30 % against a hurdle of 10 %: a point of margin is 5 % of growth."""
    margin = np.array([0.1, 0.2, 0.31, 0.6, -0.05, -0.6])
    growth = growth_response(margin, np.full(6, 0.3), 0.1)
    np.testing.assert_allclose(growth, [0.0, 0.5, 1.05, 2.0, -0.75, -1.0], atol=ROUNDING)
    # a base margin next to the hurdle or below it is taken to be five points above it
    near = growth_response(np.array([0.31, 0.0]), np.array([0.3, -0.01]), 0.3)
    np.testing.assert_allclose(near, [1.2, 1.2], rtol=ROUNDING)


def test_a_credit_adds_nothing_where_nothing_is_sold() -> None:
    nothing = credit_in_margin(np.array([0.25]), 0.45, np.zeros(1), np.zeros(1))
    assert nothing == 0.0
    cheap = credit_in_margin(np.array([1.0]), 0.45, np.array([0.4]), np.array([0.5]))
    np.testing.assert_allclose(cheap, 0.36, rtol=ROUNDING)  # whatever the price is counted in


def test_where_nothing_is_planned_nothing_is_left_out() -> None:
    gap = plan_gap(np.array([0.2, 0.2]), np.array([0.0, 50.0]), np.zeros(2), 0.5)
    np.testing.assert_array_equal(gap, [0.0, 0.0])

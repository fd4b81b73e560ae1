"""Foundries: cost and discount, mix of other buyers, capacity of blocs (MODEL 4.1)."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.kernels.sums import shares
from tariffsim.kernels.supply import (
    chip_unit_cost,
    discounted,
    learning_index,
    other_orders,
    parity_price,
    subsidy_on_chip,
    utilisation_of,
)


@given(st.floats(0, 0.9), st.floats(0, 1), st.floats(0, 1))
def test_a_discount_is_lower_cost_subsidy_and_thinner_margin(
    discount: float, cost_share: float, subsidy_share: float
) -> None:
    """With all of it explained by cost and subsidy, the margin is that without a discount."""
    price, cost = np.array([10.0]), np.array([6.0])
    cost_share, subsidy_share = cost_share / 2, subsidy_share / 2
    lower = chip_unit_cost(cost, cost_share, np.array([discount]), price, np.ones(1))
    subsidy = subsidy_on_chip(subsidy_share, np.array([discount]), price)
    margin = discounted(price, np.array([discount])) + subsidy - lower
    thinner = (1 - cost_share - subsidy_share) * discount * 10
    np.testing.assert_allclose(margin, 4.0 - thinner, atol=1e-9)


def test_learning_lowers_all_of_the_cost() -> None:
    assert chip_unit_cost(np.array(6.0), 0.5, np.array(0.2), np.array(10.0), np.array(0.9)) == 4.5


def test_totals_are_shared_out_by_their_base() -> None:
    base = np.array([[1.0, 0.0], [3.0, 0.0]])
    np.testing.assert_array_equal(shares(base), [[0.25, 0], [0.75, 0]])
    np.testing.assert_array_equal(other_orders(shares(base), base, np.array([2.0, 2.0])), 2 * base)


def test_utilisation_without_capacity_is_that_of_the_base_year() -> None:
    used = utilisation_of(np.array([5.0, 0.0]), np.array([10.0, 0.0]), np.array([0.8, 0.8]))
    np.testing.assert_array_equal(used, [0.5, 0.8])


def test_prices_follow_utilisation_thirty_points_either_way() -> None:
    """Chips of 2 USD whose cost has fallen by a tenth, half a per cent for each point busier."""
    busy = np.array([0.2, 0.5, 0.6, 0.8, 1.0, 1.1, 1.4])
    price = parity_price(np.array(2.0), np.array(0.9), busy, np.array(0.8), 0.5)
    points = np.array([-0.3, -0.3, -0.2, 0.0, 0.2, 0.3, 0.3])
    np.testing.assert_allclose(price, 1.8 * np.exp(0.5 * points), rtol=1e-12)


def test_other_buyers_order_in_each_class_what_they_did() -> None:
    """Classes keep to themselves: their totals, and the growth of each."""
    base = np.array([[1.0, 10.0], [3.0, 30.0]])
    ordered = other_orders(np.array([[0.5, 0.1], [0.5, 0.9]]), base, np.array([1.0, 2.0]))
    np.testing.assert_allclose(ordered, [[2.0, 8.0], [2.0, 72.0]])


@given(st.floats(1e-6, 1e6))
def test_utilisation_does_not_depend_on_the_unit_of_chips(scale: float) -> None:
    used = utilisation_of(np.array([3.0]) * scale, np.array([4.0]) * scale, np.array([0.9]))
    np.testing.assert_allclose(used, 0.75, rtol=1e-12)


def test_who_has_made_nothing_has_learned_nothing() -> None:
    index = learning_index(np.zeros(2), np.array([0.0, 100.0]), 0.1)
    np.testing.assert_array_equal(index, [1.0, 1.0])

"""Payments: what is paid and received adds up, and overflow is settled within a bloc."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tariffsim.kernels.prices_and_demand import distribution_cost
from tariffsim.kernels.sums import left_over, times, total
from tariffsim.kernels.supply import (
    output_with_overflow,
    overflow_payments,
    share_of_bloc,
    spare_capacity,
)

FOUNDRIES, CLASSES = 5, 3
BLOC = np.array([[1.0, 1, 1, 0, 0], [0, 0, 0, 1, 1]])
chips = arrays(float, (FOUNDRIES, CLASSES), elements=st.floats(0, 1e6))
prices = arrays(float, (FOUNDRIES, CLASSES), elements=st.floats(0.01, 100))
ROUNDING = 1e-9  # sums of products of a few numbers


@given(prices, chips, chips)
def test_what_is_left_is_received_less_paid(
    price: np.ndarray, sold: np.ndarray, cost: np.ndarray
) -> None:
    received = times(price, sold)
    assert (received >= 0).all()
    left = left_over(received, cost, cost)
    np.testing.assert_allclose(total(left, cost, cost), received, rtol=ROUNDING, atol=1e-3)
    assert (times(0.0, sold) == 0).all()


def test_distribution_is_the_margin_without_profit() -> None:
    cost = distribution_cost(0.4, 0.05, np.array([10.0, 20.0]), np.array([2.0, 0.0]))
    np.testing.assert_allclose(cost, [7.0, 0.0])
    assert (distribution_cost(0.3, 0.3, np.array([10.0]), np.array([2.0])) == 0).all()


@given(chips, chips, prices)
def test_overflow_is_paid_within_its_bloc(
    sales: np.ndarray, capacity: np.ndarray, price: np.ndarray
) -> None:
    """Whoever passes orders on passes the price on; each bloc receives what it gives."""
    room = (BLOC @ capacity + 1e-9) / (BLOC @ sales + 1e-9)
    sales = sales * np.minimum(BLOC.T @ room, 1.0)  # so that a bloc can make what it sells
    output = output_with_overflow(sales, capacity, BLOC)
    given_up, taken = overflow_payments(price, sales, output, BLOC)
    np.testing.assert_allclose(BLOC @ given_up, BLOC @ taken, rtol=1e-6, atol=1.0)
    revenue = price * sales - given_up + taken
    np.testing.assert_allclose((BLOC @ revenue), BLOC @ (price * sales), rtol=1e-6, atol=1.0)
    assert (spare_capacity(sales, capacity, BLOC) >= -1e-6 * (1 + capacity)).all()


@given(chips)
def test_shares_of_a_bloc_sum_to_one(values: np.ndarray) -> None:
    shares = BLOC @ share_of_bloc(values, BLOC)
    has = BLOC @ values > 1e-300
    np.testing.assert_allclose(shares[has], 1.0, rtol=ROUNDING)
    assert (shares[BLOC @ values == 0] == 0).all()


def test_who_makes_the_overflow_is_paid_for_it() -> None:
    """One foundry sells six chips more than it can make; two of its bloc make them for it.

    They have room for four and three, and share its payment so; the other bloc is not touched.
    """
    sales, capacity, price = (
        np.array([column], dtype=float).T
        for column in ([10, 2, 1, 5, 0], [4, 6, 4, 5, 9], [2, 3, 3, 1, 1])
    )
    output = output_with_overflow(sales, capacity, BLOC)
    np.testing.assert_allclose(output.T, [[4, 2 + 6 * 4 / 7, 1 + 6 * 3 / 7, 5, 0]])
    given_up, taken = overflow_payments(price, sales, output, BLOC)
    np.testing.assert_allclose(given_up.T, [[12, 0, 0, 0, 0]])
    np.testing.assert_allclose(taken.T, [[0, 12 * 4 / 7, 12 * 3 / 7, 0, 0]])
    np.testing.assert_allclose(
        spare_capacity(sales, capacity, BLOC).T, [[0, 4 / 7, 3 / 7, 0, 9]], atol=1e-12
    )

"""Prices from chips to the factory gate, and what is written off or kept up on the way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.kernels.prices_and_demand import (
    LEAST_EXCHANGE,
    chip_carrying_cost,
    exchange_factor,
    following,
    mean_rate,
    relative_cost,
    standby_cost,
    written_off,
)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(1, 60))
def test_all_that_is_decided_is_written_off(waits: list[int], life: int) -> None:
    """Over any sequence of switches, what is paid month by month sums to the costs decided."""
    amortised, until, paid, now = np.zeros(1), 0, 0.0, 0
    for wait in waits:
        left = np.array([max(until - now, 0)])
        amortised = written_off(amortised, left, np.array([2.0 / life]), np.array([life]))
        until = now + life
        paid += float(amortised[0]) * min(wait, life)
        now += wait
    paid += float(amortised[0]) * max(until - now, 0)
    # At most eight terms of order one: rounding of a few 1e-16 each.
    assert paid == pytest.approx(2.0 * len(waits), rel=1e-13)


def test_costs_relative_to_the_country_left() -> None:
    factor = np.array([1.0, 1.1, 2.0])
    relative = relative_cost(factor)
    np.testing.assert_allclose(np.diag(relative), 1.0)
    np.testing.assert_allclose(relative[0], factor)
    np.testing.assert_allclose(relative * relative.T, 1.0)


def test_a_price_follows_its_target() -> None:
    """Of a lasting change `1 - (1 - 1/N)^t` is in the price after t months; all at once at 1."""
    price, target = np.array([10.0, 8.0]), np.array([13.0, 8.0])
    for _ in range(4):
        price = following(price, target, 6.0)
    np.testing.assert_allclose(price, [13 - 3 * (5 / 6) ** 4, 8.0], rtol=1e-14)
    np.testing.assert_allclose(following(price, target, 1.0), target, rtol=1e-15)


def test_chips_on_standby_and_in_stock_cost_a_share_of_their_value() -> None:
    value, has_second = np.array([[2.0, 3.0], [4.0, 0.0]]), np.array([[True, False], [True, True]])
    np.testing.assert_allclose(standby_cost(value, has_second, 0.005), [0.01, 0.02])
    held = chip_carrying_cost(value, np.array([2.0, 0.0]), 0.01)
    np.testing.assert_allclose(held, [0.1, 0.0])


def test_a_currency_makes_up_for_part_of_a_rise_of_duty() -> None:
    """30 % of a rise by 25 points on a fifth of all imports is 1.5 % of the price."""
    factor = exchange_factor(0.3, np.array([0.2, 0.0]), np.array([0.25, 0.25]))
    np.testing.assert_allclose(factor, [0.985, 1.0])
    assert exchange_factor(1.0, np.array([1.0]), np.array([9.0])) == LEAST_EXCHANGE


def test_mean_duty_has_the_weights_of_the_base_year() -> None:
    duty, value = np.array([1.0, 6.0, 9.0, 1.0]), np.array([10.0, 20.0, 10.0, 5.0])
    weight, market = np.array([3.0, 1.0, 0.0, 0.0]), np.array([0, 0, 0, 1])
    np.testing.assert_allclose(mean_rate(duty, value, weight, market, 2), [0.15, 0.0])

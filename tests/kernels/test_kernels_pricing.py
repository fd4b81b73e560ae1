"""Writing off switching costs: nothing is lost between one switch and the next."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.kernels.assembly import moving_payment
from tariffsim.kernels.prices_and_demand import relative_cost, written_off


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


def test_moving_costs_a_part_of_a_years_value() -> None:
    """Of the flow that moves: ten units a month of 200 USD are 24,000 USD a year."""
    paid = moving_payment(0.1, np.array([200.0, 0.0]), np.array([10.0, 5.0]))
    np.testing.assert_allclose(paid, [2400.0, 0.0])

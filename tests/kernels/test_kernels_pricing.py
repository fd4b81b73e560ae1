"""Writing off switching costs: nothing is lost between one switch and the next."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.kernels.prices_and_demand import (
    relative_cost,
    relocation_payment,
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


def test_moving_costs_a_part_of_the_value_over_the_life_of_a_choice() -> None:
    """At 1/48 openings a month and no discounting a choice lasts 48 months."""
    paid = relocation_payment(0.1, np.array([200.0]), np.array([10.0]), 1 / 48, 0.0)
    np.testing.assert_allclose(paid, 0.1 * 200 * 10 * 48)
    assert relocation_payment(0.1, np.array([200.0]), np.array([10.0]), 1 / 48, 0.08) < paid


def test_later_months_of_a_choice_count_less() -> None:
    """At 2 % openings a month and 12 % a year the life of a choice is worth 1 / 0.03 months."""
    paid = relocation_payment(0.1, np.array([200.0]), np.array([10.0]), 0.02, 0.12)
    np.testing.assert_allclose(paid, 0.1 * 200 * 10 / 0.03, rtol=1e-12)

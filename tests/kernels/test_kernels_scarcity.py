"""Scarcity, what other buyers make of it, and capacity that others build instead (MODEL 4.1)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.kernels.supply import (
    bloc_utilisation,
    china_capacity,
    demand_of_others,
    made_up_by_others,
    odds,
    scarcity_after,
)
from tests.kernels.test_kernels import frozen, numbers

BLOC = frozen([[1, 1, 1, 0, 0], [0, 0, 0, 1, 1]])
CAP = 3.0
ELASTICITY = st.floats(0.0, 3.0)


def both_blocs(first: float, second: float) -> np.ndarray:
    """(5, 1) one number for each foundry of a bloc."""
    return frozen([[first]] * 3 + [[second]] * 2)


@given(numbers(0.0, 1.0, 5, 4), numbers(0.1, 1e6, 5, 4), ELASTICITY)
def test_nothing_is_scarce_while_orders_are_within_capacity(
    busy: np.ndarray, capacity: np.ndarray, elasticity: float
) -> None:
    """To the last bit: a bloc is not short where one of its foundries is."""
    of_blocs = bloc_utilisation(busy * capacity, capacity, BLOC)
    after = scarcity_after(np.ones((5, 4)), of_blocs, 1, elasticity, CAP)
    assert (after == 1.0).all()


@given(
    st.floats(1.0, CAP), numbers(0.0, 3.0, 5, 1), numbers(0.1, 1e6, 5, 1), st.integers(0, 36),
    ELASTICITY,
)  # fmt: skip
def test_scarcity_moves_as_written(
    now: float, busy: np.ndarray, capacity: np.ndarray, months: int, elasticity: float
) -> None:
    orders, before = busy * capacity, both_blocs(now, 1.0)
    of_blocs = bloc_utilisation(orders, capacity, BLOC)
    after = scarcity_after(before, of_blocs, months, elasticity, CAP)
    for bloc, start in ((slice(0, 3), now), (slice(3, 5), 1.0)):
        u = float(orders[bloc].sum() / capacity[bloc].sum())
        log_u = math.log(u) if u > 0 else -50.0
        step = months * (0.5 if u > 1 else 0.25) * elasticity * log_u
        expected = math.exp(min(max(math.log(start) + step, 0.0), math.log(CAP)))
        assert after[bloc] == pytest.approx(expected, rel=1e-9)
        assert (after[bloc] == after[bloc][0]).all()
    assert (after >= 1.0).all()
    assert (after <= CAP * (1 + 1e-12)).all()


@given(st.floats(1.0, CAP), st.floats(1.0, CAP))
def test_balance_leaves_scarcity_as_it_is(first: float, second: float) -> None:
    now, capacity = both_blocs(first, second), np.full((5, 1), 4.0)
    after = scarcity_after(now, bloc_utilisation(capacity, capacity, BLOC), 1, 2.0, CAP)
    np.testing.assert_allclose(after, now, rtol=1e-12)


def test_a_bloc_without_capacity_has_no_scarcity() -> None:
    capacity = both_blocs(1.0, 0.0)
    busy = bloc_utilisation(np.full((5, 1), 0.5), capacity, BLOC)
    assert (scarcity_after(np.ones((5, 1)), busy, 1, 2.0, CAP) == 1.0).all()


@given(st.floats(1.0, CAP), st.floats(0.0, 3.0), st.integers(0, 24), st.integers(0, 24))
def test_months_of_scarcity_add_up(now: float, busy: float, first: int, second: int) -> None:
    """Looking so many months ahead is living through them, each as busy as the other."""
    lived = np.array(now)
    for _ in range(first):
        lived = scarcity_after(lived, np.array(busy), 1, 2.0, CAP)
    ahead = scarcity_after(np.array(now), np.array(busy), first, 2.0, CAP)
    assert float(lived) == pytest.approx(float(ahead))
    later = scarcity_after(ahead, np.array(busy), second, 2.0, CAP)
    whole = scarcity_after(np.array(now), np.array(busy), first + second, 2.0, CAP)
    assert float(later) == pytest.approx(float(whole))


@given(st.floats(0.01, 100.0), st.floats(0.2, 5.0), st.floats(0.3, 1.0), st.floats(0.0, 1.0))
def test_other_buyers_respond_to_their_price_over_learning(
    base: float, ratio: float, learned: float, elasticity: float
) -> None:
    price, index = frozen([base * ratio * learned]), frozen([learned])
    found = float(demand_of_others(price, frozen([base]), index, elasticity)[0])
    assert found == pytest.approx(ratio**-elasticity)


def test_other_buyers_who_buy_nothing_have_nothing_to_respond_to() -> None:
    none = np.zeros(2)
    assert (demand_of_others(none, none, none, 0.5) == 1.0).all()
    assert (demand_of_others(np.array([2.0]), np.ones(1), np.ones(1), 0.0) == 1.0).all()


@given(
    numbers(0.1, 1e6, 4), numbers(0.01, 5.0, 4), st.floats(0.05, 0.9), st.floats(0.05, 0.9),
    st.floats(0.05, 0.9),
)  # fmt: skip
def test_others_build_what_china_does_not(
    planned: np.ndarray, base_odds: np.ndarray, share: float, before: float, base_share: float
) -> None:
    """The world's total stays; China's odds are what they would be without it."""
    of_china = china_capacity(planned, base_odds, before, base_share)
    made_up = planned * made_up_by_others(planned, base_odds, share, before, base_share)
    remaining = china_capacity(made_up, base_odds, share, base_share)
    np.testing.assert_allclose(made_up + remaining, planned + of_china)
    factor = base_odds * odds(share) / odds(base_share)
    np.testing.assert_allclose(remaining / made_up, factor)
    assert ((made_up > planned) == (share < before)).all() or share == pytest.approx(before)

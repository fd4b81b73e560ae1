"""Where products are assembled: the race of places, and what moving and staying away cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.kernels.assembly import (
    builds_in,
    cost_of_place,
    duty_to_shift,
    landed_factor,
    moving_factor,
    moving_payment,
    second_best_place,
    shifts_to,
)

EPS = 8.0
RACE = np.array([[1.0, 2.0, 4.0, 1.5]])
"""The first country is home, the last has no plant."""
OPEN = np.array([[True, True, True, False]])
HERE = np.array([0])


def test_a_place_loses_by_what_it_costs_more() -> None:
    factor = landed_factor(np.array([11.0, 10.0]), np.array([10.0, 10.0]), EPS)
    np.testing.assert_allclose(factor, [1.1**EPS, 1.0])
    np.testing.assert_allclose(cost_of_place(factor, EPS), [0.1, 0.0], atol=1e-15)


@given(st.floats(0, 0.5), st.sampled_from([0.0, 0.06, 0.15]))
def test_orders_shift_to_the_nearest_plant_once_the_duty_is_high_enough(
    duty: float, cost: float
) -> None:
    """The duty at which a flow shifts is the one that is said beforehand."""
    hurdle = moving_factor(cost, EPS)
    factor = np.array([[(1 + duty) ** EPS, 1.0, 1.0, 1.0]])
    best, shifts = shifts_to(RACE, factor, OPEN, HERE, hurdle)
    at = float(duty_to_shift(np.array(1.0), np.array(2.0), np.array(1.0), hurdle, EPS))
    assert at == pytest.approx(2 ** (1 / EPS) * (1 + cost) - 1)
    assert best[0] == 1
    assert shifts[0] == (duty > at)


def test_a_plant_is_built_where_it_beats_the_plants_there_are() -> None:
    """It must beat the country in place, and the other plants with what a shift to them costs."""
    dear = np.array([[100.0, 1.0, 1.0, 1.0]])
    shift, build = moving_factor(0.02, EPS), moving_factor(0.02, EPS)
    assert builds_in(RACE, dear, OPEN, HERE, shift, build)[1][0]
    assert not builds_in(RACE, dear, OPEN, HERE, shift, moving_factor(0.1, EPS))[1][0]
    assert builds_in(RACE, dear, OPEN, HERE, shift, build)[0][0] == 3
    assert not builds_in(RACE, np.ones((1, 4)), OPEN, HERE, shift, build)[1][0]
    nowhere = np.ones((1, 4), dtype=bool)
    assert not builds_in(RACE, dear, nowhere, HERE, shift, build)[1][0]


def test_moving_costs_a_part_of_a_years_value() -> None:
    paid = moving_payment(0.1, np.array([200.0]), np.array([10.0]))
    np.testing.assert_allclose(paid, 0.1 * 12 * 200 * 10)


def test_away_from_home_a_flow_gives_up_what_home_was_nearer() -> None:
    """Nothing at home; abroad the more, the later the place comes in the race."""
    cost = np.array([110.0, 110.0, 110.0])
    race, one = np.array([1.0, 2.0, 4.0]), np.ones(3)
    lost = second_best_place(cost, race, one, 100 * one, 100 * one, EPS)
    np.testing.assert_allclose(lost, 110 * (race ** (1 / EPS) - 1))
    dearer_home = second_best_place(cost, one, one, 100 * one, 90 * one, EPS)
    assert (dearer_home < 0).all()

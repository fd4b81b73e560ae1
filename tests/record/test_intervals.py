"""Intervals over seeds and drawn parameters: where the split of the variance is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.record.intervals import (
    PAIRS,
    drawn_interval,
    half_width_by_seeds,
    paired_interval,
    ratio_interval,
)

DRAWS = [seed - (seed + 1) // 4 for seed in range(20)]
"""One in four repeats the draw before it."""


def model(sd_parameters: float, sd_seeds: float, rng: np.random.Generator) -> list[float]:
    """Paired differences of 20 seeds whose two parts are known."""
    of_draw = sd_parameters * rng.standard_normal(max(DRAWS) + 1)
    return list(-2.0 + of_draw[DRAWS] + sd_seeds * rng.standard_normal(len(DRAWS)))


def test_without_chance_all_is_parameters() -> None:
    values = model(1.5, 0.0, np.random.default_rng(0))
    found = drawn_interval(values, DRAWS)
    assert found.sd_seeds == pytest.approx(0, abs=1e-12)  # rounding
    assert 0.8 < found.sd_parameters < 2.5  # a standard deviation of 15 draws
    assert found.low < -2 < found.high


def test_with_the_same_value_everywhere_nothing_varies() -> None:
    found = drawn_interval([-3.0] * 20, DRAWS)
    assert (found.low, found.high) == (-3.0, -3.0)
    assert (found.sd_seeds, found.sd_parameters, found.sign_probability) == (0.0, 0.0, 1.0)
    assert math.isnan(drawn_interval([0.0] * 20, DRAWS).sign_probability)


@pytest.mark.parametrize(("parameters", "seeds"), [(1.0, 0.5), (0.5, 1.0), (0.2, 2.0)])
def test_both_parts_are_found_on_average(parameters: float, seeds: float) -> None:
    rng = np.random.default_rng(3)
    found = [drawn_interval(model(parameters, seeds, rng), DRAWS) for _ in range(4000)]
    total = np.mean([f.sd_parameters**2 + f.sd_seeds**2 for f in found])
    # The sum of both is found without bias but for cutting off negative parts; 4000 repetitions.
    assert total == pytest.approx(parameters**2 + seeds**2, rel=0.06)
    if parameters > seeds:
        assert np.mean([f.sd_seeds**2 for f in found]) == pytest.approx(seeds**2, rel=0.1)


def test_without_parameters_the_interval_is_nearly_that_of_seeds() -> None:
    rng = np.random.default_rng(5)
    found = [(drawn_interval(v, DRAWS), paired_interval(v))
             for v in (model(0.0, 1.0, rng) for _ in range(500))]  # fmt: skip
    is_chance = [own.sd_parameters == 0 for own, _ in found]
    assert 0.3 < np.mean(is_chance) < 0.7  # an unbiased part is below zero about every second time
    for (own, plain), none in zip(found, is_chance, strict=True):
        if none:  # the same variance, fewer degrees of freedom
            ratio = (own.high - own.low) / (plain.high - plain.low)
            assert ratio == pytest.approx(2.1448 / 2.0930, rel=1e-3)  # Student's t, 14 and 19


def test_the_interval_covers_the_value_at_the_true_parameters() -> None:
    rng, covered = np.random.default_rng(7), 0
    for _ in range(2000):
        found = drawn_interval(model(1.0, 0.5, rng), DRAWS)
        covered += found.low <= -2.0 + rng.standard_normal() <= found.high
    assert 0.93 < covered / 2000 < 0.98  # 95 %, with the standard error of 2000 trials of 0.5 %


def test_more_runs_do_not_make_parameters_better_known() -> None:
    rng = np.random.default_rng(9)
    draws = list(np.repeat(np.arange(2000), 2))
    values = rng.standard_normal(2000)[draws] + 0.5 * rng.standard_normal(4000)
    found = drawn_interval(list(values), draws)
    assert found.sd_parameters == pytest.approx(1, abs=0.06)
    assert found.sd_seeds == pytest.approx(0.5, abs=0.03)
    assert found.high - found.low == pytest.approx(2 * 1.96, abs=0.2)


@given(
    values=st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12),
    shift=st.floats(-100, 100),
)
def test_the_order_of_runs_and_a_shift_change_nothing_else(
    values: list[float], shift: float
) -> None:
    draws = DRAWS[: len(values)]
    one = drawn_interval(values, draws)
    other = drawn_interval(values[::-1], draws[::-1])
    assert other.high - other.low == pytest.approx(one.high - one.low, rel=1e-6, abs=1e-6)
    moved = drawn_interval([v + shift for v in values], draws)
    # Sums of squares lose digits where numbers are large.
    assert moved.high - moved.low == pytest.approx(one.high - one.low, rel=1e-3, abs=1e-3)


def test_what_cannot_be_told_is_not_said() -> None:
    assert math.isnan(drawn_interval([1.0], [0]).low)
    alike = drawn_interval([1.0, 2.0], [5, 5])  # one draw says nothing of parameters
    assert math.isnan(alike.low)
    assert not alike.is_significant
    apart = drawn_interval([1.0, 2.0, 4.0], [0, 1, 2])
    assert math.isnan(apart.sd_seeds)
    assert apart.sd_parameters == pytest.approx(1.5275, abs=1e-4)


def test_the_part_of_the_interval_that_is_due_to_seeds() -> None:
    values = model(1.5, 0.5, np.random.default_rng(13))
    plain, found = paired_interval(values), drawn_interval(values, DRAWS)
    assert half_width_by_seeds(values) == pytest.approx(plain.high - plain.mean)
    assert len(DRAWS) - len(set(DRAWS)) == PAIRS
    by_seeds = 2.5706 * found.sd_seeds / math.sqrt(20)  # Student's t with five pairs
    assert half_width_by_seeds(values, DRAWS) == pytest.approx(by_seeds, rel=1e-4)
    moved = [value + 7.0 * draw for value, draw in zip(values, DRAWS, strict=True)]
    assert half_width_by_seeds(moved, DRAWS) == pytest.approx(by_seeds, rel=1e-4)
    early = half_width_by_seeds(values[:19], DRAWS[:19])  # too few pairs to split the variance
    assert early == half_width_by_seeds(values[:19]) > by_seeds
    assert half_width_by_seeds([1.0]) == math.inf


def test_a_ratio_has_both_parts_too() -> None:
    rng = np.random.default_rng(11)
    below = np.array(model(0.1, 0.05, rng))
    found = ratio_interval(
        list(3 * below), list(-below), lambda values: drawn_interval(values, DRAWS)
    )
    assert found.mean == pytest.approx(-3)
    assert found.sd_parameters == pytest.approx(0, abs=1e-9)  # rounding

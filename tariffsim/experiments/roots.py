"""Where the mean of paired runs meets a target: root finding on common random numbers.

With the same seeds at every point the mean of a measure is a fixed, piecewise smooth function of
the value that is looked for, so that Brent's method applies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isnan, nan

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from tariffsim.record.intervals import Interval, paired_interval
from tariffsim.typing import Float

Gaps = Callable[[Sequence[float]], Float]
"""Gap to the target at some values: (values, seeds)."""
SCAN = 5
"""Points at which a range is looked at before a root is looked for between two of them."""
PRECISION = 1e-3
"""Precision of the answer, relative to the range: far below what seeds leave open."""
REFINEMENTS = 8
"""Points spent on the nearest approach where no two points of the scan enclose the target."""
SLOPE_STEP = 0.05
"""Step over which the slope at the answer is ensemble, relative to the range."""
JUMP = 0.02
"""A gap left over at the answer is a jump if larger than this part of that across the bracket.

With a finite number of firms every mean is a staircase: a step that seeds would hide is none.
"""
NEGLIGIBLE = 0.05
"""A gap this small relative to its standard error is none."""


@dataclass(frozen=True)
class Point:
    """One value that was tried."""

    value: float
    gaps: tuple[float, ...]

    @property
    def gap(self) -> float:
        """Mean over seeds."""
        return float(np.mean(self.gaps))

    @property
    def interval(self) -> Interval:
        """Mean over seeds with its interval."""
        return paired_interval(self.gaps)


@dataclass(frozen=True)
class Root:
    """The answer, or the nearest approach where the target is not met."""

    value: float
    low: float
    high: float
    """Interval of the answer; NaN where the slope cannot be told from zero, or with one seed."""
    bracket: tuple[float, float]
    is_met: bool
    is_jump: bool
    """Whether the measure jumps past the target at the answer."""
    slope: float
    at: Point
    points: tuple[Point, ...]
    """All values tried, in order."""


@dataclass
class _Tried:
    """Every value is run once."""

    gaps: Gaps
    points: dict[float, Point] = field(default_factory=dict)

    def at(self, values: Sequence[float]) -> list[Point]:
        new = [v for v in dict.fromkeys(values) if v not in self.points]
        if new:
            for value, row in zip(new, np.asarray(self.gaps(new), dtype=float), strict=True):
                self.points[value] = Point(value, tuple(row.tolist()))
        return [self.points[v] for v in values]

    def gap(self, value: float) -> float:
        """Mean gap, zero where it is negligible: no value is looked for finer than seeds allow."""
        (point,) = self.at([float(value)])
        error = np.std(point.gaps, ddof=1) / np.sqrt(len(point.gaps)) if point.gaps[1:] else 0.0
        return 0.0 if abs(point.gap) <= NEGLIGIBLE * error else point.gap


def find_root(gaps: Gaps, low: float, high: float) -> Root:
    """Where the mean gap between `low` and `high` is zero: of several places the lowest.

    The interval is by the delta method: that of the mean gap at the answer over the slope there.
    """
    tried, width = _Tried(gaps), high - low
    tried.at(np.linspace(low, high, SCAN).tolist())
    bracket = _bracket(tried) or _approach(tried)
    if bracket is None:
        nearest = min(tried.points.values(), key=lambda point: abs(point.gap))
        return Root(nearest.value, nan, nan, (low, high), False, False, nan, nearest, _all(tried))
    left, right = bracket
    value = left if left == right else brentq(tried.gap, left, right, xtol=PRECISION * width)
    value = _nearest(tried, float(value), PRECISION * width)
    (at,) = tried.at([value])
    slope, half = _slope(tried, at, low, high)
    across = abs(tried.gap(left) - tried.gap(right))
    is_jump = left != right and abs(at.gap) > JUMP * across and _is_sure(at)
    ends = (nan, nan) if is_jump else (max(value - half, low), min(value + half, high))
    if isnan(half):
        ends = (nan, nan)
    return Root(value, *ends, (left, right), True, is_jump, slope, at, _all(tried))


def _is_sure(point: Point) -> bool:
    """Whether a gap is more than seeds would make; with one seed nobody can say."""
    return len(point.gaps) < 2 or point.interval.is_significant


def _all(tried: _Tried) -> tuple[Point, ...]:
    return tuple(tried.points[v] for v in sorted(tried.points))


def _nearest(tried: _Tried, value: float, within: float) -> float:
    """Of the values tried beside a root the one with the smallest gap."""
    near = [p for p in tried.points.values() if abs(p.value - value) <= 2 * within]
    return min(near, key=lambda p: abs(p.gap)).value if near else value


def _bracket(tried: _Tried) -> tuple[float, float] | None:
    """The lowest two neighbours between which the sign of the gap changes."""
    values = sorted(tried.points)
    for left, right in pairwise(values):
        if tried.gap(left) == 0:
            return left, left
        if tried.gap(left) * tried.gap(right) < 0:
            return left, right
    return (values[-1], values[-1]) if tried.gap(values[-1]) == 0 else None


def _approach(tried: _Tried) -> tuple[float, float] | None:
    """A bracket around the nearest approach, should the measure turn between two points."""
    values = sorted(tried.points)
    best = min(range(len(values)), key=lambda i: abs(tried.gap(values[i])))
    if best in (0, len(values) - 1):
        return None
    bounds = values[best - 1], values[best + 1]
    sign = np.sign(tried.gap(values[best]))
    minimize_scalar(
        lambda v: sign * tried.gap(v), bounds=bounds, method="bounded",
        options={"maxiter": REFINEMENTS},
    )  # fmt: skip
    return _bracket(tried)


def _slope(tried: _Tried, at: Point, low: float, high: float) -> tuple[float, float]:
    """Slope of the mean at the answer, and the half-width of the answer's interval."""
    step = SLOPE_STEP * (high - low)
    before, after = tried.at([max(at.value - step, low), min(at.value + step, high)])
    run = after.value - before.value
    slope = paired_interval((np.subtract(after.gaps, before.gaps) / run).tolist())
    if not slope.is_significant:
        return slope.mean, nan
    return slope.mean, (at.interval.high - at.gap) / abs(slope.mean)

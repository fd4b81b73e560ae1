"""The value of one parameter at which a metric meets a target.

With the same seeds at every value the mean of a metric is a fixed, piecewise smooth function of
the value, so that Brent's method applies: root finding on common random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isnan, nan

import numpy as np
import pandas as pd
from scipy.optimize import brentq, minimize_scalar

from tariffsim.experiments.ensemble import RunScenarios
from tariffsim.record.dictionary import Metric, metric_of_runs
from tariffsim.record.intervals import Interval, paired_interval
from tariffsim.scenario import Scenario
from tariffsim.typing import Float

Gaps = Callable[[Sequence[float]], Float]
"""Gap to the target at some values: `(values, seeds)`."""
SCAN = 5
"""Values at which a range is scanned for a bracket."""
PRECISION = 1e-3
"""Precision of the root, relative to the range: far below its interval over seeds."""
REFINEMENTS = 8
"""Evaluations spent on the nearest approach where no two values of the scan bracket the target."""
SLOPE_STEP = 0.05
"""Step over which the slope at the root is estimated, relative to the range."""
JUMP = 0.02
"""A gap left at the root is a jump if larger than this share of the change across the bracket.

With a finite number of firms every mean is a step function: a step within seed noise is no jump.
"""
NEGLIGIBLE = 0.05
"""A gap this small relative to its standard error counts as zero."""


@dataclass(frozen=True)
class Evaluation:
    """One value that was tried, with its gap to the target for every seed."""

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
    """The root, or the nearest approach where the target is not met."""

    value: float
    low: float
    high: float
    """Interval of the root; NaN if the slope is not statistically significant, or with one seed."""
    bracket: tuple[float, float]
    is_met: bool
    is_jump: bool
    """Whether the metric jumps past the target at the root."""
    slope: float
    at: Evaluation
    evaluations: tuple[Evaluation, ...]
    """All values that were tried, in order."""


@dataclass
class _Evaluations:
    """Every value is run once."""

    gaps: Gaps
    known: dict[float, Evaluation] = field(default_factory=dict)

    def at(self, values: Sequence[float]) -> list[Evaluation]:
        new = [v for v in dict.fromkeys(values) if v not in self.known]
        if new:
            for value, row in zip(new, np.asarray(self.gaps(new), dtype=float), strict=True):
                self.known[value] = Evaluation(value, tuple(row.tolist()))
        return [self.known[v] for v in values]

    def gap(self, value: float) -> float:
        """Mean gap; zero where it is negligible, as nothing is resolved beyond seed noise."""
        (one,) = self.at([float(value)])
        error = np.std(one.gaps, ddof=1) / np.sqrt(len(one.gaps)) if one.gaps[1:] else 0.0
        return 0.0 if abs(one.gap) <= NEGLIGIBLE * error else one.gap

    def in_order(self) -> tuple[Evaluation, ...]:
        return tuple(self.known[value] for value in sorted(self.known))


def find_root(gaps: Gaps, low: float, high: float) -> Root:
    """Where the mean gap between `low` and `high` is zero: of several roots the lowest.

    The interval is by the delta method: that of the mean gap at the root over the slope there.
    """
    tried, width = _Evaluations(gaps), high - low
    tried.at(np.linspace(low, high, SCAN).tolist())
    bracket = _bracket(tried) or _approach(tried)
    if bracket is None:
        nearest = min(tried.known.values(), key=lambda one: abs(one.gap))
        return Root(
            nearest.value, nan, nan, (low, high), False, False, nan, nearest, tried.in_order()
        )
    left, right = bracket
    value = left if left == right else brentq(tried.gap, left, right, xtol=PRECISION * width)
    value = _nearest(tried, float(value), PRECISION * width)
    (at,) = tried.at([value])
    slope, half = _slope(tried, at, low, high)
    across = abs(tried.gap(left) - tried.gap(right))
    is_jump = left != right and abs(at.gap) > JUMP * across and _is_significant(at)
    ends = (nan, nan) if is_jump else (max(value - half, low), min(value + half, high))
    if isnan(half):
        ends = (nan, nan)
    return Root(value, *ends, (left, right), True, is_jump, slope, at, tried.in_order())


def _is_significant(one: Evaluation) -> bool:
    """Whether a gap is larger than seed noise; with one seed it counts as larger."""
    return len(one.gaps) < 2 or one.interval.is_significant


def _nearest(tried: _Evaluations, value: float, within: float) -> float:
    """Of the values tried beside a root the one with the smallest gap."""
    near = [one for one in tried.known.values() if abs(one.value - value) <= 2 * within]
    return min(near, key=lambda one: abs(one.gap)).value if near else value


def _bracket(tried: _Evaluations) -> tuple[float, float] | None:
    """The lowest two neighbours between which the sign of the gap changes."""
    values = sorted(tried.known)
    for left, right in pairwise(values):
        if tried.gap(left) == 0:
            return left, left
        if tried.gap(left) * tried.gap(right) < 0:
            return left, right
    return (values[-1], values[-1]) if tried.gap(values[-1]) == 0 else None


def _approach(tried: _Evaluations) -> tuple[float, float] | None:
    """A bracket around the nearest approach, if the metric turns between two values."""
    values = sorted(tried.known)
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


def _slope(tried: _Evaluations, at: Evaluation, low: float, high: float) -> tuple[float, float]:
    """Slope of the mean at the root, and the half-width of the root's interval."""
    step = SLOPE_STEP * (high - low)
    before, after = tried.at([max(at.value - step, low), min(at.value + step, high)])
    run = after.value - before.value
    slope = paired_interval((np.subtract(after.gaps, before.gaps) / run).tolist())
    if not slope.is_significant:
        return slope.mean, nan
    return slope.mean, (at.interval.high - at.gap) / abs(slope.mean)


Setter = Callable[[float], Scenario]
LIKE = "like"


@dataclass(frozen=True)
class Target:
    """A level of a metric; with `like`, a difference from another scenario, seed by seed."""

    metric: str
    value: float = 0.0
    like: Scenario | None = None

    @property
    def known(self) -> Metric:
        """Label and unit of the metric.

        Raises:
            ScenarioError: there is no such metric.
        """
        return metric_of_runs(self.metric)


@dataclass(frozen=True)
class Solution:
    """Where the target is met, or the nearest that can be reached."""

    target: Target
    root: Root
    reached: Interval
    """The metric at the solution, over seeds."""
    scenario: Scenario
    """The scenario at the solution."""

    def table(self) -> pd.DataFrame:
        """Every value that was tried: mean gap to the target and its interval."""
        return pd.DataFrame(
            [{"tried": tried.value, "metric": self.target.metric,
              "unit": self.target.known.unit, "gap": tried.gap, "low": tried.interval.low,
              "high": tried.interval.high, "n": tried.interval.n,
              "is_answer": self.root.is_met and tried is self.root.at}
             for tried in self.root.evaluations]
        )  # fmt: skip


def solve(
    at: Setter, target: Target, between: tuple[float, float], run_scenarios: RunScenarios
) -> Solution:
    """The value between two others at which the mean of a metric meets its target.

    Every value is run with the same seeds, so that the mean is a fixed function of the value and
    Brent's method finds its root. The interval is by the delta method: that of the mean gap to
    the target, paired seed by seed where the target is another scenario, over the slope.

    Args:
        at: gives the scenario at a value, such as `lambda v: varied(scenario, {key: v})`.
        target: level or difference to reach.
        between: low and high end of the values that are tried.
        run_scenarios: such as an `EnsembleRunner`.

    Raises:
        ScenarioError: there is no such metric, or an end of the range is not allowed.
    """
    metric, (low, high) = target.known, map(float, between)
    for end in (low, high):
        at(end)
    aim: list[Float] = []
    levels: dict[float, Float] = {}

    def gaps(values: Sequence[float]) -> Float:
        scenarios = {f"{v!r}": at(v) for v in values}
        if target.like is not None and not aim:  # first: alike in all searches for one target
            scenarios = {LIKE: target.like} | scenarios
        table = run_scenarios(scenarios).pivot(index="scenario", columns="seed", values=metric.name)
        if not aim:
            like = 0.0 if target.like is None else table.loc[LIKE].to_numpy(float)
            aim.append(np.asarray(target.value + like))
        found = table.loc[[f"{v!r}" for v in values]].to_numpy(float)
        levels.update(zip(values, found, strict=True))
        return np.asarray(found - aim[0])

    root = find_root(gaps, low, high)
    reached = paired_interval(levels[root.value].tolist())
    return Solution(target, root, reached, at(root.value))

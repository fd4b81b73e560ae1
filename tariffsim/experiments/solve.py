"""The value of one parameter at which a measure meets a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tariffsim.errors import Problem, ScenarioError, escaped, nearest
from tariffsim.experiments.paired import EnsembleRunner
from tariffsim.experiments.roots import Root, find_root
from tariffsim.record.dictionary import COSTS, Metric, metrics
from tariffsim.record.intervals import Interval, paired_interval
from tariffsim.scenario import Scenario
from tariffsim.typing import Float

Setter = Callable[[float], Scenario]
LIKE = "like"


@dataclass(frozen=True)
class Target:
    """A level of a measure; with `like`, a difference from another scenario, seed by seed."""

    metric: str
    value: float = 0.0
    like: Scenario | None = None

    @property
    def known(self) -> Metric:
        """Label and unit of the measure.

        Raises:
            ScenarioError: there is no such measure.
        """
        found = metrics().get(self.metric)
        if found is None or self.metric in COSTS:
            hint = nearest(self.metric, [m for m in metrics() if m not in COSTS])
            raise ScenarioError([Problem(escaped(self.metric), message="is no measure of one run",
                                         hint=hint)])  # fmt: skip
        return found


@dataclass(frozen=True)
class Solution:
    """Where the target is met, or the nearest that can be had."""

    target: Target
    root: Root
    reached: Interval
    """The measure at the answer, over seeds."""
    scenario: Scenario
    """The scenario at the answer."""

    def table(self) -> pd.DataFrame:
        """Everything that was tried: value, mean gap to the target and its interval."""
        return pd.DataFrame(
            [{"tried": point.value, "metric": self.target.metric,
              "unit": self.target.known.unit, "gap": point.gap, "low": point.interval.low,
              "high": point.interval.high, "n": point.interval.n,
              "is_answer": self.root.is_met and point is self.root.at}
             for point in self.root.points]
        )  # fmt: skip


def solve(
    at: Setter, target: Target, between: tuple[float, float], run_ensemble: EnsembleRunner
) -> Solution:
    """The value between two others at which the mean of a measure meets its target.

    `at` gives the scenario at a value, such as `lambda v: varied(scenario, {key: v})`.

    Every value is run with the same seeds, so that the mean is a fixed function of the value and
    Brent's method finds its root. The interval is by the delta method: that of the mean gap to
    the target, paired seed by seed where the target is another scenario, over the slope.

    Raises:
        ScenarioError: there is no such measure, or an end of the range is not allowed.
    """
    known, (low, high) = target.known, between
    for end in between:
        at(end)
    aim: list[Float] = []
    levels: dict[float, Float] = {}

    def gaps(values: Sequence[float]) -> Float:
        asked = {f"{v!r}": at(v) for v in values}
        if target.like is not None and not aim:
            asked[LIKE] = target.like
        table = run_ensemble(asked).pivot(index="scenario", columns="seed", values=known.name)
        if not aim:
            is_level = target.like is None
            like = 0.0 if is_level else table.loc[LIKE].to_numpy(float)
            aim.append(np.asarray(target.value + like))
        found = table.loc[[f"{v!r}" for v in values]].to_numpy(float)
        levels.update(zip(values, found, strict=True))
        return np.asarray(found - aim[0])

    root = find_root(gaps, low, high)
    reached = paired_interval(levels[root.value].tolist())
    return Solution(target, root, reached, at(root.value))

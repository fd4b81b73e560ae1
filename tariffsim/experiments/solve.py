"""The value of one parameter at which a metric meets a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tariffsim.experiments.ensemble import RunScenarios
from tariffsim.experiments.roots import Root, find_root
from tariffsim.record.dictionary import Metric, metric_of_runs
from tariffsim.record.intervals import Interval, paired_interval
from tariffsim.scenario import Scenario
from tariffsim.typing import Float

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
    metric, (low, high) = target.known, between
    for end in between:
        at(end)
    aim: list[Float] = []
    levels: dict[float, Float] = {}

    def gaps(values: Sequence[float]) -> Float:
        scenarios = {f"{v!r}": at(v) for v in values}
        if target.like is not None and not aim:
            scenarios[LIKE] = target.like
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

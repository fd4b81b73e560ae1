"""Points of a design as runs: the scenario, and the baseline with the same values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas as pd

from tariffsim.errors import ScenarioError
from tariffsim.experiments.designs import Point
from tariffsim.experiments.ensemble import Progress, Settings, outcomes
from tariffsim.experiments.pairs import Failure, Pair, run_hash
from tariffsim.policy.time_path import TimePath
from tariffsim.scenario import Scenario
from tariffsim.scenario.factors import EVERY
from tariffsim.scenario.loader import with_changes

Row = dict[str, float]
BATCH = 256
"""Points whose scenarios are held in memory at a time."""
BASELINE, POINT = "baseline of point ", "point "
DESIGN = "design"
"""The phase of a failure of a point that no scenario can be made of."""


@dataclass(frozen=True)
class PointRuns:
    """Measures at all points, and those of the baseline with the same values.

    Attributes:
        own: point, seed, then every measure; a pair of which a run failed has no row.
        baseline: the same of the baseline, row by row.
        failures: runs that failed, and points that are refused; their scenario is the point.
    """

    own: pd.DataFrame
    baseline: pd.DataFrame
    failures: tuple[Failure, ...]

    def by_point(self, metric: str, is_difference: bool = True) -> pd.DataFrame:
        """Paired differences of a measure, or its levels: one row a point, one column a seed."""
        own = self.own[metric]
        value = own - self.baseline[metric] if is_difference else own
        return (
            self.own[["point", "seed"]]
            .assign(value=value)
            .pivot(index="point", columns="seed", values="value")
        )


def run_points(
    scenario: Scenario,
    baseline: Scenario,
    points: Sequence[Point],
    seeds: Sequence[int],
    market: str,
    settings: Settings,
    progress: Progress | None = None,
) -> PointRuns:
    """Run the scenario and the baseline at every point with every seed, pair by pair.

    Values hold for both, those of a policy where there is a policy of that name, so that the
    difference is what the scenario does under the assumptions of the point.
    """
    rows: list[tuple[Row, Row]] = []
    failures: list[Failure] = []
    todo, done, total = iter(enumerate(points)), 0, len(points) * len(seeds)
    while batch := dict(islice(todo, BATCH)):
        made = list(_made(scenario, baseline, batch, failures))
        found: dict[tuple[str, int], Row] = {}
        for pair, outcome in outcomes(_pairs(made, seeds, market), settings):
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                found[pair.name, pair.seed] = outcome.summary
            if progress is not None and pair.name.startswith(POINT):
                done += 1
                progress(done, total)
        rows += _rows(made, seeds, found)
    own, base = (pd.DataFrame([both[i] for both in rows]) for i in (0, 1))
    return PointRuns(own, base, tuple(failures))


@dataclass(frozen=True)
class _Made:
    """A point with its scenarios; points may share a baseline."""

    point: int
    scenario: Scenario
    baseline: Scenario
    scenario_hash: str
    baseline_hash: str
    baseline_name: str

    @property
    def name(self) -> str:
        return f"{POINT}{self.point}"


def _made(
    scenario: Scenario, baseline: Scenario, points: dict[int, Point], failures: list[Failure]
) -> Iterator[_Made]:
    bases: dict[str, tuple[Scenario, str]] = {}
    for number, point in points.items():
        try:
            own, base = varied(scenario, point), varied(baseline, point)
        except ScenarioError as error:
            message = str(error.problems[0])
            failures.append(Failure(f"{POINT}{number}", -1, DESIGN, message))
            continue
        key = run_hash(base)
        base, name = bases.setdefault(key, (base, f"{BASELINE}{number}"))
        yield _Made(number, own, base, run_hash(own), key, name)


def _rows(
    made: Sequence[_Made], seeds: Sequence[int], found: Mapping[tuple[str, int], Row]
) -> Iterator[tuple[Row, Row]]:
    """Rows of the scenario and of the baseline, where both were run."""
    for one in made:
        for seed in seeds:
            keys = (one.name, seed), (one.baseline_name, seed)
            if all(key in found for key in keys):
                place: Row = {"point": one.point, "seed": seed}
                yield place | found[keys[0]], place | found[keys[1]]


def _pairs(made: Sequence[_Made], seeds: Sequence[int], market: str) -> list[Pair]:
    """Pairs in an order that lets one process run a baseline once for all its points."""
    groups: dict[str, list[_Made]] = {}
    for one in made:
        groups.setdefault(one.baseline_hash, []).append(one)
    return [
        Pair(name, scenario, group[0].baseline, (own_key, key), seed, market, is_full=False)
        for key, group in groups.items()
        for seed in seeds
        for name, scenario, own_key in [
            (group[0].baseline_name, group[0].baseline, key),
            *((one.name, one.scenario, one.scenario_hash) for one in group),
        ]
    ]


def varied(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """The scenario with its factors at some values; those of policies it lacks are left out.

    A dated path keeps its dates. Of a policy, the value is the last level and earlier steps keep
    their proportion to it; of an assumption (`supply.china_capacity_share`), the first value,
    which describes the base year, stays.

    Raises:
        ScenarioError: the scenario would not be valid.
    """
    changes: dict[str, Any] = {}
    for key, value in values.items():
        block, name, *_ = key.split(".")
        if block == "policies" and name not in scenario.policies:
            continue
        if block == "figures":
            changes |= _figures(scenario, key, float(value))
            continue
        own = scenario.policies[name] if block == "policies" else getattr(scenario, block)
        path = getattr(own, key.rpartition(".")[2])
        if isinstance(path, TimePath):
            value = path.reaching(float(value), from_first=block != "policies")
        changes[key] = value
    return with_changes(scenario, changes, "experiment") if changes else scenario


def _figures(scenario: Scenario, key: str, value: float) -> Iterator[tuple[str, float]]:
    """One figure, or all of a column between their low and high."""
    _, table, code, name = key.split(".")
    if code != EVERY:
        yield key, value
        return
    for (each, parameter), figure in getattr(scenario.tables(), table).figures.items():
        if parameter == name and figure.low is not None:
            end = figure.high if value > 0 else figure.low
            at = figure.value + abs(value) * (end - figure.value)
            yield f"figures.{table}.{each}.{name}", at if abs(value) < 1 else end

"""Points of a design as runs: the scenario, and the baseline with the same values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pandas as pd

from tariffsim.errors import ScenarioError
from tariffsim.experiments.designs import Point
from tariffsim.experiments.ensemble import Progress, Settings, outcomes
from tariffsim.experiments.pairs import Failure, Pair, run_hash
from tariffsim.scenario import Scenario
from tariffsim.scenario.factors import varied

BATCH = 256
"""Points whose scenarios are held in memory at a time."""
BASELINE = "baseline of point "
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

    def differences(self, measure: str) -> pd.DataFrame:
        """Paired differences, one row a point and one column a seed."""
        change = self.own[["point", "seed"]].assign(
            difference=self.own[measure] - self.baseline[measure]
        )
        return change.pivot(index="point", columns="seed", values="difference")


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
    own: list[dict[str, float]] = []
    base: list[dict[str, float]] = []
    failures: list[Failure] = []
    todo, done = iter(enumerate(points)), 0
    while batch := dict(islice(todo, BATCH)):
        made = list(_made(scenario, baseline, batch, failures))
        pairs = _pairs(made, seeds, market)
        total = len(points) * len(seeds)
        found: dict[tuple[str, int], dict[str, float]] = {}
        for pair, outcome in outcomes(pairs, settings):
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                found[pair.name, pair.seed] = outcome.summary
            if progress is not None and not pair.name.startswith(BASELINE):
                done += 1
                progress(done, total)
        for made_one in made:
            for seed in seeds:
                keys = (str(made_one.point), seed), (made_one.baseline_name, seed)
                if all(key in found for key in keys):
                    row: dict[str, float] = {"point": made_one.point, "seed": seed}
                    own.append(row | found[keys[0]])
                    base.append(row | found[keys[1]])
    return PointRuns(pd.DataFrame(own), pd.DataFrame(base), tuple(failures))


@dataclass(frozen=True)
class _Made:
    """A point with its scenarios; points may share a baseline."""

    point: int
    scenario: Scenario
    baseline: Scenario
    scenario_hash: str
    baseline_hash: str
    baseline_name: str


def _made(
    scenario: Scenario, baseline: Scenario, points: dict[int, Point], failures: list[Failure]
) -> Iterator[_Made]:
    bases: dict[str, tuple[Scenario, str]] = {}
    for number, point in points.items():
        try:
            own, base = varied(scenario, point), varied(baseline, point)
        except ScenarioError as error:
            message = str(error.problems[0])
            failures.append(Failure(str(number), -1, DESIGN, message))
            continue
        key = run_hash(base)
        base, name = bases.setdefault(key, (base, f"{BASELINE}{number}"))
        yield _Made(number, own, base, run_hash(own), key, name)


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
            *((str(one.point), one.scenario, one.scenario_hash) for one in group),
        ]
    ]

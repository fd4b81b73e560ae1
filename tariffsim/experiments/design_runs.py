"""Runs at the points of a design: the scenario, and the baseline with the same values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import pandas as pd

from tariffsim.errors import ScenarioError
from tariffsim.experiments.designs import DesignPoint
from tariffsim.experiments.ensemble import Progress, Settings, outcomes
from tariffsim.experiments.runs import Failure, Replication, run_hash
from tariffsim.scenario import Scenario
from tariffsim.scenario.factors import varied

BATCH = 256
"""Points whose scenarios are held in memory at a time."""
DESIGN = "design"
"""The phase of a failure of a point at which no scenario is valid."""
Summaries = dict[tuple[tuple[str, str], int], dict[str, float]]
"""Metrics by hashes of scenario and baseline, and seed."""


@dataclass(frozen=True)
class DesignRuns:
    """Metrics at all points, and those of the baseline with the same values.

    Attributes:
        own: point, seed, then every metric; a point and seed of which a run failed has no row.
        baseline: the same of the baseline, row by row.
        failures: runs that failed, and points that are refused; their scenario is the point.
    """

    own: pd.DataFrame
    baseline: pd.DataFrame
    failures: tuple[Failure, ...]

    def by_point(self, metric: str, is_difference: bool = True) -> pd.DataFrame:
        """Paired differences of a metric, or its levels: one row a point, one column a seed."""
        own = self.own[metric]
        value = own - self.baseline[metric] if is_difference else own
        table = self.own[["point", "seed"]].assign(value=value)
        return table.pivot(index="point", columns="seed", values="value")


@dataclass(frozen=True)
class _Variant:
    """The scenario and the baseline at one point."""

    point: int
    scenario: Scenario
    baseline: Scenario
    hashes: tuple[str, str]

    @property
    def base_hashes(self) -> tuple[str, str]:
        return self.hashes[1], self.hashes[1]


def run_design(
    scenario: Scenario,
    baseline: Scenario,
    points: Sequence[DesignPoint],
    seeds: Sequence[int],
    market: str,
    settings: Settings,
    progress: Progress | None = None,
) -> DesignRuns:
    """Run the scenario and the baseline at every point with every seed.

    Values hold for both, those of a policy where there is a policy of that name, so that the
    paired difference is the effect of the scenario under the assumptions of the point.
    """
    rows: list[tuple[dict[str, float], dict[str, float]]] = []
    failures: list[Failure] = []
    remaining, done, total = iter(enumerate(points)), 0, len(points) * len(seeds)
    while batch := dict(islice(remaining, BATCH)):
        variants = list(_variants(scenario, baseline, batch, failures))
        found: Summaries = {}
        for one, outcome in outcomes(_replications(variants, seeds, market), settings):
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                found[one.hashes, one.seed] = outcome.summary
            if progress is not None and one.name.startswith("point "):
                done += 1
                progress(done, total)
        rows += _rows(variants, seeds, found)
    own, base = (pd.DataFrame([both[i] for both in rows]) for i in (0, 1))
    return DesignRuns(own, base, tuple(failures))


def _variants(
    scenario: Scenario,
    baseline: Scenario,
    points: Mapping[int, DesignPoint],
    failures: list[Failure],
) -> Iterator[_Variant]:
    for number, point in points.items():
        try:
            own, base = varied(scenario, point), varied(baseline, point)
        except ScenarioError as error:
            failures.append(Failure(f"point {number}", -1, DESIGN, str(error.problems[0])))
            continue
        yield _Variant(number, own, base, (run_hash(own), run_hash(base)))


def _replications(
    variants: Sequence[_Variant], seeds: Sequence[int], market: str
) -> list[Replication]:
    """In an order that lets one process run a baseline once for all points that share it."""
    groups: dict[str, list[_Variant]] = {}
    for one in variants:
        groups.setdefault(one.hashes[1], []).append(one)
    found = []
    for group in groups.values():
        first = group[0]
        for seed in seeds:
            runs = [(f"baseline of point {first.point}", first.baseline, first.base_hashes)]
            runs += [(f"point {one.point}", one.scenario, one.hashes) for one in group]
            found += [
                Replication(name, scenario, first.baseline, hashes, seed, market, is_full=False)
                for name, scenario, hashes in runs
            ]
    return found


def _rows(
    variants: Sequence[_Variant], seeds: Sequence[int], found: Summaries
) -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    """Rows of the scenario and of the baseline, where both were run."""
    for one in variants:
        for seed in seeds:
            keys = (one.hashes, seed), (one.base_hashes, seed)
            if all(key in found for key in keys):
                place: dict[str, float] = {"point": one.point, "seed": seed}
                yield place | found[keys[0]], place | found[keys[1]]

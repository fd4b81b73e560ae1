"""Runs at the points of a design: the scenario, and the baseline with the same values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import pandas as pd

from tariffsim.errors import ScenarioError
from tariffsim.experiments.designs import DesignPoint, varied
from tariffsim.experiments.ensemble import Progress, Settings, outcomes
from tariffsim.experiments.runs import Failure, Replication, run_hash
from tariffsim.scenario import Scenario

BATCH = 256
"""Points whose scenarios are held in memory at a time."""
DESIGN = "design"
"""The phase of a failure of a point at which no scenario is valid."""


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
    own_rows, base_rows, done = [], [], 0
    failures: list[Failure] = []
    remaining = iter(enumerate(points))
    while batch := dict(islice(remaining, BATCH)):
        design = _Design(scenario, baseline, seeds, market)
        failures += design.add(batch)
        summaries: dict[Replication, dict[str, float]] = {}
        for one, outcome in outcomes(design.replications(), settings):
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                summaries[one] = outcome.summary
            if progress is not None and one in design.points:
                done += 1
                progress(done, len(points) * len(seeds))
        for one, (point, base) in design.points.items():
            if one in summaries and base in summaries:
                place: dict[str, float] = {"point": point, "seed": one.seed}
                own_rows.append(place | summaries[one])
                base_rows.append(place | summaries[base])
    return DesignRuns(pd.DataFrame(own_rows), pd.DataFrame(base_rows), tuple(failures))


class _Design:
    """Replications of the points of a design; a baseline is run once for all that share it."""

    def __init__(
        self, scenario: Scenario, baseline: Scenario, seeds: Sequence[int], market: str
    ) -> None:
        self._scenarios, self._seeds, self._market = (scenario, baseline), seeds, market
        self._groups: dict[tuple[str, int], list[Replication]] = {}
        self.points: dict[Replication, tuple[int, Replication]] = {}
        """The point of every replication of the scenario, and its baseline."""

    def add(self, points: Mapping[int, DesignPoint]) -> list[Failure]:
        """Add points; returns those at which no scenario is valid."""
        failures = []
        for number, point in points.items():
            try:
                own, base = (varied(scenario, point) for scenario in self._scenarios)
            except ScenarioError as error:
                failures.append(Failure(f"point {number}", -1, DESIGN, str(error.problems[0])))
                continue
            own_hash, base_hash = run_hash(own), run_hash(base)
            for seed in self._seeds:
                group = self._groups.setdefault((base_hash, seed), [])
                where = seed, self._market, False
                if not group:
                    name, hashes = f"baseline of point {number}", (base_hash, base_hash)
                    group.append(Replication(name, base, base, hashes, *where))
                name, hashes = f"point {number}", (own_hash, base_hash)
                group.append(Replication(name, own, group[0].scenario, hashes, *where))
                self.points[group[-1]] = number, group[0]
        return failures

    def replications(self) -> list[Replication]:
        """In an order that lets one process run a baseline once."""
        return [one for group in self._groups.values() for one in group]

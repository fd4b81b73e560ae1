"""Which assumptions decide what a scenario does: sensitivity of a paired difference."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from tariffsim.errors import Problem, RunsFailedError, ScenarioError, escaped, nearest
from tariffsim.experiments.comparison import check_comparable, named_scenarios, results_of
from tariffsim.experiments.designs import Point, factors_of, rangeless, unbalanced
from tariffsim.experiments.ensemble import Progress, Settings
from tariffsim.experiments.pairs import Failure
from tariffsim.experiments.points import run_points
from tariffsim.experiments.sensitivity import Method, morris, sobol, tornado
from tariffsim.record.metrics import METRICS
from tariffsim.record.results import Results
from tariffsim.scenario import Scenario
from tariffsim.scenario.factors import plausible
from tariffsim.typing import Float

SEEDS = 5
"""Replications where nothing is said: fewer than for a headline, as there are many points."""
POINTS = {"tornado": 0, "morris": 10, "sobol": 64}
"""Trajectories of a Morris design, base points of a Sobol design."""


def sensitivity(
    scenario: Scenario | str,
    baseline: Scenario | str | None = None,
    method: Method = "tornado",
    metric: str = "cn_share",
    vary: Mapping[str, Any] | None = None,
    points: int | None = None,
    seeds: int | None = None,
    seed: int | None = None,
    market: str = "US",
    settings: Settings = Settings(),  # noqa: B008 (it is frozen)
    progress: Progress | None = None,
) -> Results:
    """Rank the assumptions by how far they move what a scenario does.

    The answer is the paired difference of a measure to the baseline, which gets the same values;
    of a baseline alone, its level. Table `sensitivity`: one row a factor, strongest first.

    Args:
        scenario: whose effect is asked about.
        baseline: what it is compared with; what it says itself if None.
        method: one at a time between low and high (tornado), Morris screening, or Sobol indices.
        metric: whose difference; see `tariffsim list metrics`.
        vary: ranges of the factors; every assumption with a plausible range if None.
        points: trajectories (Morris, 10) or base points, a power of two (Sobol, 64).
        seeds: replications at every point; 5 if None.
        seed: the first seed, and that of the design.
        market: the market that measures are about.
        settings: where and how runs are made.
        progress: called with (runs of the scenario done, runs in all).

    Raises:
        ScenarioError: a scenario, a factor or the measure is refused.
        RunsFailedError: a run failed that the indices need.
        MissingExtra: SALib is not installed (Morris, Sobol).
    """
    began = time.perf_counter()
    if metric not in (known := [m.name for m in METRICS]):
        problem = Problem("metric", 0, 0, escaped(metric), "is no measure of a run", "",
                          nearest(metric, known))  # fmt: skip
        raise ScenarioError([problem])
    named = named_scenarios([scenario], baseline)
    check_comparable(named, market)
    base, own = (*named.values(),)[0], (*named.values(),)[-1]
    factors = list(plausible(own)) if vary is None else factors_of(own, vary)
    count = points or POINTS[method]
    problems = rangeless(factors) if method != "tornado" else []
    problems += unbalanced(count) if method == "sobol" else []
    if problems:
        raise ScenarioError(problems)
    start = base.run.seed if seed is None else seed
    replications = range(start, start + (seeds or SEEDS))
    failures: list[Failure] = []

    def evaluate(asked: list[Point]) -> Float:
        runs = run_points(own, base, asked, replications, market, settings, progress)
        failures.extend(runs.failures)
        found = runs.by_point(metric, is_difference=own is not base)
        values = found.reindex(index=range(len(asked)), columns=replications).to_numpy(float)
        if method != "tornado" and np.isnan(values).any():
            raise RunsFailedError("\n".join(map(str, failures)))
        return values

    if method == "tornado":
        table = tornado(factors, evaluate)
    else:
        table = {"morris": morris, "sobol": sobol}[method](factors, evaluate, count, start)
    results = results_of(named, market, {"sensitivity": table}, replications, failures, began)
    results.provenance |= {"method": method, "metric": metric,
                           "factors": [asdict(factor) for factor in factors]}  # fmt: skip
    return results


def tornados(
    scenarios: Sequence[Scenario],
    baseline: Scenario,
    seeds: int,
    seed: int | None = None,
    market: str = "US",
    settings: Settings = Settings(),  # noqa: B008 (it is frozen)
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Tornados of the Chinese share of several scenarios, one after another, with their names."""
    found = [
        sensitivity(
            scenario, baseline, seeds=seeds, seed=seed, market=market, settings=settings,
            progress=progress,
        ).tables["sensitivity"].assign(scenario=scenario.name)
        for scenario in scenarios
        if scenario != baseline
    ]  # fmt: skip
    return pd.concat(found, ignore_index=True)

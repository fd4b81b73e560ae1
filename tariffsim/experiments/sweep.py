"""A sweep: every metric at every point of a design, against the baseline with the same values."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from tariffsim.experiments.comparison import results_of, seeds_of, with_baseline
from tariffsim.experiments.designs import DesignPoint, DesignRuns, factors_of, points_of, run_design
from tariffsim.experiments.ensemble import Progress, Settings
from tariffsim.record.intervals import paired_interval
from tariffsim.record.result_tables import headline
from tariffsim.record.results import Results
from tariffsim.scenario import ScenarioLike
from tariffsim.scenario.factors import plausible
from tariffsim.typing import Float

REVENUE = "policy_revenue"


def sweep(
    scenario: ScenarioLike,
    baseline: ScenarioLike | None = None,
    vary: Mapping[str, Any] | None = None,
    design: str | None = None,
    points: int | None = None,
    seeds: int | None = None,
    seed: int | None = None,
    market: str = "US",
    settings: Settings = Settings(),  # noqa: B008 (it is frozen)
    progress: Progress | None = None,
) -> Results:
    """Run a scenario and the baseline at every point of a design.

    What is left out is taken from the scenario's `experiment` block. Tables: `points` (one row a
    point), `sweep` (one row a point and metric) and `point_runs` (every run). Runs that failed,
    and points at which no scenario is valid, are in `provenance["failures"]`.

    Args:
        scenario: what is varied: a scenario, a file, or the name of a shipped one.
        baseline: what it is compared with, at the same values; the one it names if None.
        vary: what each key is varied over: values, `start:stop:step`, `low:high` or `range`;
            for a design over ranges every assumption with a plausible one if left out.
        design: grid, lhs or sobol.
        points: points of a Latin hypercube or Sobol sequence.
        seeds: replications at every point; the baseline's `run.seeds` if None.
        seed: the first seed, and that of the design.
        market: the market that metrics are about.
        settings: where and how runs are made.
        progress: called with (runs of the scenario done, runs in all).

    Raises:
        ScenarioError: a scenario or the design is refused.
    """
    began = time.perf_counter()
    named, base, own = with_baseline(scenario, baseline, market)
    plan = own.experiment
    design, vary = design or plan.design, plan.vary if vary is None else vary
    varies_all = design != "grid" and not vary
    factors = list(plausible(own)) if varies_all else factors_of(own, vary)
    replications = seeds_of(base, seed, seeds or plan.seeds)
    rows = points_of(design, factors, points or plan.points, replications.start)
    runs = run_design(own, base, rows, replications, market, settings, progress)
    both = [runs.own.assign(is_baseline=False), runs.baseline.assign(is_baseline=True)]
    points_table = pd.DataFrame([{"point": n} | row for n, row in enumerate(rows)])
    tables = {"points": points_table, "sweep": tidy(rows, runs), "point_runs": pd.concat(both)}
    facts = {"factors": [asdict(factor) for factor in factors]}
    results = results_of(named, market, tables, replications, began, runs.failures, facts)
    is_curve = len(factors) == 1 and factors[0].is_numeric and len(rows) > 2
    if is_curve and factors[0].key.startswith("policies.") and not runs.own.empty:
        results.provenance["revenue_peak"] = asdict(revenue_peak(results, factors[0].key))
    return results


def tidy(points: Sequence[DesignPoint], runs: DesignRuns) -> pd.DataFrame:
    """One row a point and metric: level, paired difference with its 95 % interval."""
    if runs.own.empty:
        return pd.DataFrame(columns=["point"])
    rows: list[dict[str, Any]] = []
    for number in runs.own["point"].unique():
        both = {
            name: table[table["point"] == number].to_dict("records")
            for name, table in (("baseline", runs.baseline), ("own", runs.own))
        }
        found = [row for row in headline(both, "baseline") if row["scenario"] == "own"]
        place = {"point": int(number)} | points[int(number)]
        rows += [place | {k: v for k, v in row.items() if k != "scenario"} for row in found]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Peak:
    """The maximum of a curve over one factor, with a 95 % interval over seeds."""

    at: float
    low: float
    high: float
    level: float
    is_inside: bool
    """False if the curve is highest at an end of the range."""


def revenue_peak(results: Results, key: str) -> Peak:
    """The value of a factor at which new duty revenue, less the baseline's, is highest."""
    runs = results.tables["point_runs"]
    own, base = (
        runs[runs["is_baseline"] == is_base].pivot(index="seed", columns="point", values=REVENUE)
        for is_base in (False, True)
    )
    curves = (own - base).dropna(axis="columns")
    at = results.tables["points"].set_index("point").loc[curves.columns, key].to_numpy(float)
    order = np.argsort(at, kind="stable")
    return peak(at[order], curves.to_numpy(float)[:, order])


def peak(x: Float, curves: Float) -> Peak:
    """Peak of the mean of curves `(seeds, points)`, with a jackknife interval over seeds."""
    at, level, is_inside = _highest(x, curves.mean(axis=0))
    n = len(curves)
    left_out = [_highest(x, np.delete(curves, i, axis=0).mean(axis=0)) for i in range(n) if n > 1]
    if not is_inside or not left_out or not all(inside for *_, inside in left_out):
        return Peak(at, nan, nan, level, is_inside)
    interval = paired_interval([n * at - (n - 1) * other for other, *_ in left_out])
    return Peak(at, interval.low, interval.high, level, is_inside)


def _highest(x: Float, y: Float) -> tuple[float, float, bool]:
    """Place and height of the maximum, by the parabola through it and its neighbours."""
    i = int(np.argmax(y))
    if i in (0, len(x) - 1):
        return float(x[i]), float(y[i]), False
    curve = np.polynomial.Polynomial.fit(x[i - 1 : i + 2], y[i - 1 : i + 2], 2)
    slope = curve.deriv()
    roots = slope.roots().real
    at = float(roots[0]) if len(roots) else float(x[i])
    return at, float(curve(at)), True

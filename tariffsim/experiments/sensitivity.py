"""Which assumptions decide a result: tornado, Morris screening, Sobol indices."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from typing import Any, Literal

import numpy as np
import pandas as pd

from tariffsim.errors import RunsFailedError, ScenarioError, TariffsimError
from tariffsim.experiments.comparison import results_of, seeds_of, with_baseline
from tariffsim.experiments.designs import (
    DesignPoint,
    factors_of,
    from_unit_cube,
    not_a_power_of_two,
    run_design,
    without_range,
)
from tariffsim.experiments.ensemble import Progress, Settings
from tariffsim.experiments.runs import Failure
from tariffsim.record.dictionary import metric_of_runs
from tariffsim.record.intervals import paired_interval
from tariffsim.record.results import Results
from tariffsim.scenario import ScenarioLike
from tariffsim.scenario.factors import Factor, plausible
from tariffsim.typing import Float

Method = Literal["tornado", "morris", "sobol"]
Evaluate = Callable[[list[DesignPoint]], Float]
"""Values of a metric at points: `(points, seeds)`."""
SEEDS = 5
"""Default number of replications: fewer than for a headline, as there are many points."""
POINTS = {"tornado": 0, "morris": 10, "sobol": 64}
"""Default trajectories of a Morris design, base points of a Sobol design."""
LEVELS = 4
"""Levels of a Morris design (Morris 1991)."""


class MissingExtra(TariffsimError):
    """A package of an extra is not installed."""

    exit_code = 2


def sensitivity(
    scenario: ScenarioLike,
    baseline: ScenarioLike | None = None,
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
    """Rank the assumptions by how far they move the effect of a scenario.

    The effect is the paired difference of a metric from the baseline, which gets the same values;
    for a baseline alone, the level. Table `sensitivity`: one row a factor, strongest first.

    Args:
        scenario: whose effect is analysed.
        baseline: what it is compared with; the one it names if None.
        method: one at a time between low and high (tornado), Morris screening, or Sobol indices.
        metric: see `tariffsim list metrics`.
        vary: ranges of the factors; every assumption with a plausible range if None.
        points: trajectories (Morris, 10) or base points, a power of two (Sobol, 64).
        seeds: replications at every point; 5 if None.
        seed: the first seed, and that of the design.
        market: the market that metrics are about.
        settings: where and how runs are made.
        progress: called with (runs of the scenario done, runs in all).

    Raises:
        ScenarioError: a scenario, a factor or the metric is refused.
        RunsFailedError: a run failed that the indices need.
        MissingExtra: SALib is not installed (Morris, Sobol).
    """
    began = time.perf_counter()
    metric_of_runs(metric)
    named, base, own = with_baseline(scenario, baseline, market)
    factors = list(plausible(own)) if vary is None else factors_of(own, vary)
    count = points or POINTS[method]
    problems = without_range(factors) if method != "tornado" else []
    problems += not_a_power_of_two(count) if method == "sobol" else []
    if problems:
        raise ScenarioError(problems)
    replications = seeds_of(base, seed, seeds or SEEDS)
    failures: list[Failure] = []

    def evaluate(design: list[DesignPoint]) -> Float:
        runs = run_design(own, base, design, replications, market, settings, progress)
        failures.extend(runs.failures)
        found = runs.by_point(metric, is_difference=own is not base)
        values = found.reindex(index=range(len(design)), columns=replications).to_numpy(float)
        if method != "tornado" and np.isnan(values).any():
            raise RunsFailedError("\n".join(map(str, failures)))
        return values

    if method == "tornado":
        table = tornado(factors, evaluate)
    else:
        indices = {"morris": morris, "sobol": sobol}[method]
        table = indices(factors, evaluate, count, replications.start)
    described = [asdict(factor) for factor in factors]
    facts = {"method": method, "metric": metric, "factors": described}
    tables = {"sensitivity": table}
    return results_of(named, market, tables, replications, began, failures, facts)


def tornado(factors: Sequence[Factor], evaluate: Evaluate) -> pd.DataFrame:
    """Each factor at its low and its high end, all others at their central value.

    One row a factor, widest swing first: the metric in the central case and at both ends (with the
    95 % interval over seeds of the paired change from the central case), and the paired swing from
    low to high. A factor of which no seed was run at both ends has no row.
    """
    points: list[DesignPoint] = [{}]
    for factor in factors:
        points += [{factor.key: end} for end in _ends(factor)]
    values = evaluate(points)
    central = values[0]
    rows = []
    for n, factor in enumerate(factors):
        both = values[2 * n + 1 : 2 * n + 3]
        good = np.isfinite(both).all(axis=0) & np.isfinite(central)  # seeds of which no run failed
        if good.any():
            rows.append(_swing(factor, central[good], *both[:, good]))
    if not rows:
        raise RunsFailedError("no factor was run at both of its ends")
    table = pd.DataFrame(rows)
    order = table["swing"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _swing(factor: Factor, central: Float, low: Float, high: Float) -> dict[str, Any]:
    """The effect of moving a factor between its ends, seed by seed."""
    level, swing = float(central.mean()), paired_interval((high - low).tolist())
    row = _labels(factor) | dict(zip(("low_end", "high_end"), _ends(factor), strict=True))
    row["central"] = level
    for name, values in (("at_low", low), ("at_high", high)):
        change = paired_interval((values - central).tolist())
        row |= {name: level + change.mean, f"{name}_from": level + change.low,
                f"{name}_to": level + change.high}  # fmt: skip
    return row | {
        "swing": swing.mean, "swing_low": swing.low, "swing_high": swing.high,
        "is_significant": swing.is_significant, "n": swing.n,
    }  # fmt: skip


def _labels(factor: Factor) -> dict[str, Any]:
    return {"factor": factor.key, "meaning": factor.meaning, "factor_unit": factor.unit}


def _ends(factor: Factor) -> tuple[Any, Any]:
    """Low and high end of a range, or first and last of listed values."""
    if factor.low is None:
        return factor.values[0], factor.values[-1]
    ends = factor.low, factor.high
    return tuple(map(int, ends)) if factor.is_whole else ends  # type: ignore[arg-type, return-value]


def morris(
    factors: Sequence[Factor], evaluate: Evaluate, trajectories: int = 10, seed: int = 0
) -> pd.DataFrame:
    """Elementary effects (Morris 1991; Campolongo et al. 2007): mean, mean size, spread.

    `mu_star` is the mean size of the change of the metric when one factor moves over its whole
    range, `sigma` its standard deviation: interaction and curvature. Largest first.
    """
    sample, analyze = _salib("morris")
    problem = _problem(factors)
    unit = sample(problem, trajectories, num_levels=LEVELS, seed=seed)
    found = analyze(
        problem, unit, _means(evaluate, factors, unit), num_levels=LEVELS, seed=seed,
        print_to_console=False,
    )  # fmt: skip
    half = np.asarray(found["mu_star_conf"], float)
    return _ranked(factors, {
        "mu": found["mu"], "mu_star": found["mu_star"],
        "mu_star_low": found["mu_star"] - half, "mu_star_high": found["mu_star"] + half,
        "sigma": found["sigma"],
    }, "mu_star")  # fmt: skip


def sobol(
    factors: Sequence[Factor], evaluate: Evaluate, base_points: int = 64, seed: int = 0
) -> pd.DataFrame:
    """First-order and total Sobol indices (Saltelli et al. 2010) with bootstrap intervals.

    `first_order` is the share of the variance of the metric that a factor explains by itself,
    `total_order` that share with all its interactions. Needs base_points x (factors + 2) points.
    """
    sample, analyze = _salib("sobol")
    problem = _problem(factors)
    unit = sample(problem, base_points, calc_second_order=False, seed=seed)
    found = analyze(
        problem, _means(evaluate, factors, unit), calc_second_order=False, seed=seed,
        print_to_console=False,
    )  # fmt: skip
    columns: dict[str, Any] = {}
    for name, key in (("first_order", "S1"), ("total_order", "ST")):
        value, half = (np.asarray(found[k], float) for k in (key, f"{key}_conf"))
        columns |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
    return _ranked(factors, columns, "total_order")


def _means(evaluate: Evaluate, factors: Sequence[Factor], unit: Float) -> Float:
    """Mean over seeds of the metric at points of the unit cube."""
    return np.asarray(evaluate(from_unit_cube(factors, unit)).mean(axis=1), float)


def _problem(factors: Sequence[Factor]) -> dict[str, Any]:
    """The factors as SALib describes them, in the unit cube."""
    names = [factor.key for factor in factors]
    return {"num_vars": len(factors), "names": names, "bounds": [[0.0, 1.0]] * len(factors)}


def _ranked(factors: Sequence[Factor], columns: dict[str, Any], by: str) -> pd.DataFrame:
    labels = [_labels(f) | {"low_end": f.low, "high_end": f.high} for f in factors]
    table = pd.DataFrame(labels).assign(**{k: np.asarray(v, float) for k, v in columns.items()})
    return table.sort_values(by, ascending=False, kind="stable").reset_index(drop=True)


def _salib(method: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """SALib's functions that sample for a method and analyse it.

    Raises:
        MissingExtra: SALib is not installed.
    """
    try:
        sample = import_module(f"SALib.sample.{method}").sample
        return sample, import_module(f"SALib.analyze.{method}").analyze
    except ImportError:
        raise MissingExtra(
            "Morris and Sobol indices need SALib: pip install 'tariffsim[sensitivity]'; "
            "--method tornado works without it"
        ) from None

"""Designs of experiments: the values of the factors at every design point, and the runs there.

At every point the scenario is run, and the baseline with the same values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import qmc

from tariffsim.errors import Problem, ScenarioError, escaped
from tariffsim.experiments.common_past import months_to_keep
from tariffsim.experiments.ensemble import Progress, Settings, outcomes
from tariffsim.experiments.runs import Failure, Replication, run_hash
from tariffsim.scenario import Scenario
from tariffsim.scenario.factors import Factor, Unfit, factor_of
from tariffsim.scenario.nodes import Position, node_of, plain
from tariffsim.scenario.run_blocks import Value
from tariffsim.scenario.variation import scaled_to_one, varied
from tariffsim.typing import Float

DesignPoint = dict[str, Value]
"""Values by key."""
MAX_POINTS = 1_000_000


def factors_of(scenario: Scenario, vary: Mapping[str, Any], label: str = "vary") -> list[Factor]:
    """The factors of an experiment.

    Raises:
        ScenarioError: with everything that is wrong with any of them.
    """
    found, problems = [], []
    for key, given in vary.items():
        values = plain(node_of(given, Position(label)))
        try:
            found.append(factor_of(key, _spread(values), scenario))
        except Unfit as unfit:
            problems.append(Problem(label, 0, 0, escaped(key), str(unfit), "", unfit.hint))
    if problems:
        raise ScenarioError(problems)
    return found


def _spread(values: Any) -> str | tuple[Any, ...]:
    """A text that says over what to vary, or values; a single one is one of them."""
    return values if isinstance(values, (str, tuple)) else (values,)


def points_of(
    design: str, factors: Sequence[Factor], points: int | None = None, seed: int = 0
) -> list[DesignPoint]:
    """The points of a design: grid, lhs or sobol.

    Raises:
        ScenarioError: the factors do not fit the design, or there would be too many points.
    """
    hint = "give --vary KEY=VALUES, or an `experiment` block in the file"
    problems = [] if factors else [Problem("experiment", message="varies nothing", hint=hint)]
    if design == "grid":
        hint = "give low:high:step, or take another design: lhs"
        problems += [Problem("experiment", 0, 0, factor.key, "has no steps", "", hint)
                     for factor in factors if not factor.values]  # fmt: skip
    else:
        problems += without_range(factors)
    count = prod(len(f.values) for f in factors) if design == "grid" else points
    if count is None:
        problems.append(Problem("experiment", message=f"{design} needs its number of points"))
    elif count > MAX_POINTS:
        given = f"{count:,}, at most {MAX_POINTS:,}"
        problems.append(Problem("experiment", message="has too many points", given=given))
    elif design == "sobol":
        problems += not_a_power_of_two(count)
    if problems or count is None:
        raise ScenarioError(problems)
    if design == "grid":
        return grid(factors)
    rng = np.random.default_rng(seed)
    sampler = qmc.LatinHypercube if design == "lhs" else qmc.Sobol
    return from_unit_cube(factors, sampler(len(factors), seed=rng).random(count))


def without_range(factors: Sequence[Factor]) -> list[Problem]:
    """Factors that a design over ranges cannot vary."""
    hint = "give low:high, or take the design grid"
    return [Problem("experiment", 0, 0, factor.key, "has no range", "", hint)
            for factor in factors if factor.low is None]  # fmt: skip


def not_a_power_of_two(count: int) -> list[Problem]:
    """A number of points that a Sobol sequence should not have."""
    if not count & (count - 1):
        return []
    hint = f"take {1 << (count.bit_length() - 1)} or {1 << count.bit_length()}"
    message = "a Sobol sequence is balanced at powers of two only"
    return [Problem("experiment", message=message, given=str(count), hint=hint)]


def grid(factors: Sequence[Factor]) -> list[DesignPoint]:
    """All combinations of values; the last factor varies fastest."""
    keys = [factor.key for factor in factors]
    return [
        dict(zip(keys, values, strict=True)) for values in product(*(f.values for f in factors))
    ]


def from_unit_cube(factors: Sequence[Factor], unit: Float) -> list[DesignPoint]:
    """Points of the unit cube `(points, factors)` in the ranges of the factors."""
    lows, highs = (np.array([getattr(f, e) for f in factors], float) for e in ("low", "high"))
    whole = np.array([f.is_whole for f in factors])
    continuous = lows + unit * (highs - lows)
    counted = np.minimum(np.floor(lows + unit * (highs - lows + 1)), highs)
    values = scaled_to_one([f.key for f in factors], np.where(whole, counted, continuous))
    return [
        {f.key: int(v) if f.is_whole else float(v) for f, v in zip(factors, row, strict=True)}
        for row in values
    ]


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

    def by_point(self, metric: str, is_difference: bool) -> pd.DataFrame:
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
        replications, places, refused = _replications(scenario, baseline, batch, seeds, market)
        failures += refused
        summaries: dict[Replication, dict[str, float]] = {}
        for one, outcome in outcomes(replications, settings):
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                summaries[one] = outcome.summary
            if progress is not None and one in places:
                done += 1
                progress(done, len(points) * len(seeds))
        for one, (point, base) in places.items():
            if one in summaries and base in summaries:
                place: dict[str, float] = {"point": point, "seed": one.seed}
                own_rows.append(place | summaries[one])
                base_rows.append(place | summaries[base])
    return DesignRuns(pd.DataFrame(own_rows), pd.DataFrame(base_rows), tuple(failures))


def _replications(
    scenario: Scenario,
    baseline: Scenario,
    points: Mapping[int, DesignPoint],
    seeds: Sequence[int],
    market: str,
) -> tuple[list[Replication], dict[Replication, tuple[int, Replication]], list[Failure]]:
    """All replications, in an order that lets one process run a baseline once.

    Then the point of every replication of the scenario, with its baseline, which is run once for
    all that share it; and the points at which no scenario is valid.
    """
    variants: dict[str, list[tuple[int, Scenario, str, Scenario]]] = {}
    failures = []
    for number, point in points.items():
        try:
            own, base = (varied(each, point) for each in (scenario, baseline))
        except ScenarioError as error:
            failures.append(Failure(f"point {number}", -1, DESIGN, str(error.problems[0])))
        else:
            variants.setdefault(run_hash(base), []).append((number, own, run_hash(own), base))
    found: list[Replication] = []
    places: dict[Replication, tuple[int, Replication]] = {}
    for base_hash, of_base in variants.items():
        at, *_, base = of_base[0]
        kept = months_to_keep(base, [own for _, own, *_ in of_base])
        for seed in seeds:
            name, hashes = f"baseline of point {at}", (base_hash, base_hash)
            first = Replication(name, base, base, hashes, seed, market, is_full=False, kept=kept)
            found.append(first)
            for number, own, own_hash, _ in of_base:
                name, hashes = f"point {number}", (own_hash, base_hash)
                one = Replication(name, own, base, hashes, seed, market, is_full=False, kept=kept)
                found.append(one)
                places[one] = number, first
    in_order = dict(sorted(places.items(), key=lambda item: item[1][0]))
    return found, in_order, failures

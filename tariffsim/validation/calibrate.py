"""Calibrates by simulated moments: `python -m tariffsim.validation.calibrate`.

Parameters are positions from 0 to 1 within their plausible ranges. The model is run with the same
draws at every point. A Sobol' design covers the whole space; a smooth surface through the moments
of all points says where least squares are lowest, the model is run there and around, and the
surface is made again; steps along single parameters end it. Then come standard errors, what each
moment says of each parameter, and the objective along each parameter.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.interpolate import RBFInterpolator
from scipy.optimize import least_squares
from scipy.stats import qmc

from tariffsim.tables.csv_files import SHIPPED
from tariffsim.typing import Float
from tariffsim.validation.estimated import (
    Estimated,
    estimated_parameters,
    values_at,
)
from tariffsim.validation.moments import MomentSet, published, simulated

SEED = 0
"""The draws that every point shares."""
OTHER_SEEDS = (1, 2, 3)
"""Draws at the estimate alone: how much of a moment is chance of the simulation."""
DESIGN = 128
ROUNDS = 12
"""How often the surface is made and searched."""
ROUND = 8
"""Points of a round: where the surface is lowest, and around."""
STARTS = 4
"""Best points from which the surface is searched."""
RADIUS = (0.3, 0.05)
"""Of the points around, in the first round and the last."""
SMOOTHING = 1.0
"""Of the surface: choices of single makers make the figures rough."""
STEP = 0.1
"""Of a range: steps along single parameters, wide enough to pass over such choices."""
LEAST_SLOPE = 1e-3
"""Singular value of the slopes, relative to the largest, below which they say nothing."""
PROFILE = np.linspace(0.0, 1.0, 5)
NEIGHBOURS = 10
FOLDER = SHIPPED
"""Where what is found is kept."""
LAST_YEARS = {"to_2021": 2021, "all": 2024}
"""In this order: nothing that is known later decides where the first is looked for."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Where the objective is least.

    Attributes:
        moments: what was fitted.
        positions: (parameters,) the estimate, from 0 to 1.
        figures: (moments,) the model at the estimate.
        around: figures at points one step away, by parameter and direction.
    """

    moments: MomentSet
    positions: Float
    figures: Float
    around: dict[tuple[int, int], Float]

    @property
    def objective(self) -> float:
        """Sum of squares of independent misses."""
        return objective(self.moments, self.figures)

    @cached_property
    def slopes(self) -> Float:
        """(moments, parameters) derivatives of independent misses by position."""
        here, columns = self.moments.news(self.figures), []
        for n, parameter in enumerate(estimated_parameters()):
            sides = [
                (self.moments.news(self.around[n, side]) - here)
                / (_stepped(self.positions, n, side, parameter)[n] - self.positions[n])
                for side in (-1, 1) if (n, side) in self.around
            ]  # fmt: skip
            columns.append(np.mean(sides, axis=0))
        return np.array(columns).T

    def covariance(self, of_simulation: Float) -> Float:
        """(parameters, parameters) of the estimate, in positions.

        Where the moments say nothing of some combination of parameters, its error is a whole range.

        Args:
            of_simulation: (draws, moments) figures at the estimate with other draws.
        """
        news = np.array([self.moments.news(figures) for figures in of_simulation])
        errors = np.eye(len(self.figures)) + np.diag(news.var(axis=0, ddof=1))
        pull, (_, size, directions) = self.pull, np.linalg.svd(self.slopes)
        silent = directions[size <= LEAST_SLOPE * size[0]]
        return np.asarray(pull @ errors @ pull.T + silent.T @ silent)

    @cached_property
    def pull(self) -> Float:
        """(parameters, moments) change of the estimate with each independent miss.

        Andrews, Gentzkow and Shapiro (2017): -(G'WG)^-1 G'W, here with W = 1.
        """
        return np.asarray(-np.linalg.pinv(self.slopes, rcond=LEAST_SLOPE))


def objective(moments: MomentSet, figures: Float) -> float:
    """Sum of squares of independent misses."""
    news = moments.news(figures)
    return float(news @ news)


Run = Callable[[MomentSet, Float, int], Float]
"""From moments, positions and a seed to (moments,) figures."""


Figures = Callable[[Sequence[Float]], list[Float]]


class Simulator:
    """Runs the model at points, several at a time, each point once."""

    def __init__(self, moments: MomentSet, jobs: int, run: Run | None = None) -> None:
        self.moments, self.known = moments, dict[tuple[float, ...], Float]()
        """Moments, and their figures by position."""
        self._pool, self._run = ProcessPoolExecutor(jobs), run or figures_at

    def __call__(self, points: Sequence[Float]) -> list[Float]:
        """(moments,) figures at each of some positions."""
        keys = [tuple(np.round(_whole(point), 6).tolist()) for point in points]
        new = [key for key in dict.fromkeys(keys) if key not in self.known]
        self.known |= zip(new, self.at([np.array(key) for key in new]), strict=True)
        return [self.known[key] for key in keys]

    def at(self, points: Sequence[Float], seeds: Sequence[int] = ()) -> list[Float]:
        """The same without remembering, with other draws if these are named."""
        given = [self.moments] * len(points), points, seeds or [SEED] * len(points)
        return list(self._pool.map(self._run, *given))


def figures_at(moments: MomentSet, positions: Float, seed: int = SEED) -> Float:
    """(moments,) figures of the model at positions."""
    return simulated(moments, values_at(positions), seed)


def design() -> list[Float]:
    """The middle of all ranges, and a Sobol' design of positions."""
    n = len(estimated_parameters())
    points = qmc.Sobol(n, rng=np.random.default_rng(SEED)).random(DESIGN)
    return [_whole(point) for point in (np.full(n, 0.5), *points)]


def _whole(point: Float) -> Float:
    """The point with whole numbers where its parameters have them."""
    return np.array(
        [
            (p.value(float(x)) - p.low) / (p.high - p.low) if p.is_whole else x
            for p, x in zip(estimated_parameters(), point, strict=True)
        ]
    )


def fit(moments: MomentSet, simulate: Simulator) -> Fit:
    """The least objective found: from the design, by surfaces, then by single steps.

    Args:
        moments: those that count.
        simulate: runs the model; it has these moments, and may have more.
    """
    chosen = _which(moments, simulate.moments)

    def of(points: Sequence[Float]) -> list[Float]:
        return [figures[chosen] for figures in simulate(points)]

    of(design())
    rng, shape = np.random.default_rng(SEED), (ROUND - 1, len(estimated_parameters()))
    for radius in np.linspace(*RADIUS, ROUNDS):
        lowest = _lowest_of_surface(*_tried(moments, simulate, chosen))
        of([lowest, *(lowest + rng.uniform(-radius, radius, shape)).clip(0, 1)])
    tried, news = _tried(moments, simulate, chosen)
    best = _by_single_steps(_to_ends(tried[_squares(news).argmin()]), of, moments)
    sides = _sides(best)
    steps = of([_step(best, *side) for side in sides])
    return Fit(moments, best, of([best])[0], dict(zip(sides, steps, strict=True)))


def _tried(moments: MomentSet, simulate: Simulator, chosen: Sequence[int]) -> tuple[Float, Float]:
    """(points, parameters) positions that were run, and their (points, moments) news."""
    news = [moments.news(figures[chosen]) for figures in simulate.known.values()]
    return np.array([*simulate.known]), np.array(news)


def _to_ends(point: Float) -> Float:
    """The point, at the ends of ranges that it nearly touches: least squares stays inside."""
    ends = np.rint(point)
    return np.where(np.abs(point - ends) < STEP / 10, ends, point)


def _squares(news: Float) -> Float:
    return np.asarray((news**2).sum(axis=1))


def _lowest_of_surface(tried: Float, news: Float) -> Float:
    """Where the sum of squares of a smooth surface through the news is lowest."""
    surface = RBFInterpolator(tried, news, kernel="thin_plate_spline", smoothing=SMOOTHING)

    def at(point: Float) -> Float:
        return np.asarray(surface(point[None])[0])

    starts = tried[np.argsort(_squares(news))[:STARTS]].clip(1e-3, 1 - 1e-3)
    found = [least_squares(at, start, bounds=(0, 1), x_scale=1.0) for start in starts]
    return np.asarray(min(found, key=lambda each: each.cost).x)


def _by_single_steps(point: Float, of: Figures, moments: MomentSet) -> Float:
    """Where no step along a parameter is better; each time the best one, or all that are."""

    def at(point: Float) -> float:
        return objective(moments, of([point])[0])

    while True:
        sides = _sides(point)
        of([_step(point, *side) for side in sides])
        ahead = sorted(sides, key=lambda side: at(_step(point, *side)))
        better = [side for side in ahead if at(_step(point, *side)) < at(point)]
        if not better:
            return point
        all_of_them = point
        for side in better:
            all_of_them = _step(all_of_them, *side)
        point = min([_step(point, *better[0]), all_of_them], key=at)


def _which(moments: MomentSet, every: MomentSet) -> list[int]:
    names = [moment.name for moment in every.moments]
    return [names.index(moment.name) for moment in moments.moments]


def _sides(point: Float) -> list[tuple[int, int]]:
    """Parameters and directions in which a step stays within the range."""
    return [
        (n, side) for n in range(len(point)) for side in (-1, 1)
        if abs(_step(point, n, side)[n] - point[n]) > STEP / 10
    ]  # fmt: skip


def _step(point: Float, n: int, side: int) -> Float:
    return _stepped(point, n, side, estimated_parameters()[n])


def _stepped(point: Float, n: int, side: int, parameter: Estimated) -> Float:
    """The point one step along a parameter, at most to the end of its range."""
    step = 1 / (parameter.high - parameter.low) if parameter.is_whole else STEP
    found = point.copy()
    found[n] = np.clip(point[n] + side * step, 0, 1)
    return found


def estimates(found: Fit, covariance: Float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values with standard errors and ranges by key, and the correlation of the estimates."""
    rows, of = [], []
    for n, parameter in enumerate(estimated_parameters()):
        position, error = float(found.positions[n]), float(np.sqrt(covariance[n, n]))
        bound = "low" if position <= 0 else "high" if position >= 1 else ""
        for key, low, high in parameter.parts():
            value = low + (high - low) * position
            rows.append(
                {
                    "key": key, "value": round(value) if parameter.is_whole else value,
                    "std_error": error * (high - low), "low": low, "high": high,
                    "parameter": parameter.key, "at_bound": bound, "source": "calibration",
                }
            )  # fmt: skip
            of.append(n)
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(*[np.where(scale > 0, scale, 1.0)] * 2)
    np.fill_diagonal(correlation, 1.0)
    keys = [row["key"] for row in rows]
    table = pd.DataFrame(correlation[np.ix_(of, of)], keys, keys).rename_axis("key")
    return pd.DataFrame(rows).round(6), table.round(6)


def fitted(found: Fit) -> pd.DataFrame:
    """Moments beside what the model gives: fitted or missed."""
    moments = found.moments
    rows = [
        {
            "moment": moment.name, "published": moment.value, "error": moment.error,
            "model": figure, "miss": miss, "share_of_objective": news**2 / found.objective,
            "is_inside": moment.low <= figure <= moment.high if moment.row else "",
        }
        for moment, figure, miss, news in zip(
            moments.moments, found.figures, moments.misses(found.figures),
            moments.news(found.figures), strict=True,
        )
    ]  # fmt: skip
    return pd.DataFrame(rows).round(6)


def sensitivity(found: Fit) -> pd.DataFrame:
    """(parameters, ids) change of the estimate, in parts of the range, with one more of each miss.

    The root of the sum of squares over the moments of an id.
    """
    groups = pd.Series([moment.name.split(".")[0].split()[0] for moment in found.moments.moments])
    # An independent miss of one standard error of each moment.
    of = pd.DataFrame(found.pull, [p.key for p in estimated_parameters()])
    return of.pow(2).T.groupby(groups.to_numpy(), sort=False).sum().pow(0.5).T.round(5)


def profiles(found: Fit, simulate: Simulator) -> pd.DataFrame:
    """The objective along each parameter, the others at the estimate."""
    parameters, chosen = estimated_parameters(), _which(found.moments, simulate.moments)
    at = [(n, position) for n in range(len(parameters)) for position in PROFILE]
    points = []
    for n, position in at:
        point = found.positions.copy()
        point[n] = position
        points.append(point)
    return pd.DataFrame(
        {
            "key": parameters[n].key,
            "value": parameters[n].value(float(position)),
            "objective": objective(found.moments, figures[chosen]),
        }
        for (n, position), figures in zip(at, simulate(points), strict=True)
    ).round(6)


def neighbours(found: Fit) -> list[dict[str, Any]]:
    """Points one step away, the nearer in objective of both sides, for a quick check."""
    at = {side: objective(found.moments, figures) for side, figures in found.around.items()}
    nearer: dict[int, tuple[int, float]] = {}
    for (n, side), value in sorted(at.items(), key=lambda item: item[1]):
        nearer.setdefault(n, (side, value))
    hardest = sorted(nearer.items(), key=lambda item: -item[1][1])[:NEIGHBOURS]
    return [
        {"positions": _step(found.positions, n, side).tolist(), "objective": value}
        for n, (side, value) in hardest
    ]


def calibrate(folder: Path, jobs: int, periods: Iterable[str]) -> None:
    """Fit on moments of some periods, and write what was found."""
    every = published()
    simulate = Simulator(every, jobs)
    folder.mkdir(parents=True, exist_ok=True)
    for period in periods:
        moments = published(LAST_YEARS[period])
        found = fit(moments, simulate)
        chosen = _which(moments, every)
        others = [f[chosen] for f in simulate.at([found.positions] * len(OTHER_SEEDS), OTHER_SEEDS)]
        table, correlation = estimates(found, found.covariance(np.array([found.figures, *others])))
        of = "" if period == "all" else f"_{period}"
        table.to_csv(folder / f"estimates{of}.csv", index=False, lineterminator="\n")
        correlation.to_csv(folder / f"estimates_correlation{of}.csv", lineterminator="\n")
        fitted(found).to_csv(folder / f"calibration_moments{of}.csv", index=False,
                             lineterminator="\n")  # fmt: skip
        about = {
            "made_by": "python -m tariffsim.validation.calibrate", "period": period,
            "objective": found.objective,
            "objective_in_the_middle": objective(moments, simulate(design()[:1])[0][chosen]),
            "objective_with_other_draws": [objective(moments, f) for f in others],
            "positions": found.positions.tolist(), "seed": SEED, "design": DESIGN,
            "rounds": ROUNDS, "points": len(simulate.known),
            "neighbours": neighbours(found),
        }  # fmt: skip
        (folder / f"calibration{of}.json").write_text(json.dumps(about, indent=1) + "\n")
        if period == "all":
            sensitivity(found).to_csv(folder / "calibration_sensitivity.csv", lineterminator="\n")
            profiles(found, simulate).to_csv(folder / "calibration_profiles.csv", index=False,
                                             lineterminator="\n")  # fmt: skip


def adopt() -> None:
    """Write the estimates into the tables of figures, whose values are the defaults."""
    found = pd.read_csv(FOLDER / "estimates.csv")
    for key, value in zip(found["key"], found["value"], strict=True):
        if key.startswith("figures."):
            _, table, codes, parameter = key.split(".")
            path = FOLDER / f"{table}.csv"
            cells = pd.read_csv(path, dtype=str, keep_default_na=False)
            at = cells.iloc[:, 0].isin(codes.split("+")) & (cells["parameter"] == parameter)
            cells.loc[at, "value"] = f"{value:g}"
            cells.to_csv(path, index=False, lineterminator="\n")


def main(arguments: list[str] | None = None) -> int:
    """Calibrate on all years, and on those to 2021."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help="folder for what is "
                        "found; that of the package if left out")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--period", action="append", choices=[*LAST_YEARS],
                        help="years that are fitted; all of these if left out")  # fmt: skip
    chosen = parser.parse_args(arguments)
    calibrate(chosen.folder, chosen.jobs, chosen.period or LAST_YEARS)
    if chosen.folder == FOLDER:
        adopt()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

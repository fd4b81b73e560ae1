"""Which assumptions decide an answer: tornado, Morris screening, Sobol indices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from tariffsim.errors import RunsFailedError, TariffsimError
from tariffsim.experiments.designs import Point, placed
from tariffsim.record.intervals import paired_interval
from tariffsim.scenario.factors import Factor
from tariffsim.typing import Float

Method = Literal["tornado", "morris", "sobol"]
Evaluate = Callable[[list[Point]], Float]
"""Values of an answer at points, one row a point and one column a seed."""
LEVELS = 4
"""Levels of a Morris design (Morris 1991)."""


class MissingExtra(TariffsimError):
    """A package of an extra is not installed."""

    exit_code = 2


def tornado(factors: Sequence[Factor], evaluate: Evaluate) -> pd.DataFrame:
    """Each factor at its low and its high end, all else as it is; widest swing first.

    One row a factor: the answer as things are and at both ends (with the 95 % interval over seeds
    of the paired change from as things are), and the paired swing from low to high. A factor of
    which no seed was run at both ends has no row.
    """
    points: list[Point] = [{}]
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
    """What a factor does between its ends, seed by seed."""
    level, swing = float(central.mean()), paired_interval([float(v) for v in high - low])
    row = _about(factor) | dict(zip(("low_end", "high_end"), _ends(factor), strict=True))
    row["central"] = level
    for name, values in (("at_low", low), ("at_high", high)):
        change = paired_interval([float(v) for v in values - central])
        row |= {name: level + change.mean, f"{name}_from": level + change.low,
                f"{name}_to": level + change.high}  # fmt: skip
    return row | {
        "swing": swing.mean, "swing_low": swing.low, "swing_high": swing.high,
        "is_significant": swing.is_significant, "n": swing.n,
    }  # fmt: skip


def _about(factor: Factor) -> dict[str, Any]:
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

    `mu_star` is the mean size of the change of the answer when one factor moves over its whole
    range, `sigma` its spread: interaction and curvature. Largest first.
    """
    salib = _salib()
    problem = _problem(factors)
    unit = salib["morris_sample"](problem, trajectories, num_levels=LEVELS, seed=seed)
    answer = _answer(evaluate, factors, unit)
    found = salib["morris_analyze"](
        problem, unit, answer, num_levels=LEVELS, seed=seed, print_to_console=False
    )
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

    `first_order` is the part of the variance of the answer that a factor explains by itself,
    `total_order` the part it has a hand in. Needs base_points x (factors + 2) points.
    """
    salib = _salib()
    problem = _problem(factors)
    unit = salib["sobol_sample"](problem, base_points, calc_second_order=False, seed=seed)
    answer = _answer(evaluate, factors, unit)
    found = salib["sobol_analyze"](
        problem, answer, calc_second_order=False, seed=seed, print_to_console=False
    )
    columns: dict[str, Any] = {}
    for name, key in (("first_order", "S1"), ("total_order", "ST")):
        value, half = (np.asarray(found[k], float) for k in (key, f"{key}_conf"))
        columns |= {name: value, f"{name}_low": value - half, f"{name}_high": value + half}
    return _ranked(factors, columns, "total_order")


def _answer(evaluate: Evaluate, factors: Sequence[Factor], unit: Float) -> Float:
    """Mean over seeds of the answer at points of the unit cube."""
    return np.asarray(evaluate(placed(factors, unit)).mean(axis=1), float)


def _problem(factors: Sequence[Factor]) -> dict[str, Any]:
    return {
        "num_vars": len(factors),
        "names": [factor.key for factor in factors],
        "bounds": [[0.0, 1.0]] * len(factors),
    }


def _ranked(factors: Sequence[Factor], columns: dict[str, Any], by: str) -> pd.DataFrame:
    about = [_about(f) | {"low_end": f.low, "high_end": f.high} for f in factors]
    table = pd.DataFrame(about).assign(**{k: np.asarray(v, float) for k, v in columns.items()})
    return table.sort_values(by, ascending=False, kind="stable").reset_index(drop=True)


def _salib() -> dict[str, Any]:
    """The four functions of SALib that are used.

    Raises:
        MissingExtra: SALib is not installed.
    """
    try:
        from SALib.analyze.morris import analyze as morris_analyze
        from SALib.analyze.sobol import analyze as sobol_analyze
        from SALib.sample.morris import sample as morris_sample
        from SALib.sample.sobol import sample as sobol_sample
    except ImportError:
        raise MissingExtra(
            "Morris and Sobol indices need SALib: pip install 'tariffsim[sensitivity]'; "
            "--method tornado works without it"
        ) from None
    return {
        "morris_analyze": morris_analyze, "morris_sample": morris_sample,
        "sobol_analyze": sobol_analyze, "sobol_sample": sobol_sample,
    }  # fmt: skip

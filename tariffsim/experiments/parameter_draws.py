"""Parameters drawn from their joint distribution: one draw a seed, the same in every scenario.

Parameters of the calibration (`estimates`) have a normal copula, and each a normal margin cut off
at its range. Every other assumption with a plausible range is drawn by itself from a beta-PERT
distribution: its mode is the default, its ends are those of the range, and its mean is a sixth of
the ends plus two thirds of the default, so that the ends of a range that nobody measured weigh
less than in a triangle. These are all assumptions of blocks and tables of figures, whose columns
move as a whole; leaving some out would say that they are known. Only `agents` is not drawn: numbers
and sizes of lines are resolution, not economics. Neither are policies, nor texts and choices.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri

from tariffsim.policy.time_path import TimePath
from tariffsim.scenario import Scenario
from tariffsim.scenario.factors import EVERY, parameter_at, plausible
from tariffsim.scenario.run_blocks import Value
from tariffsim.scenario.variation import (
    SHARES,
    figures_at,
    reaching,
    scaled_to_one,
    with_figures,
)
from tariffsim.tables.csv_files import shipped_rows
from tariffsim.typing import Float

Draw = Mapping[str, Value]
"""Values by key; that of a column of figures (`*`) is a position in their ranges, -1 to 1."""
POINTS = 2**16
"""Points of the sequence; later seeds begin again."""
SCRAMBLING = 2018
"""Names the scrambling of the sequence."""
REPEATS = 4
"""Every so many seeds one has the draw of the seed before it: what differs is chance alone."""
JOINED = "+"
"""Between codes of a table whose figures are one parameter."""
RESOLUTION = "agents."
CENTRAL = Scenario()
"""All parameters at their defaults."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """Parameters that were estimated together.

    Attributes:
        keys: of P parameters; `figures.TABLE.CODE+CODE.COLUMN` for figures that are one parameter.
        central: (P,) estimates.
        std_error: (P,) standard errors; a parameter without one is not drawn.
        low: (P,) lower ends of their ranges.
        high: (P,) upper ends.
        correlation: (P, P) of the estimates.

    Raises:
        ValueError: shapes do not fit, an estimate is out of its range, or the matrix is no
            correlation.
    """

    keys: tuple[str, ...]
    central: Float
    std_error: Float
    low: Float
    high: Float
    correlation: Float

    def __post_init__(self) -> None:
        n, r = len(self.keys), self.correlation
        if any(len(x) != n for x in (self.central, self.std_error, self.low, self.high)):
            raise ValueError("estimates must have as many numbers as keys")
        if wrong := [k for k, is_in in zip(self.keys, self._in_range(), strict=True) if not is_in]:
            raise ValueError(f"estimates must be within their ranges: {', '.join(wrong)}")
        is_one = r.shape == (n, n) and np.allclose(r, r.T) and np.allclose(np.diag(r), 1)
        if not is_one or np.linalg.eigvalsh(r).min(initial=0.0) < -1e-6:  # of rounded numbers
            raise ValueError("estimates must have a correlation matrix")

    def _in_range(self) -> Any:
        return (self.low <= self.central) & (self.central <= self.high) & (self.std_error >= 0)

    def values(self, unit: Float) -> Float:
        """(n, P) parameters at points (n, P) of the unit cube."""
        size, vectors = np.linalg.eigh(self.correlation)
        root = vectors * np.sqrt(np.maximum(size, 0.0)) @ vectors.T
        probability = ndtr(ndtri(unit) @ root)
        spread = np.where(self.std_error > 0, self.std_error, 1.0)
        low, high = (ndtr((end - self.central) / spread) for end in (self.low, self.high))
        inside = self.central + spread * ndtri(low + probability * (high - low))
        inside = np.clip(inside, self.low, self.high)  # where the tails are rounded
        return np.where(self.std_error > 0, inside, self.central)


def stored_estimates(of: str = "") -> Estimates:
    """The tables `estimates` and `estimates_correlation`, of all years or `_to_2021`."""
    rows = list(shipped_rows(f"estimates{of}"))
    keys = tuple(row["key"] for row in rows)
    columns = ("value", "std_error", "low", "high")
    value, error, low, high = (np.array([float(row[c] or 0) for row in rows]) for c in columns)
    related = {row["key"]: row for row in shipped_rows(f"estimates_correlation{of}")}
    correlation = np.array([[float(related[a][b]) for b in keys] for a in keys])
    return Estimates(keys, value, error, low, high, correlation)


def _keys(key: str) -> list[str]:
    """The keys that one of the estimates stands for."""
    if not key.startswith("figures."):
        return [key]
    _, table, codes, name = key.split(".")
    return [f"figures.{table}.{code}.{name}" for code in codes.split(JOINED)]


@dataclass(frozen=True, eq=False)
class JointDistribution:
    """The distribution of all parameters: P estimated ones, then A assumptions.

    Attributes:
        estimates: those of the calibration.
        keys: of the A assumptions.
        low: (A,) lower ends of their ranges.
        mode: (A,) defaults.
        high: (A,) upper ends.
    """

    estimates: Estimates
    keys: tuple[str, ...]
    low: Float
    mode: Float
    high: Float

    @cached_property
    def all_keys(self) -> tuple[str, ...]:
        """Keys of all parameters."""
        return (*self.estimates.keys, *self.keys)

    @cached_property
    def digest(self) -> str:
        """Hash of the distribution."""
        own, e = [self.keys, self.low, self.mode, self.high], self.estimates
        own += [e.keys, e.central, e.std_error, e.low, e.high, e.correlation]
        text = json.dumps([np.asarray(part).tolist() for part in own])
        return hashlib.sha256(text.encode()).hexdigest()

    def draws(self, unit: Float) -> list[Draw]:
        """A draw at each of the points (n, P + A) of the unit cube."""
        p, width = len(self.estimates.keys), self.high - self.low
        below, above = (
            1 + 4 * (self.mode - self.low) / width,
            1 + 4 * (self.high - self.mode) / width,
        )
        others = self.low + width * betaincinv(below, above, unit[:, p:])
        values = np.hstack([self.estimates.values(unit[:, :p]), others])
        values = scaled_to_one(self.all_keys, values)
        is_whole = [_is_whole(_keys(key)[0]) for key in self.all_keys]
        return [
            {k: round(v) if whole else v
             for k, v, whole in zip(self.all_keys, row, is_whole, strict=True)}
            for row in values.tolist()
        ]  # fmt: skip


def _is_whole(key: str) -> bool:
    return parameter_at(key, CENTRAL).kind == "whole number"


@lru_cache(maxsize=1)
def joint_distribution() -> JointDistribution:
    """The distribution that draws are made from."""
    estimated = stored_estimates()
    taken = {_column(key) for key in estimated.keys}
    factors = [f for f in plausible(CENTRAL)
               if not f.key.startswith(RESOLUTION) and _column(f.key) not in taken]  # fmt: skip
    low, high = (np.array([getattr(f, end) for f in factors], float) for end in ("low", "high"))
    mode = np.array([0.0 if EVERY in f.key else _number(_at(CENTRAL, f.key)) for f in factors])
    return JointDistribution(estimated, tuple(f.key for f in factors), low, mode, high)


def _column(key: str) -> str:
    """What a parameter is a part of: all figures of a column are one assumption."""
    parts = key.split(".")
    return f"{parts[1]}.{parts[3]}" if parts[0] == "figures" else key


def _at(scenario: Scenario, key: str) -> Any:
    block, field = key.split(".")
    return getattr(getattr(scenario, block), field)


def _number(value: Any) -> float:
    """A number, or the last value of a path, which its range is about."""
    return float(value.values[-1] if hasattr(value, "values") else value)


def draw_number(seed: int) -> int:
    """The point of the sequence that a seed has: 0, 1, 2, 2, 3, 4, 5, 5, 6 and so on."""
    return (seed - (seed + 1) // REPEATS) % POINTS


def draws_of(seeds: Sequence[int]) -> dict[int, Draw]:
    """The draw of every seed, whatever the others are: a point of one scrambled Sobol' sequence."""
    from scipy.stats import qmc  # takes long to import, and a fixed run does not need it

    joint, numbers = joint_distribution(), sorted({draw_number(seed) for seed in seeds})
    rng = np.random.default_rng(SCRAMBLING)
    sequence, by_number, at = qmc.Sobol(len(joint.all_keys), scramble=True, seed=rng), {}, 0
    for number in numbers:
        if number > at:
            sequence.fast_forward(number - at)
        (by_number[number],) = joint.draws(sequence.random(1))  # one by one: sums in one order
        at = number + 1
    return {seed: by_number[draw_number(seed)] for seed in seeds}


def with_draw(scenario: Scenario, draw: Draw) -> Scenario:
    """The scenario with drawn parameters in place of those that have their default.

    Another value than the default is what the scenario is about, or what its author holds to be
    true (`--set`): it stays, and so does its partner in a sum. The other scenarios are drawn at
    that key all the same, so that a scenario and a seed give the same run whatever they are
    compared with. Values are within ranges that were checked, and are not checked again.
    """
    values, figures = dict[str, Any](), dict[str, float]()
    for key, value in draw.items():
        if key.startswith("figures."):
            figures |= _figures(scenario, key, float(value))
        elif (own := _at(scenario, key)) == _at(CENTRAL, key):
            is_path = isinstance(own, TimePath)
            values[key] = reaching(own, float(value), from_first=True) if is_path else value
    for group in SHARES:
        if not all(key in values for key in group):
            values = {key: value for key, value in values.items() if key not in group}
    changes: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        block, _, field = key.partition(".")
        changes.setdefault(block, {})[field] = value
    blocks = {b: getattr(scenario, b).model_copy(update=given) for b, given in changes.items()}
    return with_figures(scenario.model_copy(update=blocks), figures)


def _figures(scenario: Scenario, key: str, value: float) -> Iterator[tuple[str, float]]:
    """Figures at a draw, without those that the scenario sets or replaces with a table."""
    for each in _keys(key):
        _, table, code, name = each.split(".")
        shipped, figures = (getattr(of.tables(), table).figures for of in (CENTRAL, scenario))
        if code == EVERY or figures.get((code, name)) == shipped[code, name]:
            for found, at in figures_at(scenario, each, value):
                if name not in scenario.figures.get(table, {}).get(found.split(".")[2], {}):
                    yield found, at


def described() -> dict[str, Any]:
    """What results say about the draws they were made with."""
    joint = joint_distribution()
    return {
        "estimated": list(joint.estimates.keys),
        "assumed": list(joint.keys),
        "repeated_every": REPEATS,
        "digest": joint.digest,
    }

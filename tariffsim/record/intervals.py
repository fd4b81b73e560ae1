"""Means over replications with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

PAIRS = 5
"""Repeated draws from which the variance by seeds is separated from that by parameters."""


@dataclass(frozen=True)
class Interval:
    """A mean with its interval; statistically significant if the interval excludes zero."""

    mean: float
    low: float
    high: float
    n: int
    sd_seeds: float = math.nan
    """Standard deviation among runs with the same parameters, where parameters are drawn."""
    sd_parameters: float = math.nan
    """Standard deviation by parameters, in the mean over seeds, where they are drawn."""
    sign_probability: float = math.nan
    """That the value has the sign of the mean, where parameters are drawn."""

    @property
    def is_significant(self) -> bool:
        """Whether the interval excludes zero; never with fewer than two runs."""
        return self.n > 1 and (self.low > 0 or self.high < 0)


def paired_interval(values: Sequence[float]) -> Interval:
    """Mean of paired differences with Student's 95 % interval."""
    sample = np.asarray(values, dtype=float)
    n = len(sample)
    mean = float(sample.mean())
    if n < 2:
        return Interval(mean, float("nan"), float("nan"), n)
    half = float(stdtrit(n - 1, 0.975) * sample.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)


def drawn_interval(values: Sequence[float], draws: Sequence[int]) -> Interval:
    """Mean of paired differences over seeds and drawn parameters, with its 95 % interval.

    Variance within a draw is that of seeds, and what is more among draws that of parameters
    (unbalanced analysis of variance by one factor; Searle, Casella and McCulloch 1992). More runs
    make the mean better known, but not the parameters: the interval is that of the expected value
    at parameters drawn once more, by Student's distribution.

    Args:
        values: a paired difference a seed.
        draws: what names the draw of every seed; some have to share one, else both parts are one
            and count as parameters.
    """
    sample, n = np.asarray(values, dtype=float), len(values)
    mean = float(sample.mean())
    _, of, size = np.unique(draws, return_inverse=True, return_counts=True)
    g = len(size)
    if g < 2:
        return Interval(mean, math.nan, math.nan, n)
    means = np.bincount(of, sample) / size
    within = float(np.sum((sample - means[of]) ** 2))
    among = float(np.sum(size * (means - mean) ** 2))
    seeds = within / (n - g) if n > g else 0.0
    parameters = (among / (g - 1) - seeds) * (g - 1) / (n - float(np.sum(size**2)) / n)
    if parameters <= 0:  # as far as can be told, all is chance
        seeds, parameters = (within + among) / (n - 1), 0.0
    of_mean = seeds / n + parameters * float(np.sum(size**2)) / n**2
    scale = math.sqrt(parameters + of_mean)
    half = float(stdtrit(g - 1, 0.975)) * scale
    sure = float(stdtr(g - 1, abs(mean) / scale)) if scale > 0 else 1.0
    return Interval(
        mean, mean - half, mean + half, n,
        math.sqrt(seeds) if n > g else math.nan, math.sqrt(parameters),
        sure if mean else math.nan,
    )  # fmt: skip


def half_width_by_seeds(values: Sequence[float], draws: Sequence[int] | None = None) -> float:
    """Half-width of the 95 % interval of a mean paired difference that is due to seeds alone.

    `t(0.975, f) sqrt(v / n)` of n seeds, where v is the variance by seeds. With fixed parameters
    it is that of the sample, with `f = n - 1`. With G draws it is that within draws, with
    `f = n - G`: seeds that share a draw differ by chance alone. As long as fewer than PAIRS draws
    were repeated that is too rough, and v is the variance of the sample, with `f = n - 1`, which
    has the variance by parameters in it: the half-width is then too large, never too small.

    Args:
        values: a paired difference a seed.
        draws: what names the draw of every seed; None if parameters are fixed.

    Returns:
        In the unit of the values; infinite with fewer than two seeds.
    """
    sample, n = np.asarray(values, dtype=float), len(values)
    if n < 2:
        return math.inf
    if draws is not None:
        _, of, size = np.unique(draws, return_inverse=True, return_counts=True)
        if n - len(size) >= PAIRS:
            within = sample - (np.bincount(of, sample) / size)[of]
            return _half_width(float(within @ within), n - len(size), n)
    apart = sample - sample.mean()
    return _half_width(float(apart @ apart), n - 1, n)


def _half_width(squares: float, freedom: int, n: int) -> float:
    """Half-width of the interval of a mean, from a sum of squares with its degrees of freedom."""
    return float(stdtrit(freedom, 0.975)) * math.sqrt(squares / freedom / n)


def interval_columns(name: str, values: ArrayLike, level: float = 0.0) -> dict[str, float]:
    """Mean over seeds and the ends of its interval as columns, each plus a level."""
    interval = paired_interval(np.asarray(values, float).tolist())
    ends = {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return {column: level + value for column, value in ends.items()}


def ratio_interval(
    top: Sequence[float],
    bottom: Sequence[float],
    interval_of: Callable[[Sequence[float]], Interval] = paired_interval,
) -> Interval:
    """Ratio of two means over replications, with a jackknife interval (Quenouille 1956).

    NaN if the denominator is not statistically significant.
    """
    above, below = np.asarray(top, dtype=float), np.asarray(bottom, dtype=float)
    n = len(above)
    if n < 2 or not interval_of(bottom).is_significant:
        return Interval(float("nan"), float("nan"), float("nan"), n)
    ratio = above.sum() / below.sum()
    left_out = (above.sum() - above) / (below.sum() - below)
    pseudo = n * ratio - (n - 1) * left_out
    return replace(interval_of([float(p) for p in pseudo]), mean=float(ratio))

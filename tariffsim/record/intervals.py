"""Means over replications with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit


@dataclass(frozen=True)
class Interval:
    """A mean with its interval; statistically significant if the interval excludes zero."""

    mean: float
    low: float
    high: float
    n: int

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


def interval_columns(name: str, values: ArrayLike, level: float = 0.0) -> dict[str, float]:
    """Mean over seeds and the ends of its interval as columns, each plus a level."""
    interval = paired_interval(np.asarray(values, float).tolist())
    ends = {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return {column: level + value for column, value in ends.items()}


def ratio_interval(top: Sequence[float], bottom: Sequence[float]) -> Interval:
    """Ratio of two means over replications, with a jackknife interval (Quenouille 1956).

    NaN if the denominator is not statistically significant.
    """
    above, below = np.asarray(top, dtype=float), np.asarray(bottom, dtype=float)
    n = len(above)
    if n < 2 or not paired_interval(bottom).is_significant:
        return Interval(float("nan"), float("nan"), float("nan"), n)
    ratio = above.sum() / below.sum()
    left_out = (above.sum() - above) / (below.sum() - below)
    pseudo = n * ratio - (n - 1) * left_out
    interval = paired_interval([float(p) for p in pseudo])
    return Interval(float(ratio), interval.low, interval.high, n)

"""Means over paired runs with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit


@dataclass(frozen=True)
class Interval:
    """A mean with its interval; distinguishable if the interval leaves zero out."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def is_significant(self) -> bool:
        """Whether zero is outside the interval; never with fewer than two runs."""
        return self.n > 1 and (self.low > 0 or self.high < 0)


def paired_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Mean of paired differences with Student's interval."""
    sample = np.asarray(values, dtype=float)
    n = len(sample)
    mean = float(sample.mean())
    if n < 2:
        return Interval(mean, float("nan"), float("nan"), n)
    half = float(stdtrit(n - 1, 0.5 + confidence / 2) * sample.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n)


def ratio_interval(top: Sequence[float], bottom: Sequence[float]) -> Interval:
    """Ratio of two means over paired runs, with a jackknife interval (Quenouille 1956)."""
    above, below = np.asarray(top, dtype=float), np.asarray(bottom, dtype=float)
    n = len(above)
    if n < 2 or not paired_interval(bottom).is_significant:
        return Interval(float("nan"), float("nan"), float("nan"), n)
    ratio = above.sum() / below.sum()
    left_out = (above.sum() - above) / (below.sum() - below)
    pseudo = n * ratio - (n - 1) * left_out
    interval = paired_interval([float(p) for p in pseudo])
    return Interval(float(ratio), interval.low, interval.high, n)

"""Exact Shapley values: a difference shared out among the changes that make it.

References:
    Shapley (1953), A value for n-person games.
    Shorrocks (2013), Decomposition procedures for distributional analysis, J. Econ. Inequality 11.
"""

from __future__ import annotations

from math import factorial

import numpy as np

from tariffsim.typing import Float


def shapley_values(values: Float) -> Float:
    """Contribution of every change: `(changes, ...)` of values by subset `(2^changes, ...)`.

    Subsets are numbered in binary: bit i of the row is set where change i is made. The
    contribution of i is the mean over all orders of what it adds to those made before:
    `sum_S |S|! (n - |S| - 1)! / n! (v(S + i) - v(S))`. They add up to `v(all) - v(none)`.
    """
    n = len(values).bit_length() - 1
    subsets = np.arange(len(values))
    size = np.array([int(s).bit_count() for s in subsets])
    weight = np.array([factorial(k) * factorial(n - k - 1) / factorial(n) for k in range(n)])
    found = []
    for i in range(n):
        without = subsets[subsets & (1 << i) == 0]
        added = values[without | (1 << i)] - values[without]
        found.append(np.tensordot(weight[size[without]], added, axes=1))
    return np.array(found)

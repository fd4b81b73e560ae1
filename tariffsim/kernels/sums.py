"""Sums of rows by group."""

from __future__ import annotations

import numpy as np

from tariffsim.typing import Float, Int


def sum_by(group: Int, values: Float, n_groups: int) -> Float:
    """(n_groups,) sum of the values of each group, in the unit of the values."""
    return np.bincount(group, values, n_groups).astype(np.float64, copy=False)


def sum_runs(values: Float, first: Int) -> Float:
    """(C, runs) sum over runs of rows in each column of values (C, rows), in their unit.

    `first` (runs,) are the first rows, in order; a run ends where the next begins.
    """
    return np.asarray(np.add.reduceat(values, first, axis=1))


def over_slots(values: Float) -> Float:
    """(N,) sum over the slots of each line, in the unit of the values (N, K)."""
    return np.asarray(np.einsum("...k->...", values))


def least_over_slots(values: Float) -> Float:
    """(N,) least value over the slots of each line (N, K)."""
    return np.asarray(np.minimum.reduce(list(values.T)))

"""Elementary steps: sums and products of columns, by group, slot (N, P) and foundry (F, K)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tariffsim.typing import Float, Int


def times(value: Float | float, number: Float | float) -> Float:
    """A price, cost, duty or need of each unit, times the units."""
    return np.asarray(value * number)


def ratio(top: Float, bottom: Float) -> Float:
    """One quantity over another, such as a price over that of the base year."""
    return np.asarray(top / bottom)


def total(*values: Float) -> Float:
    """Sum of columns, in their order."""
    return np.asarray(sum(values[1:], start=values[0]))


def left_over(received: Float, *paid: Float) -> Float:
    """What is received less all that is paid, in this order."""
    for amount in paid:
        received = received - amount
    return np.asarray(received)


def shares(values: Float) -> Float:
    """(F, K) each foundry's share of its class; zero where nothing is."""
    of_class = values.sum(axis=0)
    return np.asarray(values / np.where(of_class > 0, of_class, 1.0))


def sum_by(group: Int, values: Float, n_groups: int) -> Float:
    """(n_groups,) sum of the values of each group, in the unit of the values."""
    return np.bincount(group, values, n_groups).astype(np.float64, copy=False)


def sum_runs(values: Float, group: Int, n_groups: int) -> Float:
    """(..., n_groups) the same of values (..., rows) that stand in the order of their groups."""
    first = np.flatnonzero(np.diff(group, prepend=-1))
    total = np.zeros((*values.shape[:-1], n_groups))
    total[..., group[first]] = np.add.reduceat(values, first, axis=-1)
    return total


def mean_by(group: Int, values: Float, weights: Float, n_groups: int) -> Float:
    """(n_groups,) sum of the values of each group over that of its weights."""
    total = sum_by(group, values, n_groups)
    return np.asarray(total / np.maximum(sum_by(group, weights, n_groups), 1e-300))


def rank_within(group: Int) -> Int:
    """(rows,) place of each row in its group, rows being in the order of their groups."""
    return np.asarray(np.arange(len(group)) - np.searchsorted(group, group))


def over_slots(values: Float) -> Float:
    """(N,) sum over the slots of each line, in the unit of the values (N, P)."""
    return np.asarray(np.einsum("...k->...", values))


def least_over_slots(values: Float) -> Float:
    """(N,) least value over the slots of each line (N, P)."""
    return np.asarray(np.minimum.reduce(list(values.T)))


def of_suppliers(table: Float, supplier: Int, slot_class: Int) -> Float:
    """(N, P) what a table of foundries (F, K) says of the supplier of each slot."""
    return np.asarray(table.ravel().take(supplier * table.shape[1] + slot_class))


def by_supplier(values: Float, supplier: Int, slot_class: Int, n_foundries: int) -> Float:
    """(F, K) sum of the values (N, P) of the slots that each foundry supplies.

    `slot_class` (P,) is the node class of each slot; every class has one.
    """
    n_classes = int(slot_class.max()) + 1
    place = (supplier * n_classes + slot_class).ravel()
    return sum_by(place, values.ravel(), n_foundries * n_classes).reshape(-1, n_classes)


def by_class(values: Float, slot_class: Int) -> Float:
    """(..., K) sum over the slots of each node class of values (..., P)."""
    first = np.flatnonzero(np.diff(slot_class, prepend=-1))
    return np.asarray(np.add.reduceat(values, first, axis=-1))


def by_foundry(values: Float, origin: Int) -> Float:
    """(rows, F) of values (rows, R) those at the origin of each foundry's chips.

    `origin` is (F,), or (rows, F) where it depends on the row.
    """
    if origin.ndim == 1:
        return values.take(origin, axis=1)
    return np.take_along_axis(values, origin, axis=1)


def over_markets(values: Float, weights: Float) -> Float:
    """(rows, ...) mean over the markets of each line of values (rows or 1, M, ...)."""
    result: Float = np.einsum("nm...,nm->n...", values, weights)
    return result


def weighted_sum(weights: Sequence[Float], values: Sequence[Float]) -> Float:
    """Sum of values by their weights, such as a mean over futures."""
    return sum((w * v for w, v in zip(weights, values, strict=True)), start=np.zeros(()))


def blocks(rows: Int, size: int) -> Iterator[Int]:
    """The rows in blocks of at most so many."""
    return (rows[start : start + size] for start in range(0, len(rows), size))


def largest_within(group: Int, value: Float) -> Int:
    """(groups,) row of the largest value of each group (rows,), in their order; first of ties."""
    order = np.lexsort((np.arange(len(group)), -value, group))
    return np.asarray(order[np.diff(group[order], prepend=-1) != 0])

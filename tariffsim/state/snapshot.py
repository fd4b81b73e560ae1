"""The state of an economy between two months: copies of what a run has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tariffsim.state.economy import DutyPaid, Economy

TABLES = ("foundries", "investment", "makers", "importers", "flows", "cells")
Column = tuple[str, str]
"""Table and column."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What the months to come depend on, besides law, parameters and draws.

    What laws with a memory have counted is not in it.
    """

    months: int
    """Months simulated."""
    start: Mapping[Column, bytes]
    """Digests of all columns before the first month."""
    columns: Mapping[Column, np.ndarray[Any, Any]]
    """Those that are no longer as they were then."""
    duty_paid: Mapping[DutyPaid, float]


def digests(economy: Economy) -> dict[Column, bytes]:
    """Digests of all columns of all tables, and of what is compared with the base year."""
    return {column: _digest(values) for column, values in _columns(economy)}


def size(economy: Economy) -> int:
    """Bytes of all columns: the most that a snapshot takes."""
    return sum(values.nbytes for _, values in _columns(economy))


def copies(economy: Economy) -> dict[str, Any]:
    """Copies of all tables, and of the arrays beside them, by name."""
    tables = {
        name: replace(table, **_arrays(table))
        for name in TABLES for table in [getattr(economy, name)]
    }  # fmt: skip
    return tables | _arrays(economy)


def _arrays(owner: Any) -> dict[str, Any]:
    return {
        name: values.copy(order="K")
        for name, values in vars(owner).items()
        if isinstance(values, np.ndarray)
    }


def taken(economy: Economy, start: Mapping[Column, bytes]) -> Snapshot:
    """A copy of the state; `start` are the digests before the first month."""
    changed = {
        column: values.copy(order="K")
        for column, values in _columns(economy)
        if _digest(values) != start[column]
    }
    return Snapshot(economy.month + 1, start, changed, dict(economy.duty_paid))


def restore(economy: Economy, snapshot: Snapshot) -> None:
    """Put an economy that is before its first month into a state; its law stays."""
    for (table, name), values in snapshot.columns.items():
        setattr(getattr(economy, table), name, values.copy(order="K"))
    economy.month = snapshot.months - 1
    economy.duty_paid = dict(snapshot.duty_paid)


def _columns(economy: Economy) -> Iterator[tuple[Column, np.ndarray[Any, Any]]]:
    tables = {name: getattr(economy, name) for name in (*TABLES, "constants")}
    for table, owner in (tables | {"": economy}).items():
        for name, values in vars(owner).items():
            if isinstance(values, np.ndarray) and (table or name.startswith("base_")):
                yield (table, name), values


def _digest(values: np.ndarray[Any, Any]) -> bytes:
    kind = f"{values.dtype} {values.shape}".encode()
    return kind + hashlib.blake2b(np.ascontiguousarray(values).data).digest()

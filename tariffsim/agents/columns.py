"""What is done with columns: grouped, sorted, aggregated, compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tariffsim.agents.versions import GroupBy
from tariffsim.typing import Bool, Int

ON_ARRAYS: tuple[tuple[Callable[..., Any], Callable[..., Any]], ...] = (
    (sum, np.sum),
    (min, np.min),
    (max, np.max),
)
"""Python's functions and those that do the same with arrays."""


class Groups(GroupBy):  # type: ignore[misc]
    """Populations by key; `agg` reads columns."""

    def agg(self, attr_name: str, func: Callable[..., Any]) -> dict[Any, Any]:
        """A function of an attribute of each group."""
        if any(isinstance(group, list) for group in self.groups.values()):
            return dict(super().agg(attr_name, func))
        return {key: group.agg(attr_name, func) for key, group in self.groups.items()}


def applied(func: Callable[..., Any], values: Any) -> Any:
    """A function of a column, computed on the array where that is possible."""
    if isinstance(values, np.ndarray):
        if values.dtype == object:
            return func(values.tolist())
        func = next((fast for slow, fast in ON_ARRAYS if func is slow), func)
    result = func(values)
    return result.item() if isinstance(result, np.generic) else result


def meets(values: Any, wanted: Any) -> Bool:
    """Which values are the one wanted, or among several, or pass a function of the array."""
    if not isinstance(values, np.ndarray):
        values = np.fromiter(values, dtype=object)
    if callable(wanted):
        return np.asarray(wanted(values), dtype=bool)
    if isinstance(wanted, (list, tuple, set, frozenset)):
        return np.isin(values, list(wanted))
    return np.asarray(values == wanted, dtype=bool)


def sorted_order(values: Any, ascending: bool) -> Int:
    """Positions in order of the values; ties keep theirs."""
    if not isinstance(values, np.ndarray):
        order = sorted(range(len(values)), key=values.__getitem__, reverse=not ascending)
        return np.array(order, dtype=np.intp)
    if ascending:
        return values.argsort(kind="stable")
    return np.asarray(len(values) - 1 - values[::-1].argsort(kind="stable")[::-1])


def by_value(values: Any) -> Iterator[tuple[Any, Int]]:
    """Positions of each value, in order of appearance."""
    import pandas as pd

    array = values if isinstance(values, np.ndarray) else np.fromiter(values, dtype=object)
    numbers, keys = pd.factorize(array, use_na_sentinel=False)
    ends = np.bincount(numbers).cumsum()
    for key, rows in zip(keys, np.split(numbers.argsort(kind="stable"), ends[:-1]), strict=False):
        yield key.item() if isinstance(key, np.generic) else key, rows

"""A set of rows that behaves as Mesa's AgentSet; agents are created lazily."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable, Iterator, MutableSet
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from tariffsim.agents.rows import AgentSet, GroupBy, Row
from tariffsim.typing import Bool, Int

if TYPE_CHECKING:
    import pandas as pd


ON_ARRAYS: dict[Any, Any] = {sum: np.sum, min: np.min, max: np.max}
"""Python's functions and those that do the same with arrays."""


class Groups(GroupBy):  # type: ignore[misc]
    """Populations by key; `agg` reads columns."""

    def agg(self, attr_name: str, func: Callable[..., Any]) -> dict[Any, Any]:
        """A function of an attribute of each group."""
        if any(isinstance(group, list) for group in self.groups.values()):
            return dict(super().agg(attr_name, func))
        return {key: group.agg(attr_name, func) for key, group in self.groups.items()}


class Population(AgentSet):  # type: ignore[misc]
    """Rows of the model's tables as an AgentSet.

    `get`, `agg`, `select` by conditions, `sort`, `groupby` and `table` read whole columns, a
    million rows in milliseconds. Iterating, `do`, `map` and selecting by a function make an agent
    for every row and ask it, some microseconds each: over a million agents prefer `table()`.
    Editing a population never changes the model.

    Args:
        model: whose agents.
        ids: their unique_ids, in order.
        kind: if all are of one kind.
    """

    def __init__(self, model: Any, ids: Int, kind: type[Row] | None) -> None:
        self.model, self.ids, self.kind = model, ids, kind

    @classmethod
    def of(cls, model: Any, kind: type[Row], rows: Int | None = None) -> Population:
        """All agents of a kind, or those at these rows."""
        ids = model.census.ids(kind)
        return cls(model, ids if rows is None else ids[rows], kind)

    @classmethod
    def everyone(cls, model: Any) -> Population:
        """All agents of a model."""
        ids = [model.census.ids(kind) for kind in model.census.counts]
        return cls(model, np.concatenate(ids), None)

    @property
    def random(self) -> Any:
        """Mesa's random numbers of the model; the economics draws none of them."""
        return self.model.random

    # One agent

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Row]:
        kept, model = self.model.census.kept, self.model
        for kind, ids in self._runs():
            shift = model.census.first(kind)
            for number in ids.tolist():
                found = kept.get(number)
                yield kind(model, number - shift, number) if found is None else found

    def __contains__(self, agent: object) -> bool:
        return (
            isinstance(agent, Row)
            and agent.model is self.model
            and bool((self.ids == agent.unique_id).any())
        )

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, slice):
            return list(self._at(item))
        return next(iter(self._at([item])))

    @property
    def _agents(self) -> dict[Row, None]:
        return dict.fromkeys(self)

    def _runs(self) -> list[tuple[type[Row], Int]]:
        """Stretches of one kind, in order."""
        if self.kind is not None:
            return [(self.kind, self.ids)]
        kinds = list(self.model.census.counts)
        firsts = [self.model.census.first(kind) for kind in kinds]
        number = np.searchsorted(firsts, self.ids, "right") - 1
        starts = np.flatnonzero(np.diff(number, prepend=-1))
        runs = zip(starts, np.split(self.ids, starts[1:]), strict=False)  # none of no agents
        return [(kinds[number[start]], ids) for start, ids in runs]

    # Columns

    def column(self, name: str) -> Any:
        """A quantity of all agents as an array; None if it is no column of their kind."""
        found = None if self.kind is None else self.kind.columns().get(name)
        if found is None or self.kind is None:
            return None
        return np.asarray(found.read(self.model.economy, self._rows()))

    def _values(self, by: Callable[[Any], Any] | str) -> Any:
        """A column, any other attribute, or a function of each agent, as an array."""
        values = self.column(by) if isinstance(by, str) else None
        if values is None:
            each = self.get(by) if isinstance(by, str) else map(by, self)
            values = np.fromiter(each, dtype=object, count=len(self))
        return values

    def table(self, *columns: str) -> pd.DataFrame:
        """The named columns, or all, as a table with one row an agent.

        Raises:
            TypeError: agents of several kinds.
            KeyError: no such column.
        """
        import pandas as pd

        if self.kind is None:
            raise TypeError("agents of several kinds: take model.agents_by_type[kind].table()")
        known = self.kind.columns()
        if unknown := [name for name in columns if name not in known]:
            raise KeyError(f"{self.kind.__name__} has no column {unknown[0]!r}; it has {[*known]}")
        values = {name: self.column(name) for name in columns or known}
        return pd.DataFrame(values, index=pd.Index(self.ids, name="unique_id"))

    def get(self, attr_names: Any, handle_missing: str = "error", default_value: Any = None) -> Any:
        """Attributes of each agent, as a list; columns are read at once."""
        names = [attr_names] if isinstance(attr_names, str) else list(attr_names)
        columns = [self.column(name) for name in names]
        if handle_missing not in ("error", "default") or any(c is None for c in columns):
            return super().get(attr_names, handle_missing, default_value)
        if isinstance(attr_names, str):
            return columns[0].tolist()
        return [list(values) for values in zip(*(c.tolist() for c in columns), strict=True)]

    def agg(self, attribute: str, func: Any) -> Any:
        """A function, or several, of an attribute of all agents."""
        values = self._values(attribute)
        if callable(func):
            return _applied(func, values)
        return [_applied(each, values) for each in func]

    # Subsets and orders

    def select(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        at_most: float = float("inf"),
        inplace: bool = False,
        agent_type: type[Row] | None = None,
        **conditions: Any,
    ) -> Population:
        """Some of the agents.

        Args:
            filter_func: takes an agent; true for those wanted.
            at_most: how many, or a float up to 1 for which part of all.
            inplace: change this population instead of returning another.
            agent_type: the kind wanted.
            conditions: by column, which is fast: a value, several values, or a function from the
                column as an array to a mask, as in `select(device="drone", units=lambda u: u > 9)`.
        """
        found = self if agent_type is None else self._of_kind(agent_type)
        for name, wanted in conditions.items():
            found = found._at(_meets(found._values(name), wanted))
        if isinstance(at_most, float) and at_most <= 1.0:
            at_most = int(len(self) * at_most)
        if filter_func is not None:
            passing = (i for i, agent in enumerate(found) if filter_func(agent))
            limit = None if at_most == float("inf") else int(at_most)
            found = found._at(np.array(list(itertools.islice(passing, limit)), dtype=np.intp))
        elif at_most < len(found):
            found = found._at(slice(int(at_most)))
        return self._become(found, inplace)

    def sort(
        self, key: Callable[[Any], Any] | str, ascending: bool = False, inplace: bool = False
    ) -> Population:
        """By an attribute or a function, the largest first; ties keep their order."""
        order = _sorted_order(self._values(key), ascending)
        return self._become(self._at(order), inplace)

    def shuffle(self, inplace: bool = False) -> Population:
        """In random order, by Mesa's random numbers, which the economics does not use."""
        order = list(range(len(self)))
        self.random.shuffle(order)
        return self._become(self._at(np.array(order, dtype=np.intp)), inplace)

    def groupby(self, by: Callable[[Any], Any] | str, result_type: str = "agentset") -> Groups:
        """Agents by the value of an attribute or a function, in order of appearance."""
        groups = {key: self._at(rows) for key, rows in _by_value(self._values(by))}
        if result_type == "agentset":
            return Groups(groups)
        return Groups({key: list(group) for key, group in groups.items()})

    # Every agent

    def do(self, method: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> Population:
        """Call a method, by name, or a function on each agent."""
        self.map(method, *args, **kwargs)
        return self

    def shuffle_do(self, method: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> Population:
        """The same in random order."""
        self.shuffle().do(method, *args, **kwargs)
        return self

    def map(self, method: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> list[Any]:
        """What a method, by name, or a function returns for each agent."""
        if isinstance(method, str):
            return [getattr(agent, method)(*args, **kwargs) for agent in self]
        return [method(agent, *args, **kwargs) for agent in self]

    # The set itself

    def add(self, agent: Row) -> None:
        """Put an agent of the same model into this population."""
        if agent not in self:
            self._become(self._from_iterable([*self, agent]), inplace=True)

    def discard(self, agent: Row) -> None:
        """Take an agent out of this population, if it is there."""
        if agent in self:
            self.ids = self.ids[self.ids != agent.unique_id]

    remove = MutableSet.remove

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __repr__(self) -> str:
        kind = "agents" if self.kind is None else self.kind.__name__
        return f"Population({len(self)} x {kind})"

    @classmethod
    def _from_iterable(cls, agents: Iterable[Row]) -> Any:
        """What `|`, `&`, `-` and `^` make."""
        found = dict.fromkeys(agents)
        if not found:
            return AgentSet([], random=Random(0))
        model = next(iter(found)).model
        if any(agent.model is not model for agent in found):
            raise ValueError("agents of different models")
        kinds = {type(agent) for agent in found}
        ids = np.array([agent.unique_id for agent in found])
        return cls(model, ids, kinds.pop() if len(kinds) == 1 else None)

    def _rows(self) -> Int:
        return np.asarray(self.ids - self.model.census.first(self.kind))

    def _at(self, positions: Any) -> Population:
        return Population(self.model, self.ids[positions], self.kind)

    def _become(self, other: Population, inplace: bool) -> Population:
        if not inplace:
            return copy.copy(other) if other is self else other
        self.ids, self.kind = other.ids, other.kind
        return self

    def _of_kind(self, kind: type[Row]) -> Population:
        """The agents of a kind or of its subclasses."""
        runs = [(found, ids) for found, ids in self._runs() if issubclass(found, kind)]
        ids = np.concatenate([run for _, run in runs]) if runs else self.ids[:0]
        kinds = {found for found, _ in runs}
        return Population(self.model, ids, kinds.pop() if len(kinds) == 1 else self.kind)


def _applied(func: Callable[..., Any], values: Any) -> Any:
    """A function of a column, computed on the array where that is possible."""
    is_array = values.dtype != object
    result = ON_ARRAYS.get(func, func)(values) if is_array else func(values.tolist())
    return result.item() if isinstance(result, np.generic) else result


def _meets(values: Any, wanted: Any) -> Bool:
    """Which values are the one wanted, or among several, or pass a function of the array."""
    if callable(wanted):
        return np.asarray(wanted(values), dtype=bool)
    if isinstance(wanted, (list, tuple, set, frozenset)):
        return np.isin(values, list(wanted))
    return np.asarray(values == wanted, dtype=bool)


def _sorted_order(values: Any, ascending: bool) -> Int:
    """Positions in order of the values; ties keep theirs."""
    if ascending:
        return np.asarray(values.argsort(kind="stable"))
    return np.asarray(len(values) - 1 - values[::-1].argsort(kind="stable")[::-1])


def _by_value(values: Any) -> Iterator[tuple[Any, Int]]:
    """Positions of each value, in order of appearance."""
    import pandas as pd

    numbers, keys = pd.factorize(values, use_na_sentinel=False)
    ends = np.bincount(numbers).cumsum()
    for key, rows in zip(keys, np.split(numbers.argsort(kind="stable"), ends[:-1]), strict=False):
        yield key.item() if isinstance(key, np.generic) else key, rows

"""An agent is a row of a table: it holds no state and reads the arrays when asked."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from tariffsim.state.economy import Economy
from tariffsim.tables.renamed import no_attribute
from tariffsim.typing import Int

with warnings.catch_warnings():
    # A progress bar that Mesa never shows here asks notebooks for a package they need not have.
    warnings.filterwarnings("ignore", message="IProgress not found")
    from mesa import Agent, DataCollector, Model
    from mesa.agent import AgentSet

try:
    from mesa.agentset import GroupBy
except ImportError:  # before Mesa 3.4
    from mesa.agent import GroupBy

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AgentSet", "Census", "Column", "DataCollector", "GroupBy", "Model", "Row", "names"]


def names(labels: Sequence[str], positions: Any) -> Any:
    """The names at some positions, as an array of objects."""
    return np.array(labels, dtype=object)[positions]


class Column:
    """One quantity of every agent of a kind.

    Args:
        unit: what it is counted in.
        meaning: what it is.
        computed: takes the economy and rows (one or many), gives the values there. By default
            they are those of the array of the same name in the table of the kind, summed over its
            second axis if there is one.
        codes: which names the array has the positions of, such as `devices`.
    """

    def __init__(
        self,
        unit: str,
        meaning: str,
        computed: Callable[[Economy, Any], Any] | None = None,
        codes: str = "",
    ) -> None:
        self.unit, self.meaning, self.computed, self.codes = unit, meaning, computed, codes
        self.__doc__ = f"{meaning} ({unit})"
        self.name = self.table = ""

    def __set_name__(self, owner: type[Row], name: str) -> None:
        self.name, self.table = name, owner.in_economy

    def read(self, economy: Economy, rows: Any) -> Any:
        """Its values at rows, one or many."""
        if self.computed is not None:
            return self.computed(economy, rows)
        array = getattr(getattr(economy, self.table), self.name)
        if self.codes:
            return names(getattr(economy.constants.codes, self.codes), array[rows])
        return array[rows] if array.ndim == 1 else array[rows].sum(axis=-1)

    def __get__(self, agent: Row | None, kind: type | None = None) -> Any:
        if agent is None:
            return self
        value = self.read(agent.model.economy, agent.row)
        return value.item() if isinstance(value, np.generic) else value

    def __set__(self, agent: Row, value: object) -> NoReturn:
        raise AttributeError(
            f"{self.name} cannot be set: it follows from the scenario and the months simulated"
        )


class Row(Agent):  # type: ignore[misc]
    """A row of a table as a Mesa agent; two looks at one row are equal.

    Attributes of your own may be set; an agent that has any is kept by its model.
    """

    model: Any
    row: int
    unique_id: int
    pos: Any = None
    in_economy: ClassVar[str]
    """The table it is a row of."""

    def __init__(self, model: Any, row: int, unique_id: int) -> None:
        # Mesa's constructor would register the agent: the model would then hold every row ever
        # looked at, and Mesa 3.3.1 would never free the model.
        self.__dict__.update(model=model, row=row, unique_id=unique_id)

    def __getattr__(self, name: str) -> NoReturn:
        raise no_attribute(repr(type(self).__name__), "agent", name)

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        self.model.census.kept[self.unique_id] = self

    def __eq__(self, other: object) -> bool:
        return (
            type(self) is type(other)
            and isinstance(other, Row)
            and ((self.model, self.row) == (other.model, other.row))
        )

    def __hash__(self) -> int:
        return hash((type(self), self.row))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self._label()))})"

    def _label(self) -> tuple[Any, ...]:
        return (self.row,)

    def remove(self) -> NoReturn:
        """Refused: how many agents there are is part of the scenario."""
        raise TypeError("agents cannot be removed: set their number in the scenario (agents)")

    def by_class(self, column: str) -> dict[str, float]:
        """A column of the economy's table that is split by node class, such as a foundry's `price`.

        Columns and units are documented in `tariffsim.state.economy`.
        """
        economy = self.model.economy
        values = getattr(getattr(economy, self.in_economy), column)[self.row]
        return dict(zip(economy.constants.codes.classes, values.tolist(), strict=True))

    @classmethod
    def columns(cls) -> dict[str, Column]:
        """The quantities of this kind of agent by name."""
        return {name: found for name, found in vars(cls).items() if isinstance(found, Column)}

    @classmethod
    def describe(cls) -> pd.DataFrame:
        """The quantities of this kind of agent: unit and meaning."""
        import pandas as pd

        rows = [(found.unit, found.meaning) for found in cls.columns().values()]
        return pd.DataFrame(rows, index=list(cls.columns()), columns=["unit", "meaning"])


@dataclass
class Census:
    """Kinds of agents of a model and how many of each; the first has unique_id 1."""

    counts: dict[type[Row], int]
    kept: dict[int, Row] = field(default_factory=dict)
    """Agents with attributes of their own, by unique_id."""

    def first(self, kind: type[Row]) -> int:
        """unique_id of the first agent of a kind."""
        before = itertools.takewhile(lambda other: other is not kind, self.counts)
        return 1 + sum(self.counts[other] for other in before)

    def ids(self, kind: type[Row]) -> Int:
        """All unique_ids of a kind."""
        first = self.first(kind)
        return np.arange(first, first + self.counts[kind])

"""The whole of a scenario: what is assumed, and which policies are in force when.

Policies may respond to others: `when: component_tariff in force for 6 months` names another policy
of the scenario, or a kind of instrument. All policies are known when a scenario is read, so a
condition gives dates.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import Field, PrivateAttr

from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.policy.fields import Code, Text, condition
from tariffsim.scenario.blocks import (
    Assembly,
    Compliance,
    Orders,
    OtherBuyers,
    Sourcing,
    Supply,
    Trade,
)
from tariffsim.scenario.nodes import Node, Position, node_at
from tariffsim.scenario.run_blocks import Agents, Block, Experiment, Run, Source, block
from tariffsim.tables import FIGURE_TABLES, TABLE_NAMES, Tables, load_tables
from tariffsim.typing import last_date, later

if TYPE_CHECKING:
    AnyInstrument = Instrument
    TableName = str
    FigureTableName = str
else:
    AnyInstrument = Annotated[Union[tuple(INSTRUMENTS.values())], Field(discriminator="kind")]  # noqa: UP007
    TableName, FigureTableName = Literal[TABLE_NAMES], Literal[tuple(FIGURE_TABLES)]
ScenarioName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]
PolicyName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Scenario(Block):
    """One scenario: what is assumed, and which policies are in force when."""

    schema_version: Literal[1] = Field(default=1, description="Version of this format.")
    title: Text = Field(default="", max_length=200, description="What it is, in one line.")
    label: Text = Field(
        default="", max_length=40, description="Short name on charts; the title if left out."
    )
    description: Text = Field(default="", max_length=4000, description="What it assumes and shows.")
    compare_with: ScenarioName = Field(
        default="baseline",
        description="Shipped scenario that this one is compared with unless another is named.",
    )
    run: Run = block(Run, "Months and seeds.")
    agents: Agents = block(Agents, "Numbers of agents.")
    supply: Supply = block(Supply, "Foundries.")
    sourcing: Sourcing = block(Sourcing, "Choice of foundry.")
    assembly: Assembly = block(Assembly, "Choice of country of assembly.")
    orders: Orders = block(Orders, "Orders, stocks and rationing.")
    trade: Trade = block(Trade, "Prices and duties.")
    compliance: Compliance = block(Compliance, "Importers' knowledge of origin and compliance.")
    other_buyers: OtherBuyers = block(OtherBuyers, "Chips for other end uses.")
    data: dict[TableName, Text] = Field(
        default_factory=dict, description="Data tables to replace: paths of CSV files."
    )
    figures: dict[FigureTableName, dict[Code, dict[Code, float]]] = Field(
        default_factory=dict, description="Single figures to replace: table, code, parameter."
    )
    policies: dict[PolicyName, AnyInstrument] = Field(
        default_factory=dict, description="Policy instruments by a name of your choice."
    )
    sources: dict[Code, Source] = Field(default_factory=dict, description="Cited sources.")
    experiment: Experiment = block(Experiment, "What `sweep` varies; not part of the scenario.")

    _name: str = PrivateAttr(default="")
    _tree: Node | None = PrivateAttr(default=None)
    _folder: Path | None = PrivateAttr(default=None)
    _files: dict[str, Path] | None = PrivateAttr(default=None)
    _tables: Tables | None = PrivateAttr(default=None)

    @property
    def name(self) -> str:
        """Name for tables and files: that of the scenario file."""
        return self._name or "scenario"

    @property
    def short_name(self) -> str:
        """Name on charts: the label, or the title, or the name."""
        return self.label or self.title or self.name

    def tables(self) -> Tables:
        """The data tables of this scenario: shipped, replaced and with single figures changed."""
        if self._tables is None:
            figures = {str(table): codes for table, codes in self.figures.items()}
            self._tables = load_tables(self.data_files, figures)
        return self._tables

    @property
    def dated_policies(self) -> dict[str, Instrument]:
        """The policies with the dates that follow from their conditions."""
        return dated(self.policies)

    @property
    def data_files(self) -> Mapping[str, Path]:
        """Files that replace data tables, by table."""
        if self._files is not None:
            return self._files
        return {table: Path(path) for table, path in self.data.items()}

    @property
    def content_hash(self) -> str:
        """SHA-256 of what a run depends on: all but words and the experiment.

        Replaced tables and figures count by their content, so that files may move.
        """
        words = {
            "title",
            "label",
            "description",
            "compare_with",
            "sources",
            "experiment",
            "data",
            "figures",
        }
        content = self.model_dump(mode="json", exclude=words)
        for policy in content["policies"].values():
            policy.pop("source")
        content["tables"] = self.tables().digest
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def trail(self, key: str) -> tuple[Position, ...]:
        """Where a value was set, first to last; empty for a default. Keys look like `run.seeds`."""
        node = node_at(self._tree, key.split("."))
        return node.trail if node else ()

    def __eq__(self, other: object) -> bool:
        """Equal values, whatever files they came from."""
        if not isinstance(other, Scenario):
            return NotImplemented
        own, its = dict(self.__dict__), dict(other.__dict__)
        if own.pop("data") or its.pop("data"):
            its.pop("data", None)
            return own == its and self.tables().digest == other.tables().digest
        return own == its

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __getstate__(self) -> dict[Any, Any]:
        state = super().__getstate__()
        private = dict(state.get("__pydantic_private__") or {}) | {"_tables": None}
        return state | {"__pydantic_private__": private}


def written_seeds(scenarios: Iterable[Scenario]) -> int | None:
    """The largest number of seeds that one of the scenarios writes; None if none does."""
    runs = [scenario.run for scenario in scenarios]
    return max((run.seeds for run in runs if "seeds" in run.model_fields_set), default=None)


class CircularConditionError(ValueError):
    """Policies depend on each other."""


def named(policies: Mapping[str, Instrument], of: str) -> list[str]:
    """Policies that a condition may mean: the one of this name, or all of this kind."""
    return [of] if of in policies else [n for n, p in policies.items() if p.kind == of]


def dated(policies: Mapping[str, Instrument]) -> dict[str, Instrument]:
    """Policies with the dates that follow from their conditions, without those never met.

    Raises:
        CircularConditionError: policies depend on each other.
    """
    found: dict[str, Instrument | None] = {}
    for name in policies:
        _date(name, policies, found, ())
    return {name: found[name] for name in policies if found[name] is not None}  # type: ignore[misc]


def _date(
    name: str,
    policies: Mapping[str, Instrument],
    found: dict[str, Instrument | None],
    waiting: tuple[str, ...],
) -> Instrument | None:
    if name in waiting:
        raise CircularConditionError(" -> ".join((*waiting[waiting.index(name) :], name)))
    if name not in found:
        policy = policies[name]
        if policy.when is None:
            found[name] = policy
        else:
            of, months = condition(policy.when)
            others = (_date(n, policies, found, (*waiting, name)) for n in named(policies, of))
            found[name] = _following(policy, [p for p in others if p is not None], months)
    return found[name]


def _following(policy: Instrument, others: list[Instrument], months: int) -> Instrument | None:
    """The policy from so many months after the others come into force until they lapse."""
    spans = [span for other in others for span in _in_force(other)]
    if not spans:
        return None
    started = policy.model_copy(update={"start": later(min(first for first, _ in spans), months)})
    lapses = [ends for _, ends in spans if ends is not None]
    if len(lapses) == len(spans) and (started.ends is None or max(lapses) < started.ends):
        started = started.model_copy(update={"end": last_date(max(lapses))})
    return started if started.ends is None or started.starts < started.ends else None


def _in_force(policy: Instrument) -> Iterator[tuple[float, float | None]]:
    """Moments from which a policy has a rate, and from which it has none; None if it is open."""
    if not policy.is_law:
        return
    last = max(policy.first_month, *map(math.ceil, policy.path.months), 0)
    is_open = policy.last_month is None
    months = range(policy.first_month, (last if is_open else policy.last_month or 0) + 1)
    parts = [part for month in months for part in _parts_with_rate(policy, month)]
    if parts:
        ends = parts[-1][1]
        yield parts[0][0], None if is_open and ends > last else ends


def _parts_with_rate(policy: Instrument, month: int) -> Iterator[tuple[float, float]]:
    """Parts of a month in which a policy has a rate, each from one moment to another."""
    path = policy.path
    begins = max(month, policy.starts, path.first_moment or 0)
    ends = month + 1 if policy.ends is None else min(month + 1, policy.ends)
    if begins >= ends:
        return
    steps = (m for m in path.months if path.interpolate == "step" and begins < m < ends)
    for part in pairwise((begins, *steps, ends)):
        if path.from_date(part[0]) != 0.0:
            yield part

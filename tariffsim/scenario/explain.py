"""Where every value of a scenario comes from, and what it means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tariffsim.errors import Problem, ScenarioError
from tariffsim.policy import Instrument
from tariffsim.policy.time_path import TimePath
from tariffsim.scenario import catalogue
from tariffsim.scenario.catalogue import Parameter
from tariffsim.scenario.fields import Scenario
from tariffsim.scenario.nodes import Position
from tariffsim.scenario.text import escaped, nearest
from tariffsim.tables.meanings import MEANINGS
from tariffsim.typing import format_month

_CITED = re.compile(r"S\d+", re.ASCII)


@dataclass(frozen=True)
class Explained:
    """One value: what it is, what it may be, where it was set and who says so."""

    key: str
    value: Any
    unit: str
    allowed: str
    low: float | None
    high: float | None
    meaning: str
    where: str
    """Places in the order they were laid over each other, or 'default'."""
    source: str
    """S-numbers of the sources table, a key of the scenario's sources, or 'assumption'."""
    citations: tuple[str, ...]
    path: tuple[tuple[str, float], ...] = ()
    """Value by month, where it changes over time: at its dates and every January."""

    @property
    def is_assumption(self) -> bool:
        """Whether nobody has published the figure."""
        return self.source.startswith("assumption") or not self.citations


def explain(scenario: Scenario, key: str | None = None) -> tuple[Explained, ...]:
    """Rows for one key, for all keys under it, or for the whole scenario.

    Raises:
        ScenarioError: there is no such key.
    """
    rows = [*_block_rows(scenario), *_policy_rows(scenario)]
    if key is None or key.split(".")[0] == "figures":
        rows += _figure_rows(scenario, everything=key is not None)
    if key is None:
        return tuple(rows)
    found = tuple(row for row in rows if row.key == key or row.key.startswith(f"{key}."))
    if not found:
        hint = nearest(key, [row.key for row in rows])
        problem = Problem(scenario.name, key=escaped(key), message="there is no such key")
        raise ScenarioError(
            [Problem(problem.file, key=problem.key, message=problem.message, hint=hint)]
        )
    return found


def _block_rows(scenario: Scenario) -> Iterator[Explained]:
    for key, parameter in catalogue.blocks().items():
        block, _, field = key.partition(".")
        value = getattr(getattr(scenario, block), field) if field else getattr(scenario, block)
        path = _over_time(scenario, value.at, value) if isinstance(value, TimePath) else ()
        yield _row(scenario, key, value, parameter, parameter.source, path)


def _policy_rows(scenario: Scenario) -> Iterator[Explained]:
    law = scenario.dated_policies
    for name, policy in scenario.policies.items():
        for field, parameter in catalogue.of_instrument(policy.kind).items():
            value = getattr(policy, field)
            path: tuple[tuple[str, float], ...] = ()
            if isinstance(value, TimePath):
                rate = law[name].rate_in_force if name in law else lambda month: 0.0
                path = _over_time(scenario, rate, value, law.get(name, policy))
                least, most, unit = policy.limits
                parameter = replace(parameter, least=least, most=most, unit=unit)
            source = _policy_source(scenario, name, policy, field)
            yield _row(scenario, f"policies.{name}.{field}", value, parameter, source, path)


def _figure_rows(scenario: Scenario, everything: bool) -> Iterator[Explained]:
    """Figures of the data tables: those the scenario changes, or all."""
    tables = scenario.tables()
    for table in ("devices", "foundry_regions", "node_classes", "markets", "origins"):
        for (code, name), figure in getattr(tables, table).figures.items():
            key = f"figures.{table}.{code}.{name}"
            trail = scenario.trail(key)
            if not everything and not trail:
                continue
            where = " -> ".join(str(at) for at in trail) or str(
                scenario.data_files.get(table, f"{table}.csv")
            )
            source = _own_source(scenario, key, is_default=False) or (
                _assumed(trail) if trail else figure.source
            )
            yield Explained(
                key, figure.value, figure.unit, "", figure.low, figure.high,
                MEANINGS[table][name], where, source, _citations(scenario, source),
            )  # fmt: skip


def _row(
    scenario: Scenario,
    key: str,
    value: Any,
    parameter: Parameter,
    source: str,
    path: tuple[tuple[str, float], ...],
) -> Explained:
    trail = scenario.trail(key)
    is_default = _plain(value) == _plain(parameter.default)
    if trail and not key.startswith("policies.") and not is_default:
        source = _assumed(trail)
    source = _own_source(scenario, key, is_default) or source
    if isinstance(value, int) and parameter.unit == "month":
        value = format_month(value)
    where = " -> ".join(str(at) for at in trail) or "default"
    return Explained(
        key, _plain(value), parameter.unit, parameter.allowed, parameter.low, parameter.high,
        parameter.description, where, source, _citations(scenario, source), path,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, TimePath) else value


def _own_source(scenario: Scenario, key: str, is_default: bool) -> str:
    """The source of the scenario that names this key, or a block or policy around it.

    Whoever changes a value has to say who says so: a source counts if the file that set the value
    declares it, or if the value is still the default that it was declared for.
    """
    files = [at.file for at in scenario.trail(key)]
    for name, source in scenario.sources.items():
        if any(key == own or key.startswith(f"{own}.") for own in source.keys):
            declared = {at.file for at in scenario.trail(f"sources.{name}.keys")[-1:]}
            if not files or files[-1] in declared or (is_default and not declared & set(files)):
                return name
    return ""


def _policy_source(scenario: Scenario, name: str, policy: Instrument, field: str) -> str:
    """The source of a field of a policy; a file that changes it has to name it anew."""
    trail = scenario.trail(f"policies.{name}.{field}")
    if not trail:
        return "default"
    sourced = {at.file for at in scenario.trail(f"policies.{name}.source")}
    return policy.source if policy.source and trail[-1].file in sourced else _assumed(trail)


def _assumed(trail: tuple[Position, ...]) -> str:
    """What is said of a figure that nobody stands behind but the file that set it."""
    return f"assumption (set in {trail[-1].file})"


def _citations(scenario: Scenario, source: str) -> tuple[str, ...]:
    if source in scenario.sources:
        own = scenario.sources[source]
        return (f"{own.cite} ({own.quality})",) if own.quality != "assumption" else ()
    numbers = _CITED.findall(source)
    known = scenario.tables().sources
    return tuple(f"{number} {known[number]}" for number in numbers if number in known)


def _over_time(
    scenario: Scenario, at: Any, path: TimePath, policy: Instrument | None = None
) -> tuple[tuple[str, float], ...]:
    """Values at the start, at every date, every January and at the end."""
    start, end = scenario.run.start, scenario.run.end
    months = {start, end, *path.months, *range(start - start % 12 + 12, end + 1, 12)}
    if policy is not None:
        months |= {policy.first_month} | ({policy.end + 1} if policy.end else set())
    return tuple((format_month(m), at(m)) for m in sorted(months) if start <= m <= end)

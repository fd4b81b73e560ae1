"""Where every value of a scenario comes from, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tariffsim.errors import ScenarioError, escaped, nearest
from tariffsim.policy import Instrument
from tariffsim.policy.time_path import TimePath
from tariffsim.scenario import catalogue
from tariffsim.scenario.catalogue import Parameter
from tariffsim.scenario.nodes import Position
from tariffsim.scenario.scenario import Scenario
from tariffsim.tables import FIGURE_TABLES
from tariffsim.tables.load import CITED
from tariffsim.tables.renamed import name_hint
from tariffsim.typing import format_moment, format_month

Trail = tuple[Position, ...]
ESTIMATED = "Estimated on 2017-2024, within its range (docs/calibration.md)."
OverTime = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Explained:
    """One value: what it is, what it may be, where it was set and its source."""

    key: str
    value: Any
    unit: str
    allowed: str
    low: float | None
    high: float | None
    meaning: str
    where: str
    """Places that set it, the last one last, or 'default'."""
    source: str
    """S-numbers of the sources table, a key of the scenario's sources, or 'assumption'."""
    citations: tuple[str, ...]
    path: OverTime = ()
    """Value by month, where it changes over time: at its dates and every January."""

    @property
    def is_assumption(self) -> bool:
        """Whether there is no published source for the figure, and it was not estimated."""
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
        hint = _figure_hint(scenario, key) or name_hint("key", key, [row.key for row in rows])
        at = Position(scenario.name)
        raise ScenarioError([at.problem("there is no such key", hint=hint, key=escaped(key))])
    return found


def _figure_hint(scenario: Scenario, key: str) -> str:
    """What the first unknown part of the key of a figure may mean; empty for other keys."""
    block, table, code, parameter, *_ = [*key.split("."), "", "", ""]
    if block != "figures" or not table:
        return ""
    if table not in FIGURE_TABLES:
        return nearest(table, FIGURE_TABLES)
    codes = getattr(scenario.tables(), table).codes
    if code and code not in codes:
        return nearest(code, codes)
    return nearest(parameter, FIGURE_TABLES[table].parameters)


def _block_rows(scenario: Scenario) -> Iterator[Explained]:
    for key, parameter in catalogue.blocks().items():
        block, _, field = key.partition(".")
        value = getattr(getattr(scenario, block), field) if field else getattr(scenario, block)
        path = _over_time(scenario, value.at, value) if isinstance(value, TimePath) else ()
        trail = scenario.trail(key)
        is_default = _plain(value) == _plain(parameter.default)
        source = _assumed(trail) if trail and not is_default else parameter.source
        source = _own_source(scenario, key, is_default) or source
        yield _row(scenario, key, value, parameter, source, path)


def _policy_rows(scenario: Scenario) -> Iterator[Explained]:
    dated = scenario.dated_policies
    for name, policy in scenario.policies.items():
        for field, parameter in catalogue.of_policy(policy).items():
            key, value = f"policies.{name}.{field}", getattr(policy, field)
            path: OverTime = ()
            if isinstance(value, TimePath):
                rate = dated[name].rate_in_force if name in dated else lambda month: 0.0
                path = _over_time(scenario, rate, value, dated.get(name, policy))
            is_default = _plain(value) == _plain(parameter.default)
            source = _own_source(scenario, key, is_default)
            source = source or _policy_source(scenario, name, policy, field)
            yield _row(scenario, key, value, parameter, source, path)


def _figure_rows(scenario: Scenario, everything: bool) -> Iterator[Explained]:
    """Figures of the data tables: those the scenario changes, or all."""
    tables = scenario.tables()
    for table, spec in FIGURE_TABLES.items():
        file = str(scenario.data_files.get(table, f"{table}.csv"))
        for (code, name), figure in getattr(tables, table).figures.items():
            key = f"figures.{table}.{code}.{name}"
            trail = scenario.trail(key)
            if not everything and not trail:
                continue
            source = _own_source(scenario, key, is_default=False)
            source = source or (_assumed(trail) if trail else figure.source)
            yield Explained(
                key, figure.value, figure.unit, "", figure.low, figure.high,
                spec.parameters[name].meaning, _where(trail) or file, source,
                _citations(scenario, source),
            )  # fmt: skip


def _row(
    scenario: Scenario, key: str, value: Any, parameter: Parameter, source: str, path: OverTime
) -> Explained:
    if isinstance(value, (int, float)) and parameter.kind == "date":
        value = format_moment(value, last=key.endswith(".end"))
    if parameter.unit == catalogue.BY_MARKET:
        value = {code: format_month(month) for code, month in value.items()}
    return Explained(
        key, _plain(value), parameter.unit, parameter.allowed, parameter.low, parameter.high,
        parameter.description, _where(scenario.trail(key)) or "default", source,
        _citations(scenario, source), path,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, TimePath) else value


def _where(trail: Trail) -> str:
    return " -> ".join(str(at) for at in trail)


def _own_source(scenario: Scenario, key: str, is_default: bool) -> str:
    """The source of the scenario that names this key, or a block or policy around it.

    Whoever changes a value has to give a source for it: a source counts if the file that set the
    value declares it, or if the value is still the default that it was declared for.
    """
    files = [at.file for at in scenario.trail(key)]
    for name, source in scenario.sources.items():
        if any(key == own or key.startswith(f"{own}.") for own in source.keys):
            declared = {at.file for at in scenario.trail(f"sources.{name}.keys")[-1:]}
            if not files or files[-1] in declared or (is_default and not declared & set(files)):
                return name
    return ""


def _policy_source(scenario: Scenario, name: str, policy: Instrument, field: str) -> str:
    """The source of a field of a policy; a file that changes the field has to name it again."""
    trail = scenario.trail(f"policies.{name}.{field}")
    if not trail:
        return "default"
    sourced = {at.file for at in scenario.trail(f"policies.{name}.source")}
    return policy.source if policy.source and trail[-1].file in sourced else _assumed(trail)


def _assumed(trail: Trail) -> str:
    """The source of a value that only the file that set it supports."""
    return f"assumption (set in {trail[-1].file})"


def _citations(scenario: Scenario, source: str) -> tuple[str, ...]:
    if source in scenario.sources:
        own = scenario.sources[source]
        return (f"{own.cite} ({own.quality})",) if own.quality != "assumption" else ()
    numbers = CITED.findall(source)
    known = scenario.tables().sources
    estimated = (ESTIMATED,) if "calibration" in source.split() else ()
    return (*estimated, *(f"{number} {known[number]}" for number in numbers if number in known))


def _over_time(
    scenario: Scenario, at: Any, path: TimePath, policy: Instrument | None = None
) -> OverTime:
    """Values at the start, at every date, every January and at the end."""
    start, end = scenario.run.start, scenario.run.end
    months = {start, end, *map(int, path.months), *range(start - start % 12 + 12, end + 1, 12)}
    if policy is not None:
        last = policy.last_month
        months |= {policy.first_month} | (set() if last is None else {last, last + 1})
    return tuple((format_month(m), at(m)) for m in sorted(months) if start <= m <= end)

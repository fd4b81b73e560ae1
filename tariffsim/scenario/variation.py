"""A scenario with its factors at other values."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tariffsim.policy.time_path import TimePath
from tariffsim.scenario.factors import EVERY
from tariffsim.scenario.loader import with_changes
from tariffsim.scenario.scenario import Scenario
from tariffsim.tables import FIGURE_TABLES, Figure
from tariffsim.typing import Float

SHARES = (("supply.discount_cost_share", "supply.discount_subsidy_share"),)
"""Shares of one total: where a design has their sum above one, they are scaled down to one."""


def varied(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """The scenario with its factors at some values; those of policies it lacks are left out.

    A dated path keeps its dates. Of a policy, the value is the last level and earlier steps keep
    their proportion to it; of an assumption (`supply.china_capacity_share`), the first value,
    which describes the base year, stays.

    Raises:
        ScenarioError: the scenario would not be valid.
    """
    changes: dict[str, Any] = {}
    for key, value in values.items():
        block, name, *_ = key.split(".")
        if block == "policies" and name not in scenario.policies:
            continue
        if block == "figures":
            changes |= figures_at(scenario, key, float(value))
            continue
        own = scenario.policies[name] if block == "policies" else getattr(scenario, block)
        path = getattr(own, key.split(".")[2 if block == "policies" else 1])
        if isinstance(path, TimePath):
            value = reaching(path, float(value), from_first=block != "policies")
        changes[key] = value
    return with_changes(scenario, changes, "experiment") if changes else scenario


def reaching(path: TimePath, level: float, from_first: bool = False) -> TimePath:
    """The same dates, ending at another level: the last one that is not zero.

    Earlier values keep their proportion to it or, with `from_first`, the first value stays
    and the others keep their place between first and last.
    """
    old = path.values
    last = max((i for i, v in enumerate(old) if v), default=len(old) - 1)
    start = old[0] if from_first and last else 0.0
    span = old[last] - start
    values = [start + (level - start) * ((v - start) / span) if span else level for v in old]
    values[last] = level
    if from_first and last:
        values[0] = start
    return path.model_copy(update={"values": tuple(map(float, values))})


def figures_at(scenario: Scenario, key: str, value: float) -> Iterator[tuple[str, float]]:
    """One figure, or all of a column between their low and high; whole ones are rounded."""
    _, table, code, name = key.split(".")
    if code != EVERY:
        yield key, value
        return
    is_whole = FIGURE_TABLES[table].parameters[name].whole
    for (each, parameter), figure in getattr(scenario.tables(), table).figures.items():
        if parameter == name and figure.low is not None:
            end = figure.high if value > 0 else figure.low
            at = figure.value + abs(value) * (end - figure.value)
            found = at if abs(value) < 1 else end
            yield f"figures.{table}.{each}.{name}", round(found) if is_whole else found


def with_figures(scenario: Scenario, figures: Mapping[str, float]) -> Scenario:
    """The scenario with figures by key, of which nothing is checked, and the rest of its tables."""
    tables, own = scenario.tables(), {t: {**codes} for t, codes in scenario.figures.items()}
    found: dict[Any, dict[tuple[str, str], Figure]] = {}
    for key, value in figures.items():
        _, table, code, name = key.split(".")
        column = own.setdefault(table, {})
        column[code] = column.get(code, {}) | {name: float(value)}
        old = getattr(tables, table).figures[code, name]
        update = {"value": float(value), "source": "scenario", "confidence": "assumption"}
        found.setdefault(table, {})[code, name] = old.model_copy(update=update)
    changed = {
        table: dataclasses.replace(old, figures={**old.figures, **new})
        for table, new in found.items()
        for old in [getattr(tables, table)]
    }
    new = scenario.model_copy(update={"figures": own})
    new._tables = dataclasses.replace(tables, **changed)
    return new


def scaled_to_one(keys: Sequence[str], values: Float) -> Float:
    """Values in which shares of one total add up to one at most."""
    values = values.copy()
    for group in SHARES:
        columns = [keys.index(key) for key in group if key in keys]
        if len(columns) == len(group):
            values[:, columns] /= np.maximum(values[:, columns].sum(axis=1, keepdims=True), 1.0)
    return values

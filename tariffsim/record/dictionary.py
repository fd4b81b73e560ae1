"""The data dictionary: the meaning and unit of every column of the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from tariffsim.errors import Problem, ScenarioError, escaped, nearest
from tariffsim.tables.csv_files import shipped_rows
from tariffsim.tables.renamed import new_name, now_called


@dataclass(frozen=True)
class Variable:
    """A column of the tables: one line of the data dictionary."""

    name: str
    label: str
    unit: str
    tables: str
    definition: str
    sign: str


@dataclass(frozen=True)
class Metric:
    """A headline metric: a column of `summary`, and rows of `headline`."""

    name: str
    label: str
    unit: str
    decimals: int
    definition: str


OF_RUNS = ("summary", "point_runs")
"""Tables with a column a metric."""
COSTS = {
    "cost_per_pp": ("consumer_surplus_loss", "cn_share", -1000.0),
    "cost_per_kwpm": ("grant_spending", "home_capacity", 1000.0),
    "resource_shuffling": ("cn_chips_elsewhere", "cn_chips", -100.0),
}
"""Metrics that are ratios of mean changes over all runs: what rises, such as a cost, what it is
spent on, and a factor; negative where that falls. Costs are in millions."""


@cache
def variables() -> dict[str, Variable]:
    """The data dictionary by name of column."""
    return {row["name"]: Variable(**row) for row in shipped_rows("variables")}


@cache
def metrics() -> dict[str, Metric]:
    """The headline metrics by name."""
    rows = (row | {"decimals": int(row["decimals"])} for row in shipped_rows("metrics"))
    return {str(row["name"]): Metric(**row) for row in rows}  # type: ignore[arg-type]


def metric_of_runs(name: str) -> Metric:
    """A metric that every run has, by its name.

    Raises:
        ScenarioError: there is none; an old name is refused with the new one.
    """
    known = {n: metric for n, metric in metrics().items() if n not in COSTS}
    if name not in known:
        new = new_name("metric", name)
        hint = now_called(new) if new else nearest(name, known)
        message = "is not a metric of a run"
        raise ScenarioError([Problem("metric", key=escaped(name), message=message, hint=hint)])
    return known[name]


def entry(table: str, column: str) -> Variable | None:
    """The entry of a column of a table; None if the dictionary has none."""
    metric = metrics().get(column) if table in OF_RUNS else None
    if metric is not None:
        text = metric.label, metric.unit, " ".join(OF_RUNS), metric.definition
        return Variable(column, *text, "")
    return variables().get(column)


def dictionary(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row for each meaning of a column, as in `variables.csv`."""
    found = [entry(name, column) for name, table in tables.items() for column in table.columns]
    return pd.DataFrame([vars(variable) for variable in dict.fromkeys(found) if variable])


def datapackage(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Frictionless data package: one resource a table, its fields from the dictionary."""
    return {
        "name": "tariffsim-results",
        "profile": "tabular-data-package",
        "resources": [
            {
                "name": name.replace("_", "-"),
                "path": f"{name}.csv",
                "schema": {"fields": [_field(name, c, table[c]) for c in table.columns]},
            }
            for name, table in tables.items()
        ],
    }


def _field(table: str, column: str, values: pd.Series[Any]) -> dict[str, str]:
    kind = "number" if pd.api.types.is_numeric_dtype(values) else "string"
    kind = "boolean" if pd.api.types.is_bool_dtype(values) else kind
    field, known = {"name": column, "type": kind}, entry(table, column)
    if known is not None:
        field |= {"title": known.label, "description": known.definition, "unit": known.unit}
    return field

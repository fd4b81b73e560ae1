"""The data dictionary: what every column of the results is, with its unit."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Variable:
    """A column of the tables: one line of the data dictionary."""

    name: str
    label: str
    unit: str
    tables: str
    definition: str
    sign: str


OF_RUNS = ("summary", "point_runs")
"""Tables with a column a measure."""


@cache
def variables() -> dict[str, Variable]:
    """The data dictionary by name of column."""
    text = resources.files("tariffsim").joinpath("data/variables.csv").read_text("utf-8")
    return {row["name"]: Variable(**row) for row in csv.DictReader(text.splitlines())}


@dataclass(frozen=True)
class Metric:
    """A headline measure: a column of `summary`, and rows of `headline`."""

    name: str
    label: str
    unit: str
    decimals: int
    definition: str


@cache
def metrics() -> dict[str, Metric]:
    """The headline measures by name."""
    text = resources.files("tariffsim").joinpath("data/metrics.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    found = (
        Metric(row["name"], row["label"], row["unit"], int(row["decimals"]), row["definition"])
        for row in rows
    )
    return {metric.name: metric for metric in found}


COSTS = {
    "cost_per_pp": ("consumer_surplus_loss", "cn_share"),
    "cost_per_kwpm": ("grant_spending", "home_capacity"),
}
"""Cost, and what it is spent on, of measures that are ratios of means over all runs."""


def entry(table: str, column: str) -> Variable | None:
    """What a column of a table is; None if it is not in the dictionary."""
    metric = metrics().get(column) if table in OF_RUNS else None
    if metric is not None:
        text = metric.label, metric.unit, " ".join(OF_RUNS), metric.definition
        return Variable(column, *text, "")
    return variables().get(column)


def dictionary(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row for each meaning of a column, as `variables.csv` has it."""
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
    known = entry(table, column)
    if known is None:
        return {"name": column, "type": kind}
    return {
        "name": column,
        "type": kind,
        "title": known.label,
        "description": known.definition,
        "unit": known.unit,
    }

"""The report of an experiment: question, finding, chart, tables, assumptions, how to reproduce."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from tariffsim.charts import Picture
from tariffsim.charts.context import ChartContext, chart_context
from tariffsim.charts.picture import Prepared
from tariffsim.record.dictionary import entry, metrics
from tariffsim.record.metrics import HEADLINE
from tariffsim.record.results import Results
from tariffsim.record.statements import precise
from tariffsim.report.limits import CANNOT, limits
from tariffsim.report.page import charts_of, rendered
from tariffsim.report.sheets import Column, Sheet

QUESTIONS = {
    "sweep": "What changes as {vary} varies?",
    "solve": "At which value is the aim met?",
    "timing": "What difference does the month make in which {scenario} starts?",
    "frontier": "Which instrument, and which rate, buys a lower Chinese share at the least cost?",
    "decomposition": "Which parts make up the difference in {metric} that {scenario} makes?",
    "sensitivity": "Which assumptions does the effect of {scenario} on {metric} depend on?",
    "points": "What changes as {vary} varies?",
}
"""What an experiment asks, by the name of its first table."""
MOST = 400
"""Rows of a table on a page."""
OF_RUNS = "_runs"
"""End of the names of tables that keep every run."""


def is_experiment(results: Results) -> bool:
    """Whether these are results of an experiment, and not of a comparison."""
    return "market_month" not in results.tables


def experiment_page(
    results: Results, made: Sequence[Picture | Prepared], is_short: bool = False
) -> bytes:
    """The report of an experiment whose charts are among its files."""
    context = chart_context(results)
    charts = charts_of(results, made, is_short)
    found = list(sheets(results))
    return rendered(
        "experiment.html.j2", results, is_short, is_wide=is_short,
        question=_question(results, context), asked=_asked(results, context),
        answer=[*(f"{chart['finding']}." for chart in charts), *_solved(results)],
        charts=charts,
        sheets=[{"key": f"table-{s.key}", "heading": s.title, "sheet": s} for s in found],
        limits=limits(results, context), cannot=CANNOT,
    )  # fmt: skip


def _question(results: Results, context: ChartContext) -> str:
    form = next(
        (QUESTIONS[name] for name in QUESTIONS if name in results.tables), "What was found?"
    )
    metric = metrics().get(str(results.provenance.get("metric", "")))
    factors = results.provenance.get("factors") or []
    keys = [str(factor.get("key")) for factor in factors if isinstance(factor, dict)]
    return form.format(
        scenario=context.quoted((context.others or (context.baseline,))[0]),
        metric=metric.label[0].lower() + metric.label[1:] if metric else "the result",
        vary=" and ".join(keys[:2]) if keys else "a number of the scenario",
    )


def _asked(results: Results, context: ChartContext) -> str:
    base = f", compared with {context.baseline}" if context.others else ""
    runs = f"{context.n} run{'s' if context.n > 1 else ''} of each ({context.seeds})"
    return f"For {context.place}{base}; {runs}. Intervals are 95 %."


def _solved(results: Results) -> Iterator[str]:
    """The value that a search found, and how near it comes to the aim."""
    if "solve" not in results.tables:
        return
    table = results.tables["solve"]
    answers = table[table["is_answer"]]
    row = (answers if len(answers) else table.loc[[table["gap"].abs().idxmin()]]).iloc[0]
    label, unit = metrics()[str(row["metric"])].label, str(row["unit"])
    gap = f"{precise(row['gap'], 2, sign=True)} {unit}"
    if not pd.isna(row["low"]):
        gap += f" ({precise(row['low'], 2, sign=True)} to {precise(row['high'], 2, sign=True)})"
    if len(answers):
        yield f"{label} meets its aim at {row['tried']:.4g}; what is left between them: {gap}."
    else:
        yield f"No value tried brings {label} to its aim; the nearest is {row['tried']:.4g}: {gap}."


def sheets(results: Results) -> Iterator[Sheet]:
    """The tables of an experiment, those of single runs left out."""
    for name, table in results.tables.items():
        if name.endswith(OF_RUNS):
            continue
        if name == "sweep":
            table = table[table["metric"].isin(HEADLINE)]
        hidden = max(len(table) - MOST, 0)
        note = f"The first {MOST} rows; all are in {name}.csv." if hidden else ""
        columns = [Column(*_head(name, str(column))) for column in table]
        rows = [[_cell(value) for value in row] for row in table.head(MOST).to_numpy(object)]
        yield Sheet(name, name.replace("_", " ").capitalize(), columns, rows, note)


def _head(table: str, column: str) -> tuple[str, str]:
    """Header and unit of a column; its name where the dictionary has none."""
    known = entry(table, column)
    if known is None:
        return column, ""
    return known.label, known.unit if known.unit not in ("text", "code", "name") else ""


def _cell(value: Any) -> str | float:
    """A cell of a table: numbers stay numbers."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and not pd.isna(value):
        return float(value)
    return "" if pd.isna(value) else str(value)

"""Results as one self-contained HTML page: the answer first, then tables, charts, assumptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tariffsim.charts import CHARTS, Picture, drawing, pictures, prepared
from tariffsim.charts.context import ChartContext, chart_context, content_of
from tariffsim.charts.picture import Prepared, chart_files
from tariffsim.record.dictionary import metrics
from tariffsim.record.metrics import COMPARED, HEADLINE, NOTED_LOSS
from tariffsim.record.results import Results
from tariffsim.record.statements import Estimate, estimates, number
from tariffsim.record.uncertainty import is_drawn, sentences
from tariffsim.report import amounts
from tariffsim.report.answer import answer, asked, cards, question, settled_by
from tariffsim.report.limits import CANNOT, limits
from tariffsim.report.page import charts_of, rendered
from tariffsim.report.settings import policies, settings
from tariffsim.report.sheets import Column, Sheet, change
from tariffsim.report.validation import in_short
from tariffsim.validation.scores import stored_scores

ENOUGH = 10
"""Runs below which the report warns of few runs."""
FIRST, HISTORY = "01", "14"
"""Numbers of the chart of the first screen, and of that of the base year."""
PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "gains": ("Who gains and who loses", ("02", "04")),
    "devices": ("Dollars by device", ("03",)),
    "years": ("By year and cumulated", ()),
    "revenue": ("Duty revenue by fiscal year", ()),
    "prices": ("Contribution to consumer prices", ()),
    "production": ("Home production of chips and devices", ("07",)),
    "places": ("Where assembly and chips go", ("05", "06")),
    "markets": ("All markets", ()),
    "doubts": ("What would change the answer", ("12",)),
    "more": ("More charts", ()),
}
"""Sections by id: title, and numbers of their charts."""
ON_PAPER = {
    "gains": ("04",), "devices": (), "years": (), "revenue": (), "prices": (),
    "production": (), "markets": (), "doubts": (),
}  # fmt: skip
"""Sections of a short report with their charts."""
SHEETS_ON_PAPER = 2
"""Tables of a section of a short report."""
FEW = 3
"""Scenarios up to which a page of paper stands upright."""


def publish(results: Results) -> None:
    """Add charts and report to what `results.save` writes."""
    made, left_out = pictures(results)
    results.files |= chart_files(made)
    results.files["report.html"] = comparison_page(results, made, left_out)


@contextmanager
def publishing(results: Results, has_report: bool, is_shared: bool) -> Iterator[Callable[[], None]]:
    """Draw the charts of a command while its tables are written; a comparison has a report too.

    What is called at the end adds all files to what `results.save_held` writes. The bytes do not
    depend on whether the work is shared with a second process.
    """
    charts, left_out = prepared(results) if has_report else ([], {})
    with drawing([*charts, *prepared(results, "experiment")[0]], is_shared) as drawn:

        def finish() -> None:
            results.files |= drawn()
            if has_report:
                results.files["report.html"] = comparison_page(results, charts, left_out)

        yield finish


def comparison_page(
    results: Results,
    made: Sequence[Picture | Prepared],
    left_out: Mapping[str, str],
    is_short: bool = False,
) -> bytes:
    """The report of a comparison whose charts are among its files.

    Args:
        results: with the drawings in `files`.
        made: the charts of these results, in the order of their numbers.
        left_out: why others do not apply, by name.
        is_short: whether tables of settings are left out, as on paper.
    """
    context = chart_context(results)
    charts = {chart["name"][:2]: chart for chart in charts_of(results, made, is_short)}
    parts = _parts(results, context, charts)
    if is_short:
        left = {"markets", "production"} if len(context.others) > FEW else set()
        parts = [_shortened(p) for p in parts if p["id"] in ON_PAPER.keys() - left]
    headings = {chart.name: chart.title for chart in CHARTS}
    contents = {"headline": "All scenarios in one table"}
    contents |= {part["id"]: part["title"] for part in parts}
    contents |= {"history": "How the model fares against history",
                 "limits": "Limits, and what the model cannot say",
                 "reading": "How to read it"}  # fmt: skip
    return rendered(
        "report.html.j2", results, is_short,
        is_wide=is_short and len(context.others) > FEW,
        context=context, contents=contents, parts=parts,
        question=question(context), asked=asked(results, context), answer=answer(results, context),
        cards=cards(results, context), first=charts.get(FIRST),
        metrics=[metrics()[name] for name in HEADLINE],
        rows=_rows(results, context),
        cautions=list(_cautions(results, context)),
        is_drawn=is_drawn(results),
        history_charts=[charts[HISTORY]] if HISTORY in charts else [],
        left_out={headings[name]: reason for name, reason in left_out.items()},
        limits=limits(results, context), cannot=CANNOT,
        history=in_short(stored_scores()),
    )  # fmt: skip


def tables(results: Results, context: ChartContext) -> dict[str, list[Sheet]]:
    """The tables of a comparison's report by section."""
    if not context.others:
        return {
            "production": [amounts.production(results, context)],
            "places": list(amounts.places(results, context)),
        }
    prices = amounts.consumer_prices(results, context)
    return {
        "gains": [amounts.gains(results, context)],
        "devices": [amounts.devices(results, context)],
        "years": list(amounts.years(results, context)),
        "revenue": [amounts.revenue(results, context)],
        "prices": [prices] if prices else [],
        "production": [amounts.production(results, context)],
        "places": list(amounts.places(results, context)),
        "markets": [amounts.markets(results, context)],
    }


def _parts(
    results: Results, context: ChartContext, charts: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Sections between the headline table and the model's record, those that have something."""
    sheets = tables(results, context)
    said: dict[str, list[str]] = {}
    if context.others:
        said["devices"] = list(amounts.device_sentences(results, context))
        said["years"] = [amounts.YEARS_NOTE]
        said["doubts"] = [*sentences(results), *settled_by(results, context)]
    placed = {FIRST, HISTORY, *(number for _, own in PARTS.values() for number in own)}
    found = []
    for key, (title, own) in PARTS.items():
        numbers = own if key != "more" else [n for n in charts if n not in placed]
        part = {
            "id": key, "title": title, "sentences": said.get(key, []),
            "sheets": sheets.get(key, []), "charts": [charts[n] for n in numbers if n in charts],
        }  # fmt: skip
        if part["sentences"] or part["sheets"] or part["charts"]:
            found.append(part)
    return found


def _shortened(part: Mapping[str, Any]) -> dict[str, Any]:
    """A section for paper."""
    kept = [chart for chart in part["charts"] if chart["name"][:2] in ON_PAPER[part["id"]]]
    return {**part, "charts": kept, "sheets": part["sheets"][:SHEETS_ON_PAPER]}


def headline_sheet(results: Results, context: ChartContext) -> Sheet:
    """The headline table as one of the tables of files."""
    found = {metric: estimates(results, metric) for metric in HEADLINE}
    return Sheet(
        "headline", f"Headline table, {context.end}",
        [Column("Scenario"), Column("Chinese share, level", "%"),
         *(Column(metrics()[m].label, metrics()[m].unit) for m in HEADLINE)],
        [[context.labels[n], found["cn_share"][n].level, *(found[m][n] for m in HEADLINE)]
         for n in context.others],
        "Changes from the baseline with 95 % intervals.",
    )  # fmt: skip


def _title(results: Results, context: ChartContext, name: str) -> str:
    """What charts call a scenario; pages can show what no font of this machine can."""
    return results.titles[name] if name in context.unshown else context.labels[name]


def _rows(results: Results, context: ChartContext) -> list[dict[str, Any]]:
    """Lines of the headline table: the baseline's levels, and changes of the others."""
    found = {metric: estimates(results, metric) for metric in HEADLINE}
    decimals = {m: _decimals(m, [found[m][n] for n in context.others]) for m in HEADLINE}
    return [
        {
            "title": _title(results, context, name), "name": name,
            "is_baseline": name == context.baseline,
            "share": number(found["cn_share"][name].level, 1),
            "cells": [_level(m, found[m][name], bool(context.others)) if name == context.baseline
                      else change(found[m][name], decimals[m]) for m in HEADLINE],
        }
        for name in context.labels
    ]  # fmt: skip


def _decimals(metric: str, rows: Sequence[Estimate]) -> int:
    """Decimals of a column that leave two or three significant digits."""
    if metrics()[metric].unit == "%":
        return 1
    size = max((abs(r.difference) for r in rows if r.difference == r.difference), default=0.0)
    return 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3


def _level(metric: str, found: Estimate, is_compared: bool) -> dict[str, str]:
    """A level of the baseline; empty where it is shown already or not defined."""
    if metric in COMPARED or (is_compared and metric == "cn_share"):
        return {"value": "", "interval": ""}
    return {"value": number(found.level, 1), "interval": ""}


def _cautions(results: Results, context: ChartContext) -> Iterator[str]:
    """What the headline table does not show and readers need to know."""
    if 1 < context.n < ENOUGH and context.others:
        yield (
            f"Only {context.n} runs: intervals are wide, and “n.s.” may only mean too few of them. "
            "Take 20 or more before quoting a number."
        )
    base = content_of(results.scenarios[context.baseline])
    for name in context.others:
        content = content_of(results.scenarios[name])
        own, changed = list(policies(content, base)), list(settings(content, base))
        if own and changed:
            keys = dict.fromkeys(change["key"] for change in changed)
            yield (
                f"{context.labels[name]}: other assumptions than the baseline besides its policies "
                f"({', '.join(keys)}). The change is that of both together; for the policy alone, "
                "compare with a baseline of the same assumptions."
            )
    for name, loss in estimates(results, "lost_output").items():
        if loss.level > NOTED_LOSS:
            yield (
                f"{context.labels[name]}: {number(loss.level, 1)} % of sales are lost in "
                f"{context.end} for lack of chips. Part of its effects is that shortage."
            )

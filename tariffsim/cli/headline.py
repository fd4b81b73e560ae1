"""The headline table: one line a scenario; a block a scenario where lines have no room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariffsim.cli.numbers import (
    IN_WORDS,
    NONE,
    UNKNOWN,
    change_of,
    decimals_of,
    number_of,
    with_interval,
)
from tariffsim.cli.screen import ENDLESS, prose, table, width
from tariffsim.record.metrics import COMPARED, HEADLINE, LAST, METRICS, RATIOS
from tariffsim.typing import format_month

if TYPE_CHECKING:
    from tariffsim.record.results import Results
    from tariffsim.scenario import Scenario

Rows = dict[str, dict[str, Mapping[str, Any]]]

HEADS = {
    "cn_value_share": "By\nvalue\npoints",
    "basket_price": "Basket\nprice\npoints",
    "duty_revenue": "Duty\nrevenue\nbn USD",
    "consumer_surplus_loss": "Consumer\ncost\nbn USD",
    "welfare": "\nWelfare\nbn USD",
    "cost_per_pp": "Cost a\npoint\nm USD",
    "world_cn_share": "World\nshare\npoints",
}
"""Heads of the columns after the Chinese share."""
FACTS = ("seeds", "failures", "precision", "scenario_hashes", "data_hash")
ROOMY = 90
PAGE = 100
"""Columns a table keeps to where it can, so that it can be pasted and printed."""
ALL = tuple(HEADS)
ROOMS = ((True, 2, ALL), (True, 1, ALL), (False, 1, ALL), (False, 1, ALL[1:]))
"""Whether intervals stand beside the change, blanks between columns, and which: first that fits."""


def rows_of(results: Results) -> Rows:
    """Rows of the headline table by scenario and measure."""
    found: Rows = {}
    for row in results.tables["headline"].to_dict("records"):
        plain = {str(k): v.item() if hasattr(v, "item") else v for k, v in row.items()}
        found.setdefault(plain["scenario"], {})[plain["metric"]] = plain
    return found


def data_of(results: Results, folder: Path) -> dict[str, Any]:
    """The same as one object."""
    facts = {key: results.provenance.get(key) for key in FACTS}
    places = {"folder": str(folder), "report": str(folder / "report.html")}
    named = {"market": results.market, "baseline": results.baseline, "titles": results.titles}
    return named | facts | places | {"confidence": 0.95, "headline": rows_of(results)}


def text_of(results: Results, base: Scenario, details: bool) -> str:
    """The table and what is to be said under it."""
    rows, end = rows_of(results), base.run.end
    period = f"{format_month(max(base.run.start, end - LAST + 1))} to {format_month(end)}"
    title = f"Chinese share of foundational chips in {results.market} purchases, {period}"
    bodies = [] if details or len(rows) == 1 else [_lines(rows, *room) for room in ROOMS]
    widest = {body: max(map(len, body.splitlines())) for body in bodies}
    fitting = [b for room in (min(width(), PAGE), width()) for b in bodies if widest[b] <= room]
    body = fitting[0] if fitting else ""
    if not body:
        names = [m.name for m in (*METRICS, *RATIOS)] if details else HEADLINE
        body = "\n\n".join(
            prose(f"{name}: {results.titles[name]}")
            + "\n" + _block(metrics, names, name == results.baseline)
            for name, metrics in rows.items()
        )  # fmt: skip
    return "\n".join([prose(title), "", body, "", prose(*_notes(rows, results))])


def _lines(rows: Rows, is_roomy: bool, gap: int, columns: Sequence[str]) -> str:
    """One line a scenario: the baseline's levels, and how the others differ from them.

    Where there is little room the interval stands below the change, and long names go on below.
    """
    (base_name, base), *others = rows.items()
    change = "\nchange [95 %]\npoints" if is_roomy else "change\n[95 %]\npoints"
    heads = ["", "\nShare\n%", change, *(HEADS[m] for m in columns)]
    levels = [NONE if m in COMPARED else number_of(base[m]["level"], 1) for m in columns]
    cells = [[base_name, number_of(base["cn_share"]["level"], 1), NONE, *levels]]
    decimals = {m: decimals_of(metrics[m]["difference"] for _, metrics in others) for m in columns}
    for name, metrics in others:
        share = metrics["cn_share"]
        changes = [change_of(metrics[m], decimals[m]) for m in columns]
        interval = with_interval(change_of(share, 1), share, 1, " " if is_roomy else "\n")
        cells.append([name, number_of(share["level"], 1), interval, *changes])
    longest = 22 if is_roomy else 14
    for row in cells:
        row[0] = "\n".join(row[0][i : i + longest] for i in range(0, len(row[0]), longest))
    return table(heads, cells, " " + "r" * (len(columns) + 2), ENDLESS, gap)


def _block(metrics: Mapping[str, Mapping[str, Any]], names: Sequence[str], is_base: bool) -> str:
    """One line a measure: level, change with its interval, unit."""
    cells, gap = [], " " if width() >= ROOMY else "\n"
    for name in names:
        row = metrics[name]
        if is_base and name in COMPARED:
            continue
        level = NONE if name in COMPARED else number_of(row["level"], decimals_of([row["level"]]))
        decimals = (
            1 if row["unit"] == "%" else decimals_of([row["difference"], row["low"], row["high"]])
        )
        change = change_of(row, decimals).replace(UNKNOWN, IN_WORDS)
        change = "" if is_base else with_interval(change, row, decimals, gap)
        cells.append([f"{row['label']}, {row['unit']}", level, change])
    return table(["", "level", "" if is_base else "change [95 %]"], cells, " rr")


def _notes(rows: Rows, results: Results) -> list[str]:
    first, last = results.provenance["seeds"]
    n, tried = next(iter(rows[results.baseline].values()))["n"], last - first + 1
    seeds = f"{n} seeds ({first} to {last})" if tried > 1 else f"1 seed ({first})"
    if n < tried:
        seeds = f"{n} of {tried} seeds ({first} to {last}): in the others a run failed"
    if precision := results.provenance.get("precision"):
        word = "reached" if precision["is_reached"] else "not reached"
        seeds += f", {word} a precision of {precision['wanted']:g} points with them"
    notes = [f"{seeds}."]
    if len(rows) == 1:
        return notes
    notes[0] += (
        " Money in USD a year; changes of shares and of the price index in points."
        f" {results.baseline}: levels; the others: share, then changes from {results.baseline}."
        " Cost a point: consumer cost for each point of the share avoided."
    )
    if n == 1:
        return [*notes, "One seed gives no interval: take several before believing a difference."]
    return [
        *notes,
        "[95 %]: interval of the mean of paired differences (scenario less baseline with the same"
        " draws); doubt about the assumptions comes on top."
        f" {UNKNOWN}: {IN_WORDS}, the interval covers zero.",
    ]

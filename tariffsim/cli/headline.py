"""Paired differences from the baseline as text, and the headline table of a comparison."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tariffsim.cli.screen import (
    MISSING,
    NOT_SIGNIFICANT,
    PAGE,
    UNLIMITED,
    Column,
    Row,
    count,
    decimals_of,
    number,
    prose,
    show,
    width,
    with_interval,
)

if TYPE_CHECKING:
    import pandas as pd

    from tariffsim.record.results import Results
    from tariffsim.scenario import Scenario

ByMetric = dict[Any, dict[str, Row]]
"""Rows of a headline table by scenario, or design point, and by metric."""
HEADS = {
    "basket_price": "Prices %",
    "duty_revenue": "Duty bn",
    "policy_revenue": "New duty bn",
    "consumer_surplus_loss": "Surplus loss bn",
    "buyers_cost": "Buyers bn",
    "welfare": "Welfare bn",
    "world_cn_share": "World pp",
}
"""Headers of differences from the baseline."""
SHOWN = ("basket_price", "duty_revenue", "buyers_cost", "welfare", "world_cn_share")
WIDE = 90
"""Letters of a line from which intervals stand beside the change in blocks."""
DRAWN = (
    "[95 %]: interval of the paired difference from the baseline (common random numbers), over "
    "seeds and parameters: every seed draws its own parameters, the same in all scenarios; one in "
    "four repeats the draw before it, so that both parts can be told apart. --fixed-parameters "
    f"holds parameters at their central values. {NOT_SIGNIFICANT}: not statistically significant, "
    "the interval covers zero."
)
LAYOUTS = tuple((gap, SHOWN[:n]) for n in range(len(SHOWN), 0, -1) for gap in (2, 1))
"""Blanks between columns, metrics: the first that fits."""


def by_metric(table: pd.DataFrame, key: str) -> ByMetric:
    """Rows of a headline table by the values of a column and by metric."""
    found: ByMetric = {}
    for row in table.to_dict("records"):
        found.setdefault(row[key], {})[row["metric"]] = row
    return found


def change(row: Row, decimals: int) -> str:
    """A paired difference; n.s. if it is not statistically significant."""
    is_certain = row["n"] < 2 or row["low"] == row["high"] == 0
    if is_certain or (row["is_significant"] and not math.isnan(row["difference"])):
        return number(row["difference"], decimals, "+")
    return NOT_SIGNIFICANT


def change_with_interval(row: Row, decimals: int, gap: str = " ") -> str:
    """A paired difference with its interval."""
    return with_interval(change(row, decimals), row["low"], row["high"], decimals, "+", gap)


def change_column(metric: str, rows: Iterable[Row]) -> Column:
    """A column of paired differences of a metric; levels of the baseline itself."""
    decimals = decimals_of(row[metric]["difference"] for row in rows)

    def cell(row: Mapping[str, Any]) -> str:
        return level(row[metric], 1) if "is_base" in row else change(row[metric], decimals)

    return Column(HEADS[metric], cell)


SHARE = Column("Share %", lambda row: number(row["cn_share"]["level"], 1))
"""The level of the Chinese share."""


def share_change(row: Row, gap: str = " ") -> str:
    """The paired difference of the Chinese share with its interval."""
    return MISSING if "is_base" in row else change_with_interval(row["cn_share"], 1, gap)


def level(row: Row, decimals: int) -> str:
    """The level of a metric; none for those that are differences from the baseline."""
    from tariffsim.record.metrics import COMPARED

    return MISSING if row["metric"] in COMPARED else number(row["level"], decimals)


def json_of(results: Results, folder: Path) -> dict[str, Any]:
    """The headline for one JSON object."""
    rows = by_metric(results.tables["headline"], "scenario")
    facts = {"titles": results.titles, "precision": results.provenance.get("precision")}
    return facts | {"report": str(folder / "report.html"), "headline": rows}


def text_of(results: Results, base: Scenario, details: bool) -> str:
    """The headline table with its notes; blocks where it does not fit, or with details."""
    from tariffsim.record.metrics import HEADLINE, LAST, METRICS, RATIOS
    from tariffsim.typing import format_month

    rows, end = by_metric(results.tables["headline"], "scenario"), base.run.end
    period = f"{format_month(max(base.run.start, end - LAST + 1))} to {format_month(end)}"
    title = f"Chinese share of legacy chips in {results.market} purchases, {period}"
    table = "" if details or len(rows) == 1 else _table(rows)
    if not table:
        names = [m.name for m in (*METRICS, *RATIOS)] if details else HEADLINE
        blocks = (
            f"{prose(f'{name}: {results.titles[name]}')}\n"
            f"{_block([known[n] for n in names], name == results.baseline)}"
            for name, known in rows.items()
        )
        table = "\n\n".join(blocks)
    found = list(filter(None, findings(results)))
    above = [prose(" ".join(found)), ""] if found else []
    return "\n".join([*above, prose(title), "", table, "", prose(*_notes(rows, results))])


def findings(results: Results) -> tuple[str, str]:
    """What the scenarios do to the Chinese share, and what they cost buyers."""
    from tariffsim.record.statements import estimates, summary

    def of_all(what: str, metric: str, unit: str, decimals: int) -> str:
        found = estimates(results, metric)
        return summary(what, unit, {n: e for n, e in found.items() if n != results.baseline},
                       decimals)  # fmt: skip

    return (
        of_all("The Chinese share of chips", "cn_share", "pp", 1),
        of_all("The cost to buyers", "buyers_cost", "bn USD a year", 1),
    )


def _to_settle(results: Results) -> str:
    """How many seeds would make changes of the share significant that are not."""
    from tariffsim.record.statements import Verdict, estimates, seeds_to_settle

    known, open_ = [], []
    for name, found in estimates(results, "cn_share").items():
        if found.verdict is not Verdict.UNCERTAIN:
            continue
        if (seeds := seeds_to_settle(found)) is not None:
            known.append(f"{name} about {seeds:,}")
        elif found.sd_parameters > 0:
            open_.append(name)
    told = []
    if known:
        told.append(f"Seeds that would settle the sign of its change: {', '.join(known)}.")
    if open_:
        told.append(
            f"No number of seeds may settle that of {', '.join(open_)}: parameters leave it open."
        )
    return " ".join(told)


def static_text(table: pd.DataFrame, market: str, left_out: str) -> str:
    """Levels in the static limit, and the differences from the baseline with their intervals."""
    rows = by_metric(table, "scenario")
    (base, levels), *others = rows.items()
    columns = [
        Column("", lambda row: _broken(row["name"], 22), is_number=False, wraps=True),
        *(
            _static_column(row, [known[name] for _, known in others])
            for name, row in levels.items()
        ),
    ]
    named = [known | {"name": name, "is_base": name == base} for name, known in rows.items()]
    title = f"Static limit: what {market} buys where choices, prices and demand come to rest"
    note = f"{base}: levels; the others: changes from {base} [95 % over seeds]. {left_out}"
    return "\n".join([prose(title), "", show(named, columns, UNLIMITED), "", prose(note)])


def _static_column(base: Row, others: Sequence[Row]) -> Column:
    metric, unit = base["metric"], "pp" if base["unit"] == "%" else base["unit"]
    decimals = decimals_of(row["difference"] for row in others)

    def cell(row: Mapping[str, Any]) -> str:
        if row["is_base"]:
            return level(row[metric], 1)
        return change_with_interval(row[metric], decimals, "\n")

    return Column(f"{base['label']}\n{unit}".replace(" ", "\n", 1), cell)


def _table(rows: ByMetric) -> str:
    """One line a scenario, in the first layout that fits the page, else the screen; or nothing."""
    tables = [_lines(rows, *layout) for layout in LAYOUTS]
    for table in tables:
        if max(map(len, table.splitlines())) <= min(width(), PAGE):
            return table
    return ""


def _lines(rows: ByMetric, gap: int, metrics: Sequence[str]) -> str:
    """One line a scenario: the baseline's levels, and how the others differ from them."""
    (base, levels), *others = rows.items()
    named = [levels | {"is_base": True, "name": base}]
    named += [differences | {"name": name} for name, differences in others]
    columns = [
        Column("", lambda row: _broken(row["name"], 22), is_number=False, wraps=True),
        SHARE,
        Column("Change pp [95 %]", share_change),
        *(change_column(metric, [row for _, row in others]) for metric in metrics),
    ]
    return show(named, columns, UNLIMITED, gap)


def _broken(name: str, longest: int) -> str:
    """A long name on several lines."""
    return "\n".join(name[i : i + longest] for i in range(0, len(name), longest))


def _block(rows: Sequence[Row], is_base: bool) -> str:
    """One line a metric: level, change with its interval, unit."""
    gap = " " if width() >= WIDE else "\n"

    def changed(row: Row) -> str:
        numbers = row["difference"], row["low"], row["high"]
        return change_with_interval(row, 1 if row["unit"] == "%" else decimals_of(numbers), gap)

    columns = [
        Column("", lambda row: f"{row['label']}, {row['unit']}", is_number=False, wraps=True),
        Column("level", lambda row: level(row, decimals_of([row["level"]]))),
    ]
    if is_base:
        return show([row for row in rows if columns[1].cell(row) != MISSING], columns)
    return show(rows, [*columns, Column("change [95 %]", changed)])


def _notes(rows: ByMetric, results: Results) -> list[str]:
    base = results.baseline
    first, last = results.provenance["seeds"]
    n, tried = rows[base]["cn_share"]["n"], last - first + 1
    seeds = seeds_text(results.provenance)
    if n < tried:
        seeds = f"{n} of {tried} seeds ({first} to {last}): in the others a run failed"
    if precision := results.provenance.get("precision"):
        seeds += f", {precision_text(precision)}"
    notes = [f"{seeds}.", *_lost_sales(rows)]
    if len(rows) == 1:
        return notes
    notes[0] += (
        f" {base}: levels; the others: share, then changes from {base}. Prices in % of the base"
        " year; bn: thousand million USD a year; buyers: loss of consumer surplus plus loss of"
        " makers from second-best sourcing. More: --details, headline.csv."
    )
    if n == 1:
        return [*notes, "One seed gives no interval: run several before drawing conclusions."]
    from tariffsim.record.uncertainty import is_drawn, sentences

    notes += filter(None, [_to_settle(results)])
    if is_drawn(results):
        return [*notes, DRAWN, *sentences(results)]
    return [
        *notes,
        "[95 %]: interval of the mean paired difference from the baseline (common random numbers);"
        f" parameter uncertainty is not included. {NOT_SIGNIFICANT}: not statistically significant,"
        " the interval covers zero.",
    ]


def _lost_sales(rows: ByMetric) -> list[str]:
    """A sentence on scenarios in which lack of chips costs more sales than goes without saying."""
    from tariffsim.record.metrics import NOTED_LOSS

    lost = {name: known["lost_output"]["level"] for name, known in rows.items()}
    noted = [f"{name} {number(x, 1)} %" for name, x in lost.items() if x > NOTED_LOSS]
    return [f"Sales lost for lack of chips: {', '.join(noted)}."] if noted else []


def precision_text(precision: Mapping[str, Any]) -> str:
    """Whether the number of seeds gave the precision that was wanted."""
    verb = "reached" if precision["is_reached"] else "did not reach"
    width = precision.get("half_width")
    own = f": the part of the intervals that is due to seeds is {width:.2g} pp or less" * (
        width is not None
    )
    return f"which {verb} the precision of {precision['wanted']:g} pp{own}"


def seeds_text(facts: Mapping[str, Any]) -> str:
    """The number of replications, and their seeds."""
    first, last = facts["seeds"]
    seeds = count(last - first + 1, "seed")
    return f"{seeds} ({first} to {last})" if last > first else f"{seeds} ({first})"

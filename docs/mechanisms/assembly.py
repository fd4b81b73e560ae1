"""The chart of duties on whole products: what moves, and what it costs, over their rate."""

from __future__ import annotations

import pandas as pd
from drawing import Panel, ends_of, lines
from runs import Runs

from tariffsim.charts.context import chart_context
from tariffsim.charts.picture import Picture
from tariffsim.charts.style import family_style
from tariffsim.record.results import Results
from tariffsim.record.statements import estimates

RATES = (0.05, 0.10, 0.25, 0.50)
FOLLOW = {"Chips stay with the brand": 0.0, "Chips follow the place": 1.0}
"""Ends of the range of `sourcing.odds_follow`, which no data identify."""
PANELS = (
    Panel("assembly", "Assembled in China, pp of purchases", 1, is_change=True),
    Panel("chips", "Chinese share of chips, pp", 1, is_change=True),
    Panel("cost", "Loss of consumer surplus, bn USD a year", 1, is_change=True),
)
METRICS = ("cn_assembled_share", "cn_share", "consumer_surplus_loss")


def whole_products(runs: Runs) -> Picture:
    """Whole products: assembly and chips moved out of China, and the cost, over the rate."""
    tables = []
    for series, follow in FOLLOW.items():
        odds = {"sourcing__odds_follow": follow}
        rates = {rate: {"policies__product_tariff__rate": {"2026-01": rate}} for rate in RATES}
        results = runs.compare(
            {_name(rate): runs.scenario("whole_product_china", **odds, **rates[rate])
             for rate in RATES},
            runs.scenario(**odds),
        )  # fmt: skip
        tables.append(_curve(results).assign(series=series))
    data = pd.concat(tables, ignore_index=True)
    context = chart_context(results)
    text = context.text(
        _title(data),
        f"Duty on all products assembled in China and bought in {context.place}, over its rate, "
        f"if chips stay with the brand and its list of suppliers, or follow the place of assembly "
        f"(sourcing.odds_follow 0 and 1); changes against no such duty, percentage points (pp) and "
        f"bn USD a year, {context.end}",
        "Means over runs.",
        f"Three line charts over the rate. {ends_of(data, PANELS)}",
    )
    data = data.assign(unit="bn USD a year")
    styles = dict(zip(FOLLOW, map(family_style, ("no policy", "whole-product")), strict=True))
    return lines("whole_products", data, PANELS, styles, text, across="Rate, % of value →")


def _name(rate: float) -> str:
    return f"{100 * rate:g} %"


def _curve(results: Results) -> pd.DataFrame:
    """Mean changes by rate, from none at a rate of zero."""
    columns = [panel.column for panel in PANELS]
    rows = [dict.fromkeys(["at", *columns], 0.0)]
    found = {c: estimates(results, m) for c, m in zip(columns, METRICS, strict=True)}
    for rate in RATES:
        changes = {column: by[_name(rate)].difference for column, by in found.items()}
        rows.append({"at": 100 * rate, **changes})
    return pd.DataFrame(rows)


def _title(data: pd.DataFrame) -> str:
    """What the middle rates and the highest move and cost; both ends for the chips."""
    mean = data.groupby("at")[["assembly", "cost"]].mean()
    at = 100 * RATES[-1]
    chips = sorted(-data.loc[data["at"] == at, "chips"])
    return (
        f"A duty of 25 % on products assembled in China moves {-mean.at[25.0, 'assembly']:.1f} pp "
        f"of assembly and costs {mean.at[25.0, 'cost']:.1f} bn USD a year, 50 % moves "
        f"{-mean.at[at, 'assembly']:.1f} pp and costs {mean.at[at, 'cost']:.1f} bn; the Chinese "
        f"share of chips falls at 50 % by {chips[0]:.1f} to {chips[1]:.1f} pp, depending on "
        f"whether chips follow assembly"
    )

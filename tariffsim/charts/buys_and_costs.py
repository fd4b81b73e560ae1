"""Chart 2: what each policy buys (a lower Chinese share) and costs (basket price)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import ChartContext, chart_context, largest
from tariffsim.charts.lettering import Label, label_points
from tariffsim.charts.picture import Chart, ChartText, shows
from tariffsim.charts.style import (
    CHIPS,
    FAINT,
    SeriesStyle,
    listed,
    plain_tick,
    sentences,
    styles_by,
)
from tariffsim.record.results import Results
from tariffsim.record.statements import effect, estimates

RIGHT = 30.0
MOST_NAMED = 8
"""Scenarios that are named beside their points; more have a number there and a name above."""
X, Y = "price_rise", "share_reduction"


def table(results: Results) -> pd.DataFrame:
    """Reduction of the share and rise of the basket price, with 95 % intervals."""
    context = chart_context(results)
    context.pair()
    shares, prices = estimates(results, "cn_share"), estimates(results, "basket_price")
    rows = []
    for name in context.others:
        share, price = shares[name], prices[name]
        rows.append({
            "scenario": name, "label": context.labels[name], "family": context.families[name],
            Y: 0.0 - share.difference, f"{Y}_low": 0.0 - share.high, f"{Y}_high": 0.0 - share.low,
            f"is_{Y}_significant": share.is_significant,
            X: price.difference, f"{X}_low": price.low, f"{X}_high": price.high,
            f"is_{X}_significant": price.is_significant, "unit": "percentage points",
        })  # fmt: skip
    return pd.DataFrame(rows)


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """Which scenario reduces the share most, and which costs most."""
    context, is_numbered = chart_context(results), len(data) > MOST_NAMED
    crosses = "Crosses: 95 % intervals; hollow: share reduction not statistically significant."
    return context.text(
        _title(results, context),
        f"Reduction of the Chinese share of {CHIPS}, percentage points (pp), and price of the "
        "basket of devices, % of base-year prices, against the baseline, "
        f"{context.place}, {context.end}",
        f"{context.if_intervals(crosses)} Higher: larger reduction; farther right: higher prices.",
        "Scatter chart of the reduction of the share (pp) against the change of prices (%): "
        f"{listed(data, [Y, X])}",
        {f"{n}: {row['label']}": style for n, row, style in _numbered(data) if is_numbered},
        untested="effects on the Chinese share and on prices",
    )


def _numbered(data: pd.DataFrame) -> Iterator[tuple[int, dict[Hashable, Any], SeriesStyle]]:
    """Rows with their numbers and styles, from the highest point to the lowest."""
    styles = styles_by(data, "scenario", most=None)
    rows = data.sort_values(Y, ascending=False, kind="stable").to_dict("records")
    for number, row in enumerate(rows, start=1):
        yield number, row, styles[row["scenario"]]


def _title(results: Results, context: ChartContext) -> str:
    shares, prices = estimates(results, "cn_share"), estimates(results, "basket_price")
    policies = [n for n in context.others if context.families[n] != "no policy"] or context.others
    buys, costs = largest(shares, policies), largest(prices, policies)
    if buys is None:
        return "No scenario has a statistically significant effect on the Chinese share of chips"

    def sentence(name: str) -> str:
        parts = (
            effect(shares[name], "the Chinese share", "pp", has_interval=False),
            effect(prices[name], "prices", "%", 2, has_interval=False),
        )
        return f"{context.in_sentence(name)} {' and '.join(parts)}"

    return sentences(sentence(name) for name in dict.fromkeys((buys, costs)) if name)


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """One point with its cross for every scenario."""
    labels = []
    for n, row, style in _numbered(data):
        name = row["label"] if len(data) <= MOST_NAMED else str(n)
        labels.append(Label(row[X], row[Y], name, style.text))
        axes.crosses(ax, pd.DataFrame([row]), X, Y, style, alpha=0.8)
        fill = style.colour if row[f"is_{Y}_significant"] else "white"
        ax.plot([row[X]], [row[Y]], marker=style.marker, ms=8, color=style.colour, mfc=fill,
                mew=1.5, ls="none", zorder=4, label=shows(X, Y))  # fmt: skip
    ax.axhline(0, color=FAINT, lw=0.8, zorder=1)
    ax.axvline(0, color=FAINT, lw=0.8, zorder=1)
    ax.margins(0.09)
    ax.xaxis.set_major_formatter(plain_tick)
    axes.name_axes(ax, "Basket price against the baseline, % of base-year prices",
                        "Reduction of the Chinese share, percentage points")  # fmt: skip
    label_points(ax, labels, RIGHT)


CHART = Chart(
    2, "buys_and_costs", "comparison", "What each policy buys and costs",
    table, text, plot, lambda data: 330.0, 44, RIGHT,
)  # fmt: skip

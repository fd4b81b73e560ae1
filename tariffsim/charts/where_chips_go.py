"""Chart 5: where Chinese chips go when one market buys fewer."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import ChartContext, chart_context, table_label
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import (
    CHIPS,
    listed,
    number,
    percent_tick,
    precise,
    sentences,
    signed_tick,
    styles_by_number,
)
from tariffsim.record.metrics import LAST
from tariffsim.record.result_tables import OTHER_BUYERS
from tariffsim.record.results import Results

YEAR = 12e-9
"""From chips a month to thousand millions a year."""
WORLD, OTHERS = "The world", "Other end uses"


def table(results: Results) -> pd.DataFrame:
    """Chinese share of each market's chips, %, and change of Chinese chips, bn a year."""
    context = chart_context(results)
    rows = results.tables["market_region"]
    rows = rows[rows["month"].isin(context.months[-LAST:])]
    chips = rows.pivot_table("chips", "market", ["scenario", "region"], "sum", sort=False)
    chips *= YEAR / rows["month"].nunique()
    chips = chips.loc[list(dict.fromkeys([results.market, *chips.index]))]
    chips.loc[WORLD] = chips.sum()
    labels = {OTHER_BUYERS: OTHERS, WORLD: WORLD}
    data = pd.DataFrame({
        "market": chips.index.where(chips.index != WORLD, ""),
        "label": [labels.get(m) or table_label("markets", m) for m in chips.index],
    })  # fmt: skip
    base = chips[context.baseline]["CN"]
    names = [context.baseline, *context.pair()]
    for n, name in enumerate(names):
        now = pd.DataFrame(chips[name])
        data[f"share_{n}"] = (100 * now["CN"] / now.sum(axis=1)).fillna(0.0).to_numpy()
        if n:
            data[f"change_{n}"] = (now["CN"] - base).to_numpy()
    return data.assign(**context.columns(names, 0), share_unit="%", unit="bn chips a year")


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """How many fewer Chinese chips one market buys, and who buys them instead."""
    context = chart_context(results)
    legend, shares = context.legend(data), styles_by_number(data, "share_")
    return context.text(
        sentences(_sentence(data, n, context) for n in range(1, len(shares))),
        f"Chinese share of {CHIPS} that each market buys, %, {context.end}; and change of Chinese "
        "chips against the baseline, bn chips a year",
        "Means over runs, without intervals. Other end uses: chips bought for other products than "
        "the device groups of the model.",
        f"Dot chart of Chinese shares by market, %, for {', '.join(legend)}: "
        f"{listed(data, shares, 1)}",
        legend,
        untested="the reallocation of Chinese chips",
    )


def _sentence(data: pd.DataFrame, n: int, context: ChartContext) -> str:
    who = context.in_sentence(str(data[f"scenario_{n}"].iloc[0]))
    own, world = (float(data[f"change_{n}"].iloc[i]) for i in (0, -1))
    what = f"purchases of Chinese chips in {context.place}"
    if own >= 0:
        return f"{who} does not reduce {what}"
    lead, elsewhere = f"{who} reduces {what} by {precise(-own)} bn a year", world - own
    if elsewhere < 0:
        return f"{lead}, and by {precise(-elsewhere)} bn in the rest of the world"
    return f"{lead}, of which {number(min(100 * elsewhere / -own, 100), 0)} % go elsewhere"


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """Shares by market on the left, changes of Chinese chips on the right."""
    places = axes.name_rows(ax, data["label"])
    left, right = axes.panels(ax, [0.54, 0.38], gap=0.08)
    shares, changes = (styles_by_number(data, prefix) for prefix in ("share_", "change_"))
    changes.pop("change_0")
    axes.dumbbells(left, data, places, shares)
    axes.dumbbells(right, data, places, changes)
    axes.name_axes(left, "Chinese share of chips", ticks=percent_tick)
    axes.name_axes(right, "Change, bn chips a year", ticks=signed_tick)
    for side in (left, right):
        side.grid(visible=True, axis="both")
        side.locator_params(axis="x", nbins=5)
    left.set_xlim(0, 1.05 * float(data[list(shares)].max().max() or 1))
    axes.zero_line(right)


CHART = Chart(
    5, "where_chips_go", "comparison", "Where Chinese chips go when one market buys fewer",
    table, text, plot, lambda data: axes.body(len(data)), axes.LEFT, 30,
)  # fmt: skip

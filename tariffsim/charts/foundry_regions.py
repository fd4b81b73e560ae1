"""Chart 7: foundries by region: share of capacity, utilisation, price and margin over time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator

from tariffsim.charts.axes import line
from tariffsim.charts.context import ChartContext, chart_context, table_label
from tariffsim.charts.lettering import is_narrow, points, room_beside, wrap
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import CHIPS, SeriesStyle, period, sentences, styles_by
from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results
from tariffsim.record.statements import Estimate, effect, estimates, number
from tariffsim.typing import parse_month

SHARE = "capacity_share"
PANELS = {
    SHARE: "Share of capacity, %",
    "utilisation": "Utilisation, %",
    "price": "Price, start = 100",
    "margin": "Margin, % of revenue",
}
TALL, LEFT, RIGHT, ABOVE = 38.0, 112.0, 20.0, 26.0
"""Points: height of a region's row, room beside the panels, room for their names."""
SPACE = 0.075
"""Between columns, as a share of the width."""


def table(results: Results) -> pd.DataFrame:
    """Quarterly means by region: the baseline and up to two scenarios, per cent."""
    context, rows = chart_context(results), results.tables["foundries"]
    pair = context.pair() if context.others else ()
    start = rows[(rows["scenario"] == context.baseline) & (rows["month"] == context.months[0])]
    others = start[start["region"] != "CN"] if (start["region"] != "CN").any() else start
    made = others["price"] * others["capacity"]
    sums = made.groupby(others["node_class"]).sum()
    then = sums / others.groupby("node_class")["capacity"].sum()
    frames = []
    for name in (context.baseline, *pair):
        frame = _by_region(rows[rows["scenario"] == name], then)
        frame.insert(0, "scenario", name)
        frame.insert(1, "family", context.families[name])
        frames.append(frame)
    data = pd.concat(frames, ignore_index=True)
    data["label"] = [table_label("foundry_regions", region) for region in data["region"]]
    return data.assign(unit="%")


def _by_region(rows: pd.DataFrame, price: pd.Series[float]) -> pd.DataFrame:
    """The four columns of PANELS by region and quarter; `price` is that of 100 by class."""
    rows = rows.assign(
        quarter=[f"{m[:4]}Q{(int(m[5:]) + 2) // 3}" for m in rows["month"]],
        at_start=rows["output"] * rows["node_class"].map(price),
        sold=rows["output"] * rows["price"],
    )
    sums = rows.groupby(["quarter", "region"], sort=False).sum(numeric_only=True)
    all_regions = sums["capacity"].groupby(level="quarter", sort=False).transform("sum")
    shown = pd.DataFrame(
        {
            "capacity_share": 100 * sums["capacity"] / all_regions,
            "utilisation": 100 * sums["orders"] / sums["capacity"],
            "price": 100 * sums["sold"] / sums["at_start"],
            "margin": 100 * sums["profit"] / sums["revenue"],
        }
    )
    return shown.replace([np.inf, -np.inf], np.nan).reset_index()


def _ends(data: pd.DataFrame, name: str) -> pd.DataFrame:
    """Means of the last year by region."""
    rows = data[data["scenario"] == name]
    last = list(dict.fromkeys(rows["quarter"]))[-LAST // 3 :]
    return rows[rows["quarter"].isin(last)].groupby("region")[list(PANELS)].mean()


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """What becomes of foundries in China and elsewhere."""
    context = chart_context(results)
    each = "; ".join(
        f"{table_label('foundry_regions', str(region))} {row[SHARE]:.1f} % of capacity, "
        f"utilisation {row['utilisation']:.0f} %, margin {row['margin']:.0f} %"
        for region, row in _ends(data, context.baseline).to_dict("index").items()
    )
    return context.text(
        _title(data, context, estimates(results, "china_utilisation")),
        f"Foundries of {CHIPS} by region, {period(context.months)}, quarterly means: % of the "
        "world's capacity, orders as % of capacity, price of a chip (100: outside China at the "
        "start, same classes), profit as % of revenue"
        f"{context.how_many(context.pair()) if context.others else ''}",
        "Every column has one scale, that of capacity is logarithmic. Means over runs. Profit "
        "includes subsidies.",
        f"Small line charts by region, per cent. In the baseline at the end: {each}",
        {context.labels[name]: style for name, style in styles_by(data, "scenario").items()},
        untested="effects on foundries",
    )


def _title(data: pd.DataFrame, context: ChartContext, utilisation: Mapping[str, Estimate]) -> str:
    china = data[data["region"] == "CN"]
    if china.empty:
        return "Foundries by region"
    if not context.others:
        end = _ends(china, context.baseline).to_dict("index")["CN"]
        return (
            f"China's foundries go from {number(china[SHARE].iloc[0])} to {number(end[SHARE])} % "
            f"of capacity, of which {number(end['utilisation'])} % is used; their margin is "
            f"{number(end['margin'])} %"
        )
    return sentences(
        f"{context.in_sentence(name)} "
        + effect(utilisation[name], "the utilisation of China's foundries", "pp")
        for name in context.pair()
    )


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """A row of four panels for each region."""
    ax.set_axis_off()
    regions, styles = data["region"].unique(), styles_by(data, "scenario")
    wide, whole = points(ax)
    top = 1 - (ABOVE + 16 * is_narrow(ax)) / whole
    part = 0.62 if is_narrow(ax) else 0.84  # of a row; there the name of the region is above
    tall, width = top / len(regions), (1 - SPACE * (len(PANELS) - 1)) / len(PANELS)
    for c, (column, name) in enumerate(PANELS.items()):
        x = c * (width + SPACE)
        head = wrap(name, 8.5, (width + 0.8 * SPACE) * wide, "bold")
        ax.annotate(head, (x, 1), xycoords="axes fraction", va="top", size=8.5, weight="bold")
        span = _span(data[column].dropna(), column == SHARE)
        for r, region in enumerate(regions):
            panel = ax.inset_axes((x, top - (r + 0.84) * tall, width, part * tall))
            _plot_panel(panel, data[data["region"] == region], column, styles, span)
            _name_years(panel, data, is_last=r == len(regions) - 1)
    for r, region in enumerate(regions):
        name = table_label("foundry_regions", str(region))
        weight = "bold" if region == "CN" else "normal"
        if is_narrow(ax):
            place, shift, side = top - (r + 0.05) * tall, 8 - room_beside(ax)[0], "left"
        else:
            place, shift, side = top - (r + 0.5) * tall, -36.0, "right"
            name = wrap(name, 8.5, room_beside(ax)[0] - 40, lines=2)
        ax.annotate(name, (0, place), xycoords="axes fraction", size=8.5, xytext=(shift, 0),
                    textcoords="offset points", ha=side, va="center", weight=weight)  # fmt: skip


def _plot_panel(
    ax: Axes, data: pd.DataFrame, column: str, styles: dict[str, SeriesStyle],
    span: tuple[float, float],
) -> None:  # fmt: skip
    for depth, (name, style) in enumerate(styles.items(), start=3):
        rows = data[data["scenario"] == name]
        line(ax, [_place(q) for q in rows["quarter"]], rows, column, style, lw=1.4, zorder=depth,
             markevery=[-1], ms=3.5, clip_on=False)  # fmt: skip
    if column == SHARE:
        ax.set_yscale("log", subs=[])
        ax.yaxis.set_major_locator(FixedLocator([0.3, 1, 3, 10, 30, 100]))
    else:
        ax.yaxis.set_major_locator(MaxNLocator(2))
    ax.set_ylim(span)
    ax.yaxis.set_major_formatter(lambda value, _: number(value, 0))
    ax.tick_params(axis="y", length=0, labelsize=7.5)


def _span(values: pd.Series[float], is_log: bool) -> tuple[float, float]:
    """Where a column begins and ends: room around what is drawn, and zero if it is near."""
    low, high = float(values.min()), float(values.max())
    if is_log:
        return 0.7 * max(low, 1e-3), 1.4 * max(high, 1e-3)
    low = low if low < 0 or low > 0.5 * high else 0.0
    room = 0.08 * (high - low or 1.0)
    return low - room * (low != 0.0), high + room


def _place(quarter: str) -> float:
    return (parse_month(quarter) + 1.5) / 12


def _name_years(ax: Axes, data: pd.DataFrame, is_last: bool) -> None:
    """First and last year below the lowest panel."""
    quarters = data["quarter"].min(), data["quarter"].max()
    ax.set_xlim(_place(quarters[0]) - 0.1, _place(quarters[1]) + 0.1)
    ticks = dict.fromkeys(int(quarter[:4]) for quarter in quarters)
    names = [str(year) if is_last else "" for year in ticks]
    ax.set_xticks([year + 0.125 for year in ticks], names)
    ax.tick_params(axis="x", length=0, labelsize=7.5, pad=7)
    ax.grid(visible=False, axis="x")
    ax.spines["bottom"].set_visible(is_last)


CHART = Chart(
    7, "foundries", "comparison", "Foundries by region",
    table, text, plot, lambda data: TALL * data["region"].nunique() + ABOVE, LEFT, RIGHT, 20,
)  # fmt: skip

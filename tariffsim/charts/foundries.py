"""Chart 7: foundries by region: share of capacity, utilisation, price and margin over time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from tariffsim.charts import style
from tariffsim.charts.facts import Facts, facts_of, label, period, sentences
from tariffsim.charts.picture import Chart, Words
from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results
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
"""Between columns, as a part of the width."""


def table(results: Results) -> pd.DataFrame:
    """Quarterly means by region: the baseline and up to two scenarios, per cent."""
    facts = facts_of(results)
    pair = facts.pair() or facts.others[:1]
    rows = results.tables["foundries"]
    start = rows[(rows["scenario"] == facts.baseline) & (rows["month"] == facts.months[0])]
    others = start[start["region"] != "CN"] if (start["region"] != "CN").any() else start
    made = others["price"] * others["capacity"]
    sums = made.groupby(others["node_class"]).sum()
    then = sums / others.groupby("node_class")["capacity"].sum()
    frames = []
    for name in (facts.baseline, *pair):
        frame = _by_region(rows[rows["scenario"] == name], then)
        frame.insert(0, "scenario", name)
        frame.insert(1, "family", facts.families[name])
        frames.append(frame)
    data = pd.concat(frames, ignore_index=True)
    data["label"] = [label("foundry_regions", region) for region in data["region"]]
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


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: what becomes of foundries in China and elsewhere."""
    facts = facts_of(results)
    shown = list(dict.fromkeys(data["scenario"]))
    looks = style.looks({name: facts.families[name] for name in shown})
    title = _title(data, facts, shown)
    base = _ends(data, facts.baseline)
    listed = "; ".join(
        f"{label('foundry_regions', str(region))} {row['capacity_share']:.1f} % of capacity, "
        f"{row['utilisation']:.0f} % used, margin {row['margin']:.0f} %"
        for region, row in base.to_dict("index").items()
    )
    return Words(
        title,
        f"Foundries of foundational chips by region, {period(facts.months)}, quarterly means: % of "
        "the world's capacity, orders as % of capacity, price of a chip (100: outside China at the "
        "start, same classes), profit as % of revenue",
        "Every column has one scale, that of capacity is logarithmic. Means over runs. Subsidies "
        f"are part of profit. {facts.source}",
        f"{title}. Small line charts by region, per cent. In the baseline at the end: {listed}.",
        "%",
        [style.Key(facts.labels[name], looks[name]) for name in shown],
    )


def _title(data: pd.DataFrame, facts: Facts, shown: list[str]) -> str:
    ends = {name: _ends(data, name).to_dict("index") for name in shown}
    base = ends[facts.baseline].get("CN")
    if base is None:
        return "Foundries by region"
    if facts.n < 2:
        return "One run: what becomes of foundries cannot be told from chance"
    used, margin = (style.number(base[c]) for c in ("utilisation", "margin"))
    if len(shown) == 1:
        first = float(data.loc[data["region"] == "CN", SHARE].iloc[0])
        path = f"from {style.number(first)} to {style.number(base[SHARE])} % of capacity"
        return f"China's foundries go {path}, of which {used} % is used; their margin is {margin} %"
    parts = [
        f"China's foundries use {used} % of capacity in the baseline, at a margin of {margin} %"
    ]
    for name in shown[1:]:
        used, margin = (style.number(ends[name]["CN"][c]) for c in ("utilisation", "margin"))
        parts.append(f"{used} and {margin} % with {facts.short(name)}")
    return sentences(parts)


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a row of four panels for each region."""
    regions = list(dict.fromkeys(data["region"]))
    ax = style.own_axes(ax, TALL * len(regions) + ABOVE, LEFT, RIGHT)
    ax.set_axis_off()
    named = data.drop_duplicates("scenario").set_index("scenario")
    looks = style.looks({str(n): str(f) for n, f in named["family"].items()})
    _, high = style.points(ax)
    top = 1 - ABOVE / high
    tall, width = top / len(regions), (1 - SPACE * (len(PANELS) - 1)) / len(PANELS)
    for c, (column, name) in enumerate(PANELS.items()):
        x = c * (width + SPACE)
        ax.annotate(name, (x, 1), xycoords="axes fraction", va="top", size=8.5, weight="bold")
        low, top_value = _span(data[column].dropna(), column == SHARE)
        for r, region in enumerate(regions):
            box = (x, top - (r + 1) * tall + 0.16 * tall, width, 0.84 * tall)
            panel = ax.inset_axes(box)
            _lines(panel, data[data["region"] == region], column, looks)
            if column == SHARE:
                panel.set_yscale("log")
            panel.set_ylim(low, top_value)
            ticks = [v for v in (0.3, 1, 3, 10, 30, 100) if low <= v <= top_value]
            panel.yaxis.set_major_locator(
                FixedLocator(ticks) if column == SHARE else MaxNLocator(2)
            )
            panel.yaxis.set_minor_locator(NullLocator())
            panel.yaxis.set_major_formatter(lambda value, _: style.number(value, 0))
            panel.tick_params(axis="y", length=0, labelsize=7.5)
            is_last = r == len(regions) - 1
            _years(panel, data, is_last)
    for r, region in enumerate(regions):
        text = style.wrap(label("foundry_regions", str(region)), 8.5, LEFT - 60, lines=2)
        ax.annotate(text, (0, top - (r + 0.5) * tall), xycoords="axes fraction", size=8.5,
                    xytext=(-36, 0), textcoords="offset points", ha="right", va="center",
                    weight="bold" if region == "CN" else "normal")  # fmt: skip
    return ax


def _span(values: pd.Series[float], is_log: bool) -> tuple[float, float]:
    """Where a column begins and ends: room around what is drawn, and zero if it is near."""
    low, high = float(values.min()), float(values.max())
    if is_log:
        return 0.7 * max(low, 1e-3), 1.4 * max(high, 1e-3)
    low = low if low < 0 or low > 0.5 * high else 0.0
    room = 0.08 * (high - low or 1.0)
    return low - room * (low != 0.0), high + room


def _lines(ax: Axes, rows: pd.DataFrame, column: str, looks: dict[str, style.Look]) -> None:
    for depth, (name, look) in enumerate(looks.items(), start=3):  # the baseline below
        own = rows[rows["scenario"] == name]
        x = [_place(quarter) for quarter in own["quarter"]]
        ax.plot(x, own[column], color=look.colour, lw=1.4, ls=look.dash, zorder=depth,
                marker=look.marker, markevery=[-1], ms=3.5, mfc=look.face, clip_on=False,
                label=style.drawn(column))  # fmt: skip


def _place(quarter: str) -> float:
    return (parse_month(quarter) + 1.5) / 12


def _years(ax: Axes, data: pd.DataFrame, is_last: bool) -> None:
    """First and last year below the lowest panel."""
    first, last = (int(q[:4]) for q in (data["quarter"].min(), data["quarter"].max()))
    ax.set_xlim(_place(data["quarter"].min()) - 0.1, _place(data["quarter"].max()) + 0.1)
    ticks = dict.fromkeys([first, last])
    names = [str(year) if is_last else "" for year in ticks]
    ax.set_xticks([year + 0.125 for year in ticks], names)
    ax.tick_params(axis="x", length=0, labelsize=7.5, pad=7)
    ax.grid(visible=False, axis="x")
    ax.spines["bottom"].set_visible(is_last)


CHART = Chart(
    7, "foundries", "Foundries by region",
    "Share of capacity, utilisation, price and margin of foundries by region over time.",
    table, words, draw, lambda data: TALL * data["region"].nunique() + ABOVE, LEFT, RIGHT, 20,
)  # fmt: skip

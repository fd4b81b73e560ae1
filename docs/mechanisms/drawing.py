"""The two forms of the charts of mechanisms: bars by case, and lines over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.lettering import wrap
from tariffsim.charts.picture import WIDTH, ChartText, Picture, house_style, page, shows
from tariffsim.charts.style import QUIET, SeriesStyle, plain_tick, signed_tick
from tariffsim.record.results import Results
from tariffsim.record.statements import estimates, number

GAP = 0.05
"""Between panels with bars, as a share of the width."""
TALL = 210.0
"""Height of panels with lines, points."""
LEFT, RIGHT = 46.0, 20.0
NAMES, END = 178.0, 24.0
ONE_LINE = 14.0
SPACE, OUT = 0.09, 26.0
"""Between panels with lines, as a share of the width; how far left of them their names begin."""


@dataclass(frozen=True)
class Panel:
    """One column of the table, and the heading of its panel: what it is, and its unit."""

    column: str
    name: str
    decimals: int = 1
    is_change: bool = False

    @property
    def tick(self) -> object:
        """How numbers are written on its axis."""
        return signed_tick if self.is_change else plain_tick


def of_metrics(results: Results, panels: Sequence[Panel], changes: Sequence[str]) -> pd.DataFrame:
    """Level, or change against the baseline with its interval, by scenario."""
    rows: dict[str, dict[str, object]] = {}
    for panel in panels:
        for name, found in estimates(results, panel.column).items():
            row = rows.setdefault(name, {"label": "No policy" if not rows else name})
            is_change = panel.column in changes
            lift = 0.0 if is_change else found.level - found.difference
            row[panel.column] = found.difference if is_change else found.level
            row[f"{panel.column}_low"] = found.low + lift
            row[f"{panel.column}_high"] = found.high + lift
    return pd.DataFrame(list(rows.values()))


def bars(
    name: str, data: pd.DataFrame, panels: Sequence[Panel], styles: Mapping[str, SeriesStyle],
    text: ChartText,
) -> Picture:  # fmt: skip
    """A row a case and a column of bars a metric; columns `low` and `high` are intervals."""
    with house_style():
        widths = axes.equal_widths(len(panels), GAP)
        wide = (WIDTH - NAMES - END) * widths[0]
        heads = [wrap(panel.name, 8.5, wide, "bold", 3) for panel in panels]
        above = ONE_LINE * (1 + max(head.count("\n") for head in heads))
        figure, ax = page(text, axes.body(len(data)) + above, NAMES, END, 24)
        places = axes.name_rows(ax, data["label"])
        ax.set_ylim(len(data) - 0.4, -0.6 - above / axes.PITCH)
        insides = axes.panels(ax, widths, GAP)
        for panel, head, inside in zip(panels, heads, insides, strict=True):
            _bars(inside, data, panel, places, styles)
            axes.head(inside, head)
    return Picture(name, figure, text, data)


def _bars(
    ax: Axes, data: pd.DataFrame, panel: Panel, places: Sequence[float],
    styles: Mapping[str, SeriesStyle],
) -> None:  # fmt: skip
    values, low, high = data[panel.column], f"{panel.column}_low", f"{panel.column}_high"
    colours = [styles[label].colour for label in data["label"]]
    ax.barh(places, values, 0.62, color=colours, alpha=0.85, zorder=3)
    ax.plot(values, places, ls="none", label=shows(x=panel.column))
    spread = data[[panel.column, *({low, high} & set(data))]]
    if low in data:
        axes.intervals(ax, data, places, (low, high))
    tips = spread.max(axis=1).where(values >= 0, spread.min(axis=1))
    texts = [number(value, panel.decimals, sign=panel.is_change) for value in values]
    axes.value_labels(ax, texts, tips, places, values >= 0)
    axes.zero_line(ax)
    least, most = min(0.0, float(spread.min().min())), max(0.0, float(spread.max().max()))
    room = 0.34 * (most - least or 1.0)
    ax.set_xlim(least - room * (least < 0), most + room * (most > 0 or least == most))
    ax.grid(visible=True, axis="x")
    ax.xaxis.set_major_locator(axes.round_ticks(3))
    ax.xaxis.set_major_formatter(panel.tick)


def lines(
    name: str, data: pd.DataFrame, panels: Sequence[Panel], styles: Mapping[str, SeriesStyle],
    text: ChartText, marks: Mapping[float, str] | None = None, across: str = "",
) -> Picture:  # fmt: skip
    """A panel a metric, a line a series; column `at` is a month as text, or a number."""
    text = replace(text, legend={series: styles[series] for series in data["series"].unique()})
    with house_style():
        width = (1 - SPACE * (len(panels) - 1)) / len(panels)
        wide = (WIDTH - LEFT - RIGHT) * width + OUT
        heads = [wrap(panel.name, 8.5, wide, "bold", 2) for panel in panels]
        body = TALL + ONE_LINE * max(head.count("\n") for head in heads) + 16
        figure, ax = page(text, body, LEFT, RIGHT, 38)
        ax.set_axis_off()
        for n, panel in enumerate(panels):
            inside = ax.inset_axes((n * (width + SPACE), 0, width, TALL / body))
            _lines(inside, data, panel, styles)
            _marks(inside, marks or {})
            axes.heading(inside, heads[n], OUT)
            inside.set_xlabel(across, loc="right")
    return Picture(name, figure, text, data)


def _lines(ax: Axes, data: pd.DataFrame, panel: Panel, styles: Mapping[str, SeriesStyle]) -> None:
    is_dated = not pd.api.types.is_numeric_dtype(data["at"])
    for depth, (series, rows) in enumerate(data.groupby("series", sort=False)):
        rows = rows[rows[panel.column].notna()]
        x = axes.years(rows["at"]) if is_dated else rows["at"]
        every = max(len(x) // 8, 1)
        axes.line(ax, x, rows, panel.column, styles[str(series)], lw=1.7, ms=4, mew=1.1,
                       markevery=(every // 2 + depth * every // 4, every), zorder=3 + depth,
                       clip_on=False)  # fmt: skip
    values = data[panel.column].dropna()
    low, high = float(values.min()), float(values.max())
    if not panel.is_change and low <= 0.6 * high:
        low = min(low, 0.0)
    room = 0.08 * (high - low or 1.0)
    ax.set_ylim(low - room * (low != 0), high + room)
    if ax.get_ylim()[0] < 0:
        axes.zero_line(ax, is_horizontal=True)
    ax.grid(visible=False, axis="x")
    ax.xaxis.set_major_locator(axes.round_ticks(5, integer=True))
    ax.yaxis.set_major_locator(axes.round_ticks(5))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_major_formatter(panel.tick)


def _marks(ax: Axes, marks: Mapping[float, str]) -> None:
    """Lines upright at events, with their names."""
    for place, text in marks.items():
        ax.axvline(place, color="#9A9A9A", lw=0.9, zorder=1.4)
        ax.annotate(text, (place, 1), xycoords=("data", "axes fraction"), xytext=(3, -2),
                    textcoords="offset points", va="top", size=7.5, color=QUIET,
                    bbox={"fc": "white", "ec": "none", "pad": 0.8, "alpha": 0.8})  # fmt: skip


def described(data: pd.DataFrame, panels: Sequence[Panel]) -> str:
    """The numbers of a table of bars in words, for the alt text."""
    return "; ".join(
        f"{row['label']}: "
        + ", ".join(f"{p.name} {number(row[p.column], p.decimals, p.is_change)}" for p in panels)
        for row in data.to_dict("records")
    )


def ends_of(data: pd.DataFrame, panels: Sequence[Panel]) -> str:
    """Where lines begin and end, in words."""
    return "; ".join(
        f"{series}, {panel.name}: {number(values.iloc[0], 2)} to {number(values.iloc[-1], 2)}"
        for series, rows in data.groupby("series", sort=False)
        for panel in panels
        if len(values := rows[panel.column].dropna())
    )

"""The two forms of the charts of mechanisms: bars by case, and lines over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tariffsim.charts import rows as of_rows
from tariffsim.charts import style
from tariffsim.charts.picture import Picture, Words
from tariffsim.typing import parse_month

GAP = 0.05
"""Between panels, as a part of the width."""
TALL = 210.0
"""Height of panels with lines, points."""
LEFT, RIGHT = 46.0, 20.0
NAMES, END = 178.0, 24.0
ONE_LINE = 14.0
SPACE, OUT = 0.09, 26.0
"""Between panels with lines, as a part of the width; how far left of them their names begin."""
STEPS = [1, 2, 2.5, 5, 10]


@dataclass(frozen=True)
class Panel:
    """One column of the table, and what stands above it: what it is, and its unit."""

    column: str
    name: str
    decimals: int = 1
    is_change: bool = False


def look(kind: str, is_hollow: bool = False) -> style.Look:
    """The look of a kind of scenario, see `style.FAMILIES`."""
    colour, text, marker, dash = style.FAMILIES[kind]
    return style.Look(colour, text, marker, dash, "white" if is_hollow else colour)


def bars(
    name: str, data: pd.DataFrame, panels: Sequence[Panel], looks: Mapping[str, style.Look],
    words: Words,
) -> Picture:  # fmt: skip
    """A row a case and a column of bars a measure; columns `low` and `high` are intervals."""
    with style.in_style():
        width = (1 - GAP * (len(panels) - 1)) / len(panels)
        wide = (style.WIDTH - NAMES - END) * width
        heads = [style.wrap(panel.name, 8.5, wide, "bold", 3) for panel in panels]
        above = ONE_LINE * (1 + max(head.count("\n") for head in heads))
        body = of_rows.body(len(data)) + above
        figure, ax = style.page(
            words.title, words.subtitle, words.note, words.keys, body, NAMES, END, 24
        )
        places = of_rows.rows(ax, data["label"].tolist())
        ax.set_ylim(len(data) - 0.4, -0.6 - above / of_rows.PITCH)
        ax.get_xaxis().set_visible(False)
        ax.spines["bottom"].set_visible(False)
        ax.grid(visible=False)
        for n, panel in enumerate(panels):
            inside = ax.inset_axes((n * (width + GAP), 0, width, 1))
            inside.set_ylim(ax.get_ylim())
            _bars(inside, data, panel, places, looks)
            inside.annotate(
                heads[n], (0, 1), size=8.5, weight="bold", xycoords="axes fraction", va="top",
                linespacing=style.LINE / 1.2, bbox={"fc": "white", "ec": "none", "pad": 1},
            )  # fmt: skip
    return Picture(name, figure, words, data)


def _bars(
    ax: Axes, data: pd.DataFrame, panel: Panel, places: Sequence[float],
    looks: Mapping[str, style.Look],
) -> None:  # fmt: skip
    values = data[panel.column]
    ends = [column for column in (f"{panel.column}_low", f"{panel.column}_high") if column in data]
    spread = data[[panel.column, *ends]]
    low, high = min(0.0, float(spread.min().min())), max(0.0, float(spread.max().max()))
    room = 0.34 * (high - low or 1.0)
    ax.set_xlim(low - room * (low < 0), high + room * (high > 0 or low == high))
    for place, label, value in zip(places, data["label"], values, strict=True):
        colour = looks[label].colour
        bar = ax.barh([place], value, 0.62, color=colour, alpha=0.85, zorder=3)
        bar.patches[0].set_label("bar")
    ax.plot(values, places, ls="none", label=style.drawn(panel.column, axis="x"))
    if ends:
        ax.hlines(places, data[ends[0]], data[ends[1]], color="#8C8C8C", lw=1.3, zorder=4,
                  label=style.drawn(*ends, axis="x"))  # fmt: skip
    for place, value, (_, row) in zip(places, values, data.iterrows(), strict=True):
        tip = (
            float(max(row[[panel.column, *ends]]))
            if value >= 0
            else float(min(row[[panel.column, *ends]]))
        )
        ax.annotate(style.number(value, panel.decimals, sign=panel.is_change), (tip, place),
                    xytext=(4 if value >= 0 else -4, 0), textcoords="offset points", size=8,
                    va="center", ha="left" if value >= 0 else "right", zorder=5)  # fmt: skip
    of_rows.zero_line(ax)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(3, steps=STEPS))
    ax.xaxis.set_major_formatter(
        style.tick if panel.is_change else lambda value, _: style.tick(value).lstrip("+")
    )


def lines(
    name: str, data: pd.DataFrame, panels: Sequence[Panel], looks: Mapping[str, style.Look],
    words: Words, marks: Mapping[float, str] | None = None, at_name: str = "",
) -> Picture:  # fmt: skip
    """A panel a measure, a line a series; column `at` is a month as text, or a number."""
    keys = [style.Key(series, looks[series]) for series in dict.fromkeys(data["series"])]
    words = Words(words.title, words.subtitle, words.note, words.alt, words.unit, keys)
    with style.in_style():
        width = (1 - SPACE * (len(panels) - 1)) / len(panels)
        wide = (style.WIDTH - LEFT - RIGHT) * width + OUT
        heads = [style.wrap(panel.name, 8.5, wide, "bold", 2) for panel in panels]
        body = TALL + ONE_LINE * max(head.count("\n") for head in heads) + 16
        figure, ax = style.page(
            words.title, words.subtitle, words.note, words.keys, body, LEFT, RIGHT, 38
        )
        ax.set_axis_off()
        for n, panel in enumerate(panels):
            box = (n * (width + SPACE), 0, width, TALL / body)
            inside = ax.inset_axes(box)
            _lines(inside, data, panel, looks)
            _marks(inside, marks or {})
            inside.annotate(
                heads[n], (0, 1), size=8.5, weight="bold", xycoords="axes fraction", va="bottom",
                xytext=(-OUT, 8), textcoords="offset points", linespacing=style.LINE / 1.2,
            )  # fmt: skip
            inside.set_xlabel(at_name, loc="right")
    return Picture(name, figure, words, data)


def _lines(ax: Axes, data: pd.DataFrame, panel: Panel, looks: Mapping[str, style.Look]) -> None:
    is_dated = not pd.api.types.is_numeric_dtype(data["at"])
    for depth, (series, rows) in enumerate(data.groupby("series", sort=False)):
        rows = rows[rows[panel.column].notna()]
        if rows.empty:
            continue
        x = [parse_month(m) / 12 for m in rows["at"]] if is_dated else rows["at"].to_numpy(float)
        own = looks[str(series)]
        every = max(len(x) // 8, 1)
        ax.plot(x, rows[panel.column], color=own.colour, lw=1.7, ls=own.dash, marker=own.marker,
                ms=4, mfc=own.face, mew=1.1, markevery=(every // 2 + depth * every // 4, every),
                zorder=3 + depth, clip_on=False, label=style.drawn(panel.column))  # fmt: skip
        if not is_dated:
            ax.plot(x, rows[panel.column], ls="none", label=style.drawn("at", axis="x"))
    values = data[panel.column].dropna()
    low, high = float(values.min()), float(values.max())
    if panel.is_change or low > 0.6 * high:
        room = 0.08 * (high - low or 1.0)
        ax.set_ylim(low - room, high + room)
    else:
        ax.set_ylim(min(low, 0.0), high + 0.08 * (high - min(low, 0.0) or 1.0))
    if ax.get_ylim()[0] < 0:
        ax.axhline(0, color="#6E6E6E", lw=1, zorder=1.5)
    ax.grid(visible=False, axis="x")
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True, steps=STEPS))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=STEPS))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_major_formatter(
        style.tick if panel.is_change else lambda value, _: style.tick(value).lstrip("+")
    )


def _marks(ax: Axes, marks: Mapping[float, str]) -> None:
    """Lines upright at events, with their names."""
    for place, text in marks.items():
        ax.axvline(place, color="#9A9A9A", lw=0.9, zorder=1.4)
        ax.annotate(text, (place, 1), xycoords=("data", "axes fraction"), xytext=(3, -2),
                    textcoords="offset points", va="top", size=7.5, color=style.QUIET,
                    bbox={"fc": "white", "ec": "none", "pad": 0.8, "alpha": 0.8})  # fmt: skip


def listed(data: pd.DataFrame, panels: Sequence[Panel], by: str = "label") -> str:
    """The numbers of a table of bars in words, for the alt text."""
    return "; ".join(
        f"{row[by]}: "
        + ", ".join(f"{p.name} {style.number(row[p.column], p.decimals, p.is_change)}"
                    for p in panels)
        for row in data.to_dict("records")
    )  # fmt: skip


def ends_of(data: pd.DataFrame, panels: Sequence[Panel]) -> str:
    """Where lines begin and end, in words."""
    parts: list[str] = []
    for series, rows in data.groupby("series", sort=False):
        for panel in panels:
            values: Any = rows[panel.column].dropna()
            if len(values):
                parts.append(f"{series}, {panel.name}: {style.number(values.iloc[0], 2)} to "
                             f"{style.number(values.iloc[-1], 2)}")  # fmt: skip
    return "; ".join(parts)

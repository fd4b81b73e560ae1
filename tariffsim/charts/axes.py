"""Axes of charts: lines with their bands, rows with names, panels, names of axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tariffsim.charts.lettering import LINE, VALUE, figure_of, is_narrow, points, room_beside, wrap
from tariffsim.charts.picture import shows
from tariffsim.charts.style import QUIET, SeriesStyle
from tariffsim.typing import Float, format_month, parse_month

PITCH = 22.0
"""Height of a row in points."""
LEFT = 168.0
"""Room for the names of rows, in points."""
Places: TypeAlias = "Sequence[float] | pd.Series[float] | Float"
"""Places of points on the axis across; a column of the table counts as shown too."""


def years(months: Iterable[str]) -> list[float]:
    """Months as places on an axis of years."""
    return [parse_month(month) / 12 for month in months]


def name_months(ax: Axes, months: Iterable[str]) -> None:
    """Ticks on an axis of years: years if there are two or more, else months."""
    known = sorted({parse_month(month) for month in months})
    first, last = known[0], known[-1]
    if last - first >= 24:
        step = 12 * max(1, (last - first) // 120)
        ticks = [m for m in range(first - first % 12, last + 2, step) if m >= first]
        names = [str(m // 12) for m in ticks]
    else:
        ticks = known[:: max(1, -(-len(known) // 6))]
        names = [format_month(m) for m in ticks]
    ax.set_xticks([m / 12 for m in ticks], names)
    ax.set_xlim(first / 12, max(last, first + 1) / 12)
    ax.grid(visible=False, axis="x")


def line(
    ax: Axes, x: Places, data: pd.DataFrame, column: str, style: SeriesStyle, **options: Any
) -> None:
    """A column over `x` in the style of its scenario, or with other options of `Axes.plot`."""
    given = {"color": style.colour, "lw": style.width, "ls": style.dash, "marker": style.marker,
             "mfc": style.fill, "zorder": 3} | options  # fmt: skip
    across = str(x.name) if isinstance(x, pd.Series) else ""
    ax.plot(x, data[column], label=shows(across, column), **given)


def band(
    ax: Axes, x: Places, data: pd.DataFrame, ends: tuple[str, str], style: SeriesStyle,
    alpha: float = 0.13, **options: Any,
) -> None:  # fmt: skip
    """The area between two columns, if the table has them for all of `x`."""
    low, high = (data[column] for column in ends)
    if low.notna().all():
        ax.fill_between(x, low, high, color=style.colour, alpha=alpha, lw=0,
                        label=shows(y=" ".join(ends)), **options)  # fmt: skip


def crosses(ax: Axes, data: pd.DataFrame, x: str, y: str, style: SeriesStyle, alpha: float) -> None:
    """Intervals of points in both directions: columns `X_low` and `X_high`, and so for `Y`."""
    given: dict[str, Any] = {"color": style.colour, "lw": 1.0, "alpha": alpha}
    low, high = f"{x}_low", f"{x}_high"
    ax.hlines(data[y], data[low], data[high], label=shows(x=f"{low} {high}"), **given)
    low, high = f"{y}_low", f"{y}_high"
    ax.vlines(data[x], data[low], data[high], label=shows(y=f"{low} {high}"), **given)


def name_axes(
    ax: Axes, across: str, up: str = "", ticks: Callable[[float, Any], str] | None = None
) -> None:
    """Names at the right end of the axis across and on top of the axis upwards.

    `ticks` writes the numbers of the axis across.
    """
    ax.set_xlabel(f"{across} →", loc="right")
    room = points(ax)[0] + room_beside(ax)[0] / 2
    up = wrap(f"↑ {up}", 8.5, room, lines=2) if up else ""
    if ticks is not None:
        ax.xaxis.set_major_formatter(ticks)
    ax.set_title(up, loc="left", size=8.5, color=QUIET, x=-0.04)


def heading(panel: Axes, text: str, left: float) -> None:
    """The name of a panel above it, beginning `left` points left of it, or as far as may be."""
    left = min(left, room_beside(panel)[0] - 8)
    panel.annotate(text, (0, 1), xycoords="axes fraction", weight="bold", size=8.5, va="bottom",
                   xytext=(-left, 8), textcoords="offset points")  # fmt: skip


def round_ticks(most: int, **options: Any) -> MaxNLocator:
    """Ticks at round numbers."""
    return MaxNLocator(most, steps=[1, 2, 2.5, 5, 10], **options)


def body(n: float) -> float:
    """Height of axes with so many rows, in points."""
    return PITCH * (n + 0.6)


def name_rows(
    ax: Axes, names: Iterable[str], places: Sequence[float] | None = None, *, room: float = LEFT,
    size: float = 8.5,
) -> list[float]:  # fmt: skip
    """Make the axes a list of named rows, first on top; returns their heights."""
    names = list(names)
    places = [float(i) for i in range(len(names))] if places is None else list(places)
    ax.set_ylim(max(places) + 0.6, min(places) - 0.6)
    if is_narrow(ax):
        _name_above(ax, names, places, size)
    else:
        room = min(room, room_beside(ax)[0]) - 24
        lines = max(2, int(points(ax)[1] / (len(places) + 0.2) / (1.15 * size)))
        ax.set_yticks(places, [wrap(name, size, room, lines=lines) for name in names], size=size)
        for text in ax.get_yticklabels():
            text.set_linespacing(0.95)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="both")
    return places


def _name_above(
    ax: Axes, names: Sequence[str], places: Sequence[float], size: float
) -> None:  # fmt: skip
    """Names of rows above them from the edge of the picture, and rows as wide as that leaves."""
    edge, figure = 8.0, figure_of(ax)
    if ax in figure.axes:  # not a panel of other axes
        box, first = ax.get_position(), edge / (72 * figure.get_size_inches()[0])
        ax.set_position((first, box.y0, box.x1 - first, box.height))
    ax.set_yticks(list(places), [""] * len(places))
    room = points(ax)[0] + sum(room_beside(ax)) - 2 * edge
    for name, place in zip(names, places, strict=True):
        ax.annotate(wrap(name, size, room, lines=1), (0, place - 0.5), size=size, va="center",
                    xycoords=("axes fraction", "data"), xytext=(edge - room_beside(ax)[0], 0),
                    textcoords="offset points", annotation_clip=False, zorder=6,
                    bbox={"fc": "white", "ec": "none", "pad": 0.5, "alpha": 0.8})  # fmt: skip


def name_blocks(ax: Axes, names: Mapping[str, float]) -> None:
    """Names of blocks of rows, bold, at their heights in the column of the names of rows."""
    shift, side = (8.0 - room_beside(ax)[0], "left") if is_narrow(ax) else (-8.0, "right")
    for name, place in names.items():
        ax.annotate(name, (0, place), xycoords=("axes fraction", "data"), xytext=(shift, 0),
                    textcoords="offset points", size=8.5, weight="bold", ha=side,
                    va="center", annotation_clip=False)  # fmt: skip


def panels(ax: Axes, widths: Sequence[float], gap: float) -> list[Axes]:
    """Panels beside each other on the rows of the axes, whose names are all that is left of it.

    Args:
        ax: axes with named rows.
        widths: of the panels, as shares of the width of the axes.
        gap: between them, as such a share.
    """
    ax.get_xaxis().set_visible(False)
    ax.spines["bottom"].set_visible(False)
    ax.grid(visible=False)
    found, left = [], 0.0
    for width in widths:
        panel = ax.inset_axes((left, 0, width, 1))
        panel.set_ylim(ax.get_ylim())
        panel.set_yticks(ax.get_yticks(), [""] * len(ax.get_yticks()))
        panel.spines["left"].set_visible(False)
        panel.tick_params(axis="y", length=0)
        panel.grid(visible=False, axis="y")
        found.append(panel)
        left += width + gap
    return found


def equal_widths(count: int, gap: float) -> list[float]:
    """Widths of panels that fill the axes."""
    return [(1 - gap * (count - 1)) / count] * count


def head(ax: Axes, text: str) -> None:
    """The name of a panel, at the top of its inside."""
    ax.annotate(text, (0, 1), xycoords="axes fraction", size=8.5, weight="bold", va="top",
                linespacing=LINE / 1.2, bbox={"fc": "white", "ec": "none", "pad": 2})  # fmt: skip


def bars(
    ax: Axes, data: pd.DataFrame, places: Iterable[float], colours: Iterable[str],
    ends: tuple[str, str] = ("start", "end"), height: float = 0.62, **options: Any,
) -> None:  # fmt: skip
    """A bar a row from one column to another."""
    start, end = data[ends[0]], data[ends[1]]
    options = {"zorder": 3} | options
    for bar in ax.barh(
        list(places), end - start, height, left=start, color=list(colours), **options
    ):
        bar.set_label(shows(x=" ".join(ends)))


def intervals(
    ax: Axes, data: pd.DataFrame, places: Sequence[float] | Float, ends: tuple[str, str],
    colour: str = "#8C8C8C", zorder: float = 4,
) -> None:  # fmt: skip
    """A line a row from the lower to the upper end of its interval, where it has one."""
    low, high = data[ends[0]], data[ends[1]]
    ax.hlines(places, low, high, color=colour, lw=1.3, zorder=zorder, label=shows(x=" ".join(ends)))


def value_labels(
    ax: Axes, texts: Iterable[str], tips: Iterable[float], places: Iterable[float],
    is_right: Iterable[bool],
) -> None:  # fmt: skip
    """The number of each row beside the tip of its bar."""
    for text, tip, place, right in zip(texts, tips, places, is_right, strict=True):
        ax.annotate(text, (tip, place), xytext=(4 if right else -4, 0), size=8, zorder=5,
                    textcoords="offset points", va="center", ha="left" if right else "right",
                    annotation_clip=False, label=VALUE)  # fmt: skip


def dumbbells(
    ax: Axes, data: pd.DataFrame, places: Sequence[float], styles: Mapping[str, SeriesStyle]
) -> None:
    """Dots of several columns in a row, a line between them.

    Args:
        ax: axes with the rows.
        data: one row a row; columns `X_low` and `X_high` are the interval of `X`, and marks are
            hollow where `is_X_significant` is false.
        places: heights of the rows.
        styles: styles by column.
    """
    values = data[list(styles)]
    ax.hlines(places, values.min(axis=1), values.max(axis=1), color="#C9C9C9", lw=2.6, zorder=2)
    for depth, (column, style) in enumerate(styles.items()):
        if f"{column}_low" in data:
            intervals(ax, data, places, (f"{column}_low", f"{column}_high"), style.colour, 3)
        significant = data.get(f"is_{column}_significant", pd.Series(True, index=data.index))
        for value, place, is_full in zip(data[column], places, significant, strict=True):
            fill = "white" if pd.notna(is_full) and not is_full else style.fill
            ax.plot([value], [place], marker=style.marker, ms=7, color=style.colour, mfc=fill,
                    mew=1.4, ls="none", zorder=5 - depth, label=shows(x=column))  # fmt: skip


def zero_line(ax: Axes, is_horizontal: bool = False) -> None:
    """The line of no change."""
    (ax.axhline if is_horizontal else ax.axvline)(0, color="#6E6E6E", lw=1, zorder=1.5)

"""Axes with lines: a line with its band, names of axes, headings of panels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tariffsim.charts.palette import QUIET, SeriesStyle
from tariffsim.charts.picture import shows
from tariffsim.typing import Float, format_month, parse_month

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


def name_axes(ax: Axes, across: str, up: str = "") -> None:
    """Names at the right end of the axis across and on top of the axis upwards."""
    ax.set_xlabel(f"{across} →", loc="right")
    ax.set_title(f"↑ {up}" if up else "", loc="left", size=8.5, color=QUIET, x=-0.04)


def heading(panel: Axes, text: str, left: float) -> None:
    """The name of a panel above it, beginning `left` points left of it."""
    panel.annotate(text, (0, 1), xycoords="axes fraction", weight="bold", size=8.5, va="bottom",
                   xytext=(-left, 8), textcoords="offset points")  # fmt: skip


def round_ticks(most: int, **options: Any) -> MaxNLocator:
    """Ticks at round numbers."""
    return MaxNLocator(most, steps=[1, 2, 2.5, 5, 10], **options)

"""Rows with two dots and the line between them: the form of several charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import style
from tariffsim.charts.style import Look

PITCH = 22.0
"""Height of a row in points."""
LEFT = 168.0
"""Room for the names of rows, in points."""


def rows(ax: Axes, names: Sequence[str], places: Sequence[float] | None = None) -> list[float]:
    """Make the axes a list of named rows, first on top; returns their heights."""
    places = [float(i) for i in range(len(names))] if places is None else list(places)
    ax.set_yticks(places, [style.wrap(name, 8.5, LEFT - 24, lines=2) for name in names])
    for text in ax.get_yticklabels():
        text.set_linespacing(0.95)
    ax.set_ylim(max(places) + 0.6, min(places) - 0.6)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="both")
    return places


def dumbbells(
    ax: Axes, data: pd.DataFrame, places: Sequence[float], columns: Sequence[str],
    scenario_looks: Mapping[str, Look],
) -> None:  # fmt: skip
    """Two dots a row, a line between; hollow where the interval of the difference covers zero."""
    for (_, row), place in zip(data.iterrows(), places, strict=True):
        values = [row[c] for c in columns]
        ax.plot(values, [place] * len(values), color="#C9C9C9", lw=2.6, zorder=2)
    for depth, (column, look) in enumerate(zip(columns, scenario_looks.values(), strict=True)):
        low, high, sure = f"{column}_low", f"{column}_high", f"is_{column}_distinguishable"
        for (_, row), place in zip(data.iterrows(), places, strict=True):
            if low in data and pd.notna(row[low]):
                ax.hlines([place], row[low], row[high], color=look.colour, lw=1.1, zorder=3,
                          label=style.drawn(low, high, axis="x"))  # fmt: skip
            is_hollow = sure in data and pd.notna(row[sure]) and not row[sure]
            face = "white" if is_hollow else look.face
            ax.plot([row[column]], [place], marker=look.marker, ms=7, color=look.colour, mfc=face,
                    mew=1.4, ls="none", zorder=5 - depth,
                    label=style.drawn(column, axis="x"))  # fmt: skip


def zero_line(ax: Axes) -> None:
    """The line of no change."""
    ax.axvline(0, color="#6E6E6E", lw=1, zorder=1.5)


def body(n: float) -> float:
    """Height of axes with so many rows, in points."""
    return PITCH * (n + 0.6)

"""Chart 12 for all assumptions at once: Sobol indices, or Morris' elementary effects."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import style
from tariffsim.charts.facts import facts_of
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.charts.tornado import (
    LEFT,
    MOST,
    answer,
    assumptions,
    body,
    labels,
    named_rows,
    strongest,
)
from tariffsim.record.results import Results

METHODS = {"sobol": ("total_order", "first_order"), "morris": ("mu_star", "sigma")}
"""Columns of a method: the one with bars and intervals, and the one with marks."""
NAMES = {
    "total_order": "Total: with all it has a hand in",
    "first_order": "First order: by itself",
    "mu_star": "Mean size of the change over its range",
    "sigma": "Spread of that change: interaction and curvature",
}
BAR = style.Look("#12436D", "#12436D", "s", "-", "#12436D")
MARK = style.Look("#B04A10", "#B04A10", "d", "-", "white")


def table(results: Results) -> pd.DataFrame:
    """Indices of the strongest factors with their intervals."""
    method = str(results.provenance.get("method"))
    if method not in METHODS:
        raise LeftOut("it needs a sensitivity analysis by sobol or morris")
    bar, mark = METHODS[method]
    found = assumptions(results, method).head(MOST)
    data = found.assign(label=labels(found))
    unit = "part of the variance" if method == "sobol" else answer(results)[1]
    return data[["factor", "label", bar, f"{bar}_low", f"{bar}_high", mark]].assign(unit=unit)


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: the assumptions that explain most."""
    facts, method = facts_of(results), str(results.provenance["method"])
    asked, unit = answer(results)[0], str(data["unit"].iloc[0])
    found = assumptions(results, method)
    title = f"{asked}: it depends most on {strongest(found)}"
    rest = f"{len(found) - MOST} more factors below these. " if len(found) > MOST else ""
    bar, mark = METHODS[method]
    listed = "; ".join(
        f"{row['label']}: {style.precise(row[bar], 2)}, {style.precise(row[mark], 2)}"
        for row in data.to_dict("records")
    )
    return Words(
        title,
        f"{asked}, {facts.place}, {facts.end}: {unit}, all assumptions moving over their ranges, "
        "in the baseline too",
        f"Thin lines: 95 % bootstrap intervals. {rest}{facts.source}",
        f"{title}. Bar chart, {unit}; {NAMES[bar].lower()}, then {NAMES[mark].lower()}: {listed}.",
        unit,
        [style.Key(NAMES[bar], BAR), style.Key(NAMES[mark], MARK)],
    )


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a bar with its interval and a mark for every row."""
    ax = style.own_axes(ax, body(data), LEFT, 30)
    bar, mark = next(columns for columns in METHODS.values() if columns[0] in data)
    places = named_rows(ax, data)
    ax.barh(places, data[bar], height=0.5, color=BAR.colour, alpha=0.85, zorder=2)
    ax.plot(data[bar], places, ls="none", label=style.drawn(bar, axis="x"))
    ax.hlines(places, data[f"{bar}_low"], data[f"{bar}_high"], color="#8C8C8C", lw=1.3, zorder=3,
              label=style.drawn(f"{bar}_low", f"{bar}_high", axis="x"))  # fmt: skip
    ax.plot(data[mark], places, marker=MARK.marker, ms=6, color=MARK.colour, mfc=MARK.face,
            mew=1.4, ls="none", zorder=4, label=style.drawn(mark, axis="x"))  # fmt: skip
    ax.axvline(0, color="#6E6E6E", lw=1, zorder=1.5)
    ax.xaxis.set_major_formatter(lambda value, _: style.tick(value).lstrip("+"))
    unit = str(data["unit"].iloc[0])
    ax.set_xlabel(f"{unit[:1].upper()}{unit[1:]} →", loc="right")
    return ax


CHART = Chart(
    12, "indices", "What the answer depends on, all assumptions together",
    "Sobol indices or Morris' elementary effects of the assumptions, with intervals.",
    table, words, draw, body, LEFT, 30, 38,
)  # fmt: skip

"""Chart 12 for all assumptions at once: Sobol indices, or Morris' elementary effects."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import palette, ranking, row_axes
from tariffsim.charts.context import chart_context
from tariffsim.charts.picture import Chart, ChartText, shows
from tariffsim.charts.wording import capitalised, listed
from tariffsim.record.results import Results

METHODS = {"sobol": ("total_order", "first_order"), "morris": ("mu_star", "sigma")}
"""Columns of a method: the one with bars and intervals, and the one with marks."""
NAMES = {
    "total_order": "Total-order index: with interactions",
    "first_order": "First-order index: alone",
    "mu_star": "Mean absolute elementary effect",
    "sigma": "Standard deviation of the effect: interactions and non-linearity",
}
BAR = palette.swatch("#12436D", "#12436D")
MARK = palette.SeriesStyle("#B04A10", "#B04A10", "d", "-", "white")


def table(results: Results) -> pd.DataFrame:
    """Indices of the strongest factors with their intervals."""
    found = ranking.assumptions(results, *METHODS).head(ranking.MOST)
    method = str(results.provenance["method"])
    bar, mark = METHODS[method]
    unit = "share of the variance" if method == "sobol" else ranking.outcome(results)[1]
    return found[["factor", "label", bar, f"{bar}_low", f"{bar}_high", mark]].assign(unit=unit)


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """The assumptions that explain most."""
    context, found = chart_context(results), ranking.assumptions(results, *METHODS)
    asked, unit = ranking.outcome(results)[0], str(data["unit"].iloc[0])
    more = len(found) - ranking.MOST
    rest = f" {more} more factors below these." if more > 0 else ""
    bar, mark = METHODS[str(results.provenance["method"])]
    return context.text(
        f"{asked}: it depends most on {ranking.strongest(found)}",
        f"{asked}, {context.place}, {context.end}: {unit}, all assumptions varying over their "
        "ranges, in the baseline too",
        f"Thin lines: 95 % bootstrap intervals.{rest}",
        f"Bar chart, {unit}; {NAMES[bar].lower()}, then {NAMES[mark].lower()}: "
        f"{listed(data, [bar, mark])}",
        {NAMES[bar]: BAR, NAMES[mark]: MARK},
    )


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """A bar with its interval and a mark for every row."""
    bar, mark = next(columns for columns in METHODS.values() if columns[0] in data)
    places = ranking.name_factors(ax, data, capitalised(str(data["unit"].iloc[0])))
    ax.barh(places, data[bar], height=0.5, color=BAR.colour, alpha=0.85, zorder=2)
    ax.plot(data[bar], places, ls="none", label=shows(x=bar))
    row_axes.intervals(ax, data, places, (f"{bar}_low", f"{bar}_high"), zorder=3)
    ax.plot(data[mark], places, marker=MARK.marker, ms=6, color=MARK.colour, mfc=MARK.fill,
            mew=1.4, ls="none", zorder=4, label=shows(x=mark))  # fmt: skip
    row_axes.zero_line(ax)


CHART = Chart(
    12, "indices", "experiment", "Sensitivity to all assumptions together",
    table, text, plot, ranking.body, ranking.LEFT, 30,
)  # fmt: skip

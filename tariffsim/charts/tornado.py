"""Chart 12: which assumptions decide an outcome, one at a time between low and high."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import ranking, row_axes
from tariffsim.charts.context import chart_context
from tariffsim.charts.palette import GAIN, swatch
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.wording import listed, precise
from tariffsim.record.results import Results

ENDS = {"at_low": "#BDBDBD", "at_high": "#6E6E6E"}
"""Colours of the two ends: a lighter bar above, a darker one below."""


def table(results: Results) -> pd.DataFrame:
    """The outcome at both ends of the strongest factors, with intervals of the change."""
    columns = ["factor", "label", "central"]
    columns += [f"{end}{part}" for end in ENDS for part in ("", "_from", "_to")]
    found = ranking.assumptions(results, "tornado").head(ranking.MOST)
    return found[columns].assign(unit=ranking.outcome(results)[1])


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """The three assumptions that matter most."""
    context, found = chart_context(results), ranking.assumptions(results, "tornado")
    asked, unit = ranking.outcome(results)
    level = precise(float(data["central"].iloc[0]), 1, sign=bool(context.others))
    one = "One run: " if context.n < 2 else ""
    rest = found.iloc[ranking.MOST :]
    others = f" {len(rest)} others move it by {rest['swing'].abs().max():.2g} at most."
    intervals = "Thin lines: 95 % intervals of the change from the central case."
    return context.text(
        f"{one}{asked}: {level} {unit}. It depends most on {ranking.strongest(found)}",
        f"{asked}, {unit}, {context.place}, {context.end}, with one assumption at the low or high "
        "end of its range, in the baseline too, all others at their central values",
        context.if_intervals(intervals) + (others if len(rest) else ""),
        f"Tornado chart, at low and at high: {listed(data, ENDS)}",
        {
            f"Assumption at its {end.removeprefix('at_')} end": swatch(colour)
            for end, colour in ENDS.items()
        },
    )


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """Two bars a row from the outcome in the central case."""
    across = f"With the assumption at that end, {data['unit'].iloc[0]}"
    places = np.array(ranking.name_factors(ax, data, across))
    for (end, colour), side in zip(ENDS.items(), (-0.17, 0.17), strict=True):
        row_axes.bars(ax, data, places + side, [colour] * len(data), ("central", end), 0.34)
        row_axes.intervals(ax, data, places + side, (f"{end}_from", f"{end}_to"), GAIN)
    ax.axvline(float(data["central"].iloc[0]), color="#6E6E6E", lw=1, zorder=4)


CHART = Chart(
    12, "tornado", "experiment", "Sensitivity to one assumption at a time",
    table, text, plot, ranking.body, ranking.LEFT, 30,
)  # fmt: skip

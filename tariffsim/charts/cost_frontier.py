"""Chart 11: the cost of reducing dependence, for each instrument over its rate."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import line_axes, palette
from tariffsim.charts.context import chart_context, experiment_table
from tariffsim.charts.labels import Label, label_points
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.wording import CHIPS, listed, number, precise, sentences
from tariffsim.record.results import Results

RIGHT = 60.0
COLUMNS = ["share", "share_low", "share_high", "cost", "cost_low", "cost_high"]


def table(results: Results) -> pd.DataFrame:
    """Share and welfare cost by instrument and rate, with intervals."""
    context = chart_context(results)
    data = experiment_table(results, "frontier", "instruments over their rates")
    data = data.assign(
        label=data["instrument"].map(context.instrument),
        family=data["instrument"].map(context.families),
        point=data["rate"].map(lambda rate: f"rate {rate:g}"), unit="bn USD a year",
    )  # fmt: skip
    return data[["instrument", "label", "family", "point", *COLUMNS, "is_on_frontier", "unit"]]


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """How far each instrument brings the share down, and at which cost."""
    context, groups = chart_context(results), data.groupby("instrument", sort=False)
    ends = {str(name): rows.iloc[int(rows["share"].argmin())] for name, rows in groups}
    parts = [
        f"{context.in_sentence(name)} brings the Chinese share down to {number(row['share'])} % "
        f"for {precise(row['cost'], 1)} bn USD a year"
        for name, row in ends.items()
    ]
    styles = palette.styles_by(data, "instrument", most=None)
    intervals = "Thin lines: 95 % intervals of the differences from no or the lowest rate."
    points = data.assign(label=data["label"] + ", " + data["point"])
    return context.text(
        sentences(parts[:2]),
        f"Welfare cost against the baseline, bn USD a year, and Chinese share of {CHIPS}, %, by "
        f"rate of the instrument, {context.place}, {context.end}",
        "Filled: on the frontier, where no other point has both a lower share and a lower cost. "
        f"{context.if_intervals(intervals)}",
        "Curves of welfare cost (bn USD a year) against Chinese share (%) by rate: "
        f"{listed(points, ['cost', 'share'])}",
        {context.instrument(name): style for name, style in styles.items()},
        untested="the cost of reducing dependence",
    )


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """One curve an instrument; the middle and the last point are labelled with their rates."""
    labels = []
    for name, style in palette.styles_by(data, "instrument", most=None).items():
        rows = data[data["instrument"] == name]
        line_axes.crosses(ax, rows, "share", "cost", style, alpha=0.5)
        line_axes.line(ax, rows["share"], rows, "cost", style, marker="")
        for is_on, fill in ((True, style.colour), (False, "white")):
            here = rows[rows["is_on_frontier"] == is_on]
            ax.plot(here["share"], here["cost"], marker=style.marker, ms=6, ls="none", mfc=fill,
                    color=style.colour, zorder=4)  # fmt: skip
        marked = rows.iloc[sorted({len(rows) // 2, len(rows) - 1})]
        labels += [Label(row["share"], row["cost"], str(row["point"]), style.text)
                   for row in marked.to_dict("records")]  # fmt: skip
    ax.axhline(0, color=palette.FAINT, lw=0.8, zorder=1)
    ax.margins(0.08)
    line_axes.name_axes(ax, "Chinese share of chips, %", "Welfare cost, bn USD a year")
    label_points(ax, labels, RIGHT - 20)


CHART = Chart(
    11, "frontier", "experiment", "Cost of reducing dependence",
    table, text, plot, lambda data: 300.0, 48, RIGHT,
)  # fmt: skip

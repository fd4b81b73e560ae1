"""Charts 11 and 16: what it costs to reduce dependence by rate, and which rate is best."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import chart_context, experiment_table
from tariffsim.charts.lettering import Label, label_ends, label_points
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import CHIPS, FAINT, listed, percent_tick, sentences, styles_by
from tariffsim.record.results import Results
from tariffsim.record.statements import number, precise

RIGHT, RIGHT_OF_RATES = 60.0, 170.0
COLUMNS = ["share", "share_low", "share_high", "cost", "cost_low", "cost_high"]


def _of_instruments(results: Results, name: str, need: str) -> pd.DataFrame:
    """A table of the experiment with label and family of each instrument."""
    context, data = chart_context(results), experiment_table(results, name, need)
    return data.assign(
        label=data["instrument"].map(context.instrument),
        family=data["instrument"].map(context.families),
    )


def cost_table(results: Results) -> pd.DataFrame:
    """Share and welfare cost by instrument and rate, with intervals."""
    data = _of_instruments(results, "frontier", "instruments over their rates")
    points = data["rate"].map(lambda rate: f"rate {rate:g}")
    data = data.assign(point=points, unit="bn USD a year")
    return data[["instrument", "label", "family", "point", *COLUMNS, "is_on_frontier", "unit"]]


def cost_text(data: pd.DataFrame, results: Results) -> ChartText:
    """How far each instrument brings the share down, and at which cost."""
    context, groups = chart_context(results), data.groupby("instrument", sort=False)
    ends = {str(name): rows.iloc[int(rows["share"].argmin())] for name, rows in groups}
    parts = [
        f"{context.in_sentence(name)} brings the Chinese share down to {number(row['share'])} % "
        f"for {precise(row['cost'], 1)} bn USD a year"
        for name, row in ends.items()
    ]
    styles = styles_by(data, "instrument", most=None)
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


def cost_plot(data: pd.DataFrame, ax: Axes) -> None:
    """One curve an instrument; the middle and the last point are labelled with their rates."""
    labels = []
    for name, style in styles_by(data, "instrument", most=None).items():
        rows = data[data["instrument"] == name]
        axes.crosses(ax, rows, "share", "cost", style, alpha=0.5)
        axes.line(ax, rows["share"], rows, "cost", style, marker="")
        for is_on, fill in ((True, style.colour), (False, "white")):
            here = rows[rows["is_on_frontier"] == is_on]
            ax.plot(here["share"], here["cost"], marker=style.marker, ms=6, ls="none", mfc=fill,
                    color=style.colour, zorder=4)  # fmt: skip
        marked = rows.iloc[sorted({len(rows) // 2, len(rows) - 1})]
        labels += [Label(row["share"], row["cost"], str(row["point"]), style.text)
                   for row in marked.to_dict("records")]  # fmt: skip
    ax.axhline(0, color=FAINT, lw=0.8, zorder=1)
    ax.margins(0.08)
    axes.name_axes(ax, "Chinese share of chips, %", "Welfare cost, bn USD a year")
    label_points(ax, labels, RIGHT - 20)


def rate_table(results: Results) -> pd.DataFrame:
    """Best rate by probability, and the rates whose cost does not differ significantly from it."""
    data = _of_instruments(results, "best_rate", "a supply disruption").assign(unit="rate")
    kept = ["instrument", "label", "family", "probability", "rate", "rate_low", "rate_high"]
    return data[[*kept, "unit"]]


def rate_text(data: pd.DataFrame, results: Results) -> ChartText:
    """From which probability on a rate above the lowest is best."""
    context = chart_context(results)
    parts = []
    for name, rows in data.groupby("instrument", sort=False):
        who, pays = context.in_sentence(str(name)), rows[rows["rate"] > rows["rate"].min()]
        if pays.empty:
            parts.append(f"{who} stays at rate {rows['rate'].iloc[0]:g} at any probability")
        else:
            rate, odds = float(pays["rate"].iloc[0]), 100 * float(pays["probability"].iloc[0])
            parts.append(f"{who} should rise to {rate:g} from a yearly probability of {odds:.2g} %")
    return context.text(
        sentences(parts[:2]),
        "Rate with the least expected cost (yearly welfare cost + probability x loss in a "
        f"cut-off), by yearly probability of a cut-off, {context.place}; rate as a fraction of "
        "value",
        "Bands: rates whose expected cost does not differ significantly from the least, paired by "
        "seed.",
        "Line chart of the best rate by yearly probability of a cut-off, from "
        f"{data['probability'].min():g} to {data['probability'].max():g}",
    )


def rate_plot(data: pd.DataFrame, ax: Axes) -> None:
    """One line an instrument over the probability, on a logarithmic axis."""
    labels = []
    for name, style in styles_by(data, "instrument", most=None).items():
        rows = data[data["instrument"] == name]
        x = rows["probability"]
        axes.band(ax, x, rows, ("rate_low", "rate_high"), style, step="mid")
        axes.line(ax, x, rows, "rate", style, marker="", drawstyle="steps-mid")
        last = rows.iloc[-1]
        labels.append(Label(last["probability"], last["rate"], str(last["label"]), style.text))
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda value, _: percent_tick(100 * value))
    ax.set_xlim(data["probability"].min(), data["probability"].max())
    ax.set_ylim(bottom=0)
    axes.name_axes(ax, "Yearly probability of a cut-off", "Best rate")
    label_ends(ax, labels, RIGHT_OF_RATES)


COST = Chart(
    11, "frontier", "experiment", "Cost of reducing dependence",
    cost_table, cost_text, cost_plot, lambda data: 300.0, 48, RIGHT,
)  # fmt: skip
BEST_RATE = Chart(
    16, "best_rate", "experiment", "Best rate by probability of a cut-off",
    rate_table, rate_text, rate_plot, lambda data: 260.0, 48, RIGHT_OF_RATES,
)  # fmt: skip

"""Chart 16: the rate with the least expected cost, by the yearly probability of a cut-off."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import line_axes, palette
from tariffsim.charts.context import chart_context, experiment_table
from tariffsim.charts.labels import Label, label_ends
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.wording import percent_tick, sentences
from tariffsim.record.results import Results

RIGHT = 170.0


def table(results: Results) -> pd.DataFrame:
    """Best rate by probability, and the rates whose cost does not differ significantly from it."""
    context = chart_context(results)
    data = experiment_table(results, "best_rate", "a supply disruption")
    data = data.assign(label=data["instrument"].map(context.instrument),
                       family=data["instrument"].map(context.families), unit="rate")  # fmt: skip
    kept = ["instrument", "label", "family", "probability", "rate", "rate_low", "rate_high"]
    return data[[*kept, "unit"]]


def text(data: pd.DataFrame, results: Results) -> ChartText:
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


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """One line an instrument over the probability, on a logarithmic axis."""
    labels = []
    for name, style in palette.styles_by(data, "instrument", most=None).items():
        rows = data[data["instrument"] == name]
        x = rows["probability"]
        line_axes.band(ax, x, rows, ("rate_low", "rate_high"), style, step="mid")
        line_axes.line(ax, x, rows, "rate", style, marker="", drawstyle="steps-mid")
        last = rows.iloc[-1]
        labels.append(Label(last["probability"], last["rate"], str(last["label"]), style.text))
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda value, _: percent_tick(100 * value))
    ax.set_xlim(data["probability"].min(), data["probability"].max())
    ax.set_ylim(bottom=0)
    line_axes.name_axes(ax, "Yearly probability of a cut-off", "Best rate")
    label_ends(ax, labels, RIGHT)


CHART = Chart(
    16, "best_rate", "experiment", "Best rate by probability of a cut-off",
    table, text, plot, lambda data: 260.0, 48, RIGHT,
)  # fmt: skip

"""Chart 13: the difference between two scenarios by what differs: a waterfall."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import chart_context, experiment_table
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import GAIN, LEVEL, LOSS, listed, precise, swatch
from tariffsim.record.dictionary import Metric, metrics
from tariffsim.record.metrics import COMPARED
from tariffsim.record.results import Results

LEFT, RIGHT = 216.0, 64.0


def table(results: Results) -> pd.DataFrame:
    """Bars from start to end: the first level, every change, the second level."""
    found = experiment_table(results, "decomposition", "a decomposition")
    data = found[found["metric"] == results.provenance["metric"]].reset_index(drop=True)
    is_change = data["step"] == "change"
    end = data["contribution"].cumsum().where(is_change, data["contribution"])
    data["start"] = (end - data["contribution"]).where(is_change, 0.0)
    data["end"] = end
    for side in ("low", "high"):  # of the change, where its bar ends
        data[side] = (data["start"] + data[side]).where(is_change)
    kept = ["metric", "unit", "step", "change", "label", "start", "end", "low", "high"]
    shown: pd.DataFrame = data[[*kept, "is_significant"]]
    return shown


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """Which change makes most of the difference."""
    context, known = chart_context(results), metrics()[str(data["metric"].iloc[0])]
    first, changes, second = data.iloc[0], data.iloc[1:-1], data.iloc[-1]
    rises = changes.assign(rise=changes["end"] - changes["start"])
    against = f", against {first['label']}" if known.name in COMPARED else ""
    marks = " Thin lines: 95 % intervals of the contributions." if context.n > 1 else ""
    return context.text(
        _title(known, data),
        f"{known.label}{against}, {known.unit}, {context.place}: from “{first['label']}” to "
        f"“{second['label']}”",
        "Contribution of a change: mean over all orders of the changes of what it adds to those "
        f"made before it (Shapley value); contributions add up to the difference.{marks}",
        f"Waterfall chart, {known.unit}: from {precise(first['end'], 2)} to "
        f"{precise(second['end'], 2)}; {listed(rises, ['rise'], known.decimals, sign=True)}",
        {"Increases it": swatch(LOSS, LOSS), "Decreases it": swatch(GAIN, GAIN)},
    )


def _title(known: Metric, data: pd.DataFrame) -> str:
    changes = data.iloc[1:-1]
    size = changes["end"] - changes["start"]
    most = changes.iloc[int(size.abs().argmax())]
    total, part = float(data["end"].iloc[-1] - data["end"].iloc[0]), most["end"] - most["start"]
    by, own, rest = (precise(x, known.decimals, sign=True) for x in (total, part, total - part))
    unit = "pp" if known.unit.startswith("%") else known.unit
    if not most["is_significant"]:
        return (
            f"{known.label}: no single contribution to a difference of {by} {unit} is "
            "statistically significant"
        )
    lead = f"{known.label} differs by {by} {unit}: {own} from “{most['label']}”"
    return lead if len(changes) < 2 else f"{lead}, {rest} from all other changes"


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """A bar for each step, joined by thin lines."""
    known = metrics()[str(data["metric"].iloc[0])]
    places = axes.name_rows(ax, data["label"])
    rise, is_change = data["end"] - data["start"], data["step"] == "change"
    colours = [LEVEL if not c else LOSS if r > 0 else GAIN
               for r, c in zip(rise, is_change, strict=True)]  # fmt: skip
    axes.bars(ax, data, places, colours)
    axes.intervals(ax, data, places, ("low", "high"))
    axes.joints(ax, data["end"].iloc[:-1], places[:-1])
    texts = [precise(r, known.decimals, sign=bool(c)) for r, c in zip(rise, is_change, strict=True)]
    tips = data[["start", "end", "low", "high"]].max(axis=1).clip(lower=0)
    axes.value_labels(ax, texts, tips, places, [True] * len(data))
    axes.zero_line(ax)
    ax.margins(x=0.02)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(f"{known.label}, {known.unit} →", loc="right")


CHART = Chart(
    13, "decomposition", "experiment", "Decomposition of the difference between two scenarios",
    table, text, plot, lambda data: axes.body(len(data)), LEFT, RIGHT,
)  # fmt: skip

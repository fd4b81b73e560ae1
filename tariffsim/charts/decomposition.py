"""Chart 13: the difference between two scenarios, shared out among what differs: a waterfall."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import rows as of_rows
from tariffsim.charts import style
from tariffsim.charts.facts import facts_of
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.charts.style import Key, Look
from tariffsim.record.dictionary import metrics
from tariffsim.record.metrics import COMPARED
from tariffsim.record.results import Results

LEFT, RIGHT = 216.0, 64.0
LEVEL, MORE, LESS = "#3D3D3D", "#BD1F01", "#12436D"


def table(results: Results) -> pd.DataFrame:
    """Bars from start to end: the first level, every change, the second level."""
    if "decomposition" not in results.tables:
        raise LeftOut("it needs a decomposition")
    found = results.tables["decomposition"]
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


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: which change makes most of the difference."""
    facts, (metric,) = facts_of(results), data["metric"].unique()
    known = metrics()[metric]
    first, changes, second = data.iloc[0], data.iloc[1:-1], data.iloc[-1]
    title = _title(known.label, known.unit, known.decimals, first, changes, second)
    listed = "; ".join(
        f"{row['label']} {style.precise(row['end'] - row['start'], known.decimals, sign=True)}"
        for row in changes.to_dict("records")
    )
    against = f", against {first['label']}" if metric in COMPARED else ""
    marks = "Thin lines: 95 % intervals of the contributions. " if facts.n > 1 else ""
    return Words(
        title,
        f"{known.label}{against}, {known.unit}, {facts.place}: from “{first['label']}” to "
        f"“{second['label']}”",
        "Contribution of a change: the mean over all orders of what it adds to those made before "
        f"it (Shapley value); they add up to the difference. {marks}{facts.source}",
        f"{title}. Waterfall chart, {known.unit}: from {style.precise(first['end'], 2)} to "
        f"{style.precise(second['end'], 2)}; {listed}.",
        known.unit,
        [Key("Raises it", Look(MORE, MORE, "s", "-", MORE)),
         Key("Lowers it", Look(LESS, LESS, "s", "-", LESS))],
    )  # fmt: skip


def _title(
    label: str, unit: str, decimals: int, first: pd.Series[str], changes: pd.DataFrame,
    second: pd.Series[str],
) -> str:  # fmt: skip
    size = (changes["end"] - changes["start"]).abs()
    most = changes.iloc[int(size.argmax())]
    total = float(second["end"]) - float(first["end"])
    part = float(most["end"]) - float(most["start"])
    points = "points" if unit.startswith("%") else unit
    by = style.precise(total, decimals, sign=True)
    if not most["is_significant"]:
        return f"{label}: no single change can be told from none in a difference of {by} {points}"
    own = style.precise(part, decimals, sign=True)
    said = f"{label} differs by {by} {points}: {own} from “{most['label']}”"
    rest = total - part
    if len(changes) < 2:
        return said
    return f"{said}, {style.precise(rest, decimals, sign=True)} from all else"


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a bar for each step, joined by thin lines."""
    ax = style.own_axes(ax, of_rows.body(len(data)), LEFT, RIGHT)
    places = of_rows.rows(ax, data["label"].tolist())
    decimals = metrics()[str(data["metric"].iloc[0])].decimals
    for row, place in zip(data.to_dict("records"), places, strict=True):
        is_change, rise = row["step"] == "change", row["end"] - row["start"]
        colour = LEVEL if not is_change else MORE if rise > 0 else LESS
        bar = ax.barh([place], rise, 0.62, left=row["start"], color=colour, zorder=3)
        bar.patches[0].set_label(style.drawn("start", "end", axis="x"))
        ax.hlines([place], row["low"], row["high"], color="#8C8C8C", lw=1.6, zorder=4,
                  label=style.drawn("low", "high", axis="x"))  # fmt: skip
        if place < places[-1]:
            ax.plot([row["end"]] * 2, [place + 0.31, place + 0.69], color="#8C8C8C", lw=0.8)
        text = style.precise(rise, decimals, sign=is_change)
        ends = [row[c] for c in ("start", "end", "low", "high") if pd.notna(row[c])]
        ax.annotate(text, (max(*ends, 0.0), place), xytext=(6, 0), textcoords="offset points",
                    va="center", size=8.5, weight="bold", color=colour,
                    annotation_clip=False)  # fmt: skip
    of_rows.zero_line(ax)
    ax.margins(x=0.02)
    ax.grid(visible=False, axis="y")
    known = metrics()[str(data["metric"].iloc[0])]
    ax.set_xlabel(f"{known.label}, {known.unit} →", loc="right")
    return ax


CHART = Chart(
    13, "decomposition", "What makes the difference between two scenarios",
    "Contribution of every change between two scenarios, by exact Shapley values.",
    table, words, draw, lambda data: of_rows.body(len(data)), LEFT, RIGHT, 38,
)  # fmt: skip

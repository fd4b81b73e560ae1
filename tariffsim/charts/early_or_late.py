"""Chart 8: the share at the end against the month the policy starts."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import ChartContext, chart_context, experiment_table
from tariffsim.charts.picture import Chart, ChartText, shows
from tariffsim.charts.style import CHIPS, LEVEL, family_style, listed, number, period
from tariffsim.record.results import Results

RIGHT = 128.0
NEVER = "never"
KEPT = ["start", "label", "family", "share", "share_low", "share_high"]


def table(results: Results) -> pd.DataFrame:
    """Share at the end by start, with the interval of its difference from no policy, %."""
    data = experiment_table(results, "timing", "a policy with several starts")
    family = chart_context(results).families[list(results.scenarios)[-1]]
    return data.assign(family=family)[KEPT].assign(unit="%")


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """What the last start loses against the first."""
    context = chart_context(results)
    intervals = "Vertical lines: 95 % intervals of the difference from no policy, paired by seed."
    each = listed(data, ["share"], 1, unit=" %", by="start")
    return context.text(
        _title(data, context),
        f"Chinese share of {CHIPS} in products bought in {context.place}, {context.end}, % of "
        f"chips, by the month the policy starts: {data['label'].iloc[0]}",
        "All dates of the policy shift together, including its announcement. "
        f"{context.if_intervals(intervals)}",
        f"Line chart of the Chinese share (%) in {context.end} by start: {each}",
        untested="the effect of an early start",
    )


def _title(data: pd.DataFrame, context: ChartContext) -> str:
    acted, never = data[data["start"] != NEVER], data[data["start"] == NEVER].iloc[0]
    first, last, none = (f"{number(row['share'])} %"
                         for row in (acted.iloc[0], acted.iloc[-1], never))  # fmt: skip
    begun, late = (period([str(acted["start"].iloc[n])]) for n in (0, -1))
    if len(acted) < 2:
        return (
            f"A start in {begun} makes the Chinese share {first} in {context.end}, against {none} "
            "without the policy"
        )
    return (
        f"A start in {late} leaves the Chinese share at {last} in {context.end}, one in {begun} "
        f"at {first}, no policy at {none}"
    )


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """The share over the starts, and that without the policy as a line across."""
    acted, never = data[data["start"] != NEVER], data[data["start"] == NEVER]
    style, when = family_style(str(data["family"].iloc[0])), axes.years(acted["start"])
    first, latest = min(when) - 0.25, max(when) + 0.25
    ax.vlines([*when, latest], data["share_low"], data["share_high"], color=style.colour, lw=1.4,
              label=shows(y="share_low share_high"))  # fmt: skip
    axes.line(ax, when, acted, "share", style, ls="-", ms=6)
    level, last = float(never["share"].iloc[0]), float(acted["share"].iloc[-1])
    ax.plot([first, latest], [level] * 2, color=LEVEL, lw=1.6, ls=(0, (1.2, 1.2)),
            label=shows(y="share"))  # fmt: skip
    for y, name, colour in ((level, "No policy", LEVEL), (last, "Latest start", style.text)):
        ax.annotate(f"{name}: {number(y)} %", (latest, y), xytext=(8, 0), size=8.5, weight="bold",
                    textcoords="offset points", va="center", color=colour,
                    annotation_clip=False)  # fmt: skip
    ax.set_xlim(first, latest)
    ax.set_ylim(0, 1.08 * float(data[["share", "share_high"]].max().max()))
    ax.set_xticks(when, [s if s.endswith("-01") or len(when) < 7 else "" for s in acted["start"]])
    axes.name_axes(ax, "First month of the policy", "Chinese share of chips at the end, %")


CHART = Chart(
    8, "early_or_late", "experiment", "Early or late start",
    table, text, plot, lambda data: 280.0, 48, RIGHT,
)  # fmt: skip

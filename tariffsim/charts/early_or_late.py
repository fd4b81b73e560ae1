"""Chart 8: the share at the end against the month the policy starts."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import style
from tariffsim.charts.facts import Facts, facts_of, period
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.record.results import Results
from tariffsim.typing import parse_month

RIGHT = 128.0
NEVER = "never"
KEPT = ["start", "label", "family", "share", "share_low", "share_high"]


def table(results: Results) -> pd.DataFrame:
    """Share at the end by start, with the interval of its difference from never acting, %."""
    if "timing" not in results.tables:
        raise LeftOut("it needs a policy with several starts")
    facts, data = facts_of(results), results.tables["timing"]
    family = facts.families[list(results.scenarios)[-1]]
    return data.assign(family=family)[KEPT].assign(unit="%")


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: what the last start loses against the first."""
    facts = facts_of(results)
    title = _title(data, facts)
    marks = (
        "Vertical lines: 95 % intervals of the difference from never acting, seed by seed. "
        if facts.n > 1
        else "One run: no intervals. "
    )
    listed = "; ".join(f"{row['start']} {style.number(row['share'])} %"
                       for row in data.to_dict("records"))  # fmt: skip
    return Words(
        title,
        f"Chinese share of foundational chips in what {facts.place} buys in {facts.end}, % of "
        f"chips, by the month the policy starts: {data['label'].iloc[0]}",
        f"All dates of the policy move alike, its announcement too. {marks}{facts.source}",
        f"{title}. Line chart of the Chinese share (%) in {facts.end} by start: {listed}.",
        "%",
    )


def _title(data: pd.DataFrame, facts: Facts) -> str:
    acted = data[data["start"] != NEVER]
    first, last = acted.iloc[0], acted.iloc[-1]
    never = float(data[data["start"] == NEVER]["share"].iloc[0])
    ends = [f"{style.number(float(row['share']))} %" for row in (first, last)]
    begun = [period([str(row["start"])]) for row in (first, last)]
    if facts.n < 2:
        return "One run: what acting early is worth cannot be told from chance"
    if len(acted) < 2:
        return (
            f"A start in {begun[0]} makes the Chinese share {ends[0]} in {facts.end}, against "
            f"{style.number(never)} % without the policy"
        )
    return (
        f"A start in {begun[1]} leaves the Chinese share at {ends[1]} in {facts.end}, one in "
        f"{begun[0]} at {ends[0]}, never at {style.number(never)} %"
    )


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share over the starts, and never acting as a line across."""
    ax = style.own_axes(ax, 280, 48, RIGHT)
    acted, never = data[data["start"] != NEVER], data[data["start"] == NEVER]
    look = style.looks({"policy": str(data["family"].iloc[0])})["policy"]
    when = [parse_month(start) / 12 for start in acted["start"]]
    ax.vlines(when, acted["share_low"], acted["share_high"], color=look.colour, lw=1.4,
              label=style.drawn("share_low", "share_high"))  # fmt: skip
    ax.plot(when, acted["share"], marker=look.marker, ms=6, color=look.colour, mfc=look.face,
            lw=look.width, label=style.drawn("share"))  # fmt: skip
    level = float(never["share"].iloc[0])
    span = (min(when) - 0.25, max(when) + 0.25)
    ax.plot(span, [level, level], color="#3D3D3D", lw=1.6, ls=(0, (1.2, 1.2)),
            label=style.drawn("share"))  # fmt: skip
    ax.plot([span[1]] * 2, [level, level], ls="none",
            label=style.drawn("share_low", "share_high"))  # fmt: skip
    last = float(acted["share"].iloc[-1])
    for y, text, colour in ((level, "Never", "#3D3D3D"), (last, "Started last", look.text)):
        ax.annotate(f"{text}: {style.number(y)} %", (span[1], y), xytext=(8, 0), size=8.5,
                    textcoords="offset points", va="center", color=colour, weight="bold",
                    annotation_clip=False)  # fmt: skip
    ax.set_xlim(*span)
    ax.set_ylim(0, 1.08 * float(data[["share", "share_high"]].max().max()))
    ax.set_xticks(when, [s if s.endswith("-01") or len(when) < 7 else "" for s in acted["start"]])
    ax.set_title("↑ Chinese share of chips at the end, %", loc="left", size=8.5,
                 color=style.QUIET, x=-0.04)  # fmt: skip
    ax.set_xlabel("First month of the policy →", loc="right")
    return ax


CHART = Chart(
    8, "early_or_late", "Early or late",
    "Chinese share at the end of the run against the month the policy starts.",
    table, words, draw, lambda data: 280.0, 48, RIGHT, 38,
)  # fmt: skip

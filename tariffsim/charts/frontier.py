"""Chart 11: what less dependence costs, for each instrument over its rate."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from tariffsim.charts import style
from tariffsim.charts.facts import Facts, facts_of
from tariffsim.charts.labels import Entry, beside
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.charts.style import Look
from tariffsim.record.results import Results

RIGHT = 60.0
COLUMNS = ["share", "share_low", "share_high", "cost", "cost_low", "cost_high"]


def table(results: Results) -> pd.DataFrame:
    """Share and welfare cost by instrument and rate, with intervals."""
    if "frontier" not in results.tables:
        raise LeftOut("it needs instruments over their rates")
    facts, data = facts_of(results), results.tables["frontier"]
    names = data["instrument"].map(facts.instrument)
    data = data.assign(label=names, family=data["instrument"].map(facts.families))
    data["point"] = data["rate"].map(lambda rate: f"rate {rate:g}")
    data["unit"] = "bn USD a year"
    return data[["instrument", "label", "family", "point", *COLUMNS, "is_on_frontier", "unit"]]


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: who is on the frontier."""
    facts = facts_of(results)
    title = _title(data, facts)
    looks = _looks(data)
    marks = (
        "Thin lines: 95 % intervals of the differences from no or the lowest rate. "
        if facts.n > 1
        else "One run: no intervals. "
    )
    listed = "; ".join(
        f"{label}: " + ", ".join(f"{row['point']} {style.number(row['share'])} % for "
                                 f"{style.number(row['cost'], 2)}"
                                 for row in rows.to_dict("records"))
        for label, rows in data.groupby("label", sort=False)
    )  # fmt: skip
    return Words(
        title,
        f"Welfare cost against the baseline, bn USD a year, and Chinese share of chips, %, by rate "
        f"of the instrument, {facts.place}, {facts.end}",
        f"Filled: on the frontier, no other point has a share as low at a cost as low. {marks}"
        f"{facts.source}",
        f"{title}. Curves of welfare cost (bn USD a year) against Chinese share (%) by rate: "
        f"{listed}.",
        "bn USD a year",
        [style.Key(facts.instrument(name), look) for name, look in looks.items()],
    )


def _looks(data: pd.DataFrame) -> dict[str, Look]:
    named = data.drop_duplicates("instrument")
    families = {str(n): str(f) for n, f in zip(named["instrument"], named["family"], strict=True)}
    return style.looks(families, most=len(families))


def _title(data: pd.DataFrame, facts: Facts) -> str:
    if facts.n < 2:
        return "One run: what less dependence costs cannot be told from chance"
    ends = []
    for name, rows in data.groupby("instrument", sort=False):
        row = rows.iloc[int(rows["share"].argmin())]
        ends.append(
            f"{facts.short(str(name))} brings the Chinese share down to "
            f"{style.number(float(row['share']))} % for "
            f"{style.precise(float(row['cost']), 1)} bn USD a year"
        )
    text = "; ".join(ends[:2])
    return text[:1].upper() + text[1:]


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw one curve an instrument; the ends are labelled with their rates."""
    ax = style.own_axes(ax, 300, 48, RIGHT)
    entries = []
    for name, look in _looks(data).items():
        rows = data[data["instrument"] == name]
        x, y = rows["share"], rows["cost"]
        ax.hlines(y, rows["share_low"], rows["share_high"], color=look.colour, lw=0.8,
                  alpha=0.6,
                  label=style.drawn("share_low", "share_high", axis="x"))  # fmt: skip
        ax.vlines(x, rows["cost_low"], rows["cost_high"], color=look.colour, lw=0.8, alpha=0.6,
                  label=style.drawn("cost_low", "cost_high"))  # fmt: skip
        ax.plot(x, y, color=look.colour, lw=look.width, ls=look.dash, zorder=3,
                label=style.drawn("cost"))  # fmt: skip
        ax.plot(x, y, ls="none", label=style.drawn("share", axis="x"))
        for is_on, face in ((True, look.colour), (False, "white")):
            here = rows[rows["is_on_frontier"] == is_on]
            ax.plot(here["share"], here["cost"], marker=look.marker, ms=6, ls="none", mfc=face,
                    color=look.colour, zorder=4)  # fmt: skip
        marked = rows.iloc[sorted({len(rows) // 2, len(rows) - 1})]
        entries += [Entry(row["share"], row["cost"], str(row["point"]), look.text)
                    for row in marked.to_dict("records")]  # fmt: skip
    ax.axhline(0, color=style.FAINT, lw=0.8, zorder=1)
    ax.margins(0.08)
    ax.set_title("↑ Welfare cost, bn USD a year", loc="left", size=8.5, color=style.QUIET, x=-0.04)
    ax.set_xlabel("Chinese share of chips, % →", loc="right")
    beside(ax, entries, _blocked(ax, data), RIGHT - 20)
    return ax


def _blocked(ax: Axes, data: pd.DataFrame) -> list[Bbox]:
    """The curves, in points of the axes."""
    wide, tall = style.points(ax)
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    found = []
    for _, rows in data.groupby("instrument", sort=False):
        x = wide * (rows["share"].to_numpy() - x0) / (x1 - x0)
        y = tall * (rows["cost"].to_numpy() - y0) / (y1 - y0)
        place, along = np.arange(len(x)), np.linspace(0, len(x) - 1, 12 * len(x))
        for cx, cy in zip(np.interp(along, place, x), np.interp(along, place, y), strict=True):
            found.append(Bbox.from_extents(cx - 5, cy - 5, cx + 5, cy + 5))
    return found


CHART = Chart(
    11, "frontier", "What less dependence costs",
    "Welfare cost against the Chinese share, for each instrument over its rate.",
    table, words, draw, lambda data: 300.0, 48, RIGHT, 38,
)  # fmt: skip

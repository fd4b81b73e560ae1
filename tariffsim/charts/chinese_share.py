"""Chart 1: the Chinese share of chips over time, by scenario."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tariffsim.charts import style
from tariffsim.charts.facts import Facts, Finding, facts_of, findings, period, strongest
from tariffsim.charts.labels import Entry, at_the_end
from tariffsim.charts.picture import Chart, Words
from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results
from tariffsim.typing import parse_month

ROOM = 196.0
MOST_BANDS = 3
"""Scenarios with bands; more would hide each other."""


def table(results: Results) -> pd.DataFrame:
    """Mean over seeds and, for scenarios in colour, the middle 50 % and 95 % of runs, per cent."""
    facts, months = facts_of(results), results.tables["market_month"]
    months = months[months["market"] == results.market]
    families = facts.ranked(_movers(findings(results, "cn_share"), facts))
    looks = style.looks(families)
    with_bands = [n for n in families if not style.is_muted(looks[n])][:MOST_BANDS]
    frames = []
    for name in families:
        rows = months[months["scenario"] == name]
        shares = 100 * rows.pivot(index="month", columns="seed", values="cn_share")
        banded = facts.n > 1 and name in with_bands
        levels = np.quantile(shares, [0.025, 0.25, 0.75, 0.975], axis=1)
        frame = pd.DataFrame({"month": shares.index, "mean": shares.mean(axis=1).to_numpy()})
        for column, values in zip(("low_95", "low_50", "high_50", "high_95"), levels, strict=True):
            frame[column] = values if banded else np.nan
        frame.insert(0, "scenario", name)
        frame.insert(1, "label", facts.labels[name])
        frame.insert(2, "family", facts.families[name])
        frames.append(frame)
    return pd.concat(frames, ignore_index=True).assign(unit="%")


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: where the baseline goes, and what moves it most."""
    facts = facts_of(results)
    found = findings(results, "cn_share")
    base = data[data["scenario"] == facts.baseline]
    title = _title(found, facts, float(base["mean"].iloc[0]))
    bands = "Bands: the middle 50 % and 95 % of runs. " if facts.n > 1 else ""
    if facts.n > 1 and facts.others:
        bands += "Differences between scenarios are paired, and surer than the bands suggest. "
    if len(facts.labels) > MOST_BANDS and facts.n > 1:
        bands = bands.replace("of runs.", f"of runs, for {MOST_BANDS} scenarios.", 1)
    bands += f"Figures at the right: means of {facts.end}. "
    ends = ", ".join(f"{facts.labels[n]} {style.number(found[n].level)} %"
                     for n in facts.labels)  # fmt: skip
    span = period(facts.months)
    return Words(
        title,
        f"Chinese part of the foundational chips inside what {facts.place} buys, "
        f"{span}, % of chips",
        bands + facts.source,
        f"{title}. Line chart of the Chinese share of foundational chips by month, {span}. "
        f"Means of {facts.end}: {ends}.",
        "%",
    )


def _movers(found: Mapping[str, Finding], facts: Facts) -> list[str]:
    """What moves the share most: a component and a whole-product tariff, or whatever does."""
    groups = [[n for n in facts.others if facts.families[n] == family]
              for family in ("component", "whole-product")]  # fmt: skip
    movers = [name for group in groups if (name := strongest(found, group))]
    return movers or [name for name in [strongest(found, facts.others)] if name]


def _title(found: Mapping[str, Finding], facts: Facts, start: float) -> str:
    end = found[facts.baseline].level
    verb = "rises" if end > start else "falls"
    path = f"{verb} from {style.number(start)} % in {period(facts.months[:1])} to"
    if abs(end - start) < 0.5:
        path = "stays near"
    when = f", mean of {facts.end}" if " to " in facts.end else f" in {facts.end}"
    lead = f"The Chinese share of chips {path} {style.number(end)} %{when}"
    if not facts.others:
        return lead
    lead = f"In the baseline t{lead[1:]}"
    if facts.n < 2:
        return f"{lead} (one run: differences cannot be told from chance)"
    movers = _movers(found, facts)
    if not movers:
        who = facts.short(facts.others[0]) if len(facts.others) == 1 else "any scenario"
        return f"{lead}; with {who} it is not distinguishable from that"
    ends = [f"{style.number(found[n].level)} % with {facts.short(n)}" for n in movers]
    return f"{lead}; then it is {' and '.join(ends)}"


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the lines of a table with their bands and names at the end."""
    ax = style.own_axes(ax, 290, 48, ROOM)
    named = data.drop_duplicates("scenario").set_index("scenario")
    looks = style.looks({str(n): str(f) for n, f in named["family"].items()})
    entries = []
    when = _when(data)
    order = sorted(looks, key=lambda n: -style.is_muted(looks[n]))  # grey ones below
    for depth, name in enumerate(order, start=3):
        rows, look = data[data["scenario"] == name], looks[name]
        x = np.array([parse_month(m) / 12 for m in rows["month"]])
        for low, high, alpha in (("low_95", "high_95", 0.07), ("low_50", "high_50", 0.13)):
            if rows[low].notna().all():
                ax.fill_between(x, rows[low], rows[high], color=look.colour, alpha=alpha, lw=0,
                                label=style.drawn(low, high))  # fmt: skip
        ax.plot(x, rows["mean"], color=look.colour, lw=look.width, ls=look.dash, zorder=depth,
                marker=look.marker, markevery=(min(11, len(x) - 1), 12), markersize=4.5,
                markerfacecolor=look.face, clip_on=False, label=style.drawn("mean"))  # fmt: skip
        level = style.number(float(rows["mean"].iloc[-LAST:].mean()))
        entries.append(
            Entry(float(x[-1]), float(rows["mean"].iloc[-1]), str(rows["label"].iloc[0]),
                  look.text, style.is_muted(look), f": {level} %{when}")
        )  # fmt: skip
    _axes(ax, data)
    at_the_end(ax, entries, ROOM)
    return ax


def _when(data: pd.DataFrame) -> str:
    """The months that figures at the ends of lines are means of."""
    months = sorted(data["month"].unique())[-LAST:]
    span = period(months)
    if " to " in span:  # months in figures take less room than in words
        return f", {months[0]} to {months[-1]}"
    return f" in {span}".replace(" ", "\u00a0")


def _axes(ax: Axes, data: pd.DataFrame) -> None:
    months = sorted({parse_month(m) for m in data["month"]})
    first, last = months[0], months[-1]
    if last - first >= 24:
        step = 12 * max(1, (last - first) // 120)
        ticks = [m for m in range(first - first % 12, last + 2, step) if m >= first]
        names = [str(m // 12) for m in ticks]
    else:
        ticks = months[:: max(1, -(-len(months) // 6))]
        names = [f"{m // 12}-{m % 12 + 1:02d}" for m in ticks]
    ax.set_xticks([m / 12 for m in ticks], names)
    ax.set_xlim(first / 12, max(last, first + 1) / 12)
    ax.set_ylim(0, 1.06 * float(data[["mean", "high_95"]].max().max() or 1))
    ax.yaxis.set_major_formatter(lambda value, _: f"{style.number(value, 0)} %")
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.grid(visible=False, axis="x")


CHART = Chart(
    1, "chinese_share", "Chinese share of chips over time",
    "The Chinese part of the foundational chips a market buys, by month and scenario, with the "
    "middle 50 % and 95 % of runs.",
    table, words, draw, lambda data: 270.0 + 8 * max(0, data["scenario"].nunique() - 4),
    48, ROOM, 26,
)  # fmt: skip

"""Chart 1: the Chinese share of chips over time, by scenario."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tariffsim.charts import axes
from tariffsim.charts.context import ChartContext, chart_context, largest
from tariffsim.charts.lettering import Label, label_ends
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import CHIPS, percent_tick, period, series_styles, styles_by
from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results
from tariffsim.record.statements import Estimate, estimates, number

RIGHT = 196.0
MOST_BANDS = 3
"""Scenarios with bands; more would hide each other."""
BANDS = {"low_95": 0.025, "low_50": 0.25, "high_50": 0.75, "high_95": 0.975}
"""Quantiles of runs."""


def table(results: Results) -> pd.DataFrame:
    """Mean over seeds and, for scenarios in colour, the middle 50 % and 95 % of runs, per cent."""
    context, months = chart_context(results), results.tables["market_month"]
    months = months[months["market"] == results.market]
    movers = _movers(estimates(results, "cn_share"), context)
    names = dict.fromkeys([context.baseline, *movers, *context.labels])  # those of the title first
    styles = series_styles({name: context.families[name] for name in names})
    with_bands = [n for n in names if not styles[n].is_muted][: MOST_BANDS * (context.n > 1)]
    frames = []
    for name in names:
        rows = months[months["scenario"] == name]
        shares = 100 * rows.pivot(index="month", columns="seed", values="cn_share")
        levels = np.quantile(shares, list(BANDS.values()), axis=1)
        frames.append(pd.DataFrame({
            "scenario": name, "label": context.labels[name], "family": context.families[name],
            "month": shares.index, "mean": shares.mean(axis=1).to_numpy(),
            **{column: values if name in with_bands else np.nan
               for column, values in zip(BANDS, levels, strict=True)},
        }))  # fmt: skip
    return pd.concat(frames, ignore_index=True).assign(unit="%")


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """Where the baseline goes, and what changes it most."""
    context, found = chart_context(results), estimates(results, "cn_share")
    start = float(data.loc[data["scenario"] == context.baseline, "mean"].iloc[0])
    bands = f"Bands: the middle 50 % and 95 % of runs (of {MOST_BANDS} scenarios at most)."
    if context.others:
        bands += " Differences are paired by seed and more precise than the bands suggest."
    ends = ", ".join(f"{label} {number(found[name].level)} %"
                     for name, label in context.labels.items())  # fmt: skip
    span = period(context.months)
    return context.text(
        _title(found, context, start),
        f"Chinese share of {CHIPS} in products bought in {context.place}, {span}, % of chips",
        f"{context.if_intervals(bands)} Values at the right: means of {context.end}.",
        f"Line chart of the Chinese share of chips by month, {span}. Means of {context.end}: "
        f"{ends}",
    )


def _movers(found: Mapping[str, Estimate], context: ChartContext) -> list[str]:
    """What changes the share most: a component and a whole-product tariff, or whatever does."""
    groups = [[n for n in context.others if context.families[n] == family]
              for family in ("component", "whole-product")]  # fmt: skip
    movers = [name for group in groups if (name := largest(found, group))]
    return movers or [name for name in [largest(found, context.others)] if name]


def _title(found: Mapping[str, Estimate], context: ChartContext, start: float) -> str:
    end = found[context.baseline].level
    verb = "rises" if end > start else "falls"
    path = f"{verb} from {number(start)} % in {period(context.months[:1])} to"
    if abs(end - start) < 0.5:
        path = "stays near"
    when = f", mean of {context.end}" if " to " in context.end else f" in {context.end}"
    lead = f"The Chinese share of chips {path} {number(end)} %{when}"
    if not context.others:
        return lead
    lead = f"In the baseline t{lead[1:]}"
    if context.n < 2:
        return f"{lead} (one run: no test of significance for differences)"
    movers = _movers(found, context)
    if not movers:
        who = context.in_sentence(context.others[0]) if len(context.others) == 1 else "any scenario"
        return f"{lead}; the difference made by {who} is not statistically significant"
    ends = [f"{number(found[n].level)} % with {context.in_sentence(n)}" for n in movers]
    return f"{lead}; it is {' and '.join(ends)}"


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """The lines with their bands, and names at their ends."""
    styles = styles_by(data, "scenario")
    labels, when = [], _when(data)
    order = sorted(styles, key=lambda name: not styles[name].is_muted)  # grey ones below
    for depth, name in enumerate(order, start=3):
        rows, style = data[data["scenario"] == name], styles[name]
        x = axes.years(rows["month"])
        axes.band(ax, x, rows, ("low_95", "high_95"), style, alpha=0.07)
        axes.band(ax, x, rows, ("low_50", "high_50"), style)
        axes.line(ax, x, rows, "mean", style, zorder=depth, ms=4.5, clip_on=False,
                       markevery=(min(11, len(x) - 1), 12))  # fmt: skip
        level = number(float(rows["mean"].iloc[-LAST:].mean()))
        labels.append(Label(x[-1], rows["mean"].iloc[-1], rows["label"].iloc[0], style.text,
                            style.is_muted, f": {level} %{when}"))  # fmt: skip
    axes.name_months(ax, data["month"])
    ax.set_ylim(0, 1.06 * float(data[["mean", "high_95"]].max().max() or 1))
    ax.yaxis.set_major_formatter(percent_tick)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    label_ends(ax, labels, RIGHT)


def _when(data: pd.DataFrame) -> str:
    """The months that values at the ends of lines are means of."""
    months = sorted(data["month"].unique())[-LAST:]
    span = period(months)
    if " to " in span:  # months in figures take less room than in words
        return f", {months[0]} to {months[-1]}"
    return f" in {span}".replace(" ", "\u00a0")


CHART = Chart(
    1, "chinese_share", "comparison", "Chinese share of chips over time",
    table, text, plot, lambda data: 270.0 + 8 * max(0, data["scenario"].nunique() - 4),
    48, RIGHT, 26,
)  # fmt: skip

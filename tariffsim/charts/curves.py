"""Charts 8 and 9: outcomes over the start of a policy, over its rate, or over any one number."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from math import ceil, isnan
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import ChartContext, chart_context, experiment_table
from tariffsim.charts.lettering import is_narrow, points, wrap
from tariffsim.charts.picture import EDGE, Chart, ChartText, NotApplicable, shows
from tariffsim.charts.style import (
    CHIPS,
    LEVEL,
    capitalised,
    family_style,
    listed,
    percent_tick,
    period,
    plain_tick,
)
from tariffsim.record.dictionary import metrics
from tariffsim.record.results import Results
from tariffsim.record.statements import Estimate, effect, number, precise

NEVER = "never"
KEPT = ["start", "label", "family", *(f"{column}{end}" for column in ("share", "reduction")
                                      for end in ("", "_low", "_high"))]  # fmt: skip
STARTS_TALL = 120.0
LEVELS = ("cn_share", "evaded_share")
"""Metrics shown as levels; the others as changes from the baseline."""
PANELS = ("cn_share", "policy_revenue", "basket_price", "evaded_share", "welfare")
MOST = 4
FEWEST = 3
"""Points that make a curve."""
TALL, GAP, ABOVE, LEFT, RIGHT, BETWEEN = 118.0, 40.0, 22.0, 52.0, 24.0, 62.0
"""Points: height of a panel, between rows, for its name, at the sides, between columns."""


def starts_table(results: Results) -> pd.DataFrame:
    """By start: share at the end, %, and reduction of exposure over the run, pp-years.

    Exposure is the Chinese share summed over time: a year at 20 % counts 20 pp-years. Intervals
    are those of the differences from no policy.
    """
    data = experiment_table(results, "timing", "a policy with several starts")
    context, name = chart_context(results), list(results.scenarios)[-1]
    data = data.assign(family=context.families[name], label=context.labels[name])
    for end in ("", "_low", "_high"):
        data[f"reduction{end}"] = data[f"share_reduction{end}"] / 12
    return data[KEPT].assign(unit="pp-years", share_unit="%")


def starts_text(data: pd.DataFrame, results: Results) -> ChartText:
    """What an early and a late start do to exposure."""
    context = chart_context(results)
    intervals = "Vertical lines: 95 % intervals of the difference from no policy, paired by seed."
    each = listed(data, ["share", "reduction"], 1, by="start")
    return context.text(
        _starts_title(data, context.n),
        f"Chinese share of {CHIPS} in products bought in {context.place}: reduction summed over "
        f"{period(context.months)} (exposure, pp-years) and share in {context.end} (% of chips), "
        f"by the month the policy starts: {data['label'].iloc[0]}",
        "All dates of the policy shift together, including its announcement. "
        f"{context.if_intervals(intervals)}",
        f"Two line charts by start: Chinese share (%) in {context.end}, reduction of exposure "
        f"(pp-years): {each}",
        untested="the effect of an early start",
    )


def _starts_title(data: pd.DataFrame, n: int) -> str:
    acted = data[data["start"] != NEVER]
    found = {period([str(r["start"])]): _exposure(r, n) for r in acted.to_dict("records")}
    first, *_, last = [*found, *found]
    what, unit = "cumulated exposure to Chinese chips", "pp-years"
    lead = f"A start in {first} {effect(found[first], what, unit)}"
    if first == last:
        return lead
    then = effect(found[last], "it", unit)
    if found[first].is_certain and found[last].is_certain:
        then = then.removeprefix("reduces it ").replace(f" {unit}", "")
    return f"{lead}, one in {last} {then}"


def _exposure(row: Mapping[Hashable, Any], n: int) -> Estimate:
    """The change of exposure: below zero where it is reduced."""
    low, high = -row["reduction_high"], -row["reduction_low"]
    return Estimate(float("nan"), -row["reduction"], low, high, high < 0 or low > 0, n)


def starts_body(data: pd.DataFrame) -> float:
    """Height of both panels in points."""
    return 2 * (STARTS_TALL + ABOVE) + GAP - 8


def starts_plot(data: pd.DataFrame, ax: Axes) -> None:
    """Reduction of exposure above, share at the end below, with that of no policy across."""
    ax.set_axis_off()
    whole = starts_body(data)
    upper = ax.inset_axes((0, 1 - (STARTS_TALL + ABOVE) / whole, 1, STARTS_TALL / whole))
    lower = ax.inset_axes((0, 0, 1, STARTS_TALL / whole))
    axes.heading(upper, "Reduction of exposure, pp-years", LEFT - EDGE)
    axes.heading(lower, "Chinese share of chips at the end, %", LEFT - EDGE)
    _plot_starts(upper, data, "reduction", is_named=False)
    _plot_starts(lower, data, "share", is_named=True)
    lower.set_xlabel("First month of the policy →", loc="right")


def _plot_starts(ax: Axes, data: pd.DataFrame, column: str, is_named: bool) -> None:
    """One column over the starts, and that without the policy as a line across."""
    acted, never = data[data["start"] != NEVER], data[data["start"] == NEVER]
    style, when = family_style(str(data["family"].iloc[0])), axes.years(acted["start"])
    first, latest = min(when) - 0.25, max(when) + 0.25
    low, high = f"{column}_low", f"{column}_high"
    ax.vlines([*when, latest], data[low], data[high], color=style.colour, lw=1.4,
              label=shows(y=f"{low} {high}"))  # fmt: skip
    axes.line(ax, when, acted, column, style, ls="-", ms=5)
    level = float(never[column].iloc[0])
    ax.plot([first, latest], [level] * 2, color=LEVEL, lw=1.6, ls=(0, (1.2, 1.2)),
            label=shows(y=column))  # fmt: skip
    ax.annotate("No policy", (first, level), xytext=(4, 4), textcoords="offset points", size=8,
                weight="bold", color=LEVEL, va="bottom")  # fmt: skip
    values = data[[column, low, high]]
    least, most = min(0.0, float(values.min().min())), max(0.0, float(values.max().max()))
    room = (most - least) or 1.0
    ax.set_xlim(first, latest)
    ax.set_ylim(least - 0.04 * room * (least < 0), most + 0.16 * room)
    ax.yaxis.set_major_locator(axes.round_ticks(4))
    ax.yaxis.set_major_formatter(plain_tick)
    is_few = len(when) < 7
    ax.set_xticks(when, [_tick(s, is_few) if is_named else "" for s in acted["start"]])
    ax.grid(visible=False, axis="x")


def _tick(start: str, is_few: bool) -> str:
    """The first month of a policy on the axis; of many only years."""
    return start if is_few else start[:4] if start.endswith("-01") else ""


def varied(results: Results) -> Mapping[str, Any]:
    """The one numeric factor of a sweep.

    Raises:
        NotApplicable: the results are of another experiment, or there are too few points.
    """
    factors = results.provenance.get("factors", ())
    if "sweep" not in results.tables or len(factors) != 1:
        raise NotApplicable("it needs a sweep of one number")
    factor: Mapping[str, Any] = factors[0]
    at = results.tables["sweep"].get(factor["key"], pd.Series(dtype=float))
    if not pd.api.types.is_numeric_dtype(at) or at.nunique() < FEWEST:
        raise NotApplicable(f"it needs a sweep of one number over {FEWEST} points or more")
    return factor


def rates_table(results: Results) -> pd.DataFrame:
    """Value and interval of each panel's metric at every point, in the order of the factor."""
    factor = varied(results)
    rows = results.tables["sweep"].sort_values([factor["key"], "point"], kind="stable")
    shown = [metric for metric in PANELS if metric in set(rows["metric"])][:MOST]
    data = pd.concat([rows[rows["metric"] == metric] for metric in shown], ignore_index=True)
    baseline = (data["level"] - data["difference"]).where(data["metric"].isin(LEVELS), 0.0)
    is_rate = factor["unit"].startswith("fraction")
    return pd.DataFrame({
        "metric": data["metric"], "at": data[factor["key"]].astype(float),
        "value": data["difference"] + baseline, "low": data["low"] + baseline,
        "high": data["high"] + baseline, "unit": data["unit"], "factor": _name_of(factor),
        "at_unit": "%" if is_rate else "",
    })  # fmt: skip


def _name_of(factor: Mapping[str, Any]) -> str:
    """A factor inside a sentence: the field of a policy, or the key."""
    block, name, *field = str(factor["key"]).split(".")
    return f"the {field[0]} of {name}" if block == "policies" and field else str(factor["key"])


def rates_text(data: pd.DataFrame, results: Results) -> ChartText:
    """From where to where the share goes, and where revenue is highest."""
    context, name = chart_context(results), str(data["factor"].iloc[0])
    ends = "; ".join(
        f"{_heading(str(metric))} {precise(float(rows['value'].iloc[0]), 2)} to "
        f"{precise(float(rows['value'].iloc[-1]), 2)}"
        for metric, rows in data.groupby("metric", sort=False)
    )
    who = context.in_sentence(context.others[0]) if context.others else "the baseline"
    first, last = (_at(data, data["at"].iloc[i]) for i in (0, -1))
    return context.text(
        _rates_title(data, context, results.provenance.get("revenue_peak")),
        f"{capitalised(who)} over {name}, {context.place}, {context.end}: Chinese share of "
        f"{CHIPS} in % of chips, the others against the baseline",
        f"{context.if_intervals('Bands: 95 % intervals of the paired differences.')} "
        "The baseline takes the same values if it has the parameter.",
        f"Small line charts over {name} from {first} to {last}: {ends}",
    )


def _rates_title(data: pd.DataFrame, context: ChartContext, peak: Mapping[str, Any] | None) -> str:
    share = data[data["metric"] == "cn_share"]
    first, last = share.iloc[0], share.iloc[-1]
    lead = f"With {first['factor']} at {_at(data, first['at'])} the Chinese share of chips is"
    there = f"at {_at(data, last['at'])}"
    if context.n < 2:
        return f"One run: no test of significance for effects of {first['factor']}"
    title = f"{lead} {_with_interval(first)}, {there} {_with_interval(last)}"
    if peak is None:
        return title
    if not peak["is_inside"]:
        return f"{title}; new duty revenue has no peak within this range"
    low, high = peak["low"], peak["high"]
    tried = share["at"]
    if low is None or isnan(low) or low < tried.min() or high > tried.max():
        return f"{title}; where new duty revenue is highest is not clear"
    ends = f"{_at(data, low)} to {_at(data, high)}"
    return f"{title}; new duty revenue is highest at {_at(data, peak['at'])} ({ends})"


def _with_interval(row: pd.Series[Any]) -> str:
    """A share with the interval of its difference from the baseline around it."""
    if row["low"] == row["high"]:
        return f"{number(row['value'])} %"
    return f"{number(row['value'])} % ({number(row['low'])} to {number(row['high'])})"


def _at(data: pd.DataFrame, value: float) -> str:
    """A value of the factor as text; fractions as per cent."""
    is_rate = data["at_unit"].iloc[0] == "%"
    return f"{number(100 * value, 0)} %" if is_rate else f"{value:.4g}"


def _heading(metric: str) -> str:
    """Name and unit of a panel."""
    known = metrics()[metric]
    against = "" if metric in LEVELS else " against the baseline"
    return f"{known.label}{against}, {known.unit.replace('base year', 'base-year prices')}"


def rates_body(data: pd.DataFrame) -> float:
    """Height of all panels in points."""
    count = ceil(data["metric"].nunique() / 2)
    return count * (TALL + ABOVE) + (count - 1) * GAP


def rates_plot(data: pd.DataFrame, ax: Axes) -> None:
    """One panel a metric, two in a row."""
    ax.set_axis_off()
    wide, whole = points(ax)
    names = list(dict.fromkeys(data["metric"]))
    columns = 1 if is_narrow(ax) else 2
    rows = ceil(len(names) / columns)
    width = (1 - (columns - 1) * BETWEEN / wide) / columns
    tall = (whole - rows * ABOVE - (rows - 1) * GAP) / rows
    for n, name in enumerate(names):
        row, column = divmod(n, columns)
        above = (row + 1) * (tall + ABOVE) + row * GAP
        box = (column * (1 - width), 1 - above / whole, width, tall / whole)
        panel = ax.inset_axes(box)
        _plot_panel(panel, data[data["metric"] == name])
        room = width * wide + (LEFT - EDGE)
        axes.heading(panel, wrap(_heading(name), 8.5, room, "bold", 2), LEFT - EDGE)
        if n >= len(names) - columns:
            factor = str(data["factor"].iloc[0]).removeprefix("the ")
            panel.set_xlabel(f"{capitalised(factor)} →", loc="right")


def _plot_panel(ax: Axes, rows: pd.DataFrame) -> None:
    style = family_style("component")
    axes.band(ax, rows["at"], rows, ("low", "high"), style)
    axes.line(ax, rows["at"], rows, "value", style, ls="-", lw=1.8, ms=3.5, clip_on=False)
    values = rows[["value", "low", "high"]]
    low, high = min(float(values.min().min()), 0.0), max(float(values.max().max()), 0.0)
    room = 0.06 * (high - low or 1.0)
    ax.set_ylim(low - room * (low < 0), high + room * (high > 0 or low == high))
    ax.set_xlim(rows["at"].min(), rows["at"].max())
    if low < 0:
        axes.zero_line(ax, is_horizontal=True)
    is_rate = rows["at_unit"].iloc[0] == "%"
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(axes.round_ticks(5))
        axis.set_major_formatter(plain_tick)
    if is_rate:
        ax.xaxis.set_major_formatter(lambda value, _: percent_tick(100 * value))
    ax.grid(visible=False, axis="x")


STARTS = Chart(
    8, "early_or_late", "experiment", "Early or late start",
    starts_table, starts_text, starts_plot, starts_body, LEFT, RIGHT,
)  # fmt: skip
RATES = Chart(
    9, "rate_curve", "experiment", "Outcomes over the rate",
    rates_table, rates_text, rates_plot, rates_body, LEFT, RIGHT, on_phone=1.8,
)  # fmt: skip

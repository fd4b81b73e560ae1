"""Charts 12 and 17: which assumptions decide an outcome, one at a time or all together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import shorten
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import chart_context
from tariffsim.charts.picture import Chart, ChartText, NotApplicable, shows
from tariffsim.charts.style import (
    GAIN,
    QUIET,
    SeriesStyle,
    capitalised,
    listed,
    pale,
    plain_tick,
    swatch,
)
from tariffsim.record.dictionary import metrics
from tariffsim.record.results import Results
from tariffsim.record.statements import Estimate, clear_largest, precise

MOST = 15
"""Rows drawn; the others are counted in the note."""
LEFT, RIGHT = 236.0, 44.0
LONGEST = 60
"""Characters of what a factor is called; more are cut at a word."""
INSIGNIFICANT = "n.s."
ENDS = {"at_low": "#BDBDBD", "at_high": "#6E6E6E"}
"""Colours of the two ends: a lighter bar above, a darker one below."""
METHODS = {"sobol": ("total_order", "first_order"), "morris": ("mu_star", "sigma")}
"""Columns of a method: the one with bars and intervals, and the one with marks."""
NAMES = {
    "total_order": "Total-order index: with interactions",
    "first_order": "First-order index: alone",
    "mu_star": "Mean absolute elementary effect",
    "sigma": "Standard deviation of the effect: interactions and non-linearity",
}
BAR = swatch("#12436D", "#12436D")
MARK = SeriesStyle("#B04A10", "#B04A10", "d", "-", "white")


def assumptions(results: Results, *methods: str) -> pd.DataFrame:
    """Table of a sensitivity analysis, strongest factor first, with a `label` for each.

    Raises:
        NotApplicable: the results are of another experiment, or of another method.
    """
    if results.provenance.get("method") not in methods or "sensitivity" not in results.tables:
        raise NotApplicable(f"it needs a sensitivity analysis by {' or '.join(methods)}")
    found = results.tables["sensitivity"]
    return found.assign(label=[_label(row) for row in found.to_dict("records")])


def _label(row: dict[Any, Any]) -> str:
    """What a factor is and the range it moves over."""
    unit = str(row["factor_unit"])
    if unit.startswith("position"):
        return f"{_name(row['meaning'])}: all low to all high"
    low, high = (_value(row[end], unit) for end in ("low_end", "high_end"))
    return f"{_name(row['meaning'])}: {low.removesuffix(' %') if '%' in high else low} to {high}"


def _name(meaning: object) -> str:
    """A short name: the meaning up to its first bracket, colon or semicolon."""
    name = re.split(r" \(|[:;]|\. ", str(meaning))[0].rstrip(".")
    return shorten(name, LONGEST, placeholder="…")


def _value(value: Any, unit: str) -> str:
    """An end of a range; fractions as per cent."""
    if not isinstance(value, (int, float)):
        return str(value)
    return f"{100 * value:.3g} %" if unit.startswith("fraction") else f"{value:.3g}"


def outcome(results: Results) -> tuple[str, str]:
    """The metric that is analysed, inside a sentence, and its unit."""
    metric, context = metrics()[str(results.provenance["metric"])], chart_context(results)
    if not context.others:
        return f"{metric.label} in the baseline", metric.unit
    unit = "pp" if metric.unit == "%" else metric.unit
    return f"{metric.label}, change under {context.in_sentence(context.others[0])}", unit


def effects(found: pd.DataFrame) -> dict[str, Estimate]:
    """What each factor does to the outcome, by its name: the swing, or an index, above zero or not.

    The interval of an index is that of the bootstrap over the design.
    """
    column = next(c for c in ("swing", "total_order", "mu_star") if c in found)
    low, high = f"{column}_low", f"{column}_high"
    return {
        _name(row["meaning"]): Estimate(
            float("nan"), row[column], row[low], row[high],
            bool(row[low] > 0 or row[high] < 0), int(row.get("n", 2)),
        )
        for row in found.to_dict("records")
    }  # fmt: skip


def _finding(found: pd.DataFrame, verb: str, unit: str) -> str:
    """How many factors have a significant effect, and which has the largest if that is clear."""
    known = effects(found)
    certain = [name for name, one in known.items() if one.is_certain]
    if not certain:
        return f"no assumption {verb} it statistically significantly"
    largest = clear_largest(known)
    if largest is not None:
        one = known[largest]
        low, high = sorted((abs(one.low), abs(one.high)))
        return (
            f"{largest} {verb} it most, by {precise(abs(one.difference), 2)} {unit} "
            f"({precise(low, 2)} to {precise(high, 2)})"
        )
    if len(known) == 1:
        return f"{certain[0]} {verb} it statistically significantly"
    which = "; which of them most is not clear" if len(certain) > 1 else ""
    return (
        f"{len(certain)} of {len(known)} assumptions {verb} it statistically significantly{which}"
    )


def mark_insignificant(ax: Axes, data: pd.DataFrame, places: Sequence[float]) -> None:
    """Rows of which the sign or the presence of an effect cannot be told, marked at the right."""
    for place, is_sure in zip(places, data["is_significant"], strict=True):
        if not is_sure:
            ax.annotate(INSIGNIFICANT, (1, place), xycoords=("axes fraction", "data"), size=8,
                        xytext=(6, 0), textcoords="offset points", va="center", color=QUIET,
                        annotation_clip=False)  # fmt: skip


def name_factors(ax: Axes, data: pd.DataFrame, across: str) -> list[float]:
    """A row a factor, the strongest on top, with its label at the left."""
    places = axes.name_rows(ax, data["label"], room=LEFT, size=8)
    ax.grid(visible=False, axis="y")
    axes.name_axes(ax, across, ticks=plain_tick)
    return places


def body(data: pd.DataFrame) -> float:
    """Height of the rows in points."""
    return 26.0 * (len(data) + 0.3)


def tornado_table(results: Results) -> pd.DataFrame:
    """The outcome at both ends of the strongest factors, with intervals of the change."""
    columns = ["factor", "label", "central"]
    columns += [f"{end}{part}" for end in ENDS for part in ("", "_from", "_to")]
    columns += ["is_significant"]
    found = assumptions(results, "tornado").head(MOST)
    return found[columns].assign(unit=outcome(results)[1])


def tornado_text(data: pd.DataFrame, results: Results) -> ChartText:
    """Which assumptions move the outcome, as far as that is known."""
    context, found = chart_context(results), assumptions(results, "tornado")
    asked, unit = outcome(results)
    level = precise(float(data["central"].iloc[0]), 1, sign=bool(context.others))
    rest = found.iloc[MOST:]
    others = f" {len(rest)} others move it by {rest['swing'].abs().max():.2g} at most."
    intervals = (
        "Thin lines: 95 % intervals of the change from the central case. n.s. and pale: the "
        "change from the low to the high end is not statistically significant."
    )
    central = f"Central case (upright line): {level} {unit}, mean over runs. "
    return context.text(
        f"{asked}: {_finding(found, 'moves', unit)}",
        f"{asked}, {unit}, {context.place}, {context.end}, with one assumption at the low or high "
        "end of its range, in the baseline too, all others at their central values",
        central + context.if_intervals(intervals) + (others if len(rest) else ""),
        f"Tornado chart, at low and at high: {listed(data, ENDS)}",
        {
            f"Assumption at its {end.removeprefix('at_')} end": swatch(colour)
            for end, colour in ENDS.items()
        },
        untested="the effect of assumptions",
    )


def tornado_plot(data: pd.DataFrame, ax: Axes) -> None:
    """Two bars a row from the outcome in the central case."""
    across = f"With the assumption at that end, {data['unit'].iloc[0]}"
    places = np.array(name_factors(ax, data, across))
    for (end, colour), side in zip(ENDS.items(), (-0.17, 0.17), strict=True):
        colours = [colour if is_sure else pale(colour) for is_sure in data["is_significant"]]
        axes.bars(ax, data, places + side, colours, ("central", end), 0.34)
        axes.intervals(ax, data, places + side, (f"{end}_from", f"{end}_to"), GAIN)
    ax.axvline(float(data["central"].iloc[0]), color="#6E6E6E", lw=1, zorder=4)
    if data["at_low_from"].notna().any():
        mark_insignificant(ax, data, list(places))


def indices_table(results: Results) -> pd.DataFrame:
    """Indices of the strongest factors with their intervals."""
    found = assumptions(results, *METHODS).head(MOST)
    method = str(results.provenance["method"])
    bar, mark = METHODS[method]
    unit = "share of the variance" if method == "sobol" else outcome(results)[1]
    is_sure = (found[f"{bar}_low"] > 0) | (found[f"{bar}_high"] < 0)
    kept = found[["factor", "label", bar, f"{bar}_low", f"{bar}_high", mark]]
    return kept.assign(is_significant=is_sure, unit=unit)


def indices_text(data: pd.DataFrame, results: Results) -> ChartText:
    """Which assumptions matter, as far as the indices tell."""
    context, found = chart_context(results), assumptions(results, *METHODS)
    asked, unit = outcome(results)[0], str(data["unit"].iloc[0])
    more = len(found) - MOST
    rest = f" {more} more factors below these." if more > 0 else ""
    bar, mark = METHODS[str(results.provenance["method"])]
    verb = "explains" if bar == "total_order" else "moves"
    return context.text(
        f"{asked}: {_finding(found, verb, 'of its variance' if verb == 'explains' else unit)}",
        f"{asked}, {context.place}, {context.end}: {unit}, all assumptions varying over their "
        "ranges, in the baseline too",
        "Thin lines: 95 % bootstrap intervals over the design. n.s. and pale: the interval covers "
        f"zero.{rest}",
        f"Bar chart, {unit}; {NAMES[bar].lower()}, then {NAMES[mark].lower()}: "
        f"{listed(data, [bar, mark])}",
        {NAMES[bar]: BAR, NAMES[mark]: MARK},
    )


def indices_plot(data: pd.DataFrame, ax: Axes) -> None:
    """A bar with its interval and a mark for every row."""
    bar, mark = next(columns for columns in METHODS.values() if columns[0] in data)
    places = name_factors(ax, data, capitalised(str(data["unit"].iloc[0])))
    colours = [BAR.colour if is_sure else pale(BAR.colour) for is_sure in data["is_significant"]]
    ax.barh(places, data[bar], height=0.5, color=colours, alpha=0.85, zorder=2)
    ax.plot(data[bar], places, ls="none", label=shows(x=bar))
    axes.intervals(ax, data, places, (f"{bar}_low", f"{bar}_high"), zorder=3)
    ax.plot(data[mark], places, marker=MARK.marker, ms=6, color=MARK.colour, mfc=MARK.fill,
            mew=1.4, ls="none", zorder=4, label=shows(x=mark))  # fmt: skip
    axes.zero_line(ax)
    mark_insignificant(ax, data, places)


TORNADO = Chart(
    12, "tornado", "experiment", "Sensitivity to one assumption at a time",
    tornado_table, tornado_text, tornado_plot, body, LEFT, RIGHT,
)  # fmt: skip
INDICES = Chart(
    17, "indices", "experiment", "Sensitivity to all assumptions together",
    indices_table, indices_text, indices_plot, body, LEFT, RIGHT,
)  # fmt: skip

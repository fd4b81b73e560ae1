"""Chart 12: which assumptions decide an outcome, one at a time or all together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import chart_context
from tariffsim.charts.picture import Chart, ChartText, NotApplicable, shows
from tariffsim.charts.style import GAIN, SeriesStyle, capitalised, listed, plain_tick, swatch
from tariffsim.record.dictionary import metrics
from tariffsim.record.results import Results
from tariffsim.record.statements import precise

MOST = 15
"""Rows drawn; the others are counted in the note."""
LEFT = 236.0
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
    meaning = str(row["meaning"]).split(" (range")[0].rstrip(".")
    if str(row["factor_unit"]).startswith("position"):
        return f"{meaning}: all low to all high"
    return f"{meaning}: {_value(row['low_end'])} to {_value(row['high_end'])}"


def _value(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, (int, float)) else str(value)


def outcome(results: Results) -> tuple[str, str]:
    """The metric that is analysed, inside a sentence, and its unit."""
    metric, context = metrics()[str(results.provenance["metric"])], chart_context(results)
    if not context.others:
        return f"{metric.label} in the baseline", metric.unit
    unit = "pp" if metric.unit == "%" else metric.unit
    return f"{metric.label}, change under {context.in_sentence(context.others[0])}", unit


def strongest(found: pd.DataFrame) -> str:
    """The first three factors in words."""
    names = [str(meaning).split(" (")[0].rstrip(".") for meaning in found["meaning"][:3]]
    return "; ".join(f"({n}) {name}" for n, name in enumerate(names, start=1))


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
    found = assumptions(results, "tornado").head(MOST)
    return found[columns].assign(unit=outcome(results)[1])


def tornado_text(data: pd.DataFrame, results: Results) -> ChartText:
    """The three assumptions that matter most."""
    context, found = chart_context(results), assumptions(results, "tornado")
    asked, unit = outcome(results)
    level = precise(float(data["central"].iloc[0]), 1, sign=bool(context.others))
    one = "One run: " if context.n < 2 else ""
    rest = found.iloc[MOST:]
    others = f" {len(rest)} others move it by {rest['swing'].abs().max():.2g} at most."
    intervals = "Thin lines: 95 % intervals of the change from the central case."
    return context.text(
        f"{one}{asked}: {level} {unit}. It depends most on {strongest(found)}",
        f"{asked}, {unit}, {context.place}, {context.end}, with one assumption at the low or high "
        "end of its range, in the baseline too, all others at their central values",
        context.if_intervals(intervals) + (others if len(rest) else ""),
        f"Tornado chart, at low and at high: {listed(data, ENDS)}",
        {
            f"Assumption at its {end.removeprefix('at_')} end": swatch(colour)
            for end, colour in ENDS.items()
        },
    )


def tornado_plot(data: pd.DataFrame, ax: Axes) -> None:
    """Two bars a row from the outcome in the central case."""
    across = f"With the assumption at that end, {data['unit'].iloc[0]}"
    places = np.array(name_factors(ax, data, across))
    for (end, colour), side in zip(ENDS.items(), (-0.17, 0.17), strict=True):
        axes.bars(ax, data, places + side, [colour] * len(data), ("central", end), 0.34)
        axes.intervals(ax, data, places + side, (f"{end}_from", f"{end}_to"), GAIN)
    ax.axvline(float(data["central"].iloc[0]), color="#6E6E6E", lw=1, zorder=4)


def indices_table(results: Results) -> pd.DataFrame:
    """Indices of the strongest factors with their intervals."""
    found = assumptions(results, *METHODS).head(MOST)
    method = str(results.provenance["method"])
    bar, mark = METHODS[method]
    unit = "share of the variance" if method == "sobol" else outcome(results)[1]
    return found[["factor", "label", bar, f"{bar}_low", f"{bar}_high", mark]].assign(unit=unit)


def indices_text(data: pd.DataFrame, results: Results) -> ChartText:
    """The assumptions that explain most."""
    context, found = chart_context(results), assumptions(results, *METHODS)
    asked, unit = outcome(results)[0], str(data["unit"].iloc[0])
    more = len(found) - MOST
    rest = f" {more} more factors below these." if more > 0 else ""
    bar, mark = METHODS[str(results.provenance["method"])]
    return context.text(
        f"{asked}: it depends most on {strongest(found)}",
        f"{asked}, {context.place}, {context.end}: {unit}, all assumptions varying over their "
        "ranges, in the baseline too",
        f"Thin lines: 95 % bootstrap intervals.{rest}",
        f"Bar chart, {unit}; {NAMES[bar].lower()}, then {NAMES[mark].lower()}: "
        f"{listed(data, [bar, mark])}",
        {NAMES[bar]: BAR, NAMES[mark]: MARK},
    )


def indices_plot(data: pd.DataFrame, ax: Axes) -> None:
    """A bar with its interval and a mark for every row."""
    bar, mark = next(columns for columns in METHODS.values() if columns[0] in data)
    places = name_factors(ax, data, capitalised(str(data["unit"].iloc[0])))
    ax.barh(places, data[bar], height=0.5, color=BAR.colour, alpha=0.85, zorder=2)
    ax.plot(data[bar], places, ls="none", label=shows(x=bar))
    axes.intervals(ax, data, places, (f"{bar}_low", f"{bar}_high"), zorder=3)
    ax.plot(data[mark], places, marker=MARK.marker, ms=6, color=MARK.colour, mfc=MARK.fill,
            mew=1.4, ls="none", zorder=4, label=shows(x=mark))  # fmt: skip
    axes.zero_line(ax)


TORNADO = Chart(
    12, "tornado", "experiment", "Sensitivity to one assumption at a time",
    tornado_table, tornado_text, tornado_plot, body, LEFT, 30,
)  # fmt: skip
INDICES = Chart(
    12, "indices", "experiment", "Sensitivity to all assumptions together",
    indices_table, indices_text, indices_plot, body, LEFT, 30,
)  # fmt: skip

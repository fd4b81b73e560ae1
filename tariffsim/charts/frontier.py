"""Charts 11 and 16: what it costs to reduce dependence by rate, and which rate is best."""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import chart_context, experiment_table
from tariffsim.charts.lettering import Label, label_ends, label_points
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import CHIPS, FAINT, listed, percent_tick, sentences, styles_by
from tariffsim.record.results import Results
from tariffsim.record.statements import Estimate, effect, precise

RIGHT, RIGHT_OF_RATES = 60.0, 170.0
RATES = ("rate", "rate_low", "rate_high")
COLUMNS = ["share", "share_low", "share_high", "cost", "cost_low", "cost_high"]


def _of_instruments(results: Results, name: str, need: str) -> pd.DataFrame:
    """A table of the experiment with label and family of each instrument."""
    context, data = chart_context(results), experiment_table(results, name, need)
    return data.assign(
        label=data["instrument"].map(context.instrument),
        family=data["instrument"].map(context.families),
    )


def cost_table(results: Results) -> pd.DataFrame:
    """Share and welfare cost by instrument and rate, with intervals."""
    data = _of_instruments(results, "frontier", "instruments over their rates")
    points = data["rate"].map(_rate)
    data = data.assign(point=points, unit="bn USD a year")
    return data[["instrument", "label", "family", "point", *COLUMNS, "is_on_frontier", "unit"]]


def cost_text(data: pd.DataFrame, results: Results) -> ChartText:
    """How far each instrument brings the share down, and at which cost."""
    context, groups = chart_context(results), data.groupby("instrument", sort=False)
    parts = [_reduction(rows, context.in_sentence(str(name)), context.n) for name, rows in groups]
    more = f"The title is about the first two of {len(parts)}. " if len(parts) > 2 else ""
    styles = styles_by(data, "instrument", most=None)
    intervals = "Thin lines: 95 % intervals of the differences from no or the lowest rate."
    points = data.assign(label=data["label"] + ", " + data["point"])
    return context.text(
        sentences(parts[:2]),
        f"Welfare cost against the baseline, bn USD a year, and Chinese share of {CHIPS}, %, by "
        f"rate of the instrument, {context.place}, {context.end}",
        "Filled: on the frontier, where no other point has both a lower share and a lower cost. "
        f"{more}{context.if_intervals(intervals)}",
        "Curves of welfare cost (bn USD a year) against Chinese share (%) by rate: "
        f"{listed(points, ['cost', 'share'])}",
        {context.instrument(name): style for name, style in styles.items()},
        untested="the cost of reducing dependence",
    )


def _rate(rate: float) -> str:
    """A rate of an instrument in per cent of value."""
    return f"{100 * rate:.4g} %"


def _reduction(rows: pd.DataFrame, who: str, n: int) -> str:
    """What the rate with the lowest share does to the share, and what it costs."""
    row, start = rows.iloc[int(rows["share"].argmin())], float(rows["share"].iloc[0])
    share, cost = (
        Estimate(value, value - zero, low - zero, high - zero, not low <= zero <= high, n)
        for name, zero in (("share", start), ("cost", 0.0))
        for value, low, high in [[float(row[f"{name}{end}"]) for end in ("", "_low", "_high")]]
    )
    found = effect(share, "the Chinese share", "pp")
    if not share.is_certain:
        return f"{who} at {row['point']} {found}"
    lead = f"{who} at {row['point']} {found.split(' (')[0]}"  # the picture has the interval
    if not cost.is_certain:
        ends = " to ".join(precise(end, 1, sign=True) for end in (cost.low, cost.high))
        return f"{lead}; the cost is not statistically significant ({ends} bn USD a year)"
    price = "for" if cost.difference > 0 else "with a gain of"
    return f"{lead} {price} {precise(abs(cost.difference), 1)} bn USD a year"


def cost_plot(data: pd.DataFrame, ax: Axes) -> None:
    """One curve an instrument; the middle and the last point are labelled with their rates."""
    labels = []
    for name, style in styles_by(data, "instrument", most=None).items():
        rows = data[data["instrument"] == name]
        axes.crosses(ax, rows, "share", "cost", style, alpha=0.5)
        axes.line(ax, rows["share"], rows, "cost", style, marker="")
        for is_on, fill in ((True, style.colour), (False, "white")):
            here = rows[rows["is_on_frontier"] == is_on]
            ax.plot(here["share"], here["cost"], marker=style.marker, ms=6, ls="none", mfc=fill,
                    color=style.colour, zorder=4)  # fmt: skip
        marked = rows.iloc[sorted({len(rows) // 2, len(rows) - 1})]
        labels += [Label(row["share"], row["cost"], str(row["point"]), style.text)
                   for row in marked.to_dict("records")]  # fmt: skip
    ax.axhline(0, color=FAINT, lw=0.8, zorder=1)
    ax.margins(0.08)
    axes.name_axes(ax, "Chinese share of chips, %", "Welfare cost, bn USD a year")
    label_points(ax, labels, RIGHT - 20)


def rate_table(results: Results) -> pd.DataFrame:
    """Best rate by probability, and the rates whose cost does not differ significantly from it.

    Per cent. `is_open`: it cannot be told which rate is best, as none differs significantly from
    the one with the least mean cost.
    """
    data = _of_instruments(results, "best_rate", "a supply disruption").assign(unit="%")
    rates = [*RATES, "probability"]
    data[rates] = 100 * data[rates]
    tried = data.groupby("instrument")[list(RATES)]
    lowest, highest = tried.transform("min").min(axis=1), tried.transform("max").max(axis=1)
    is_open = (data["rate_low"] <= lowest) & (data["rate_high"] >= highest) & (lowest < highest)
    kept = ["instrument", "label", "family", "probability", *RATES]
    return data[[*kept, "unit"]].assign(is_open=is_open)


def rate_text(data: pd.DataFrame, results: Results) -> ChartText:
    """From which probability on a rate above the lowest is significantly better."""
    context = chart_context(results)
    groups = [(context.in_sentence(str(name)), rows) for name, rows in _groups(data)]
    more = f" The title is about the first two of {len(groups)}." if len(groups) > 2 else ""
    return context.text(
        sentences(_best(rows, who) for who, rows in groups[:2]),
        "Rate with the least expected cost (yearly welfare cost + probability x loss in a "
        f"cut-off), by yearly probability of a cut-off, {context.place}; rate in % of value",
        "Bands: rates whose expected cost does not differ significantly from the least, paired by "
        "seed. Thin and dotted: all rates tried are among them, so which is best cannot be told."
        + more,
        "Line chart of the best rate (%) by yearly probability of a cut-off, from "
        f"{data['probability'].min():g} to {data['probability'].max():g} %",
        untested="the best rate",
    )


def _groups(data: pd.DataFrame) -> list[tuple[Hashable, pd.DataFrame]]:
    return list(data.groupby("instrument", sort=False))


def _best(rows: pd.DataFrame, who: str) -> str:
    """From which probability on the lowest rate is worse than another, at any higher one too."""
    lowest = f"{float(rows[list(RATES)].min().min()):.4g} %"
    is_lowest = (rows["rate_low"] <= rows[list(RATES)].min().min()).to_numpy()
    first = len(rows) - int(is_lowest[::-1].argmax()) if is_lowest.any() else 0
    if first == len(rows):
        odds = float(rows["probability"].iloc[-1])
        return (
            f"{who}: no rate is significantly better than {lowest} at a probability of {odds:g} %"
        )
    row = rows.iloc[first]
    since = f"{float(row['probability']):.2g} %"
    ends = " to ".join(f"{row[end]:.4g}" for end in RATES[1:])
    best = f"{row['rate']:.4g} %" + (f" ({ends})" if row["rate_low"] < row["rate_high"] else "")
    return f"{who}: {best} is better than {lowest} from a yearly probability of {since} on"


def rate_plot(data: pd.DataFrame, ax: Axes) -> None:
    """One line an instrument over the probability, on a logarithmic axis."""
    labels = []
    for name, style in styles_by(data, "instrument", most=None).items():
        rows = data[data["instrument"] == name]
        x = rows["probability"]
        axes.band(ax, x, rows, ("rate_low", "rate_high"), style, step="mid")
        for is_open, how in ((False, {}), (True, {"ls": (0, (1, 1.5)), "lw": 1.1})):
            shown = rows.assign(rate=rows["rate"].where(rows["is_open"] == is_open))
            axes.line(ax, x, shown, "rate", style, marker="", drawstyle="steps-mid", **how)
        last = rows.iloc[-1]
        state = ": cannot be told" if last["is_open"] else f": {last['rate']:.4g} %"
        labels.append(
            Label(last["probability"], last["rate"], str(last["label"]), style.text, tail=state)
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(percent_tick)
    ax.yaxis.set_major_formatter(percent_tick)
    ax.set_xlim(data["probability"].min(), data["probability"].max())
    ax.set_ylim(bottom=0)
    axes.name_axes(ax, "Yearly probability of a cut-off", "Best rate, % of value")
    label_ends(ax, labels, RIGHT_OF_RATES)


COST = Chart(
    11, "frontier", "experiment", "Cost of reducing dependence",
    cost_table, cost_text, cost_plot, lambda data: 300.0, 48, RIGHT,
)  # fmt: skip
BEST_RATE = Chart(
    16, "best_rate", "experiment", "Best rate by probability of a cut-off",
    rate_table, rate_text, rate_plot, lambda data: 260.0, 48, RIGHT_OF_RATES,
)  # fmt: skip

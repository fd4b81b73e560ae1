"""Chart 10: a supply disruption: sales lost by month and by device, and the first line stop."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import ChartContext, chart_context, policy_kinds, table_label
from tariffsim.charts.lettering import points, room_beside
from tariffsim.charts.picture import EDGE, Chart, ChartText, NotApplicable
from tariffsim.charts.style import capitalised, listed, percent_tick, period, styles_by_number
from tariffsim.policy import INSTRUMENTS
from tariffsim.record.results import Results
from tariffsim.record.statements import (
    Estimate,
    Verdict,
    clear_largest,
    effect,
    estimates,
    number,
    precise,
)

MOST, MOST_DEVICES = 3, 10
BEFORE, AFTER = 3, 6
"""Months shown before the first and after the last in which more is lost than in the baseline."""
LEAST, SHARE = 0.005, 0.02
"""Loss that counts: % of sales, and as a share of that in the worst month."""
TALL, ABOVE, BETWEEN, LEFT, RIGHT = 150.0, 20.0, 36.0, 150.0, 24.0
"""Points: height of the lines, for the name of a panel, between panels, at the sides."""


def disruptions(results: Results) -> list[str]:
    """Scenarios in which the supply of chips is restricted."""
    kinds = {kind for kind, instrument in INSTRUMENTS.items() if instrument.restricts_supply}
    return [name for name, text in results.scenarios.items() if kinds & policy_kinds(text)]


def table(results: Results) -> pd.DataFrame:
    """Sales lost, %, by month (all devices), then by device (over the months shown)."""
    names = disruptions(results)[:MOST]
    if not names:
        raise NotApplicable("it needs a scenario that restricts the supply of chips")
    context = chart_context(results)
    shown = list(dict.fromkeys([context.baseline, *names]))
    rows = results.tables["market_device"]
    rows = rows[(rows["market"] == results.market) & rows["scenario"].isin(shown)]
    by_month = _lost(rows, "month")[shown]
    months = _around(by_month, context)
    by_device = _lost(rows[rows["month"].isin(months)], "device")[shown]
    order = by_device[names].max(axis=1).sort_values(ascending=False, kind="stable").index
    made = [by_month.loc[months].assign(block="month", at=months, label="")]
    top = by_device.loc[order[:MOST_DEVICES]]
    devices = [table_label("devices", str(device)) for device in top.index]
    made.append(top.assign(block="device", at=top.index, label=devices))
    data = pd.concat(made, ignore_index=True)
    data = data.rename(columns={name: f"lost_{n}" for n, name in enumerate(shown)})
    return data.assign(**context.columns(shown, 0), unit="% of sales")


def _lost(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Share of sales lost, %; one column a scenario."""
    sums = rows.groupby(["scenario", by], sort=False)[["lost_value", "retail_value"]].sum()
    wanted = sums.sum(axis=1)
    share = 100 * sums["lost_value"] / wanted.where(wanted > 0, 1.0)
    return share.unstack("scenario")[list(dict.fromkeys(rows["scenario"]))]


def _around(by_month: pd.DataFrame, context: ChartContext) -> list[str]:
    """The months around those in which more is lost than in the baseline; else all."""
    more = by_month.drop(columns=context.baseline).sub(by_month[context.baseline], axis=0)
    counts = more > max(LEAST, SHARE * float(more.max().max()) if more.size else 0.0)
    out = [n for n, lost in enumerate(counts.any(axis=1)) if lost]
    if not out:
        return list(context.months)
    return list(context.months[max(out[0] - BEFORE, 0) : out[-1] + 1 + AFTER])


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """What is lost against the baseline, and when the first line stops."""
    context, names = chart_context(results), disruptions(results)
    months, devices = (data[data["block"] == block] for block in ("month", "device"))
    few = f"The {MOST_DEVICES} devices that lose most. " if len(devices) == MOST_DEVICES else ""
    rest = len(names) - MOST
    more = f"{rest} more scenarios with supply disruptions are not shown. " if rest > 0 else ""
    columns = list(styles_by_number(data, "lost_"))
    scenarios = [str(data[column.replace("lost", "scenario")].iloc[0]) for column in columns]
    return context.text(
        _title({name: estimates(results, "cutoff_loss")[name] for name in names}, context),
        f"Sales not delivered for lack of a chip, {context.place}, {period(months['at'])}, % of "
        "sales",
        f"{few}{more}Means over runs, without intervals.",
        "Line chart by month and dot chart by device, % of sales: "
        f"{listed(devices, columns)}",
        {label + (_losses(name, results) if name in names else ""): style
         for name, (label, style) in zip(scenarios, context.legend(data).items(), strict=True)},
        untested="the cost of a supply disruption",
    )  # fmt: skip


def _losses(name: str, results: Results) -> str:
    """What a scenario loses, and when its first line stops."""
    columns = ("cutoff_loss", "days_to_stop", "stopped_share")
    lost, days, stopped = (estimates(results, column)[name].level for column in columns)
    when = "at once" if days < 0.5 else f"after {number(days, 0)} days"
    stop = f"the first line stops {when}" if stopped else "no line stops"
    return f": {precise(lost)} bn USD of sales lost, {stop} (means)"


def _title(lost: Mapping[str, Estimate], context: ChartContext) -> str:
    """What is lost against the baseline: of one, of the clearly largest, or of how many."""
    largest = clear_largest(lost)
    name = largest or next(iter(lost))
    if len(lost) == 1 or largest:
        who = capitalised(context.quoted(name)) + (", the costliest," if len(lost) > 1 else "")
        if lost[name].verdict is Verdict.UNCHANGED:
            return f"{who} costs no sales"
        return f"{who} {effect(lost[name], 'sales lost for lack of chips', 'bn USD')}"
    certain = sum(one.is_certain for one in lost.values())
    if not certain:
        return "No supply disruption has a statistically significant effect on sales"
    which = "; which costs most is not clear" if certain > 1 else ""
    return f"{certain} of {len(lost)} supply disruptions change sales significantly{which}"


def body(data: pd.DataFrame) -> float:
    """Height of both panels in points."""
    devices = int((data["block"] == "device").sum())
    return TALL + 2 * ABOVE + BETWEEN + axes.body(devices)


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """Lines by month above, dots by device below."""
    ax.set_axis_off()
    months, devices = (data[data["block"] == block] for block in ("month", "device"))
    whole, out = body(data), max(room_beside(ax)[0] - 60, 0) / points(ax)[0]
    upper = ax.inset_axes((-out, 1 - (TALL + ABOVE) / whole, 1 + out, TALL / whole))
    lower = ax.inset_axes((0, 0, 1, axes.body(len(devices)) / whole))
    axes.heading(upper, "By month, % of sales", 60 - EDGE)
    axes.heading(lower, "By device", LEFT - EDGE)
    styles = styles_by_number(data, "lost_")
    for depth, (column, style) in enumerate(styles.items(), start=3):
        axes.line(upper, axes.years(months["at"]), months, column, style, lw=1.6, ms=4,
                       zorder=depth, clip_on=False)  # fmt: skip
    axes.name_months(upper, months["at"])
    upper.set_ylim(0, 1.08 * _highest(months[list(styles)]))
    axes.dumbbells(lower, devices, axes.name_rows(lower, devices["label"]), styles)
    high = _highest(devices[list(styles)])
    lower.set_xlim(-0.012 * high, 1.05 * high)
    lower.set_xlabel("% of sales →", loc="right")
    for axis in (upper.yaxis, lower.xaxis):
        axis.set_major_locator(axes.round_ticks(5))
        axis.set_major_formatter(percent_tick)


def _highest(lost: pd.DataFrame) -> float:
    """The largest loss, or 1 % if there is none."""
    high = float(lost.max().max())
    return high if high > LEAST else 1.0


CHART = Chart(
    10, "cut_off", "comparison", "Supply disruption (cut-off)",
    table, text, plot, body, LEFT, RIGHT,
)  # fmt: skip

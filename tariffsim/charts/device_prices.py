"""Chart 3: the price effect by device, of two scenarios side by side."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import ChartContext, chart_context, table_label
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import listed, precise, sentences, signed_tick, styles_by_number
from tariffsim.record.intervals import paired_interval
from tariffsim.record.results import Results


def table(results: Results) -> pd.DataFrame:
    """Paired difference of the price index by device, percentage points, the widest gap first."""
    context, ends = chart_context(results), results.tables["device_end"]
    wide = ends.pivot(index="seed", columns=["scenario", "device"], values="price_index")
    found = []
    for device in dict.fromkeys(ends["device"]):
        row: dict[str, object] = {"device": device, "label": table_label("devices", device)}
        for n, name in enumerate(context.pair(), start=1):
            change = 100 * (wide[name][device] - wide[context.baseline][device]).sort_index()
            interval = paired_interval(change.tolist())
            row |= {
                f"rise_{n}": interval.mean,
                f"rise_{n}_low": interval.low, f"rise_{n}_high": interval.high,
                f"is_rise_{n}_significant": interval.is_significant,
            }  # fmt: skip
        found.append(row)
    data = pd.DataFrame(found)
    data = data.assign(**context.columns(context.pair()), unit="percentage points")
    gap = (data["rise_1"] - data.get("rise_2", 0.0)).abs()
    order = gap.sort_values(ascending=False, kind="stable").index
    return data.loc[order].reset_index(drop=True)


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """Which price changes most under either."""
    context = chart_context(results)
    legend = context.legend(data)
    marks = "Thin lines: 95 % intervals; hollow marks: not statistically significant."
    each = listed(data, styles_by_number(data, "rise_"), sign=True)
    return context.text(
        sentences(_sentence(data, context, n) for n in styles_by_number(data)),
        f"Price index of each device group against the baseline, {context.place}, {context.end}, "
        "percentage points (pp) of the base-year price",
        f"{context.if_intervals(marks)} The widest gap is on top.",
        "Dot chart of price effects by device, percentage points, for "
        f"{' and '.join(legend)}: {each}",
        legend,
        untested="price effects by device",
    )


def _sentence(data: pd.DataFrame, context: ChartContext, n: str) -> str:
    who = context.in_sentence(str(data[f"scenario_{n}"].iloc[0]))
    significant = data[data[f"is_rise_{n}_significant"]]
    if significant.empty:
        return f"{who} has no statistically significant effect on prices"
    row = max(significant.to_dict("records"), key=lambda row: abs(row[f"rise_{n}"]))
    verb, device = "raises" if row[f"rise_{n}"] > 0 else "lowers", str(row["label"])
    device = device[0].lower() + device[1:] if device[1:2].islower() else device
    return f"{who} {verb} prices of {device} most, by {precise(abs(row[f'rise_{n}']))} pp"


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """A row a device, a dot a scenario."""
    places = axes.name_rows(ax, data["label"])
    axes.dumbbells(ax, data, places, styles_by_number(data, "rise_"))
    axes.zero_line(ax)
    axes.name_axes(ax, "Price against the baseline, percentage points", ticks=signed_tick)


CHART = Chart(
    3, "device_prices", "comparison", "Price effect by device",
    table, text, plot, lambda data: axes.body(len(data)), axes.LEFT, 30,
)  # fmt: skip

"""Chart 9: what a measure does over its rate, or any answer over any one number."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, isnan
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tariffsim.charts import style
from tariffsim.charts.facts import Facts, facts_of
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.record.dictionary import metrics
from tariffsim.record.results import Results

LEVELS = ("cn_share", "evaded_share")
"""Measures shown as levels; the others as changes from the baseline."""
PANELS = ("cn_share", "policy_revenue", "basket_price", "evaded_share", "welfare")
MOST = 4
FEWEST = 3
"""Points that make a curve."""
TALL, GAP, ABOVE, LEFT, RIGHT, BETWEEN = 118.0, 40.0, 22.0, 52.0, 24.0, 62.0
"""Points: height of a panel, between rows, for its name, at the sides, between columns."""


def varied(results: Results) -> Mapping[str, Any]:
    """The one numeric factor of a sweep."""
    factors = results.provenance.get("factors", ())
    if "sweep" not in results.tables or len(factors) != 1:
        raise LeftOut("it needs a sweep of one number")
    factor: Mapping[str, Any] = factors[0]
    at = results.tables["sweep"].get(factor["key"], pd.Series(dtype=float))
    if not pd.api.types.is_numeric_dtype(at) or at.nunique() < FEWEST:
        raise LeftOut(f"it needs a sweep of one number over {FEWEST} points or more")
    return factor


def table(results: Results) -> pd.DataFrame:
    """Value and interval of each panel's measure at every point, in the order of the factor."""
    key = varied(results)["key"]
    rows = []
    for row in (
        results.tables["sweep"].sort_values([key, "point"], kind="stable").to_dict("records")
    ):
        if row["metric"] in PANELS:
            lift = row["level"] - row["difference"] if row["metric"] in LEVELS else 0.0
            rows.append({
                "metric": row["metric"], "at": float(row[key]),
                "value": row["difference"] + lift, "low": row["low"] + lift,
                "high": row["high"] + lift, "unit": row["unit"],
            })  # fmt: skip
    data = pd.DataFrame(rows)
    shown = [name for name in PANELS if name in set(data["metric"])][:MOST]
    data = data[data["metric"].isin(shown)]
    order = data["metric"].map(shown.index)
    data = data.assign(order=order).sort_values(["order", "at"], kind="stable")
    factor = varied(results)
    is_rate = factor["unit"].startswith("fraction")
    data = data.drop(columns="order").assign(factor=name_of(factor), at_unit="%" if is_rate else "")
    return data.reset_index(drop=True)


def name_of(factor: Mapping[str, Any]) -> str:
    """A factor inside a sentence: the field of a policy, or the key."""
    block, name, *field = str(factor["key"]).split(".")
    return f"the {field[0]} of {name}" if block == "policies" and field else str(factor["key"])


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: from where to where the share goes, and where revenue is highest."""
    facts, factor = facts_of(results), varied(results)
    title = _title(data, facts, factor, results.provenance.get("revenue_peak"))
    name = name_of(factor)
    bands = (
        "Bands: 95 % intervals of the paired differences. "
        if facts.n > 1
        else "One run, no intervals. "
    )
    ends = "; ".join(
        f"{_heading(str(metric))} {style.precise(float(rows['value'].iloc[0]), 2)} to "
        f"{style.precise(float(rows['value'].iloc[-1]), 2)}"
        for metric, rows in data.groupby("metric", sort=False)
    )
    who = facts.short(facts.others[0]) if facts.others else "the baseline"
    first, last = (_at(data, data["at"].iloc[i]) for i in (0, -1))
    return Words(
        title,
        f"{who[:1].upper()}{who[1:]} over {name}, {facts.place}, {facts.end}: Chinese share in % "
        "of chips, the others against the baseline",
        f"{bands}The baseline has the same value wherever it has the key. {facts.source}",
        f"{title}. Small line charts over {name} from {first} to {last}: {ends}.",
        "% of chips",
    )


def _title(
    data: pd.DataFrame, facts: Facts, factor: Mapping[str, Any], peak: Mapping[str, Any] | None
) -> str:
    share = data[data["metric"] == "cn_share"]
    first, last = share.iloc[0], share.iloc[-1]
    title = (
        f"With {name_of(factor)} from {_at(data, first['at'])} to {_at(data, last['at'])} the "
        f"Chinese share of chips goes from {style.number(first['value'])} to "
        f"{style.number(last['value'])} %"
    )
    if facts.n < 2:
        return f"One run: {title[0].lower()}{title[1:]}"
    if peak is None:
        return title
    if not peak["is_inside"]:
        return f"{title}; new duty revenue has no peak within this range"
    where = _at(data, peak["at"])
    if peak["low"] is None or isnan(peak["low"]):
        return f"{title}; new duty revenue is highest near {where}, if not beyond the range"
    ends = f"{_at(data, peak['low'])} to {_at(data, peak['high'])}"
    return f"{title}; new duty revenue is highest at {where} (95 % interval: {ends})"


def _at(data: pd.DataFrame, value: float) -> str:
    """A value of the factor as text; fractions as per cent."""
    is_rate = data["at_unit"].iloc[0] == "%"
    return f"{style.number(100 * value, 0)} %" if is_rate else f"{value:.4g}"


def _heading(metric: str) -> str:
    """Name and unit of a panel."""
    known = metrics()[metric]
    against = "" if metric in LEVELS else " against the baseline"
    return f"{known.label}{against}, {known.unit.replace('base year', 'base-year prices')}"


def body(data: pd.DataFrame) -> float:
    """Height of all panels in points."""
    count = ceil(data["metric"].nunique() / 2)
    return count * (TALL + ABOVE) + (count - 1) * GAP


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw one panel a measure, two in a row."""
    ax = style.own_axes(ax, body(data), LEFT, RIGHT)
    ax.set_axis_off()
    wide, tall = style.points(ax)
    names = list(dict.fromkeys(data["metric"]))
    width = (wide - BETWEEN) / 2
    height = (tall + GAP) / ceil(len(names) / 2) - GAP - ABOVE
    look = style.Look(*style.FAMILIES["component"], face=style.FAMILIES["component"][0])
    for n, name in enumerate(names):
        x = (n % 2) * (width + BETWEEN)
        y = tall - (n // 2) * (height + ABOVE + GAP) - ABOVE - height
        panel = ax.inset_axes((x / wide, y / tall, width / wide, height / tall))
        _panel(panel, data[data["metric"] == name], look)
        panel.annotate(_heading(name), (0, 1), xycoords="axes fraction", weight="bold", size=8.5,
                       xytext=(style.EDGE - LEFT, 12), textcoords="offset points")  # fmt: skip
        if n >= len(names) - 2:
            name = str(data["factor"].iloc[0]).removeprefix("the ")
            panel.set_xlabel(f"{name[:1].upper()}{name[1:]} →", loc="right")
    return ax


def _panel(ax: Axes, rows: pd.DataFrame, look: style.Look) -> None:
    if rows["low"].notna().all():
        ax.fill_between(rows["at"], rows["low"], rows["high"], color=look.colour, alpha=0.15, lw=0,
                        label=style.drawn("low", "high"))  # fmt: skip
    ax.plot(rows["at"], rows["value"], color=look.colour, lw=1.8, marker=look.marker, ms=3.5,
            zorder=3, clip_on=False, label=style.drawn("value"))  # fmt: skip
    ax.plot(rows["at"], rows["value"], ls="none", label=style.drawn("at", axis="x"))
    low, high = (f(rows[["value", "low", "high"]].to_numpy(float).ravel()) for f in (_least, _most))
    low, high = min(low, 0.0), max(high, 0.0)
    room = 0.06 * (high - low or 1.0)
    ax.set_ylim(low - room * (low < 0), high + room * (high > 0 or low == high))
    ax.set_xlim(rows["at"].min(), rows["at"].max())
    if low < 0:
        ax.axhline(0, color="#6E6E6E", lw=1, zorder=1.5)
    is_rate = rows["at_unit"].iloc[0] == "%"
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(
        lambda value, _: f"{100 * value:g} %" if is_rate else style.tick(value).lstrip("+")
    )
    ax.yaxis.set_major_formatter(lambda value, _: style.tick(value).lstrip("+"))
    ax.grid(visible=False, axis="x")


def _least(values: Any) -> float:
    return min((float(v) for v in values if not isnan(v)), default=0.0)


def _most(values: Any) -> float:
    return max((float(v) for v in values if not isnan(v)), default=0.0)


CHART = Chart(
    9, "rate_curve", "The rate curve",
    "Chinese share, duty revenue, prices and evasion or welfare over a rate, or over any one "
    "number, with 95 % intervals.",
    table, words, draw, body, LEFT, RIGHT, 38,
)  # fmt: skip

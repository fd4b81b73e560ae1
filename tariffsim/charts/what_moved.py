"""Chart 6: assembly against chips: which countries and regions gain and lose."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import Estimate, chart_context, estimates, table_label
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import CHIPS, listed, precise, sentences, signed_tick, styles_by_number
from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results

ASSEMBLY, ORIGIN = "Country of assembly", "Origin of chips"
SOURCES = {
    ASSEMBLY: ("market_origin", "origin", "value", "origins"),
    ORIGIN: ("market_region", "region", "chips", "foundry_regions"),
}
METRICS = {ASSEMBLY: "cn_assembled_share", ORIGIN: "cn_share"}
"""Headline metrics of China's rows; of the others there are only means over seeds."""
PREFIX = {ASSEMBLY: "assembled in", ORIGIN: "chips from"}
REST = {ASSEMBLY: "assembled elsewhere", ORIGIN: "chips from elsewhere"}
MOST = 7
"""Rows of a block; what moves least is put together."""


def table(results: Results) -> pd.DataFrame:
    """Change of shares against the baseline, percentage points, by country and by region."""
    context = chart_context(results)
    names = dict(enumerate(context.pair(), start=1))
    frames = []
    for block, (source, code, column, labels) in SOURCES.items():
        ends = results.tables[source]
        ends = ends[(ends["market"] == results.market) & ends["month"].isin(context.months[-LAST:])]
        sums = ends.groupby(["scenario", code], sort=False)[column].sum().unstack("scenario")
        shares = 100 * sums / sums.sum()
        moved = pd.DataFrame({f"moved_{n}": shares[name] - shares[context.baseline]
                              for n, name in names.items()})  # fmt: skip
        kept = _shortened(moved).reset_index(names="code")
        kept.insert(0, "label", [f"{PREFIX[block]} {table_label(labels, c)}" if c else REST[block]
                                 for c in kept["code"]])  # fmt: skip
        found = estimates(results, METRICS[block])
        for n, name in names.items():
            kept[f"is_moved_{n}_significant"] = pd.Series(
                [found[name].is_significant if c == "CN" else None for c in kept["code"]],
                dtype=object,
            )
        frames.append(kept.assign(block=block))
    data = pd.concat(frames, ignore_index=True)
    return data.assign(**context.columns(names.values()), unit="percentage points")


def _shortened(moved: pd.DataFrame) -> pd.DataFrame:
    """China first, then by what is moved; the smallest together."""
    size = moved.filter(like="moved_").abs().max(axis=1)
    size.loc[[c for c in moved.index if c == "CN"]] = float("inf")
    moved = moved.loc[size.sort_values(ascending=False, kind="stable").index]
    loose = [c for c in moved.index[MOST - 1 :] if c != "OTHER"]
    loose += ["OTHER"] if "OTHER" in moved.index and loose else []
    if len(loose) < 2:
        return moved
    rest = moved.loc[loose].sum()
    kept = moved.drop(index=loose)
    return pd.concat([kept, pd.DataFrame([rest], index=[""])])


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """Whether assembly or chips leave China."""
    context = chart_context(results)
    legend = context.legend(data)
    each = listed(data, styles_by_number(data, "moved_"), sign=True)
    found = [estimates(results, metric) for metric in METRICS.values()]
    return context.text(
        sentences(_sentence(context.in_sentence(name), *(of[name] for of in found))
                  for name in context.pair()),
        f"Change of shares in purchases of {context.place} against the baseline, {context.end}, "
        f"percentage points (pp): of value by country of assembly, of {CHIPS} by region of "
        "the foundry",
        "Means over runs; hollow marks in China's rows: not statistically significant (the other "
        "rows have no intervals).",
        "Dot chart of changes of shares, percentage points, for "
        f"{' and '.join(legend)}: {each}",
        legend, untested="shifts of assembly and chips out of China",
    )  # fmt: skip


def _sentence(who: str, assembled: Estimate, chips: Estimate) -> str:
    if not assembled.is_significant and not chips.is_significant:
        return f"{who} has no statistically significant effect on assembly or chips in China"
    made, bought = _moved(assembled, "assembly"), _moved(chips, "chips")
    out = "" if "into China" in made + bought else " out of China"
    return f"{who} moves {made} and {bought}{out}"


def _moved(found: Estimate, what: str) -> str:
    if not found.is_significant:
        return f"no statistically significant share of {what}"
    into = " into China" if found.difference > 0 else ""
    return f"{precise(abs(found.difference))} pp of {what}{into}"


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """Two blocks of rows: assembly above, chips below."""
    first = int((data["block"] == ASSEMBLY).sum())
    places = [i + (1.0 if i < first else 2.3) for i in range(len(data))]
    axes.name_rows(ax, data["label"], places)
    ax.set_ylim(places[-1] + 0.6, -0.5)
    axes.dumbbells(ax, data, places, styles_by_number(data, "moved_"))
    axes.zero_line(ax)
    for block, place in ((ASSEMBLY, 0.0), (ORIGIN, places[first] - 1)):
        ax.annotate(block, (0, place), xycoords=("axes fraction", "data"), xytext=(-8, 0), size=8.5,
                    textcoords="offset points", weight="bold", ha="right", va="center")  # fmt: skip
    axes.name_axes(ax, "Share against the baseline, percentage points", ticks=signed_tick)


CHART = Chart(
    6, "what_moved", "comparison", "Shifts of assembly and of chips",
    table, text, plot, lambda data: axes.body(len(data) + 2.3), axes.LEFT, 30,
)  # fmt: skip

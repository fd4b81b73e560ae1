"""Charts 3, 5 and 6: what two scenarios change, by device, market, country and region: dots."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import ChartContext, chart_context, table_label
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import (
    CHIPS,
    listed,
    percent_tick,
    sentences,
    signed_tick,
    styles_by_number,
)
from tariffsim.record.metrics import LAST
from tariffsim.record.result_tables import OTHER_BUYERS
from tariffsim.record.results import Results
from tariffsim.record.statements import Estimate, estimates, number, precise
from tariffsim.record.uncertainty import interval_of

YEAR = 12e-9
"""From chips a month to thousand millions a year."""
WORLD, OTHERS = "The world", "Other end uses"
ASSEMBLY, ORIGIN = "Country of assembly", "Origin of chips"
SOURCES = {
    ASSEMBLY: ("market_origin", "origin", "value", "origins"),
    ORIGIN: ("market_region", "region", "chips", "foundry_regions"),
}
METRICS = {ASSEMBLY: "cn_assembled_share", ORIGIN: "cn_share"}
"""Headline metrics of China's rows; of the others there are only means over seeds."""
PREFIX = {ASSEMBLY: "assembled in", ORIGIN: "chips from"}
REST = {ASSEMBLY: "assembled elsewhere", ORIGIN: "chips from elsewhere"}
MOST_ROWS = 7
"""Rows of a block; what moves least is put together."""


def prices_table(results: Results) -> pd.DataFrame:
    """Paired difference of the price index by device, percentage points, the widest gap first."""
    context, ends = chart_context(results), results.tables["device_end"]
    interval_over_seeds = interval_of(results)
    wide = ends.pivot(index="seed", columns=["scenario", "device"], values="price_index")
    found = []
    for device in dict.fromkeys(ends["device"]):
        row: dict[str, object] = {"device": device, "label": table_label("devices", device)}
        for n, name in enumerate(context.pair(), start=1):
            change = 100 * (wide[name][device] - wide[context.baseline][device]).sort_index()
            interval = interval_over_seeds(change.tolist())
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


def prices_text(data: pd.DataFrame, results: Results) -> ChartText:
    """Which price changes most under either."""
    context = chart_context(results)
    legend = context.legend(data)
    marks = "Thin lines: 95 % intervals; hollow marks: not statistically significant."
    each = listed(data, styles_by_number(data, "rise_"), sign=True)
    return context.text(
        sentences(_price_effect(data, context, n) for n in styles_by_number(data)),
        f"Price index of each device group against the baseline, {context.place}, {context.end}, "
        "percentage points (pp) of the base-year price",
        f"{context.if_intervals(marks)} The widest gap is on top.",
        "Dot chart of price effects by device, percentage points, for "
        f"{' and '.join(legend)}: {each}",
        legend,
        untested="price effects by device",
    )


def _price_effect(data: pd.DataFrame, context: ChartContext, n: str) -> str:
    who = context.in_sentence(str(data[f"scenario_{n}"].iloc[0]))
    significant = data[data[f"is_rise_{n}_significant"]]
    if significant.empty:
        return f"{who} has no statistically significant effect on prices"
    row = max(significant.to_dict("records"), key=lambda row: abs(row[f"rise_{n}"]))
    verb, device = "raises" if row[f"rise_{n}"] > 0 else "lowers", str(row["label"])
    device = device[0].lower() + device[1:] if device[1:2].islower() else device
    return f"{who} {verb} prices of {device} most, by {precise(abs(row[f'rise_{n}']))} pp"


def prices_plot(data: pd.DataFrame, ax: Axes) -> None:
    """A row a device, a dot a scenario."""
    places = axes.name_rows(ax, data["label"])
    axes.dumbbells(ax, data, places, styles_by_number(data, "rise_"))
    axes.zero_line(ax)
    axes.name_axes(ax, "Price against the baseline, percentage points", ticks=signed_tick)


def markets_table(results: Results) -> pd.DataFrame:
    """Chinese share of each market's chips, %, and change of Chinese chips, bn a year."""
    context = chart_context(results)
    rows = results.tables["market_region"]
    rows = rows[rows["month"].isin(context.months[-LAST:])]
    chips = rows.pivot_table("chips", "market", ["scenario", "region"], "sum", sort=False)
    chips *= YEAR / rows["month"].nunique()
    chips = chips.loc[list(dict.fromkeys([results.market, *chips.index]))]
    chips.loc[WORLD] = chips.sum()
    labels = {OTHER_BUYERS: OTHERS, WORLD: WORLD}
    data = pd.DataFrame({
        "market": chips.index.where(chips.index != WORLD, ""),
        "label": [labels.get(m) or table_label("markets", m) for m in chips.index],
    })  # fmt: skip
    base = chips[context.baseline]["CN"]
    names = [context.baseline, *context.pair()]
    for n, name in enumerate(names):
        now = pd.DataFrame(chips[name])
        data[f"share_{n}"] = (100 * now["CN"] / now.sum(axis=1)).fillna(0.0).to_numpy()
        if n:
            data[f"change_{n}"] = (now["CN"] - base).to_numpy()
    return data.assign(**context.columns(names, 0), share_unit="%", unit="bn chips a year")


def markets_text(data: pd.DataFrame, results: Results) -> ChartText:
    """How many fewer Chinese chips one market buys, and who buys them instead."""
    context = chart_context(results)
    legend, shares = context.legend(data), styles_by_number(data, "share_")
    return context.text(
        sentences(_reallocation(data, n, context) for n in range(1, len(shares))),
        f"Chinese share of {CHIPS} that each market buys, %, {context.end}; and change of Chinese "
        "chips against the baseline, bn chips a year",
        "Means over runs, without intervals. Other end uses: chips bought for other products than "
        "the device groups of the model.",
        f"Dot chart of Chinese shares by market, %, for {', '.join(legend)}: "
        f"{listed(data, shares, 1)}",
        legend,
        untested="the reallocation of Chinese chips",
    )


def _reallocation(data: pd.DataFrame, n: int, context: ChartContext) -> str:
    who = context.in_sentence(str(data[f"scenario_{n}"].iloc[0]))
    own, world = (float(data[f"change_{n}"].iloc[i]) for i in (0, -1))
    what = f"purchases of Chinese chips in {context.place}"
    if own >= 0:
        return f"{who} does not reduce {what}"
    lead, elsewhere = f"{who} reduces {what} by {precise(-own)} bn a year", world - own
    if elsewhere < 0:
        return f"{lead}, and by {precise(-elsewhere)} bn in the rest of the world"
    return f"{lead}, of which {number(min(100 * elsewhere / -own, 100), 0)} % go elsewhere"


def markets_plot(data: pd.DataFrame, ax: Axes) -> None:
    """Shares by market on the left, changes of Chinese chips on the right."""
    places = axes.name_rows(ax, data["label"])
    left, right = axes.panels(ax, [0.54, 0.38], gap=0.08)
    shares, changes = (styles_by_number(data, prefix) for prefix in ("share_", "change_"))
    changes.pop("change_0")
    axes.dumbbells(left, data, places, shares)
    axes.dumbbells(right, data, places, changes)
    axes.name_axes(left, "Chinese share of chips", ticks=percent_tick)
    axes.name_axes(right, "Change, bn chips a year", ticks=signed_tick)
    for side in (left, right):
        side.grid(visible=True, axis="both")
        side.locator_params(axis="x", nbins=5)
    left.set_xlim(0, 1.05 * float(data[list(shares)].max().max() or 1))
    axes.zero_line(right)


def shifts_table(results: Results) -> pd.DataFrame:
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
    loose = [c for c in moved.index[MOST_ROWS - 1 :] if c != "OTHER"]
    loose += ["OTHER"] if "OTHER" in moved.index and loose else []
    if len(loose) < 2:
        return moved
    rest = moved.loc[loose].sum()
    kept = moved.drop(index=loose)
    return pd.concat([kept, pd.DataFrame([rest], index=[""])])


def shifts_text(data: pd.DataFrame, results: Results) -> ChartText:
    """Whether assembly or chips leave China."""
    context = chart_context(results)
    legend = context.legend(data)
    each = listed(data, styles_by_number(data, "moved_"), sign=True)
    found = [estimates(results, metric) for metric in METRICS.values()]
    return context.text(
        sentences(_shift(context.in_sentence(name), *(of[name] for of in found))
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


def _shift(who: str, assembled: Estimate, chips: Estimate) -> str:
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


def shifts_plot(data: pd.DataFrame, ax: Axes) -> None:
    """Two blocks of rows: assembly above, chips below."""
    first = int((data["block"] == ASSEMBLY).sum())
    places = [i + (1.0 if i < first else 2.3) for i in range(len(data))]
    axes.name_rows(ax, data["label"], places)
    ax.set_ylim(places[-1] + 0.6, -0.5)
    axes.dumbbells(ax, data, places, styles_by_number(data, "moved_"))
    axes.zero_line(ax)
    axes.name_blocks(ax, {ASSEMBLY: 0.0, ORIGIN: places[first] - 1})
    axes.name_axes(ax, "Share against the baseline, percentage points", ticks=signed_tick)


PRICES = Chart(
    3, "device_prices", "comparison", "Price effect by device",
    prices_table, prices_text, prices_plot, lambda data: axes.body(len(data)), axes.LEFT, 30,
)  # fmt: skip
MARKETS = Chart(
    5, "where_chips_go", "comparison", "Where Chinese chips go when one market buys fewer",
    markets_table, markets_text, markets_plot, lambda data: axes.body(len(data)), axes.LEFT, 30,
)  # fmt: skip
SHIFTS = Chart(
    6, "what_moved", "comparison", "Shifts of assembly and of chips",
    shifts_table, shifts_text, shifts_plot, lambda data: axes.body(len(data) + 2.3), axes.LEFT, 30,
)  # fmt: skip

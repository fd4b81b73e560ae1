"""Charts 3, 5 and 6: what two scenarios change, by device, market, country and region: dots."""

from __future__ import annotations

from collections.abc import Sequence

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
from tariffsim.record.statements import Estimate, clear_largest, effect, estimates, paired, precise

YEAR = 12e-9
"""From chips a month to thousand millions a year."""
WORLD, OTHERS = "The world", "Other end uses"
ASSEMBLY, ORIGIN = "Country of assembly", "Origin of chips"
SOURCES = {
    ASSEMBLY: ("market_origin_end", "origin", "value", "origins"),
    ORIGIN: ("market_region_end", "region", "chips", "foundry_regions"),
}
CHINAS = {ASSEMBLY: "assembly in China", ORIGIN: "Chinese chips"}
"""China's rows inside a sentence."""
MARKS = "Thin lines: 95 % intervals; hollow marks: not statistically significant."
PREFIX = {ASSEMBLY: "assembled in", ORIGIN: "chips from"}
REST = {ASSEMBLY: "assembled elsewhere", ORIGIN: "chips from elsewhere"}
MOST_ROWS = 7
"""Rows of a block; what moves least is put together."""


def prices_table(results: Results) -> pd.DataFrame:
    """Paired difference of the price index by device, percentage points, the widest gap first."""
    context, ends = chart_context(results), results.tables["device_end"]
    found = []
    for device, rows in ends.groupby("device", sort=False):
        row: dict[str, object] = {"device": device, "label": table_label("devices", str(device))}
        changes = paired(
            results, 100 * rows.pivot(index="seed", columns="scenario", values="price_index")
        )
        for n, name in enumerate(context.pair(), start=1):
            row |= changes[name].columns(f"rise_{n}")
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
    each = listed(data, styles_by_number(data, "rise_"), sign=True)
    return context.text(
        sentences(_price_effect(data, context, n) for n in styles_by_number(data)),
        f"Price index of each device group against the baseline, {context.place}, {context.end}, "
        f"percentage points (pp) of the base-year price{context.how_many(context.pair())}",
        f"{context.if_intervals(MARKS)} The widest gap is on top.",
        "Dot chart of price effects by device, percentage points, for "
        f"{' and '.join(legend)}: {each}",
        legend,
        untested="price effects by device",
    )


def _price_effect(data: pd.DataFrame, context: ChartContext, n: str) -> str:
    who = context.in_sentence(str(data[f"scenario_{n}"].iloc[0]))
    rises = {
        str(row["label"]): Estimate.of_columns(row, f"rise_{n}", context.n)
        for row in data.to_dict("records")
    }
    largest = clear_largest(rises)
    if largest is not None:
        device = largest[0].lower() + largest[1:] if largest[1:2].islower() else largest
        verb = "raises" if rises[largest].difference > 0 else "lowers"
        by = precise(abs(rises[largest].difference))
        return f"{who} {verb} prices of {device} most, by {by} pp"
    certain = [rise.difference > 0 for rise in rises.values() if rise.is_certain]
    if not certain:
        return f"{who} has no significant effect on the price of any device group"
    counts = {"raises": sum(certain), "lowers": len(certain) - sum(certain)}
    done = " and ".join(f"{verb} {count}" for verb, count in counts.items() if count)
    return f"{who} {done} of {len(rises)} prices significantly"


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
    names = [context.baseline, *context.pair()]
    changes = _changes_of_chinese_chips(results, [str(m) for m in chips.index[:-1]])
    for n, name in enumerate(names):
        now = pd.DataFrame(chips[name])
        data[f"share_{n}"] = (100 * now["CN"] / now.sum(axis=1)).fillna(0.0).to_numpy()
        if n:
            columns = [of[name].columns(f"change_{n}") for of in changes]
            data = data.join(pd.DataFrame(columns))
    return data.assign(**context.columns(names, 0), share_unit="%", unit="bn chips a year")


def _changes_of_chinese_chips(
    results: Results, markets: Sequence[str]
) -> list[dict[str, Estimate]]:
    """By market and of the world, by scenario, bn chips a year."""
    ends = results.tables["market_region_end"]
    chips = ends[ends["region"] == "CN"].assign(chips=lambda rows: YEAR * rows["chips"])
    wide = chips.pivot(index=["market", "seed"], columns="scenario", values="chips")
    found = [paired(results, pd.DataFrame(wide.loc[market])) for market in markets]
    return [*found, paired(results, wide.groupby(level="seed").sum())]


def markets_text(data: pd.DataFrame, results: Results) -> ChartText:
    """How many fewer Chinese chips one market buys, and who buys them instead."""
    context = chart_context(results)
    legend, shares = context.legend(data), styles_by_number(data, "share_")
    return context.text(
        sentences(_fewer_chips(data, n, context) for n in range(1, len(shares))),
        f"Chinese share of {CHIPS} that each market buys, %, {context.end}; and change of Chinese "
        f"chips against the baseline, bn chips a year{context.how_many(context.pair())}",
        f"{context.if_intervals(MARKS)} Shares are means over runs. Other end uses: chips bought "
        "for other products than the device groups of the model.",
        f"Dot chart of Chinese shares by market, %, for {', '.join(legend)}: "
        f"{listed(data, shares, 1)}",
        legend,
        untested="the reallocation of Chinese chips",
    )


def _fewer_chips(data: pd.DataFrame, n: int, context: ChartContext) -> str:
    own = Estimate.of_columns(data.iloc[0].to_dict(), f"change_{n}", context.n)
    what = f"purchases of Chinese chips in {context.place}"
    who = context.in_sentence(str(data[f"scenario_{n}"].iloc[0]))
    return f"{who} {effect(own, what, 'bn a year', has_interval=False)}"


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
        ends = ends[ends["market"] == results.market]
        bought = ends.pivot(index=[code, "seed"], columns="scenario", values=column)
        shares = 100 * bought / bought.groupby(level="seed").transform("sum")
        moved = pd.DataFrame({f"moved_{n}": shares[name] - shares[context.baseline]
                              for n, name in names.items()})  # fmt: skip
        kept = _kept(moved.groupby(level=code, sort=False).mean())
        rows = []
        for group in kept:
            own = group[0] if len(group) == 1 else ""
            changes = paired(results, shares.loc[group].groupby(level="seed").sum())
            if (block, own) == (ORIGIN, "CN"):
                changes = estimates(results, "cn_share")
            label = f"{PREFIX[block]} {table_label(labels, own)}" if own else REST[block]
            row: dict[str, object] = {"label": label, "code": own}
            for n, name in names.items():
                row |= changes[name].columns(f"moved_{n}")
            rows.append(row)
        frames.append(pd.DataFrame(rows).assign(block=block))
    data = pd.concat(frames, ignore_index=True)
    return data.assign(**context.columns(names.values()), unit="percentage points")


def _kept(moved: pd.DataFrame) -> list[list[str]]:
    """Codes of the rows: China first, then by what is moved; the smallest together."""
    size = moved.abs().max(axis=1)
    size.loc[[c for c in moved.index if c == "CN"]] = float("inf")
    codes = [str(c) for c in size.sort_values(ascending=False, kind="stable").index]
    loose = [c for c in codes[MOST_ROWS - 1 :] if c != "OTHER"]
    loose += ["OTHER"] if "OTHER" in codes and loose else []
    if len(loose) < 2:
        return [[code] for code in codes]
    return [*([code] for code in codes if code not in loose), loose]


def shifts_text(data: pd.DataFrame, results: Results) -> ChartText:
    """Whether assembly or chips leave China."""
    context = chart_context(results)
    legend = context.legend(data)
    each = listed(data, styles_by_number(data, "moved_"), sign=True)
    return context.text(
        sentences(_shift(data, n, context) for n in range(1, len(legend) + 1)),
        f"Change of shares in purchases of {context.place} against the baseline, {context.end}, "
        f"percentage points (pp): of value by country of assembly, of {CHIPS} by region of "
        f"the foundry{context.how_many(context.pair())}",
        f"{context.if_intervals(MARKS)} China's chips are those in units sold, as in the table of "
        "results; the others those in units delivered.",
        "Dot chart of changes of shares, percentage points, for "
        f"{' and '.join(legend)}: {each}",
        legend, untested="shifts of assembly and chips out of China",
    )  # fmt: skip


def _shift(data: pd.DataFrame, n: int, context: ChartContext) -> str:
    china = data[data["code"] == "CN"].set_index("block").to_dict("index")
    parts = [
        effect(Estimate.of_columns(china[block], f"moved_{n}", context.n), what, "pp",
               has_interval=False)
        for block, what in CHINAS.items() if block in china
    ]  # fmt: skip
    return f"{context.in_sentence(str(data[f'scenario_{n}'].iloc[0]))} {' and '.join(parts)}"


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

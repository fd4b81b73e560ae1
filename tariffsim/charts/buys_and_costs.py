"""Chart 2: what each policy buys (share avoided) and costs (basket price)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from tariffsim.charts import style
from tariffsim.charts.facts import Facts, facts_of, findings, sentences, strongest
from tariffsim.charts.labels import Entry, beside
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.record.results import Results

ROOM = 30.0
MOST_NAMED = 8
"""Scenarios that are named beside their points; more have a number there and a name above."""


def table(results: Results) -> pd.DataFrame:
    """Share avoided and rise of the basket price against the baseline, with 95 % intervals."""
    facts = facts_of(results)
    if not facts.others:
        raise LeftOut("it needs a scenario beside the baseline")
    shares, prices = findings(results, "cn_share"), findings(results, "basket_price")
    rows = []
    for name in facts.others:
        share, price = shares[name], prices[name]
        rows.append({
            "scenario": name, "label": facts.labels[name], "family": facts.families[name],
            "share_avoided": 0.0 - share.difference, "share_low": 0.0 - share.high,
            "share_high": 0.0 - share.low, "is_share_distinguishable": share.is_sure,
            "price_rise": price.difference, "price_low": price.low, "price_high": price.high,
            "is_price_distinguishable": price.is_sure, "unit": "percentage points",
        })  # fmt: skip
    return pd.DataFrame(rows)


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: who avoids most, and who costs most."""
    facts = facts_of(results)
    title = _title(results, facts)
    each = "; ".join(
        f"{row['label']}: {style.precise(row['share_avoided'])} avoided, prices "
        f"{style.precise(row['price_rise'], 2, sign=True)}"
        for row in data.to_dict("records")
    )
    crosses = (
        "Crosses: 95 % intervals of the paired differences; hollow: share avoided not "
        "distinguishable from none. "
        if facts.n > 1
        else ""
    )
    return Words(
        title,
        f"Chinese share of chips avoided, percentage points, and price of the basket of devices, "
        f"% of base-year prices, against the baseline, {facts.place}, {facts.end}",
        f"{crosses}Farther up buys more, farther right costs more. {facts.source}",
        f"{title}. Scatter chart of share avoided (percentage points) against basket price (%): "
        f"{each}.",
        "percentage points",
        [
            style.Key(f"{number}: {row['label']}", look)
            for number, (row, look) in enumerate(_numbered(data), start=1)
        ]
        if len(data) > MOST_NAMED
        else (),
    )


def _looks(data: pd.DataFrame) -> dict[str, style.Look]:
    """Looks of all scenarios: points may all have their colour."""
    families = {str(s): str(f) for s, f in zip(data["scenario"], data["family"], strict=True)}
    return style.looks(families, most=len(families))


def _numbered(data: pd.DataFrame) -> list[tuple[dict[Hashable, Any], style.Look]]:
    """Rows with their looks, from the highest point to the lowest."""
    rows = data.sort_values("share_avoided", ascending=False, kind="stable").to_dict("records")
    looks = _looks(data)
    return [(row, looks[row["scenario"]]) for row in rows]


def _title(results: Results, facts: Facts) -> str:
    if facts.n < 2:
        return "One run: what the scenarios buy and cost cannot be told from chance"
    shares, prices = findings(results, "cn_share"), findings(results, "basket_price")
    policies = [n for n in facts.others if facts.families[n] != "no policy"] or facts.others
    buys, costs = strongest(shares, policies), strongest(prices, policies)
    if buys is None:
        return "No scenario avoids a share of Chinese chips that can be told from chance"

    def sentence(name: str) -> str:
        share, price = shares[name], prices[name]
        did = "avoids" if share.difference < 0 else "adds"
        got = f"{did} {style.precise(abs(share.difference))} points of Chinese share"
        if not share.is_sure:
            got = "avoids nothing distinguishable"
        paid = f"{style.precise(price.difference, 2, sign=True)} % on prices"
        if not price.is_sure:
            low, high = (style.precise(end, 2, sign=True) for end in (price.low, price.high))
            paid = f"a price change not distinguishable from none ({low} to {high} %)"
        return f"{facts.short(name)} {got} for {paid}"

    return sentences([sentence(name) for name in dict.fromkeys((buys, costs)) if name])


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw one point with its cross for every scenario of a table."""
    ax = style.own_axes(ax, 320, 48, ROOM)
    looks = _looks(data)
    for row in data.to_dict("records"):
        look = looks[row["scenario"]]
        x, y = [row["price_rise"]], [row["share_avoided"]]
        face = look.colour if row["is_share_distinguishable"] else "white"
        ax.hlines(y, row["price_low"], row["price_high"], color=look.colour, lw=1.1, alpha=0.8,
                  label=style.drawn("price_low", "price_high", axis="x"))  # fmt: skip
        ax.vlines(x, row["share_low"], row["share_high"], color=look.colour, lw=1.1, alpha=0.8,
                  label=style.drawn("share_low", "share_high"))  # fmt: skip
        ax.plot(x, y, marker=look.marker, ms=8, color=look.colour, mfc=face, mew=1.5, ls="none",
                zorder=4, label=style.drawn("share_avoided"))  # fmt: skip
        ax.plot(x, y, ls="none", label=style.drawn("price_rise", axis="x"))
    _axes(ax, data)
    is_named = len(data) <= MOST_NAMED
    entries = [
        Entry(row["price_rise"], row["share_avoided"], row["label"] if is_named else str(number),
              look.text)
        for number, (row, look) in enumerate(_numbered(data), start=1)
    ]  # fmt: skip
    beside(ax, entries, _blocked(ax, data), ROOM)
    return ax


def _axes(ax: Axes, data: pd.DataFrame) -> None:
    """Limits around all points, crosses and zero; zero lines; horizontal axis names."""
    for columns, limits in (
        (["price_rise", "price_low", "price_high"], ax.set_xlim),
        (["share_avoided", "share_low", "share_high"], ax.set_ylim),
    ):
        low, high = (
            min(0.0, float(data[columns].min().min())),
            max(0.0, float(data[columns].max().max())),
        )
        room = (high - low) or 1.0
        limits(low - 0.06 * room, high + 0.12 * room)
    ax.axhline(0, color=style.FAINT, lw=0.8, zorder=1)
    ax.axvline(0, color=style.FAINT, lw=0.8, zorder=1)
    ax.set_title("↑ Chinese share avoided, percentage points", loc="left", size=8.5,
                 color=style.QUIET, x=-0.04)  # fmt: skip
    ax.set_xlabel("Basket price against the baseline, % of base-year prices →", loc="right")


def _blocked(ax: Axes, data: pd.DataFrame) -> list[Bbox]:
    """Points and crosses, in points of the axes."""
    wide, tall = style.points(ax)
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    found = []
    for row in data.fillna(0.0).to_dict("records"):
        x, y = (
            wide * (row["price_rise"] - x0) / (x1 - x0),
            tall * (row["share_avoided"] - y0) / (y1 - y0),
        )
        found.append(Bbox.from_extents(x - 6, y - 6, x + 6, y + 6))
        if row["share_low"] or row["share_high"]:
            ends = [tall * (row[c] - y0) / (y1 - y0) for c in ("share_low", "share_high")]
            found.append(Bbox.from_extents(x - 4, ends[0], x + 4, ends[1]))
        if row["price_low"] or row["price_high"]:
            ends = [wide * (row[c] - x0) / (x1 - x0) for c in ("price_low", "price_high")]
            found.append(Bbox.from_extents(ends[0], y - 4, ends[1], y + 4))
    return found


CHART = Chart(
    2, "buys_and_costs", "What each policy buys and costs",
    "Chinese share avoided against the rise of the basket price, with 95 % intervals.",
    table, words, draw, lambda data: 330.0, 44, ROOM, 38,
)  # fmt: skip

"""Chart 5: where Chinese chips go that one market keeps out."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import rows as of_rows
from tariffsim.charts import style
from tariffsim.charts.device_prices import compared
from tariffsim.charts.facts import Facts, facts_of, label, sentences
from tariffsim.charts.picture import Chart, Words
from tariffsim.record.metrics import LAST
from tariffsim.record.result_tables import OTHER_BUYERS
from tariffsim.record.results import Results

YEAR = 12e-9
"""From chips a month to thousand millions a year."""
WORLD, OTHERS = "The world", "Chips outside the devices"
RIGHT, SIDE = 30.0, (0.62, 0, 0.38, 1)


def table(results: Results) -> pd.DataFrame:
    """Chinese share of each market's chips, %, and change of Chinese chips, bn a year."""
    facts = facts_of(results)
    names = compared(facts)
    rows = results.tables["market_region"]
    rows = rows[rows["month"].isin(facts.months[-LAST:])]
    chips = rows.pivot_table("chips", ["scenario", "market"], "region", "sum", sort=False)
    chips = YEAR * chips / rows["month"].nunique()
    world = chips.groupby(level="scenario").sum()
    markets = [results.market, *(m for m in chips.loc[facts.baseline].index if m != results.market)]
    made = []
    for market in [*markets, ""]:
        row: dict[str, object] = {"market": market, "label": _name(market)}
        for n, name in enumerate([facts.baseline, *names]):
            now, then = (
                world.loc[s] if market == "" else chips.loc[(s, market)]
                for s in (name, facts.baseline)
            )
            row[f"share_{n}"] = 100 * now["CN"] / now.sum() if now.sum() else 0.0
            row |= {f"scenario_{n}": name, f"family_{n}": facts.families[name]}
            if n:
                row[f"change_{n}"] = now["CN"] - then["CN"]
        made.append(row)
    return pd.DataFrame(made).assign(share_unit="%", unit="bn chips a year")


def _name(market: str) -> str:
    if market == "":
        return WORLD
    return OTHERS if market == OTHER_BUYERS else label("markets", market)


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: where chips go that one market keeps out."""
    facts = facts_of(results)
    shown = [facts.baseline, *compared(facts)]
    looks = style.looks({name: facts.families[name] for name in shown})
    title = sentences([_sentence(data, n, facts, name)
                       for n, name in enumerate(shown[1:], start=1)])  # fmt: skip
    if facts.n < 2:
        title = "One run: where Chinese chips go cannot be told from chance"
    listed = "; ".join(
        f"{row['label']} "
        + ", ".join(style.precise(row[f"share_{n}"]) + " %" for n in range(len(shown)))
        for row in data.to_dict("records")
    )
    return Words(
        title,
        f"Chinese share of the foundational chips that each market buys, %, {facts.end}; and "
        "change of Chinese chips against the baseline, bn chips a year",
        "Means over runs, without intervals. Chips outside the devices: all that is bought beside "
        f"the device groups of the model. {facts.source}",
        f"{title}. Dot chart of Chinese shares by market, per cent, for "
        f"{', '.join(facts.labels[name] for name in shown)}: {listed}.",
        "bn chips a year",
        [style.Key(facts.labels[name], looks[name]) for name in shown],
    )


def _sentence(data: pd.DataFrame, n: int, facts: Facts, name: str) -> str:
    change = dict(zip(data["label"], data[f"change_{n}"], strict=True))
    own = float(data[f"change_{n}"].iloc[0])
    if own >= 0:
        return f"{facts.short(name)} keeps no Chinese chips out of {facts.place}"
    elsewhere = change[WORLD] - own
    where = f"out of {facts.place}"
    out = f"{facts.short(name)} keeps {style.precise(-own)} bn Chinese chips a year {where}"
    if elsewhere < 0:
        return f"{out}, and {style.precise(-elsewhere)} bn out of the rest of the world"
    return f"{out}, of which {style.number(min(100 * elsewhere / -own, 100), 0)} % go elsewhere"


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw shares by market on the left, changes of Chinese chips on the right."""
    ax = style.own_axes(ax, of_rows.body(len(data)), of_rows.LEFT, RIGHT)
    shares = [c for c in ("share_0", "share_1", "share_2") if c in data]
    changes = [c for c in ("change_1", "change_2") if c in data]
    families = {str(data[f"scenario_{c[-1]}"].iloc[0]): str(data[f"family_{c[-1]}"].iloc[0])
                for c in shares}  # fmt: skip
    looks = style.looks(families)
    places = [float(i) for i in range(len(data))]
    of_rows.rows(ax, data["label"].tolist(), places)
    ax.set_ylim(places[-1] + 0.6, -0.6)
    ax.get_xaxis().set_visible(False)
    ax.spines["bottom"].set_visible(False)
    ax.grid(visible=False)
    left, right = ax.inset_axes((0, 0, 0.54, 1)), ax.inset_axes(SIDE)
    for panel, columns, name in (
        (left, shares, "Chinese share of chips →"),
        (right, changes, "Change, bn chips a year →"),
    ):
        shown = dict(list(looks.items())[-len(columns) :])
        of_rows.dumbbells(panel, data, places, columns, shown)
        panel.set_ylim(ax.get_ylim())
        panel.set_yticks(places, [""] * len(places))
        panel.spines["left"].set_visible(False)
        panel.tick_params(axis="y", length=0)
        panel.grid(visible=True, axis="both")
        panel.set_xlabel(name, loc="right")
        panel.locator_params(axis="x", nbins=5)
    left.set_xlim(0, 1.05 * float(data[shares].max().max() or 1))
    left.xaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    right.xaxis.set_major_formatter(style.tick)
    of_rows.zero_line(right)
    return ax


CHART = Chart(
    5, "where_chips_go", "Where the chips go that one market keeps out",
    "Chinese share of the chips that each market buys, before and after, and where Chinese chips "
    "are sold instead.",
    table, words, draw, lambda data: of_rows.body(len(data)), of_rows.LEFT, RIGHT, 38,
)  # fmt: skip

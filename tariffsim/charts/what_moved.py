"""Chart 6: assembly against chips: which countries and regions gain and lose."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import rows as of_rows
from tariffsim.charts import style
from tariffsim.charts.device_prices import compared
from tariffsim.charts.facts import Facts, Finding, facts_of, findings, label, sentences
from tariffsim.charts.picture import Chart, Words
from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results

ASSEMBLY, CHIPS = "Country of assembly", "Origin of chips"
SOURCES = {
    ASSEMBLY: ("market_origin", "origin", "value", "origins"),
    CHIPS: ("market_region", "region", "chips", "foundry_regions"),
}
METRICS = {ASSEMBLY: "cn_assembled_share", CHIPS: "cn_share"}
"""What the headline tells of China's rows; of the others only means over seeds are kept."""
PREFIX = {ASSEMBLY: "assembled in", CHIPS: "chips from"}
REST = {ASSEMBLY: "assembled elsewhere", CHIPS: "chips from elsewhere"}
MOST = 7
"""Rows of a block; what moves least is put together."""


def table(results: Results) -> pd.DataFrame:
    """Change of shares against the baseline, percentage points, by country and by region."""
    facts = facts_of(results)
    names = compared(facts)
    frames = []
    for block, (source, code, column, labels) in SOURCES.items():
        ends = results.tables[source]
        ends = ends[(ends["market"] == results.market) & ends["month"].isin(facts.months[-LAST:])]
        sums = ends.groupby(["scenario", code], sort=False)[column].sum().unstack("scenario")
        shares = 100 * sums / sums.sum()
        moved = pd.DataFrame({f"moved_{n}": shares[name] - shares[facts.baseline]
                              for n, name in enumerate(names, start=1)})  # fmt: skip
        kept = _shortened(moved).reset_index(names="code")
        places = [f"{PREFIX[block]} {label(labels, c)}" if c else REST[block] for c in kept["code"]]
        kept.insert(0, "label", places)
        found = findings(results, METRICS[block])
        for n, name in enumerate(names, start=1):
            kept[f"is_moved_{n}_distinguishable"] = pd.Series(
                [found[name].is_sure if c == "CN" else None for c in kept["code"]], dtype=object
            )
        frames.append(kept.assign(block=block))
    data = pd.concat(frames, ignore_index=True)
    for n, name in enumerate(names, start=1):
        data[f"scenario_{n}"], data[f"family_{n}"] = name, facts.families[name]
    return data.assign(unit="percentage points")


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


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: whether assembly or chips leave China."""
    facts = facts_of(results)
    names = compared(facts)
    looks = style.looks({name: facts.families[name] for name in names})
    title = _title(results, facts, names)
    listed = "; ".join(
        f"{row['label']} "
        + " and ".join(style.precise(row[f"moved_{n}"], 2, sign=True)
                       for n in range(1, len(names) + 1))
        for row in data.to_dict("records")
    )  # fmt: skip
    return Words(
        title,
        f"Change of shares in what {facts.place} buys against the baseline, {facts.end}, "
        "percentage points: of value by country of assembly, of chips by region of the foundry",
        f"Means over runs; hollow marks in China's rows: not distinguishable from no change "
        "(no intervals are kept of the others). "
        f"{facts.source}",
        f"{title}. Dot chart of changes of shares, percentage points, for "
        f"{' and '.join(facts.labels[n] for n in names)}: {listed}.",
        "percentage points",
        [style.Key(facts.labels[name], looks[name]) for name in names],
    )


def _title(results: Results, facts: Facts, names: tuple[str, ...]) -> str:
    if facts.n < 2:
        return "One run: what moves out of China cannot be told from chance"
    assembled, chips = (findings(results, metric) for metric in METRICS.values())

    def part(found: Finding, what: str) -> str:
        if not found.is_sure:
            return f"no distinguishable share of {what}"
        into = " into China" if found.difference > 0 else ""
        return f"{style.precise(abs(found.difference))} points of {what}{into}"

    def sentence(name: str) -> str:
        if not assembled[name].is_sure and not chips[name].is_sure:
            return f"{facts.short(name)} moves neither assembly nor chips distinguishably"
        made, bought = part(assembled[name], "assembly"), part(chips[name], "chips")
        out = "" if "into China" in made + bought else " out of China"
        return f"{facts.short(name)} moves {made} and {bought}{out}"

    return sentences([sentence(name) for name in names])


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw two blocks of rows: assembly above, chips below."""
    ax = style.own_axes(ax, of_rows.body(len(data) + 2), of_rows.LEFT, 30)
    columns = [c for c in ("moved_1", "moved_2") if c in data]
    families = {str(data[f"scenario_{c[-1]}"].iloc[0]): str(data[f"family_{c[-1]}"].iloc[0])
                for c in columns}  # fmt: skip
    first = int((data["block"] == ASSEMBLY).sum())
    places = [i + (1.0 if i < first else 2.3) for i in range(len(data))]
    of_rows.rows(ax, data["label"].tolist(), places)
    ax.set_ylim(places[-1] + 0.6, -0.5)
    of_rows.dumbbells(ax, data, places, columns, style.looks(families))
    of_rows.zero_line(ax)
    for block, place in ((ASSEMBLY, 0.0), (CHIPS, places[first] - 1)):
        ax.annotate(block, (0, place), xycoords=("axes fraction", "data"), xytext=(-8, 0), size=8.5,
                    textcoords="offset points", weight="bold", ha="right", va="center")  # fmt: skip
    ax.xaxis.set_major_formatter(style.tick)
    ax.set_xlabel("Share against the baseline, percentage points →", loc="right")
    return ax


CHART = Chart(
    6, "what_moved", "Assembly against chips: what moved",
    "Change of the shares of countries of assembly and of origins of chips under two scenarios.",
    table, words, draw, lambda data: of_rows.body(len(data) + 2.3), of_rows.LEFT, 30, 38,
)  # fmt: skip

"""Chart 3: the price effect by device, of two scenarios side by side."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import rows as of_rows
from tariffsim.charts import style
from tariffsim.charts.facts import Facts, facts_of, label, sentences
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.record.intervals import paired_interval
from tariffsim.record.results import Results


def compared(facts: Facts) -> tuple[str, ...]:
    """The scenarios set side by side: a pair, or the only one there is."""
    if not facts.others:
        raise LeftOut("it needs a scenario beside the baseline")
    return facts.pair() or facts.others[:1]


def table(results: Results) -> pd.DataFrame:
    """Paired difference of the price index by device, percentage points, the widest gap first."""
    facts, ends = facts_of(results), results.tables["device_end"]
    wide = ends.pivot(index="seed", columns=["scenario", "device"], values="price_index")
    found = []
    for device in dict.fromkeys(ends["device"]):
        row: dict[str, object] = {"device": device, "label": label("devices", device)}
        for n, name in enumerate(compared(facts), start=1):
            change = 100 * (wide[name][device] - wide[facts.baseline][device]).sort_index()
            interval = paired_interval(change.tolist())
            row |= {
                f"scenario_{n}": name, f"family_{n}": facts.families[name],
                f"rise_{n}": interval.mean,
                f"rise_{n}_low": interval.low, f"rise_{n}_high": interval.high,
                f"is_rise_{n}_distinguishable": interval.is_significant,
            }  # fmt: skip
        found.append(row)
    data = pd.DataFrame(found).assign(unit="percentage points")
    gap = (data["rise_1"] - data.get("rise_2", 0.0)).abs()
    order = gap.sort_values(ascending=False, kind="stable").index
    return data.loc[order].reset_index(drop=True)


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: what rises most under either."""
    facts = facts_of(results)
    names = compared(facts)
    looks = style.looks({name: facts.families[name] for name in names})
    title = _title(data, facts, names)
    marks = (
        "Thin lines: 95 % intervals; hollow marks: not distinguishable from no change. "
        if facts.n > 1
        else "One run: no intervals, and marks are hollow. "
    )
    listed = "; ".join(
        f"{row['label']} " + " and ".join(style.precise(row[f"rise_{n}"], 2, sign=True)
                                          for n in range(1, len(names) + 1))
        for row in data.to_dict("records")
    )  # fmt: skip
    return Words(
        title,
        f"Price index of each device group against the baseline, {facts.place}, {facts.end}, "
        "percentage points of the base-year price",
        f"{marks}The widest gap is on top. {facts.source}",
        f"{title}. Dot chart of price effects by device, percentage points, for "
        f"{' and '.join(facts.labels[n] for n in names)}: {listed}.",
        "percentage points",
        [style.Key(facts.labels[name], looks[name]) for name in names],
    )


def _title(data: pd.DataFrame, facts: Facts, names: tuple[str, ...]) -> str:
    parts = []
    for n, name in enumerate(names, start=1):
        sure = data[data[f"is_rise_{n}_distinguishable"]]
        if sure.empty:
            parts.append(f"{facts.short(name)} moves no price distinguishably")
            continue
        row = max(sure.to_dict("records"), key=lambda row: abs(row[f"rise_{n}"]))
        verb = "raises" if row[f"rise_{n}"] > 0 else "lowers"
        by = style.precise(abs(row[f"rise_{n}"]))
        thing = str(row["label"])
        thing = thing[0].lower() + thing[1:] if thing[1:2].islower() else thing
        parts.append(f"{facts.short(name)} {verb} prices of {thing} most, by {by} points")
    if facts.n < 2:
        return "One run: price effects by device cannot be told from chance"
    return sentences(parts)


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the rows of a table; the first scenario orange, the second navy unless others are."""
    ax = style.own_axes(ax, of_rows.body(len(data)), of_rows.LEFT, 30)
    columns = [c for c in ("rise_1", "rise_2") if c in data]
    families = {str(data[f"scenario_{c[-1]}"].iloc[0]): str(data[f"family_{c[-1]}"].iloc[0])
                for c in columns}  # fmt: skip
    places = of_rows.rows(ax, data["label"].tolist())
    of_rows.dumbbells(ax, data, places, columns, style.looks(families))
    of_rows.zero_line(ax)
    ax.xaxis.set_major_formatter(style.tick)
    ax.set_xlabel("Price against the baseline, percentage points →", loc="right")
    return ax


CHART = Chart(
    3, "device_prices", "Price effect by device",
    "Rise of each device group's price index against the baseline under two scenarios, "
    "whole-product and component where there are both, with 95 % intervals.",
    table, words, draw, lambda data: of_rows.body(len(data)), of_rows.LEFT, 30, 38,
)  # fmt: skip

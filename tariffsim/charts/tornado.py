"""Chart 12: which assumptions decide an answer, one at a time between low and high."""

from __future__ import annotations

from math import isnan
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import rows as of_rows
from tariffsim.charts import style
from tariffsim.charts.facts import facts_of
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.record.dictionary import metrics
from tariffsim.record.results import Results

MOST = 15
"""Rows drawn; the others are counted in the note."""
LEFT = 236.0
ENDS = {"at_low": "#BDBDBD", "at_high": "#6E6E6E"}
"""Colours of the two ends: a lighter bar above, a darker one below."""


def assumptions(results: Results, method: str) -> pd.DataFrame:
    """Table of a sensitivity analysis by one of the methods, strongest factor first."""
    if results.provenance.get("method") != method or "sensitivity" not in results.tables:
        raise LeftOut(f"it needs a sensitivity analysis by {method}")
    return results.tables["sensitivity"]


def table(results: Results) -> pd.DataFrame:
    """The answer at both ends of the strongest factors, with intervals of the change."""
    found = assumptions(results, "tornado").head(MOST)
    columns = ["factor", "label", "central"]
    columns += [f"{end}{part}" for end in ENDS for part in ("", "_from", "_to")]
    data = found.assign(label=labels(found))
    return data[columns].assign(unit=answer(results)[1])


def labels(found: pd.DataFrame) -> list[str]:
    """What each factor is and the range it moves over."""
    named = []
    for row in found.to_dict("records"):
        meaning = str(row["meaning"]).split(" (range")[0].rstrip(".")
        span = f"{_text(row['low_end'])} to {_text(row['high_end'])}"
        is_column = str(row["factor_unit"]).startswith("position")
        named.append(f"{meaning}: {'all low to all high' if is_column else span}")
    return named


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, (int, float)) else str(value)


def answer(results: Results) -> tuple[str, str]:
    """The measure that is asked about, inside a sentence, and its unit."""
    metric, facts = metrics()[str(results.provenance["metric"])], facts_of(results)
    if not facts.others:
        return f"{metric.label} in the baseline", metric.unit
    unit = "points" if metric.unit == "%" else metric.unit
    return f"{metric.label}, change under {facts.short(facts.others[0])}", unit


def strongest(found: pd.DataFrame) -> str:
    """The first three factors in words."""
    names = [str(meaning).split(" (")[0].rstrip(".") for meaning in found["meaning"][:3]]
    return "; ".join(f"({n}) {name}" for n, name in enumerate(names, start=1))


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: the three assumptions that matter most."""
    facts, found = facts_of(results), assumptions(results, "tornado")
    asked, unit = answer(results)
    level = style.precise(float(data["central"].iloc[0]), 1, sign=bool(facts.others))
    one = "One run: " if facts.n < 2 else ""
    title = f"{one}{asked}: {level} {unit}. It depends most on {strongest(found)}"
    bars = "Thin lines: 95 % intervals of the change from as it is. " if facts.n > 1 else ""
    if len(rest := found.iloc[MOST:]):
        bars += f"{len(rest)} others move it by {rest['swing'].abs().max():.2g} at most. "
    listed = "; ".join(
        f"{row['label']}: {style.precise(row['at_low'], 2)} and {style.precise(row['at_high'], 2)}"
        for row in data.to_dict("records")
    )
    return Words(
        title,
        f"{asked}, {unit}, {facts.place}, {facts.end}, with one assumption at the low or high end "
        "of its range, in the baseline too, all else as it is",
        f"{bars}{facts.source}",
        f"{title}. Tornado chart, at low and at high: {listed}.",
        unit,
        [style.Key(f"Assumption at its {end.removeprefix('at_')} end",
                   style.Look(colour, style.TEXT, "s", "-", colour))
         for end, colour in ENDS.items()],
    )  # fmt: skip


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw two bars a row from the answer as it is."""
    ax = style.own_axes(ax, body(data), LEFT, 30)
    places = named_rows(ax, data)
    for (end, colour), side in zip(ENDS.items(), (-0.17, 0.17), strict=True):
        for place, row in zip(places, data.to_dict("records"), strict=True):
            y = place + side
            left, right = sorted((row["central"], row[end]))
            ax.barh(y, right - left, left=left, height=0.34, color=colour, zorder=2)
            ax.plot([row[end]], [y], ls="none", label=style.drawn(end, axis="x"))
            if not isnan(row[f"{end}_from"]):
                ends = f"{end}_from", f"{end}_to"
                ax.hlines([y], *(row[e] for e in ends), color="#12436D", lw=1.1, zorder=3,
                          label=style.drawn(*ends, axis="x"))  # fmt: skip
    centre = float(data["central"].iloc[0])
    ax.axvline(centre, color="#6E6E6E", lw=1, zorder=4)
    ax.plot(data["central"], places, ls="none", label=style.drawn("central", axis="x"))
    ax.xaxis.set_major_formatter(lambda value, _: style.tick(value).lstrip("+"))
    unit = str(data["unit"].iloc[0])
    ax.set_xlabel(f"With the assumption at that end, {unit} →", loc="right")
    return ax


def named_rows(ax: Axes, data: pd.DataFrame) -> list[float]:
    """A row a factor, the strongest on top, with its label at the left."""
    places = of_rows.rows(ax, data["label"].tolist())
    names = [style.wrap(name, 8, LEFT - 24, lines=2) for name in data["label"]]
    ax.set_yticks(places, names, size=8)
    ax.grid(visible=False, axis="y")
    return places


def body(data: pd.DataFrame) -> float:
    """Height of the rows in points."""
    return 26.0 * (len(data) + 0.3)


CHART = Chart(
    12, "tornado", "What the answer depends on",
    "An answer with one assumption at a time at the low and high end of its range.",
    table, words, draw, body, LEFT, 30, 38,
)  # fmt: skip

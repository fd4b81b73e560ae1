"""Chart 16: the rate worth paying, by the yearly probability of a cut-off."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from tariffsim.charts import style
from tariffsim.charts.facts import facts_of
from tariffsim.charts.labels import Entry, at_the_end
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.record.results import Results

ROOM = 170.0


def table(results: Results) -> pd.DataFrame:
    """Best rate by probability, and the rates that cannot be told from it."""
    if "best_rate" not in results.tables:
        raise LeftOut("it needs a cut-off")
    facts, data = facts_of(results), results.tables["best_rate"]
    data = data.assign(label=data["instrument"].map(facts.instrument),
                       family=data["instrument"].map(facts.families), unit="rate")  # fmt: skip
    kept = ["instrument", "label", "family", "probability", "rate", "rate_low", "rate_high"]
    return data[[*kept, "unit"]]


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: from which probability on any rate pays."""
    facts = facts_of(results)
    parts = []
    for name, rows in data.groupby("instrument", sort=False):
        pays = rows[rows["rate"] > rows["rate"].min()]
        if pays.empty:
            parts.append(f"{facts.short(str(name))} stays at rate {rows['rate'].iloc[0]:g} at any "
                         "probability")  # fmt: skip
        else:
            rate, odds = float(pays["rate"].iloc[0]), 100 * float(pays["probability"].iloc[0])
            parts.append(f"{facts.short(str(name))} should rise to {rate:g} from a yearly "
                         f"probability of {odds:.2g} %")  # fmt: skip
    text = "; ".join(parts[:2])
    title = text[:1].upper() + text[1:]
    return Words(
        title,
        "Rate with the least yearly welfare cost + probability x loss in a cut-off, by yearly "
        f"probability of a cut-off, {facts.place}; rate as a fraction of value",
        f"Bands: rates whose expected cost cannot be told from the least, seed by seed. "
        f"{facts.source}",
        f"{title}. Line chart of the best rate by yearly probability of a cut-off, from "
        f"{data['probability'].min():g} to {data['probability'].max():g}.",
        "rate",
    )


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw one line an instrument over the probability, on a logarithmic axis."""
    ax = style.own_axes(ax, 260, 48, ROOM)
    named = data.drop_duplicates("instrument")
    families = {str(n): str(f) for n, f in zip(named["instrument"], named["family"], strict=True)}
    entries = []
    for name, look in style.looks(families, most=len(families)).items():
        rows = data[data["instrument"] == name]
        x = rows["probability"]
        ax.fill_between(x, rows["rate_low"], rows["rate_high"], color=look.colour, alpha=0.12,
                        lw=0, step="mid", label=style.drawn("rate_low", "rate_high"))  # fmt: skip
        ax.step(x, rows["rate"], where="mid", color=look.colour, lw=look.width, ls=look.dash,
                label=style.drawn("rate"))  # fmt: skip
        ax.plot(x, rows["rate"], ls="none", label=style.drawn("probability", axis="x"))
        last = rows.iloc[-1]
        entries.append(Entry(float(last["probability"]), float(last["rate"]), str(last["label"]),
                             look.text))  # fmt: skip
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    ax.set_xlim(data["probability"].min(), data["probability"].max())
    ax.set_ylim(bottom=0)
    ax.set_title("↑ Best rate", loc="left", size=8.5, color=style.QUIET, x=-0.04)
    ax.set_xlabel("Yearly probability of a cut-off →", loc="right")
    at_the_end(ax, entries, ROOM)
    return ax


CHART = Chart(
    16, "best_rate", "The rate worth paying",
    "Rate with the least expected cost by the yearly probability of a cut-off.",
    table, words, draw, lambda data: 260.0, 48, ROOM, 38,
)  # fmt: skip

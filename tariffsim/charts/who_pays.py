"""Chart 4: who pays for a policy, and who gains: changes that add up to the world's loss."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import ChartContext, chart_context, estimates
from tariffsim.charts.lettering import points, wrap
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import GAIN, LOSS, precise, sentences, signed_tick
from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results

YEAR = 12e-9
"""From USD a month to thousand million USD a year."""
TREASURY, NET, BUYERS = "Treasury", "Net change in the world", "Other end uses of chips"
MATCH_LOSS = "Loss from second-best sourcing"
AT_HOME = {
    "Consumers": "consumers",
    "Importers and makers": "importers and makers",
    "Foundries": "foundries",
    MATCH_LOSS: "match loss",
}
ABROAD = {
    "Other governments": ["government"],
    "Consumers, makers abroad": ["consumers", "importers and makers", "match loss"],
}
TOTAL, GAP = "#6E6E6E", 0.09
LEAST = 0.005
"""Revenue that a title mentions, bn USD a year."""


def table(results: Results) -> pd.DataFrame:
    """Bars of a waterfall, from and to, for every group of two scenarios; bn USD a year."""
    context, made = chart_context(results), pd.DataFrame()
    for n, name in enumerate(context.pair(), start=1):
        changes = _changes(results, context, name)
        end = changes.cumsum()
        made["label"] = [*changes.index, NET]
        made[f"start_{n}"] = [0.0, *end[:-1], 0.0]
        made[f"end_{n}"] = [*end, end.iloc[-1]]
        made[f"scenario_{n}"], made[f"title_{n}"] = name, context.labels[name]
    return made.assign(unit="bn USD a year")


def _changes(results: Results, context: ChartContext, name: str) -> pd.Series[float]:
    """Gain of every group against the baseline, at home, abroad, and the treasury last."""
    rows = results.tables["welfare"]
    rows = rows[(rows["scenario"] == name) & rows["month"].isin(context.months[-LAST:])]
    months = rows["month"].nunique()
    mean = YEAR * rows.pivot_table("value", "market", "term", "sum") / months
    home, abroad = mean.loc[results.market], mean.drop(index=results.market)
    found = {group: home[term] for group, term in AT_HOME.items()}
    if "CN" in abroad.index:
        found["Foundries in China"] = abroad.loc["CN", "foundries"]
        found["Foundries elsewhere"] = abroad["foundries"].drop("CN").sum()
    else:
        found["Foundries abroad"] = abroad["foundries"].sum()
    for group, terms in ABROAD.items():
        found[group] = abroad[terms].to_numpy().sum()
    lost = estimates(results, "deadweight_loss")[name].level
    found[BUYERS] = -lost - mean.to_numpy().sum()
    found[TREASURY] = home["government"]
    return pd.Series(found)


def _gains(data: pd.DataFrame, n: int) -> dict[str, float]:
    """Gain of every group, the net loss left out."""
    rows = data[data["label"] != NET]
    return dict(zip(rows["label"], rows[f"end_{n}"] - rows[f"start_{n}"], strict=True))


def text(data: pd.DataFrame, results: Results) -> ChartText:
    """What the treasury gains, and who loses most."""
    context = chart_context(results)
    gains = {name: _gains(data, n) for n, name in enumerate(context.pair(), start=1)}
    each = "; ".join(
        f"{context.labels[name]}: "
        + ", ".join(f"{group} {precise(gain, 2, sign=True)}" for group, gain in own.items())
        for name, own in gains.items()
    )
    return context.text(
        sentences(_sentence(own, context.in_sentence(name)) for name, own in gains.items()),
        f"Gain or loss of each group against the baseline, {context.end}, bn USD a year. Groups "
        f"without a place are those of {context.place}",
        "Each bar starts where the one above ends; the last is the net change in the world. "
        f"{'Scales differ. ' if len(gains) > 1 else ''}{MATCH_LOSS}: cost to makers of leaving the "
        "foundry, or the country of assembly, that they would choose without the policy.",
        f"Waterfall chart, bn USD a year. {each}",
        untested="gains and losses of groups",
    )


def _sentence(gains: dict[str, float], who: str) -> str:
    raised = gains[TREASURY]
    losers = sorted((g for g in gains if gains[g] < 0 and g != TREASURY), key=gains.__getitem__)
    amount = f"{precise(abs(raised))} bn USD a year"
    lead = f"{who} raises {amount} for the treasury"
    if raised < 0:
        lead = f"{who} costs {amount} of revenue"
    if abs(raised) < LEAST:
        lead = f"{who} does not change the revenue of the treasury"
    if not losers:
        return lead
    group, cost = losers[0], f"{precise(-gains[losers[0]])} bn"
    if group == MATCH_LOSS:
        return f"{lead}; the loss from second-best sourcing is {cost}"
    return f"{lead} and costs {group[0].lower()}{group[1:]} {cost}"


def plot(data: pd.DataFrame, ax: Axes) -> None:
    """A waterfall for each scenario, side by side."""
    places = axes.name_rows(ax, data["label"])
    ax.set_ylim(len(data) - 0.4, -2.1)
    widths = axes.equal_widths(1 + ("end_2" in data), GAP)
    for n, panel in enumerate(axes.panels(ax, widths, GAP), start=1):
        _waterfall(panel, data, n, places)


def _waterfall(ax: Axes, data: pd.DataFrame, n: int, places: list[float]) -> None:
    start, end = f"start_{n}", f"end_{n}"
    ends, rise = data[end], data[end] - data[start]
    colours = [LOSS if change < 0 else GAIN for change in rise]
    axes.bars(ax, data, places, [*colours[:-1], TOTAL], (start, end), 0.66)
    axes.joints(ax, ends.iloc[:-1], places[:-1])
    texts = [precise(change, 2, sign=True) for change in rise]
    axes.value_labels(ax, texts, ends, places, rise >= 0)
    axes.zero_line(ax)
    axes.head(ax, wrap(str(data[f"title_{n}"].iloc[0]), 8.5, points(ax)[0], "bold", 2))
    ax.use_sticky_edges = False  # the numbers need the margins
    ax.margins(x=0.24)
    ax.locator_params(axis="x", nbins=4)
    ax.xaxis.set_major_formatter(signed_tick)
    ax.set_xlabel("bn USD a year", loc="right")


CHART = Chart(
    4, "who_pays", "comparison", "Who pays, and who gains",
    table, text, plot, lambda data: axes.body(len(data) + 1.5), axes.LEFT, 24,
)  # fmt: skip

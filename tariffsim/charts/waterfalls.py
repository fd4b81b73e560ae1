"""Charts 4 and 13: changes that add up, as waterfalls: of groups, and of parts of a scenario."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import ChartContext, chart_context, drawable, experiment_table
from tariffsim.charts.lettering import points, wrap
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import GAIN, LEVEL, LOSS, listed, sentences, signed_tick, swatch
from tariffsim.record.dictionary import Metric, metrics
from tariffsim.record.metrics import COMPARED, LAST
from tariffsim.record.results import Results
from tariffsim.record.statements import estimates, precise

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
LEFT, RIGHT = 216.0, 64.0


def groups_table(results: Results) -> pd.DataFrame:
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


def groups_text(data: pd.DataFrame, results: Results) -> ChartText:
    """What the treasury gains, and who loses most."""
    context = chart_context(results)
    gains = {name: _gains(data, n) for n, name in enumerate(context.pair(), start=1)}
    each = "; ".join(
        f"{context.labels[name]}: "
        + ", ".join(f"{group} {precise(gain, 2, sign=True)}" for group, gain in own.items())
        for name, own in gains.items()
    )
    return context.text(
        sentences(_gain_and_loss(own, context.in_sentence(name)) for name, own in gains.items()),
        f"Gain or loss of each group against the baseline, {context.end}, bn USD a year. Groups "
        f"without a place are those of {context.place}",
        "Each bar starts where the one above ends; the last is the net change in the world. "
        f"{'Scales differ. ' if len(gains) > 1 else ''}{MATCH_LOSS}: cost to makers of leaving the "
        "foundry, or the country of assembly, that they would choose without the policy.",
        f"Waterfall chart, bn USD a year. {each}",
        untested="gains and losses of groups",
    )


def _gain_and_loss(gains: dict[str, float], who: str) -> str:
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


def groups_plot(data: pd.DataFrame, ax: Axes) -> None:
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
    _joined_bars(ax, data, places, [*colours[:-1], TOTAL], (start, end), 0.66)
    texts = [precise(change, 2, sign=True) for change in rise]
    axes.value_labels(ax, texts, ends, places, rise >= 0)
    axes.head(ax, wrap(str(data[f"title_{n}"].iloc[0]), 8.5, points(ax)[0], "bold", 2))
    ax.use_sticky_edges = False  # the numbers need the margins
    ax.margins(x=0.24)
    ax.locator_params(axis="x", nbins=4)
    ax.xaxis.set_major_formatter(signed_tick)
    ax.set_xlabel("bn USD a year", loc="right")


def _joined_bars(
    ax: Axes, data: pd.DataFrame, places: list[float], colours: list[str], ends: tuple[str, str],
    height: float,
) -> None:  # fmt: skip
    """A bar a row, thin lines from its end to the bar below, and the line of no change."""
    axes.bars(ax, data, places, colours, ends, height)
    for end, place in zip(data[ends[1]].iloc[:-1], places[:-1], strict=True):
        ax.vlines([end], place + 0.33, place + 0.67, color="#9A9A9A", lw=0.8, zorder=2)
    axes.zero_line(ax)


def parts_table(results: Results) -> pd.DataFrame:
    """Bars from start to end: the first level, every change, the second level."""
    found = experiment_table(results, "decomposition", "a decomposition")
    data = found[found["metric"] == results.provenance["metric"]].reset_index(drop=True)
    is_change = data["step"] == "change"
    end = data["contribution"].cumsum().where(is_change, data["contribution"])
    data["start"] = (end - data["contribution"]).where(is_change, 0.0)
    data["end"] = end
    for side in ("low", "high"):  # of the change, where its bar ends
        data[side] = (data["start"] + data[side]).where(is_change)
    ends = ~is_change
    names = zip(data.loc[ends, "label"], data.loc[ends, "change"], strict=True)
    data.loc[ends, "label"] = [drawable(label, name) for label, name in names]
    kept = ["metric", "unit", "step", "change", "label", "start", "end", "low", "high"]
    shown: pd.DataFrame = data[[*kept, "is_significant"]]
    return shown


def parts_text(data: pd.DataFrame, results: Results) -> ChartText:
    """Which change makes most of the difference."""
    context, known = chart_context(results), metrics()[str(data["metric"].iloc[0])]
    first, changes, second = data.iloc[0], data.iloc[1:-1], data.iloc[-1]
    rises = changes.assign(rise=changes["end"] - changes["start"])
    against = f", against {first['label']}" if known.name in COMPARED else ""
    marks = " Thin lines: 95 % intervals of the contributions." if context.n > 1 else ""
    return context.text(
        _title(known, data),
        f"{known.label}{against}, {known.unit}, {context.place}: from “{first['label']}” to "
        f"“{second['label']}”",
        "Contribution of a change: mean over all orders of the changes of what it adds to those "
        f"made before it (Shapley value); contributions add up to the difference.{marks}",
        f"Waterfall chart, {known.unit}: from {precise(first['end'], 2)} to "
        f"{precise(second['end'], 2)}; {listed(rises, ['rise'], known.decimals, sign=True)}",
        {"Increases it": swatch(LOSS, LOSS), "Decreases it": swatch(GAIN, GAIN)},
    )


def _title(known: Metric, data: pd.DataFrame) -> str:
    changes = data.iloc[1:-1]
    size = changes["end"] - changes["start"]
    most = changes.iloc[int(size.abs().argmax())]
    total, part = float(data["end"].iloc[-1] - data["end"].iloc[0]), most["end"] - most["start"]
    by, own, rest = (precise(x, known.decimals, sign=True) for x in (total, part, total - part))
    unit = "pp" if known.unit.startswith("%") else known.unit
    if not most["is_significant"]:
        return (
            f"{known.label}: no single contribution to a difference of {by} {unit} is "
            "statistically significant"
        )
    lead = f"{known.label} differs by {by} {unit}: {own} from “{most['label']}”"
    return lead if len(changes) < 2 else f"{lead}, {rest} from all other changes"


def parts_plot(data: pd.DataFrame, ax: Axes) -> None:
    """A bar for each step, joined by thin lines."""
    known = metrics()[str(data["metric"].iloc[0])]
    places = axes.name_rows(ax, data["label"])
    rise, is_change = data["end"] - data["start"], data["step"] == "change"
    colours = [LEVEL if not c else LOSS if r > 0 else GAIN
               for r, c in zip(rise, is_change, strict=True)]  # fmt: skip
    _joined_bars(ax, data, places, colours, ("start", "end"), 0.62)
    axes.intervals(ax, data, places, ("low", "high"))
    texts = [precise(r, known.decimals, sign=bool(c)) for r, c in zip(rise, is_change, strict=True)]
    tips = data[["start", "end", "low", "high"]].max(axis=1).clip(lower=0)
    axes.value_labels(ax, texts, tips, places, [True] * len(data))
    ax.margins(x=0.02)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(f"{known.label}, {known.unit} →", loc="right")


GROUPS = Chart(
    4, "who_pays", "comparison", "Who pays, and who gains",
    groups_table, groups_text, groups_plot, lambda data: axes.body(len(data) + 1.5), axes.LEFT, 24,
)  # fmt: skip
PARTS = Chart(
    13, "decomposition", "experiment", "Decomposition of the difference between two scenarios",
    parts_table, parts_text, parts_plot, lambda data: axes.body(len(data)), LEFT, RIGHT,
)  # fmt: skip

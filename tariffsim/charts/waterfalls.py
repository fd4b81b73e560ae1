"""Charts 4 and 13: changes that add up: of groups, and of parts of a scenario."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import axes
from tariffsim.charts.context import chart_context, drawable, experiment_table
from tariffsim.charts.lettering import points, wrap
from tariffsim.charts.picture import Chart, ChartText
from tariffsim.charts.style import GAIN, LEVEL, LOSS, listed, sentences, signed_tick, swatch
from tariffsim.record.dictionary import Metric, metrics
from tariffsim.record.metrics import COMPARED, WELFARE_TERMS
from tariffsim.record.results import Results
from tariffsim.record.statements import effect, estimates, paired, precise

YEAR = 12e-9
"""From USD a month to thousand million USD a year."""
HOME, ABROAD = "At home", "Abroad"
BUYERS, WELFARE, NET = "Buyers together", "Welfare at home", "Net change in the world"
TOTALS = (BUYERS, WELFARE, NET)
"""Rows that are sums of others."""
TREASURY, MATCH_LOSS = "Treasury", "Loss from second-best sourcing"
AT_HOME = {
    "Consumers": ["consumers"],
    MATCH_LOSS: ["match loss"],
    BUYERS: ["consumers", "match loss"],
    "Importers and makers": ["importers and makers"],
    "Foundries": ["foundries"],
    TREASURY: ["government"],
    WELFARE: list(WELFARE_TERMS),
}
NOT_FOUNDRIES = {
    "Other governments": ["government"],
    "Consumers, makers abroad": ["consumers", "importers and makers", "match loss"],
}
OTHER_END_USES = "Other end uses of chips"
TOTAL, GAP = "#6E6E6E", 0.09
LEFT, RIGHT = 216.0, 64.0


def groups_table(results: Results) -> pd.DataFrame:
    """Gain of every group with its interval, by scenario, at home and abroad; bn USD a year.

    The net change in the world is there only if it is statistically significant in all of them.
    """
    context, rows = chart_context(results), []
    names = dict(enumerate(context.pair(), start=1))
    for (block, label), by_seed in _gains(results).items():
        changes = paired(results, by_seed.unstack("scenario"))
        if label == NET and not all(changes[name].is_certain for name in names.values()):
            continue
        row: dict[str, object] = {"block": block, "label": label, "zero": 0.0}
        for n, name in names.items():
            row |= changes[name].columns(f"gain_{n}")
        rows.append(row)
    titles = {f"title_{n}": context.labels[name] for n, name in names.items()}
    return pd.DataFrame(rows).assign(**context.columns(names.values()), **titles,
                                     unit="bn USD a year")  # fmt: skip


def _gains(results: Results) -> dict[tuple[str, str], pd.Series[float]]:
    """By block and label: gain against the baseline by scenario and seed, bn USD a year."""
    ends = results.tables["welfare_end"]
    index, columns = ["scenario", "seed"], ["market", "term"]
    gains = YEAR * ends.pivot(index=index, columns=columns, values="value")
    home = pd.DataFrame(gains[results.market])
    abroad = gains.drop(columns=results.market, level="market")
    found = {(HOME, label): home[terms].sum(axis=1) for label, terms in AT_HOME.items()}
    foundries = pd.DataFrame(abroad.xs("foundries", axis="columns", level="term"))
    if "CN" in foundries:
        found[ABROAD, "Foundries in China"] = foundries["CN"]
        found[ABROAD, "Foundries elsewhere"] = foundries.drop(columns="CN").sum(axis=1)
    else:
        found[ABROAD, "Foundries abroad"] = foundries.sum(axis=1)
    for label, terms in NOT_FOUNDRIES.items():
        is_here = abroad.columns.get_level_values("term").isin(terms)
        found[ABROAD, label] = abroad.loc[:, is_here].sum(axis=1)
    net = -results.tables["summary"].set_index(index)["deadweight_loss"]
    found[ABROAD, OTHER_END_USES] = net - gains.sum(axis=1)
    found[ABROAD, NET] = net
    return found


def groups_text(data: pd.DataFrame, results: Results) -> ChartText:
    """What it costs buyers."""
    context, cost = chart_context(results), estimates(results, "buyers_cost")
    pair = context.pair()
    each = "; ".join(
        f"{context.labels[name]}: "
        + ", ".join(f"{row['label']} {precise(row[f'gain_{n}'], 2, sign=True)}"
                    for row in data.to_dict("records"))
        for n, name in enumerate(pair, start=1)
    )  # fmt: skip
    whole = "" if NET in set(data["label"]) else (
        " The net change in the world is not statistically significant in all of them."
    )  # fmt: skip
    marks = "Lines: 95 % intervals; pale bars: not statistically significant. "
    return context.text(
        sentences(
            f"{context.in_sentence(name)} "
            f"{effect(cost[name], 'the cost to buyers', 'bn USD a year', has_interval=False)}"
            for name in pair
        ),
        f"Gain or loss of each group against the baseline, {context.end}, bn USD a year. At home: "
        f"{context.place}{context.how_many(pair)}",
        f"{marks * (context.n > 1)}Buyers together: consumers and {MATCH_LOSS.lower()}, which is "
        "the cost to makers of leaving the foundry, or the country of assembly, that they would "
        "choose without the policy. Treasury: duties and penalties less refunds and grants. Grey "
        f"bars are sums.{whole}",
        f"Bar chart, bn USD a year. {each}",
        untested="gains and losses of groups",
    )


def groups_plot(data: pd.DataFrame, ax: Axes) -> None:
    """Bars for each scenario on one scale, at home above, abroad below."""
    first = int((data["block"] == HOME).sum())
    places = [i + (1.2 if i < first else 2.4) for i in range(len(data))]
    axes.name_rows(ax, data["label"], places)
    for text, label in zip(ax.get_yticklabels(), data["label"], strict=True):
        text.set_fontweight("bold" if label in TOTALS else "normal")
    ax.set_ylim(places[-1] + 0.6, -1.9)
    for block, place in ((HOME, 0.2), (ABROAD, places[first] - 1)):
        ax.annotate(block, (0, place), xycoords=("axes fraction", "data"), xytext=(-8, 0), size=8.5,
                    textcoords="offset points", weight="bold", ha="right", va="center")  # fmt: skip
    count = 1 + ("gain_2" in data)
    drawn = axes.panels(ax, axes.equal_widths(count, GAP), GAP)
    for n, panel in enumerate(drawn, start=1):
        _bars_of_groups(panel, data, n, places)
    ends = [end for panel in drawn for end in panel.get_xlim()]
    for panel in drawn:
        panel.set_xlim(min(ends), max(ends))


def _bars_of_groups(ax: Axes, data: pd.DataFrame, n: int, places: list[float]) -> None:
    column = f"gain_{n}"
    gain, low, high = data[column], f"{column}_low", f"{column}_high"
    colours = [
        (TOTAL if label in TOTALS else LOSS if value < 0 else GAIN) + ("" if is_certain else "59")
        for label, value, is_certain in zip(
            data["label"], gain, data[f"is_{column}_significant"], strict=True
        )
    ]
    axes.bars(ax, data, places, colours, ("zero", column), 0.66)
    axes.intervals(ax, data, places, (low, high), "#262626")
    tips = data[high].where(gain >= 0, data[low]).fillna(gain)
    texts = [precise(change, 2, sign=True) for change in gain]
    axes.value_labels(ax, texts, tips, places, gain >= 0)
    axes.zero_line(ax)
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
    groups_table, groups_text, groups_plot, lambda data: axes.body(len(data) + 3.9), axes.LEFT, 24,
)  # fmt: skip
PARTS = Chart(
    13, "decomposition", "experiment", "Decomposition of the difference between two scenarios",
    parts_table, parts_text, parts_plot, lambda data: axes.body(len(data)), LEFT, RIGHT,
)  # fmt: skip

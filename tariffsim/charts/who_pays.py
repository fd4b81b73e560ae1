"""Chart 4: who pays for a policy, and who gains: changes that add up to what is lost."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from tariffsim.charts import rows as of_rows
from tariffsim.charts import style
from tariffsim.charts.device_prices import compared
from tariffsim.charts.facts import Facts, facts_of, findings, sentences
from tariffsim.charts.picture import Chart, Words
from tariffsim.record.metrics import LAST
from tariffsim.record.results import Results

YEAR = 12e-9
"""From USD a month to thousand million USD a year."""
TREASURY, NET, BUYERS = "Treasury", "Net change in the world", "Other chip buyers"
AT_HOME = {
    "Consumers": "consumers",
    "Importers and makers": "importers and makers",
    "Foundries": "foundries",
    "Chips, plants that suit less": "match loss",
}
ABROAD = {
    "Other governments": ["government"],
    "Consumers, makers abroad": ["consumers", "importers and makers", "match loss"],
}
LOSS, GAIN, TOTAL = "#BD1F01", "#12436D", "#6E6E6E"
LEAST = 0.005
"""Revenue that a title tells, bn USD a year."""
LEFT, GAP = 168.0, 0.09


def table(results: Results) -> pd.DataFrame:
    """Bars of a waterfall, from and to, for every group of two scenarios; bn USD a year."""
    facts = facts_of(results)
    names = compared(facts)
    made = pd.DataFrame()
    for n, name in enumerate(names, start=1):
        changes = _changes(results, facts, name)
        end = changes.cumsum()
        made["label"] = [*changes.index, NET]
        made[f"start_{n}"] = [0.0, *end[:-1], 0.0]
        made[f"end_{n}"] = [*end, end.iloc[-1]]
        made[f"scenario_{n}"], made[f"title_{n}"] = name, facts.labels[name]
    return made.assign(unit="bn USD a year")


def _changes(results: Results, facts: Facts, name: str) -> pd.Series[float]:
    """Gain of every group against the baseline, at home, abroad, and the treasury last."""
    rows = results.tables["welfare"]
    rows = rows[(rows["scenario"] == name) & rows["month"].isin(facts.months[-LAST:])]
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
    lost = findings(results, "deadweight_loss")[name].level
    found[BUYERS] = -lost - mean.to_numpy().sum()
    found[TREASURY] = home["government"]
    return pd.Series(found)


def _gains(data: pd.DataFrame, n: int) -> dict[str, float]:
    """Gain of every group, the net loss left out."""
    rows = data[data["label"] != NET]
    return dict(zip(rows["label"], rows[f"end_{n}"] - rows[f"start_{n}"], strict=True))


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: what the treasury gains, and who loses most."""
    facts = facts_of(results)
    names = compared(facts)
    title = sentences([_sentence(_gains(data, n), facts, name)
                       for n, name in enumerate(names, start=1)])  # fmt: skip
    if facts.n < 2:
        title = "One run: who pays cannot be told from chance"
    listed = "; ".join(
        f"{facts.labels[name]}: "
        + ", ".join(f"{group} {style.precise(gain, 2, sign=True)}"
                    for group, gain in _gains(data, n).items())
        for n, name in enumerate(names, start=1)
    )  # fmt: skip
    return Words(
        title,
        f"Gain or loss of each group against the baseline, {facts.end}, bn USD a year. Groups "
        f"without a place are those of {facts.place}",
        "Each bar starts where the one above ends; what is left is the change in the world. "
        f"{'Scales differ. ' if len(names) > 1 else ''}Chips that suit less: what makers give up "
        "in leaving the chip, or the country, they would choose without the policy. "
        f"{facts.source}",
        f"{title}. Waterfall chart, bn USD a year. {listed}.",
        "bn USD a year",
    )


def _sentence(gains: dict[str, float], facts: Facts, name: str) -> str:
    raised = gains[TREASURY]
    losers = sorted((g for g in gains if gains[g] < 0 and g != TREASURY), key=gains.__getitem__)
    verb = "raises" if raised > 0 else "costs"
    what = "for the treasury" if raised > 0 else "of revenue"
    lead = f"{facts.short(name)} {verb} {style.precise(abs(raised))} bn USD a year {what}"
    if abs(raised) < LEAST:
        lead = f"{facts.short(name)} leaves the treasury as it was"
    if not losers:
        return lead
    who, cost = losers[0], f"{style.precise(-gains[losers[0]])} bn"
    if who == "Chips, plants that suit less":
        return f"{lead}; less suitable chips and plants cost {cost}"
    return f"{lead} and costs {who[0].lower()}{who[1:]} {cost}"


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw a waterfall for each scenario, side by side."""
    ax = style.own_axes(ax, of_rows.body(len(data) + 1.5), LEFT, 24)
    places = of_rows.rows(ax, data["label"].tolist())
    ax.set_ylim(len(data) - 0.4, -2.1)
    ax.get_xaxis().set_visible(False)
    ax.spines["bottom"].set_visible(False)
    ax.grid(visible=False)
    many = 1 + ("end_2" in data)
    width = (1 - GAP * (many - 1)) / many
    for n in range(1, many + 1):
        panel = ax.inset_axes(((n - 1) * (width + GAP), 0, width, 1))
        panel.set_ylim(ax.get_ylim())
        _waterfall(panel, data, n, places)
    return ax


def _waterfall(ax: Axes, data: pd.DataFrame, n: int, places: list[float]) -> None:
    starts, ends = data[f"start_{n}"].to_numpy(), data[f"end_{n}"].to_numpy()
    low, high = min(0.0, starts.min(), ends.min()), max(0.0, starts.max(), ends.max())
    room = 0.24 * (high - low or 1.0)
    ax.set_xlim(low - room, high + room)
    of_rows.zero_line(ax)
    for place, start, end, name in zip(places, starts, ends, data["label"], strict=True):
        colour = TOTAL if name == NET else LOSS if end < start else GAIN
        bar = ax.barh([place], end - start, 0.66, left=start, color=colour, zorder=3)
        bar.patches[0].set_label(style.drawn(f"start_{n}", f"end_{n}", axis="x"))
        if name != NET:
            ax.vlines([end], place + 0.33, place + 0.67, color="#9A9A9A", lw=0.8, zorder=2)
        right = end >= start
        ax.annotate(style.precise(end - start, 2, sign=True), (end, place), size=8, va="center",
                    xytext=(4 if right else -4, 0), textcoords="offset points",
                    ha="left" if right else "right", zorder=4)  # fmt: skip
    wide, _ = style.points(ax)
    title = style.wrap(str(data[f"title_{n}"].iloc[0]), 8.5, wide, "bold", 2)
    ax.annotate(title, (0, 1), xycoords="axes fraction", size=8.5, weight="bold", va="top",
                bbox={"fc": "white", "ec": "none", "pad": 2})  # fmt: skip
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="x")
    ax.locator_params(axis="x", nbins=4)
    ax.xaxis.set_major_formatter(style.tick)
    ax.set_xlabel("bn USD a year", loc="right")


CHART = Chart(
    4, "who_pays", "Who pays, and who gains",
    "Gains and losses of consumers, firms, foundries and treasuries at home and abroad under two "
    "scenarios; they add up to what the world loses.",
    table, words, draw, lambda data: of_rows.body(len(data) + 1.5), LEFT, 24, 38,
)  # fmt: skip

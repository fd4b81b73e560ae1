"""Chart 10: a cut-off: output lost by month and by device, and when the first line stops."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tariffsim.charts import rows as of_rows
from tariffsim.charts import style
from tariffsim.charts.facts import Facts, content_of, facts_of, findings, label, period, sentences
from tariffsim.charts.picture import Chart, LeftOut, Words
from tariffsim.policy import INSTRUMENTS
from tariffsim.record.results import Results
from tariffsim.typing import format_month, parse_month

MOST, MOST_DEVICES = 3, 10
BEFORE, AFTER = 3, 6
"""Months shown before the first and after the last in which more is lost than in the baseline."""
LEAST, PART = 0.005, 0.02
"""Loss that counts: % of sales, and as a part of that in the worst month."""
TALL, ABOVE, BETWEEN, LEFT, RIGHT = 150.0, 20.0, 36.0, 150.0, 24.0
"""Points: height of the lines, for the name of a panel, between panels, at the sides."""


def cut_off(results: Results) -> list[str]:
    """Scenarios in which chips are refused to somebody."""
    kinds = {kind for kind, instrument in INSTRUMENTS.items() if instrument.restricts_supply}
    return [
        name
        for name, text in results.scenarios.items()
        if kinds & {p.get("kind") for p in (content_of(text).get("policies") or {}).values()}
    ]


def table(results: Results) -> pd.DataFrame:
    """Sales lost, %, by month (all devices), then by device (over the months shown)."""
    names = cut_off(results)[:MOST]
    if not names:
        raise LeftOut("it needs a scenario that cuts chips off")
    facts = facts_of(results)
    shown = list(dict.fromkeys([facts.baseline, *names]))
    rows = results.tables["market_device"]
    rows = rows[(rows["market"] == results.market) & rows["scenario"].isin(shown)]
    by_month = _lost(rows, "month")[shown]
    months = _around(by_month, facts)
    by_device = _lost(rows[rows["month"].isin(months)], "device")[shown]
    order = by_device[names].max(axis=1).sort_values(ascending=False, kind="stable").index
    made = [by_month.loc[months].assign(block="month", at=months, label="")]
    top = by_device.loc[order[:MOST_DEVICES]]
    devices = [label("devices", str(device)) for device in top.index]
    made.append(top.assign(block="device", at=top.index, label=devices))
    data = pd.concat(made, ignore_index=True)
    columns = {name: f"lost_{n}" for n, name in enumerate(shown)}
    looks = {f"scenario_{n}": name for n, name in enumerate(shown)}
    families = {f"family_{n}": facts.families[name] for n, name in enumerate(shown)}
    return data.rename(columns=columns).assign(**looks, **families, unit="% of sales")


def _lost(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Part of sales lost, %; one column a scenario."""
    sums = rows.groupby(["scenario", by], sort=False)[["lost_value", "retail_value"]].sum()
    wanted = sums.sum(axis=1)
    part = 100 * sums["lost_value"] / wanted.where(wanted > 0, 1.0)
    return part.unstack("scenario")[list(dict.fromkeys(rows["scenario"]))]


def _around(by_month: pd.DataFrame, facts: Facts) -> list[str]:
    """The months around those in which more is lost than in the baseline; else all."""
    more = by_month.drop(columns=facts.baseline).sub(by_month[facts.baseline], axis=0)
    counts = more > max(LEAST, PART * float(more.max().max()) if more.size else 0.0)
    out = [n for n, lost in enumerate(counts.any(axis=1)) if lost]
    if not out:
        return list(facts.months)
    return list(facts.months[max(out[0] - BEFORE, 0) : out[-1] + 1 + AFTER])


def _scenarios(data: pd.DataFrame) -> dict[str, str]:
    """Names of the columns by scenario, the baseline first."""
    columns = [c for c in data if str(c).startswith("scenario_")]
    return {str(data[c].iloc[0]): f"lost_{str(c)[9:]}" for c in columns}


def _looks(data: pd.DataFrame) -> dict[str, style.Look]:
    families = {name: str(data[f"family_{column[5:]}"].iloc[0])
                for name, column in _scenarios(data).items()}  # fmt: skip
    return style.looks(families)


def words(data: pd.DataFrame, results: Results) -> Words:
    """What is found: what is lost in the worst month, and when the first line stops."""
    facts, looks = facts_of(results), _looks(data)
    months = data.loc[data["block"] == "month", "at"]
    left = len(cut_off(results)) - MOST
    few = f"The {MOST_DEVICES} devices that lose most. " if _devices(data) == MOST_DEVICES else ""
    rest = f"{left} more cut-offs are not shown. " if left > 0 else ""
    title = _title(data, results, facts)
    listed = "; ".join(
        f"{row['label']} "
        + ", ".join(f"{style.precise(row[c])} %" for c in _scenarios(data).values())
        for row in data[data["block"] == "device"].to_dict("records")
    )
    return Words(
        title,
        f"Sales not delivered for want of a chip, {facts.place}, {period(months)}, % of sales",
        f"{few}{rest}Means over runs, without intervals. {facts.source}",
        f"{title}. Line chart by month and dot chart by device, % of sales: {listed}.",
        "% of sales",
        [style.Key(_named(name, results, facts), look) for name, look in looks.items()],
    )


def _named(name: str, results: Results, facts: Facts) -> str:
    """A scenario with what it loses, and when its first line stops."""
    if name not in cut_off(results):
        return facts.labels[name]
    lost = findings(results, "cutoff_loss")[name].level
    return f"{facts.labels[name]}: {style.precise(lost)} bn USD lost, {_stop(name, results)}"


def _stop(name: str, results: Results) -> str:
    days = findings(results, "days_to_stop")[name].level
    if not findings(results, "stopped_share")[name].level:
        return "no line stops"
    when = "at once" if days < 0.5 else f"after {style.number(days, 0)} days"
    return f"the first line stops {when}"


def _title(data: pd.DataFrame, results: Results, facts: Facts) -> str:
    if facts.n < 2:
        return "One run: what a cut-off costs cannot be told from chance"
    by_month, parts = data[data["block"] == "month"], []
    named = replace(facts, families=dict.fromkeys(facts.families, "other"))  # by their titles
    usual = by_month["lost_0"]
    for name, column in _scenarios(data).items():
        if name not in cut_off(results):
            continue
        worst = int((by_month[column] - usual).to_numpy().argmax())
        lost = float((by_month[column] - usual).iloc[worst])
        who = named.short(name)
        if lost < LEAST:
            parts.append(f"{who} costs no sales")
        else:
            month = period([str(by_month["at"].iloc[worst])])
            parts.append(f"{who} costs up to {style.precise(lost)} % of a month's sales ({month})")
    return sentences(parts)


def _devices(data: pd.DataFrame) -> int:
    return int((data["block"] == "device").sum())


def body(data: pd.DataFrame) -> float:
    """Height of both panels in points."""
    return TALL + 2 * ABOVE + BETWEEN + of_rows.body(_devices(data))


def draw(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw lines by month above, dots by device below."""
    ax = style.own_axes(ax, body(data), LEFT, RIGHT)
    ax.set_axis_off()
    whole = body(data)
    wide, _ = style.points(ax)
    out = (LEFT - 60) / wide
    upper = ax.inset_axes((-out, 1 - (TALL + ABOVE) / whole, 1 + out, TALL / whole))
    lower = ax.inset_axes((0, 0, 1, of_rows.body(_devices(data)) / whole))
    _by_month(upper, data[data["block"] == "month"], data)
    _by_device(lower, data[data["block"] == "device"], data)
    for panel, name, side in ((upper, "By month, % of sales", 60.0), (lower, "By device", LEFT)):
        panel.annotate(name, (0, 1), xycoords="axes fraction", weight="bold", size=8.5,
                       xytext=(style.EDGE - side, 8), textcoords="offset points")  # fmt: skip
    return ax


def _by_month(ax: Axes, rows: pd.DataFrame, data: pd.DataFrame) -> None:
    x = [parse_month(month) / 12 for month in rows["at"]]
    for depth, (name, look) in enumerate(_looks(data).items(), start=3):
        column = _scenarios(data)[name]
        ax.plot(x, rows[column], color=look.colour, lw=1.6, ls=look.dash, marker=look.marker, ms=4,
                mfc=look.face, zorder=depth, clip_on=False, label=style.drawn(column))  # fmt: skip
    high = float(rows[list(_scenarios(data).values())].max().max())
    ax.set_ylim(0, 1.08 * high if high > LEAST else 1.0)
    first, last = parse_month(rows["at"].iloc[0]), parse_month(rows["at"].iloc[-1])
    step = max((last - first) // 6, 1)
    ticks = range(first + (-first) % (12 if step > 6 else 3), last + 1, 12 if step > 6 else 3)
    ax.set_xticks([t / 12 for t in ticks], [format_month(t) for t in ticks])
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    ax.grid(visible=False, axis="x")


def _by_device(ax: Axes, rows: pd.DataFrame, data: pd.DataFrame) -> None:
    columns = [_scenarios(data)[name] for name in _looks(data)]
    places = of_rows.rows(ax, rows["label"].tolist())
    of_rows.dumbbells(ax, rows, places, columns, _looks(data))
    high = float(rows[columns].max().max())
    high = high if high > LEAST else 1.0
    ax.set_xlim(-0.012 * high, 1.05 * high)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    ax.set_xlabel("% of sales →", loc="right")


CHART = Chart(
    10, "cut_off", "A cut-off",
    "Output lost for want of a chip, by month and by device, and days to the first line that "
    "stops, under scenarios that cut chips off.",
    table, words, draw, body, LEFT, RIGHT, 38,
)  # fmt: skip

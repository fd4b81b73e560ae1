"""The first screen of a report: the question, the answer in three sentences, four numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isnan
from typing import Any

from tariffsim.charts.context import ChartContext
from tariffsim.charts.style import capitalised, period
from tariffsim.record.dictionary import metrics
from tariffsim.record.results import Results
from tariffsim.record.statements import (
    Estimate,
    clear_largest,
    effect,
    estimates,
    number,
    seeds_to_settle,
)
from tariffsim.record.uncertainty import is_drawn
from tariffsim.report.sheets import change
from tariffsim.scenario import catalogue
from tariffsim.tables.csv_files import shipped_rows

CARDS = {
    "cn_share": "Chinese share of chips",
    "basket_price": "Price of devices",
    "buyers_cost": "Cost to buyers",
    "duty_revenue": "Duty revenue",
}
"""The four numbers of the first screen."""
MOST_ROWS = 2
"""Scenarios of a card; the others are in the table."""
WIDTH, MARGIN = 120.0, 4.0
"""Of the small pictures, in their own units."""


def unit_of(metric: str) -> str:
    """The unit of a change of a headline metric."""
    unit = metrics()[metric].unit
    return "pp" if unit in ("%", "% of base year") else unit


def question(context: ChartContext) -> str:
    """What was asked."""
    share = f"the Chinese share of legacy chips in what {context.place} buys"
    if not context.others:
        return f"How large is {share}?"
    shown = " and ".join(context.quoted(name) for name in context.pair())
    if len(context.others) > 2:
        shown = f"{len(context.others)} scenarios"
    return f"How much would {shown} reduce {share}, and at what cost?"


def asked(results: Results, context: ChartContext) -> str:
    """For whom, when, and compared with what."""
    title = results.titles[context.baseline]
    span = period(context.months)
    runs = f"{context.n} run{'s' if context.n > 1 else ''} each ({context.seeds})"
    if not context.others:
        return f"One scenario, {span}, {runs}."
    return (
        f"For buyers, firms and the treasury of {context.place}, {span}. Differences from the "
        f"baseline ({title.removeprefix('Baseline: ')}), means of {context.end}, {runs}."
    )


def answer(results: Results, context: ChartContext) -> list[str]:
    """The answer in three sentences: effect, cost, and how sure it is."""
    share = estimates(results, "cn_share")
    if not context.others:
        level = number(share[context.baseline].level, 1)
        return [
            f"In {context.end} the Chinese share is {level} % of the legacy chips in what "
            f"{context.place} buys.",
            "Costs are differences between scenarios: compare it with another one.",
            _how_sure(results, context),
        ]
    return [
        _effects(results, context, share),
        _costs(results, context),
        _how_sure(results, context),
    ]


def _effects(results: Results, context: ChartContext, share: Mapping[str, Estimate]) -> str:
    base = number(share[context.baseline].level, 1)
    found = "; ".join(
        f"{context.in_sentence(name)} {effect(share[name], 'the Chinese share', 'pp')}"
        for name in context.pair()
    )
    text = f"{capitalised(found)}; it is {base} % in the baseline"
    if len(context.others) > len(context.pair()):
        own = {name: share[name] for name in context.others}
        certain = sum(one.is_certain for one in own.values())
        text += (
            f". In {certain} of all {len(own)} scenarios its change is statistically significant"
        )
        largest = clear_largest(own)
        text += f", the largest is that of {context.quoted(largest)}" if largest else ""
    return f"{text}."


def _costs(results: Results, context: ChartContext) -> str:
    cost, duty = (estimates(results, metric) for metric in ("buyers_cost", "duty_revenue"))
    parts = [
        f"{context.in_sentence(name)} "
        f"{effect(cost[name], 'the cost to buyers', 'bn USD a year', _places(cost[name]))} and "
        f"{effect(duty[name], 'duty revenue', 'bn USD a year', _places(duty[name]))}"
        for name in context.pair()
    ]
    return f"{capitalised('; '.join(parts))}."


def _places(found: Estimate) -> int:
    """Decimals of money, bn USD a year."""
    return 2 if abs(found.difference) < 1 else 1


def _how_sure(results: Results, context: ChartContext) -> str:
    if context.n < 2:
        return "One run only: there is no interval, and no difference should be read as an effect."
    if is_drawn(results):
        known = results.provenance["parameters"].get("strongest", {})
        keys = list(dict.fromkeys(key for own in known.values() for key in own))[:3]
        named = f"; what would change it most: {'; '.join(map(meaning_of, keys))}" if keys else ""
        return (
            "Brackets are 95 % intervals over random variation and the uncertainty of parameters"
            f"{named}."
        )
    return (
        "Brackets are 95 % intervals over random variation alone: parameters are held at their "
        "central values, and other assumptions, such as the Chinese chips inside devices, would "
        "change it."
    )


def meaning_of(key: str) -> str:
    """What a parameter is, in a few words; its key where nothing is known of it."""
    block, *rest = key.split(".")
    if block == "figures":
        rows = {(row["table"], row["parameter"]): row["meaning"]
                for row in shipped_rows("figure_parameters")}  # fmt: skip
        text = rows.get((rest[0], rest[-1]), "")
    else:
        known = catalogue.find([block, *rest])
        text = known.description if known else ""
    words = re.split(r"[.:;(,]", text)[0].strip()
    is_name = not words[1:2].islower() or words.startswith("Chin")
    return words or key if is_name else f"{words[0].lower()}{words[1:]}"


def settled_by(results: Results, context: ChartContext) -> Iterator[str]:
    """How many seeds would settle the sign of what is not statistically significant."""
    for metric, what in CARDS.items():
        found = estimates(results, metric)
        for name in context.pair():
            n = seeds_to_settle(found[name])
            if n is not None:
                yield (
                    f"{what}, {context.quoted(name)}: about {n} seeds would settle the sign, if "
                    "the mean stayed where it is"
                )


def cards(results: Results, context: ChartContext) -> list[dict[str, Any]]:
    """The four numbers, each with a small picture of the changes and their intervals."""
    return [_card(results, context, metric, head) for metric, head in CARDS.items()]


def _card(results: Results, context: ChartContext, metric: str, head: str) -> dict[str, Any]:
    found = estimates(results, metric)
    pair = context.pair() if context.others else ()
    names = [*pair, *(n for n in context.others if n not in pair)][:MOST_ROWS]
    own = {name: found[name] for name in names}
    span = _span(own)
    decimals = 2 if metric == "basket_price" else 1
    level = found[context.baseline].level
    is_level = metric != "buyers_cost"
    return {
        "head": head, "unit": unit_of(metric),
        "base": f"Baseline: {number(level, 1)} {metrics()[metric].unit}" if is_level else
                "Loss of consumers and from second-best sourcing",
        "is_compared": bool(names),
        "level": number(level, 1) if is_level else "–",
        "level_unit": metrics()[metric].unit,
        "rows": [
            {"name": context.labels[name], "is_large": name in pair,
             **change(one, decimals if metric == "cn_share" else max(decimals, _places(one))),
             **_mark(one, span)}
            for name, one in own.items()
        ],
        "zero": _place(0.0, span),
        "hidden": len(context.others) - len(names),
    }  # fmt: skip


def _span(found: Mapping[str, Estimate]) -> tuple[float, float]:
    ends = [0.0]
    for one in found.values():
        ends += [end for end in (one.difference, one.low, one.high) if not isnan(end)]
    low, high = min(ends), max(ends)
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _place(value: float, span: tuple[float, float]) -> float:
    """Where a value is across a small picture."""
    low, high = span
    return round(MARGIN + (WIDTH - 2 * MARGIN) * (value - low) / (high - low), 1)


def _mark(found: Estimate, span: tuple[float, float]) -> dict[str, Any]:
    """Places of the dot and the ends of the interval; none where they are not known."""
    places = [None if isnan(v) else _place(v, span)
              for v in (found.difference, found.low, found.high)]  # fmt: skip
    return dict(zip(("dot", "from", "to"), places, strict=True)) | {"is_certain": found.is_certain}

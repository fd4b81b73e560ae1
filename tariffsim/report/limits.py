"""What a report cannot say: limits that follow from the resolved scenarios, and those of all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tariffsim.charts.context import ChartContext, content_of
from tariffsim.record.results import Results
from tariffsim.record.uncertainty import is_drawn

RESPONSES = ("retaliatory_tariff", "counter_subsidy", "import_ban", "licensing")
"""Instruments by which governments or sellers respond."""


class Limit(NamedTuple):
    """A limit: what it is, and what it does to the numbers."""

    what: str
    text: str


CANNOT = (
    Limit("Jobs and wages", "are not in the model: it has no labour market."),
    Limit(
        "The burden by income group",
        "is not in the model: consumers of a market are one group for each kind of device.",
    ),
    Limit(
        "The rest of the economy",
        "is fixed: no exports of other goods, no monetary policy, no use of the revenue.",
    ),
    Limit("Security", "has no price here: a lower share is stated, its worth is not."),
    Limit("Events after the last month", "count only through duties that are expected by then."),
)
"""What no result of this model can say."""


def limits(results: Results, context: ChartContext) -> list[Limit]:
    """The limits of these results, from the resolved scenarios."""
    contents = {name: content_of(text) for name, text in results.scenarios.items()}
    base = contents[results.baseline]
    found = [
        Limit(
            "It is not a forecast.",
            "The baseline is one set of assumptions about capacity, prices and law. Quote "
            "differences between scenarios, not levels.",
        ),
        *_of_trade(base.get("trade") or {}),
        *_of_compliance(base.get("compliance") or {}, base.get("policies") or {}),
        *_of_responses(contents, context),
        *_of_assembly(base.get("assembly") or {}),
        Limit(
            "The chips inside devices are assumptions.",
            "Chip content, the mix of node classes and the Chinese share by device are ranges, not "
            "data; all levels scale with them.",
        ),
    ]  # fmt: skip
    if results.market != "US":
        found.append(
            Limit(
                "Only imports of the United States are data.",
                f"Results for {context.place} are indicative: it buys in the same pattern, scaled.",
            )
        )
    return [*found, *_of_runs(results, context, base)]


def _of_trade(trade: Mapping[str, Any]) -> Iterator[Limit]:
    offset = float(trade.get("currency_offset") or 0.0)
    rates = "exchange rates"
    if offset:
        rates = "exchange rates, but for the part by which they follow the mean duty "
        rates += f"(`trade.currency_offset`: {offset:g}),"
    yield Limit(
        f"Wages, {rates} and the rest of the economy are fixed.",
        "A broad tariff would change them, a narrow one would not: the model describes the first "
        "less well than the second.",
    )
    if trade.get("tariffs_in_force", True):
        yield Limit(
            "All is measured on top of the tariffs in force.",
            "The baseline has the duties of the tariff calendar, and agents take those without an "
            "end to be permanent.",
        )
    else:
        yield Limit(
            "The tariffs in force are left out",
            "of all scenarios (`trade.tariffs_in_force: false`): effects are those of a policy in "
            "a world without them.",
        )
    rule = str(trade.get("origin_rule", "fab"))
    if rule != "fab":
        yield Limit(
            f"The origin of a chip is decided by {rule}",
            "(`trade.origin_rule`), by shares that are assumed and equal for all foundries of a "
            "region.",
        )


def _of_compliance(compliance: Mapping[str, Any], policies: Mapping[str, Any]) -> Iterator[Limit]:
    if compliance.get("behaviour") == "compliant":
        yield Limit(
            "Compliance is full and free of cost in the baseline",
            "(`compliance.behaviour: compliant`): all importers know the origin of their chips and "
            "declare it. Component tariffs look too effective and too cheap.",
        )
        return
    unknown = float(compliance.get("unknown_origin_share") or 0.0)
    yield Limit(
        "Not everybody knows or declares the truth.",
        f"Of the importers {100 * unknown:.0f} % do not know the origin of their chips at first "
        "(`compliance.unknown_origin_share`); they may trace it at a cost, and any may evade and "
        "be audited. These settings rest on few published figures, and evasion at rates far above "
        "those observed is an extrapolation.",
    )


def _of_responses(contents: Mapping[str, Any], context: ChartContext) -> Iterator[Limit]:
    has: list[str] = []
    none: list[str] = []
    for name in context.others or tuple(contents):
        kinds = {str(p.get("kind")) for p in (contents[name].get("policies") or {}).values()}
        (has if kinds & set(RESPONSES) else none).append(context.quoted(name))
    if none:
        who = "No scenario" if not has else f"Of the scenarios, {len(none)} of {len(none + has)}"
        verb = "has a" if not has else "have no"
        yield Limit(
            f"{who} {verb} response of other governments",
            "(retaliation, price cuts, subsidies): tariffs look too cheap and too effective there.",
        )
    if has:
        yield Limit(
            "Responses of other governments are as the scenario states them",
            f"in {', '.join(has[:3])}{' and others' if len(has) > 3 else ''}: their timing and "
            "size are assumptions.",
        )


def _of_assembly(assembly: Mapping[str, Any]) -> Iterator[Limit]:
    if assembly.get("shift_cost") is None:
        return
    shift, plant = (100 * float(assembly.get(key) or 0.0) for key in ("shift_cost", "plant_cost"))
    yield Limit(
        "Moving assembly is costly, and its costs are estimates:",
        f"{shift:.0f} % of a year's customs value to shift orders to another plant, {plant:.0f} % "
        "for a plant in a new country (`assembly.shift_cost`, `assembly.plant_cost`).",
    )


def _of_runs(results: Results, context: ChartContext, base: Mapping[str, Any]) -> Iterator[Limit]:
    if not is_drawn(results):
        yield Limit(
            "Parameters are at their central values.",
            "Intervals cover random variation alone and are too narrow.",
        )
    if base.get("data") or base.get("figures"):
        yield Limit(
            "Data of the model are replaced by the scenario",
            "(`data`, `figures`): scores against history are those of the shipped data.",
        )
    makers = (base.get("agents") or {}).get("makers")
    yield Limit(
        f"There are {makers} makers of products in the model."
        if makers else "There are few product lines.",
        "Shares in a single run vary by percentage points; do not interpret a single device in a "
        "single run.",
    )  # fmt: skip

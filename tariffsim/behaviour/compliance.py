"""What importers know, declare and evade, and what audits find (MODEL 4.5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim import kernels as k
from tariffsim.law.declarations import Declarations, declared_duties
from tariffsim.law.duty_tables import Regime, TariffSchedule
from tariffsim.law.expected_burden import ImporterBeliefs
from tariffsim.policy import Instrument
from tariffsim.policy.shipments import Shipments
from tariffsim.state.economy import Economy
from tariffsim.typing import Bool, Float, Int


@dataclass(frozen=True)
class Declared:
    """Duties on each flow as importers declare them, USD a unit."""

    duty: dict[int, Float]
    """(L,) due by law in force."""
    evaded: Float
    """(L,) evaded by false declarations."""


def declared(economy: Economy, exposure: Float) -> Declared:
    """Importers declare country and content of what they bring in; some evade.

    `exposure` (L,) is back duty and penalty expected for a dollar evaded.
    """
    importers, at = economy.importers, economy.flows.importer
    who = ImporterBeliefs(importers.knows_origin[at], importers.evasion_cost[at], exposure)
    regime, cell = economy.policy.regime, economy.flow_cells
    return declared_by(who, economy.declarations, regime, economy.shipments(), cell)


def declared_by(
    who: ImporterBeliefs, declarations: Declarations, regime: Regime, shipments: Shipments,
    cell: Int,
) -> Declared:  # fmt: skip
    """What these importers (rows,) declare of shipments (rows,) in cells (rows,)."""
    n = len(cell)
    knows, cost, exposure = who.knows_origin, who.evasion_cost, who.exposure
    origins = declarations.origin_duties(regime)
    gain = origins.gain[cell]
    evades_origin = k.evades(gain, 1.0, cost, exposure)
    declared_cell = np.where(evades_origin, origins.false_cell[cell], cell)
    lies_below = evades_origin & (origins.rate[declared_cell] < 0)
    evaded = [k.ad_valorem(np.where(evades_origin, gain, 0.0), shipments.customs_value)]
    numbers: list[int] = []
    duties: list[tuple[str | None, Float]] = []
    for number, law, _ in declarations.on_origin(regime):
        rate = np.where(lies_below, 0.0, origins.by_law[number][declared_cell])
        duty = k.ad_valorem(rate, law.instrument.duty(shipments, 1.0))
        numbers.append(number)
        duties.append((law.group, duty))
    not_declared: dict[int, Float] = {}
    rows = declarations.taxed(regime, cell)
    known, cost, exposure = knows[rows], cost[rows, None], exposure[rows, None]
    for one in declared_duties(declarations, regime, shipments.take(rows), cell[rows]):
        evades_part = k.evades(one.parts, one.values, cost, exposure)
        evades_part &= known[:, None] & one.is_declared
        due_if_true, hidden = np.zeros(n), np.zeros(n)
        due_if_true[rows] = np.where(known, k.over_slots(one.parts), one.unknown)
        hidden[rows] = k.over_slots(np.where(evades_part, one.parts, 0.0))
        numbers.append(one.number)
        duties.append((one.law.group, due_if_true))
        not_declared[one.number] = hidden
    due = dict(zip(numbers, k.due_of_each(duties), strict=True))
    for number, undeclared in not_declared.items():
        due[number], saved = k.duty_evaded(due[number], undeclared)
        evaded.append(saved)
    return Declared(due, k.total(*evaded))


# Tracing.


def is_time_to_trace(economy: Economy) -> bool:
    """The first month, January, or when a measure on content is announced, or becomes another."""
    is_due = economy.month == 0 or economy.is_january
    return is_due or content_moves(economy.tariff_schedule, economy.date)


def content_moves(schedule: TariffSchedule, date: int) -> bool:
    """Whether a measure on content is announced or withdrawn in a month, starts or moves."""
    return any(_moves(law.instrument, date) for law in schedule.laws)


def _moves(instrument: Instrument, now: int) -> bool:
    """Whether a measure on content is announced or withdrawn this month, starts or moves."""
    if not instrument.depends_on_knowledge and not instrument.tracing_share(1.0):
        return False
    is_news = instrument.is_news_in(now) and any(instrument.path.values)
    return is_news or instrument.changes_in(now)


def obliged_to_trace(economy: Economy) -> Bool:
    """(J,) importers that must trace."""
    importers, codes = economy.importers, economy.constants.codes
    share = np.zeros((len(codes.markets), len(codes.devices)))
    for law, rate in zip(economy.tariff_schedule.laws, economy.policy.rates, strict=True):
        if part := law.instrument.tracing_share(rate):
            is_covered = law.scope.reshape(len(codes.devices), len(codes.origins), -1)[:, 0].T > 0
            share = np.maximum(share, np.where(is_covered, part, 0.0))
    return np.asarray(importers.size_rank < share[importers.market, importers.device])


def duties_ahead(economy: Economy) -> tuple[Float, Float]:
    """(J,) USD of duty over the months in which tracing must pay: without it, and with it.

    Importers that trace know their own content; others expect the mean of their device and market.
    """
    flows, importers, codes = economy.flows, economy.importers, economy.constants.codes
    known: list[tuple[str | None, Float]] = []
    unknown: list[tuple[str | None, Float]] = []
    months = economy.scenario.compliance.payback_months
    ahead = economy.expectations.summed(economy.date, months, economy.imports)
    rows = economy.declarations.taxed(ahead, economy.flow_cells)
    at = economy.shipments().take(rows), economy.flow_cells[rows]
    for one in declared_duties(economy.declarations, ahead, *at):
        if one.depends_on_knowledge:
            group = one.law.group
            known.append((group, k.over_slots(one.parts)))
            unknown.append((group, one.unknown))
    own, without = (
        k.sum_by(
            flows.importer[rows], k.times(k.stacked(duties), flows.units[rows]), len(importers)
        )
        for duties in (known, unknown)
    )
    cell, worth = codes.market_device(importers.market, importers.device), brought_in(economy)
    n_cells = len(economy.cells.growth)
    expected = k.times(k.mean_by(cell, own, worth, n_cells)[cell], worth)
    return without, np.where(importers.is_traced, own, expected)


def traces(economy: Economy) -> Bool:
    """(J,) importers without knowledge that trace, as they decide now."""
    importers = economy.importers
    without, with_tracing = duties_ahead(economy)
    pays = k.tracing_pays(without, with_tracing, tracing_cost_ahead(economy))
    pays = np.where(brought_in(economy) > 0, pays, importers.is_traced)
    return np.asarray(~importers.knows_without_tracing & (obliged_to_trace(economy) | pays))


def brought_in(economy: Economy) -> Float:
    """(J,) USD a month brought in at present."""
    flows = economy.flows
    value = k.times(flows.customs_value, flows.units)
    return k.sum_by(flows.importer, value, len(economy.importers))


def tracing_cost_ahead(economy: Economy) -> Float:
    """(J,) USD that tracing costs over the months in which it must pay."""
    months = economy.scenario.compliance.payback_months
    return k.times(months, k.ad_valorem(economy.importers.tracing_rate, brought_in(economy)))

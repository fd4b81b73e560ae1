"""What importers know, declare and hide, and what customs finds (MODEL 4.5)."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.compliance import evades, tracing_pays
from tariffsim.kernels.duties import due_of_each, stacked
from tariffsim.kernels.sums import sum_by
from tariffsim.law.declarations import Declarations, declared_duties
from tariffsim.policy.shipments import Shipments
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy, flow_cells, product_shipments
from tariffsim.typing import Bool, Float, Int

JANUARY = 0


def declare(economy: Economy, declarations: Declarations, shipments: Shipments, cell: Int) -> None:
    """Importers declare country and content; what they hide is evaded (one row a flow)."""
    flows, importers, regime = economy.flows, economy.importers, economy.policy.regime
    knows, evasion_cost = (
        importers.knows_origin[flows.importer],
        importers.evasion_cost[flows.importer],
    )
    exposure = declarations.enforcement(regime).exposure[flows.market]
    origins = declarations.origins(regime)
    gain = origins.gain[cell]
    hides = evades(gain, 1.0, evasion_cost, exposure)
    declared_cell = np.where(hides, origins.false_cell[cell], cell)
    evaded = np.where(hides, gain, 0.0) * shipments.customs_value
    numbers: list[int] = []
    duties: list[tuple[str | None, Float]] = []
    for i, law, rate in declarations.on_origin(regime):
        numbers.append(i)
        duty = law.instrument.duty(shipments, rate) * law.scope[declared_cell]
        duties.append((law.instrument.stacking_group, duty))
    hidden: dict[int, Float] = {}
    for declared in declared_duties(declarations, regime, shipments, cell):
        is_hidden = evades(
            declared.parts, declared.values, evasion_cost[:, None], exposure[:, None]
        )
        is_hidden &= knows[:, None] & declared.is_declared
        duty = np.where(knows, declared.parts.sum(axis=-1), declared.unknown)
        numbers.append(declared.number)
        duties.append((declared.law.instrument.stacking_group, duty))
        hidden[declared.number] = (declared.parts * is_hidden).sum(axis=-1)
    due = dict(zip(numbers, due_of_each(duties), strict=True))
    for i, not_declared in hidden.items():
        not_due = np.where(due[i] > 0, not_declared, 0.0)
        due[i], evaded = due[i] - not_due, evaded + not_due
    economy.instrument_duty = due
    tracing = np.where(importers.is_traced, importers.tracing_rate, 0.0)[flows.importer]
    flows.compliance_cost = tracing * shipments.customs_value
    flows.evaded_duty, flows.penalty_cost = evaded, exposure * evaded


def trace_origins(economy: Economy, draws: Draws) -> None:
    """Importers: those who cannot tell trace their chips if it pays, or if they must."""
    declarations, importers = economy.declarations, economy.importers
    if declarations is not None and _is_time_to_decide(economy):
        pays = tracing_pays(*_duties_ahead(economy, declarations), _cost_ahead(economy))
        importers.is_traced = ~importers.knows_without_tracing & (_obliged(economy) | pays)


def _is_time_to_decide(economy: Economy) -> bool:
    """The first month, January, or when a measure on content is announced, starts or moves."""
    now = economy.date
    minded = (
        law.instrument
        for law in economy.tariff_schedule.laws
        if law.instrument.declares == "content" or law.instrument.tracing_share(1.0)
    )
    return (
        economy.month == 0
        or now % 12 == JANUARY
        or any(
            (now == instrument.known_from and any(instrument.path.values))
            or instrument.rate_in_force(now) != instrument.rate_in_force(now - 1)
            for instrument in minded
        )
    )


def _obliged(economy: Economy) -> Bool:
    """(J,) importers that must trace."""
    importers, codes = economy.importers, economy.constants.codes
    share = np.zeros((len(codes.markets), len(codes.devices)))
    for law, rate in zip(economy.tariff_schedule.laws, economy.policy.rates, strict=True):
        if part := law.instrument.tracing_share(rate):
            scope = law.scope.reshape(len(codes.devices), len(codes.origins), -1)[:, 0].T
            share = np.maximum(share, part * scope)
    return np.asarray(importers.size_rank < share[importers.market, importers.device])


def _duties_ahead(economy: Economy, declarations: Declarations) -> tuple[Float, Float]:
    """(J,) USD of duty over the months in which tracing must pay: without it, and with it.

    Who traces knows its own content; who does not expects the mean of its device in its market.
    """
    flows, importers, schedule = economy.flows, economy.importers, economy.tariff_schedule
    now, foresight = economy.date, schedule.foresight
    months = range(now, now + economy.scenario.compliance.payback_months)
    ahead = schedule.regime(
        [sum(w.instrument.rate_expected(t, now, foresight) for t in months) for w in schedule.laws]
    )
    known: list[tuple[str | None, Float]] = []
    unknown: list[tuple[str | None, Float]] = []
    shipments = product_shipments(economy)
    for declared in declared_duties(declarations, ahead, shipments, flow_cells(economy)):
        if declared.is_declared:
            group = declared.law.instrument.stacking_group
            known.append((group, declared.parts.sum(axis=-1)))
            unknown.append((group, declared.unknown))
    own, without = (
        sum_by(
            flows.importer, (stacked(duties) + np.zeros(len(flows))) * flows.units, len(importers)
        )
        for duties in (known, unknown)
    )
    n_devices = len(economy.constants.codes.devices)
    cell = importers.market * n_devices + importers.device
    worth = _value(economy)
    n_cells = n_devices * len(economy.constants.codes.markets)
    mean = sum_by(cell, own, n_cells) / np.maximum(sum_by(cell, worth, n_cells), 1e-300)
    return without, np.where(importers.is_traced, own, mean[cell] * worth)


def _value(economy: Economy) -> Float:
    """(J,) USD a month brought in at present."""
    flows, makers = economy.flows, economy.makers
    value = makers.customs_value[flows.maker] * flows.units
    return sum_by(flows.importer, value, len(economy.importers))


def _cost_ahead(economy: Economy) -> Float:
    """(J,) USD that tracing costs over the months in which it must pay."""
    months = economy.scenario.compliance.payback_months
    return np.asarray(months * economy.importers.tracing_rate * _value(economy))


def audit_importers(economy: Economy, draws: Draws) -> None:
    """Customs: audits find duty evaded in the months before; it is due, and a penalty on top."""
    declarations, importers, flows = economy.declarations, economy.importers, economy.flows
    if declarations is None:
        return
    enforcement, n = declarations.enforcement(economy.policy.regime), len(importers)
    evaded = importers.evaded.copy()
    evaded[:, economy.month % enforcement.lookback_months] = sum_by(
        flows.importer, flows.evaded_duty * flows.units, n
    )
    audited = (
        draws.uniform("audits", economy.month, n) < (enforcement.audits / 12)[importers.market]
    )
    finds = draws.uniform("audit finds", economy.month, n) < enforcement.detection[importers.market]
    found = audited & finds
    importers.back_duty = np.where(found, evaded.sum(axis=1), 0.0)
    importers.penalty = enforcement.penalty[importers.market] * importers.back_duty
    importers.evaded = np.where(found[:, None], 0.0, evaded)

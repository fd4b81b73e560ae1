"""Duties that importers foresee on what they bring in, ahead of which they stock up (MODEL 4.4)."""

from __future__ import annotations

import numpy as np

from tariffsim import kernels as k
from tariffsim.behaviour.assembly import product_elsewhere
from tariffsim.law.duty_tables import Regime
from tariffsim.law.expectations import Future
from tariffsim.law.expected_burden import ExpectedBurden
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, Int


def new_duty_under(economy: Economy, regime: Regime, months: int = 0) -> Float:
    """(L,) USD a unit that new duties of a regime would cost importers of what is brought in.

    From the country of assembly so many months from now, after the shifts under way.
    """
    flows, burden = economy.flows, ExpectedBurden.of(economy)
    who = burden.beliefs(regime, flows.importer, flows.market)
    duty = burden.on_product(who, economy.shipments(), economy.flow_cells, regime)
    arrives = flows.arrival_month
    moves = np.flatnonzero((arrives >= 0) & (arrives <= k.months_later(economy.month, months)))
    if len(moves):
        duty[moves] = _new_duty_from(economy, moves, flows.next_origin[moves], regime)
    return duty


def _new_duty_from(economy: Economy, flow: Int, origin: Int, regime: Regime) -> Float:
    """(rows,) the same of flows that were assembled in other countries (rows,)."""
    flows, burden = economy.flows, ExpectedBurden.of(economy)
    future = Future.of(regime, economy.tariff_schedule)
    product = product_elsewhere(economy, flow, origin[:, None], future)
    who = burden.beliefs(regime, flows.importer[flow, None], product.market)
    return burden.on_product(who, product.shipments, product.cell, regime)[:, 0]


def rise_ahead(economy: Economy) -> tuple[Float, Float]:
    """(L,) months to the first rise of each flow's duty that is in reach, and USD a unit it adds.

    In reach is what comes within the most months of sales that anybody would hold. Flows that shift
    owe what is due on products from their new country from the month on in which they arrive.
    """
    flows, now = economy.flows, economy.regime_of_today()
    left, saved = np.ones(len(flows)), np.zeros(len(flows))
    regime, value, owed = now, flows.customs_value, None
    for months in k.months_in_reach(economy.scenario.trade.front_loading_months):
        ahead = economy.regime_ahead(months)
        moves = flows.arrival_month == k.months_later(economy.month, months)
        if ahead != regime or moves.any():
            later = new_duty_under(economy, ahead, months)
            owed = new_duty_under(economy, now) if owed is None else owed
            rise = k.duty_rise(owed, later, value)
            first = (rise > 0) & (saved == 0)
            left, saved = np.where(first, months, left), np.where(first, rise, saved)
            regime = ahead
    return left, saved

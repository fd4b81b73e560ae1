"""Importers buy ahead of duty rises that they know of, and sell what they hold (MODEL 4.4)."""

from __future__ import annotations

from math import ceil

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.kernels.inventory import months_worth_holding
from tariffsim.law import Regime
from tariffsim.phases.borne import flows_duty
from tariffsim.phases.shipped import flow_cells, product_shipments
from tariffsim.phases.trade import as_the_law_says
from tariffsim.typing import Float

LEAST_RISE = 1e-12
"""Part of customs value below which a duty has risen by rounding only."""


def buy_ahead(economy: Economy, draws: Draws) -> None:
    """Importers: order what consumers want, and stock up ahead of a duty rise."""
    flows = economy.flows
    flows.wanted = flows.orders + flows.backlog
    months_left, saved = _rise_ahead(economy)
    if not saved.any() and not flows.stock.any():
        flows.purchases = flows.wanted
        return
    trade, value = economy.scenario.trade, economy.makers.customs_value[flows.maker]
    months = months_worth_holding(saved, value, trade.carrying_cost, trade.front_loading_months)
    lacking = months * flows.wanted - flows.stock
    builds = np.maximum(lacking, 0.0) / months_left
    sells = np.minimum(np.maximum(-lacking, 0.0), flows.wanted)
    flows.purchases = flows.wanted + builds - sells


def _rise_ahead(economy: Economy) -> tuple[Float, Float]:
    """(L,) months to the first rise of each flow's duty that is in reach, and USD a unit it adds.

    In reach is what comes within the most months of sales that anybody would hold.
    """
    flows, now = economy.flows, economy.law.regime
    left, saved = np.ones(len(flows)), np.zeros(len(flows))
    regime, value = now, economy.makers.customs_value[flows.maker]
    for months in range(1, ceil(economy.scenario.trade.front_loading_months) + 1):
        ahead = economy.tariffs.regime_ahead(economy.date, months)
        if ahead != regime:
            rise = _duty_under(economy, ahead) - _duty_under(economy, now)
            first = (rise > LEAST_RISE * value) & (saved == 0)
            left, saved = np.where(first, months, left), np.where(first, rise, saved)
            regime = ahead
    return left, saved


def _duty_under(economy: Economy, regime: Regime) -> Float:
    """(L,) USD a unit of new duty that importers would bear on what is brought in."""
    shipments, cell = product_shipments(economy), flow_cells(economy)
    if economy.claims is not None:
        return flows_duty(economy, economy.claims, shipments, cell, regime)
    duties = as_the_law_says(economy, shipments, cell, regime)
    return sum(duties.values(), start=np.zeros(len(economy.flows)))

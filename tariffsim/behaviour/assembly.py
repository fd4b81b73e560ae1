"""Makers, rarely, choose another country of assembly (MODEL 4.3)."""

from __future__ import annotations

import numpy as np

from tariffsim import kernels as k
from tariffsim.behaviour.counterfactual_product import counterfactual_product, duty_at_border
from tariffsim.law.expectations import Future
from tariffsim.state.constants import ASSEMBLY
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, Int


def lines_reconsidering(economy: Economy, draws: Draws) -> tuple[Int, Float]:
    """(rows,) lines that may move, none of them moving already, and (rows, O) their noise."""
    makers, hazard = economy.makers, economy.scenario.assembly.hazard
    maker = np.flatnonzero(draws.uniform("plant opens", economy.month, len(makers)) < hazard)
    n_origins = len(economy.constants.codes.origins)
    noise = draws.exponential("country noise", economy.month, len(maker), n_origins)
    is_free = makers.move_month[maker] < 0
    return maker[is_free], noise[is_free]


def country_weights(economy: Economy, maker: Int) -> Float:
    """(rows, O) odds of each country of assembly, before inertia."""
    foundries, makers = economy.foundries, economy.makers
    futures = economy.policy.expected.of_kind(ASSEMBLY)
    cost = k.weighted_sum(
        [future.weight[ASSEMBLY, makers.device[maker]][:, None] for future in futures],
        [_landed_cost(economy, maker, foundries.price, future) for future in futures],
    )
    none = Future((), economy.tariff_schedule.tables(()), np.ones((1, 1)))
    base = _landed_cost(economy, maker, foundries.base_price, none, switching=False)
    odds = economy.origin_odds[makers.odds_row[maker]]
    factor = k.cost_odds(cost, base, economy.scenario.assembly.elasticity)
    return k.choice_odds(odds, 1.0, 1.0, factor)


def _landed_cost(
    economy: Economy, maker: Int, price: Float, future: Future, switching: bool = True
) -> Float:
    """(rows, O) unit cost at each country plus the mean duty over the line's markets, USD."""
    origins = np.arange(len(economy.constants.codes.origins))
    everywhere = np.broadcast_to(origins, (len(maker), len(origins)))
    supplier = economy.makers.supplier[maker]
    product = counterfactual_product(economy, maker, supplier, everywhere, price, future, switching)
    return k.total(product.cost, duty_at_border(economy, maker, product, future))

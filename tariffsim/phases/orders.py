"""Orders go back to foundries, to refill the stocks of makers (MODEL 4.6)."""

from __future__ import annotations

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.kernels.demand import adjusted_orders
from tariffsim.kernels.inventory import refill_orders, stock_target
from tariffsim.kernels.slots import by_supplier
from tariffsim.kernels.sums import sum_by
from tariffsim.kernels.supply import buyer_mix
from tariffsim.phases.restrictions import keep_back
from tariffsim.typing import Float


def order_chips(economy: Economy, draws: Draws) -> None:
    """Makers and other buyers order chips from foundries."""
    makers, flows, foundries = economy.makers, economy.flows, economy.foundries
    units = sum_by(flows.maker, flows.purchases, len(makers))
    makers.need = units[:, None] * makers.chips
    makers.opening_stock = makers.stock
    makers.chip_orders = makers.need
    if economy.scenario.orders.stock_factor > 0:
        target = stock_target(makers.need, makers.past_need, makers.stock_months[:, None])
        makers.chip_orders = refill_orders(makers.need, makers.stock, target)
    makers.past_need = np.stack([makers.need, makers.past_need[:, 0]], axis=1)
    keep_back(economy)
    _order_for_others(economy)
    let_through = makers.chip_orders * makers.let_through
    for_lines = by_supplier(let_through, makers.supplier, len(foundries))
    foundries.orders = for_lines + foundries.other_orders


def _order_for_others(economy: Economy) -> None:
    """Buyers outside the device groups: demand grows like the rest, the mix follows prices."""
    foundries, buyers = economy.foundries, economy.scenario.other_buyers
    base = np.where(foundries.base_capacity > 0, foundries.base_capacity, 1.0)
    size = (foundries.capacity / base) ** economy.scenario.sourcing.size_term
    total_base = foundries.other_base.sum(axis=0)
    base_mix = foundries.other_base / np.where(total_base > 0, total_base, 1.0)
    wanted = buyer_mix(base_mix, size, foundries.price / foundries.base_price, buyers.elasticity)
    foundries.other_share = adjusted_orders(foundries.other_share, wanted, buyers.adjustment)
    foundries.other_orders = foundries.other_share * total_base * other_growth(economy)


def other_growth(economy: Economy) -> Float:
    """(K,) growth of other buyers' demand: that of the chips in devices at base prices."""
    figures, chips = economy.figures, economy.base_chips
    years = economy.month / 12
    growth = (1 + figures.market_growth) ** years
    content = (1 + economy.scenario.trade.chip_content_growth) ** years
    return np.asarray(growth @ chips / chips.sum(axis=0) * content)

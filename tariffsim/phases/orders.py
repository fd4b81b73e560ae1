"""Orders go back to foundries; what is scarce is shared pro rata (MODEL 4.6)."""

from __future__ import annotations

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.kernels.demand import adjusted_orders
from tariffsim.kernels.slots import by_supplier, of_suppliers
from tariffsim.kernels.sums import least_over_slots, sum_by
from tariffsim.kernels.supply import buyer_mix, experience, fill_rates, output_with_overflow
from tariffsim.typing import Float


def order_chips(economy: Economy, draws: Draws) -> None:
    """Makers and other buyers order chips from foundries."""
    makers, flows, foundries = economy.makers, economy.flows, economy.foundries
    units = sum_by(flows.maker, flows.orders, len(makers))
    _order_for_others(economy)
    chips = units[:, None] * makers.chips
    for_lines = by_supplier(chips, makers.supplier, len(foundries))
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


def deliver(economy: Economy, draws: Draws) -> None:
    """Foundries fill orders, sharing overflow; assembly needs every chip; goods are delivered."""
    makers, flows, foundries = economy.makers, economy.flows, economy.foundries
    foundries.fill = fill_rates(foundries.orders, foundries.capacity, foundries.bloc)
    filled = np.where(makers.has_slot, of_suppliers(foundries.fill, makers.supplier), 1.0)
    makers.fill = least_over_slots(filled)
    flows.units = flows.orders * makers.fill[flows.maker]
    makers.units = sum_by(flows.maker, flows.units, len(makers))
    chips = makers.units[:, None] * makers.chips
    foundries.line_sales = by_supplier(chips, makers.supplier, len(foundries))
    foundries.sales = foundries.line_sales + foundries.other_orders * foundries.fill
    foundries.output = output_with_overflow(foundries.sales, foundries.capacity, foundries.bloc)
    foundries.experience = foundries.experience + experience(
        foundries.output, economy.scenario.supply.learning_spillover
    )
    busy = foundries.orders / np.where(foundries.capacity > 0, foundries.capacity, 1.0)
    foundries.utilisation = np.where(foundries.capacity > 0, busy, foundries.base_utilisation)

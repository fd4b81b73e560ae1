"""What is scarce is shared out, second sources step in, lines stop without a chip (MODEL 4.6)."""

from __future__ import annotations

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.kernels.allocation import fills_by_rank
from tariffsim.kernels.inventory import units_short
from tariffsim.kernels.slots import by_supplier, of_suppliers
from tariffsim.kernels.sums import least_over_slots, over_slots, sum_by
from tariffsim.kernels.supply import experience, output_with_overflow
from tariffsim.phases.restrictions import let_through
from tariffsim.typing import Bool, Float

CONTRACT_MONTHS = 12
"""With `contract_first`, slots supplied for so long come first."""
LEAST_UNMET = 1e-12
"""Part of a slot's orders below which nothing is unmet but by rounding."""


def deliver(economy: Economy, draws: Draws) -> None:
    """Foundries fill orders, second sources step in; lines assemble; goods are delivered."""
    makers, has_stock = economy.makers, economy.scenario.orders.stock_factor > 0
    current, met, restocked = _filled(economy)
    sent = current * met + restocked
    second = _from_second_sources(economy, current * (1 - met), sent)
    if has_stock:
        available = makers.stock + sent + second
        met = available / np.where(makers.need > 0, makers.need, 1.0)
    elif second.ndim:
        met = met + second / np.where(makers.need > 0, makers.need, 1.0)
    makers.fill = np.minimum(least_over_slots(np.where(makers.need > 0, met, 1.0)), 1.0)
    _hand_over(economy)
    used = makers.units[:, None] * makers.chips
    if has_stock:
        makers.stock = np.maximum(available - used, 0.0)
    else:  # orders for the chips of lost units are cancelled
        sent = np.where(second > 0, np.minimum(sent, used), used)
        second = np.where(second > 0, used - sent, 0.0) if second.ndim else second
    _pay_and_make(economy, sent, second)


def _filled(economy: Economy) -> tuple[Float, Float, Float]:
    """(N, K) orders for this month's use, the part of them filled, and chips to restock."""
    makers, foundries = economy.makers, economy.foundries
    current = np.minimum(makers.need, makers.chip_orders)
    restock = makers.chip_orders - current
    first = _comes_first(economy)
    fills = fills_by_rank([foundries.orders], foundries.capacity, foundries.bloc)
    if (fills[0] < 1).any() and (economy.scenario.orders.stock_factor > 0 or not first.all()):
        ranks = [current * first, current * ~first, restock]
        ordered = [
            by_supplier(makers.let_through * r, makers.supplier, len(foundries)) for r in ranks
        ]
        ordered[0] = ordered[0] + foundries.other_orders
        fills = fills_by_rank(ordered, foundries.capacity, foundries.bloc)
    foundries.fill = fills[0]
    of_slots = [of_suppliers(fill, makers.supplier) * makers.let_through for fill in fills]
    met = of_slots[0] if len(fills) == 1 else np.where(first, of_slots[0], of_slots[1])
    return current, met, restock * of_slots[-1]


def _comes_first(economy: Economy) -> Bool:
    """(N, K) slots that are served first; other chip buyers always are."""
    makers, figures = economy.makers, economy.figures
    rule = economy.scenario.orders.allocation
    if rule == "contract_first":
        return np.asarray(economy.month - makers.supplied_since >= CONTRACT_MONTHS)
    if rule == "domestic_first":
        made = figures.region_market[economy.foundries.region[makers.supplier]]
        return np.asarray(made == figures.origin_market[makers.origin][:, None])
    return np.ones(makers.supplier.shape, dtype=bool)


def _from_second_sources(economy: Economy, unmet: Float, sent: Float) -> Float:
    """(N, K) chips from second sources with spare lines; () if nobody asks for any.

    `unmet` are chips for this month's use that the supplier lacks, `sent` those it delivers.
    """
    makers, foundries = economy.makers, economy.foundries
    region = foundries.region
    asks = makers.has_second_source & (unmet > LEAST_UNMET * makers.need)
    asks &= region[makers.second_source] != region[makers.supplier]
    if not asks.any():
        return np.zeros(())
    asked = np.where(asks, unmet * let_through(economy, makers.second_source), 0.0)
    sales = (
        by_supplier(sent, makers.supplier, len(foundries)) + foundries.other_orders * foundries.fill
    )
    spare = foundries.capacity - output_with_overflow(sales, foundries.capacity, foundries.bloc)
    wanted = by_supplier(asked, makers.second_source, len(foundries))
    foundries.orders = foundries.orders + wanted
    part = np.clip(spare / np.where(wanted > 0, wanted, 1.0), 0.0, 1.0)
    return np.asarray(asked * of_suppliers(part, makers.second_source))


def _hand_over(economy: Economy) -> None:
    """Units go from makers to importers, and what consumers want from them to consumers."""
    makers, flows = economy.makers, economy.flows
    flows.units = flows.purchases * makers.fill[flows.maker]
    if flows.blocked.any():
        ordered = sum_by(flows.maker, flows.purchases, len(makers))
        blocked = sum_by(flows.maker, flows.purchases * flows.blocked, len(makers))
        mean = blocked / np.where(ordered > 0, ordered, 1.0)
        short = units_short(
            flows.purchases, flows.blocked, 1 - makers.fill[flows.maker], mean[flows.maker]
        )
        flows.units = flows.purchases - short
    makers.units = sum_by(flows.maker, flows.units, len(makers))
    held = flows.stock + flows.units
    flows.sold = np.minimum(flows.wanted, held)
    flows.stock = held - flows.sold
    missed = flows.wanted - flows.sold
    flows.backlog = economy.scenario.orders.backlog_share * missed
    flows.lost = missed - flows.backlog


def _pay_and_make(economy: Economy, sent: Float, second: Float) -> None:
    """Chips delivered, by suppliers and by second sources (N, K), are paid and made."""
    makers, foundries = economy.makers, economy.foundries
    foundries.line_sales = by_supplier(sent, makers.supplier, len(foundries))
    makers.chip_payments = over_slots(makers.chip_value) * makers.units
    makers.offset_payments = makers.chip_offset * makers.units[:, None]
    if second.ndim or economy.scenario.orders.stock_factor > 0:
        units_worth = sent / np.where(makers.chips > 0, makers.chips, 1.0)
        paid = makers.chip_value * units_worth
        paid = paid + second * of_suppliers(foundries.price, makers.second_source)
        makers.chip_payments = over_slots(paid)
        makers.offset_payments = makers.chip_offset * units_worth
    if second.ndim:
        by_second = by_supplier(second, makers.second_source, len(foundries))
        foundries.line_sales = foundries.line_sales + by_second
    foundries.sales = foundries.line_sales + foundries.other_orders * foundries.fill
    foundries.output = output_with_overflow(foundries.sales, foundries.capacity, foundries.bloc)
    foundries.experience = foundries.experience + experience(
        foundries.output, economy.scenario.supply.learning_spillover
    )
    busy = foundries.orders / np.where(foundries.capacity > 0, foundries.capacity, 1.0)
    foundries.utilisation = np.where(foundries.capacity > 0, busy, foundries.base_utilisation)

"""From orders to deliveries: stocks, rationing, second sources, stops (MODEL 4.4, 4.6)."""

from __future__ import annotations

from math import ceil

import numpy as np

from tariffsim.behaviour.prices_and_demand import as_the_law_says
from tariffsim.kernels.demand import adjusted_orders
from tariffsim.kernels.inventory import (
    fill_rates_by_rank,
    months_worth_holding,
    refill_orders,
    stock_target,
    units_short,
)
from tariffsim.kernels.sums import by_supplier, least_over_slots, of_suppliers, over_slots, sum_by
from tariffsim.kernels.supply import buyer_mix, experience, output_with_overflow
from tariffsim.law.duty_tables import Regime
from tariffsim.law.expected_burden import flows_duty
from tariffsim.law.supply_limits import delivered_share, restrict_deliveries
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy, flow_cells, product_shipments
from tariffsim.typing import Bool, Float

LEAST_RISE = 1e-12
"""Part of customs value below which a duty has risen by rounding only."""


def front_load(economy: Economy, draws: Draws) -> None:
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
    flows, now = economy.flows, economy.policy.regime
    left, saved = np.ones(len(flows)), np.zeros(len(flows))
    regime, value = now, economy.makers.customs_value[flows.maker]
    for months in range(1, ceil(economy.scenario.trade.front_loading_months) + 1):
        ahead = economy.tariff_schedule.regime_ahead(economy.date, months)
        if ahead != regime:
            rise = _duty_under(economy, ahead) - _duty_under(economy, now)
            first = (rise > LEAST_RISE * value) & (saved == 0)
            left, saved = np.where(first, months, left), np.where(first, rise, saved)
            regime = ahead
    return left, saved


def _duty_under(economy: Economy, regime: Regime) -> Float:
    """(L,) USD a unit of new duty that importers would bear on what is brought in."""
    shipments, cell = product_shipments(economy), flow_cells(economy)
    if economy.declarations is not None:
        return flows_duty(economy, economy.declarations, shipments, cell, regime)
    duties = as_the_law_says(economy, shipments, cell, regime)
    return sum(duties.values(), start=np.zeros(len(economy.flows)))


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
    restrict_deliveries(economy)
    _order_for_others(economy)
    delivered_share = makers.chip_orders * makers.delivered_share
    for_lines = by_supplier(delivered_share, makers.supplier, len(foundries))
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
    constants, chips = economy.constants, economy.base_chips
    years = economy.month / 12
    growth = (1 + constants.market_growth) ** years
    content = (1 + economy.scenario.trade.chip_content_growth) ** years
    return np.asarray(growth @ chips / chips.sum(axis=0) * content)


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
    makers.fill_rate = np.minimum(least_over_slots(np.where(makers.need > 0, met, 1.0)), 1.0)
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
    fill_rates = fill_rates_by_rank([foundries.orders], foundries.capacity, foundries.bloc)
    if (fill_rates[0] < 1).any() and (economy.scenario.orders.stock_factor > 0 or not first.all()):
        ranks = [current * first, current * ~first, restock]
        ordered = [
            by_supplier(makers.delivered_share * r, makers.supplier, len(foundries)) for r in ranks
        ]
        ordered[0] = ordered[0] + foundries.other_orders
        fill_rates = fill_rates_by_rank(ordered, foundries.capacity, foundries.bloc)
    foundries.fill_rate = fill_rates[0]
    of_slots = [
        of_suppliers(fill_rate, makers.supplier) * makers.delivered_share
        for fill_rate in fill_rates
    ]
    met = of_slots[0] if len(fill_rates) == 1 else np.where(first, of_slots[0], of_slots[1])
    return current, met, restock * of_slots[-1]


def _comes_first(economy: Economy) -> Bool:
    """(N, K) slots that are served first; other chip buyers always are."""
    makers, constants = economy.makers, economy.constants
    rule = economy.scenario.orders.allocation
    if rule == "contract_first":
        return np.asarray(economy.month - makers.supplied_since >= CONTRACT_MONTHS)
    if rule == "domestic_first":
        made = constants.region_market[economy.foundries.region[makers.supplier]]
        return np.asarray(made == constants.origin_market[makers.origin][:, None])
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
    asked = np.where(asks, unmet * delivered_share(economy, makers.second_source), 0.0)
    sales = (
        by_supplier(sent, makers.supplier, len(foundries))
        + foundries.other_orders * foundries.fill_rate
    )
    spare = foundries.capacity - output_with_overflow(sales, foundries.capacity, foundries.bloc)
    wanted = by_supplier(asked, makers.second_source, len(foundries))
    foundries.orders = foundries.orders + wanted
    part = np.clip(spare / np.where(wanted > 0, wanted, 1.0), 0.0, 1.0)
    return np.asarray(asked * of_suppliers(part, makers.second_source))


def _hand_over(economy: Economy) -> None:
    """Units go from makers to importers, and what consumers want from them to consumers."""
    makers, flows = economy.makers, economy.flows
    flows.units = flows.purchases * makers.fill_rate[flows.maker]
    if flows.blocked.any():
        ordered = sum_by(flows.maker, flows.purchases, len(makers))
        blocked = sum_by(flows.maker, flows.purchases * flows.blocked, len(makers))
        mean = blocked / np.where(ordered > 0, ordered, 1.0)
        short = units_short(
            flows.purchases, flows.blocked, 1 - makers.fill_rate[flows.maker], mean[flows.maker]
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
    makers.counter_subsidy_payments = makers.chip_counter_subsidy * makers.units[:, None]
    if second.ndim or economy.scenario.orders.stock_factor > 0:
        units_worth = sent / np.where(makers.chips > 0, makers.chips, 1.0)
        paid = makers.chip_value * units_worth
        paid = paid + second * of_suppliers(foundries.price, makers.second_source)
        makers.chip_payments = over_slots(paid)
        makers.counter_subsidy_payments = makers.chip_counter_subsidy * units_worth
    if second.ndim:
        by_second = by_supplier(second, makers.second_source, len(foundries))
        foundries.line_sales = foundries.line_sales + by_second
    foundries.sales = foundries.line_sales + foundries.other_orders * foundries.fill_rate
    foundries.output = output_with_overflow(foundries.sales, foundries.capacity, foundries.bloc)
    foundries.experience = foundries.experience + experience(
        foundries.output, economy.scenario.supply.learning_spillover
    )
    busy = foundries.orders / np.where(foundries.capacity > 0, foundries.capacity, 1.0)
    foundries.utilisation = np.where(foundries.capacity > 0, busy, foundries.base_utilisation)

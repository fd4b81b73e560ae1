"""From orders to deliveries: denied supply, rationing, second sources, line stops (MODEL 4.6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.kernels.accounts import payment, total
from tariffsim.kernels.demand import adjusted_orders, other_growth, relative_price
from tariffsim.kernels.inventory import (
    cancelled,
    chips_needed,
    chips_sent,
    coverage,
    delivered,
    denied_share,
    fill_rate,
    fill_rates_by_rank,
    is_older,
    is_short,
    mean_delivered,
    mean_denied,
    split_orders,
    stock_left,
    units_left,
    units_short,
    unmet,
)
from tariffsim.kernels.sourcing import size_factor
from tariffsim.kernels.sums import by_supplier, least_over_slots, of_suppliers, over_slots
from tariffsim.kernels.supply import buyer_mix, mix_of, other_orders, spare_capacity
from tariffsim.state.economy import Economy
from tariffsim.typing import Bool, Float, Int

CONTRACT_MONTHS = 12
"""With `contract_first`, slots supplied for so long come first."""


@dataclass(frozen=True)
class Deliveries:
    """Chips delivered to the lines this month, (N, K)."""

    sent: Float
    """By suppliers."""
    second: Float
    """By second sources; () if nobody asks any."""

    @property
    def has_second(self) -> bool:
        """Whether any second source was asked."""
        return bool(self.second.ndim)


# Orders.


def denied_to_flows(economy: Economy, supplier: Int) -> Float:
    """(L, K) denied share of the chips for each flow from suppliers (N, K); () for none."""
    table, flows, makers = economy.policy.limits.supply, economy.flows, economy.makers
    if table is None:
        return np.zeros(())
    cell = economy.flow_cells[:, None]
    region = economy.foundries.region[supplier[flows.maker]]
    denied = denied_share(table[cell, np.arange(supplier.shape[1]), region])
    return np.where(makers.has_slot[flows.maker], denied, 0.0)


def delivered_to_lines(economy: Economy, supplier: Int, denied: Float) -> Float:
    """(N, K) share of the chips that suppliers (N, K) may deliver, mean over a line's flows."""
    flows = economy.flows
    if not denied.ndim:
        return np.ones(supplier.shape)
    return mean_delivered(flows.purchases, denied, flows.maker, len(economy.makers))


def order_for_others(economy: Economy) -> None:
    """Buyers outside the device groups: demand grows like the rest, the mix follows prices."""
    foundries, buyers = economy.foundries, economy.scenario.other_buyers
    constants, trade = economy.constants, economy.scenario.trade
    size = size_factor(
        foundries.capacity, foundries.base_capacity, economy.scenario.sourcing.size_term
    )
    price = relative_price(foundries.price, foundries.base_price)
    wanted = buyer_mix(mix_of(foundries.other_base), size, price, buyers.elasticity)
    foundries.other_share = adjusted_orders(foundries.other_share, wanted, buyers.adjustment)
    growth = other_growth(
        constants.market_growth, trade.chip_content_growth, economy.years, economy.base_chips
    )
    foundries.other_orders = other_orders(foundries.other_share, foundries.other_base, growth)


# Deliveries.


def deliveries(economy: Economy) -> tuple[Deliveries, Float]:
    """What suppliers and second sources deliver, and (N, K) what it covers of each slot's need."""
    makers = economy.makers
    current, met, restocked = _filled(economy)
    sent = chips_sent(current, met, restocked)
    second = _from_second_sources(economy, unmet(current, met), sent)
    if economy.scenario.orders.stock_factor > 0:
        met = coverage(total(makers.stock, sent, second), makers.need)
    elif second.ndim:
        met = total(met, coverage(second, makers.need))
    return Deliveries(sent, second), met


def _filled(economy: Economy) -> tuple[Float, Float, Float]:
    """(N, K) orders for this month's use, the share of them filled, and chips to restock."""
    makers, foundries = economy.makers, economy.foundries
    current, restock = split_orders(makers.need, makers.chip_orders)
    first = _comes_first(economy)
    fill_rates = fill_rates_by_rank([foundries.orders], foundries.capacity, foundries.bloc)
    has_ranks = economy.scenario.orders.stock_factor > 0 or not first.all()
    if (fill_rates[0] < 1).any() and has_ranks:
        ranks = [np.where(first, current, 0.0), np.where(first, 0.0, current), restock]
        ordered = [
            by_supplier(delivered(r, makers.delivered_share), makers.supplier, len(foundries))
            for r in ranks
        ]
        ordered[0] = total(ordered[0], foundries.other_orders)
        fill_rates = fill_rates_by_rank(ordered, foundries.capacity, foundries.bloc)
    foundries.fill_rate = fill_rates[0]
    of_slots = [
        delivered(of_suppliers(rate, makers.supplier), makers.delivered_share)
        for rate in fill_rates
    ]
    met = of_slots[0] if len(of_slots) == 1 else np.where(first, of_slots[0], of_slots[1])
    return current, met, delivered(restock, of_slots[-1])


def _comes_first(economy: Economy) -> Bool:
    """(N, K) slots that are served first; other chip buyers always are."""
    makers, constants = economy.makers, economy.constants
    rule = economy.scenario.orders.allocation
    if rule == "contract_first":
        return is_older(economy.month, makers.supplied_since, CONTRACT_MONTHS)
    if rule == "domestic_first":
        made = constants.region_market[economy.foundries.region[makers.supplier]]
        return np.asarray(made == constants.origin_market[makers.origin][:, None])
    return np.ones(makers.supplier.shape, dtype=bool)


def _from_second_sources(economy: Economy, lacking: Float, sent: Float) -> Float:
    """(N, K) chips from second sources with spare capacity; () if nobody asks for any.

    `lacking` are chips for this month's use that suppliers lack, `sent` those they deliver.
    """
    makers, foundries = economy.makers, economy.foundries
    region, n_foundries = foundries.region, len(economy.foundries)
    asks = makers.has_second_source & is_short(lacking, makers.need)
    asks &= region[makers.second_source] != region[makers.supplier]
    if not asks.any():
        return np.zeros(())
    denied = denied_to_flows(economy, makers.second_source)
    share = delivered_to_lines(economy, makers.second_source, denied)
    asked = np.where(asks, delivered(lacking, share), 0.0)
    others = delivered(foundries.other_orders, foundries.fill_rate)
    sales = total(by_supplier(sent, makers.supplier, n_foundries), others)
    spare = spare_capacity(sales, foundries.capacity, foundries.bloc)
    wanted = by_supplier(asked, makers.second_source, n_foundries)
    foundries.orders = total(foundries.orders, wanted)
    return delivered(asked, of_suppliers(fill_rate(spare, wanted), makers.second_source))


def lowest_coverage(economy: Economy, met: Float) -> Float:
    """(N,) share of its orders that each line can build: the chip it lacks most stops it."""
    needed = np.where(economy.makers.need > 0, met, 1.0)
    return np.minimum(least_over_slots(needed), 1.0)


def units_to_flows(economy: Economy) -> Float:
    """(L,) units delivered; flows whose chips are denied go short first."""
    makers, flows = economy.makers, economy.flows
    rate = makers.fill_rate[flows.maker]
    if not flows.denied_share.any():
        return delivered(flows.purchases, rate)
    mean = mean_denied(flows.purchases, flows.denied_share, flows.maker, len(makers))
    short = units_short(flows.purchases, flows.denied_share, denied_share(rate), mean)
    return units_left(flows.purchases, short)


def use_chips(economy: Economy, chips: Deliveries) -> Deliveries:
    """Lines build their units: stocks are drawn on, or orders for units not built cancelled."""
    makers = economy.makers
    used = chips_needed(makers.units, makers.chips)
    if economy.scenario.orders.stock_factor > 0:
        available = total(makers.stock, chips.sent, chips.second)
        makers.stock = stock_left(available, used)
        return chips
    sent, second = cancelled(chips.sent, chips.second, used)
    return Deliveries(sent, second if chips.has_second else chips.second)


def pay_for_chips(economy: Economy, chips: Deliveries) -> None:
    """Chips delivered are invoiced at the line's price, those of second sources at the posted."""
    makers, foundries, n_foundries = economy.makers, economy.foundries, len(economy.foundries)
    foundries.line_sales = by_supplier(chips.sent, makers.supplier, n_foundries)
    if not chips.has_second and economy.scenario.orders.stock_factor == 0:
        makers.chip_payments = payment(over_slots(makers.chip_value), makers.units)
        makers.counter_subsidy_payments = chips_needed(makers.units, makers.chip_counter_subsidy)
        return
    worth = coverage(chips.sent, makers.chips)
    price = of_suppliers(foundries.price, makers.second_source)
    paid = total(payment(makers.chip_value, worth), payment(chips.second, price))
    makers.chip_payments = over_slots(paid)
    makers.counter_subsidy_payments = payment(makers.chip_counter_subsidy, worth)
    if chips.has_second:
        by_second = by_supplier(chips.second, makers.second_source, n_foundries)
        foundries.line_sales = total(foundries.line_sales, by_second)

"""From orders to deliveries: denied supply, rationing, second sources, line stops (MODEL 4.6)."""

from __future__ import annotations

import numpy as np

from tariffsim import kernels as k
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, Int, days_in

CONTRACT_MONTHS = 12
"""With `contract_first`, slots supplied for so long come first."""


# Orders.


def denied_to_flows(economy: Economy, supplier: Int) -> Float:
    """(L, K) denied share of the chips for each flow from suppliers (N, K); () for none."""
    table, flows, makers = economy.policy.limits.supply, economy.flows, economy.makers
    if table is None:
        return np.zeros(())
    region = economy.foundries.region[supplier[flows.maker]]
    line, parts = flows.line[:, None], np.arange(len(makers.slot_class))
    share = table.at(economy.flow_cells[:, None], makers.slot_class, line, parts, region)
    denied = k.denied_share(share)
    return np.where(makers.has_slot[flows.maker], denied, 0.0)


def delivered_to_lines(economy: Economy, supplier: Int, denied: Float) -> Float:
    """(N, K) share of the chips that suppliers (N, K) may deliver, mean over a line's flows."""
    flows = economy.flows
    if not denied.ndim:
        return np.ones(supplier.shape)
    mean = k.mean_over_flows(denied, flows.purchases, flows.maker, len(economy.makers))
    return np.maximum(k.denied_share(mean), 0.0)


def order_for_others(economy: Economy) -> None:
    """Buyers outside the device groups: demand grows like the rest, the mix follows prices."""
    foundries, buyers = economy.foundries, economy.scenario.other_buyers
    constants, trade = economy.constants, economy.scenario.trade
    size = k.size_factor(
        foundries.capacity, foundries.base_capacity, economy.scenario.sourcing.size_term
    )
    price = k.ratio(foundries.price, foundries.base_price)
    wanted = k.buyer_mix(k.shares(foundries.other_base), size, price, buyers.elasticity)
    foundries.other_share = k.adjusted_orders(foundries.other_share, wanted, buyers.adjustment)
    growth = k.other_growth(
        constants.market_growth, trade.chip_content_growth, economy.years, economy.base_chips
    )
    learned = k.learning_index(
        foundries.experience, foundries.base_experience, economy.scenario.supply.learning
    )
    base = k.shares(foundries.other_base)
    factor = k.demand_of_others(
        k.times(foundries.other_share, foundries.price).sum(axis=0),
        k.times(base, foundries.base_price).sum(axis=0),
        k.times(foundries.other_share, learned).sum(axis=0),
        buyers.demand_elasticity,
    )
    growth = k.times(growth, factor)
    foundries.other_orders = k.other_orders(foundries.other_share, foundries.other_base, growth)


# Deliveries.


def deliveries(economy: Economy) -> tuple[Float, Float, Float]:
    """(N, K) chips from suppliers and from second sources, and what they cover of the need."""
    makers = economy.makers
    current, met, restocked = _filled(economy)
    sent = k.total(k.delivered(current, met), restocked)
    lacking = k.delivered(current, k.denied_share(met))
    second = _from_second_sources(economy, lacking, sent)
    if economy.scenario.orders.stock_factor > 0:
        return sent, second, k.coverage(k.total(makers.stock, sent, second), makers.need)
    return sent, second, k.total(met, k.coverage(second, makers.need))


def _filled(economy: Economy) -> tuple[Float, Float, Float]:
    """(N, K) orders for this month's use, the share of them filled, and chips to restock."""
    makers, foundries = economy.makers, economy.foundries
    current = np.minimum(makers.need, makers.chip_orders)
    restock = k.left_over(makers.chip_orders, current)
    first = _comes_first(economy)
    fill_rates = k.fill_rates_by_rank([foundries.orders], foundries.capacity, foundries.bloc)
    has_ranks = economy.scenario.orders.stock_factor > 0 or (first < 1).any()
    if (fill_rates[0] < 1).any() and has_ranks:
        of_first = k.delivered(current, first)
        ranks = [of_first, k.left_over(current, of_first), restock]
        ordered = [
            k.by_supplier(
                k.delivered(rank, makers.delivered_share), makers.supplier, makers.slot_class,
                len(foundries),
            )
            for rank in ranks
        ]  # fmt: skip
        ordered[0] = k.total(ordered[0], foundries.other_orders)
        fill_rates = k.fill_rates_by_rank(ordered, foundries.capacity, foundries.bloc)
    foundries.fill_rate = fill_rates[0]
    of_slots = [
        k.delivered(
            k.of_suppliers(rate, makers.supplier, makers.slot_class), makers.delivered_share
        )
        for rate in fill_rates
    ]
    met = of_slots[0] if len(of_slots) == 1 else k.blend(first, of_slots[0], of_slots[1])
    return current, met, k.delivered(restock, of_slots[-1])


def _comes_first(economy: Economy) -> Float:
    """(N, P) share of the orders of slots that is served first; other chip buyers always are."""
    makers, constants = economy.makers, economy.constants
    rule = economy.scenario.orders.allocation
    if rule == "contract_first":
        return (k.months_later(makers.supplied_since, CONTRACT_MONTHS) <= economy.month).astype(
            float
        )
    if rule == "domestic_first":
        flows = economy.flows
        made = constants.region_market[economy.foundries.region[makers.supplier[flows.maker]]]
        at_home = (made == economy.home[:, None]).astype(float)
        return k.mean_over_flows(at_home, flows.purchases, flows.maker, len(makers))
    return np.ones(makers.supplier.shape)


def _from_second_sources(economy: Economy, lacking: Float, sent: Float) -> Float:
    """(N, K) chips from second sources with spare capacity.

    `lacking` are chips for this month's use that suppliers lack, `sent` those they deliver.
    """
    makers, foundries = economy.makers, economy.foundries
    region, n_foundries = foundries.region, len(economy.foundries)
    asks = makers.has_second_source & k.is_short(lacking, makers.need)
    asks &= region[makers.second_source] != region[makers.supplier]
    if not asks.any():
        return np.zeros(asks.shape)
    denied = denied_to_flows(economy, makers.second_source)
    share = delivered_to_lines(economy, makers.second_source, denied)
    asked = np.where(asks, k.delivered(lacking, share), 0.0)
    others = k.delivered(foundries.other_orders, foundries.fill_rate)
    sales = k.total(k.by_supplier(sent, makers.supplier, makers.slot_class, n_foundries), others)
    spare = k.spare_capacity(sales, foundries.capacity, foundries.bloc)
    wanted = k.by_supplier(asked, makers.second_source, makers.slot_class, n_foundries)
    foundries.orders = k.total(foundries.orders, wanted)
    return k.delivered(
        asked, k.of_suppliers(k.fill_rate(spare, wanted), makers.second_source, makers.slot_class)
    )


def lowest_coverage(economy: Economy, met: Float) -> Float:
    """(N,) share of its orders for which each line has chips: the one it lacks most stops it."""
    needed = np.where(economy.makers.need > 0, met, 1.0)
    return np.minimum(k.least_over_slots(needed), 1.0)


def left_of_restart(economy: Economy, coverage: Float) -> Float:
    """(N,) share of a month in which lines work, after one in which they lacked chips.

    `coverage` (N,) is the share of orders for which they had chips then.
    """
    weeks = economy.scenario.orders.restart_weeks
    return k.left_after_restart(coverage, weeks, days_in(economy.date))


def only_for_use(economy: Economy, chip_orders: Float, denied: Float) -> Float:
    """(N, P) chip orders without those to restock where deliveries have just resumed.

    They resume in the month in which less is denied than in the one before, or nothing more; slots
    that have another supplier since order as usual. `denied` is that of `denied_to_flows`.
    """
    makers, months = economy.makers, economy.scenario.orders.resume_months
    before, makers.most_denied = makers.most_denied, np.zeros(chip_orders.shape)
    if denied.ndim:
        np.maximum.at(makers.most_denied, economy.flows.maker, denied)
    is_denied = makers.most_denied > 0
    resumed = (economy.month <= k.months_later(makers.last_denied, months)) & ~is_denied
    resumed |= is_denied & (makers.most_denied < before) & (months > 0)
    resumed &= makers.supplied_since <= makers.last_denied
    makers.last_denied = np.where(is_denied, economy.month, makers.last_denied)
    return np.where(resumed, np.minimum(chip_orders, makers.need), chip_orders)


def units_to_flows(economy: Economy) -> Float:
    """(L,) units delivered; flows whose chips are denied go short first."""
    makers, flows = economy.makers, economy.flows
    rate = makers.fill_rate[flows.maker]
    if not flows.denied_share.any():
        return k.delivered(flows.purchases, rate)
    denied = flows.denied_share
    mean = k.mean_over_flows(denied, flows.purchases, flows.maker, len(makers))[flows.maker]
    short = k.units_short(flows.purchases, denied, k.denied_share(rate), mean)
    total = k.delivered(k.sum_by(flows.maker, flows.purchases, len(makers)), makers.fill_rate)
    return k.adding_up_to(total, k.left_over(flows.purchases, short), flows.maker)


def use_chips(economy: Economy, sent: Float, second: Float) -> tuple[Float, Float]:
    """Lines build their units: stocks are drawn on, or orders for units not built cancelled."""
    makers = economy.makers
    used = k.times(makers.units[:, None], makers.chips)
    if economy.scenario.orders.stock_factor == 0:
        return k.cancelled(sent, second, used)
    makers.stock = np.maximum(k.left_over(k.total(makers.stock, sent, second), used), 0.0)
    return sent, second


def pay_for_chips(economy: Economy, sent: Float, second: Float) -> None:
    """Chips delivered are invoiced at the line's price, those of second sources at the posted."""
    makers, foundries, n_foundries = economy.makers, economy.foundries, len(economy.foundries)
    by_first = k.by_supplier(sent, makers.supplier, makers.slot_class, n_foundries)
    by_second = k.by_supplier(second, makers.second_source, makers.slot_class, n_foundries)
    foundries.line_sales = k.total(by_first, by_second)
    worth = k.coverage(sent, makers.chips)
    price = k.of_suppliers(foundries.price, makers.second_source, makers.slot_class)
    paid = k.total(k.times(makers.chip_value, worth), k.times(second, price))
    makers.chip_payments = k.over_slots(paid)
    makers.counter_subsidy_payments = k.times(makers.chip_counter_subsidy, worth)

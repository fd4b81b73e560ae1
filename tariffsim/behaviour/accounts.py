"""Who pays whom: payments are booked from the payer's and the receiver's side (MODEL 4.7)."""

from __future__ import annotations

import numpy as np

from tariffsim import kernels as k
from tariffsim.state import incomes
from tariffsim.state.economy import Economy
from tariffsim.state.ledger import Ledger
from tariffsim.typing import Float


def book_products(economy: Economy, ledger: Ledger) -> None:
    """What consumers, importers and governments pay and receive on products."""
    flows, importers = economy.flows, economy.importers
    trade, n = economy.scenario.trade, ledger.n_markets
    units, sold = flows.units, flows.sold

    def by_market(values: Float) -> Float:
        return k.sum_by(flows.market, values, n)

    def by_importer(values: Float) -> Float:
        return k.sum_by(flows.importer, values, len(importers))

    def of_importers(values: Float) -> Float:
        return k.sum_by(importers.market, values, n)

    home, customs_value = economy.home, flows.customs_value
    sales = k.times(flows.price, sold)
    received = by_importer(sales)
    distribution = k.distribution_cost(
        trade.retail_margin, trade.importer_profit, flows.base_landed, sold
    )
    ex_works = k.times(flows.ex_works, units)
    imported_at = k.times(customs_value, units)
    cheaper = k.times(k.left_over(flows.ex_works, customs_value), units)
    freight = k.times(trade.freight, imported_at)
    carrying = k.times(k.times(trade.carrying_cost, customs_value), flows.stock)
    given_back = k.times(k.rebate(flows.new_duty, trade.border_pass_through), units)
    duty = k.times(k.total(flows.base_duty, flows.new_duty), units)
    compliance = k.times(flows.compliance_cost, units)
    importers.customs_value = by_importer(imported_at)
    importers.duty = by_importer(duty)
    importers.profit = incomes.importer_profit(economy)
    book = ledger.book
    book("retail sales", "consumers", by_market(sales), "importers", of_importers(received))
    book("ex-works sales", "importers", of_importers(by_importer(ex_works)), "device makers",
         k.sum_by(home, ex_works, n))  # fmt: skip
    book("exchange", "device makers", k.sum_by(home, cheaper, n), "importers", by_market(cheaper))
    book("duty rebates", "device makers", k.sum_by(home, given_back, n), "importers",
         by_market(given_back))  # fmt: skip
    book("duties on products", "importers", of_importers(importers.duty), "government",
         by_market(duty))  # fmt: skip
    for name, found in (("back duties", importers.back_duty), ("penalties", importers.penalty)):
        book(name, "importers", of_importers(found), "government", of_importers(found))
    refund, to_makers = of_importers(importers.refund), economy.maker_refund
    book("duty refunds", "government", refund, "importers", refund)
    book("duty refunds", "government", to_makers, "device makers", to_makers)
    world_freight = k.times(trade.freight, imported_at.sum(keepdims=True))
    book("freight", "importers", by_market(freight), "other suppliers", world_freight)
    for name, paid, by_payer in (
        ("retail distribution", distribution, by_market(distribution)),
        ("carrying of stocks", carrying, by_market(carrying)),
        ("compliance", compliance, of_importers(by_importer(compliance))),
    ):
        book(name, "importers", by_payer, "other suppliers", paid.sum(keepdims=True))


def book_makers(economy: Economy, ledger: Ledger) -> None:
    """What makers pay besides chips, and the duty of each instrument."""
    makers, flows, constants = economy.makers, economy.flows, economy.constants
    home, n, maker = economy.home, ledger.n_markets, flows.maker
    amortised = makers.amortised_cost(economy.month)[maker]
    versions = economy.version_overhead()[maker]
    cost_factor = constants.relative_cost[makers.base_origin[maker], flows.origin]
    others = k.times(makers.other_inputs[maker], cost_factor)
    for name, values in (
        ("other inputs", k.times(others, flows.units)),
        ("standby of second sources", k.times(makers.standby_cost[maker], flows.units)),
        ("carrying of stocks", k.times(makers.carrying_cost[maker], flows.units)),
        ("switching of suppliers", k.times(amortised, flows.units)),
        ("versions of products", k.times(versions, flows.units)),
        ("relocation", flows.relocation),
    ):
        paid = k.sum_by(home, values, n)
        ledger.book(name, "device makers", paid, "other suppliers", values.sum(keepdims=True))
    cheaper = k.times(k.left_over(others, k.times(others, flows.exchange)), flows.units)
    ledger.book("exchange", "rest", cheaper.sum(keepdims=True), "device makers",
                k.sum_by(home, cheaper, n))  # fmt: skip
    bare = k.times(flows.bare_duty, flows.units)
    by_origin = k.sum_by(flows.origin, bare, len(constants.origin_market))
    received = k.sum_by(constants.origin_market, by_origin, n)
    ledger.book("duties on unmounted chips", "device makers", k.sum_by(home, bare, n),
                "government", received)  # fmt: skip
    _duty_by_instrument(economy)


def _duty_by_instrument(economy: Economy) -> None:
    """Duty of each instrument, and value of the chips that enter each country of assembly."""
    makers, flows, base = economy.makers, economy.flows, economy.tariff_schedule.base_bare
    economy.policy_duty = np.zeros(len(economy.tariff_schedule.laws))
    for number, duty in economy.instrument_duty.items():
        economy.policy_duty[number] = k.times(duty, flows.units).sum()
    origin, codes = makers.chip_origin.take(flows.maker, axis=0), economy.constants.codes
    at = codes.taxed_chip(flows.origin[:, None], makers.slot_class, origin)
    value = k.times(makers.chip_value.take(flows.maker, axis=0), flows.units[:, None])
    economy.chips_entered = k.sum_by(at.ravel(), value.ravel(), base.size).reshape(base.shape)
    for number, rate in economy.policy.in_force.bare_by_law.items():
        economy.policy_duty[number] = k.ad_valorem(rate, economy.chips_entered).sum()


def book_chips(economy: Economy, ledger: Ledger) -> None:
    """What makers, other buyers and China's treasury pay foundries, and what foundries spend."""
    makers, foundries, constants = economy.makers, economy.foundries, economy.constants
    n = ledger.n_markets
    market = constants.region_market[foundries.region]

    def of_foundries(values: Float) -> Float:
        return k.sum_by(market, values.sum(axis=1), n)

    def in_all(values: Float) -> Float:
        return np.asarray(values.sum(keepdims=True).ravel())

    price = foundries.price
    given, taken = k.overflow_payments(price, foundries.sales, foundries.output, foundries.bloc)
    foundries.revenue = incomes.foundry_revenue(economy)
    foundries.cost = incomes.foundry_cost(economy)
    cost = k.foundry_cost(
        foundries.output,
        foundries.capacity,
        foundries.unit_cost,
        foundries.base_utilisation,
        economy.scenario.supply.variable_cost_share,
    )
    rebates = k.by_supplier(
        makers.counter_subsidy_payments, makers.supplier, makers.slot_class, len(foundries)
    )
    for_lines = k.left_over(k.times(price, foundries.line_sales), rebates)
    for_others = k.times(price, k.left_over(foundries.sales, foundries.line_sales))
    others = k.times(k.times(price, foundries.other_orders), foundries.fill_rate)
    subsidy = of_foundries(k.times(foundries.subsidy, foundries.output))
    rebated = of_foundries(rebates)
    paid = k.sum_by(economy.home, economy.of_flows(makers.chip_payments), n)
    book = ledger.book
    book("chips for devices", "device makers", paid, "foundries", of_foundries(for_lines))
    book("counter-subsidies", "government", rebated, "foundries", rebated)
    book("chips for other buyers", "other chip buyers", in_all(others), "foundries",
         of_foundries(for_others))  # fmt: skip
    book("overflow between foundries", "foundries", of_foundries(given), "foundries",
         of_foundries(taken))  # fmt: skip
    book("foundry costs", "foundries", of_foundries(cost), "other suppliers",
         in_all(cost))  # fmt: skip
    book("subsidies", "government", subsidy, "foundries", subsidy)
    for name, by_region in (
        ("capacity grants", economy.investment.grants),
        ("investment credits", economy.investment.credits),
    ):
        paid = k.sum_by(constants.region_market, by_region, n)
        book(name, "government", paid, "foundries", paid)

"""Who pays whom: payments are booked from the payer's and the receiver's side (MODEL 4.7)."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.pricing import rebate
from tariffsim.kernels.sums import by_supplier, over_slots, sum_by
from tariffsim.kernels.supply import foundry_cost
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy, Foundries
from tariffsim.state.ledger import BY_MARKET, PAYMENTS, WORLD, Ledger
from tariffsim.typing import Float


def keep_accounts(economy: Economy, draws: Draws) -> None:
    """Customs and everybody else: duty, subsidies, costs and profits are booked."""
    codes = economy.constants.codes
    n_markets = len(codes.markets)
    columns = len(BY_MARKET) * n_markets + len(WORLD)
    ledger = Ledger(np.zeros((len(PAYMENTS), columns)), n_markets)
    _book_products(economy, ledger)
    _book_makers(economy, ledger)
    _book_chips(economy, ledger)
    ledger.close()
    economy.ledger = ledger.values


def _book_products(economy: Economy, ledger: Ledger) -> None:
    """What consumers, importers and governments pay and receive on products."""
    flows, makers, importers = economy.flows, economy.makers, economy.importers
    trade, n = economy.scenario.trade, ledger.n_markets
    units, sold = flows.units, flows.sold

    def by_market(values: Float) -> Float:
        return np.asarray(economy.by_cell(values).reshape(n, -1).sum(axis=1))

    def by_importer(values: Float) -> Float:
        return sum_by(flows.importer, values, len(importers))

    def of_importers(values: Float) -> Float:
        return sum_by(importers.market, values, n)

    home = economy.constants.origin_market[makers.origin]
    sales = flows.price * sold
    received = by_importer(sales)
    distribution = (trade.retail_margin - trade.importer_profit) * flows.base_landed * sold
    ex_works = makers.customs_value[flows.maker] * units
    carrying = trade.carrying_cost * makers.customs_value[flows.maker] * flows.stock
    given_back = rebate(flows.new_duty, trade.border_pass_through) * units
    duty = (flows.base_duty + flows.new_duty) * units
    importers.customs_value = by_importer(ex_works)
    importers.duty = by_importer(duty)
    compliance = flows.compliance_cost * units
    spent = distribution + ex_works * (1 + trade.freight) + duty - given_back
    spent = spent + compliance + carrying
    importers.profit = received - by_importer(spent) - importers.back_duty - importers.penalty
    world = makers.customs_value @ makers.units
    ledger.book("retail sales", "consumers", by_market(sales), "importers", of_importers(received))
    ledger.book(
        "retail distribution", "importers", by_market(distribution), "other suppliers",
        distribution.sum(keepdims=True),
    )  # fmt: skip
    ledger.book(
        "ex-works sales", "importers", of_importers(importers.customs_value), "device makers",
        sum_by(home, makers.customs_value * makers.units, n),
    )  # fmt: skip
    ledger.book(
        "duty rebates",
        "device makers",
        sum_by(home[flows.maker], given_back, n),
        "importers",
        by_market(given_back),
    )
    ledger.book(
        "freight", "importers", by_market(trade.freight * ex_works), "other suppliers",
        np.array([trade.freight * world]),
    )  # fmt: skip
    ledger.book(
        "carrying of stocks", "importers", by_market(carrying), "other suppliers",
        carrying.sum(keepdims=True),
    )  # fmt: skip
    ledger.book(
        "duties on products", "importers", of_importers(importers.duty), "government",
        by_market(duty),
    )  # fmt: skip
    for payment, found in (("back duties", importers.back_duty), ("penalties", importers.penalty)):
        ledger.book(payment, "importers", of_importers(found), "government", of_importers(found))
    ledger.book(
        "compliance", "importers", of_importers(by_importer(compliance)), "other suppliers",
        compliance.sum(keepdims=True),
    )  # fmt: skip


def _book_makers(economy: Economy, ledger: Ledger) -> None:
    """What makers pay besides chips, and the duty of each instrument."""
    makers, flows, constants = economy.makers, economy.flows, economy.constants
    home = constants.origin_market[makers.origin]

    def of_makers(values: Float) -> Float:
        return sum_by(home, values, ledger.n_markets)

    amortised = makers.amortised_cost(economy.month)
    others = makers.unit_cost - makers.chip_bill - amortised
    for payment, values in (
        ("other inputs", others * makers.units),
        ("switching of suppliers", amortised * makers.units),
        ("relocation", makers.relocation),
    ):
        paid = of_makers(values)
        ledger.book(payment, "device makers", paid, "other suppliers", values.sum(keepdims=True))
    bare = over_slots(makers.bare_duty) * makers.units
    by_origin = sum_by(makers.origin, bare, len(constants.origin_market))
    ledger.book(
        "duties on bare chips", "device makers", of_makers(bare), "government",
        sum_by(constants.origin_market, by_origin, ledger.n_markets),
    )  # fmt: skip
    economy.policy_duty = np.zeros(len(economy.tariff_schedule.laws))
    for i, duty in economy.instrument_duty.items():
        economy.policy_duty[i] = duty @ flows.units
    _bare_duties(economy)


def _bare_duties(economy: Economy) -> None:
    """Value of the chips that enter each country of assembly, and each instrument's duty on it."""
    makers, codes, base = economy.makers, economy.constants.codes, economy.tariff_schedule.base_bare
    at = codes.slot(makers.origin[:, None], np.arange(base.shape[1]), makers.chip_region)
    value = makers.chip_value * makers.units[:, None]
    economy.chips_entered = sum_by(at.ravel(), value.ravel(), base.size).reshape(base.shape)
    for i, rate in economy.policy.in_force.bare_by_law.items():
        economy.policy_duty[i] = (rate * economy.chips_entered).sum()


def _book_chips(economy: Economy, ledger: Ledger) -> None:
    """What makers, other buyers and China's treasury pay foundries, and what foundries spend."""
    makers, foundries, constants = economy.makers, economy.foundries, economy.constants
    variable = economy.scenario.supply.variable_cost_share
    home = constants.origin_market[makers.origin]

    def of_foundries(values: Float) -> Float:
        market = constants.region_market[foundries.region]
        return sum_by(market, values.sum(axis=1), ledger.n_markets)

    given, taken = overflow_payments(foundries)
    foundries.revenue = foundries.price * foundries.sales - given + taken
    for_lines = foundries.price * foundries.line_sales
    for_others = foundries.price * (foundries.sales - foundries.line_sales)
    offsets = by_supplier(makers.counter_subsidy_payments, makers.supplier, len(foundries))
    others = foundries.price * foundries.other_orders * foundries.fill_rate
    foundries.cost = costs = foundry_cost(
        foundries.output,
        foundries.capacity,
        foundries.unit_cost,
        foundries.base_utilisation,
        variable,
    )
    subsidy = foundries.subsidy * foundries.output
    ledger.book(
        "chips for devices", "device makers", sum_by(home, makers.chip_payments, ledger.n_markets),
        "foundries", of_foundries(for_lines - offsets),
    )  # fmt: skip
    paid = of_foundries(offsets)
    ledger.book("counter-subsidies", "government", paid, "foundries", paid)
    ledger.book(
        "chips for other buyers", "other chip buyers", others.sum(keepdims=True).ravel()[:1],
        "foundries", of_foundries(for_others),
    )  # fmt: skip
    ledger.book(
        "overflow between foundries", "foundries", of_foundries(given), "foundries",
        of_foundries(taken),
    )  # fmt: skip
    ledger.book(
        "foundry costs", "foundries", of_foundries(costs), "other suppliers",
        costs.sum(keepdims=True).ravel()[:1],
    )  # fmt: skip
    ledger.book(
        "subsidies", "government", of_foundries(subsidy), "foundries", of_foundries(subsidy)
    )
    for payment, by_region in (
        ("capacity grants", economy.investment.grants),
        ("investment credits", economy.investment.credits),
    ):
        paid = sum_by(constants.region_market, by_region, ledger.n_markets)
        ledger.book(payment, "government", paid, "foundries", paid)


def overflow_payments(foundries: Foundries) -> tuple[Float, Float]:
    """(F, K) what foundries pass on for chips others made for them, and what those receive, USD."""
    given = foundries.price * np.maximum(foundries.sales - foundries.output, 0.0)
    made = np.maximum(foundries.output - foundries.sales, 0.0)
    bloc = foundries.bloc
    total = bloc.T @ (bloc @ made)
    taken = made / np.where(total > 0, total, 1.0) * (bloc.T @ (bloc @ given))
    return given, np.asarray(taken)

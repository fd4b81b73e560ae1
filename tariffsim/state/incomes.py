"""What each sector earns in a month, from what its agents bought, made and sold (MODEL 4.7).

The ledger's payments are checked against these incomes: nothing that books a payment computes
any of them.
"""

from __future__ import annotations

import numpy as np

from tariffsim import kernels as k
from tariffsim.state.economy import Economy
from tariffsim.typing import Float


def net_incomes(economy: Economy) -> dict[str, Float]:
    """What sectors earn less what they spend, USD a month, by market (M,) or of the world (1,)."""
    flows, foundries, constants = economy.flows, economy.foundries, economy.constants
    n = len(constants.codes.markets)
    fab_market = constants.region_market[foundries.region]
    subsidies = k.sum_by(fab_market, (foundries.subsidy * foundries.output).sum(axis=1), n)
    investment = economy.investment.grants + economy.investment.credits
    subsidies = subsidies + k.sum_by(constants.region_market, investment, n)
    earned = (foundry_revenue(economy) - foundry_cost(economy)).sum(axis=1)
    others = foundries.price * foundries.other_orders * foundries.fill_rate
    refunds = k.sum_by(economy.importers.market, economy.importers.refund, n)
    revenue = _revenue(economy, n) - refunds - economy.maker_refund
    return {
        "consumers": -k.sum_by(flows.market, flows.price * flows.sold, n),
        "importers": k.sum_by(economy.importers.market, importer_profit(economy), n),
        "device makers": k.sum_by(economy.home, _maker_profit(economy), n) + economy.maker_refund,
        "foundries": k.sum_by(fab_market, earned, n) + subsidies,
        "government": revenue - _counter_subsidies(economy, n) - subsidies,
        "other suppliers": np.array([_suppliers_income(economy)]),
        "other chip buyers": np.array([-others.sum()]),
    }


def importer_profit(economy: Economy) -> Float:
    """(J,) USD: margin on units sold, less the costs of those delivered and of selling."""
    flows, importers, trade = economy.flows, economy.importers, economy.scenario.trade
    landed = (1 + trade.freight) * flows.customs_value + flows.base_duty
    borne = landed + trade.border_pass_through * flows.new_duty + flows.compliance_cost
    margin = flows.price * flows.sold - borne * flows.units - _selling(economy)
    of_flows = k.sum_by(flows.importer, margin, len(importers))
    return np.asarray(of_flows - importers.back_duty - importers.penalty + importers.refund)


def foundry_revenue(economy: Economy) -> Float:
    """(F, K) USD: chips made for own orders, and for those of full foundries of the bloc."""
    foundries = economy.foundries
    own = np.minimum(foundries.sales, foundries.output)
    overflow = foundries.bloc @ (foundries.price * (foundries.sales - own))
    part = k.share_of_bloc(foundries.output - own, foundries.bloc)
    return np.asarray(foundries.price * own + part * (foundries.bloc.T @ overflow))


def foundry_cost(economy: Economy) -> Float:
    """(F, K) USD: variable cost of what is made, fixed cost of what stands."""
    foundries, variable = economy.foundries, economy.scenario.supply.variable_cost_share
    usual = foundries.base_utilisation * foundries.capacity
    return np.asarray(foundries.unit_cost * (variable * foundries.output + (1 - variable) * usual))


def _selling(economy: Economy) -> Float:
    """(L,) USD of retail distribution, and of holding products."""
    flows, trade = economy.flows, economy.scenario.trade
    distribution = (trade.retail_margin - trade.importer_profit) * flows.base_landed * flows.sold
    return np.asarray(distribution + trade.carrying_cost * flows.customs_value * flows.stock)


def _maker_profit(economy: Economy) -> Float:
    """(L,) USD: price less cost of units made, less duty absorbed, moves, and chips stocked."""
    makers, flows, trade = economy.makers, economy.flows, economy.scenario.trade
    cost = flows.unit_cost - (1 - flows.exchange) * _other_inputs(economy)
    stocked = makers.chip_payments - k.over_slots(makers.chip_value) * makers.units
    absorbed = (1 - trade.border_pass_through) * flows.new_duty
    made = (flows.customs_value - cost - absorbed) * flows.units - flows.relocation
    return np.asarray(made - economy.of_flows(stocked))


def _other_inputs(economy: Economy) -> Float:
    """(L,) USD a unit of inputs other than chips, where it is assembled."""
    makers, maker = economy.makers, economy.flows.maker
    location = economy.constants.relative_cost[makers.base_origin[maker], economy.flows.origin]
    return np.asarray(makers.other_inputs[maker] * location)


def _revenue(economy: Economy, n_markets: int) -> Float:
    """(M,) USD of duty by the records of customs, law by law, with what audits find."""
    flows, importers, constants = economy.flows, economy.importers, economy.constants
    duty = sum(economy.instrument_duty.values(), start=flows.base_duty) * flows.units
    rate = sum(
        economy.policy.in_force.bare_by_law.values(), start=economy.tariff_schedule.base_bare
    )
    bare = (rate * economy.chips_entered).sum(axis=(1, 2))
    found = importers.back_duty + importers.penalty
    return np.asarray(
        k.sum_by(flows.market, duty, n_markets)
        + k.sum_by(constants.origin_market, bare, n_markets)
        + k.sum_by(importers.market, found, n_markets)
    )


def _counter_subsidies(economy: Economy, n_markets: int) -> Float:
    """(M,) USD of the price of chips that the foundries' treasury pays for makers."""
    makers, region = economy.makers, economy.foundries.region[economy.makers.supplier]
    market = economy.constants.region_market[region]
    return k.sum_by(market.ravel(), makers.counter_subsidy_payments.ravel(), n_markets)


def _suppliers_income(economy: Economy) -> float:
    """USD that everything but chips, duty and work of the sectors themselves costs."""
    makers, flows, trade = economy.makers, economy.flows, economy.scenario.trade
    of_lines = makers.amortised_cost(economy.month) + economy.version_overhead()
    of_lines = of_lines + makers.standby_cost + makers.carrying_cost
    inputs = _other_inputs(economy) + of_lines[flows.maker]
    freight = trade.freight * flows.customs_value
    of_makers = (inputs + freight) @ flows.units + flows.relocation.sum()
    of_importers = flows.compliance_cost @ flows.units + _selling(economy).sum()
    return float(of_makers + of_importers + foundry_cost(economy).sum())

"""From makers' costs over duties to what consumers order (MODEL 4.4)."""

from __future__ import annotations

import numpy as np

from tariffsim.behaviour.compliance import declare
from tariffsim.kernels.demand import (
    adjusted_orders,
    cell_demand,
    ces_price_index,
    units_demanded,
)
from tariffsim.kernels.duties import due_of_each
from tariffsim.kernels.pricing import (
    ex_works_price,
    landed_cost,
    passed_on_duty,
    retail_price,
    unit_cost,
)
from tariffsim.kernels.sums import of_suppliers, over_slots
from tariffsim.law.duty_tables import Regime
from tariffsim.law.expected_burden import chip_counter_subsidy
from tariffsim.policy.shipments import Shipments
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy, flow_cells, product_shipments
from tariffsim.typing import Float, Int


def price_products(economy: Economy, draws: Draws) -> None:
    """Makers: unit costs follow chip prices and country of assembly; ex-works prices are set."""
    makers, constants = economy.makers, economy.constants
    _buy_chips(economy)
    cell = constants.codes.cell(makers.device, makers.origin, 0)
    slot = constants.codes.slot(cell[:, None], np.arange(makers.chips.shape[1]), makers.chip_region)
    makers.bare_duty = makers.chip_value * economy.policy.in_force.bare.take(slot)
    makers.chip_bill = over_slots(makers.chip_value + makers.bare_duty)
    amortised = makers.amortised_cost(economy.month)
    cost_factor = constants.cost_factor[makers.origin] / constants.cost_factor[makers.base_origin]
    makers.unit_cost = unit_cost(makers.other_inputs, cost_factor, makers.chip_bill, amortised)
    makers.customs_value = ex_works_price(makers.unit_cost, economy.scenario.trade.markup)


def _buy_chips(economy: Economy) -> None:
    """Chips in a unit, what they are invoiced at, and what China pays of their price."""
    makers, foundries, law = economy.makers, economy.foundries, economy.policy
    growth = (1 + economy.scenario.trade.chip_content_growth) ** (economy.month / 12)
    makers.chips = economy.constants.chips_per_unit.take(makers.device, axis=0) * growth
    if (law.chips_factor != 1).any():
        factor = law.chips_factor.take(makers.device, axis=0)
        makers.chips = makers.chips * np.einsum("nmk,nm->nk", factor, makers.weights)
    makers.chip_region = foundries.region.take(makers.supplier)
    price = of_suppliers(foundries.price, makers.supplier)
    part = chip_counter_subsidy(
        economy, law.in_force.chip_value[None], law.in_force.chip_count[None], 0,
        np.arange(len(makers))[:, None], makers.origin[:, None],
        np.arange(price.shape[1]), makers.chip_region, price,
    )  # fmt: skip
    makers.chip_counter_subsidy = makers.chips * price * part
    makers.chip_value = makers.chips * price - makers.chip_counter_subsidy


def assess_duties(economy: Economy, draws: Draws) -> None:
    """Customs: base duties and every instrument in force are assessed on each flow."""
    flows, schedule = economy.flows, economy.tariff_schedule
    shipments, cell = product_shipments(economy), flow_cells(economy)
    flows.base_duty = schedule.base_product[cell, 0] * shipments.customs_value
    if economy.declarations is not None:
        declare(economy, economy.declarations, shipments, cell)
    else:
        economy.instrument_duty = as_the_law_says(economy, shipments, cell, economy.policy.regime)
    flows.new_duty = sum(economy.instrument_duty.values(), start=np.zeros(len(flows)))


def as_the_law_says(
    economy: Economy, shipments: Shipments, cell: Int, regime: Regime
) -> dict[int, Float]:
    """USD a unit by law of a regime, if everybody declares the truth."""
    numbers: list[int] = []
    duties: list[tuple[str | None, Float]] = []
    for i, rate in regime:
        law = economy.tariff_schedule.laws[i]
        if not law.instrument.taxes_bare_chips:
            duty = law.instrument.duty(shipments, rate) * law.scope[cell]
            duty = duty * law.instrument.is_triggered(shipments)
            numbers.append(i)
            duties.append((law.instrument.stacking_group, duty))
    return dict(zip(numbers, due_of_each(duties), strict=True))


def set_retail_prices(economy: Economy, draws: Draws) -> None:
    """Importers: duty is passed on slowly; retail prices are set."""
    makers, flows, trade = economy.makers, economy.flows, economy.scenario.trade
    flows.passed_on = passed_on_duty(
        flows.passed_on,
        flows.new_duty + flows.penalty_cost,
        trade.pass_through,
        trade.pass_through_months,
    )
    landed = landed_cost(makers.customs_value[flows.maker], trade.freight, flows.base_duty)
    landed = landed + flows.compliance_cost
    flows.price = retail_price(landed, flows.base_landed, trade.retail_margin, flows.passed_on)


def order_units(economy: Economy, draws: Draws) -> None:
    """Consumers: demand by line follows prices; orders close on it."""
    flows, cells, constants = economy.flows, economy.cells, economy.constants
    n_markets = len(constants.codes.markets)
    elasticity = np.tile(constants.substitution_elasticity, n_markets)
    ratio = flows.price / flows.base_price
    power = ratio ** (1 - elasticity[flows.cell])
    cells.price_index = ces_price_index(
        power, flows.base_share, flows.cell, len(elasticity), elasticity
    )
    years = economy.month / 12
    growth = np.repeat((1 + constants.market_growth) ** years, len(constants.codes.devices))
    cells.growth = growth * economy.policy.units_factor
    demand = cell_demand(
        cells.price_index, elasticity, np.tile(constants.demand_elasticity, n_markets), cells.growth
    )
    desired = units_demanded(flows.base_units, ratio, power, demand[flows.cell])
    flows.orders = adjusted_orders(flows.orders, desired, economy.scenario.trade.order_adjustment)

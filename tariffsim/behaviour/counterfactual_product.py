"""Products as makers imagine them: with other suppliers, or assembled in another country."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.kernels.pricing import ex_works_price, unit_cost
from tariffsim.kernels.sums import over_slots
from tariffsim.law import expected_burden
from tariffsim.law.expectations import Future
from tariffsim.law.expected_burden import chip_counter_subsidy
from tariffsim.policy.shipments import Shipments
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, Int


@dataclass(frozen=True)
class CounterfactualProduct:
    """One unit of lines at each of some countries of assembly (O), for every market (M)."""

    cost: Float
    """(rows, O) USD, duty on chips entering bare included."""
    cell: Int
    """(rows, O, M) cells of the duty tables."""
    shipments: Shipments
    """(rows, O, M) as customs would see them."""


def make_counterfactual(
    economy: Economy,
    maker: Int,
    supplier: Int,
    origin: Int,
    price: Float,
    future: Future,
    switching: bool = True,
) -> CounterfactualProduct:
    """Lines with these suppliers (rows, K) at countries (rows, O) under the duties of a future."""
    makers, constants = economy.makers, economy.constants
    classes = np.arange(supplier.shape[1])
    region = economy.foundries.region[supplier][:, None, :]
    count = makers.chips[maker][:, None, :]
    each = price[supplier, classes][:, None, :]
    tables = future.tables
    part = chip_counter_subsidy(
        economy, tables.chip_value[None], tables.chip_count[None], 0, maker[:, None, None],
        origin[:, :, None], classes, region, each,
    )  # fmt: skip
    value = count * each * (1 - part)
    device = makers.device[maker][:, None]
    cell = constants.codes.cell(device, origin, 0)[:, :, None]
    bare = tables.bare.take(constants.codes.slot(cell, classes, region))
    factor = constants.cost_factor[origin] / constants.cost_factor[makers.base_origin[maker], None]
    bill = over_slots(value * (1 + bare))
    amortised = makers.amortised_cost(economy.month, maker)[:, None] * switching
    cost = unit_cost(makers.other_inputs[maker, None], factor, bill, amortised)
    cells = np.asarray(cell + np.arange(len(constants.codes.markets)))
    shipments = Shipments(
        constants.codes,
        ex_works_price(cost, economy.scenario.trade.markup)[:, :, None],
        economy.tariff_schedule.crosses_border[cells],
        value[:, :, None, :],
        count[:, :, None, :],
        region[:, :, None, :],
        classes,
    )
    return CounterfactualProduct(cost, cells, shipments)


def mean_over_markets(economy: Economy, maker: Int, duty: Float) -> Float:
    """(rows, O) mean of a duty (rows, O, M) over the markets that each line is sold to."""
    result: Float = np.einsum("nom,nm->no", duty, economy.makers.weights[maker])
    return result


def triggered_duty(
    economy: Economy, maker: Int, product: CounterfactualProduct, future: Future
) -> Float:
    """(rows, O) USD a unit that triggers are expected to cost."""
    if economy.declarations is None:
        schedule = economy.tariff_schedule
        duty = schedule.triggered_duty(future.regime, product.cell, product.shipments)
    else:
        of_products = maker, product.shipments, product.cell
        duty = expected_burden.triggered_duty(
            economy, economy.declarations, *of_products, future.regime
        )
    return mean_over_markets(economy, maker, duty)


def border_duty(
    economy: Economy, maker: Int, product: CounterfactualProduct, future: Future
) -> Float:
    """(rows, O) USD a unit due at the border, triggered duties included."""
    tables, shipments = future.tables, product.shipments
    duty = tables.product[product.cell] * shipments.customs_value
    if economy.declarations is not None:
        of_products = maker, shipments, product.cell
        duty = duty + expected_burden.lines_duty(
            economy, economy.declarations, *of_products, future.regime
        )
        return mean_over_markets(economy, maker, duty)
    if tables.has_chip_value or tables.has_chip_count:
        cell = product.cell[..., None]
        at = shipments.codes.slot(cell, shipments.chip_class, shipments.chip_region)
        by_value = shipments.chip_value * tables.chip_value.take(at)
        by_count = shipments.chip_count * tables.chip_count.take(at)
        duty = duty + over_slots(by_value + by_count)
    due = mean_over_markets(economy, maker, duty)
    if not economy.tariff_schedule.triggers:
        return due
    return due + triggered_duty(economy, maker, product, future)

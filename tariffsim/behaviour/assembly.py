"""Makers, rarely, choose another country of assembly (MODEL 4.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim import kernels as k
from tariffsim.law.expectations import Future
from tariffsim.law.expected_burden import CounterSubsidy, ExpectedBurden
from tariffsim.policy.shipments import Shipments
from tariffsim.state.constants import ASSEMBLY
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, Int


def lines_reconsidering(economy: Economy, draws: Draws) -> tuple[Int, Float]:
    """(rows,) lines that may move, none of them moving already, and (rows, O) their noise."""
    makers, hazard = economy.makers, economy.scenario.assembly.hazard
    maker = np.flatnonzero(draws.uniform("plant opens", economy.month, len(makers)) < hazard)
    n_origins = len(economy.constants.codes.origins)
    noise = draws.exponential("country noise", economy.month, len(maker), n_origins)
    is_free = makers.move_month[maker] < 0
    return maker[is_free], noise[is_free]


def country_weights(economy: Economy, maker: Int) -> Float:
    """(rows, O) odds of each country of assembly, before inertia."""
    foundries, makers = economy.foundries, economy.makers
    futures = economy.policy.expected.of_kind(ASSEMBLY)
    cost = k.weighted_sum(
        [future.weight[ASSEMBLY, makers.device[maker]][:, None] for future in futures],
        [_landed_cost(economy, maker, foundries.price, future) for future in futures],
    )
    none = Future((), economy.tariff_schedule.tables(()), np.ones((1, 1)))
    base = _landed_cost(economy, maker, foundries.base_price, none, switching=False)
    odds = economy.origin_odds[makers.odds_row[maker]]
    factor = k.cost_odds(cost, base, economy.scenario.assembly.elasticity)
    return k.choice_odds(odds, 1.0, 1.0, factor)


def _landed_cost(
    economy: Economy, maker: Int, price: Float, future: Future, switching: bool = True
) -> Float:
    """(rows, O) unit cost at each country plus the mean duty over the line's markets, USD."""
    origins = np.arange(len(economy.constants.codes.origins))
    everywhere = np.broadcast_to(origins, (len(maker), len(origins)))
    supplier = economy.makers.supplier[maker]
    product = counterfactual_product(economy, maker, supplier, everywhere, price, future, switching)
    return k.total(product.cost, expected_duty(economy, maker, product, future))


# Products with other suppliers, or assembled in another country.


@dataclass(frozen=True)
class CounterfactualProduct:
    """One unit of lines at each of some countries of assembly (O), for every market (M)."""

    cost: Float
    """(rows, O) USD, duty on unmounted chips included."""
    cell: Int
    """(rows, O, M) cells of the duty tables."""
    shipments: Shipments
    """(rows, O, M) as customs would see them."""


def counterfactual_product(
    economy: Economy,
    maker: Int,
    supplier: Int,
    origin: Int,
    price: Float,
    future: Future,
    switching: bool = True,
) -> CounterfactualProduct:
    """Lines with these suppliers (rows, K) at countries (rows, O) under the duties of a future."""
    makers, constants, tables = economy.makers, economy.constants, future.tables
    classes = makers.slot_class
    region = economy.foundries.region[supplier][:, None, :]
    count = makers.chips[maker][:, None, :]
    each = price[supplier, classes][:, None, :]
    rebate = CounterSubsidy.of(economy).share_of_price(
        (tables.chip_value[None], tables.chip_count[None]), 0, maker[:, None, None],
        origin[:, :, None], classes, region, each,
    )  # fmt: skip
    value = k.times(count, k.discounted(each, rebate))
    cells = constants.codes.cells_by_market(makers.device[maker][:, None], origin)
    bare = tables.bare[cells[:, :, :1], classes, region]
    base_origin = makers.base_origin[maker, None]
    amortised = makers.amortised_cost(economy.month, maker)[:, None]
    cost = k.unit_cost(
        makers.other_inputs[maker, None],
        constants.relative_cost[base_origin, origin],
        k.over_slots(k.total(value, k.ad_valorem(bare, value))),
        amortised if switching else np.zeros_like(amortised),
    )
    shipments = Shipments(
        constants.codes,
        k.ex_works_price(cost, economy.scenario.trade.markup)[:, :, None],
        economy.tariff_schedule.crosses_border[cells],
        value[:, :, None, :],
        count[:, :, None, :],
        region[:, :, None, :],
        classes,
    )
    return CounterfactualProduct(cost, cells, shipments)


def expected_duty(
    economy: Economy,
    maker: Int,
    product: CounterfactualProduct,
    future: Future,
    triggers_only: bool = False,
) -> Float:
    """(rows, O) USD a unit due at the border, or through triggers; mean over the line's markets."""
    burden, regime = ExpectedBurden.of(economy), future.regime
    at = burden.beliefs_by_market(regime, maker), product.shipments, product.cell, regime
    if triggers_only:
        duty = burden.on_content(*at, triggered_only=True)
    else:
        base = economy.tariff_schedule.base_product[product.cell, 0]
        duty = k.ad_valorem(base, product.shipments.customs_value)
        duty = k.total(duty, burden.on_product(*at))
    return k.over_markets(duty.swapaxes(1, 2), economy.makers.weights[maker])

"""Chips in a unit, what their supply costs beside, and exchange rates (MODEL 4.4)."""

from __future__ import annotations

import numpy as np

from tariffsim import kernels as k
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, Int


def chips_in_units(economy: Economy) -> Float:
    """(N, K) chips in a unit of each line, with growth of content and shifts of demand."""
    makers, factor = economy.makers, economy.policy.chips_factor
    base = economy.constants.chips_per_part.take(makers.device, axis=0)
    shift = np.ones_like(base)
    if (factor != 1).any():
        by_class = k.over_markets(factor.take(makers.device, axis=0), makers.weights)
        shift = by_class.take(makers.slot_class, axis=1)
    return k.chip_content(base, economy.scenario.trade.chip_content_growth, economy.years, shift)


def origins_of_chips(economy: Economy) -> Int:
    """(N, P) origin in law of the chips of each slot, by the region they are made in."""
    makers = economy.makers
    parts = np.arange(len(makers.slot_class))
    return economy.chip_origins.in_duties(makers.line[:, None], parts, makers.chip_region)


def duty_on_chips(economy: Economy, rate: Float) -> Float:
    """(L,) USD a unit of duty (cells, K, R) on chips that enter a flow's country unmounted."""
    makers, flows, codes = economy.makers, economy.flows, economy.constants.codes
    cell = codes.cell(makers.device[flows.maker], flows.origin, 0)[:, None]
    origin = makers.chip_origin.take(flows.maker, axis=0)
    of_slots = rate.take(codes.taxed_chip(cell, makers.slot_class, origin))
    return k.over_slots(k.ad_valorem(makers.chip_value.take(flows.maker, axis=0), of_slots))


def upkeep(economy: Economy, chip_value: Float, maker: Int) -> tuple[Float, Float]:
    """(rows,) USD a unit of some makers for second sources on standby, and for stocks of chips.

    `chip_value` (rows, P) is what the chips in a unit are worth.
    """
    makers, orders = economy.makers, economy.scenario.orders
    has_second = makers.has_second_source.take(maker, axis=0)
    return (
        k.standby_cost(chip_value, has_second, orders.standby_cost),
        k.chip_carrying_cost(chip_value, makers.stock_months[maker], orders.chip_carrying_cost),
    )


def markup(economy: Economy) -> Float | float:
    """Mark-up on unit cost: constant, or (L,) by last month's price relative to the market's."""
    trade, flows = economy.scenario.trade, economy.flows
    if trade.markup_elasticity == 0:
        return trade.markup
    own, of_market = k.ratio(flows.price, flows.base_price), economy.cells.price_index[flows.cell]
    return k.responsive_markup(trade.markup, k.ratio(own, of_market), trade.markup_elasticity)


def nests(economy: Economy) -> Int:
    """(L,) nest of each flow: its (market, device) and the line's base country of assembly."""
    flows, n_origins = economy.flows, len(economy.constants.codes.origins)
    shape = len(economy.cells.growth), n_origins
    nest = np.ravel_multi_index((flows.cell, economy.makers.base_origin[flows.maker]), shape)
    return np.asarray(nest)


def exchange(economy: Economy) -> Float:
    """(M,) prices of foreign makers in a market's money, relative to the rates of the base year.

    The currency of a market follows the duty that its importers paid last month on what they
    brought in, at the weights of the base year (MODEL 4.4).
    """
    flows, constants = economy.flows, economy.constants
    offset, n_markets = economy.scenario.trade.currency_offset, len(constants.codes.markets)
    if offset == 0:
        return np.ones(n_markets)
    base_origin = economy.makers.base_origin[flows.maker]
    value = k.times(flows.base_units, constants.unit_value[economy.makers.device[flows.maker]])
    weight = np.where(constants.origin_market[base_origin] != flows.market, value, 0.0)
    rise = k.mean_rate(flows.new_duty, flows.customs_value, weight, flows.market, n_markets)
    return k.exchange_factor(offset, constants.covered_import_share, rise)


def mean_of_lines(economy: Economy, values: Float) -> Float:
    """(N,) mean over the markets of each line, by units of the base year, of values (L,)."""
    flows, makers = economy.flows, economy.makers
    weighted = k.times(values, makers.weights[flows.maker, flows.market])
    return k.sum_by(flows.maker, weighted, len(makers))

"""Makers, rarely, choose another country of assembly (MODEL 4.3)."""

from __future__ import annotations

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.kernels.sourcing import cost_odds, race, with_inertia
from tariffsim.shipments import Shipments
from tariffsim.tariffs import DutyTables, Tariffs
from tariffsim.typing import Float, Int


def move_assembly(economy: Economy, draws: Draws) -> None:
    """Makers: lines whose new plant is ready assemble there."""
    makers = economy.makers
    due = makers.move_month == economy.month
    makers.origin = np.where(due, makers.next_origin, makers.origin)
    makers.move_month = np.where(due, -1, makers.move_month)


def choose_countries(economy: Economy, draws: Draws) -> None:
    """Makers: lines that reconsider choose a country of assembly."""
    makers, assembly = economy.makers, economy.scenario.assembly
    makers.relocation = np.zeros(len(makers))
    opens = draws.uniform("plant opens", economy.month, len(makers)) < assembly.hazard
    maker = np.flatnonzero(opens)
    n_origins = len(economy.figures.codes.origins)
    noise = draws.exponential("country noise", economy.month, len(maker), n_origins)
    is_free = makers.move_month[maker] < 0
    maker, noise = maker[is_free], noise[is_free]
    if not len(maker):
        return
    inertia = np.full(len(maker), (1 + assembly.relocation_cost) ** assembly.elasticity)
    weights = country_weights(economy, maker)
    choice = race(with_inertia(weights, makers.origin[maker], inertia), noise)
    moves = choice != makers.origin[maker]
    mover = maker[moves]
    makers.next_origin[mover] = choice[moves]
    makers.move_month[mover] = economy.month + assembly.lead_months
    rate = assembly.hazard + economy.scenario.sourcing.discount_rate / 12
    lifetime_value = makers.customs_value[mover] * makers.units[mover] / rate
    makers.relocation[mover] = assembly.relocation_cost * lifetime_value


def country_weights(economy: Economy, maker: Int) -> Float:
    """(rows, O) odds of each country of assembly, before inertia."""
    odds = economy.origin_odds[economy.makers.odds_row[maker]]
    foundries, expected = economy.foundries, economy.law.expected.tables
    kind = min(Tariffs.ASSEMBLY, len(expected.product) - 1)
    cost = landed_unit_cost(economy, maker, foundries.price, expected, kind)
    cost = cost + _triggered(economy, maker)
    base = landed_unit_cost(
        economy, maker, foundries.base_price, economy.tariffs.base_tables(), 0, amortised=False
    )
    return odds * cost_odds(cost, base, economy.scenario.assembly.elasticity)


def landed_unit_cost(
    economy: Economy,
    maker: Int,
    price: Float,
    tables: DutyTables,
    kind: int,
    amortised: bool = True,
) -> Float:
    """(rows, O) unit cost at each country plus the mean duty over the line's markets, USD."""
    makers, figures = economy.makers, economy.figures
    markup = economy.scenario.trade.markup
    classes = np.arange(makers.supplier.shape[1])
    supplier = makers.supplier[maker]
    count = makers.chips[maker][:, None, :]
    value = count * price[supplier, classes][:, None, :]
    cell = _cells(economy, maker)
    region = economy.foundries.region[supplier][:, None, :]
    bare = tables.bare[kind, cell[:, :, 0, None], classes, region]
    factor = figures.cost_factor / figures.cost_factor[makers.base_origin[maker], None]
    cost = makers.other_inputs[maker, None] * factor + (value * (1 + bare)).sum(axis=-1)
    if amortised:
        cost = cost + _amortised(economy, maker)[:, None]
    duty = tables.product[kind, cell] * (1 + markup) * cost[:, :, None]
    at = kind, cell[..., None], classes, region[:, None]
    if tables.has_chip_value:
        duty = duty + (value[:, :, None] * tables.chip_value[at]).sum(axis=-1)
    if tables.has_chip_count:
        duty = duty + (count[:, :, None] * tables.chip_count[at]).sum(axis=-1)
    return np.asarray(cost + (duty * makers.weights[maker][:, None, :]).sum(axis=-1))


def _cells(economy: Economy, maker: Int) -> Int:
    """(rows, O, M) cells of the duty tables."""
    codes = economy.figures.codes
    origins, markets = np.arange(len(codes.origins)), np.arange(len(codes.markets))
    device = economy.makers.device[maker][:, None, None]
    return np.asarray(codes.cell(device, origins[:, None], markets))


def _amortised(economy: Economy, maker: Int) -> Float:
    makers = economy.makers
    left = makers.amortised_until[maker] > economy.month
    return np.asarray((makers.amortised[maker] * left).sum(axis=1))


def _triggered(economy: Economy, maker: Int) -> Float | float:
    """(rows, O) mean duty that triggers are expected to cost with the suppliers in place, USD."""
    tariffs, makers = economy.tariffs, economy.makers
    if not tariffs.triggers:
        return 0.0
    foundries, codes = economy.foundries, economy.figures.codes
    cell = _cells(economy, maker)
    supplier = makers.supplier[maker]
    classes = np.arange(supplier.shape[1])
    count = makers.chips[maker][:, None, None, :]
    shipments = Shipments(
        codes,
        np.broadcast_to(makers.customs_value[maker][:, None, None], cell.shape),
        tariffs.crosses_border[cell],
        count * foundries.price[supplier, classes][:, None, None, :],
        count,
        foundries.region[supplier][:, None, None, :],
        classes,
    )
    device = makers.device[maker][:, None, None]
    duty = tariffs.triggered_duty(Tariffs.ASSEMBLY, device, cell, shipments, economy.law.expected)
    return np.asarray((duty * makers.weights[maker][:, None, :]).sum(axis=-1))

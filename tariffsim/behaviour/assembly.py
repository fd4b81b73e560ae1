"""Makers, rarely, choose another country of assembly (MODEL 4.3)."""

from __future__ import annotations

import numpy as np

from tariffsim.behaviour.counterfactual_product import border_duty, make_counterfactual
from tariffsim.kernels.sourcing import cost_odds, draw_choice, with_inertia
from tariffsim.law.expectations import DutyExpectations, Future
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
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
    n_origins = len(economy.constants.codes.origins)
    noise = draws.exponential("country noise", economy.month, len(maker), n_origins)
    is_free = makers.move_month[maker] < 0
    maker, noise = maker[is_free], noise[is_free]
    if not len(maker):
        return
    inertia = np.full(len(maker), (1 + assembly.relocation_cost) ** assembly.elasticity)
    weights = country_weights(economy, maker)
    choice = draw_choice(with_inertia(weights, makers.origin[maker], inertia), noise)
    moves = choice != makers.origin[maker]
    mover = maker[moves]
    makers.next_origin[mover] = choice[moves]
    makers.move_month[mover] = economy.month + assembly.lead_months
    rate = assembly.hazard + economy.scenario.sourcing.discount_rate / 12
    lifetime_value = makers.customs_value[mover] * makers.units[mover] / rate
    makers.relocation[mover] = assembly.relocation_cost * lifetime_value


def country_weights(economy: Economy, maker: Int) -> Float:
    """(rows, O) odds of each country of assembly, before inertia."""
    foundries, makers = economy.foundries, economy.makers
    cost = np.zeros((len(maker), economy.origin_odds.shape[1]))
    for future in economy.policy.expected.of_kind(DutyExpectations.ASSEMBLY):
        weight = future.weight[DutyExpectations.ASSEMBLY, makers.device[maker]]
        cost += weight[:, None] * landed_unit_cost(economy, maker, foundries.price, future)
    base = landed_unit_cost(
        economy, maker, foundries.base_price, economy.tariff_schedule.base_future(), switching=False
    )
    odds = economy.origin_odds[makers.odds_row[maker]]
    return odds * cost_odds(cost, base, economy.scenario.assembly.elasticity)


def landed_unit_cost(
    economy: Economy, maker: Int, price: Float, future: Future, switching: bool = True
) -> Float:
    """(rows, O) unit cost at each country plus the mean duty over the line's markets, USD."""
    origins = np.arange(len(economy.constants.codes.origins))
    everywhere = np.broadcast_to(origins, (len(maker), len(origins)))
    supplier = economy.makers.supplier[maker]
    product = make_counterfactual(economy, maker, supplier, everywhere, price, future, switching)
    return product.cost + border_duty(economy, maker, product, future)

"""Foundries: capacity, cost, posted prices (MODEL 4.1)."""

from __future__ import annotations

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.investment import Investment
from tariffsim.kernels.investment import month_on, plan_gap, plan_slowing, wafers
from tariffsim.kernels.supply import (
    china_capacity,
    grown_capacity,
    learning_index,
    parity_price,
    posted_price,
)
from tariffsim.phases.investment import of_regions
from tariffsim.typing import Float


def add_capacity(economy: Economy, draws: Draws) -> None:
    """Foundries: what was decided arrives; China's capacity follows its plan given the others'."""
    foundries, investment = economy.foundries, economy.investment
    growth = economy.figures.region_growth[foundries.region][:, None]
    before = foundries.planned_capacity
    foundries.planned_capacity = _planned(economy, growth)
    arrived = _come_due(investment)
    ahead = investment.growth_ahead[foundries.region][:, None]
    own = grown_capacity(foundries.planned_capacity, growth, ahead / 12)
    own[foundries.is_chinese] *= 1 - _plan_gap(economy, before)
    standing = of_regions(economy, wafers(own, investment.chips_per_kwpm))
    granted = arrived / np.where(standing > 0, standing, np.inf)
    investment.granted = investment.granted + granted
    foundries.capacity = own * (1 + investment.granted[foundries.region][:, None])


def _planned(economy: Economy, growth: Float) -> Float:
    """(F, K) chips a month if nobody responds to anything."""
    foundries = economy.foundries
    planned = grown_capacity(foundries.base_capacity, growth, economy.month / 12)
    chinese = foundries.is_chinese
    base = foundries.base_capacity
    base_others = base[~chinese].sum(axis=0)
    if not chinese.any() or not base_others.all():
        return planned
    total = china_capacity(
        planned[~chinese].sum(axis=0),
        base[chinese].sum(axis=0) / base_others,
        economy.law.capacity_share,
        economy.scenario.supply.china_capacity_share.at(economy.scenario.run.start),
    )
    own = base[chinese]
    planned[chinese] = own / np.maximum(own.sum(axis=0), 1e-300) * total
    return planned


def _come_due(investment: Investment) -> Float:
    """Growth and payments of the month come due; (R,) kwpm of capacity that grants have built."""
    growth, investment.growth_due = month_on(investment.growth_due)
    investment.growth_ahead = investment.growth_ahead + growth
    investment.grants, investment.grants_due = month_on(investment.grants_due)
    investment.credits, investment.credits_due = month_on(investment.credits_due)
    arrived, investment.granted_due = month_on(investment.granted_due)
    return arrived


def _plan_gap(economy: Economy, before: Float) -> Float:
    """(K,) part of China's plan that idle lines have kept from being built."""
    foundries, investment = economy.foundries, economy.investment
    old, plan = (
        of[foundries.is_chinese].sum(axis=0) for of in (before, foundries.planned_capacity)
    )
    slowing = plan_slowing(
        economy.scenario.supply.plan_response,
        investment.china_base_utilisation,
        float(investment.china_utilisation.mean()),
    )
    investment.plan_gap = plan_gap(investment.plan_gap, old, plan, slowing)
    return investment.plan_gap


def post_prices(economy: Economy, draws: Draws) -> None:
    """Foundries: unit cost falls with learning; prices are posted."""
    foundries, supply = economy.foundries, economy.scenario.supply
    price_0 = economy.figures.chip_price
    chinese = foundries.is_chinese[:, None]
    learned = learning_index(foundries.experience, foundries.base_experience, supply.learning)
    discount = np.where(chinese, economy.law.discount, 0.0)
    advantage = supply.discount_cost_share * discount * price_0
    foundries.unit_cost = (foundries.base_cost - advantage) * learned
    foundries.parity_price = parity_price(
        price_0,
        learned,
        foundries.utilisation,
        foundries.base_utilisation,
        supply.utilisation_price_response,
    )
    target = (1 - discount) * foundries.parity_price
    foundries.price = posted_price(foundries.price, target, supply.price_adjustment)
    foundries.subsidy = supply.discount_subsidy_share * discount * foundries.parity_price

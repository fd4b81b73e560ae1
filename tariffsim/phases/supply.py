"""Foundries: capacity, cost, posted prices (MODEL 4.1)."""

from __future__ import annotations

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.kernels.supply import (
    china_capacity,
    grown_capacity,
    learning_index,
    parity_price,
    posted_price,
)


def add_capacity(economy: Economy, draws: Draws) -> None:
    """Foundries: planned capacity arrives; China's follows its plan given the others'."""
    foundries, figures = economy.foundries, economy.figures
    growth = figures.region_growth[foundries.region][:, None]
    planned = grown_capacity(foundries.base_capacity, growth, economy.month / 12)
    chinese = foundries.is_chinese
    base = foundries.base_capacity
    base_others = base[~chinese].sum(axis=0)
    if not chinese.any() or not base_others.all():
        foundries.capacity = planned
        return
    total = china_capacity(
        planned[~chinese].sum(axis=0),
        base[chinese].sum(axis=0) / base_others,
        economy.law.capacity_share,
        economy.scenario.supply.china_capacity_share.at(economy.scenario.run.start),
    )
    own = base[chinese]
    planned[chinese] = own / np.maximum(own.sum(axis=0), 1e-300) * total
    foundries.capacity = planned


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

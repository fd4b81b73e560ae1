"""Capacity, cost and price of foundries (MODEL 4.1)."""

from __future__ import annotations

import numpy as np

from tariffsim.typing import Float


def odds(share: Float | float) -> Float:
    """Odds of a share: `s / (1 - s)`."""
    return np.asarray(share / (1 - np.asarray(share)))


def grown_capacity(base_capacity: Float, growth: Float, years: Float | float) -> Float:
    """Capacity in chips a month after so many years of growth at a rate a year."""
    return np.asarray(base_capacity * (1 + growth) ** years)


def china_capacity(
    others: Float, base_odds: Float, planned_share: float, base_share: float
) -> Float:
    """China's capacity by class: `P_k odds_k0 odds(share_t) / odds(share_0)` (MODEL 4.1).

    `others` is the planned capacity of the other regions by class, chips a month.
    """
    return np.asarray(others * base_odds * (odds(planned_share) / odds(base_share)))


def experience(output: Float, spillover: float) -> Float:
    """Experience gained from output (foundry, class): own, and a part of everybody else's."""
    return np.asarray(output + spillover * (output.sum(axis=0) - output))


def learning_index(gained: Float, base_experience: Float, learning: float) -> Float:
    """Unit cost relative to its base: `((X_0 + X) / X_0)^(-b)`, `b = -log2(1 - learning)`."""
    exponent = np.log2(1 - learning)
    safe = np.where(base_experience > 0, base_experience, 1.0)
    return np.asarray((1 + gained / safe) ** exponent)


def parity_price(
    base_price: Float, cost_index: Float, utilisation: Float, base_utilisation: Float, chi: float
) -> Float:
    """Price without discount, USD a chip: base price x cost index x response to utilisation."""
    tightness = np.clip(utilisation - base_utilisation, -0.3, 0.3)
    return np.asarray(base_price * cost_index * np.exp(chi * tightness))


def posted_price(price: Float, target: Float, adjustment: float) -> Float:
    """Posted price moving towards its target by a part of the log distance a month, USD a chip."""
    return np.asarray(price * (target / price) ** adjustment)


def counter_subsidy_share(duty_rate: Float, offset: float) -> Float:
    """Part of a chip's price given back for a duty: `offset r / (1 + r)` (MODEL 4.1).

    With an offset of one the price after duty is the price before it.
    """
    return np.asarray(offset * duty_rate / (1 + duty_rate))


def foundry_cost(
    output: Float, capacity: Float, unit_cost: Float, base_utilisation: Float, variable: float
) -> Float:
    """USD a month: `v c output + (1 - v) c ubar capacity`; idle capacity costs (MODEL 4.1)."""
    fixed = (1 - variable) * unit_cost * base_utilisation * capacity
    return np.asarray(variable * unit_cost * output + fixed)


def output_with_overflow(filled: Float, capacity: Float, bloc: Float) -> Float:
    """(F, K) chips each foundry makes: its own orders, and its part of its bloc's overflow.

    `filled` are the orders that are filled; overflow is shared in proportion to spare capacity.
    """
    own = np.minimum(filled, capacity)
    spare = capacity - own
    overflow = bloc.T @ (bloc @ (filled - own))
    total_spare = bloc.T @ (bloc @ spare)
    part = spare / np.where(total_spare > 0, total_spare, 1.0)
    return np.asarray(own + part * overflow)


def buyer_mix(base_share: Float, size: Float, price_ratio: Float, elasticity: float) -> Float:
    """Mix of foundries that other chip buyers want: CES with the size term (MODEL 4.4)."""
    weights = base_share * size * price_ratio**-elasticity
    return np.asarray(weights / np.maximum(weights.sum(axis=0), 1e-300))

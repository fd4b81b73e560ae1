"""Consumer surplus, and makers' loss from second-best sourcing (MODEL 4.7)."""

from __future__ import annotations

import numpy as np

from tariffsim.typing import Float

MOST_MISSING = 0.9
"""Largest missing fraction that the area under the demand curve is taken over."""


def surplus_change(base_expenditure: Float, index: Float, elasticity: Float) -> Float:
    """Consumers' surplus against base prices, USD: `-E ((P)^(1-eta) - 1) / (1 - eta)`."""
    power = 1 - elasticity
    log_index = np.log(index)
    near_one = np.abs(power) < 1e-9
    safe = np.where(near_one, 1.0, power)
    integral = np.where(near_one, log_index, np.expm1(safe * log_index) / safe)
    return np.asarray(-base_expenditure * integral)


def undelivered_surplus(expenditure: Float, missing: Float, elasticity: Float) -> Float:
    """Surplus lost on units ordered and not delivered, USD: the area under the demand curve.

    `E (((1 - x)^(1 - 1/eta) - 1) / (1/eta - 1) - x)` for the missing fraction `x`, at most 0.9.
    """
    x = np.minimum(missing, MOST_MISSING)
    power = 1 - 1 / elasticity
    near_one = np.abs(power) < 1e-9
    safe = np.where(near_one, 1.0, power)
    log_left = np.log1p(-x)
    area = np.where(near_one, -log_left, -np.expm1(safe * log_left) / safe)
    return np.asarray(expenditure * (area - x))


def diversion_price(price_0: Float, price_1: Float, elasticity: float) -> Float:
    """Mean price at which chips are diverted between two prices, USD, if demand is isoelastic.

    `sigma / (sigma - 1) (P_0^(1-sigma) - P_1^(1-sigma)) / (P_0^-sigma - P_1^-sigma)`: for small
    changes the mean of the two (rule of a half), at most `sigma / (sigma - 1)` of the lower one
    however high the other, as chips that no maker keeps at any price are diverted early.
    """
    sigma = max(elasticity, 1e-6)
    sigma = sigma if abs(sigma - 1) > 1e-6 else 1 + 1e-6
    log_ratio = np.log(price_1 / price_0)
    is_small = np.abs(log_ratio) < 1e-5
    x = np.where(is_small, 1.0, log_ratio)
    exact = price_0 * sigma / (sigma - 1) * np.expm1((1 - sigma) * x) / np.expm1(-sigma * x)
    return np.where(is_small, 0.5 * (price_0 + price_1), exact)


def diversion_loss(
    price_0: Float, price_1: Float, chips_0: Float, chips_1: Float, elasticity: float
) -> Float:
    """Value of the chips diverted, `sum_r M(P_0r, P_1r) (Q_0r - Q_1r)` over the last axis, USD."""
    price = diversion_price(price_0, price_1, elasticity)
    return np.asarray((price * (chips_0 - chips_1)).sum(axis=-1))


def rule_of_half(weight_0: Float, weight_1: Float, before: Float, after: Float) -> Float:
    """Fall of a quantity at its mean weight: `sum 1/2 (w_0 + w_1) (x_0 - x_1)`, last axis.

    With chips as weights and prices falling it is a change of surplus, USD.
    """
    return np.asarray((0.5 * (weight_0 + weight_1) * (before - after)).sum(axis=-1))

"""Surplus, and what makers give up in leaving the chip that suited them (MODEL 4.7)."""

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


def rule_of_half(price_0: Float, price_1: Float, chips_0: Float, chips_1: Float) -> Float:
    """Value of chips given up: `sum_r 1/2 (P_0r + P_1r) (Q_0r - Q_1r)` over the last axis, USD."""
    return np.asarray((0.5 * (price_0 + price_1) * (chips_0 - chips_1)).sum(axis=-1))

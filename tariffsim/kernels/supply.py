"""Capacity, cost and price of foundries (MODEL 4.1)."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.sums import shares
from tariffsim.typing import Float, Int

RISES, FALLS = 0.5, 0.25
"""Speeds a month at which scarcity enters prices, and leaves them."""
LEAST_LOG = -50.0
"""In place of the logarithm of no orders at all."""


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


def made_up_by_others(
    others: Float, base_odds: Float, share: float, share_before: float, base_share: float
) -> Float:
    """(K,) factor on the plans of all others by which the world's total stays as planned.

    `(P + C) / ((1 + rho) P)`: with `P` (K,) planned by the `others`, `C` by China at its share
    before, and `rho` the odds of China in the class at its share now (MODEL 4.1).
    """
    of_china = china_capacity(others, base_odds, share_before, base_share)
    rho = base_odds * (odds(share) / odds(base_share))
    return np.asarray((others + of_china) / ((1 + rho) * others))


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


def counter_subsidy_share(duty_rate: Float, share: float) -> Float:
    """Share of a chip's price rebated for a duty: `c r / (1 + r)` (MODEL 4.1).

    `c` is the counter-subsidy; with one the price after duty is the price before it. Chips that
    lower a duty (that on the rest of the value) get nothing.
    """
    rate = np.maximum(duty_rate, 0.0)
    return np.asarray(share * rate / (1 + rate))


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
    overflow = bloc.T @ (bloc @ (filled - own))
    return np.asarray(own + share_of_bloc(capacity - own, bloc) * overflow)


def share_of_bloc(values: Float, bloc: Float) -> Float:
    """(F, K) each foundry's share of its bloc's total; zero where that is."""
    total = bloc.T @ (bloc @ values)
    return np.asarray(values / np.where(total > 0, total, 1.0))


def overflow_payments(
    price: Float, sales: Float, output: Float, bloc: Float
) -> tuple[Float, Float]:
    """(F, K) what foundries pass on for chips that others made for them, and what those receive."""
    given = price * np.maximum(sales - output, 0.0)
    made = np.maximum(output - sales, 0.0)
    return given, share_of_bloc(made, bloc) * (bloc.T @ (bloc @ given))


def spare_capacity(sales: Float, capacity: Float, bloc: Float) -> Float:
    """(F, K) chips that foundries could still make."""
    return np.asarray(capacity - output_with_overflow(sales, capacity, bloc))


def utilisation_of(orders: Float, capacity: Float, base: Float) -> Float:
    """(F, K) orders over capacity; the base year's where there is no capacity."""
    busy = orders / np.where(capacity > 0, capacity, 1.0)
    return np.where(capacity > 0, busy, base)


def bloc_utilisation(orders: Float, capacity: Float, bloc: Float) -> Float:
    """(F, K) orders for all foundries of a bloc over their capacity; one where they have none."""
    offered = bloc @ capacity
    busy = (bloc @ orders) / np.where(offered > 0, offered, 1.0)
    return np.asarray(bloc.T @ np.where(offered > 0, busy, 1.0))


def scarcity_after(
    scarcity: Float, busy: Float, months: Int | int, elasticity: float, cap: float
) -> Float:
    """The factor on posted prices after so many months with a bloc as busy as that (MODEL 4.1).

    `clip(ln M + n a xi ln u, 0, ln cap)` with orders over capacity `u` of the bloc, and `a` a half
    where it is above one, a quarter where it is below.
    """
    with np.errstate(divide="ignore"):
        log_busy = np.maximum(np.log(busy), LEAST_LOG)
    step = np.where(log_busy > 0, RISES, FALLS) * elasticity * log_busy
    return np.exp(np.clip(np.log(scarcity) + months * step, 0.0, np.log(cap)))


def demand_of_others(price: Float, base_price: Float, learned: Float, elasticity: float) -> Float:
    """(K,) factor on other buyers' demand: their mean price over its base and over learning."""
    ratio = price / np.where(base_price > 0, base_price, 1.0) / np.where(learned > 0, learned, 1.0)
    return np.where(ratio > 0, np.where(ratio > 0, ratio, 1.0) ** -elasticity, 1.0)


def other_orders(share: Float, base: Float, growth: Float) -> Float:
    """(F, K) chips that other buyers order: their mix of foundries x base orders x growth."""
    return np.asarray(share * base.sum(axis=0) * growth)


def chip_unit_cost(
    base_cost: Float, cost_share: float, discount: Float, base_price: Float, learned: Float
) -> Float:
    """USD a chip: base cost less the part of the discount that lower cost explains, x learning."""
    advantage = cost_share * discount * base_price
    return np.asarray((base_cost - advantage) * learned)


def discounted(price: Float, discount: Float | float) -> Float:
    """Price with a discount, USD a chip."""
    return np.asarray((1 - discount) * price)


def subsidy_on_chip(subsidy_share: float, discount: Float, price: Float) -> Float:
    """USD a chip of public money: the part of the discount that subsidy pays."""
    return np.asarray(subsidy_share * discount * price)


def buyer_mix(base_share: Float, size: Float, price_ratio: Float, elasticity: float) -> Float:
    """Mix of foundries that other chip buyers want: CES with the size term (MODEL 4.4)."""
    return shares(base_share * size * price_ratio**-elasticity)

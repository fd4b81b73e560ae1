"""Payments of a month, USD (MODEL 4.7)."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.supply import share_of_bloc
from tariffsim.typing import Float


def payment(price: Float | float, quantity: Float | float) -> Float:
    """USD a month: a price, cost or duty on each unit, and the units a month."""
    return np.asarray(price * quantity)


def total(*payments: Float) -> Float:
    """Sum of payments, in their order."""
    return np.asarray(sum(payments[1:], start=payments[0]))


def left_over(received: Float, *paid: Float) -> Float:
    """What is received less all that is paid, in this order."""
    for payment_made in paid:
        received = received - payment_made
    return np.asarray(received)


def distribution_cost(margin: float, profit: float, base_landed: Float, sold: Float) -> Float:
    """Cost of retailing: the margin on base landed cost without importers' profit, USD a month."""
    return np.asarray((margin - profit) * base_landed * sold)


def overflow_payments(
    price: Float, sales: Float, output: Float, bloc: Float
) -> tuple[Float, Float]:
    """(F, K) what foundries pass on for chips that others made for them, and what those receive."""
    given = price * np.maximum(sales - output, 0.0)
    made = np.maximum(output - sales, 0.0)
    return given, share_of_bloc(made, bloc) * (bloc.T @ (bloc @ given))


def foundry_revenue(price: Float, sales: Float, given: Float, taken: Float) -> Float:
    """(F, K) USD a month from chips, overflow settled."""
    return np.asarray(price * sales - given + taken)

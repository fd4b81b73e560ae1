"""Payments of a month, USD (MODEL 4.7)."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.supply import share_of_bloc
from tariffsim.typing import Float


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

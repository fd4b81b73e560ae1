"""Who gets chips when they are scarce (MODEL 4.6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tariffsim.typing import Float


def fills_by_rank(orders: Sequence[Float], capacity: Float, bloc: Float) -> list[Float]:
    """(F, K) part filled of the orders of each rank, pro rata within a rank of a bloc.

    `orders` are chips by rank, first come first; `bloc` (B, F) is one where a foundry belongs to a
    bloc. A full foundry's overflow is made by others of its bloc with spare lines, so that nobody
    waits while a neighbour stands idle.
    """
    left = bloc @ capacity
    fills = []
    for wanted in orders:
        total = bloc @ wanted
        rates = np.where(total > left, left / np.where(total > left, total, 1.0), 1.0)
        left = np.maximum(left - rates * total, 0.0)
        fills.append(np.asarray(bloc.T @ rates))
    return fills

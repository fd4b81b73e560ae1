"""Second sources on standby in month 0 (MODEL 4.6)."""

from __future__ import annotations

import numpy as np

from tariffsim.calibration.suppliers import Slots
from tariffsim.draws import Draws
from tariffsim.kernels.sourcing import drawn_elsewhere
from tariffsim.typing import Bool, Float, Int


def draw_second_sources(
    shares: Float,
    of_line: Int,
    slots: Slots,
    chance: Float,
    region: Int,
    supplier: Int,
    following: Int,
    draws: Draws,
) -> tuple[Bool, Int]:
    """(N, K) which slots keep a second source, with a `chance` (N,), and which foundry it is.

    Drawn from the base shares (rows, K, F) outside the regions of the supplier and of the one that
    follows it.
    """
    has = draws.uniform("has second source", 0, *supplier.shape) < chance[:, None]
    has &= slots.has_slot
    maker, node_class = np.nonzero(has)
    second = supplier.copy()
    noise = draws.exponential("second source at start", 0, len(maker), len(region))
    second[has] = drawn_elsewhere(
        shares[of_line[maker], node_class], region, supplier[has], following[has], noise
    )
    return has, second

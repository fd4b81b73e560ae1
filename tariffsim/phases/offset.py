"""What China gives makers back of the component duty on its chips (MODEL 4.1)."""

from __future__ import annotations

import numpy as np

from tariffsim.economy import Economy
from tariffsim.kernels.supply import offset_part
from tariffsim.typing import Float, Int


def chip_offset(
    economy: Economy,
    value: Float,
    count: Float,
    kind: Int | int,
    maker: Int,
    origin: Int,
    node_class: Int,
    region: Int,
    price: Float,
) -> Float | float:
    """Part of the price of a chip that makers exposed to component duties get back.

    `value` and `count` (kinds, cells, K, R) are component duties on a dollar of chips and on a
    chip; what counts is their mean over the line's markets, as far as importers there can tell
    where chips come from. Other arrays broadcast together.
    """
    if economy.law.offset == 0.0:
        return 0.0
    codes, makers = economy.figures.codes, economy.makers
    cell = codes.cell(makers.device[maker], origin, 0)[..., None] + np.arange(len(codes.markets))
    at = np.asarray(kind)[..., None], cell, node_class[..., None], region[..., None]
    rate = value[at] + count[at] / price[..., None]
    exposed = makers.weights[maker] * economy.importers.knows[makers.importer[maker]]
    mean = (rate * exposed).sum(axis=-1)
    return offset_part(mean, economy.law.offset) * economy.figures.is_china[region]

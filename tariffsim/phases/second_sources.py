"""Second sources: foundries in another region that stand by (MODEL 4.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.kernels.sourcing import drawn_elsewhere

if TYPE_CHECKING:
    from tariffsim.phases.sourcing import OpenSlots


def renew_second_sources(economy: Economy, slots: OpenSlots, draws: Draws) -> None:
    """Slots that open draw another second source, in neither the old nor the new region."""
    makers = economy.makers
    has = np.flatnonzero(makers.has_second_source.take(slots.place) & slots.is_open)
    place, row = slots.place[has], makers.odds_row[slots.maker[has]]
    supplier = makers.supplier.take(place)
    waits = makers.switch_month.take(place) >= 0
    noise = draws.exponential("second source", economy.month, len(has), len(economy.foundries))
    second = drawn_elsewhere(
        economy.base_shares[row, slots.node_class[has]],
        economy.foundries.region,
        supplier,
        np.where(waits, makers.next_supplier.take(place), supplier),
        noise,
    )
    makers.second_source.put(place, second)

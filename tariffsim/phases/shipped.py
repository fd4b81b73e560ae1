"""Products as customs sees them."""

from __future__ import annotations

import numpy as np

from tariffsim.economy import Economy
from tariffsim.shipments import Shipments
from tariffsim.typing import Bool, Int


def border_crossing(economy: Economy) -> Bool:
    """(L,) whether a flow is imported: assembled in another market than it is sold in."""
    origin = economy.makers.origin[economy.flows.maker]
    return np.asarray(economy.figures.origin_market[origin] != economy.flows.market)


def product_shipments(economy: Economy) -> Shipments:
    """One unit of every flow as customs sees it."""
    makers, flows = economy.makers, economy.flows
    return Shipments(
        economy.figures.codes,
        makers.customs_value[flows.maker],
        border_crossing(economy),
        makers.chip_value.take(flows.maker, axis=0),
        makers.chips.take(flows.maker, axis=0),
        makers.chip_region.take(flows.maker, axis=0),
        np.arange(makers.supplier.shape[1]),
    )


def flow_cells(economy: Economy) -> Int:
    """(L,) cells of the duty tables: device, country of assembly, market."""
    makers, flows = economy.makers, economy.flows
    device, origin = makers.device[flows.maker], makers.origin[flows.maker]
    return np.asarray(economy.figures.codes.cell(device, origin, flows.market))

"""Who has Chinese chips, who knows it, and who stays with a supplier: V13 and V19."""

from __future__ import annotations

import numpy as np

from tariffsim.calibration import build_economy
from tariffsim.scenario import Scenario
from tariffsim.state.economy import Economy
from tariffsim.typing import Bool, Int

MARKET = "US"


def users_of_legacy_chips(scenario: Scenario, seed: int) -> list[float]:
    """V13: of the products sold in the United States in the base year, shares of two kinds.

    Those with a Chinese chip, and those known to have none. The survey counts firms in its second
    part; products are counted here, since firms would depend on the number of lines
    (docs/model.md, 4.8).
    """
    economy = build_economy(scenario, seed)
    flows, makers = economy.flows, economy.makers
    here = flows.market == economy.constants.codes.markets.index(MARKET)
    units = flows.units[here]
    slots = economy.foundries.is_chinese[makers.supplier] & makers.has_slot
    has_chinese = np.asarray(slots.any(axis=1))[flows.maker[here]]
    is_known = economy.importers.knows_origin[flows.importer[here]]
    return [
        float(np.average(has_chinese, weights=units)),
        float(np.average(is_known & ~has_chinese, weights=units)),
    ]


def chinese_suppliers(economy: Economy) -> tuple[Int, Bool]:
    """(rows, P) suppliers of the lines sold in the United States, and which are Chinese."""
    flows, makers = economy.flows, economy.makers
    market = economy.constants.codes.markets.index(MARKET)
    rows = np.unique(flows.maker[flows.market == market])
    supplier = makers.supplier[rows]
    return supplier, economy.foundries.is_chinese[supplier] & makers.has_slot[rows]


def keep_rate(before: tuple[Int, Bool], after: tuple[Int, Bool]) -> float:
    """V19: share of parts with a Chinese supplier that have the same one a year later."""
    supplier, is_chinese = before
    return float((after[0] == supplier)[is_chinese].mean())

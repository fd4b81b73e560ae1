"""Duties of the base year: what was collected on imports of 2024, by device or chip and country."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tariffsim.calibration.constants import DATA_MARKET
from tariffsim.policy.shipments import CHINA, Codes
from tariffsim.scenario import Scenario
from tariffsim.tables import BARE_CHIPS, ImportRow, Tables
from tariffsim.typing import Float

REGION_OF_ORIGIN = {"TH": "SEA", "MY": "SEA"}
"""Foundry regions of countries whose code is not itself a region; all else is OTHER."""
DISCRETES = "D"

Good = tuple[str, str]
"""Device group or kind of unmounted chips, and country."""


@dataclass(frozen=True)
class BaseDuties:
    """Duties of the base year in the data market, as fractions of customs value."""

    codes: Codes
    collected: Mapping[Good, float]
    """Duty over value; zero where nothing was imported."""
    region_share: Mapping[Good, float]
    """Share of a country in its region's imports of unmounted chips of a kind."""

    @property
    def product(self) -> Float:
        """(cells, 1) on products."""
        codes, found = self.codes, np.zeros(self.codes.n_cells)
        if DATA_MARKET in codes.markets:
            market = codes.markets.index(DATA_MARKET)
            for d, device in enumerate(codes.devices):
                for o, origin in enumerate(codes.origins):
                    rate = self.collected.get((device, origin), 0.0)
                    found[codes.cell(d, o, market)] = rate
        return found[:, None]

    @property
    def bare(self) -> Float:
        """(O, K, R) on unmounted chips where products are assembled in the data market."""
        codes = self.codes
        rates = np.zeros((len(BARE_CHIPS), len(codes.regions)))
        for (good, origin), share in self.region_share.items():
            region = codes.regions.index(region_of(origin, codes))
            rates[BARE_CHIPS.index(good), region] += share * self.collected[good, origin]
        levied = np.array([codes.markets[m] == DATA_MARKET for m in codes.home_market])
        foreign = np.asarray(codes.region_market)[None, :] != np.asarray(codes.home_market)[:, None]
        by_class = rates[kind_of_class(codes)]
        return np.asarray(levied[:, None, None] * foreign[:, None, :] * by_class[None])


def base_duties(scenario: Scenario, tables: Tables, codes: Codes) -> BaseDuties:
    """What was collected in 2024; before Section 301, China's owe at the rate of Japan's."""
    collected = {_good(row): _rate(row) for row in tables.imports}
    if scenario.trade.base_duties != "observed":
        like = {good: ("JP" if good[1] == CHINA else good[1]) for good in collected}
        collected = {good: collected.get((good[0], like[good]), 0.0) for good in collected}
    bare = [row for row in tables.imports if row.device in BARE_CHIPS]
    region = {_good(row): (row.device, region_of(row.origin, codes)) for row in bare}
    known = {
        _good(row): row.customs_value_usd for row in bare if region[_good(row)][1] in codes.regions
    }
    total: dict[tuple[str, str], float] = {}
    for good, value in known.items():
        total[region[good]] = total.get(region[good], 0.0) + value
    shares = {good: value / (total[region[good]] or 1.0) for good, value in known.items()}
    return BaseDuties(codes, collected, shares)


def _good(row: ImportRow) -> Good:
    return row.device, row.origin


def _rate(row: ImportRow) -> float:
    value = row.customs_value_usd
    return row.calculated_duty_usd / value if value > 0 else 0.0


def region_of(origin: str, codes: Codes) -> str:
    """Foundry region whose unmounted chips come from a country."""
    return origin if origin in codes.regions else REGION_OF_ORIGIN.get(origin, "OTHER")


def kind_of_class(codes: Codes) -> list[int]:
    """Place in `BARE_CHIPS` of each node class: discretes are one of them."""
    return [int(k == DISCRETES) for k in codes.classes]

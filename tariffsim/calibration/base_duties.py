"""Duties of the base year: what was collected on imports of 2024, by device or chip and country."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tariffsim.calibration.constants import DATA_MARKET
from tariffsim.kernels.sums import ratio
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
    """Duty over value; where nothing of a device was imported, that of other countries."""
    region_share: Mapping[Good, float]
    """Share of each country in its region's unmounted chips of a kind: of the data market's
    imports of 2024, in any market; even where that imported none."""

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
            collected = self.collected.get((good, origin), 0.0)
            rates[BARE_CHIPS.index(good), region] += share * collected
        levied = np.array([codes.markets[m] == DATA_MARKET for m in codes.home_market])
        foreign = np.asarray(codes.region_market)[None, :] != np.asarray(codes.home_market)[:, None]
        by_class = rates[kind_of_class(codes)]
        return np.asarray(levied[:, None, None] * foreign[:, None, :] * by_class[None])


def base_duties(scenario: Scenario, tables: Tables, codes: Codes) -> BaseDuties:
    """What was collected in 2024; before Section 301, China's owe at the rate of Japan's."""
    collected = {_good(row): _rate(row) for row in tables.imports}
    collected |= _of_countries_without_imports(tables, codes)
    if scenario.trade.base_duties != "observed":
        like = {good: ("JP" if good[1] == CHINA else good[1]) for good in collected}
        collected = {good: collected.get((good[0], like[good]), 0.0) for good in collected}
    imported = {_good(row): row.customs_value_usd for row in tables.imports}
    return BaseDuties(codes, collected, _region_shares(codes, imported))


def _of_countries_without_imports(tables: Tables, codes: Codes) -> dict[Good, float]:
    """Mean duty on what others sold of a device; for China, on what it sold of the sector."""
    shape = len(codes.devices), len(codes.origins)
    value, duty = np.zeros(shape), np.zeros(shape)
    for row in tables.imports:
        if row.device in codes.devices:
            at = codes.devices.index(row.device), codes.origins.index(row.origin)
            value[at] += row.customs_value_usd
            duty[at] += row.calculated_duty_usd
    is_china = np.array([origin == CHINA for origin in codes.origins])
    sectors = np.array(tables.devices.texts("sector"))
    alike = sectors[:, None] == sectors
    of_others, of_china = (
        ratio(part @ duty[:, who].sum(axis=1), np.maximum(part @ value[:, who].sum(axis=1), 1.0))
        for part, who in ((np.eye(len(alike)), ~is_china), (alike, is_china))
    )
    mean = np.where(is_china, of_china[:, None], of_others[:, None])
    return {
        (codes.devices[d], codes.origins[o]): float(mean[d, o])
        for d, o in np.argwhere(value == 0)
        if codes.markets[codes.home_market[o]] != DATA_MARKET
    }


def _region_shares(codes: Codes, imported: Mapping[Good, float]) -> dict[Good, float]:
    """Shares of countries in the unmounted chips of regions, which sum to one in each."""
    shares: dict[Good, float] = {}
    for region in codes.regions:
        countries = sorted(o for o in codes.origins if region_of(o, codes) == region)
        for good in BARE_CHIPS:
            values = {(good, origin): imported.get((good, origin), 0.0) for origin in countries}
            total = sum(values.values())
            for key, value in values.items():
                shares[key] = value / total if total else 1.0 / len(values)
    return shares


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

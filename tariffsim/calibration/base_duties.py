"""Duties of the base year: what was collected on imports of 2024, by device or chip and country."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    """Duty over value; where nothing was imported, that of what is most alike."""
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
    collected = _not_imported(tables, codes) | {
        _good(row): _rate(row) for row in tables.imports if row.customs_value_usd > 0
    }
    if scenario.trade.base_duties != "observed":
        like = {good: ("JP" if good[1] == CHINA else good[1]) for good in collected}
        collected = {good: collected.get((good[0], like[good]), 0.0) for good in collected}
    imported = {_good(row): row.customs_value_usd for row in tables.imports}
    return BaseDuties(codes, collected, _region_shares(codes, imported))


def _not_imported(tables: Tables, codes: Codes) -> dict[Good, float]:
    """Duty on each device from each country abroad, were it imported from there for the first time.

    The mean of the device without China's; from China, the mean of China's in the sector.
    """
    sector = dict(zip(codes.devices, tables.devices.texts("sector"), strict=True))
    foreign = [row for row in tables.imports if row.origin != CHINA]
    chinese = [row for row in tables.imports if row.origin == CHINA]
    found: dict[Good, float] = {}
    for device in codes.devices:
        alike = {other for other, of in sector.items() if of == sector[device]}
        rest = _mean_rate(row for row in foreign if row.device == device)
        of_china = _mean_rate(row for row in chinese if row.device in alike)
        for origin, home in zip(codes.origins, codes.home_market, strict=True):
            rate = of_china if origin == CHINA and of_china is not None else rest
            if codes.markets[home] != DATA_MARKET and rate is not None:
                found[device, origin] = rate
    return found


def _mean_rate(rows: Iterable[ImportRow]) -> float | None:
    """Duty over value of all the rows; none if nothing was imported."""
    value, duty = 0.0, 0.0
    for row in rows:
        value, duty = value + row.customs_value_usd, duty + row.calculated_duty_usd
    return duty / value if value > 0 else None


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
    return row.calculated_duty_usd / row.customs_value_usd


def region_of(origin: str, codes: Codes) -> str:
    """Foundry region whose unmounted chips come from a country."""
    return origin if origin in codes.regions else REGION_OF_ORIGIN.get(origin, "OTHER")


def kind_of_class(codes: Codes) -> list[int]:
    """Place in `BARE_CHIPS` of each node class: discretes are one of them."""
    return [int(k == DISCRETES) for k in codes.classes]

"""What the alternatives of makers cost, and what they take of each: what `fit` is ensemble with.

Shares are those of lines that sell what they sold in the base year, so that consumers who move
between lines, already in the price index, are not counted again (MODEL 4.7).
"""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.sums import sum_by
from tariffsim.kernels.supply import counter_subsidy_share
from tariffsim.law.expected_burden import MeanDutyBurden
from tariffsim.state.constants import ASSEMBLY, DESIGN, PIN_COMPATIBLE
from tariffsim.state.economy import Economy
from tariffsim.typing import Float


class ChoiceSetPrices:
    """Prices of chips and countries with the duty expected on them, by market and device."""

    def __init__(self, economy: Economy) -> None:
        codes, constants = economy.constants.codes, economy.constants
        self._shape = (len(codes.devices), len(codes.origins), len(codes.markets))
        flows, makers = economy.flows, economy.makers
        cell = codes.cell(makers.device[flows.maker], makers.base_origin[flows.maker], flows.market)
        units = sum_by(cell, flows.base_units, codes.n_cells).reshape(self._shape)
        self._origin_share = units / np.maximum(units.sum(axis=1, keepdims=True), 1e-300)
        mean_factor = np.einsum("dom,o->dm", self._origin_share, constants.cost_factor)
        factor = (
            constants.cost_factor[:, None] / np.where(mean_factor > 0, mean_factor, 1.0)[:, None]
        )
        markup = economy.scenario.trade.markup
        self._cost = constants.unit_value[:, None, None] / (1 + markup) * factor
        self._markup = markup
        self._burden = MeanDutyBurden(economy)
        self._base_product = economy.tariff_schedule.base_product[:, 0]
        self._source: tuple[object, object] | None = None
        foundries = economy.foundries
        member = np.eye(len(codes.regions))[foundries.region]
        capacity = np.einsum("fk,fr->krf", foundries.base_capacity, member)
        total = capacity.sum(axis=2)
        self._price_weight = capacity / np.where(total > 0, total, 1.0)[:, :, None]
        self._price_without = np.where(total > 0, 0.0, constants.chip_price[:, None])

    def of_month(self, economy: Economy) -> dict[str, Float]:
        """Arrays of `History` by name."""
        price = self._region_price(economy.foundries.price)
        source = economy.policy.expected, economy.importers.is_traced
        if self._source is None or any(
            a is not b for a, b in zip(source, self._source, strict=True)
        ):
            self._source = source
            self._read(economy)
        # what China makes good is a duty less
        given = counter_subsidy_share(
            self._component + self._count / price, economy.policy.counter_subsidy
        )
        given = given * self._exposed * economy.constants.is_china * price
        return {
            "slot_price": price,
            "slot_duty": self._rate * (price - given) + self._each - given,
            "assembly_price": self._assembly,
            "base_assembly": self._assembled(economy),
        }

    def _region_price(self, price: Float) -> Float:
        """(K, R) mean posted price in a region, weighted by base capacity; USD a chip."""
        result: Float = np.einsum("krf,fk->kr", self._price_weight, price)
        return result + self._price_without

    def _read(self, economy: Economy) -> None:
        """What is expected from now on."""
        expected, share = economy.policy.expected, economy.constants.commodity_share[:, None]
        futures, kinds = expected.futures, (DESIGN, PIN_COMPATIBLE)

        def both(design: Float, pin_compatible: Float) -> Float:
            return self._over_origins((1 - share) * design + share * pin_compatible)

        slot, self._count, self._component = (
            both(*table) for table in (expected.slot, expected.chip_count, expected.chip_value)
        )
        chip_price = economy.constants.chip_price
        burdens = [self._burden.slot(futures, kind, chip_price) for kind in kinds]
        by_value, self._each = (both(*tables) for tables in zip(*burdens, strict=True))
        self._rate = slot + by_value
        self._exposed = self._burden.known_origin_share()[:, :, None, None]
        product = self._base_product + self._burden.origin_rate(futures, ASSEMBLY)
        landed = self._cost * (1 + product.reshape(self._shape) * (1 + self._markup))
        self._assembly = np.ascontiguousarray(landed.transpose(2, 0, 1))

    def _over_origins(self, table: Float) -> Float:
        """(M, D, K, R) mean of a table of cells over the countries of the base year."""
        by_cell = table.reshape(*self._shape, *table.shape[1:])
        result: Float = np.einsum("dom,domkr->mdkr", self._origin_share, by_cell)
        return result

    def _assembled(self, economy: Economy) -> Float:
        """(M, D, O) units a month by country, if every line sold what it did in the base year."""
        codes, flows, makers = economy.constants.codes, economy.flows, economy.makers
        at = codes.cell(makers.device[flows.maker], makers.origin[flows.maker], flows.market)
        units = sum_by(at, flows.base_units, codes.n_cells).reshape(self._shape)
        return np.ascontiguousarray(units.transpose(2, 0, 1))

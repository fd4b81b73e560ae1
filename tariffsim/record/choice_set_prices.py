"""Prices and duties of the alternatives that makers have, for the match loss.

Shares are those of lines that sell what they sold in the base year, so that consumers who move
between lines, already in the price index, are not counted again (MODEL 4.7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tariffsim.behaviour.foundries import price_ahead
from tariffsim.kernels.duties import slot_duty_rate
from tariffsim.kernels.sums import sum_by
from tariffsim.kernels.supply import counter_subsidy_share
from tariffsim.law.declarations import ContentDuty
from tariffsim.law.expectations import Future
from tariffsim.law.expected_burden import ExpectedBurden, ImporterBeliefs
from tariffsim.state.constants import DESIGN, PIN_COMPATIBLE
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, Int


class ChoiceSetPrices:
    """Prices of chips with the duty expected on them, by market and device."""

    def __init__(self, economy: Economy) -> None:
        codes, constants = economy.constants.codes, economy.constants
        self._chinese_part = codes.chinese_part
        self._shape = (len(codes.devices), len(codes.origins), len(codes.markets))
        flows, makers = economy.flows, economy.makers
        cell = codes.cell(makers.device[flows.maker], makers.base_origin[flows.maker], flows.market)
        units = sum_by(cell, flows.base_units, codes.n_cells).reshape(self._shape)
        self._origin_share = units / np.maximum(units.sum(axis=1, keepdims=True), 1e-300)
        self._burden = MeanDutyBurden(economy)
        self._source: tuple[object, object] | None = None
        foundries = economy.foundries
        member = np.eye(len(codes.regions))[foundries.region]
        capacity = np.einsum("fk,fr->krf", foundries.base_capacity, member)
        total = capacity.sum(axis=2)
        self._price_weight = capacity / np.where(total > 0, total, 1.0)[:, :, None]
        self._price_without = np.where(total > 0, 0.0, constants.chip_price[:, None])

    def of_month(self, economy: Economy) -> dict[str, Float]:
        """Arrays of `History` by name."""
        foundries, supply = economy.foundries, economy.scenario.supply
        lead = int(economy.constants.requalification_months.mean())
        price = self._region_price(price_ahead(foundries, supply, lead))
        source = economy.policy.expected, economy.importers.is_traced
        if self._source is None or any(
            a is not b for a, b in zip(source, self._source, strict=True)
        ):
            self._source = source
            self._read(economy)
        # what China rebates is a duty less
        given = counter_subsidy_share(
            self._component + self._count / price, economy.policy.counter_subsidy
        )
        given = given * self._exposed * economy.constants.is_china * price
        return {
            "chip_price": self._region_price(foundries.price),
            "slot_price": price,
            "slot_duty": self._rate * (price - given) + self._each - given,
        }

    def _region_price(self, price: Float) -> Float:
        """(K, R) mean price in a region, weighted by base capacity; USD a chip."""
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
        self._burden.read(futures)
        burdens = [self._burden.slot(futures, kind, chip_price) for kind in kinds]
        by_value, self._each = (both(*tables) for tables in zip(*burdens, strict=True))
        self._rate = slot + by_value
        self._exposed = self._burden.known_origin_share()[:, :, None, None]

    def _over_origins(self, table: Float) -> Float:
        """(M, D, K, R) mean of a table of cells over the countries of the base year.

        Of a region's chips those that the law counts as Chinese have their share of the mean.
        """
        by_cell = table.reshape(*self._shape, *table.shape[1:])
        result: Float = np.einsum("dom,domkr->mdkr", self._origin_share, by_cell)
        if self._chinese_part is None:
            return result
        own, chinese = np.split(result, 2, axis=-1)
        return np.asarray(own + (chinese - own) * self._chinese_part)


class MeanDutyBurden:
    """Means over the importers of each device and market, weighted by their base imports."""

    def __init__(self, economy: Economy) -> None:
        self._importers, self._declarations = economy.importers, economy.declarations
        self._burden = ExpectedBurden.of(economy)
        flows, importers, codes = economy.flows, economy.importers, economy.constants.codes
        self._codes = codes
        value = economy.constants.unit_value[importers.device]
        self._value = value * sum_by(flows.importer, flows.base_units, len(importers))
        self._group = codes.market_device(importers.market, importers.device)
        self._meet(np.arange(len(importers)))

    def _meet(self, row: Int) -> None:
        """Read some importers only, in the order of their rows."""
        importers, codes = self._importers, self._codes
        self._row = row[:, None]
        self._first = np.flatnonzero(np.diff(self._group[row], prepend=-1))
        origins, device, market = np.arange(len(codes.origins)), importers.device, importers.market
        self._cell: Int = codes.cell(device[self._row], origins, market[self._row])

    def read(self, futures: Sequence[Future]) -> None:
        """Futures that importers expect: those in other markets than their laws' owe nothing."""
        markets = [m for future in futures for m in self._declarations.markets(future.regime)]
        self._meet(np.flatnonzero(np.isin(self._importers.market, markets)))

    def origin_rate(self, futures: Sequence[Future], kind: int) -> Float:
        """(cells,) duties by country of assembly on a dollar of product, as expected.

        That on the rest of the value is among them: what chips take off it is in `slot`.
        """
        rate = np.zeros(self._cell.shape)
        for future, weight in self._weighted(futures, kind):
            who = self._beliefs(future)
            rate += weight * self._burden.origin_rate(who, future.regime, self._cell)
            for content in self._declarations.contents:
                if content.is_separable and content.known.product.any():
                    rate += weight * self._on_product(content, future)
        return self._mean(rate, self._value[self._row])

    def slot(self, futures: Sequence[Future], kind: int, price: Float) -> tuple[Float, Float]:
        """(cells, K, R) expected duties that chips in a slot cause, on a dollar and on a chip.

        Duties on content are means of importers who know the origin, weighted by the duty itself:
        diversion is in proportion to it. `price` (K,) is a chip's, to value what is evaded.
        """
        schedule = self._declarations.schedule
        shape = (self._codes.n_cells, *schedule.probe_shape)
        by_value, by_count = np.zeros(shape), np.zeros(shape)
        rate = self.origin_rate(futures, kind)[:, None, None]
        for future, weight in self._weighted(futures, kind):
            cells = np.zeros(shape[0])
            cells[self._cell] = weight
            slot = slot_duty_rate(rate, schedule.markup, future.tables.bare, 0.0)
            by_value += cells[:, None, None] * (slot - future.tables.bare)
        at_border = schedule.crosses_border.astype(np.intp)
        for content in self._declarations.contents:
            if content.is_separable:
                each = self._content_burden(content, futures, kind, price)[:, :, None]
                by_value += each / price[:, None] * content.known.chip_value[at_border]
                by_count += each * content.known.chip_count[at_border]
        return by_value, by_count

    def known_origin_share(self) -> Float:
        """(M, D) share of imports whose importers know where their chips come from."""
        importers, codes = self._importers, self._codes
        cell = codes.market_device(importers.market, importers.device)
        n = len(codes.markets) * len(codes.devices)
        knows = sum_by(cell, self._value * importers.knows_origin, n)
        share = knows / np.maximum(sum_by(cell, self._value, n), 1e-300)
        return share.reshape(len(codes.markets), len(codes.devices))

    def _content_burden(
        self, content: ContentDuty, futures: Sequence[Future], kind: int, price: Float
    ) -> Float:
        """(cells, K) USD on a covered chip of each class, for importers who know the origin."""
        unit = np.ones(len(price)) if content.known.chip_count.any() else price
        each = np.zeros((*self._cell.shape, len(price)))
        for future, weight in self._weighted(futures, kind):
            who = self._beliefs(future).with_axis()
            due = self._declarations.rate(content, future.regime)[self._cell][..., None] * unit
            part = self._declarations.part(content, future.regime)
            due = who.burden(due, part * price) if content.is_declared else due
            each += weight[..., None] * due
        knows = self._importers.knows_origin | (not content.depends_on_knowledge)
        knowing = (self._value * knows)[self._row]
        return self._mean(each, knowing[..., None] * each)

    def _on_product(self, content: ContentDuty, future: Future) -> Float:
        """(J, O) rate of a duty on a dollar of product without chips."""
        at_border = self._declarations.schedule.crosses_border.astype(np.intp)[self._cell]
        knows = self._importers.knows_origin[self._row]
        due = np.where(knows, content.known.product[at_border], content.unknown.product[at_border])
        return np.asarray(self._declarations.rate(content, future.regime)[self._cell] * due)

    def _weighted(self, futures: Sequence[Future], kind: int) -> Iterator[tuple[Future, Float]]:
        """Futures that matter to a kind of choice, with their weight for each importer (J, 1)."""
        for future in futures:
            if future.has(kind):
                yield future, future.weight[kind, self._importers.device[self._row]]

    def _beliefs(self, future: Future) -> ImporterBeliefs:
        market = self._importers.market[self._row]
        return self._burden.beliefs(future.regime, self._row, market)

    def _mean(self, values: Float, weights: Float) -> Float:
        """(cells, ...) weighted means over the importers of a device and market (J, O, ...)."""
        mean = np.zeros((self._codes.n_cells, *values.shape[2:]))
        if not len(values):
            return mean
        weights = np.broadcast_to(weights, values.shape)
        top, bottom = (np.add.reduceat(x, self._first) for x in (weights * values, weights))
        mean[self._cell[self._first]] = top / np.where(bottom > 0, bottom, 1.0)
        return mean

"""What declared duties cost importers on average, by cell of the duty tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tariffsim.claims import Claims, Content
from tariffsim.economy import Economy
from tariffsim.kernels.duties import slot_duty_rate
from tariffsim.kernels.sums import sum_by
from tariffsim.phases.borne import Minds, minds
from tariffsim.tariffs import Future
from tariffsim.typing import Float, Int


class Means:
    """Means over the importers of each device and market, weighted by their base imports."""

    def __init__(self, economy: Economy, claims: Claims) -> None:
        self.economy, self.claims = economy, claims
        flows, importers, codes = economy.flows, economy.importers, economy.figures.codes
        value = economy.figures.unit_value[importers.device]
        self._value = value * sum_by(flows.importer, flows.base_units, len(importers))
        self._row = np.arange(len(importers))[:, None]
        origins = np.arange(len(codes.origins))
        group = importers.market * len(codes.devices) + importers.device
        self._first = np.flatnonzero(np.diff(group, prepend=-1))
        self._cell: Int = codes.cell(importers.device[:, None], origins, importers.market[:, None])

    def origin_rate(self, kind: int) -> Float:
        """(cells,) duties by country of assembly on a dollar of product, as expected."""
        rate = np.zeros(self._cell.shape)
        for future, weight in self._futures(kind):
            who = self._minds(future)
            rate += weight * who.origin_rate(self.claims, future.regime, self._cell)
        return self._mean(rate, self._value[:, None])

    def slot(self, kind: int, price: Float) -> tuple[Float, Float]:
        """(cells, K, R) expected duties that chips in a slot cause, on a dollar and on a chip.

        Duties on content are means of those who can tell, weighted by the duty itself: chips are
        given up in proportion to it. `price` (K,) is a chip's, to value what is hidden.
        """
        shape = (self.economy.figures.codes.n_cells, *self.economy.tariffs.probe_shape)
        by_value, by_count = np.zeros(shape), np.zeros(shape)
        rate = self.origin_rate(kind)
        markup = self.economy.tariffs.markup
        for future, weight in self._futures(kind):
            cells = np.zeros(shape[0])
            cells[self._cell] = weight
            slot = slot_duty_rate(rate[:, None, None], markup, future.tables.bare, 0.0)
            by_value += cells[:, None, None] * (slot - future.tables.bare)
        at_border = self.economy.tariffs.crosses_border.astype(np.int64)
        for content in self.claims.contents:
            if content.is_separable:
                each = self._borne(content, kind, price)[:, :, None]
                by_value += each / price[:, None] * content.known.chip_value[at_border]
                by_count += each * content.known.chip_count[at_border]
        return by_value, by_count

    def exposed(self) -> Float:
        """(M, D) part of imports whose importers can tell where their chips come from."""
        importers, codes = self.economy.importers, self.economy.figures.codes
        cell = importers.market * len(codes.devices) + importers.device
        n = len(codes.markets) * len(codes.devices)
        knows = sum_by(cell, self._value * importers.knows, n)
        part = knows / np.maximum(sum_by(cell, self._value, n), 1e-300)
        return part.reshape(len(codes.markets), len(codes.devices))

    def _borne(self, content: Content, kind: int, price: Float) -> Float:
        """(cells, K) USD on a covered chip of each class, as those bear it who can tell."""
        unit = np.ones(len(price)) if content.known.chip_count.any() else price
        each = np.zeros((*self._cell.shape, len(price)))
        for future, weight in self._futures(kind):
            who = self._minds(future, deep=True)
            due = self.claims.rate(content, future.regime)[self._cell][..., None]
            borne = who.bears(due * unit, price) if content.is_declared else due * unit
            each += weight[..., None] * borne
        knowing = self._value * (self.economy.importers.knows | (not content.is_declared))
        return self._mean(each, knowing[:, None, None] * each)

    def _futures(self, kind: int) -> Iterator[tuple[Future, Float]]:
        """Futures that matter to a kind of choice, with their weight for each importer (J, 1)."""
        for future in self.economy.law.expected.of_kind(kind):
            yield future, future.weight[kind, self.economy.importers.device][:, None]

    def _minds(self, future: Future, deep: bool = False) -> Minds:
        rows = self._row[..., None] if deep else self._row
        market = self.economy.importers.market[rows]
        return minds(self.economy, self.claims, future.regime, rows, market)

    def _mean(self, values: Float, weights: Float) -> Float:
        """(cells, ...) weighted means over the importers of a device and market (J, O, ...)."""
        weights = np.broadcast_to(weights, values.shape)
        top, bottom = (np.add.reduceat(x, self._first) for x in (weights * values, weights))
        mean = np.zeros((self.economy.figures.codes.n_cells, *values.shape[2:]))
        mean[self._cell[self._first]] = top / np.where(bottom > 0, bottom, 1.0)
        return mean

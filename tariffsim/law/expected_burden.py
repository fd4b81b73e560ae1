"""What declared duties are expected to cost each importer, who may evade them (MODEL 4.2, 4.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tariffsim.kernels.compliance import duty_burden, origin_burden
from tariffsim.kernels.duties import (
    chip_duty_rate,
    duty_on_chip,
    slot_burden,
    slot_duty_rate,
    stacked,
)
from tariffsim.kernels.sums import over_slots, sum_by
from tariffsim.kernels.supply import counter_subsidy_share
from tariffsim.law.declarations import ContentDuty, Declarations, UnitDuty, declared_duties
from tariffsim.law.duty_tables import Regime
from tariffsim.law.expectations import Future
from tariffsim.policy.shipments import Shipments
from tariffsim.state.constants import Constants
from tariffsim.state.economy import DeviceMakers, Economy, Importers, SlotRows
from tariffsim.typing import Bool, Float, Int


@dataclass(frozen=True)
class ImporterBeliefs:
    """Importers as makers know them; arrays of one shape."""

    knows_origin: Bool
    evasion_cost: Float
    exposure: Float
    """Back duty and penalty expected for a dollar evaded."""

    def burden(self, duty: Float, value: Float | float) -> Float:
        """What a duty on a value costs them, evasion being the alternative."""
        return duty_burden(duty, value, self.evasion_cost, self.exposure)

    def origin_rate(self, declarations: Declarations, regime: Regime, cell: Int) -> Float:
        """Duties on a dollar of product, a false country of assembly being the alternative."""
        duties = declarations.origin_duties(regime)
        gain = duties.gain[cell]
        return origin_burden(duties.rate[cell], gain, self.burden(gain, 1.0))

    def with_axis(self) -> ImporterBeliefs:
        """The same with one more axis at the end, for the parts of a product."""
        return ImporterBeliefs(
            self.knows_origin[..., None], self.evasion_cost[..., None], self.exposure[..., None]
        )


def importer_beliefs(
    importers: Importers,
    declarations: Declarations,
    regime: Regime,
    importer: Int,
    market: Int | int,
) -> ImporterBeliefs:
    """The importers in these rows under a regime's enforcement."""
    exposure = np.asarray(declarations.enforcement(regime).exposure[market])
    return ImporterBeliefs(
        importers.knows_origin[importer], importers.evasion_cost[importer], exposure
    )


def line_beliefs(
    makers: DeviceMakers, importers: Importers, declarations: Declarations, maker: Int,
    regime: Regime,
) -> ImporterBeliefs:  # fmt: skip
    """(rows, 1, M) importers of lines in every market."""
    importer = makers.importer[maker][:, None, :]
    market = np.arange(importer.shape[2])
    return importer_beliefs(importers, declarations, regime, importer, market)


def expected_slot_burden(
    declarations: Declarations,
    makers: DeviceMakers,
    importers: Importers,
    region: Int,
    slots: SlotRows,
    price: Float,
    futures: Sequence[Future],
    triggered: bool = True,
) -> Float:
    """(rows, F) USD a chip that declared duties are expected to cost at each foundry's price.

    `region` (F,) is where foundries are; with `triggered` as if every trigger were pulled.
    """
    total = np.zeros(price.shape)
    for future in futures:
        weight = future.weight[slots.kind, makers.device[slots.maker]]
        for market in declarations.markets(future.regime) if weight.any() else []:
            sold = weight * makers.weights[slots.maker, market]
            rows = np.flatnonzero(sold)
            some = slots.take(rows)
            who = importer_beliefs(
                importers, declarations, future.regime, makers.importer[some.maker, market], market
            )
            cell = declarations.schedule.codes.cell(
                makers.device[some.maker], makers.origin[some.maker], market
            )
            each = _slot_burden(
                declarations, future, who, cell, some.node_class, region, price[rows], triggered
            )
            total[rows] += sold[rows, None] * each
    return total


def _slot_burden(
    declarations: Declarations,
    future: Future,
    who: ImporterBeliefs,
    cell: Int,
    node_class: Int,
    region: Int,
    price: Float,
    triggered: bool,
) -> Float:
    """(rows, F) USD a chip in one market under one future."""
    at_border = declarations.schedule.crosses_border[cell].astype(np.intp)
    product = who.origin_rate(declarations, future.regime, cell)
    on_chip, each, at = np.zeros(price.shape), who.with_axis(), (at_border, node_class)
    for content in declarations.contents:
        rate = declarations.rate(content, future.regime)[cell]
        if not (content.is_separable or triggered) or not rate.any():
            continue
        known, unknown = content.known, content.unknown
        due, due_unknown = (_of_chips(u, at, region, price, rate) for u in (known, unknown))
        whole = rate * known.product[at_border]
        if content.is_declared:
            covered = known.chip_value[at][:, region] + known.chip_count[at][:, region]
            due = each.burden(due, price * covered)
            whole = who.burden(whole, 1.0)
        on_chip = on_chip + np.where(each.knows_origin, due, due_unknown)
        product = product + np.where(who.knows_origin, whole, rate * unknown.product[at_border])
    bare = future.tables.bare[cell, node_class][:, region]
    markup = declarations.schedule.markup
    return slot_burden(price, product[:, None], markup, bare, on_chip)


def _of_chips(unit: UnitDuty, at: tuple[Int, Int], region: Int, price: Float, rate: Float) -> Float:
    """(rows, F) USD a chip that a duty takes."""
    by_value, by_count = unit.chip_value[at][:, region], unit.chip_count[at][:, region]
    return rate[:, None] * duty_on_chip(by_value, by_count, price)


def product_burden(
    declarations: Declarations, who: ImporterBeliefs, shipments: Shipments, cell: Int,
    regime: Regime,
) -> Float:  # fmt: skip
    """USD a unit that declared duties cost the importers of shipments, triggers as they are."""
    on_product = who.origin_rate(declarations, regime, cell) * shipments.customs_value
    return np.asarray(on_product + content_burden(declarations, who, shipments, cell, regime))


def content_burden(
    declarations: Declarations, who: ImporterBeliefs, shipments: Shipments, cell: Int,
    regime: Regime, triggered_only: bool = False,
) -> Float:  # fmt: skip
    """USD a unit of that through duties on what is inside the product; or of triggers alone."""
    duties: list[tuple[str | None, Float]] = []
    for declared in declared_duties(declarations, regime, shipments, cell, triggered_only):
        known = declared.parts
        if declared.is_declared:
            known = who.with_axis().burden(known, declared.values)
        due = np.where(who.knows_origin, over_slots(known), declared.unknown)
        duties.append((declared.law.instrument.stacking_group, due))
    return np.asarray(stacked(duties) + np.zeros(cell.shape))


class MeanDutyBurden:
    """Means over the importers of each device and market, weighted by their base imports."""

    def __init__(self, economy: Economy) -> None:
        self._importers, self._declarations = economy.importers, economy.declarations
        flows, importers, codes = economy.flows, economy.importers, economy.constants.codes
        self._codes = codes
        value = economy.constants.unit_value[importers.device]
        self._value = value * sum_by(flows.importer, flows.base_units, len(importers))
        self._row = np.arange(len(importers))[:, None]
        origins = np.arange(len(codes.origins))
        group = codes.market_device(importers.market, importers.device)
        self._first = np.flatnonzero(np.diff(group, prepend=-1))
        self._cell: Int = codes.cell(importers.device[:, None], origins, importers.market[:, None])

    def origin_rate(self, futures: Sequence[Future], kind: int) -> Float:
        """(cells,) duties by country of assembly on a dollar of product, as expected."""
        rate = np.zeros(self._cell.shape)
        for future, weight in self._weighted(futures, kind):
            who = self._beliefs(future)
            rate += weight * who.origin_rate(self._declarations, future.regime, self._cell)
        return self._mean(rate, self._value[:, None])

    def slot(self, futures: Sequence[Future], kind: int, price: Float) -> tuple[Float, Float]:
        """(cells, K, R) expected duties that chips in a slot cause, on a dollar and on a chip.

        Duties on content are means of importers who know the origin, weighted by the duty itself:
        chips are given up in proportion to it. `price` (K,) is a chip's, to value what is evaded.
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
            each += weight[..., None] * (who.burden(due, price) if content.is_declared else due)
        knowing = self._value * (self._importers.knows_origin | (not content.is_declared))
        return self._mean(each, knowing[:, None, None] * each)

    def _weighted(self, futures: Sequence[Future], kind: int) -> Iterator[tuple[Future, Float]]:
        """Futures that matter to a kind of choice, with their weight for each importer (J, 1)."""
        for future in futures:
            if future.has(kind):
                yield future, future.weight[kind, self._importers.device][:, None]

    def _beliefs(self, future: Future) -> ImporterBeliefs:
        market = self._importers.market[self._row]
        return importer_beliefs(
            self._importers, self._declarations, future.regime, self._row, market
        )

    def _mean(self, values: Float, weights: Float) -> Float:
        """(cells, ...) weighted means over the importers of a device and market (J, O, ...)."""
        weights = np.broadcast_to(weights, values.shape)
        top, bottom = (np.add.reduceat(x, self._first) for x in (weights * values, weights))
        mean = np.zeros((self._codes.n_cells, *values.shape[2:]))
        mean[self._cell[self._first]] = top / np.where(bottom > 0, bottom, 1.0)
        return mean


@dataclass(frozen=True)
class CounterSubsidy:
    """What China rebates of component duties on its chips to makers exposed to them (MODEL 4.1)."""

    share: float
    makers: DeviceMakers
    importers: Importers
    constants: Constants

    @classmethod
    def of(cls, economy: Economy) -> CounterSubsidy:
        """That of the month."""
        share = economy.policy.counter_subsidy
        return cls(share, economy.makers, economy.importers, economy.constants)

    def share_of_price(
        self, duties: tuple[Float, Float], kind: Int | int, maker: Int, origin: Int,
        node_class: Int, region: Int, price: Float,
    ) -> Float | float:  # fmt: skip
        """Share of the price of a chip that is rebated.

        `duties` (kinds, cells, K, R) are component duties on a dollar of chips and on a chip; what
        counts is their mean over the line's markets, as far as importers there know the origin of
        chips. Other arrays broadcast together.
        """
        if self.share == 0.0:
            return 0.0
        makers, (by_value, by_count) = self.makers, duties
        cells = self.constants.codes.cells_by_market(makers.device[maker], origin)
        at = np.asarray(kind)[..., None], cells, node_class[..., None], region[..., None]
        rate = chip_duty_rate(by_value[at], by_count[at], price[..., None])
        exposed = makers.weights[maker] * self.importers.knows_origin[makers.importer[maker]]
        mean = over_slots(rate * exposed)
        return counter_subsidy_share(mean, self.share) * self.constants.is_china[region]

    def net_price(
        self, duties: tuple[Float, Float], kind: Int | int, maker: Int, origin: Int,
        node_class: Int, region: Int, price: Float,
    ) -> Float:  # fmt: skip
        """Price of a chip after the rebate, USD; arguments as in `share_of_price`."""
        share = self.share_of_price(duties, kind, maker, origin, node_class, region, price)
        return np.asarray(price * (1 - share))

"""Duties as makers count with them: what each importer will really bear (MODEL 4.2, 4.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tariffsim.kernels.compliance import duty_burden
from tariffsim.kernels.duties import slot_duty_rate, stacked
from tariffsim.kernels.sums import sum_by
from tariffsim.kernels.supply import counter_subsidy_share
from tariffsim.law.declarations import Content, Declarations, UnitDuty, declared_duties
from tariffsim.law.duty_tables import Regime
from tariffsim.law.expectations import Future
from tariffsim.policy.shipments import Shipments
from tariffsim.state.economy import Economy
from tariffsim.typing import Bool, Float, Int


@dataclass(frozen=True)
class ImporterBeliefs:
    """Importers as makers know them; arrays of one shape."""

    knows_origin: Bool
    evasion_cost: Float
    exposure: Float
    """Back duty and penalty expected for a dollar evaded."""

    def bears(self, duty: Float, value: Float | float) -> Float:
        """What a duty on a value costs them, hiding it being the alternative."""
        return duty_burden(duty, value, self.evasion_cost, self.exposure)

    def origin_rate(self, declarations: Declarations, regime: Regime, cell: Int) -> Float:
        """Duties on a dollar of product, a false country of assembly being the alternative."""
        origins = declarations.origins(regime)
        gain = origins.gain[cell]
        return np.asarray(origins.rate[cell] - gain + self.bears(gain, 1.0))


def importer_beliefs(
    economy: Economy, declarations: Declarations, regime: Regime, importer: Int, market: Int | int
) -> ImporterBeliefs:
    """The importers in these rows under a regime's enforcement."""
    importers = economy.importers
    exposure = np.asarray(declarations.enforcement(regime).exposure[market])
    return ImporterBeliefs(
        importers.knows_origin[importer], importers.evasion_cost[importer], exposure
    )


def slot_duty(
    economy: Economy,
    declarations: Declarations,
    maker: Int,
    node_class: Int,
    kind: Int,
    price: Float,
    triggered: bool,
    futures: Sequence[Future] | None = None,
) -> Float:
    """(rows, F) USD a chip that declared duties are expected to take at each foundry's price.

    In the futures given; in those that agents expect if None.
    """
    makers = economy.makers
    device = makers.device[maker]
    total = np.zeros(price.shape)
    for future in economy.policy.expected.futures if futures is None else futures:
        weight = future.weight[kind, device]
        for market in declarations.markets(future.regime) if weight.any() else []:
            sold = weight * makers.weights[maker, market]
            rows = np.flatnonzero(sold)
            who = importer_beliefs(
                economy, declarations, future.regime, makers.importer[maker[rows], market], market
            )
            each = _slot_duty(
                economy, declarations, future, who, maker[rows], node_class[rows], market,
                price[rows], triggered,
            )  # fmt: skip
            total[rows] += sold[rows, None] * each
    return total


def _slot_duty(
    economy: Economy,
    declarations: Declarations,
    future: Future,
    who: ImporterBeliefs,
    maker: Int,
    node_class: Int,
    market: int,
    price: Float,
    triggered: bool,
) -> Float:
    """(rows, F) USD a chip in one market under one future."""
    makers, region, schedule = economy.makers, economy.foundries.region, economy.tariff_schedule
    cell = economy.constants.codes.cell(makers.device[maker], makers.origin[maker], market)
    at_border = schedule.crosses_border[cell].astype(np.intp)
    product = who.origin_rate(declarations, future.regime, cell)
    on_chip = np.zeros(price.shape)
    at = at_border, node_class
    for content in declarations.contents:
        rate = declarations.rate(content, future.regime)[cell]
        if not (content.is_separable or triggered) or not rate.any():
            continue
        known, unknown = content.known, content.unknown
        covered = known.chip_value[at][:, region] + known.chip_count[at][:, region]
        due, blind = (rate[:, None] * _of_a_chip(u, at, region, price) for u in (known, unknown))
        whole = rate * known.product[at_border]
        if content.is_declared:
            due = duty_burden(due, price * covered, who.evasion_cost[:, None], who.exposure)
            whole = who.bears(whole, 1.0)
        on_chip = on_chip + np.where(who.knows_origin[:, None], due, blind)
        product = product + np.where(who.knows_origin, whole, rate * unknown.product[at_border])
    bare = future.tables.bare[cell, node_class][:, region]
    on_product = product[:, None] * (1 + schedule.markup) * (1 + bare)
    return np.asarray(price * on_product + on_chip)


def _of_a_chip(unit: UnitDuty, at: tuple[Int, Int], region: Int, price: Float) -> Float:
    """(rows, F) USD a chip that a duty of rate one takes."""
    return np.asarray(unit.chip_value[at][:, region] * price + unit.chip_count[at][:, region])


def lines_duty(
    economy: Economy,
    declarations: Declarations,
    maker: Int,
    shipments: Shipments,
    cell: Int,
    regime: Regime,
) -> Float:
    """(rows, O, M) USD a unit that declared duties cost importers of imagined products."""
    return _of_products(
        declarations, _of_lines(economy, declarations, maker, regime), shipments, cell, regime
    )


def flows_duty(
    economy: Economy, declarations: Declarations, shipments: Shipments, cell: Int, regime: Regime
) -> Float:
    """(L,) USD a unit that declared duties cost importers of what is brought in."""
    flows = economy.flows
    who = importer_beliefs(economy, declarations, regime, flows.importer, flows.market)
    return _of_products(declarations, who, shipments, cell, regime)


def triggered_duty(
    economy: Economy,
    declarations: Declarations,
    maker: Int,
    shipments: Shipments,
    cell: Int,
    regime: Regime,
) -> Float:
    """(rows, O, M) of that of imagined products, what triggers cost."""
    who = _of_lines(economy, declarations, maker, regime)
    return _of_content(declarations, who, shipments, cell, regime, triggered_only=True)


def _of_products(
    declarations: Declarations,
    who: ImporterBeliefs,
    shipments: Shipments,
    cell: Int,
    regime: Regime,
) -> Float:
    on_product = who.origin_rate(declarations, regime, cell) * shipments.customs_value
    return np.asarray(on_product + _of_content(declarations, who, shipments, cell, regime))


def _of_content(
    declarations: Declarations,
    who: ImporterBeliefs,
    shipments: Shipments,
    cell: Int,
    regime: Regime,
    triggered_only: bool = False,
) -> Float:
    """USD a unit of duties on what is inside, triggers as they are."""
    duties: list[tuple[str | None, Float]] = []
    for declared in declared_duties(declarations, regime, shipments, cell, triggered_only):
        borne = declared.parts
        if declared.is_declared:
            evasion_cost, exposure = who.evasion_cost[..., None], who.exposure[..., None]
            borne = duty_burden(borne, declared.values, evasion_cost, exposure)
        due = np.where(who.knows_origin, borne.sum(axis=-1), declared.unknown)
        duties.append((declared.law.instrument.stacking_group, due))
    return np.asarray(stacked(duties) + np.zeros(cell.shape))


def _of_lines(
    economy: Economy, declarations: Declarations, maker: Int, regime: Regime
) -> ImporterBeliefs:
    """(rows, 1, M) importers of lines in every market."""
    importer = economy.makers.importer[maker][:, None, :]
    return importer_beliefs(economy, declarations, regime, importer, np.arange(importer.shape[2]))


class MeanDutyBurden:
    """Means over the importers of each device and market, weighted by their base imports."""

    def __init__(self, economy: Economy, declarations: Declarations) -> None:
        self.economy, self.declarations = economy, declarations
        flows, importers, codes = economy.flows, economy.importers, economy.constants.codes
        value = economy.constants.unit_value[importers.device]
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
            rate += weight * who.origin_rate(self.declarations, future.regime, self._cell)
        return self._mean(rate, self._value[:, None])

    def slot(self, kind: int, price: Float) -> tuple[Float, Float]:
        """(cells, K, R) expected duties that chips in a slot cause, on a dollar and on a chip.

        Duties on content are means of those who can tell, weighted by the duty itself: chips are
        given up in proportion to it. `price` (K,) is a chip's, to value what is hidden.
        """
        shape = (self.economy.constants.codes.n_cells, *self.economy.tariff_schedule.probe_shape)
        by_value, by_count = np.zeros(shape), np.zeros(shape)
        rate = self.origin_rate(kind)
        markup = self.economy.tariff_schedule.markup
        for future, weight in self._futures(kind):
            cells = np.zeros(shape[0])
            cells[self._cell] = weight
            slot = slot_duty_rate(rate[:, None, None], markup, future.tables.bare, 0.0)
            by_value += cells[:, None, None] * (slot - future.tables.bare)
        at_border = self.economy.tariff_schedule.crosses_border.astype(np.intp)
        for content in self.declarations.contents:
            if content.is_separable:
                each = self._borne(content, kind, price)[:, :, None]
                by_value += each / price[:, None] * content.known.chip_value[at_border]
                by_count += each * content.known.chip_count[at_border]
        return by_value, by_count

    def exposed(self) -> Float:
        """(M, D) part of imports whose importers can tell where their chips come from."""
        importers, codes = self.economy.importers, self.economy.constants.codes
        cell = importers.market * len(codes.devices) + importers.device
        n = len(codes.markets) * len(codes.devices)
        knows = sum_by(cell, self._value * importers.knows_origin, n)
        part = knows / np.maximum(sum_by(cell, self._value, n), 1e-300)
        return part.reshape(len(codes.markets), len(codes.devices))

    def _borne(self, content: Content, kind: int, price: Float) -> Float:
        """(cells, K) USD on a covered chip of each class, as those bear it who can tell."""
        unit = np.ones(len(price)) if content.known.chip_count.any() else price
        each = np.zeros((*self._cell.shape, len(price)))
        for future, weight in self._futures(kind):
            who = self._minds(future, deep=True)
            due = self.declarations.rate(content, future.regime)[self._cell][..., None]
            borne = who.bears(due * unit, price) if content.is_declared else due * unit
            each += weight[..., None] * borne
        knowing = self._value * (self.economy.importers.knows_origin | (not content.is_declared))
        return self._mean(each, knowing[:, None, None] * each)

    def _futures(self, kind: int) -> Iterator[tuple[Future, Float]]:
        """Futures that matter to a kind of choice, with their weight for each importer (J, 1)."""
        for future in self.economy.policy.expected.of_kind(kind):
            yield future, future.weight[kind, self.economy.importers.device][:, None]

    def _minds(self, future: Future, deep: bool = False) -> ImporterBeliefs:
        rows = self._row[..., None] if deep else self._row
        market = self.economy.importers.market[rows]
        return importer_beliefs(self.economy, self.declarations, future.regime, rows, market)

    def _mean(self, values: Float, weights: Float) -> Float:
        """(cells, ...) weighted means over the importers of a device and market (J, O, ...)."""
        weights = np.broadcast_to(weights, values.shape)
        top, bottom = (np.add.reduceat(x, self._first) for x in (weights * values, weights))
        mean = np.zeros((self.economy.constants.codes.n_cells, *values.shape[2:]))
        mean[self._cell[self._first]] = top / np.where(bottom > 0, bottom, 1.0)
        return mean


def chip_counter_subsidy(
    economy: Economy,
    value: Float,
    count: Float,
    kind: Int | int,
    maker: Int,
    origin: Int,
    node_class: Int,
    region: Int,
    price: Float,
) -> Float | float:
    """Part of the price of a chip that makers exposed to component duties get back.

    `value` and `count` (kinds, cells, K, R) are component duties on a dollar of chips and on a
    chip; what counts is their mean over the line's markets, as far as importers there can tell
    where chips come from. Other arrays broadcast together.
    """
    if economy.policy.counter_subsidy == 0.0:
        return 0.0
    codes, makers = economy.constants.codes, economy.makers
    cell = codes.cell(makers.device[maker], origin, 0)[..., None] + np.arange(len(codes.markets))
    at = np.asarray(kind)[..., None], cell, node_class[..., None], region[..., None]
    rate = value[at] + count[at] / price[..., None]
    exposed = makers.weights[maker] * economy.importers.knows_origin[makers.importer[maker]]
    mean = (rate * exposed).sum(axis=-1)
    return (
        counter_subsidy_share(mean, economy.policy.counter_subsidy)
        * economy.constants.is_china[region]
    )

"""Duties as makers count with them: what each importer will really bear (MODEL 4.2, 4.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tariffsim.kernels.compliance import duty_borne
from tariffsim.kernels.duties import slot_duty_rate, stacked
from tariffsim.kernels.sums import sum_by
from tariffsim.kernels.supply import offset_part
from tariffsim.law.declarations import Claims, Content, UnitDuty, content_claims
from tariffsim.law.duty_tables import Regime
from tariffsim.law.expectations import Future
from tariffsim.policy.shipments import Shipments
from tariffsim.state.economy import Economy
from tariffsim.typing import Bool, Float, Int


@dataclass(frozen=True)
class Minds:
    """Importers as makers know them; arrays of one shape."""

    knows: Bool
    honesty: Float
    exposure: Float
    """Back duty and penalty expected for a dollar evaded."""

    def bears(self, duty: Float, value: Float | float) -> Float:
        """What a duty on a value costs them, hiding it being the alternative."""
        return duty_borne(duty, value, self.honesty, self.exposure)

    def origin_rate(self, claims: Claims, regime: Regime, cell: Int) -> Float:
        """Duties on a dollar of product, a false country of assembly being the alternative."""
        origins = claims.origins(regime)
        gain = origins.gain[cell]
        return np.asarray(origins.rate[cell] - gain + self.bears(gain, 1.0))


def minds(
    economy: Economy, claims: Claims, regime: Regime, importer: Int, market: Int | int
) -> Minds:
    """The importers in these rows under a regime's enforcement."""
    importers = economy.importers
    exposure = np.asarray(claims.enforcement(regime).exposure[market])
    return Minds(importers.knows[importer], importers.honesty[importer], exposure)


def slot_duty(
    economy: Economy,
    claims: Claims,
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
    for future in economy.law.expected.futures if futures is None else futures:
        weight = future.weight[kind, device]
        for market in claims.markets(future.regime) if weight.any() else []:
            sold = weight * makers.weights[maker, market]
            rows = np.flatnonzero(sold)
            who = minds(
                economy, claims, future.regime, makers.importer[maker[rows], market], market
            )
            each = _slot_duty(
                economy, claims, future, who, maker[rows], node_class[rows], market, price[rows],
                triggered,
            )  # fmt: skip
            total[rows] += sold[rows, None] * each
    return total


def _slot_duty(
    economy: Economy,
    claims: Claims,
    future: Future,
    who: Minds,
    maker: Int,
    node_class: Int,
    market: int,
    price: Float,
    triggered: bool,
) -> Float:
    """(rows, F) USD a chip in one market under one future."""
    makers, region, tariffs = economy.makers, economy.foundries.region, economy.tariffs
    cell = economy.figures.codes.cell(makers.device[maker], makers.origin[maker], market)
    at_border = tariffs.crosses_border[cell].astype(np.int64)
    product = who.origin_rate(claims, future.regime, cell)
    on_chip = np.zeros(price.shape)
    at = at_border, node_class
    for content in claims.contents:
        rate = claims.rate(content, future.regime)[cell]
        if not (content.is_separable or triggered) or not rate.any():
            continue
        known, unknown = content.known, content.unknown
        covered = known.chip_value[at][:, region] + known.chip_count[at][:, region]
        due, blind = (rate[:, None] * _of_a_chip(u, at, region, price) for u in (known, unknown))
        whole = rate * known.product[at_border]
        if content.is_declared:
            due = duty_borne(due, price * covered, who.honesty[:, None], who.exposure)
            whole = who.bears(whole, 1.0)
        on_chip = on_chip + np.where(who.knows[:, None], due, blind)
        product = product + np.where(who.knows, whole, rate * unknown.product[at_border])
    bare = future.tables.bare[cell, node_class][:, region]
    on_product = product[:, None] * (1 + tariffs.markup) * (1 + bare)
    return np.asarray(price * on_product + on_chip)


def _of_a_chip(unit: UnitDuty, at: tuple[Int, Int], region: Int, price: Float) -> Float:
    """(rows, F) USD a chip that a duty of rate one takes."""
    return np.asarray(unit.chip_value[at][:, region] * price + unit.chip_count[at][:, region])


def lines_duty(
    economy: Economy, claims: Claims, maker: Int, shipments: Shipments, cell: Int, regime: Regime
) -> Float:
    """(rows, O, M) USD a unit that declared duties cost importers of imagined products."""
    return _of_products(claims, _of_lines(economy, claims, maker, regime), shipments, cell, regime)


def flows_duty(
    economy: Economy, claims: Claims, shipments: Shipments, cell: Int, regime: Regime
) -> Float:
    """(L,) USD a unit that declared duties cost importers of what is brought in."""
    flows = economy.flows
    who = minds(economy, claims, regime, flows.importer, flows.market)
    return _of_products(claims, who, shipments, cell, regime)


def triggered_duty(
    economy: Economy, claims: Claims, maker: Int, shipments: Shipments, cell: Int, regime: Regime
) -> Float:
    """(rows, O, M) of that of imagined products, what triggers cost."""
    who = _of_lines(economy, claims, maker, regime)
    return _of_content(claims, who, shipments, cell, regime, triggered_only=True)


def _of_products(
    claims: Claims, who: Minds, shipments: Shipments, cell: Int, regime: Regime
) -> Float:
    on_product = who.origin_rate(claims, regime, cell) * shipments.customs_value
    return np.asarray(on_product + _of_content(claims, who, shipments, cell, regime))


def _of_content(
    claims: Claims,
    who: Minds,
    shipments: Shipments,
    cell: Int,
    regime: Regime,
    triggered_only: bool = False,
) -> Float:
    """USD a unit of duties on what is inside, triggers as they are."""
    duties: list[tuple[str | None, Float]] = []
    for claim in content_claims(claims, regime, shipments, cell, triggered_only):
        borne = claim.parts
        if claim.is_declared:
            honesty, exposure = who.honesty[..., None], who.exposure[..., None]
            borne = duty_borne(borne, claim.values, honesty, exposure)
        due = np.where(who.knows, borne.sum(axis=-1), claim.unknown)
        duties.append((claim.law.instrument.stacking_group, due))
    return np.asarray(stacked(duties) + np.zeros(cell.shape))


def _of_lines(economy: Economy, claims: Claims, maker: Int, regime: Regime) -> Minds:
    """(rows, 1, M) importers of lines in every market."""
    importer = economy.makers.importer[maker][:, None, :]
    return minds(economy, claims, regime, importer, np.arange(importer.shape[2]))


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


def chip_offset(
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
    if economy.law.offset == 0.0:
        return 0.0
    codes, makers = economy.figures.codes, economy.makers
    cell = codes.cell(makers.device[maker], origin, 0)[..., None] + np.arange(len(codes.markets))
    at = np.asarray(kind)[..., None], cell, node_class[..., None], region[..., None]
    rate = value[at] + count[at] / price[..., None]
    exposed = makers.weights[maker] * economy.importers.knows[makers.importer[maker]]
    mean = (rate * exposed).sum(axis=-1)
    return offset_part(mean, economy.law.offset) * economy.figures.is_china[region]

"""Declared duties as makers count with them: what each importer will really bear (MODEL 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffsim.claims import Claims, UnitDuty, content_claims
from tariffsim.economy import Economy
from tariffsim.kernels.compliance import duty_borne
from tariffsim.kernels.duties import stacked
from tariffsim.law import Regime
from tariffsim.shipments import Shipments
from tariffsim.tariffs import Future
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

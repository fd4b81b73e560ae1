"""What declared duties are expected to cost each importer, who may evade them (MODEL 4.2, 4.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffsim import kernels as k
from tariffsim.law.declarations import Declarations, UnitDuty, declared_duties
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
        return k.duty_burden(duty, value, self.evasion_cost, self.exposure)

    def origin_rate(self, declarations: Declarations, regime: Regime, cell: Int) -> Float:
        """Duties on a dollar of product, a false country of assembly being the alternative."""
        duties = declarations.origin_duties(regime)
        gain = duties.gain[cell]
        return k.origin_burden(duties.rate[cell], gain, self.burden(gain, 1.0))

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
    return k.slot_burden(price, product[:, None], markup, bare, on_chip)


def _of_chips(unit: UnitDuty, at: tuple[Int, Int], region: Int, price: Float, rate: Float) -> Float:
    """(rows, F) USD a chip that a duty takes."""
    by_value, by_count = unit.chip_value[at][:, region], unit.chip_count[at][:, region]
    return rate[:, None] * k.duty_on_chip(by_value, by_count, price)


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
        due = np.where(who.knows_origin, k.over_slots(known), declared.unknown)
        duties.append((declared.law.instrument.stacking_group, due))
    return np.asarray(k.stacked(duties) + np.zeros(cell.shape))


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
        rate = k.chip_duty_rate(by_value[at], by_count[at], price[..., None])
        exposed = makers.weights[maker] * self.importers.knows_origin[makers.importer[maker]]
        mean = k.over_slots(rate * exposed)
        return k.counter_subsidy_share(mean, self.share) * self.constants.is_china[region]

"""What declared duties are expected to cost each importer, who may evade them (MODEL 4.2, 4.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tariffsim import kernels as k
from tariffsim.law.declarations import Declarations, UnitDuty, declared_duties
from tariffsim.law.duty_tables import Regime
from tariffsim.law.expectations import Future
from tariffsim.policy.shipments import Shipments
from tariffsim.state.chip_origins import ChipOrigins
from tariffsim.state.constants import Constants
from tariffsim.state.economy import Economy, Importers
from tariffsim.state.makers import DeviceMakers, SlotRows
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

    def take(self, rows: Int) -> ImporterBeliefs:
        """Some of them; what is alike for all stays so."""
        return ImporterBeliefs(
            self.knows_origin[rows],
            self.evasion_cost[rows],
            self.exposure[rows] if len(self.exposure) > 1 else self.exposure,
        )

    def with_axis(self) -> ImporterBeliefs:
        """The same with one more axis at the end, for the parts of a product."""
        return ImporterBeliefs(
            self.knows_origin[..., None], self.evasion_cost[..., None], self.exposure[..., None]
        )


@dataclass(frozen=True)
class ExpectedBurden:
    """What declared duties are expected to cost the importers of lines."""

    declarations: Declarations
    makers: DeviceMakers
    importers: Importers
    origins: ChipOrigins

    @classmethod
    def of(cls, economy: Economy) -> ExpectedBurden:
        """That of an economy."""
        return cls(economy.declarations, economy.makers, economy.importers, economy.chip_origins)

    def beliefs(self, regime: Regime, importer: Int, market: Int | int) -> ImporterBeliefs:
        """The importers in these rows under a regime's enforcement."""
        exposure = np.asarray(self.declarations.enforcement(regime).exposure[market])
        knows, cost = self.importers.knows_origin, self.importers.evasion_cost
        return ImporterBeliefs(knows[importer], cost[importer], exposure)

    def origin_rate(self, who: ImporterBeliefs, regime: Regime, cell: Int) -> Float:
        """Duties on a dollar of product, a false country of assembly being the alternative."""
        duties = self.declarations.origin_duties(regime)
        gain = duties.gain[cell]
        return k.origin_burden(duties.rate[cell], gain, who.burden(gain, 1.0))

    def on_slots(
        self, slots: SlotRows, origins: Int, price: Float, futures: Sequence[Future],
        triggered: bool = True,
    ) -> Float:  # fmt: skip
        """(rows, F) USD a chip at these prices (rows, F); with `triggered` as if triggers were met.

        `origins` (F,) or (rows, F) are those of the chips in law.
        """
        makers, codes = self.makers, self.declarations.schedule.codes
        total = np.zeros(price.shape)
        for future in futures:
            weight = future.weight[slots.kind, makers.device[slots.maker]]
            for market in self.declarations.markets(future.regime) if weight.any() else []:
                sold = weight * slots.weights[:, market]
                rows = np.flatnonzero(sold)
                some = slots.take(rows)
                who = self.beliefs(future.regime, makers.importer[some.maker, market], market)
                origin = makers.origin[some.maker, market]
                cell = codes.cell(makers.device[some.maker], origin, market)
                chip = origins if origins.ndim == 1 else origins[rows]
                at = cell, some.node_class, chip
                each = self._on_slots(future, who, at, price[rows], triggered)
                total[rows] += sold[rows, None] * each
        return total

    def of_foundries(self, slots: SlotRows, region: Int) -> Int:
        """(rows, F) origin in law of the chips of each foundry; (F,) where its region decides."""
        line = self.makers.line[slots.maker][:, None]
        return self.origins.in_duties(line, slots.part[:, None], region)

    def _on_slots(
        self, future: Future, who: ImporterBeliefs, at: tuple[Int, Int, Int], price: Float,
        triggered: bool,
    ) -> Float:  # fmt: skip
        """(rows, F) USD a chip in one market under one future, by cell, class and origin."""
        (cell, node_class, origin), schedule = at, self.declarations.schedule
        at_border = schedule.crosses_border[cell].astype(np.intp)
        product = self.origin_rate(who, future.regime, cell)
        each, chips = who.with_axis(), (at_border, node_class)
        found: list[tuple[str | None, Float, Float]] = []
        for content in self.declarations.contents:
            rate = self.declarations.rate(content, future.regime)[cell]
            if not (content.is_separable or triggered) or not rate.any():
                continue
            known, unknown = content.known, content.unknown
            due, due_unknown = (
                _of_chips(unit, chips, origin, price, rate) for unit in (known, unknown)
            )
            whole = rate * known.product[at_border]
            if content.is_declared:
                covered = k.by_foundry(known.chip_value[chips] + known.chip_count[chips], origin)
                part = self.declarations.part(content, future.regime)
                due = each.burden(due, part * price * covered)
                whole = who.burden(whole, part)
            on_chip = np.where(each.knows_origin, due, due_unknown)
            on_product = np.where(who.knows_origin, whole, rate * unknown.product[at_border])
            found.append((content.compared_in, on_product, on_chip))
        bare = k.by_foundry(future.tables.bare[cell, node_class], origin)
        added = [duty for group, *duty in found if group is None]
        product = k.total(product, *(on_product for on_product, _ in added))
        on_chip = k.total(np.zeros(price.shape), *(on_chip for _, on_chip in added))
        burden = k.slot_burden(price, product[:, None], schedule.markup, bare, on_chip)
        compared: list[tuple[str | None, Float]] = [
            (group, k.slot_burden(price, on_product[:, None], schedule.markup, bare, on_chip))
            for group, on_product, on_chip in found
            if group is not None
        ]
        return np.asarray(burden + k.stacked(compared))

    def on_product(
        self, who: ImporterBeliefs, shipments: Shipments, cell: Int, regime: Regime
    ) -> Float:
        """USD a unit of shipments, with real triggers."""
        on_product = self.origin_rate(who, regime, cell) * shipments.customs_value
        return np.asarray(on_product + self.on_content(who, shipments, cell, regime))

    def on_content(
        self, who: ImporterBeliefs, shipments: Shipments, cell: Int, regime: Regime,
        triggered_only: bool = False,
    ) -> Float:  # fmt: skip
        """USD a unit of that through duties on what is inside the product; or of triggers alone."""
        alike, burden = self.declarations.alike(regime), np.zeros(cell.shape)
        rows = self.declarations.taxed(regime, cell)
        if not len(rows):
            return burden
        who, shipments, group = who.take(rows), shipments.take(rows), alike.group[cell[rows]]
        is_one = cell.ndim == 2 and who.knows_origin.shape[1] == shipments.chip_value.shape[1] == 1
        if not is_one or self.declarations.is_of_value(regime):
            burden[rows] = self._on_content(who, shipments, cell[rows], regime, triggered_only)
            return burden
        for here in np.unique(group[alike.is_taxed[group]]):  # the same chips, so the same duty
            is_here = group == here
            some = np.flatnonzero(is_here.any(axis=1))
            at = np.full((len(some), 1), alike.cell[here])
            product = replace(
                shipments.take(some), customs_value=shipments.customs_value[some, :1],
                crosses_border=self.declarations.schedule.crosses_border[at],
            )  # fmt: skip
            due = self._on_content(who.take(some), product, at, regime, triggered_only)
            burden[rows[some]] = np.where(is_here[some], due, burden[rows[some]])
        return burden

    def _on_content(
        self, who: ImporterBeliefs, shipments: Shipments, cell: Int, regime: Regime,
        triggered_only: bool,
    ) -> Float:  # fmt: skip
        """The same, product by product."""
        duties: list[tuple[str | None, Float]] = []
        found = declared_duties(self.declarations, regime, shipments, cell, triggered_only)
        for declared in found:
            known = declared.parts
            if declared.is_declared:
                known = who.with_axis().burden(known, declared.values)
            due = np.where(who.knows_origin, k.over_slots(known), declared.unknown)
            duties.append((declared.law.group, due))
        return np.asarray(k.stacked(duties) + np.zeros(cell.shape))


def _of_chips(unit: UnitDuty, at: tuple[Int, Int], origin: Int, price: Float, rate: Float) -> Float:
    """(rows, F) USD a chip that a duty takes."""
    by_value, by_count = (k.by_foundry(of[at], origin) for of in (unit.chip_value, unit.chip_count))
    return rate[:, None] * k.duty_on_chip(by_value, by_count, price)


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
        node_class: Int, chip_origin: Int, price: Float,
    ) -> Float | float:  # fmt: skip
        """Share of the price of a chip that is rebated.

        `duties` (kinds, cells, K, R) are component duties on a dollar of chips and on a chip; what
        counts is their mean over the line's markets, as far as importers there know the origin of
        chips. Other arrays broadcast together; `origin` has the market as one more axis.
        """
        if self.share == 0.0:
            return 0.0
        makers, (by_value, by_count) = self.makers, duties
        cells = self.constants.codes.cells_by_market(makers.device[maker][..., None], origin)
        at = np.asarray(kind)[..., None], cells, node_class[..., None], chip_origin[..., None]
        rate = k.chip_duty_rate(by_value[at], by_count[at], price[..., None])
        exposed = makers.weights[maker] * self.importers.knows_origin[makers.importer[maker]]
        mean = k.over_slots(rate * exposed)
        return k.counter_subsidy_share(mean, self.share) * self._is_made_in_china(chip_origin)

    def _is_made_in_china(self, chip_origin: Int) -> Bool:
        is_china = self.constants.is_china
        return np.asarray(is_china[chip_origin % len(is_china)])

"""What importers declare: duties that depend on what they say of origin and content (MODEL 4.5).

As for the tariff schedule, instruments are asked once about a dollar of product, a dollar of chips
and one chip; here at rate one, as what is due depends on each importer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffsim import kernels as k
from tariffsim.law.duty_tables import Law, Regime, TariffSchedule
from tariffsim.policy import part_of
from tariffsim.policy.shipments import Shipments
from tariffsim.typing import Bool, Float, Int


@dataclass(frozen=True)
class OriginDuties:
    """Duties on products by country of assembly, and what a false country saves; by cell."""

    rate: Float
    """(cells,) fraction of customs value due with the true country."""
    gain: Float
    """(cells,) of it, what declaring the least taxed country that ships the device saves."""
    false_cell: Int
    """(cells,) the cell of that country."""
    by_law: dict[int, Float]
    """(cells,) rate of each law, by index, before stacking."""


@dataclass(frozen=True)
class UnitDuty:
    """What a duty of rate one takes; first axis: goods made at home, goods at the border."""

    product: Float
    """(2,) of a dollar of product."""
    chip_value: Float
    """(2, K, R) of a dollar of chips."""
    chip_count: Float
    """(2, K, R) of one chip, USD."""


@dataclass(frozen=True)
class ContentDuty:
    """A duty that depends on more than the country of assembly.

    One for all laws of a stacking group, as these are on the same base.
    """

    laws: tuple[int, ...]
    is_separable: bool
    is_declared: bool
    """Depends on what importers say of the content, and may be evaded."""
    compared_in: str | None
    """Stacking group of several bases in which it is; None if there is none."""
    depends_on_knowledge: bool
    """Is another where the importer does not know the origin of the chips."""
    known: UnitDuty
    unknown: UnitDuty

    @property
    def counts_chips(self) -> bool:
        """Whether it takes an amount for each chip."""
        return bool(self.known.chip_count.any() or self.unknown.chip_count.any())

    @property
    def takes_anything(self) -> bool:
        """Whether it is a duty at all."""
        tables = (table for unit in (self.known, self.unknown) for table in vars(unit).values())
        return any(table.any() for table in tables)


@dataclass(frozen=True)
class AlikeCells:
    """Cells in which the duties on content of a regime take the same of the same chips."""

    group: Int
    """(cells,) the group of each cell."""
    cell: Int
    """(groups,) a cell of each."""
    is_taxed: Bool
    """(groups,) whether any duty is due there."""


@dataclass(frozen=True)
class Enforcement:
    """Audits by market."""

    audits: Float
    """(M,) audits of an importer a year."""
    detection: Float
    """(M,) share of them that find what was evaded."""
    penalty: Float
    """(M,) penalty over the duty evaded."""
    lookback_months: int

    @cached_property
    def exposure(self) -> Float:
        """(M,) back duty and penalty expected for a dollar of duty evaded."""
        found = k.detection_probability(self.audits, self.detection, self.lookback_months)
        return np.asarray(found * (1 + self.penalty))


class Declarations:
    """The laws under which importers declare, and how declarations are enforced.

    Args:
        schedule: the compiled law of the scenario.
        ships: (cells,) whether a country ships a device to a market.
        enforcement: audits without any programme.
    """

    def __init__(self, schedule: TariffSchedule, ships: Bool, enforcement: Enforcement) -> None:
        self.schedule, self.ships, self.without_programme = schedule, ships, enforcement
        self._origin: dict[Regime, OriginDuties] = {}
        self._audits: dict[Regime, Enforcement] = {}
        self._alike: dict[Regime, AlikeCells] = {}
        self._rates: dict[tuple[tuple[int, ...], Regime], Float] = {}
        groups: dict[object, list[int]] = {}
        for i, law in enumerate(schedule.laws):
            if not law.instrument.taxes_bare_chips and law.declares != "origin":
                group = law.group
                key = i if group is None else (group, law.instrument.tax_base)
                groups.setdefault(key, []).append(i)
        contents = (self._content(tuple(laws)) for laws in groups.values())
        self.contents = tuple(content for content in contents if content.takes_anything)
        self.counts_chips = any(content.counts_chips for content in self.contents)
        self._origin_laws = {i for i, law in enumerate(schedule.laws) if law.declares == "origin"}
        self._content_laws = {i for content in self.contents for i in content.laws}

    def _content(self, laws: tuple[int, ...]) -> ContentDuty:
        first = self.schedule.laws[laws[0]]
        instrument = first.instrument
        probes = [
            self.schedule.probe(np.array([[False], [True]]), **ones)
            for ones in ({"product": 1.0}, {"value": 1.0}, {"count": 1.0})
        ]
        shape = 2, *self.schedule.probe_shape

        def unit(duties: list[Float]) -> UnitDuty:
            product, value, count = (np.broadcast_to(d, (2, shape[1] * shape[2])) for d in duties)
            return UnitDuty(product[:, 0], value.reshape(shape), count.reshape(shape))

        return ContentDuty(
            laws,
            first.is_separable,
            first.declares == "content",
            first.group if first.is_compared else None,
            instrument.depends_on_knowledge,
            unit([instrument.duty(probe, 1.0) for probe in probes]),
            unit([instrument.unknown_duty(probe, 1.0) for probe in probes]),
        )

    def on_origin(self, regime: Regime) -> Iterator[tuple[int, Law, float]]:
        """Laws of a regime on products by country of assembly, with their number and rate."""
        return ((i, self.schedule.laws[i], rate) for i, rate in regime if i in self._origin_laws)

    def on_content(self, regime: Regime) -> Iterator[tuple[int, Law, float]]:
        """The other laws of a regime on products."""
        return ((i, self.schedule.laws[i], rate) for i, rate in regime if i in self._content_laws)

    def rate(self, content: ContentDuty, regime: Regime) -> Float:
        """(cells,) rate of a duty on content: the highest of its stacking group."""
        key = content.laws, regime
        if key not in self._rates:
            highest = np.zeros(self.schedule.codes.n_cells)
            for i, rate in regime:
                if i in content.laws:
                    highest = np.maximum(highest, self.schedule.laws[i].by_cell(rate))
            self._rates[key] = highest
        return self._rates[key]

    def part(self, content: ContentDuty, regime: Regime) -> float:
        """Part of the month in which a duty on content is in force."""
        return max((part_of(rate) for i, rate in regime if i in content.laws), default=1.0)

    def origin_duties(self, regime: Regime) -> OriginDuties:
        """Duties by country of assembly under a regime, and what false countries save."""
        if regime not in self._origin:
            codes, crosses = self.schedule.codes, self.schedule.crosses_border
            by_law = self._by_origin(regime)
            groups = (self.schedule.laws[i].group for i in by_law)
            due = k.stacked([*zip(groups, by_law.values(), strict=True)]) + np.zeros(codes.n_cells)
            shape = len(codes.devices), len(codes.origins), len(codes.markets)
            declared = np.maximum(due, 0.0)  # what base duties lose, only their country gains
            foreign = np.where(self.ships & crosses, declared, np.inf).reshape(shape)
            least = np.broadcast_to(foreign.argmin(axis=1)[:, None], shape).ravel()
            device, rest = np.divmod(np.arange(codes.n_cells), shape[1] * shape[2])
            false_cell = np.asarray(codes.cell(device, least, rest % shape[2]))
            gain = np.maximum(due - declared[false_cell], 0.0) * crosses
            self._origin[regime] = OriginDuties(due, gain, false_cell, by_law)
        return self._origin[regime]

    def _by_origin(self, regime: Regime) -> dict[int, Float]:
        """(cells,) rate of each law; what the calendar takes away is no more than there is."""
        crosses, base = self.schedule.crosses_border, self.schedule.base_product[:, 0]
        found = {i: law.by_cell(rate) * crosses for i, law, rate in self.on_origin(regime)}
        calendar = {i: duty for i, duty in found.items() if self.schedule.laws[i].is_calendar}
        due = k.at_least_none(base, [*calendar.values()])
        return found | dict(zip(calendar, due, strict=True))

    def alike(self, regime: Regime) -> AlikeCells:
        """Cells by the rates of duties on content, and by whether a border is crossed."""
        if regime not in self._alike:
            rates = [law.by_cell(rate) for _, law, rate in self.on_content(regime)]
            facts = np.stack([self.schedule.crosses_border, *rates], axis=1)
            _, cell, group = np.unique(facts, axis=0, return_index=True, return_inverse=True)
            is_taxed = (facts[cell, 1:] != 0).any(axis=1)
            self._alike[regime] = AlikeCells(group.ravel(), cell, is_taxed)
        return self._alike[regime]

    def taxed(self, regime: Regime, cell: Int) -> Int:
        """Rows of cells (rows, ...) of which any may owe a duty on content under a regime."""
        alike = self.alike(regime)
        may_owe = alike.is_taxed[alike.group[cell]]
        return np.flatnonzero(may_owe.any(axis=tuple(range(1, cell.ndim))))

    def is_of_value(self, regime: Regime) -> bool:
        """Whether any duty on content of a regime depends on the customs value of the product."""
        return any(law.is_of_value for _, law, _ in self.on_content(regime))

    def enforcement(self, regime: Regime) -> Enforcement:
        """Audits under a regime."""
        if regime not in self._audits:
            self._audits[regime] = self._audited(regime)
        return self._audits[regime]

    def _audited(self, regime: Regime) -> Enforcement:
        base = self.without_programme
        audits, detection, penalty = base.audits, base.detection, base.penalty
        for i, rate in regime:
            law = self.schedule.laws[i]
            more, finds, multiple = law.instrument.enforcement(rate)
            here = law.instrument.chosen("markets", self.schedule.codes.markets)
            audits = audits + here * more
            detection = np.maximum(detection, here * finds)
            penalty = np.maximum(penalty, here * multiple)
        return Enforcement(audits, detection, penalty, base.lookback_months)

    def markets(self, regime: Regime) -> list[int]:
        """Markets with any duty on products under a regime."""
        codes = self.schedule.codes.markets
        laws = [law for _, law, _ in (*self.on_origin(regime), *self.on_content(regime))]
        return [
            m for m, code in enumerate(codes) if any(code in w.instrument.markets for w in laws)
        ]


@dataclass(frozen=True)
class DeclaredDuty:
    """What an instrument asks for of shipments, in scope and with real triggers, USD a unit."""

    number: int
    law: Law
    parts: Float
    """By part that is declared by itself (last axis), if the origin of the chips is known."""
    values: Float
    """Value of these parts, for the part of the month in which the duty is in force."""
    unknown: Float
    """The duty if it is not."""

    @property
    def is_declared(self) -> bool:
        """Whether it may be evaded."""
        return self.law.declares == "content"

    @property
    def depends_on_knowledge(self) -> bool:
        """Whether tracing the chips changes it."""
        return self.law.instrument.depends_on_knowledge


def declared_duties(
    declarations: Declarations,
    regime: Regime,
    shipments: Shipments,
    cell: Int,
    triggered_only: bool = False,
) -> Iterator[DeclaredDuty]:
    """Duties of the laws of a regime that depend on more than the country of assembly."""
    for i, law, rate in declarations.on_content(regime):
        instrument, rates = law.instrument, law.by_cell(rate)[cell]
        if triggered_only and law.is_separable:
            continue
        due = rates * instrument.is_triggered(shipments)
        unknown = instrument.unknown_duty(shipments, 1.0) * rates
        yield DeclaredDuty(
            i,
            law,
            instrument.part_duties(shipments, 1.0) * due[..., None],
            instrument.part_values(shipments) * part_of(rate),
            unknown * instrument.is_triggered_unknown(shipments),
        )

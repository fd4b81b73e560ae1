"""The law of a scenario, compiled into tables.

Separable duties are linear in value and number of chips, so the instruments are asked once per
legal regime about a product worth a dollar, a dollar of chips and a single chip; the answers are
tables over (device, country of assembly, market) cells, node classes and regions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffsim.kernels.duties import due_of_each, slot_duty_rate, stacked
from tariffsim.policy import Instrument
from tariffsim.policy.shipments import Codes, Shipments
from tariffsim.typing import Bool, Float, Int

Regime = tuple[tuple[int, float], ...]
"""Laws (by index) whose rate is not zero, with their rates."""


@dataclass(frozen=True)
class Law:
    """One instrument with its scope as an array."""

    name: str
    instrument: Instrument
    scope: Float
    """(cells,) one in scope, zero outside; (O,) for duties on bare chips."""


@dataclass(frozen=True)
class DutyTables:
    """Duties of one regime, base duties included."""

    product: Float
    """(cells,) fraction of customs value, without triggered duties."""
    bare_by_law: dict[int, Float]
    """(O, K, R) what each law, by index, adds to the duty on bare chips."""
    chip_value: Float
    """(cells, K, R) fraction of the value of chips in the product."""
    chip_count: Float
    """(cells, K, R) USD a chip in the product."""
    bare: Float
    """(cells, K, R) fraction of the value of bare chips entering for assembly."""
    slot: Float
    """(cells, K, R) what a dollar of chips in a slot adds to the line's duty bill."""
    slot_triggered: Float
    """(cells, K, R) the same as if every trigger were pulled."""
    count_triggered: Float
    """(cells, K, R) USD a chip in the product as if every trigger were pulled."""

    @cached_property
    def has_chip_value(self) -> bool:
        """Whether any chip in a product pays by value."""
        return bool(self.chip_value.any())

    @cached_property
    def has_chip_count(self) -> bool:
        """Whether any chip in a product pays by number."""
        return bool(self.chip_count.any())


class TariffSchedule:
    """The instruments of a scenario and the duties of the base year."""

    def __init__(
        self,
        codes: Codes,
        instruments: Iterable[tuple[str, Instrument]],
        base_product: Float,
        base_bare: Float,
        markup: float,
        has_claims: bool = False,
    ) -> None:
        """Compile; `base_product` (cells, 1) and `base_bare` (O, K, R) are base-year duties.

        With `has_claims` what is due on a product depends on its importer (see `claims`); but for
        `chip_value` and `chip_count` the tables then have base duties and those on bare chips only.
        """
        self.codes, self.markup, self.has_claims = codes, markup, has_claims
        self.base_product, self.base_bare = base_product, base_bare
        self.laws = [
            Law(name, instrument, scope)
            for name, instrument in instruments
            for scope in [_scope(codes, instrument)]
            if scope.any()
        ]
        self.triggers = [i for i, law in enumerate(self.laws) if not law.instrument.is_separable]
        self._regimes: dict[tuple[Regime, bool], DutyTables] = {}
        self.probe_shape = (len(codes.classes), len(codes.regions))
        home = np.asarray(codes.home_market)
        origin, market = np.divmod(np.arange(codes.n_cells), len(codes.markets))
        self.crosses_border = home[origin % len(codes.origins)] != market
        self.chip_crosses_border = np.asarray(codes.region_market)[None, :] != home[:, None]

    def rates_in_force(self, date: int) -> list[float]:
        """Strength of every law in a month."""
        return [law.instrument.rate_in_force(date) for law in self.laws]

    def regime(self, rates: list[float]) -> Regime:
        """The regime of these rates, one for each law."""
        return tuple((i, rate) for i, rate in enumerate(rates) if rate != 0.0)

    def tables(self, regime: Regime, as_written: bool = False) -> DutyTables:
        """Duties of a regime, asked for once; `as_written` with those that importers declare."""
        key = regime, as_written or not self.has_claims
        if key not in self._regimes:
            self._regimes[key] = self._ask(*key)
        return self._regimes[key]

    def _ask(self, regime: Regime, all_laws: bool) -> DutyTables:
        """Ask the instruments about a dollar of product, a dollar of chips and one chip."""
        probes = self._product_probe(), self._chip_probe(value=1.0), self._chip_probe(count=1.0)
        product = self._sum(regime, probes[0], False, all_laws)
        chip_value, chip_count = (self._sum(regime, p, False, True) for p in probes[1:])
        product_pulled, value_pulled, count_pulled = (
            self._sum(regime, p, True, all_laws) for p in probes
        )
        base, (n_classes, n_regions) = self.base_product, self.probe_shape
        shape = (self.codes.n_cells, n_classes * n_regions)
        by_law = self._bare(regime)
        bare = self.base_bare.reshape(len(self.base_bare), -1) + sum(by_law.values())
        bare = bare.take(self._origin_of_cell(), axis=0)
        on_chips = chip_value * all_laws
        slot = slot_duty_rate(base + product, self.markup, bare, on_chips)
        pulled = slot_duty_rate(base + product_pulled, self.markup, bare, value_pulled)
        by_slot = (
            np.broadcast_to(table, shape).reshape(-1, n_classes, n_regions)
            for table in (chip_value, chip_count, bare, slot, pulled, count_pulled)
        )
        of_product = np.broadcast_to(base + product, (shape[0], 1)).ravel()
        bare_by_law = {i: rate.reshape(self.base_bare.shape) for i, rate in by_law.items()}
        return DutyTables(of_product, bare_by_law, *by_slot)

    def _sum(self, regime: Regime, probe: Shipments, pulled: bool, all_laws: bool) -> Float:
        """Duty on products without triggered instruments, or as if all were triggered.

        Of all laws, or of none: see `claims`.
        """
        duties: list[tuple[str | None, Float]] = []
        for i, rate in regime:
            law = self.laws[i]
            counts = all_laws and (pulled or law.instrument.is_separable)
            if counts and not law.instrument.taxes_bare_chips:
                duty = law.instrument.duty(probe, rate) * law.scope[:, None]
                duties.append((law.instrument.stacking_group, duty))
        return np.asarray(stacked(duties) + np.zeros((1, 1)))

    def _bare(self, regime: Regime) -> dict[int, Float]:
        """(O, K x R) duty on a dollar of bare chips by law."""
        probe = self.probe(self.chip_crosses_border_parts(), value=1.0)
        laws = {i: rate for i, rate in regime if self.laws[i].instrument.taxes_bare_chips}
        duties = [
            (law.instrument.stacking_group, law.instrument.duty(probe, rate) * law.scope[:, None])
            for law, rate in ((self.laws[i], rate) for i, rate in laws.items())
        ]
        return dict(zip(laws, due_of_each(duties), strict=True))

    def chip_crosses_border_parts(self) -> Bool:
        """(O, K x R) whether a chip of the region is foreign where it is assembled."""
        return np.tile(self.chip_crosses_border, (1, self.probe_shape[0]))

    def _origin_of_cell(self) -> Int:
        return (np.arange(self.codes.n_cells) // len(self.codes.markets)) % len(self.codes.origins)

    def _product_probe(self) -> Shipments:
        return Shipments(
            self.codes, np.ones((1, 1)), self.crosses_border[:, None],
            np.zeros((1, 1, 1)), np.zeros((1, 1, 1)),
            np.zeros((1, 1, 1), dtype=np.intp), np.zeros((1, 1, 1), dtype=np.intp),
        )  # fmt: skip

    def _chip_probe(self, value: float = 0.0, count: float = 0.0) -> Shipments:
        return self.probe(self.crosses_border[:, None], value=value, count=count)

    def probe(
        self, crosses_border: Bool, product: float = 0.0, value: float = 0.0, count: float = 0.0
    ) -> Shipments:
        """A product of this value, and chips of this value and number, by class and region."""
        node_class, region = np.divmod(np.arange(np.prod(self.probe_shape)), self.probe_shape[1])
        ones = np.ones((1, node_class.size, 1))
        return Shipments(
            self.codes, np.full((1, 1), product), crosses_border, value * ones, count * ones,
            region.reshape(1, -1, 1), node_class.reshape(1, -1, 1),
        )  # fmt: skip

    def triggered_duty(self, regime: Regime, cell: Int, shipments: Shipments) -> Float:
        """USD a unit that triggered instruments add to what shipments owe under a regime.

        `cell` gives the rows' (device, country, market) cell.
        """
        duties: list[tuple[str | None, Float]] = []
        separable: list[tuple[str | None, Float]] = []
        for i, rate in regime:
            law = self.laws[i]
            if not law.instrument.taxes_bare_chips:
                due = law.instrument.duty(shipments, rate) * law.scope[cell]
                due = due * law.instrument.is_triggered(shipments)
                duties.append((law.instrument.stacking_group, due))
                if law.instrument.is_separable:
                    separable.append(duties[-1])
        return np.asarray(stacked(duties) - stacked(separable) + np.zeros(cell.shape))

    def trigger_covers(self, regimes: Iterable[Regime], cell: Int, is_sold: Bool) -> Bool:
        """(rows, K, R) chips that pull a trigger which lines may meet.

        `cell` (rows, M) are the lines' cells by market, `is_sold` whether they sell there.
        """
        probe = self.probe(np.ones((1, 1), dtype=bool), value=1.0, count=1.0)
        covered = np.zeros((len(cell), *self.probe_shape), dtype=bool)
        expected = {i for regime in regimes for i, _ in regime}
        for i in expected.intersection(self.triggers):
            met = (self.laws[i].scope[cell] * is_sold).any(axis=1)
            covers = np.asarray(self.laws[i].instrument.covers(probe))
            covered |= np.reshape(met, (-1, 1, 1)) & covers.reshape(self.probe_shape)
        return covered


def _scope(codes: Codes, instrument: Instrument) -> Float:
    """One where an instrument applies: (cells,), or (O,) for duties on bare chips."""

    def chosen(
        all_codes: tuple[str, ...], names: tuple[str, ...] | None, out: tuple[str, ...] = ()
    ) -> Float:
        return np.array([float((names is None or c in names) and c not in out) for c in all_codes])

    markets = chosen(codes.markets, instrument.markets)
    origins = chosen(
        codes.origins, instrument.assembly_countries, instrument.exempt_assembly_countries
    )
    if instrument.taxes_bare_chips:
        return np.asarray(markets[np.asarray(codes.home_market)] * origins)
    devices = chosen(codes.devices, instrument.devices, instrument.exempt_devices)
    places = np.broadcast_to(markets, (len(origins), len(markets)))
    if instrument.meets_home_assembly:  # lines sold there, or assembled there
        places = np.maximum(places, markets[np.asarray(codes.home_market)][:, None])
    result: Float = np.einsum("d,o,om->dom", devices, origins, places).ravel()
    return result

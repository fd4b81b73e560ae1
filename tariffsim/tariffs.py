"""The law of a scenario, compiled: what is due now, and what agents expect to be due.

Separable duties are linear in value and number of chips, so the instruments are asked once per
legal regime about a product worth a dollar, a dollar of chips and a single chip; the answers are
tables over (device, country of assembly, market) cells, node classes and regions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from tariffsim.kernels.duties import horizon_weights, slot_duty_rate, stacked
from tariffsim.policy import Instrument
from tariffsim.shipments import Codes, Shipments
from tariffsim.typing import Bool, Float, Int

HORIZON_YEARS = np.arange(4.0)
Regime = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Law:
    """One instrument with its scope as an array."""

    name: str
    instrument: Instrument
    scope: Float
    """(cells,) one in scope, zero outside; (O,) for duties on bare chips."""


@dataclass(frozen=True)
class DutyTables:
    """Duties of one regime, or expected ones, base duties included."""

    product: Float
    """(kinds, cells) fraction of customs value, without triggered duties."""
    chip_value: Float
    """(kinds, cells, K, R) fraction of the value of chips in the product."""
    chip_count: Float
    """(kinds, cells, K, R) USD a chip in the product."""
    bare: Float
    """(kinds, cells, K, R) fraction of the value of bare chips entering for assembly."""
    slot: Float
    """(kinds, cells, K, R) what a dollar of chips in a slot adds to the line's duty bill."""
    slot_triggered: Float
    """(kinds, cells, K, R) the same as if every trigger were pulled."""

    @cached_property
    def has_chip_value(self) -> bool:
        """Whether any chip in a product pays by value."""
        return bool(self.chip_value.any())

    @cached_property
    def has_chip_count(self) -> bool:
        """Whether any chip in a product pays by number."""
        return bool(self.chip_count.any())


@dataclass(frozen=True)
class Expected:
    """What agents expect over the life of a choice made now; kinds as in `Tariffs.kinds`."""

    tables: DutyTables
    triggered: dict[int, Float]
    """Rate of each triggered instrument (index in `laws`) by (kinds, device)."""


@dataclass(frozen=True)
class Foresight:
    """Rates that agents in one state of knowledge foresee."""

    rates: Float
    """(dates, laws) from the first month simulated on; one date without foresight."""
    regimes: list[Regime]
    regime_of: Int
    """(dates,) index in `regimes`."""


class Tariffs:
    """Instruments, base duties and the horizon over which duties are expected."""

    DESIGN, DROP_IN, ASSEMBLY = 0, 1, 2

    def __init__(
        self,
        codes: Codes,
        instruments: Iterable[tuple[str, Instrument]],
        base_product: Float,
        base_bare: Float,
        markup: float,
        foresight: str,
        leads: Int,
        hazards: Float,
        discount_rate: float,
        start: int,
        end: int,
    ) -> None:
        """Compile.

        `base_product` (cells,) and `base_bare` (O, K, R) are the base year's duties; `leads` and
        `hazards` (kinds, D) months to delivery and openings a month of the three kinds of choice;
        `start` and `end` the first and last month simulated.
        """
        self.codes, self.markup, self.foresight = codes, markup, foresight
        self.base_product, self.base_bare = base_product, base_bare
        self.laws = [
            Law(name, instrument, scope)
            for name, instrument in instruments
            for scope in [_scope(codes, instrument)]
            if scope.any()
        ]
        self.triggers = [i for i, law in enumerate(self.laws) if not law.instrument.is_separable]
        self._leads = leads
        self._weights = np.stack(
            [horizon_weights(hazard, discount_rate, HORIZON_YEARS) for hazard in hazards], axis=1
        )
        self._origin_date = start
        self._last_date = end + int(leads.max()) + int(12 * HORIZON_YEARS[-1])
        self._foresight: dict[object, Foresight] = {}
        self._regimes: dict[Regime, DutyTables] = {}
        self._expected: tuple[object, Expected] | None = None
        self._probe_shape = (len(codes.classes), len(codes.regions))
        home = np.asarray(codes.home_market)
        origin, market = np.divmod(np.arange(codes.n_cells), len(codes.markets))
        self.crosses_border = home[origin % len(codes.origins)] != market
        self.chip_crosses_border = np.asarray(codes.region_market)[None, :] != home[:, None]

    def rates_in_force(self, date: int) -> list[float]:
        """Strength of every law in a month."""
        return [law.instrument.rate_in_force(date) for law in self.laws]

    def in_force(self, date: int) -> DutyTables:
        """Tables of the duties due in a month (one kind), triggered ones left out."""
        return self._tables(self._regime(self.rates_in_force(date)))

    def _regime(self, rates: list[float]) -> Regime:
        return tuple((i, rate) for i, rate in enumerate(rates) if rate != 0.0)

    def _tables(self, regime: Regime) -> DutyTables:
        if regime not in self._regimes:
            self._regimes[regime] = self._ask(regime)
        return self._regimes[regime]

    def _ask(self, regime: Regime) -> DutyTables:
        """Ask the instruments about a dollar of product, a dollar of chips and one chip."""
        product = self.base_product + self._sum(regime, self._product_probe(), trigger=False)
        triggered = self._sum(regime, self._product_probe(), trigger=True)
        shape = (self.codes.n_cells, *self._probe_shape)
        chip_value = self._sum(regime, self._chip_probe(value=1.0), trigger=False)
        chip_count = self._sum(regime, self._chip_probe(count=1.0), trigger=False)
        chip_trigger = self._sum(regime, self._chip_probe(value=1.0), trigger=True)
        bare = (self.base_bare.reshape(len(self.base_bare), -1) + self._bare(regime))[
            self._origin_of_cell()
        ]
        slot = slot_duty_rate(product, self.markup, bare, chip_value)
        pulled = slot_duty_rate(product + triggered, self.markup, bare, chip_value + chip_trigger)
        full = [
            np.broadcast_to(a, (shape[0], shape[1] * shape[2])).reshape(1, *shape)
            for a in (chip_value, chip_count, bare, slot, pulled)
        ]
        return DutyTables(np.broadcast_to(product, (shape[0], 1)).reshape(1, -1), *full)

    def _sum(self, regime: Regime, probe: Shipments, trigger: bool) -> Float:
        duties: list[tuple[str | None, Float]] = []
        for i, rate in regime:
            law = self.laws[i]
            if not law.instrument.taxes_bare_chips and law.instrument.is_separable != trigger:
                duty = law.instrument.duty(probe, rate) * law.scope[:, None]
                duties.append((law.instrument.stacking_group, duty))
        return np.asarray(stacked(duties) + np.zeros((1, 1)))

    def _bare(self, regime: Regime) -> Float:
        probe = self._probe(self.chip_crosses_border_parts(), value=1.0)
        duties = [
            (law.instrument.stacking_group, law.instrument.duty(probe, rate) * law.scope[:, None])
            for law, rate in ((self.laws[i], rate) for i, rate in regime)
            if law.instrument.taxes_bare_chips
        ]
        return np.asarray(stacked(duties) + np.zeros((1, 1)))

    def chip_crosses_border_parts(self) -> Bool:
        """(O, K x R) whether a chip of the region is foreign where it is assembled."""
        return np.tile(self.chip_crosses_border, (1, self._probe_shape[0]))

    def _origin_of_cell(self) -> Int:
        return (np.arange(self.codes.n_cells) // len(self.codes.markets)) % len(self.codes.origins)

    def _product_probe(self) -> Shipments:
        return Shipments(
            self.codes, np.ones((1, 1)), self.crosses_border[:, None],
            np.zeros((1, 1, 1)), np.zeros((1, 1, 1)),
            np.zeros((1, 1, 1), dtype=np.int64), np.zeros((1, 1, 1), dtype=np.int64),
        )  # fmt: skip

    def _chip_probe(self, value: float = 0.0, count: float = 0.0) -> Shipments:
        return self._probe(self.crosses_border[:, None], value, count)

    def _probe(self, crosses_border: Bool, value: float = 0.0, count: float = 0.0) -> Shipments:
        node_class, region = np.divmod(np.arange(np.prod(self._probe_shape)), self._probe_shape[1])
        ones = np.ones((1, node_class.size, 1))
        return Shipments(
            self.codes, np.zeros((1, 1)), crosses_border, value * ones, count * ones,
            region.reshape(1, -1, 1), node_class.reshape(1, -1, 1),
        )  # fmt: skip

    def expected(self, date: int) -> Expected:
        """Duties that agents expect from a choice made now: four dates of its life, weighted."""
        seen = self._foreseen(date)
        dates = self._leads[None] + 12 * HORIZON_YEARS[:, None, None].astype(np.int64)
        at = np.minimum(dates + date - self._origin_date, len(seen.rates) - 1)
        ids = seen.regime_of[at]
        weights = {
            seen.regimes[i]: (self._weights * (ids == i)).sum(axis=0) for i in sorted(set(ids.flat))
        }
        key = tuple((regime, w.tobytes()) for regime, w in weights.items())
        if self._expected is None or self._expected[0] != key:
            triggered = {i: (self._weights * seen.rates[at, i]).sum(axis=0) for i in self.triggers}
            self._expected = (key, Expected(self._mix(weights), triggered))
        return self._expected[1]

    def _foreseen(self, now: int) -> Foresight:
        """What agents foresee now, from the first month simulated on."""
        laws = [law.instrument for law in self.laws]
        known: object = tuple(
            (now >= law.known_from, law.end_known or law.end is None or now > law.end)
            for law in laws
        )
        dates = range(self._origin_date, self._last_date + 1)
        if self.foresight == "none":
            known, dates = tuple(self.rates_in_force(now)), range(now, now + 1)
        if known not in self._foresight:
            rates = np.array(
                [[law.rate_expected(at, now, self.foresight) for law in laws] for at in dates]
            ).reshape(len(dates), len(laws))
            rows, regime_of = np.unique(rates, axis=0, return_inverse=True)
            regimes = [self._regime([float(rate) for rate in row]) for row in rows]
            self._foresight[known] = Foresight(rates, regimes, regime_of.ravel())
        return self._foresight[known]

    def _mix(self, weights: dict[Regime, Float]) -> DutyTables:
        """Tables of the regimes, weighted by (kind, device)."""
        tables = [(self._tables(regime), w) for regime, w in weights.items()]
        per_device = self.codes.n_cells // len(self.codes.devices)

        def mix(name: str) -> Float:
            parts = [(getattr(table, name), w) for table, w in tables]
            if not any(values.any() for values, _ in parts):
                return np.broadcast_to(0.0, (len(self._leads), *parts[0][0].shape[1:]))
            total: Float | float = 0.0
            for values, w in parts:
                by_cell = np.repeat(w, per_device, axis=1)
                total = total + by_cell.reshape(by_cell.shape + (1,) * (values.ndim - 2)) * values
            return np.asarray(total)

        mixed = {f.name: mix(f.name) for f in fields(DutyTables) if f.name != "slot_triggered"}
        pulled = mix("slot_triggered") if self.triggers else mixed["slot"]
        return DutyTables(**mixed, slot_triggered=pulled)

    def base_tables(self) -> DutyTables:
        """Tables of the base year's duties alone."""
        return self._tables(())

    def triggered_duty(
        self, kind: int, device: Int, cell: Int, shipments: Shipments, expected: Expected
    ) -> Float:
        """USD a unit that triggered instruments are expected to cost hypothetical shipments.

        `device` and `cell` give the rows' device group and (device, country, market) cell.
        """
        duties: list[tuple[str | None, Float]] = []
        for i, rates in expected.triggered.items():
            law = self.laws[i]
            if rates[kind].any():
                due = law.instrument.duty(shipments, rates[kind][device]) * law.scope[cell]
                duties.append(
                    (law.instrument.stacking_group, due * law.instrument.is_triggered(shipments))
                )
        return np.asarray(stacked(duties) + np.zeros(cell.shape))

    def trigger_covers(self, expected: Expected, kind: int) -> Bool:
        """(K, R) chips that pull a trigger of an instrument that is expected to be in force."""
        probe = self._probe(np.ones((1, 1), dtype=bool), value=1.0, count=1.0)
        covered = np.zeros(self._probe_shape, dtype=bool)
        for i, rates in expected.triggered.items():
            if rates[kind].any():
                covers = self.laws[i].instrument.covers(probe)
                covered |= np.asarray(covers).reshape(self._probe_shape)
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
    result: Float = np.einsum("d,o,m->dom", devices, origins, markets).ravel()
    return result

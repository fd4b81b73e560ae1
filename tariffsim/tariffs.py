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
    count_triggered: Float
    """(kinds, cells, K, R) USD a chip in the product as if every trigger were pulled."""

    @cached_property
    def has_chip_value(self) -> bool:
        """Whether any chip in a product pays by value."""
        return bool(self.chip_value.any())

    @cached_property
    def has_chip_count(self) -> bool:
        """Whether any chip in a product pays by number."""
        return bool(self.chip_count.any())

    @cached_property
    def has_count_triggered(self) -> bool:
        """Whether any chip in a product pays by number if every trigger is pulled."""
        return bool(self.count_triggered.any())


@dataclass(frozen=True)
class Future:
    """A legal regime that agents expect, and how much of a choice's life falls under it."""

    regime: Regime
    tables: DutyTables
    weight: Float
    """(kinds, D) summing to one over the futures."""


@dataclass(frozen=True)
class Expected:
    """What agents expect over the life of a choice made now; kinds as in `Tariffs`."""

    tables: DutyTables
    futures: tuple[Future, ...]

    def of_kind(self, kind: int) -> list[Future]:
        """The futures that matter to a kind of choice."""
        return [future for future in self.futures if future.weight[kind].any()]


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
        probes = self._product_probe(), self._chip_probe(value=1.0), self._chip_probe(count=1.0)
        product, chip_value, chip_count = (self._sum(regime, p, pulled=False) for p in probes)
        product_pulled, value_pulled, count_pulled = (
            self._sum(regime, p, pulled=True) for p in probes
        )
        base = self.base_product
        shape = (self.codes.n_cells, *self._probe_shape)
        bare = (self.base_bare.reshape(len(self.base_bare), -1) + self._bare(regime))[
            self._origin_of_cell()
        ]
        slot = slot_duty_rate(base + product, self.markup, bare, chip_value)
        pulled = slot_duty_rate(base + product_pulled, self.markup, bare, value_pulled)
        full = [
            np.broadcast_to(a, (shape[0], shape[1] * shape[2])).reshape(1, *shape)
            for a in (chip_value, chip_count, bare, slot, pulled, count_pulled)
        ]
        return DutyTables(np.broadcast_to(base + product, (shape[0], 1)).reshape(1, -1), *full)

    def _sum(self, regime: Regime, probe: Shipments, pulled: bool) -> Float:
        """Duty on products without triggered instruments, or as if all were triggered."""
        duties: list[tuple[str | None, Float]] = []
        for i, rate in regime:
            law = self.laws[i]
            if not law.instrument.taxes_bare_chips and (pulled or law.instrument.is_separable):
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
            futures = tuple(Future(r, self._tables(r), w) for r, w in weights.items())
            self._expected = (key, Expected(self._mix(futures), futures))
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

    def _mix(self, futures: tuple[Future, ...]) -> DutyTables:
        """Tables of the regimes, weighted by (kind, device)."""
        per_device = self.codes.n_cells // len(self.codes.devices)

        def mix(name: str) -> Float:
            parts = [(getattr(future.tables, name), future.weight) for future in futures]
            if not any(values.any() for values, _ in parts):
                return np.broadcast_to(0.0, (len(self._leads), *parts[0][0].shape[1:]))
            total: Float | float = 0.0
            for values, w in parts:
                by_cell = np.repeat(w, per_device, axis=1)
                total = total + by_cell.reshape(by_cell.shape + (1,) * (values.ndim - 2)) * values
            return np.asarray(total)

        pulled = {"slot_triggered": "slot", "count_triggered": "chip_count"}
        mixed = {f.name: mix(f.name) for f in fields(DutyTables) if f.name not in pulled}
        for name, untriggered in pulled.items():
            mixed[name] = mix(name) if self.triggers else mixed[untriggered]
        return DutyTables(**mixed)

    def base_future(self) -> Future:
        """The duties of the base year alone."""
        return Future((), self._tables(()), np.ones((1, 1)))

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

    def trigger_covers(self, futures: list[Future], cell: Int, is_sold: Bool) -> Bool:
        """(rows, K, R) chips that pull a trigger which lines may meet.

        `cell` (rows, M) are the lines' cells by market, `is_sold` whether they sell there.
        """
        probe = self._probe(np.ones((1, 1), dtype=bool), value=1.0, count=1.0)
        covered = np.zeros((len(cell), *self._probe_shape), dtype=bool)
        expected = {i for future in futures for i, _ in future.regime}
        for i in expected.intersection(self.triggers):
            met = (self.laws[i].scope[cell] * is_sold).any(axis=1)
            covers = np.asarray(self.laws[i].instrument.covers(probe))
            covered |= np.reshape(met, (-1, 1, 1)) & covers.reshape(self._probe_shape)
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

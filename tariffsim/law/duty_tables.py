"""The law of a scenario, compiled into tables: the tariff schedule.

Duties on chips are linear in their value and number, so that the instruments are asked once for
each legal regime about a dollar of chips and a single chip; the answers are tables over (device,
country of assembly, market) cells, node classes and regions. Duties on products depend on what
importers declare: see `declarations`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tariffsim import kernels as k
from tariffsim.policy import Instrument
from tariffsim.policy.shipments import Codes, Shipments, mask
from tariffsim.typing import Bool, Float, Int

Regime = tuple[tuple[int, float], ...]
"""Laws (by index) whose rate is not zero, with their rates."""


@dataclass(frozen=True)
class Law:
    """One instrument with its scope as an array."""

    name: str
    instrument: Instrument
    scope: Float
    """(cells,) one in scope, zero outside; (O,) for duties on unmounted chips."""


@dataclass(frozen=True)
class DutyTables:
    """Duties on chips under one regime, as fractions of their value unless said otherwise."""

    bare_by_law: dict[int, Float]
    """(O, K, R) what each law, by index, adds to the duty on unmounted chips."""
    bare: Float
    """(cells, K, R) duty on unmounted chips entering for assembly, base duties included."""
    chip_value: Float
    """(cells, K, R) duty on the value of chips in the product, truly declared, no trigger."""
    chip_count: Float
    """(cells, K, R) USD a chip in the product, truly declared, no trigger."""
    slot: Float
    """(cells, K, R) what a dollar of chips in a slot adds to the line's duty bill through duties
    without a declaration: base duties and those on unmounted chips."""


class TariffSchedule:
    """The instruments of a scenario and the duties of the base year.

    Args:
        codes: the sets of the model.
        instruments: by name, in the order in which they are asked.
        base_product: (cells, 1) duties of the base year on products, fractions of customs value.
        base_bare: (O, K, R) those on unmounted chips, fractions of their value.
        markup: mark-up of makers, which enters the customs value.
    """

    def __init__(
        self,
        codes: Codes,
        instruments: Iterable[tuple[str, Instrument]],
        base_product: Float,
        base_bare: Float,
        markup: float,
    ) -> None:
        self.codes, self.markup = codes, markup
        self.base_product, self.base_bare = base_product, base_bare
        self.laws = [law for name, one in instruments for law in _laws(codes, name, one)]
        self.with_memory = [i for i, law in enumerate(self.laws) if law.instrument.has_memory]
        self.triggers = [i for i, law in enumerate(self.laws) if not law.instrument.is_separable]
        self._regimes: dict[Regime, DutyTables] = {}
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

    def tables(self, regime: Regime) -> DutyTables:
        """Duties on chips under a regime; the instruments are asked once."""
        if regime not in self._regimes:
            self._regimes[regime] = self._ask(regime)
        return self._regimes[regime]

    def _ask(self, regime: Regime) -> DutyTables:
        """Ask the instruments about a dollar of unmounted chips, a dollar of chips and one chip."""
        shape = (self.codes.n_cells, *self.probe_shape)
        by_law = self._bare(regime)
        bare = self.base_bare.reshape(len(self.base_bare), -1) + sum(by_law.values())
        bare = bare.take(self._origin_of_cell(), axis=0)
        value, count = (
            self._on_chips(regime, self.probe(self.crosses_border[:, None], **one))
            for one in ({"value": 1.0}, {"count": 1.0})
        )
        slot = k.slot_duty_rate(self.base_product, self.markup, bare, 0.0)
        flat = (shape[0], shape[1] * shape[2])
        tables = (np.broadcast_to(t, flat).reshape(shape) for t in (bare, value, count, slot))
        bare_by_law = {i: rate.reshape(self.base_bare.shape) for i, rate in by_law.items()}
        return DutyTables(bare_by_law, *tables)

    def _on_chips(self, regime: Regime, probe: Shipments) -> Float:
        """(cells, K x R) duties of a regime on the chips of a probe, without those of triggers."""
        duties: list[tuple[str | None, Float]] = []
        for i, rate in regime:
            law = self.laws[i]
            if law.instrument.is_separable and not law.instrument.taxes_bare_chips:
                duty = law.instrument.duty(probe, rate) * law.scope[:, None]
                duties.append((law.instrument.stacking_group, duty))
        return np.asarray(k.stacked(duties) + np.zeros((1, 1)))

    def _bare(self, regime: Regime) -> dict[int, Float]:
        """(O, K x R) duty on a dollar of unmounted chips by law."""
        foreign = np.tile(self.chip_crosses_border, (1, self.probe_shape[0]))
        probe = self.probe(foreign, value=1.0)
        laws = {i: rate for i, rate in regime if self.laws[i].instrument.taxes_bare_chips}
        duties = [
            (law.instrument.stacking_group, law.instrument.duty(probe, rate) * law.scope[:, None])
            for law, rate in ((self.laws[i], rate) for i, rate in laws.items())
        ]
        return dict(zip(laws, k.due_of_each(duties), strict=True))

    def _origin_of_cell(self) -> Int:
        return (np.arange(self.codes.n_cells) // len(self.codes.markets)) % len(self.codes.origins)

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


def _laws(codes: Codes, name: str, instrument: Instrument) -> Iterator[Law]:
    """An instrument as laws: one for the markets of each first month, for each if it has a memory.

    What the law of earlier markets covers already, another does not cover a second time.
    """
    parts = instrument.by_entry()
    if instrument.has_memory:
        parts = [p.model_copy(update={"markets": (m,)}) for p in parts for m in p.markets]
    covered = np.zeros(1)
    for part in parts:
        scope = np.where(covered > 0, 0.0, _scope(codes, part))
        covered = covered + scope
        if scope.any():
            yield Law(name if len(parts) == 1 else f"{name}, {' '.join(part.markets)}", part, scope)


def _scope(codes: Codes, instrument: Instrument) -> Float:
    """One where an instrument applies: (cells,), or (O,) for duties on unmounted chips."""
    markets = mask(codes.markets, instrument.markets)
    countries, exempt = instrument.assembly_countries, instrument.exempt_assembly_countries
    origins = mask(codes.origins, countries, exempt)
    if instrument.taxes_bare_chips:
        return np.asarray(markets[np.asarray(codes.home_market)] * origins)
    devices = mask(codes.devices, instrument.devices, instrument.exempt_devices)
    places = np.broadcast_to(markets, (len(origins), len(markets)))
    if instrument.meets_home_assembly:  # lines sold there, or assembled there
        places = np.maximum(places, markets[np.asarray(codes.home_market)][:, None])
    result: Float = np.einsum("d,o,om->dom", devices, origins, places).ravel()
    return result

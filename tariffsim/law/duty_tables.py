"""The law of a scenario, compiled into tables: the tariff schedule.

Duties on chips are linear in their value and number, so that the instruments are asked once for
each legal regime about a dollar of chips and a single chip; the answers are tables over (device,
country of assembly, market) cells, node classes and regions. Duties on products depend on what
importers declare: see `declarations`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from tariffsim import kernels as k
from tariffsim.policy import Instrument, PartOfMonths, Strength
from tariffsim.policy.shipments import Codes, Shipments, mask
from tariffsim.policy.time_path import TimePath
from tariffsim.typing import Bool, Float, Int, format_moment, last_date, one_name

Regime = tuple[tuple[int, float], ...]
"""Laws (by index) whose rate is not zero, with their rates: a `Strength` where part of a month."""


class LawInMonth(NamedTuple):
    """What a law is in a month, and what agents know of it then."""

    rate: Strength
    """Its strength."""
    chance: float
    """Probability that agents give to it."""
    knows_end: bool
    """Whether they know when it ends."""
    may_lapse: bool
    """Whether it is a duty that is there for as long as nobody gives it up."""


@dataclass(frozen=True)
class Law:
    """One instrument with its scope as an array."""

    name: str
    instrument: Instrument
    scope: Float
    """(cells,) share of the trade that it covers; (O, K x R) for duties on unmounted chips."""
    is_calendar: bool = False
    """Whether it is a row of the tariff calendar, which may lower duties of the base year."""
    end_known_from: float | None = None
    """Month from which agents know its end; None: as the instrument says."""
    lapse_known_from: float | None = None
    """Month from which agents know when the whole measure ends, of which it is a step; None: it is
    no step of one."""
    is_compared: bool = False
    """Whether it is in a stacking group of several bases: the highest is due by product."""
    is_of_chips: bool = True
    """Whether all bases of that group are chips: makers compare chip by chip, else by product."""
    of: tuple[str, ...] = ()
    """What it comes from: the policy, or the instrument and, where a refund names it, the row."""
    _worked_out: dict[tuple[int, bool | None], Any] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )
    # By month what it is then, and whether its end is known what is foreseen: runs share it.

    @property
    def group(self) -> str | None:
        """Stacking group, whatever the case and blanks of its name; each part of a month has one.

        So that the highest is taken day by day where one begins or ends within a month.
        """
        group, part = self.instrument.stacking_group, self.instrument.part_number
        return None if group is None else f"{one_name(group)}\0{part}"

    @property
    def is_on_products(self) -> bool:
        """Whether it is a duty on products or on what is inside."""
        instrument = type(self.instrument)
        return instrument.duty is not Instrument.duty and not instrument.taxes_bare_chips

    @property
    def is_separable(self) -> bool:
        """Whether makers can choose slot by slot."""
        return self.instrument.is_separable and (self.is_of_chips or not self.is_compared)

    @property
    def is_of_value(self) -> bool:
        """Whether what is due depends on the customs value of the whole product."""
        rule = getattr(self.instrument, "unknown_origin_rule", "")
        return not (self.instrument.taxes_content and self.is_separable) or rule == "full_value"

    @property
    def declares(self) -> str:
        """What importers declare for it; where bases are compared, not the country."""
        declares = self.instrument.declares
        return "" if self.is_compared and declares == "origin" else declares

    def by_cell(self, rate: float) -> Float:
        """(cells,) what a rate means on each cell."""
        return rate * self.scope

    def knows_end(self, now: int) -> bool:
        """Whether agents know in a month when it ends."""
        if self.end_known_from is not None:
            return now >= self.end_known_from
        last = self.instrument.last_month
        return self.instrument.end_known or last is None or now > last

    def in_month(self, month: int) -> LawInMonth:
        """What it is in a month, worked out once."""
        if (month, None) not in self._worked_out:
            one = self.instrument
            self._worked_out[month, None] = LawInMonth(
                one.rate_in_force(month),
                one.chance_in(month),
                self.knows_end(month),
                self.raises_duty and self.is_to_last(month),
            )
        found: LawInMonth = self._worked_out[month, None]
        return found

    def rate_foreseen(self, month: int, now: int, knows_end: bool) -> Strength:
        """Strength that agents foresee in `now` for a later month if it comes into force.

        Worked out once, as what is known of its end is all that depends on `now`.
        """
        if (month, knows_end) not in self._worked_out:
            rate = self.instrument.rate_if_enacted(month, now, knows_end)
            self._worked_out[month, knows_end] = rate
        foreseen: Strength = self._worked_out[month, knows_end]
        return foreseen

    def rate_expected(self, month: int, now: int, foresight: str) -> float:
        """Strength that agents expect in `now` for a later month."""
        return self.instrument.rate_expected(month, now, foresight, self.knows_end(now))

    @property
    def raises_duty(self) -> bool:
        """Whether it is a duty that is law, or will be: it may also be given up."""
        return self.instrument.enacted and type(self.instrument).duty is not Instrument.duty

    def is_to_last(self, now: int) -> bool:
        """Whether agents know of no end of the measure in a month."""
        if self.lapse_known_from is not None:
            return now < self.lapse_known_from
        one = self.instrument
        is_over_at_last = one.path.values[-1] == 0.0
        return not is_over_at_last and (one.last_month is None or not self.knows_end(now))


@dataclass(frozen=True)
class Answers:
    """What the laws of one regime ask for chips, as fractions of their value or as said."""

    bare_by_law: dict[int, Float]
    """(O, K, R) what each law, by index, adds to the duty on unmounted chips."""
    bare: Float
    """(cells, K, R) duty on unmounted chips entering for assembly, base duties included."""
    chip_value: Float
    """(cells, K, R) duty on the value of chips in the product, truly declared, no trigger."""
    chip_count: Float
    """(cells, K, R) USD a chip in the product, truly declared, no trigger."""
    levies_bare: Bool
    """(O,) countries of assembly in which any duty on unmounted chips is due."""


@dataclass(frozen=True)
class DutyTables(Answers):
    """Duties on chips under one regime, as fractions of their value unless said otherwise."""

    slot: Float
    """(cells, K, R) what a dollar of chips in a slot adds to the line's duty bill through duties
    without a declaration: base duties and those on unmounted chips."""


class TariffSchedule:
    """The instruments of a scenario and the duties of the base year.

    Args:
        codes: the sets of the model.
        laws: in the order in which they are asked, as `arranged`.
        base_product: (cells, 1) duties of the base year on products, fractions of customs value.
        base_bare: (O, K, R) those on unmounted chips, fractions of their value. In tables R is
            every origin that chips may have in law.
        markup: mark-up of makers, which enters the customs value.
        asked: answers of the laws by regime, which schedules of the same laws share.
    """

    def __init__(
        self,
        codes: Codes,
        laws: Iterable[Law],
        base_product: Float,
        base_bare: Float,
        markup: float,
        asked: dict[Regime, Answers] | None = None,
    ) -> None:
        self.codes, self.markup = codes, markup
        times = codes.n_chip_origins // len(codes.regions)
        self.base_product, self.base_bare = base_product, np.tile(base_bare, times)
        self.laws = list(laws)
        self._asked: dict[Regime, Answers] = {} if asked is None else asked
        self.with_memory = [i for i, law in enumerate(self.laws) if law.instrument.has_memory]
        self.triggers = [i for i, law in enumerate(self.laws) if not law.is_separable]
        self._regimes: dict[Regime, DutyTables] = {}
        self.probe_shape = (len(codes.classes), codes.n_chip_origins)
        home = np.asarray(codes.home_market)
        origin, market = np.divmod(np.arange(codes.n_cells), len(codes.markets))
        self.crosses_border = home[origin % len(codes.origins)] != market
        made = np.tile(np.asarray(codes.region_market), times)
        self.chip_crosses_border = made[None, :] != home[:, None]

    def rates_in_force(self, date: int) -> list[float]:
        """Strength of every law in a month, each a `Strength`."""
        return [law.in_month(date).rate for law in self.laws]

    def regime(self, rates: Sequence[float]) -> Regime:
        """The regime of these rates, one for each law."""
        return tuple((i, rate) for i, rate in enumerate(rates) if rate != 0.0)

    def tables(self, regime: Regime) -> DutyTables:
        """Duties on chips under a regime; the instruments are asked once."""
        if regime not in self._regimes:
            found = self._answers(regime)
            slot = k.slot_duty_rate(self.base_product[..., None], self.markup, found.bare, 0.0)
            self._regimes[regime] = DutyTables(
                found.bare_by_law,
                found.bare,
                found.chip_value,
                found.chip_count,
                found.levies_bare,
                slot,
            )
        return self._regimes[regime]

    def _answers(self, regime: Regime) -> Answers:
        if regime not in self._asked:
            self._asked[regime] = self._ask(regime)
        return self._asked[regime]

    def _ask(self, regime: Regime) -> Answers:
        """Ask the instruments about a dollar of unmounted chips, a dollar of chips and one chip."""
        shape = (self.codes.n_cells, *self.probe_shape)
        flat = (shape[0], shape[1] * shape[2])
        value, count = (
            np.broadcast_to(self._on_chips(regime, probe), flat).reshape(shape)
            for one in ({"value": 1.0}, {"count": 1.0})
            for probe in [self.probe(self.crosses_border[:, None], **one)]
        )
        of_bare = tuple(
            entry for entry in regime if self.laws[entry[0]].instrument.taxes_bare_chips
        )
        if of_bare == regime:
            return self._ask_bare(regime, value, count)
        alike = self._answers(of_bare)
        return replace(alike, chip_value=value, chip_count=count)

    def _ask_bare(self, regime: Regime, value: Float, count: Float) -> Answers:
        """What a regime of duties on unmounted chips alone asks for."""
        by_law = self._bare(regime)
        levied = self.base_bare.reshape(len(self.base_bare), -1) + sum(by_law.values())
        bare = levied.take(self._origin_of_cell(), axis=0).reshape(value.shape)
        bare_by_law = {i: rate.reshape(self.base_bare.shape) for i, rate in by_law.items()}
        return Answers(bare_by_law, bare, value, count, np.any(levied, axis=1))

    def _on_chips(self, regime: Regime, probe: Shipments) -> Float:
        """(cells, K x R) duties of a regime on the chips of a probe, without those of triggers."""
        duties: list[tuple[str | None, Float]] = []
        for i, rate in regime:
            law = self.laws[i]
            is_added = law.is_separable and not law.is_compared
            if is_added and not law.instrument.taxes_bare_chips:
                duty = law.instrument.duty(probe, 1.0) * law.by_cell(rate)[:, None]
                duties.append((law.group, duty))
        return np.asarray(k.stacked(duties) + np.zeros((1, 1)))

    def _bare(self, regime: Regime) -> dict[int, Float]:
        """(O, K x R) duty on a dollar of unmounted chips by law."""
        foreign = np.tile(self.chip_crosses_border, (1, self.probe_shape[0]))
        probe = self.probe(foreign, value=1.0)
        laws = {i: rate for i, rate in regime if self.laws[i].instrument.taxes_bare_chips}
        duties = [
            (law.group, law.instrument.duty(probe, 1.0) * law.by_cell(rate))
            for law, rate in ((self.laws[i], rate) for i, rate in laws.items())
        ]
        due = dict(zip(laws, k.due_of_each(duties), strict=True))
        calendar = {i: duty for i, duty in due.items() if self.laws[i].is_calendar}
        base = self.base_bare.reshape(len(self.base_bare), -1)
        return due | dict(zip(calendar, k.at_least_none(base, [*calendar.values()]), strict=True))

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
            covers = np.broadcast_to(self.laws[i].instrument.covers(probe), probe.chip_value.shape)
            covered |= np.reshape(met, (-1, 1, 1)) & covers.reshape(self.probe_shape)
        return covered


def laws_of(
    codes: Codes, instruments: Iterable[tuple[str, Instrument]], ordinary: Float
) -> Iterator[Law]:
    """Instruments with their scopes; `ordinary` (cells,) are duties that `all_in` rates include.

    One is a law for the markets of each first month, and for each market if it has a memory. What
    the law of earlier markets covers already, another does not cover a second time.
    """
    for name, instrument in instruments:
        parts = instrument.by_entry()
        if instrument.has_memory:
            parts = [p.model_copy(update={"markets": (m,)}) for p in parts for m in p.markets]
        covered = np.zeros(1)
        for part in parts:
            scope = np.where(covered > 0, 0.0, scope_of(codes, part))
            covered = covered + scope
            own = name if len(parts) == 1 else f"{name}, {' '.join(part.markets)}"
            if getattr(part, "all_in", False):
                yield from _all_in(own, name, part, scope, ordinary)
            else:
                yield Law(own, part, scope, of=(name,))


def _all_in(
    name: str, policy: str, instrument: Instrument, scope: Float, ordinary: Float
) -> Iterator[Law]:
    """One law for each step of a rate that includes the ordinary duty: what it adds by cell."""
    path, ends = instrument.path, instrument.ends
    first = max(instrument.starts, path.first_moment or 0)
    dates = [m for m in path.months if m > first and (ends is None or m < ends)]
    ends_known = not path.values[-1] or (ends is not None and instrument.end_known)
    lapse = instrument.known_from if ends_known else math.inf
    for begins, until in zip([first, *dates], [*dates, None], strict=True):
        rate = path.from_date(begins)
        if rate:
            end = instrument.end if until is None else last_date(until)
            step = {"start": begins, "end": end, "announced": instrument.known_from}
            one = instrument.model_copy(update=step | {"rate": TimePath(values=(rate,))})
            if not instrument.is_certain:  # believed, or not, as the whole is
                one = one.with_chance(instrument.chance)
            own = name if not dates else f"{name}, {format_moment(begins)}"
            known = None if until is None else instrument.known_from
            added = np.maximum(rate - ordinary, 0.0) / rate
            part = scope * added
            yield Law(own, one, part, end_known_from=known, lapse_known_from=lapse, of=(policy,))


def arranged(codes: Codes, laws: Iterable[Law]) -> list[Law]:
    """Laws that cover anything, as a schedule asks them.

    Scopes by origin of the chips; stacking groups of several bases marked; once for each part of
    the months within which a group changes.
    """
    return _by_days(_compared([_by_origin(codes, law) for law in laws if law.scope.any()]))


def _by_origin(codes: Codes, law: Law) -> Law:
    """A law whose scope on unmounted chips, by region, is by origin in law."""
    if law.scope.ndim == 1 or codes.chinese_part is None:
        return law
    by_region = law.scope.reshape(len(law.scope), len(codes.classes), -1)
    return replace(law, scope=np.tile(by_region, 2).reshape(len(law.scope), -1))


def _compared(laws: list[Law]) -> list[Law]:
    """The laws; those on products whose stacking group has several bases are marked."""
    groups: dict[str, list[Instrument]] = {}
    on_products = [law for law in laws if law.is_on_products]
    for law in on_products:
        if law.group:
            groups.setdefault(law.group, []).append(law.instrument)
    of_chips = {
        group: all(instrument.taxes_content for instrument in members)
        for group, members in groups.items()
        if len({instrument.tax_base for instrument in members}) > 1
    }
    return [
        replace(law, is_compared=True, is_of_chips=of_chips[law.group or ""])
        if law.group in of_chips and law.is_on_products
        else law
        for law in laws
    ]


def _by_days(laws: list[Law]) -> list[Law]:
    """The laws, once for each part of the months within which their stacking group changes."""
    dates: dict[str, set[float]] = {}
    for law in laws:
        if law.group:
            one = law.instrument
            moments = (one.starts, one.ends or 0.0, *one.path.months)
            dates.setdefault(law.group, set()).update(m for m in moments if m % 1)
    return [part for law in laws for part in _parts_of(law, dates.get(law.group or "", set()))]


def _parts_of(law: Law, dates: set[float]) -> Iterator[Law]:
    """A law in each part of the months that the dates divide."""
    if not dates:
        yield law
        return
    months = {
        month: (float(month), *sorted(d for d in dates if int(d) == month))
        for month in map(int, dates)
    }
    for number in range(max(map(len, months.values()))):
        yield replace(law, instrument=law.instrument.in_part(PartOfMonths(months, number)))


def scope_of(codes: Codes, instrument: Instrument) -> Float:
    """Share of trade to which an instrument applies: (cells,), or (O, K x R) on unmounted chips."""
    markets = mask(codes.markets, instrument.markets)
    countries, exempt = instrument.assembly_countries, instrument.exempt_assembly_countries
    origins = mask(codes.origins, countries, exempt)
    if instrument.taxes_bare_chips:
        levied = instrument.coverage * markets[np.asarray(codes.home_market)] * origins
        return np.tile(levied[:, None], (1, len(codes.classes) * len(codes.regions)))
    devices = mask(codes.devices, instrument.devices, instrument.exempt_devices)
    places = np.broadcast_to(markets, (len(origins), len(markets)))
    if instrument.meets_home_assembly:  # lines sold there, or assembled there
        places = np.maximum(places, markets[np.asarray(codes.home_market)][:, None])
    result: Float = np.einsum("d,o,om->dom", devices, origins, places).ravel()
    return instrument.coverage * result

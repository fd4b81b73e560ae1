"""The tariff calendar cell by cell: rows as laws, as level less what the base year has (MODEL 4.4).

Law is by code: a later row of an instrument replaces an earlier one where it names the same device
(or unmounted chips) and country. The duty of a month is

    max(0, duty of 2024 + sum over instruments of (rate x coverage in force
                                                   - that of its rows in 2024, mean of the year))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import numpy as np

from tariffsim.calibration.base_duties import BaseDuties, Good, kind_of_class, region_of
from tariffsim.calibration.constants import DATA_MARKET
from tariffsim.calibration.doubt import EVER, Span, replaced_in_doubt, spans_in_doubt
from tariffsim.law.duty_tables import Law
from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.policy.shipments import Codes
from tariffsim.policy.strength import ALWAYS, Chance
from tariffsim.scenario import Scenario
from tariffsim.tables import BARE_CHIPS, CalendarRow
from tariffsim.typing import (
    Float,
    format_moment,
    last_date,
    one_name,
    part_of_month,
)

BASE_YEAR = 2024
MONTHS_OF_BASE_YEAR = range(12 * BASE_YEAR, 12 * BASE_YEAR + 12)


@dataclass(frozen=True)
class Step:
    """Rows of an instrument that come, go and are known together."""

    starts: float
    ends: float
    known_from: float
    end_known_from: float
    stacking_group: str | None
    is_in_force: bool
    row: str = ""
    """Id of the row, where a refund names it."""
    chance: Chance = ALWAYS
    is_law: bool = True
    lapse_known_from: float | None = None
    """Month from which it is known when the measure ends, where duties may not last."""
    is_raised: bool = True
    """Whether duties rise by it, where they may not last."""

    @property
    def dates(self) -> tuple[float, float]:
        """First moment, and the one from which it is over."""
        return self.starts, self.ends


class Part(NamedTuple):
    """Of a step, on one good."""

    net: float
    """Level less what the duty of 2024 has of it."""
    rate: float
    """By statute; the net one where the duty of 2024 has a part of it."""


class TariffCalendar:
    """The rows of a scenario's calendar that are in force, and what they put on 2024.

    Args:
        scenario: says whether they are, and which policies replace them.
        rows: of the table.
        duties: of the base year.
    """

    def __init__(self, scenario: Scenario, rows: Iterable[CalendarRow], duties: BaseDuties) -> None:
        self.scenario, self.duties = scenario, duties
        in_force = scenario.trade.tariffs_in_force
        rows = [r for r in rows if r.in_baseline and r.rate is not None and in_force]
        self.refunded = {
            one_name(name)
            for policy in scenario.policies.values()
            for name in getattr(policy, "refunds", ())
        }
        key = _instrument_and_market
        self.instruments = {
            of: sorted(own, key=lambda row: row.starts)
            for of, own in groupby(sorted(rows, key=key), key=key)
        }
        self.in_base: dict[tuple[tuple[str, str], Good], float] = {}
        if scenario.trade.base_duties == "observed":
            self.in_base = {
                (of, good): held
                for of, own in self.instruments.items()
                for good in goods_of(own)
                if (held := sum(self._held(span, good) for span in spans_of(own, good)))
            }

    def _held(self, span: Span, good: Good) -> float:
        """What a row in the base year's duties puts on a good in 2024, mean of its months."""
        if span.row is None or not span.row.in_2024_base:
            return 0.0
        parts = (part_of_month(month, span.starts, span.ends) for month in MONTHS_OF_BASE_YEAR)
        return self.level(span, good) * (sum(parts) / len(MONTHS_OF_BASE_YEAR))

    def ordinary(self, good: Good) -> float:
        """Duty of 2024 without what rows of the calendar put on it."""
        held = (
            rate for ((_, m), of), rate in self.in_base.items() if (m, of) == (DATA_MARKET, good)
        )
        return max(0.0, self.duties.collected.get(good, 0.0) - sum(held))

    def ordinary_by_cell(self) -> Float:
        """(cells,) the same on products, in the data market."""
        codes = self.duties.codes
        found = np.zeros(codes.n_cells)
        for device, origin in self.duties.collected:
            if device in codes.devices and DATA_MARKET in codes.markets:
                found[_cell(codes, (device, origin), DATA_MARKET)] = self.ordinary((device, origin))
        return found

    def level(self, span: Span, good: Good) -> float:
        """Duty that a row puts on a good, fraction of its value."""
        row = span.row
        if row is None or not row.rate:
            return 0.0
        if row.all_in:
            ordinary = self.ordinary(good) if row.levied_by == DATA_MARKET else 0.0
            added = max(0.0, row.rate - ordinary)
            return span.kept * row.coverage * added
        return span.kept * row.coverage * row.rate

    def laws(self) -> Iterator[Law]:
        """Steps of instruments as laws; what the base year's duty has already is none."""
        for of, own in self.instruments.items():
            found: dict[Step, dict[Good, Part]] = {}
            for good in goods_of(own):
                held = self.in_base.get((of, good), 0.0)
                for span, lapse in self._expected(of, good):
                    net = self.level(span, good) - held
                    if net and span.ends > self.scenario.run.start:
                        step = self._step(span, own[0].instrument, lapse, net > 0)
                        rate = span.row.rate if span.row and not held else None
                        found.setdefault(step, {})[good] = Part(net, rate or net)
            names: list[str] = []
            for step, parts in sorted(found.items(), key=lambda item: item[0].dates):
                is_one = sum(step.starts == other.starts for other in found) == 1
                name = self._name(own[0].instrument, step, is_one)
                names.append(name)
                if names.count(name) > 1:  # known, or grouped, in another way
                    name += f" ({names.count(name)})"
                of_row = (own[0].instrument, step.row) if step.row else (own[0].instrument,)
                for law in self._laws_of(name, own[0].levied_by, step, parts):
                    yield replace(law, of=of_row)

    def _step(self, span: Span, instrument: str, lapse: float | None, is_raised: bool) -> Step:
        """The step of an instrument that a span is part of."""
        group = span.row.stacking_group if span.row else ""
        if not group:  # or policies name one after the instrument
            groups = (policy.stacking_group for policy in self.scenario.policies.values())
            same = (g for g in groups if g and one_name(g) == one_name(instrument))
            group = next(same, "")
        dates = span.starts, span.ends, span.known_from, span.end_known_from
        row = span.row.id if span.row and one_name(span.row.id) in self.refunded else ""
        of_measure = span.chance, span.is_law, lapse, is_raised or lapse is None
        return Step(*dates, group or None, span.row is not None, row, *of_measure)

    def spans(self, of: tuple[str, str], good: Good) -> list[Span]:
        """What an instrument of a market is by law on a good, with what policies leave of it."""
        own = self.instruments[of]
        spans = spans_of(own, good)
        for policy in self._replacing(of, good):
            if policy.is_law:
                spans = list(_replaced(spans, policy, own))
        return spans

    def _expected(self, of: tuple[str, str], good: Good) -> Iterator[tuple[Span, float | None]]:
        """The same with what may never be law, and from when agents know that it ends.

        The latter where duties may not last, and for what is law or will be.
        """
        own = self.instruments[of]
        named = _naming(own, good)
        replacing = [policy for policy in self._replacing(of, good) if _names(policy, named)]
        if all(row.is_certain for row in named) and all(one.is_certain for one in replacing):
            spans, ends_known = self.spans(of, good), _ends_known
        else:
            spans, ends_known = spans_in_doubt(named), _own_ends_known
            for policy in replacing:
                concerned = [span for span in spans if _names(policy, (span.row,))]
                others = [span for span in spans if span not in concerned]
                spans = [*others, *replaced_in_doubt(concerned, policy, _shares_kept(policy))]
        may_lapse = self.scenario.trade.expected_persistence < 1
        return zip(spans, ends_known(spans) if may_lapse else [None] * len(spans), strict=True)

    def _replacing(self, of: tuple[str, str], good: Good) -> Iterator[Instrument]:
        """Policies that replace rows of an instrument on a good, as the market enters them."""
        for policy in self.scenario.dated_policies.values():
            for part in policy.by_entry() if policy.replaced != () else ():
                if of[1] in part.markets and _is_in_scope(part, good, self.duties.codes):
                    yield part

    def change(self, good: Good, market: str, month: int) -> float:
        """What the duty of a month on a good is above, or below, that of 2024."""
        return sum(
            sum(
                self.level(s, good) * part_of_month(month, s.starts, s.ends)
                for s in self.spans(of, good)
            )
            - self.in_base.get((of, good), 0.0)
            for of in self.instruments
            if of[1] == market
        )

    def _name(self, instrument: str, step: Step, is_one: bool) -> str:
        """Instrument and first month or day; its end where that sets it apart."""
        name = f"{instrument}, {format_moment(max(step.starts, self.scenario.run.start))}"
        if not is_one:
            to = "" if math.isinf(step.ends) else format_moment(last_date(step.ends), last=True)
            name += f" to {to}" if to else " on"
        name += f" ({step.row})" if step.row else ""
        name += "" if step.is_law else ", only expected"
        return name if step.is_in_force else f"{name}, no longer in force"

    def _laws_of(
        self, name: str, market: str, step: Step, parts: Mapping[Good, Part]
    ) -> Iterator[Law]:
        codes = self.duties.codes
        rate = max((part.rate for part in parts.values()), key=abs)
        fields: dict[str, Any] = {
            "rate": rate,
            "start": step.starts,
            "end": None if math.isinf(step.ends) else last_date(step.ends),
            "announced": min(step.known_from, step.starts),
            "end_known": False,
            "withdrawn": None if step.is_law else step.starts,
            "markets": (market,),
            "stacking_group": step.stacking_group,
        }
        weights = {good: part.net / rate for good, part in parts.items()}
        products = {good: part for good, part in weights.items() if good[0] not in BARE_CHIPS}
        if products:
            scope = np.zeros(codes.n_cells)
            for good, part in products.items():
                scope[_cell(codes, good, market)] = part
            devices, origins = (tuple(dict.fromkeys(good[i] for good in products)) for i in (0, 1))
            of_products = {"devices": devices, "assembly_countries": origins}
            yield _law(name, "product_tariff", fields | of_products, scope, step)
        home = np.flatnonzero(np.asarray(codes.home_market) == codes.markets.index(market))
        by_region = self._by_region(weights)
        for regions, by_kind in by_region.items():
            scope = np.zeros((len(codes.origins), len(codes.classes), len(codes.regions)))
            scope[home] = np.asarray(by_kind)[kind_of_class(codes)][None, :, None]
            of = "" if len(by_region) == 1 else f" of {' '.join(regions)}"
            yield _law(
                f"{name}, unmounted chips{of}", "bare_chip_tariff",
                fields | {"chip_regions": regions}, scope.reshape(len(codes.origins), -1), step,
            )  # fmt: skip

    def _by_region(self, weights: Mapping[Good, float]) -> dict[tuple[str, ...], tuple[float, ...]]:
        """Regions with one part of each kind of unmounted chips covered, by that part."""
        codes = self.duties.codes
        covered = np.zeros((len(codes.regions), len(BARE_CHIPS)))
        for (good, origin), part in weights.items():
            if good in BARE_CHIPS:
                region = region_of(origin, codes)
                if region in codes.regions:
                    share = self.duties.region_share.get((good, origin), 0.0)
                    covered[codes.regions.index(region), BARE_CHIPS.index(good)] += part * share
        parts: dict[tuple[float, ...], list[str]] = {}
        for region, by_kind in zip(codes.regions, covered.round(12).tolist(), strict=True):
            if any(by_kind):
                parts.setdefault(tuple(by_kind), []).append(region)
        return {tuple(regions): by_kind for by_kind, regions in parts.items()}


def _law(name: str, kind: str, fields: dict[str, Any], scope: Float, step: Step) -> Law:
    instrument = INSTRUMENTS[kind].model_validate({"kind": kind} | fields)
    if step.chance != ALWAYS or not step.is_law:
        instrument = instrument.with_chance(step.chance)
    return Law(name, instrument, scope, True, step.end_known_from, step.lapse_known_from)


def _instrument_and_market(row: CalendarRow) -> tuple[str, str]:
    return one_name(row.instrument), row.levied_by


def goods_of(rows: Iterable[CalendarRow]) -> list[Good]:
    """Goods and countries that any of the rows names, each once."""
    return list(dict.fromkeys((d, o) for row in rows for d in row.devices for o in row.against))


def _naming(rows: Iterable[CalendarRow], good: Good) -> list[CalendarRow]:
    """The rows that name a good and its country."""
    return [row for row in rows if good[0] in row.devices and good[1] in row.against]


def spans_of(rows: Iterable[CalendarRow], good: Good) -> list[Span]:
    """What the rows of one instrument, in order, are by law on one good, from ever until ever."""
    named = [row for row in _naming(rows, good) if row.is_law]
    spans: list[Span] = []
    now, known = EVER, EVER
    for row, following in zip(named, [*named, None][1:], strict=True):
        if row.starts > now:
            spans.append(Span(now, row.starts, known, row.known_from))
        ends, end_known = row.stops, float(row.known_from)
        if not row.end_known and not math.isinf(ends):
            end_known = int(ends)
        if following is not None and following.starts <= ends:
            known_then = end_known if following.starts == ends else math.inf
            ends, end_known = following.starts, min(known_then, following.known_from)
        spans.append(Span(row.starts, ends, row.known_from, end_known, row))
        now, known = ends, end_known
    is_over = EVER < now < math.inf
    return [*spans, Span(now, math.inf, known, math.inf)] if is_over else spans


def _ends_known(spans: Sequence[Span]) -> list[float]:
    """Month from which agents know when the measure that each span is part of ends.

    It does not end with a row that another one takes the place of.
    """
    found: list[float] = []
    following: tuple[Span, float] | None = None
    for span in reversed(spans):
        known = math.inf if math.isinf(span.ends) else span.end_known_from
        if following is not None and following[0].starts == span.ends and _levies(following[0]):
            known = following[1]
        following = span, known
        found.append(known)
    return found[::-1]


def _own_ends_known(spans: Sequence[Span]) -> list[float]:
    """The same by the ends that rows have of their own."""
    return [_own_end_known(span.row) for span in spans]


def _own_end_known(row: CalendarRow | None) -> float:
    if row is None or (row.enacted and math.isinf(row.stops)):
        return math.inf
    is_known = row.end_known or not row.enacted  # of a threat nothing may lapse
    return row.known_from if is_known else int(row.stops)


def _levies(span: Span) -> bool:
    return span.row is not None and bool(span.row.rate) and span.kept > 0


def _names(policy: Instrument, rows: Iterable[CalendarRow | None]) -> bool:
    """Whether a policy replaces any of some rows of an instrument."""
    names = {one_name(name) for name in policy.replaced or ()}
    return any(
        policy.replaced is None
        or not names.isdisjoint((one_name(row.instrument), one_name(row.id or "-")))
        for row in rows
        if row is not None
    )


def _replaced(spans: Iterable[Span], policy: Instrument, own: list[CalendarRow]) -> Iterator[Span]:
    """The spans with what a policy leaves of the rows that it names, while it is in force."""
    for span in spans:
        if _names(policy, (span.row,)):
            yield from _with_policy(span, policy)
        else:
            yield span


def _dates_of(policy: Instrument) -> list[float]:
    """Moments at which what a policy leaves of rows changes, its start and its end included."""
    begins = max(policy.starts, policy.path.first_moment or EVER)
    path, months = policy.path, policy.path.months
    if path.interpolate == "linear":
        months = tuple(range(int(months[0]), int(months[-1]) + 1))
    last = math.inf if policy.ends is None else policy.ends
    return [begins, *(min(max(begins, month), last) for month in months[1:]), last]


def _shares_kept(policy: Instrument) -> list[tuple[float, float, float]]:
    """From which moment until which a policy leaves which share of what it replaces."""
    path = policy.path
    return [
        (low, high, 1.0 - policy.replaced_share(path.over(low, min(high, int(low) + 1))))
        for low, high in pairwise(_dates_of(policy))
        if low < high
    ]


def _with_policy(span: Span, policy: Instrument) -> Iterator[Span]:
    """A span as before, during and after the steps of a policy."""
    path, steps = policy.path, _dates_of(policy)
    end_known = policy.known_from if policy.end_known else math.inf
    if span.starts < steps[0]:
        before = min(span.ends, steps[0])
        cut = policy.known_from if before < span.ends else span.end_known_from
        yield replace(span, ends=before, end_known_from=cut)
    for begins, ends in pairwise(steps):
        low, high = max(span.starts, begins), min(span.ends, ends)
        if low < high:
            rate = path.over(low, min(high, int(low) + 1))
            known = min(end_known, int(high)) if high < span.ends else span.end_known_from
            yield replace(
                span,
                starts=low,
                ends=high,
                known_from=max(span.known_from if low == span.starts else EVER, policy.known_from),
                end_known_from=known,
                kept=span.kept * (1.0 - policy.replaced_share(rate)),
            )
    if span.ends > steps[-1]:
        begins = max(span.starts, steps[-1])
        known = min(end_known, int(begins)) if begins == steps[-1] else span.known_from
        yield replace(span, starts=begins, known_from=known)


def _is_in_scope(policy: Instrument, good: Good, codes: Codes) -> bool:
    """Whether a policy that replaces rows covers a good of a country."""
    device, origin = good
    is_bare = device in BARE_CHIPS
    if policy.taxes_bare_chips:
        classes = policy.chosen("node_classes", codes.classes)
        kinds = {kind for kind, is_in in zip(kind_of_class(codes), classes, strict=True) if is_in}
        regions = getattr(policy, "chip_regions", None)
        is_from = regions is None or region_of(origin, codes) in regions
        return is_bare and is_from and BARE_CHIPS.index(device) in kinds
    if is_bare and (policy.kind != "repeal" or policy.devices is not None):
        return False
    devices, countries = policy.devices, policy.assembly_countries
    named = devices is None or device in devices
    named &= countries is None or origin in countries
    return (
        named
        and device not in policy.exempt_devices
        and origin not in policy.exempt_assembly_countries
    )


def _cell(codes: Codes, good: Good, market: str) -> int:
    device, origin = codes.devices.index(good[0]), codes.origins.index(good[1])
    return int(codes.cell(device, origin, codes.markets.index(market)))

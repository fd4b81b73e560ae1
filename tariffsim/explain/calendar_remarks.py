"""Rows of the tariff calendar and stacking groups that do nothing, or may be misspelt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import combinations

from tariffsim.calibration.base_duties import Good
from tariffsim.calibration.tariff_calendar import TariffCalendar, spans_of
from tariffsim.scenario import Scenario
from tariffsim.scenario.doubt_remarks import Doubted, idle_belief, never_expected
from tariffsim.state.economy import Economy
from tariffsim.tables import BARE_CHIPS, CalendarRow, load_tables
from tariffsim.typing import format_moment, format_month, one_name

ALIKE = 0.9
"""Similarity from which two names are likely to mean one instrument."""
MOST_NAMED = 3
TEXTS = {"scope", "reading", "id", "source", "confidence"}
"""Columns that do not matter for what a row is as law."""
FORESIGHT = {"announced", "end_known", "belief"}
"""Columns that do not matter either for rows that are over before a run starts."""


def row_remarks(scenario: Scenario, calendar: TariffCalendar, economy: Economy) -> Iterator[str]:
    """A sentence for rows of a scenario's own calendar without which all duties are the same."""
    if "tariff_calendar" not in scenario.data_files:
        return
    if not scenario.trade.tariffs_in_force:
        yield f"{scenario.name}: its tariff calendar does nothing: trade.tariffs_in_force is no"
    found: dict[tuple[str, str], list[CalendarRow]] = {}
    for own in calendar.instruments.values():
        for row in own:
            if not row.in_2024_base and not _is_shipped_law(row, scenario.run.start):
                words = _idle(calendar, economy, row, own)
                found.setdefault((row.instrument, words), []).append(row)
    for (instrument, words), rows in found.items():
        if words:
            yield f"{scenario.name}: {instrument}, {_dates(rows)}: {words}"


def _dates(rows: Sequence[CalendarRow]) -> str:
    """When rows start, with their ids; of many the first."""
    dates = [format_moment(row.starts) + (f" ({row.id})" if row.id else "") for row in rows]
    more = f" and {len(dates) - MOST_NAMED} more" if len(dates) > MOST_NAMED else ""
    return f"{', '.join(dates[:MOST_NAMED])}{more}"


def _is_shipped_law(row: CalendarRow, start: int) -> bool:
    """Whether the shipped calendar has the row, in the columns of its file if it is over."""
    left_out = TEXTS
    if row.stops <= start:
        left_out = TEXTS | FORESIGHT | ({*CalendarRow.optional_columns()} - row.model_fields_set)
    law = row.model_dump(exclude=left_out)
    return any(law == other.model_dump(exclude=left_out) for other in load_tables().calendar)


def _idle(
    calendar: TariffCalendar, economy: Economy, row: CalendarRow, own: Sequence[CalendarRow]
) -> str:
    """What is to be said of a row: that it does nothing, and why; nothing if it does something."""
    doubted = Doubted(row.known_from, int(row.starts), row.withdrawn_from, row.belief, row.enacted)
    if reason := never_expected(doubted, calendar.scenario):
        return f"the row does nothing ({reason}): duties are the same without it in the run"
    if reason := idle_belief(doubted, calendar.scenario):
        return f"its belief has no effect: {reason}"
    if not row.is_law:
        others, row = [other for other in own if other is not row], row.as_law()
        own = sorted([*others, row], key=lambda each: each.starts)
    run, codes = calendar.scenario.run, economy.constants.codes
    market = {o: codes.markets[m] for o, m in zip(codes.origins, codes.home_market, strict=True)}
    home = [origin for origin in row.against if market[origin] == row.levied_by]
    abroad = [(d, o) for d in row.devices for o in row.against if o not in home]
    goods = [good for good in abroad if _is_shipped(economy, good, row.levied_by)]
    others = [other for other in own if other is not row]
    is_home = f"{' '.join(home)} belong{'s' * (len(home) == 1)} to {row.levied_by}"

    def acts(first: float, last: float) -> bool:
        return any(
            _levels(calendar, own, good, first, last)
            != _levels(calendar, others, good, first, last)
            for good in goods
        )

    if acts(run.start, run.end + 1):
        return f"it is not levied on goods of its own market ({is_home})" if home else ""
    if not abroad:
        reason = f"{is_home}: nothing crosses a border"
    elif not goods:
        reason = f"no {' or '.join(row.devices)} comes from {' or '.join(row.against)}"
    elif row.starts > run.end:
        reason = f"it starts after the run ends in {format_month(run.end)}"
        if row.known_from <= run.end and acts(run.end + 1, math.inf):
            return f"the row is only expected: {reason}"
    elif not row.coverage:
        reason = "its coverage is 0"
    elif row.stops <= run.start:
        reason = f"it ends before the run starts in {format_month(run.start)}"
    elif not row.rate:
        reason = "its rate is 0, and no earlier row of its instrument is replaced"
    else:
        reason = "other rows of its instrument are levied in its place, or at its rate"
    return f"the row does nothing ({reason}): duties are the same without it in the run"


def _is_shipped(economy: Economy, good: Good, market: str) -> bool:
    """Whether a country ships a device to a market, or may ship unmounted chips."""
    device, origin = good
    codes = economy.constants.codes
    if device in BARE_CHIPS:
        return True
    place = codes.devices.index(device), codes.origins.index(origin), codes.markets.index(market)
    return bool(economy.declarations.ships[codes.cell(*place)])


def _levels(
    calendar: TariffCalendar, rows: Sequence[CalendarRow], good: Good, first: float, last: float
) -> list[tuple[float, float, float]]:
    """What rows of an instrument put on a good from one moment to another, where it is not zero."""
    found: list[tuple[float, float, float]] = []
    for span in spans_of(rows, good):
        starts, ends = max(span.starts, first), min(span.ends, last)
        level = calendar.level(span, good)
        if starts >= ends or not level:
            continue
        if found and found[-1][1:] == (starts, level):
            starts = found.pop()[0]
        found.append((starts, ends, level))
    return found


def group_remarks(scenario: Scenario) -> Iterator[str]:
    """A sentence for stacking groups in which nothing is compared."""
    names: dict[str, str] = {}
    members: dict[str, list[tuple[str, str]]] = {}
    rows = [row for row in scenario.tables().calendar if row.in_baseline]
    for row in rows:
        if row.stacking_group:
            names.setdefault(one_name(row.stacking_group), row.stacking_group)
            member = row.levied_by, " ".join(row.instrument.split())
            members.setdefault(one_name(row.stacking_group), []).append(member)
    for name, policy in scenario.policies.items():
        if group := policy.stacking_group:
            names.setdefault(one_name(group), group)
            own = members.setdefault(one_name(group), [])
            own += [(market, f"policies.{name}") for market in policy.markets]
            own += [
                (row.levied_by, row.instrument)
                for row in rows
                if one_name(row.instrument) == one_name(group)
            ]
    for group, pairs in members.items():
        by_market: dict[str, set[str]] = {}
        for market, of in pairs:
            by_market.setdefault(market, set()).add(one_name(of))
        if max(map(len, by_market.values())) == 1:
            told = list(dict.fromkeys(of for _, of in pairs))
            what = f"has a single member, {told[0]}"
            if len(told) > 1:
                what = f"has members in different markets only ({', '.join(told)})"
            yield f"{scenario.name}: stacking group {names[group]!r} {what}: nothing is compared"
    yield from _groups_left(scenario, rows)


def _groups_left(scenario: Scenario, rows: Sequence[CalendarRow]) -> Iterator[str]:
    """A sentence for rows that are not in the stacking group of the rows that they replace."""
    found: dict[tuple[str, str, str], list[CalendarRow]] = {}
    for row in rows:
        group = one_name(row.stacking_group)
        left = {
            one_name(earlier.stacking_group): earlier.stacking_group
            for earlier in rows
            if earlier.stacking_group and row.rate and _may_replace(row, earlier)
        }
        others = ", ".join(repr(name) for other, name in left.items() if other != group)
        if others:
            own = f"in stacking group {row.stacking_group!r}" if group else "in no stacking group"
            found.setdefault((" ".join(row.instrument.split()), own, others), []).append(row)
    for (instrument, own, others), later in found.items():
        yield (
            f"{scenario.name}: {instrument}, {_dates(later)}: {own}, while earlier rows of the "
            f"instrument are in {others}: from then on its duty is added to those of {others}"
        )


def _may_replace(row: CalendarRow, earlier: CalendarRow) -> bool:
    """Whether a row is a later one of the instrument, on some of the same goods."""
    return (
        one_name(row.instrument) == one_name(earlier.instrument)
        and row.levied_by == earlier.levied_by
        and earlier.starts < row.starts
        and not {*row.devices}.isdisjoint(earlier.devices)
        and not {*row.against}.isdisjoint(earlier.against)
    )


def names_alike(scenario: Scenario) -> Iterator[str]:
    """Instruments of the calendar, and stacking groups, that may be one."""
    rows = scenario.tables().calendar
    instruments = {one_name(row.instrument): row.instrument for row in rows}
    given = [*(row.stacking_group for row in rows)]
    given += [policy.stacking_group or "" for policy in scenario.policies.values()]
    groups = {one_name(name): name for name in given if name}
    for one, other in _alike(instruments):
        yield (
            f"{scenario.name}: the tariff calendar has {instruments[one]!r} and "
            f"{instruments[other]!r}: as two instruments their rates add up; one name makes later "
            "rows replace earlier"
        )
    groups = {name: given for name, given in groups.items() if name not in instruments}
    for one, other in _alike(instruments | groups):
        if other in groups:
            kind = "stacking groups" if one in groups else "an instrument and a stacking group"
            yield (
                f"{scenario.name}: {kind} are called {(instruments | groups)[one]!r} and "
                f"{groups[other]!r}: duties are compared only in a group of one name"
            )


def _alike(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of names that differ by little, but not by a number."""
    for one, other in combinations(names, 2):
        digits = [[ch for ch in name if ch.isdigit()] for name in (one, other)]
        if digits[0] == digits[1] and SequenceMatcher(None, one, other).ratio() > ALIKE:
            yield one, other

"""What agents expect of rows of the tariff calendar that may never come into force (MODEL 4.2).

A row, or a policy that replaces rows, that is believed with less than certainty, withdrawn or only
threatened makes several futures of an instrument on a good: what holds with it, and what without.
Each is a span with the probability that agents give to it, by the month in which they think of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from tariffsim.policy import Instrument
from tariffsim.policy.strength import ALWAYS, Chance, both, chance_of, neither
from tariffsim.tables import CalendarRow
from tariffsim.typing import FIRST_YEAR

EVER: float = 12 * FIRST_YEAR


@dataclass(frozen=True)
class Span:
    """A row on one cell from one moment to another; None where no row of the instrument is."""

    starts: float
    ends: float
    known_from: float
    end_known_from: float
    row: CalendarRow | None = None
    kept: float = 1.0
    """Share that policies leave in force."""
    chance: Chance = ALWAYS
    """Probability that agents give to it once it is known."""
    is_law: bool = True
    """Whether it comes into force."""


def spans_in_doubt(rows: Iterable[CalendarRow]) -> list[Span]:
    """Spans from ever until ever of rows of an instrument on one good; chances sum to one.

    A later row replaces an earlier one with its own probability; a threat would replace all.
    """
    spans = [_span(EVER, None, ALWAYS, True)]
    for row in sorted(rows, key=lambda row: (not row.enacted, row.starts)):
        starts = row.starts if row.enacted else EVER
        comes = _chance_of_row(row)
        spans = _unless(spans, (starts, math.inf), comes, row.is_law)
        spans.append(_span(starts, row, comes, row.is_law))
        if not math.isinf(row.stops):
            known = float(row.known_from) if row.end_known else int(row.stops)
            is_over: Chance = ((known, 1.0),)
            own = _unless([spans.pop()], (row.stops, math.inf), is_over, True)
            spans += [*own, _span(row.stops, None, both(comes, is_over), row.is_law)]
    return spans


def replaced_in_doubt(
    spans: Iterable[Span], policy: Instrument, steps: Sequence[tuple[float, float, float]]
) -> list[Span]:
    """The spans with what a policy would leave of them, and without it.

    `steps` are moments from which and until which a share is kept.
    """
    chance, found = policy.chance, [*spans]
    last = steps[-1][1]
    if not (math.isinf(last) or policy.end_known):  # taken for lasting until it is over
        lasts = both(chance, neither(((int(last), 1.0),)))
        found = _with_and_without(found, (last, math.inf), lasts, steps[-1][2], False)
    if not policy.enacted:
        return _with_and_without(found, (EVER, math.inf), chance, steps[0][2], False)
    for begins, ends, kept in steps:
        found = _with_and_without(found, (begins, ends), chance, kept, policy.is_law)
    return found


def _with_and_without(
    spans: list[Span], zone: tuple[float, float], chance: Chance, kept: float, is_law: bool
) -> list[Span]:
    cut = [
        replace(
            span,
            starts=max(span.starts, zone[0]),
            ends=min(span.ends, zone[1]),
            kept=span.kept * kept,
            chance=both(span.chance, chance),
            is_law=span.is_law and is_law,
        )
        for span in spans
        if max(span.starts, zone[0]) < min(span.ends, zone[1])
    ]
    return [*_unless(spans, zone, chance, is_law), *cut]


def _unless(
    spans: list[Span], zone: tuple[float, float], chance: Chance, is_law: bool
) -> list[Span]:
    """Spans as far as nothing takes their place in a zone; what does so is law, or never is."""
    return [piece for span in spans for piece in _pieces(span, zone, chance, is_law)]


def _pieces(span: Span, zone: tuple[float, float], chance: Chance, is_law: bool) -> Iterator[Span]:
    begins, ends = max(span.starts, zone[0]), min(span.ends, zone[1])
    if begins >= ends:
        yield span
        return
    if span.starts < begins:
        yield replace(span, ends=begins)
    inside = both(span.chance, neither(chance))
    stays = span.is_law and not is_law
    if inside or stays:
        yield replace(span, starts=begins, ends=ends, chance=inside, is_law=stays)
    if ends < span.ends:
        yield replace(span, starts=ends)


def _span(starts: float, row: CalendarRow | None, chance: Chance, is_law: bool) -> Span:
    """A span until ever; what agents know of it is in its chance."""
    known_from = EVER if row is None else row.known_from
    return Span(starts, math.inf, known_from, EVER, row, chance=chance, is_law=is_law)


def _chance_of_row(row: CalendarRow) -> Chance:
    """Probability that agents give to a row, by month."""
    starts = int(row.starts) if row.enacted else None
    return chance_of(row.known_from, row.belief, starts, row.withdrawn_from)

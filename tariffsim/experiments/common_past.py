"""Months before two scenarios first differ, which are simulated once for both.

With one seed such months are equal to the last bit: the same law is in force, and foreseen by all
who act. Laws are compared by what they do in a month and what is known of them then, so that dates
that nobody knows of yet do not count. What cannot be shown to be equal counts as different.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, replace
from functools import lru_cache
from typing import Any

import numpy as np

from tariffsim.behaviour.compliance import content_moves
from tariffsim.behaviour.refunds import refundable
from tariffsim.calibration.build import compiled_law
from tariffsim.law.declarations import ContentDuty
from tariffsim.law.duty_tables import Law, Regime
from tariffsim.policy import part_of
from tariffsim.scenario import Scenario
from tariffsim.state.import_counts import ImportCounts

PATHS = ("china_capacity_share", "china_price_discount")
"""Fields of `supply` that count month by month."""
SEEN_BY_MONTH = frozenset(
    ("announced", "start", "end", "withdrawn", "belief", "enacted", "when", "end_known", "joins",
     "replaces", "source")
)  # fmt: skip
"""Fields of instruments that count, like their paths, by what follows from them in a month."""


def months_to_keep(baseline: Scenario, scenarios: Iterable[Scenario]) -> tuple[int, ...]:
    """Months after which states of a baseline's run are worth keeping for scenarios.

    They come before the first in which a policy that only one has, or a path, can be seen. Whether
    all months before are equal is for `common_past` to say.
    """
    n_months = baseline.run.end - baseline.run.start + 1
    alike = (one for one in scenarios if _differs_in_law_alone(one, baseline))
    found = {_first_news(one, baseline) for one in alike}
    return tuple(sorted(found.intersection(range(1, n_months))))


def _first_news(scenario: Scenario, other: Scenario) -> int:
    """Months before a policy of one alone is known or in force, or a path differs; all if never."""
    run = scenario.run
    own, its = scenario.dated_policies, other.dated_policies
    changed = [one[name] for one in (own, its) for name in one if own.get(name) != its.get(name)]
    dates = [min(one.first_month, one.known_from) for one in changed]
    months = range(run.start, run.end + 1)
    dates += [month for month in months if _paths(scenario, month) != _paths(other, month)][:1]
    return int(min(dates, default=run.end + 1)) - run.start


def _paths(scenario: Scenario, month: int) -> list[float]:
    return [getattr(scenario.supply, name).at(month) for name in PATHS]


def _differs_in_law_alone(scenario: Scenario, other: Scenario) -> bool:
    """Whether months, parameters and tables are the same; seeds and words do not matter."""
    if (scenario.run.start, scenario.run.end) != (other.run.start, other.run.end):
        return False
    paths = {name: getattr(other.supply, name) for name in PATHS}
    supply = scenario.supply.model_copy(update=paths)
    own = scenario.model_copy(update={"policies": {}, "run": other.run, "supply": supply})
    its = other.model_copy(update={"policies": {}})
    return own.content_hash == its.content_hash


@lru_cache(maxsize=64)
def common_past(scenario: Scenario, other: Scenario) -> tuple[Mapping[int, int], ...]:
    """The months before two scenarios first differ: one entry a month.

    It gives the number in `scenario` of each law that is seen in the month, by that in `other`.
    Scenarios with a law that has a memory have none, as it counts imports from the first month on.
    """
    if not _differs_in_law_alone(scenario, other):
        return ()
    own, its = _LawByMonth(scenario), _LawByMonth(other)
    if own.schedule.with_memory or its.schedule.with_memory:
        return ()
    found: list[Mapping[int, int]] = []
    for date in range(scenario.run.start, scenario.run.end + 1):
        (here, laws), (there, its_laws) = own.seen_in(date), its.seen_in(date)
        if here != there:
            break
        found.append(dict(zip(its_laws, laws, strict=True)))
    return tuple(found)


class _LawByMonth:
    """What the law of a scenario is to those who act, by month."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.schedule, self.expectations, self.declarations = compiled_law(scenario)
        self.identities = [_identity(law) for law in self.schedule.laws]
        n = len(self.identities)
        self.counts = replace(
            ImportCounts.of_no_laws(), past_year=np.zeros((n, 12)), expected_relief=np.zeros(n)
        )

    def seen_in(self, date: int) -> tuple[list[Any], list[int]]:
        """All that months depend on, and the laws that are seen, by which it numbers them."""
        schedule, expectations = self.schedule, self.expectations
        foreseen = expectations.foreseen(date, self.counts)
        in_force = schedule.regime(schedule.rates_in_force(date))
        regimes = [in_force, expectations.regime_of_today(date, self.counts), *foreseen.regimes]
        months, n_dates = self.scenario.compliance.payback_months, len(foreseen.regime_of)
        if 1 < n_dates < date + months - self.scenario.run.start:  # tracing looks further ahead
            regimes.append(expectations.summed(date, months, self.counts))
        laws = sorted({number for regime in regimes for number, _ in regime})
        place = {number: n for n, number in enumerate(laws)}
        return [
            [self.identities[number] for number in laws],
            [_by_place(regime, place) for regime in regimes],
            foreseen.regime_of.tolist(),
            foreseen.lapsed.tolist(),
            content_moves(schedule, date),
            [*filter(None, (_content(one, place) for one in self.declarations.contents))],
            [place[number] for number in refundable(schedule, in_force, date)],
            [schedule.laws[i].instrument.supply_share(rate, date) for i, rate in in_force],
            _paths(self.scenario, date),
        ], laws


def _identity(law: Law) -> tuple[Any, ...]:
    """What a law is besides its strength over time."""
    one = law.instrument
    by_month = {*SEEN_BY_MONTH, one.path_field}
    fixed = [getattr(one, name) for name in type(one).model_fields if name not in by_month]
    of_law = law.is_calendar, law.is_compared, law.is_of_chips, law.group, law.of
    return type(one), one.part_number, *fixed, *of_law, law.scope.shape, law.scope.tobytes()


def _by_place(regime: Regime, place: Mapping[int, int]) -> list[tuple[int, float, float]]:
    return [(place[number], float(rate), part_of(rate)) for number, rate in regime]


def _content(content: ContentDuty, place: Mapping[int, int]) -> tuple[Any, ...]:
    """A duty on content with those of its laws that are seen; nothing if none is."""
    laws = [place[number] for number in content.laws if number in place]
    units = [
        table.tobytes() for unit in (content.known, content.unknown) for table in astuple(unit)
    ]
    kind = content.is_separable, content.is_declared, content.depends_on_knowledge
    return (laws, *kind, content.compared_in, units) if laws else ()

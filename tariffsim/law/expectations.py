"""What agents expect to be due over the life of a choice made now (MODEL 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffsim.law.duty_tables import DutyTables, LawInMonth, Regime, TariffSchedule
from tariffsim.policy import Instrument, Strength, part_of, weighted
from tariffsim.state.import_counts import ImportCounts
from tariffsim.typing import Float, Int

NOT_FORESEEN = LawInMonth(Strength(0.0), 0.0, True, False)
"""A law that no choice depends on."""


@dataclass(frozen=True)
class Horizon:
    """Dates of the life of a choice at which duties are foreseen; all (dates, kinds, D)."""

    months: Int
    """From the choice on."""
    weights: Float
    """Summing to one over the dates."""
    persistence: float = 1.0
    """Probability a year that a duty without a known end is still there."""

    @property
    def lasting(self) -> Float:
        """(dates, kinds, D) probability that such a duty is still there."""
        return np.asarray(self.persistence ** (self.months / 12))


@dataclass(frozen=True)
class Future:
    """A legal regime that agents expect, and how much of a choice's life falls under it."""

    regime: Regime
    tables: DutyTables
    weight: Float
    """(kinds, D) summing to one over the futures."""

    @classmethod
    def of(cls, regime: Regime, schedule: TariffSchedule) -> Future:
        """A regime that is certain, for all kinds of choice."""
        return cls(regime, schedule.tables(regime), np.ones((1, 1)))

    def has(self, kind: int) -> bool:
        """Whether any of the life of a kind of choice falls under it."""
        return bool(self.weight[kind].any())


@dataclass(frozen=True)
class Expected:
    """What agents expect over the life of a choice made now: means of `DutyTables`."""

    slot: Float
    """(design or pin-compatible, cells, K, R)"""
    chip_value: Float
    """(design or pin-compatible, cells, K, R)"""
    chip_count: Float
    """(design or pin-compatible, cells, K, R)"""
    futures: tuple[Future, ...]

    def of_kind(self, kind: int) -> list[Future]:
        """The futures that matter to a kind of choice."""
        return [future for future in self.futures if future.has(kind)]


@dataclass(frozen=True, eq=False)
class Foresight:
    """Rates that agents in one state of knowledge foresee."""

    rates: Float
    """(dates, laws) from the first month simulated on; one date without foresight."""
    regimes: list[Regime]
    regime_of: Int
    """(dates,) index in `regimes`."""
    lapsed: Int
    """(regimes,) index of each without the duties that may not last; itself where there is none."""


class DutyExpectations:
    """The tariff schedule as agents foresee it.

    Args:
        schedule: the compiled law.
        foresight: `announced`, or `none`.
        horizon: dates of the life of each kind of choice, and their weights.
        start: first month simulated.
        end: last month simulated.
    """

    def __init__(
        self,
        schedule: TariffSchedule,
        foresight: str,
        horizon: Horizon,
        start: int,
        end: int,
    ) -> None:
        self.schedule, self.foresight = schedule, foresight
        self._horizon, self._lasting = horizon, horizon.lasting
        self._may_lapse = horizon.persistence < 1 and foresight != "none"
        self._doubted = [i for i, law in enumerate(schedule.laws) if not law.instrument.is_certain]
        self._start = start
        self._last_date = end + int(horizon.months.max())
        self._foresight: dict[object, Foresight] = {}
        self._asked: tuple[int, bytes] = (-1, b"")
        self._seen: Foresight
        self._paths: dict[tuple[int, bool], list[Strength]] = {}
        self._expected: dict[tuple[Foresight, bytes], Expected] = {}

    def expected(self, date: int, counts: ImportCounts) -> Expected:
        """Duties that agents expect from a choice made now: four dates of its life, weighted.

        Duties that may not last are there with the probability `Horizon.lasting`. `counts` are
        what laws with a memory remember.
        """
        seen = self.foreseen(date, counts)
        at = np.minimum(self._horizon.months + date - self._start, len(seen.rates) - 1)
        ids = seen.regime_of[at]
        key = seen, ids.tobytes()
        if key not in self._expected:
            weights = self._horizon.weights
            cases = [(weights, ids)]
            if self._may_lapse:
                lapsed = seen.lapsed[ids]
                kept = np.where(lapsed == ids, 1.0, self._lasting)
                cases = [(weights * kept, ids), (weights * (1 - kept), lapsed)]
            futures = tuple(
                Future(seen.regimes[i], self.schedule.tables(seen.regimes[i]), weight)
                for i in np.unique([found for _, found in cases])
                for weight in [sum((part * (found == i)).sum(axis=0) for part, found in cases)]
            )
            slot, value, count = (
                _mean(futures, name) for name in ("slot", "chip_value", "chip_count")
            )
            self._expected[key] = Expected(slot, value, count, futures)
        return self._expected[key]

    def regime_ahead(self, date: int, months: int, counts: ImportCounts) -> Regime:
        """The regime that agents expect so many months from now; `counts` as in `expected`."""
        seen = self.foreseen(date, counts)
        at = min(date + months - self._start, len(seen.rates) - 1)
        return seen.regimes[int(seen.regime_of[at])]

    def regime_of_today(self, date: int, counts: ImportCounts) -> Regime:
        """The regime of a month with duties in full that came as a surprise within it.

        Nobody could buy ahead of these on the days before. What may never be law is not in it.
        """
        seen = self.foreseen(date, counts)
        at = min(date - self._start, len(seen.rates) - 1)
        rates = [0.0] * len(self.schedule.laws)
        for i, rate in seen.regimes[int(seen.regime_of[at])]:
            one = self.schedule.laws[i].instrument
            is_surprise = one.known_from == int(one.starts) == date
            rates[i] = rate / part_of(rate) if is_surprise else rate
        for i in self._doubted:
            one = self.schedule.laws[i].instrument
            if one.chance_in(date) != 1.0 or not one.is_law:
                rates[i] = one.rate_in_force(date)
        return self.schedule.regime(rates)

    def summed(self, date: int, months: int, counts: ImportCounts) -> Regime:
        """Every law with its expected rates summed over so many months from now."""
        rates: list[float] = []
        for law, *known in zip(self.schedule.laws, *_lists(counts), strict=True):
            today, chance = law.in_month(date), 1.0
            if self.foresight == "none":
                path: list[float] = [today.rate] * months
            else:
                chance, knows_end = today.chance, today.knows_end
                path = [
                    law.rate_foreseen(t, date, knows_end) if chance else 0.0
                    for t in range(date, date + months)
                ]
            given = _given(law.instrument, path, date, *known)
            rates.append(sum(weighted(rate, chance) for rate in given))
        return self.schedule.regime(rates)

    def foreseen(self, now: int, counts: ImportCounts) -> Foresight:
        """What agents foresee now, from the first month simulated on; the same all month."""
        asked = now, np.concatenate([counts.annual, counts.expected_relief]).tobytes()
        if asked != self._asked:
            self._asked, self._seen = asked, self._foresee(now, *_lists(counts))
        return self._seen

    def _foresee(self, now: int, annual: list[float], relief: list[float]) -> Foresight:
        states = [
            law.in_month(now) if law.instrument.is_foreseen else NOT_FORESEEN
            for law in self.schedule.laws
        ]
        counted = [(i, annual[i], relief[i]) for i in self.schedule.with_memory]
        if self.foresight == "none":
            known: object = (*(state.rate for state in states), *counted)
        else:
            lapses = [state.may_lapse for state in states] if self._may_lapse else []
            known = (*((state.chance, state.knows_end) for state in states), *counted, *lapses)
        if known not in self._foresight:
            columns = [
                self._column(i, now, state, annual[i], relief[i]) for i, state in enumerate(states)
            ]
            self._foresight[known] = self._in_regimes(columns, now)
        return self._foresight[known]

    def _in_regimes(self, columns: list[list[float]], now: int) -> Foresight:
        """The rates of every law by date as regimes, each of which is there once."""
        n_dates = len(columns[0]) if columns else self._last_date - self._start + 1
        rates, parts = (
            np.array(values, dtype=np.float64).reshape(len(columns), n_dates).T
            for values in (columns, [[part_of(rate) for rate in path] for path in columns])
        )
        whole = np.hstack([rates, parts])
        first = np.flatnonzero(np.any(whole[1:] != whole[:-1], axis=1)) + 1
        first = np.concatenate([[0], first])  # of dates on which a rate moves
        rows, which = np.unique(whole[first], axis=0, return_inverse=True)
        regimes = [
            self.schedule.regime([*map(Strength, *row.reshape(2, -1).tolist())]) for row in rows
        ]
        regime_of = np.repeat(which.ravel(), np.diff(first, append=n_dates))
        return Foresight(rates, regimes, regime_of, self._without_what_may_lapse(regimes, now))

    def _column(
        self, number: int, now: int, state: LawInMonth, annual: float, relief: float
    ) -> list[float]:
        """Rates of one law that agents foresee, the same while what they know of it is."""
        law = self.schedule.laws[number]
        if self.foresight == "none":  # as if what is in force were for ever
            one, rate = law.instrument, state.rate
            return [(1 - relief) * one.rate_given(rate, 0.0, annual) if one.has_memory else rate]
        if not state.chance:
            return [0.0] * (self._last_date - self._start + 1)
        key = number, state.knows_end
        if key not in self._paths:
            months = range(self._start, self._last_date + 1)
            self._paths[key] = [law.rate_foreseen(at, now, state.knows_end) for at in months]
        path = _given(law.instrument, self._paths[key], self._start, annual, relief)
        chance = state.chance
        return path if chance == 1.0 else [weighted(rate, chance) for rate in path]

    def _without_what_may_lapse(self, regimes: list[Regime], now: int) -> Int:
        """(regimes,) index of each regime without duties that may not last; new ones join."""
        lapsed = np.arange(len(regimes))
        if not self._may_lapse:
            return lapsed
        may_lapse = [law.in_month(now).may_lapse for law in self.schedule.laws]
        for number, regime in enumerate([*regimes] if any(may_lapse) else []):
            rest = tuple((i, rate) for i, rate in regime if not (may_lapse[i] and rate > 0))
            if rest not in regimes:
                regimes.append(rest)
            lapsed[number] = regimes.index(rest)
        return lapsed


def _lists(counts: ImportCounts) -> tuple[list[float], list[float]]:
    """By law: imports of the last twelve months, and the share of a year's duty to be waived."""
    return counts.annual.tolist(), counts.expected_relief.tolist()


def _given(
    instrument: Instrument, path: Sequence[float], first: int, annual: float, relief: float
) -> list[float]:
    """A path from a month on as expected given the imports of a year: as means over its years.

    The imports of a calendar year that count are those of the months in which the law is in force:
    before the path as it was, after it as at its end. A part of each is waived.
    """
    if not instrument.has_memory:
        return [*path]
    end = first + len(path)
    if not instrument.enacted:  # a threat is of no months in particular
        return [(1 - relief) * instrument.rate_given(rate, 0.0, annual) for rate in path]
    before = [instrument.rate_in_force(month) for month in range(first - first % 12, first)]
    whole = np.array([*before, *path, *[path[-1]] * (-end % 12)])
    share = np.repeat((whole.reshape(-1, 12) != 0.0).mean(axis=1), 12)[len(before) :]
    return [
        (1 - relief) * instrument.rate_given(rate, 0.0, annual * part)
        for rate, part in zip(path, share.tolist(), strict=False)
    ]


def _mean(futures: tuple[Future, ...], table: str) -> Float:
    """(kinds, cells, K, R) mean of a table of the futures, for designs and pin-compatible parts."""
    parts = [(getattr(future.tables, table), future.weight[:2]) for future in futures]
    kinds, n_devices = parts[0][1].shape
    shape = (kinds, *parts[0][0].shape)
    if not any(values.any() for values, _ in parts):
        return np.broadcast_to(0.0, shape)
    total = np.zeros((kinds, n_devices, parts[0][0].size // n_devices))
    for values, weight in parts:
        total += weight[:, :, None] * values.reshape(n_devices, -1)
    return total.reshape(shape)

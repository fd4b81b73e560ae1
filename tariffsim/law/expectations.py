"""What is due, and what agents expect to be due over the life of a choice made now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tariffsim.kernels.duties import horizon_weights
from tariffsim.law.duty_tables import DutyTables, Regime, TariffSchedule
from tariffsim.policy import Instrument
from tariffsim.policy.shipments import Codes
from tariffsim.typing import Float, Int

HORIZON_YEARS = np.arange(4.0)


@dataclass(frozen=True)
class Future:
    """A legal regime that agents expect, and how much of a choice's life falls under it."""

    regime: Regime
    tables: DutyTables
    weight: Float
    """(kinds, D) summing to one over the futures."""


@dataclass(frozen=True)
class Expected:
    """What agents expect over the life of a choice made now: means of `DutyTables`."""

    slot: Float
    """(design or drop-in, cells, K, R)"""
    slot_triggered: Float
    """(design or drop-in, cells, K, R)"""
    chip_value: Float
    """(design or drop-in, cells, K, R)"""
    chip_count: Float
    """(design or drop-in, cells, K, R)"""
    count_triggered: Float
    """(design or drop-in, cells, K, R)"""
    product: Float
    """(cells,) for the country of assembly."""
    futures: tuple[Future, ...]

    @cached_property
    def counts_chips(self) -> bool:
        """Whether any duty is on the number of chips."""
        return bool(self.count_triggered.any())

    def of_kind(self, kind: int) -> list[Future]:
        """The futures that matter to a kind of choice."""
        return [future for future in self.futures if future.weight[kind].any()]


@dataclass(frozen=True, eq=False)
class Foresight:
    """Rates that agents in one state of knowledge foresee."""

    rates: Float
    """(dates, laws) from the first month simulated on; one date without foresight."""
    regimes: list[Regime]
    regime_of: Int
    """(dates,) index in `regimes`."""


class DutyExpectations(TariffSchedule):
    """Instruments, base duties and the horizon over which duties are expected."""

    DESIGN, PIN_COMPATIBLE, ASSEMBLY = 0, 1, 2

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
        has_claims: bool = False,
    ) -> None:
        """Compile.

        `base_product` (cells,) and `base_bare` (O, K, R) are the base year's duties; `leads` and
        `hazards` (kinds, D) months to delivery and openings a month of the three kinds of choice;
        `start` and `end` the first and last month simulated; `has_claims` as in `TariffSchedule`.
        """
        super().__init__(codes, instruments, base_product, base_bare, markup, has_claims)
        self.foresight = foresight
        self._leads = leads
        self._weights = np.stack(
            [horizon_weights(hazard, discount_rate, HORIZON_YEARS) for hazard in hazards], axis=1
        )
        self._origin_date = start
        self._last_date = end + int(leads.max()) + int(12 * HORIZON_YEARS[-1])
        self._foresight: dict[object, Foresight] = {}
        self._paths: dict[tuple[int, tuple[bool, bool]], list[float]] = {}
        self._expected: dict[tuple[Foresight, bytes], Expected] = {}

    def expected(self, date: int) -> Expected:
        """Duties that agents expect from a choice made now: four dates of its life, weighted."""
        seen = self._foreseen(date)
        dates = self._leads[None] + 12 * HORIZON_YEARS[:, None, None].astype(np.intp)
        at = np.minimum(dates + date - self._origin_date, len(seen.rates) - 1)
        ids = seen.regime_of[at]
        key = seen, ids.tobytes()
        if key not in self._expected:
            futures = tuple(
                Future(seen.regimes[i], self.tables(seen.regimes[i]), weight)
                for i in np.unique(ids)
                for weight in [(self._weights * (ids == i)).sum(axis=0)]
            )
            self._expected[key] = self._mix(futures)
        return self._expected[key]

    def regime_ahead(self, date: int, months: int) -> Regime:
        """The regime that agents expect so many months from now."""
        seen = self._foreseen(date)
        at = min(date + months - self._origin_date, len(seen.rates) - 1)
        return seen.regimes[int(seen.regime_of[at])]

    def _foreseen(self, now: int) -> Foresight:
        """What agents foresee now, from the first month simulated on."""
        laws = [law.instrument for law in self.laws]
        states = [
            (now >= law.known_from, law.end_known or last is None or now > last)
            for law in laws
            for last in [law.last_month]
        ]
        known: object = tuple(states)
        if self.foresight == "none":
            known = tuple(self.rates_in_force(now))
        if known not in self._foresight:
            if self.foresight == "none":
                rates = np.array([[law.rate_in_force(now) for law in laws]]).reshape(1, -1)
            else:
                columns = [self._path(i, now, state) for i, state in enumerate(states)]
                n_dates = self._last_date - self._origin_date + 1
                rates = np.array(columns, dtype=np.float64).reshape(len(laws), n_dates).T
            rows, regime_of = np.unique(rates, axis=0, return_inverse=True)
            regimes = [self.regime([float(rate) for rate in row]) for row in rows]
            self._foresight[known] = Foresight(rates, regimes, regime_of.ravel())
        return self._foresight[known]

    def _path(self, law: int, now: int, state: tuple[bool, bool]) -> list[float]:
        """Rates of one law that agents foresee, the same while what they know of it is."""
        if (law, state) not in self._paths:
            instrument = self.laws[law].instrument
            self._paths[law, state] = [
                instrument.rate_expected(at, now, self.foresight)
                for at in range(self._origin_date, self._last_date + 1)
            ]
        return self._paths[law, state]

    def _mix(self, futures: tuple[Future, ...]) -> Expected:
        """Means over the futures, weighted by (kind, device)."""
        n_devices = len(self.codes.devices)

        def mix(name: str, *kinds: int) -> Float:
            parts = [(getattr(future.tables, name), future.weight[[*kinds]]) for future in futures]
            shape = (len(kinds), *parts[0][0].shape)
            if not any(values.any() for values, _ in parts):
                return np.broadcast_to(0.0, shape)
            total = np.zeros((len(kinds), n_devices, parts[0][0].size // n_devices))
            for values, weight in parts:
                total += weight[:, :, None] * values.reshape(n_devices, -1)
            return total.reshape(shape)

        def of_slots(name: str) -> Float:
            return mix(name, self.DESIGN, self.PIN_COMPATIBLE)

        slot, count = of_slots("slot"), of_slots("chip_count")
        return Expected(
            slot,
            of_slots("slot_triggered") if self.triggers else slot,
            of_slots("chip_value"),
            count,
            of_slots("count_triggered") if self.triggers else count,
            mix("product", self.ASSEMBLY)[0],
            futures,
        )

    def base_future(self) -> Future:
        """The duties of the base year alone."""
        return Future((), self.tables(()), np.ones((1, 1)))

"""Moments of the calibration: published ones beside what the model gives at some parameters.

Rows of `validation_public.csv` that may be fitted, and the yearly shares of China and Vietnam in
imports from China, Vietnam and Mexico by device group, as changes from 2017. Each has its own
uncertainty: a quarter of the width of a row's range, taken as 95 %, and for shares what they
changed from year to year before the tariffs, which grows with the root of time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tariffsim.experiments.assembly_moments import MOMENTS as ASSEMBLY
from tariffsim.experiments.assembly_moments import assembly_moments
from tariffsim.scenario import load_scenario, replace
from tariffsim.tables import BARE_CHIPS, History, OutcomeRow, load_history
from tariffsim.typing import Float
from tariffsim.validation.base_year_2017 import YEAR
from tariffsim.validation.chip_moments import users_of_legacy_chips
from tariffsim.validation.crps import shares_by_device, shares_of_run
from tariffsim.validation.estimated import moving, with_estimates
from tariffsim.validation.hindcast import Months, hindcast, months_of
from tariffsim.validation.trade_outcomes import TradeOutcomes

FITTED = ("CN", "VN")
"""Countries whose shares are moments."""
OF_SURVEY, OF_SHARES = "V13", "share"
YEARS = range(YEAR + 1, 2025)
BEFORE = range(2015, YEAR + 1)
"""Years without the tariffs, in which shares moved by themselves."""
LEFT_OUT = {"drone": FITTED, "electric_car": ("VN",)}
"""Codes that did not exist in 2017."""
BREAKS = {"smartphone": 2022}
"""First year under another code: no shares from then on."""
SIZES: Mapping[str, Any] = {"agents__makers": 4000, "agents__other_markets_weight": 0.05}
"""Many lines in the market that is scored, few elsewhere."""
RANGE_IN_ERRORS = 4.0
"""Standard errors from one end of a row's range to the other."""


@dataclass(frozen=True)
class Moment:
    """A published figure with its own uncertainty."""

    name: str
    value: float
    error: float
    """Its standard error."""
    series: str
    """Moments of one series are one path in time: their errors add up over the years."""
    year: int
    row: OutcomeRow | None = None
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class MomentSet:
    """Moments in order, those of some years or of all."""

    history: History
    moments: tuple[Moment, ...]

    @cached_property
    def values(self) -> Float:
        """(moments,) published figures."""
        return np.array([moment.value for moment in self.moments])

    @cached_property
    def errors(self) -> Float:
        """(moments,) their standard errors."""
        return np.array([moment.error for moment in self.moments])

    @cached_property
    def correlation(self) -> Float:
        """(moments, moments) of their errors: a random walk within a series."""
        series = np.array([moment.series for moment in self.moments])
        time = np.array([max(moment.year - YEAR, 1) for moment in self.moments], dtype=float)
        walk = np.sqrt(np.minimum.outer(time, time) / np.maximum.outer(time, time))
        return np.where(series[:, None] == series, walk, 0.0)

    @cached_property
    def whitener(self) -> Float:
        """(moments, moments) inverse root of that correlation: what is new in each year."""
        return np.asarray(np.linalg.inv(np.linalg.cholesky(self.correlation)))

    def misses(self, found: Float) -> Float:
        """(moments,) model less published, in standard errors."""
        return np.asarray((found - self.values) / self.errors)

    def news(self, found: Float) -> Float:
        """(moments,) independent misses, whose squares sum to the objective."""
        return np.asarray(self.whitener @ self.misses(found))


def published(last_year: int = 2024) -> MomentSet:
    """All moments, or those known by the end of a year."""
    history = load_history()
    rows = [_of_row(row) for row in history.outcomes if row.use == "calibration"]
    every = [*rows, *_of_shares(history)]
    return MomentSet(history, tuple(m for m in every if m.year <= last_year))


def _of_row(row: OutcomeRow) -> Moment:
    assert row.value is not None
    assert row.low is not None
    assert row.high is not None
    error = (row.high - row.low) / RANGE_IN_ERRORS
    # What is not of a year belongs to no path.
    year = int(row.period[:4]) if row.period[:4].isdigit() else YEAR
    year = YEAR if row.id == OF_SURVEY else year
    series = f"{row.id} {row.quantity} {row.place}" if year > YEAR else row.name
    return Moment(row.name, row.value, error, series, year, row, row.low, row.high)


def _of_shares(history: History) -> list[Moment]:
    """Changes of yearly shares by device since 2017."""
    shares = shares_by_device(history).drop(index=list(BARE_CHIPS), level="device")
    found = []
    for country in FITTED:
        by_year = shares[country].unstack("device")
        moves = by_year.loc[list(BEFORE)].diff().iloc[1:].drop(columns=list(LEFT_OUT))
        error = float(np.sqrt(np.nanmean(moves.to_numpy() ** 2)))
        for device in map(str, by_year):
            if country in LEFT_OUT.get(device, ()):
                continue
            of = by_year[device]
            for year in YEARS:
                if year < BREAKS.get(device, 9999):
                    change = of.loc[year] - of.loc[YEAR]
                    series = f"{OF_SHARES} {device} {country}"
                    found.append(Moment(f"{series} {year}", float(change),
                                        error * (year - YEAR) ** 0.5, series, year))  # fmt: skip
    return found


def simulated(moments: MomentSet, values: Mapping[str, float], seed: int) -> Float:
    """(moments,) what the model gives at values of the calibrated parameters, with one seed."""
    months = months_of(with_estimates(hindcast(**SIZES), values), seed)
    return figures_of(moments, values, months, seed)


def figures_of(moments: MomentSet, values: Mapping[str, float], months: Months, seed: int) -> Float:
    """(moments,) the same, given the run from 2017."""
    run, years = TradeOutcomes(moments.history, months), (YEAR, *YEARS)
    shares = {country: shares_of_run(months, years, country) for country in FITTED}
    of_assembly = assembly_moments(moving(values), seed)
    today = with_estimates(replace(load_scenario("baseline"), **SIZES), values)
    survey = users_of_legacy_chips(today, seed)
    found = []
    for moment in moments.moments:
        if moment.row is None:
            _, device, country, year = moment.name.split()
            of = shares[country][months.devices.index(device)]
            found.append(of[years.index(int(year))] - of[0])
        elif moment.row.id in ASSEMBLY:
            found.append(of_assembly[moment.row.id, int(moment.row.part)])
        elif moment.row.id == OF_SURVEY:
            found.append(survey[int(moment.row.part) - 1])
        else:
            found.append(run.figure(moment.row))
    return np.array(found)

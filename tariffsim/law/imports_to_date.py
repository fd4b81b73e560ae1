"""Imports of the year, for instruments whose rate depends on them (tariff-rate quotas)."""

from __future__ import annotations

import numpy as np

from tariffsim.law.duty_tables import Law
from tariffsim.state.economy import Economy, ImportCounts
from tariffsim.typing import Float


def base_imports(economy: Economy) -> ImportCounts:
    """Counts before the first month: every month before was like the base year's."""
    monthly = _covered(economy)
    start = economy.scenario.run.start
    months = range(start - start % 12, start)
    in_force = np.array(
        [
            sum(law.instrument.rate_in_force(month) != 0.0 for month in months)
            for law in economy.tariff_schedule.laws
        ]
    )
    return ImportCounts(monthly * in_force, np.repeat(monthly[:, None], 12, axis=1))


def count_imports(economy: Economy) -> ImportCounts:
    """Counts at the beginning of a month: last month's imports join those of the year."""
    counts, schedule = economy.imports, economy.tariff_schedule
    if not schedule.with_memory or economy.month == 0:
        return counts
    newest = _covered(economy)
    was_in_force = np.array(schedule.rates_in_force(economy.date - 1)) != 0.0
    to_date = counts.to_date + newest * was_in_force
    past_year = np.concatenate([counts.past_year[:, 1:], newest[:, None]], axis=1)
    return ImportCounts(np.zeros_like(to_date) if economy.is_january else to_date, past_year)


def rates_given(economy: Economy) -> list[float]:
    """Strength of every law this month, given the imports of the year.

    This month's imports are assumed to equal last month's.
    """
    counts, schedule = economy.imports, economy.tariff_schedule
    rates = schedule.rates_in_force(economy.date)
    for i in schedule.with_memory:
        instrument = schedule.laws[i].instrument
        rates[i] = instrument.rate_given(rates[i], counts.to_date[i], counts.past_year[i, -1])
    return rates


def _covered(economy: Economy) -> Float:
    """(laws,) imports of the last month that count towards each law, in its own unit."""
    schedule, shipments, cell = economy.tariff_schedule, economy.shipments(), economy.flow_cells
    found = np.zeros(len(schedule.laws))
    for i in schedule.with_memory:
        law: Law = schedule.laws[i]
        counted = law.instrument.counted(shipments) * law.scope[cell]
        found[i] = counted @ economy.flows.units
    return found

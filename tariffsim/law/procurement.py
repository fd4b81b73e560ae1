"""Demand that suppliers of some regions lose because public buyers avoid them (MODEL 4.2)."""

from __future__ import annotations

import numpy as np

from tariffsim.law.duty_tables import TariffSchedule
from tariffsim.law.expectations import Expected
from tariffsim.state.constants import DESIGN, PIN_COMPATIBLE
from tariffsim.typing import Float


def procurement_log_odds(schedule: TariffSchedule, rates: list[float], expected: Expected) -> Float:
    """(kinds, D, M, R) log odds of a region's chips at an open slot.

    By the larger of the share of demand that is bound now and that expected over a choice's life.
    """
    instruments = [law.instrument for law in schedule.laws]
    foreseen = {i for future in expected.futures for i, _ in future.regime}
    known = [
        i for i, one in enumerate(instruments)
        if one.avoids_chips and (rates[i] != 0.0 or i in foreseen)
    ]  # fmt: skip
    codes = schedule.codes
    shape = len(codes.devices), len(codes.origins), len(codes.markets)
    found = np.zeros((2, shape[0], shape[2], len(codes.regions)))
    for i in known:
        one, now = instruments[i], instruments[i].avoided_share(rates[i])
        reach = schedule.laws[i].scope.reshape(shape).max(axis=1)
        regions = one.chosen("chip_regions", codes.regions)
        for kind in (DESIGN, PIN_COMPATIBLE):
            shares = [
                future.weight[kind] * one.avoided_share(dict(future.regime).get(i, 0.0))
                for future in expected.futures
            ]
            later = sum(shares, start=np.zeros(shape[0]))
            log_odds = np.log1p(-np.maximum(later, now))
            found[kind] += (log_odds[:, None] * reach)[:, :, None] * regions
    return found

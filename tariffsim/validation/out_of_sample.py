"""Fitted on 2018-2021, run on to 2024: forecasts of China's share by device.

The share is China's in imports from China, Vietnam and Mexico. A forecast is the share of 2021 and
what a run changes after it. Its spread is that of parameters and draws, and of what moves shares
besides: the yearly changes until 2021 that the run does not have, as a random walk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tariffsim.tables import History
from tariffsim.typing import Float
from tariffsim.validation.base_year_2017 import YEAR
from tariffsim.validation.crps import LAST_KNOWN, shares_by_device, shares_of_run
from tariffsim.validation.estimated import with_estimates
from tariffsim.validation.hindcast import CHINA, hindcast, months_of
from tariffsim.validation.moments import BEFORE, SIZES

FORECAST = tuple(range(LAST_KNOWN + 1, 2025))
PATHS = 40
"""Random walks around each run."""


def share_forecasts(
    history: History, draws: Sequence[Mapping[str, float]], devices: Sequence[str]
) -> Float:
    """(runs x PATHS, devices, years of FORECAST) China's share in imports from the three.

    Args:
        history: what was observed; years after LAST_KNOWN are not looked at.
        draws: values of the calibrated parameters, one run each; the run's number is its seed.
        devices: groups.
    """
    years, last = range(YEAR, FORECAST[-1] + 1), LAST_KNOWN - YEAR
    observed = shares_by_device(history)[CHINA].unstack("device")[list(devices)]
    runs = []
    for seed, values in enumerate(draws):
        months = months_of(with_estimates(hindcast(**SIZES), values), seed)
        at = [months.devices.index(device) for device in devices]
        runs.append(shares_of_run(months, years)[at].T)
    moves = unexplained(observed, np.mean(runs, axis=0))
    rng = np.random.default_rng(YEAR)
    found = []
    for run in runs:
        change = run[last + 1 :] - run[last]
        steps = rng.normal(0.0, moves, (PATHS, *change.shape))
        found.append(observed.loc[LAST_KNOWN].to_numpy() + change + steps.cumsum(axis=1))
    return np.asarray(np.clip(np.concatenate(found), 0.0, 1.0).swapaxes(1, 2))


def unexplained(observed: pd.DataFrame, of_runs: Float) -> Float:
    """(devices,) root mean square of yearly changes until LAST_KNOWN that runs do not have.

    Args:
        observed: (years, devices) shares.
        of_runs: (years from YEAR, devices) those of the runs.
    """
    explained = pd.DataFrame(of_runs[: LAST_KNOWN - YEAR + 1], range(YEAR, LAST_KNOWN + 1),
                             observed.columns).diff()  # fmt: skip
    known = observed.loc[BEFORE[0] : LAST_KNOWN].diff().iloc[1:]
    news = known - explained.reindex(known.index).fillna(0.0)
    return np.asarray(np.sqrt((news**2).mean()))

"""Fitted on 2018-2021, run on to 2024: forecasts of China's share by device.

The share is China's in imports from China, Vietnam and Mexico. A forecast is the share of 2021 and
what a run changes after it. Its spread is that of parameters and draws, and of what moves shares
besides: the yearly changes until 2021 that the run does not have, as a random walk. It is scored
beside the naive forecast (`crps.naive_forecast`); `python -m tariffsim.validation.out_of_sample`
stores the scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import qmc

from tariffsim.experiments.parameter_draws import (
    Draw,
    JointDistribution,
    stored_estimates,
    with_draw,
)
from tariffsim.tables import BARE_CHIPS, History, load_history
from tariffsim.typing import Float
from tariffsim.validation.base_year_2017 import YEAR
from tariffsim.validation.crps import (
    LAST_KNOWN,
    NOT_COUNTED,
    STORED,
    shares_by_device,
    shares_of_run,
    skill,
)
from tariffsim.validation.hindcast import CHINA, hindcast, months_of
from tariffsim.validation.moments import BEFORE, SIZES

FORECAST = tuple(range(LAST_KNOWN + 1, 2025))
PATHS = 40
"""Random walks around each run."""
RUNS = 8
"""A power of two, as Sobol' points need."""


def draws_to_2021(n: int = RUNS) -> list[Draw]:
    """Parameters drawn from the estimates on what was known by the end of 2021."""
    fitted, none = stored_estimates("_to_2021"), np.empty(0)
    joint = JointDistribution(fitted, (), none, none, none)
    return joint.draws(qmc.Sobol(len(fitted.keys), rng=np.random.default_rng(YEAR)).random(n))


def skill_to_2024(history: History, n: int = RUNS) -> pd.DataFrame:
    """One line for each device and year after 2021: scores of the forecasts and of the naive."""
    codes = [str(code) for code in shares_by_device(history).index.unique("device")]
    devices = [d for d in codes if d not in (*NOT_COUNTED, *BARE_CHIPS)]
    forecasts = share_forecasts(history, draws_to_2021(n), devices)
    return skill(forecasts, devices, FORECAST, history)


def share_forecasts(history: History, draws: Sequence[Draw], devices: Sequence[str]) -> Float:
    """(runs x PATHS, devices, years of FORECAST) China's share in imports from the three.

    Args:
        history: what was observed; years after LAST_KNOWN are not looked at.
        draws: values of parameters, one run each; the run's number is its seed.
        devices: groups.
    """
    years, last = range(YEAR, FORECAST[-1] + 1), LAST_KNOWN - YEAR
    observed = shares_by_device(history)[CHINA].unstack("device")[list(devices)]
    runs = []
    for seed, draw in enumerate(draws):
        months = months_of(with_draw(hindcast(**SIZES), draw), seed)
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


if __name__ == "__main__":
    skill_to_2024(load_history()).round(6).to_csv(STORED, index=False, lineterminator="\n")

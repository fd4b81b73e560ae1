"""Forecasts scored by the continuous ranked probability score, and the naive forecast of shares.

Hersbach (2000) for an ensemble, Gneiting and Raftery (2007) for a normal: smaller is better, in
the unit of what is forecast, and the absolute error where the forecast is one number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pandas as pd
from scipy.special import ndtr

from tariffsim.tables import SHIPPED, History
from tariffsim.typing import Float
from tariffsim.validation.hindcast import CHINA, Months

COUNTRIES = ("CN", "VN", "MX")
"""Countries among which shares are taken."""
FIRST_YEAR = {"electric_car": 2017}
"""First year of a group's imports where it is not that of the others."""
SPREAD_FROM, LAST_KNOWN = 2015, 2021
NOT_COUNTED = ("drone", "smartphone")
"""Groups without a code of their own before 2022, or with another one."""
STORED = SHIPPED / "out_of_sample.csv"


def crps_ensemble(members: Float, observed: float | Float) -> Float:
    """(...) score of an ensemble (n, ...): `E|X - y| - E|X - X'| / 2` over its members, exact."""
    ordered = np.sort(np.asarray(members, dtype=float), axis=0)
    n = len(ordered)
    rank = np.arange(1, n + 1).reshape(-1, *[1] * (ordered.ndim - 1))
    spread = ((2 * rank - n - 1) * ordered).sum(axis=0) / n**2
    return np.asarray(np.abs(ordered - observed).mean(axis=0) - spread)


def crps_normal(mean: float | Float, sd: float | Float, observed: float | Float) -> Float:
    """Score of a normal forecast; the absolute error where its spread is zero."""
    mean, sd, observed = np.broadcast_arrays(*(np.asarray(x, float) for x in (mean, sd, observed)))
    z = (observed - mean) / np.where(sd > 0, sd, 1.0)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    score = sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))
    return np.asarray(np.where(sd > 0, score, np.abs(observed - mean)))


def shares_by_device(history: History) -> pd.DataFrame:
    """(device and year, country) shares in imports from `COUNTRIES`; no imports recorded are 0."""
    of = history.by_year[history.by_year["country"].isin(COUNTRIES)]
    value = of.pivot(index=["device", "year"], columns="country", values="imports_musd")
    value = value.reindex(columns=list(COUNTRIES)).fillna(0.0)
    return value.div(value.sum(axis=1), axis=0)


def shares_of_run(months: Months, years: Sequence[int], country: str = CHINA) -> Float:
    """(D, years) a country's share in what a run imports from `COUNTRIES`."""
    at = [months.origins.index(name) for name in COUNTRIES]
    value = np.stack([months.imports[months.year(year)].sum(axis=0)[:, at] for year in years], 1)
    with np.errstate(invalid="ignore"):
        return np.asarray(value[..., COUNTRIES.index(country)] / value.sum(axis=-1))


def naive_forecast(
    history: History, device: str, country: str, first: int, last: int
) -> tuple[float, Float]:
    """The last known share, held, and the spread (years,) of a normal around it.

    The spread is that of yearly changes up to then, times the square root of the years ahead.

    Raises:
        KeyError: no such device or country.
    """
    shares = cast(pd.Series, shares_by_device(history).loc[device][country])
    since = FIRST_YEAR.get(device, SPREAD_FROM)
    known = shares[(shares.index >= since) & (shares.index <= LAST_KNOWN)]
    ahead = np.arange(first, last + 1) - LAST_KNOWN
    return float(known.loc[LAST_KNOWN]), float(known.diff().std(ddof=1)) * np.sqrt(ahead)


def skill(
    model_shares: Float, devices: Sequence[str], years: Sequence[int], history: History,
    country: str = CHINA,
) -> pd.DataFrame:  # fmt: skip
    """One line for each device and year: what was observed, and the scores of model and naive.

    Args:
        model_shares: (seeds, D, years) a country's shares, as `shares_of_run` gives them.
        devices: codes along the second axis; groups without history are left out.
        years: along the third, one after another.
        history: what was measured.
        country: whose shares.
    """
    shares, found = shares_by_device(history)[country], []
    for d, device in enumerate(devices):
        if device in NOT_COUNTED or device not in shares.index:
            continue
        mean, spread = naive_forecast(history, device, country, years[0], years[-1])
        for y, year in enumerate(years):
            observed = float(shares[device, year])
            found.append(
                {
                    "device": device, "year": year, "observed": observed,
                    "model": float(model_shares[:, d, y].mean()), "naive": mean,
                    "crps_model": float(crps_ensemble(model_shares[:, d, y], observed)),
                    "crps_naive": float(crps_normal(mean, spread[y], observed)),
                }
            )  # fmt: skip
    return pd.DataFrame(found)


def stored_skill() -> pd.DataFrame:
    """The stored scores of forecasts by a model that was fitted on what was known in 2021."""
    return pd.read_csv(STORED)


def devices_predicted_better(table: pd.DataFrame) -> tuple[int, int]:
    """Of how many devices the mean score of the model is below that of the naive, and of all."""
    mean = table.groupby("device")[["crps_model", "crps_naive"]].mean()
    return int((mean["crps_model"] < mean["crps_naive"]).sum()), len(mean)

"""Scores of forecasts: against numerical integration, and closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from tariffsim.tables import load_history
from tariffsim.validation.crps import (
    COUNTRIES,
    crps_ensemble,
    crps_normal,
    devices_predicted_better,
    naive_forecast,
    shares_by_device,
    shares_of_run,
    skill,
)
from tariffsim.validation.hindcast import Months

HISTORY = load_history()
YEARS = (2022, 2023, 2024)
COUNTED = sorted(set(HISTORY.by_year["device"]) - {"drone", "smartphone"})


def test_an_ensemble_is_scored_as_the_integral_over_its_distribution() -> None:
    members = np.array([0.3, -1.0, 0.3, 2.5, 0.9])
    for observed in (-2.0, 0.3, 0.5, 4.0):
        edges = np.unique([*members, observed])
        below = [(members <= x).mean() - (observed <= x) for x in edges[:-1]]
        integral = (np.square(below) * np.diff(edges)).sum()
        assert crps_ensemble(members, observed) == pytest.approx(integral, rel=1e-12)


def test_one_member_is_scored_by_its_error() -> None:
    assert crps_ensemble(np.array([0.2]), 0.5) == pytest.approx(0.3)
    assert crps_normal(0.2, 0.0, 0.5) == pytest.approx(0.3)


def test_a_normal_is_scored_as_the_integral_over_its_distribution() -> None:
    for mean, sd, observed in ((0.4, 0.1, 0.55), (0.0, 2.0, -3.0), (1.0, 0.5, 1.0)):
        parts = (
            quad(lambda x, m=mean, s=sd: norm.cdf(x, m, s) ** 2, mean - 12 * sd, observed)[0],
            quad(lambda x, m=mean, s=sd: norm.sf(x, m, s) ** 2, observed, mean + 12 * sd)[0],
        )
        # quad promises 1.5e-8, absolute or relative
        assert crps_normal(mean, sd, observed) == pytest.approx(sum(parts), rel=1e-7)
    assert crps_normal(0, 1, 0) == pytest.approx((np.sqrt(2) - 1) / np.sqrt(np.pi), rel=1e-12)


def test_many_members_are_scored_as_their_normal() -> None:
    members = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    for observed in (0.0, 1.5):
        # the quantiles' spread misses that of the normal by a few parts in ten thousand
        assert crps_ensemble(members, observed) == pytest.approx(
            float(crps_normal(0, 1, observed)), rel=1e-3
        )


def test_members_are_scored_cell_by_cell() -> None:
    members = np.random.default_rng(1).random((6, 3, 2))
    observed = np.array([[0.1, 0.9], [0.5, 0.5], [0.3, 2.0]])
    found = crps_ensemble(members, observed)
    each = [[crps_ensemble(members[:, i, j], observed[i, j]) for j in (0, 1)] for i in range(3)]
    np.testing.assert_allclose(found, each, rtol=1e-12)


def test_shares_are_those_of_three_countries() -> None:
    shares = shares_by_device(HISTORY)
    laptop = shares.loc["laptop", 2024]
    assert laptop["CN"] == pytest.approx(33059 / (33059 + 767 + 13552), abs=1e-4)
    assert shares.sum(axis=1).to_numpy() == pytest.approx(np.ones(len(shares)))
    assert shares.loc[("electric_car", 2017), "VN"] == 0


def test_the_naive_forecast_holds_the_last_share_and_widens() -> None:
    shares = shares_by_device(HISTORY).loc["television"]["CN"]
    mean, spread = naive_forecast(HISTORY, "television", "CN", 2022, 2024)
    changes = np.diff([shares[year] for year in range(2015, 2022)])
    assert mean == shares[2021]
    np.testing.assert_allclose(spread, changes.std(ddof=1) * np.sqrt([1, 2, 3]), rtol=1e-12)
    car = shares_by_device(HISTORY).loc["electric_car"]["CN"]
    changes = np.diff([car[year] for year in range(2017, 2022)])
    found = naive_forecast(HISTORY, "electric_car", "CN", 2022, 2022)[1]
    np.testing.assert_allclose(found, changes.std(ddof=1), rtol=1e-12)


def test_devices_are_counted_where_the_model_beats_the_naive_rule() -> None:
    devices = [*COUNTED, "drone", "smartphone", "unheard_of"]
    observed = shares_by_device(HISTORY)["CN"].unstack("year")[list(YEARS)].reindex(devices)
    perfect = np.repeat(observed.fillna(0.5).to_numpy()[None], 3, axis=0)
    table = skill(perfect, devices, YEARS, HISTORY)
    assert sorted(table["device"].unique()) == COUNTED
    assert table["crps_model"].to_numpy() == pytest.approx(np.zeros(len(table)))
    assert devices_predicted_better(table) == (len(COUNTED), len(COUNTED))
    wrong = perfect.copy()
    wrong[:, :2] += 5.0
    assert devices_predicted_better(skill(wrong, devices, YEARS, HISTORY))[0] == len(COUNTED) - 2


def test_shares_of_a_run_leave_other_countries_out() -> None:
    origins = (*COUNTRIES, "TW")
    imports = np.zeros((24, 2, 4))
    imports[:12, 0] = [1.0, 2.0, 1.0, 9.0]
    imports[12:, 0] = [3.0, 0.0, 1.0, 9.0]
    none = np.zeros((24, 1))
    months = Months(2022 * 12, ("a", "b"), origins, imports, imports, none, none, ("A",), 0.5, none)
    found = pd.DataFrame(shares_of_run(months, (2022, 2023)))
    assert found.loc[0].tolist() == [0.25, 0.75]
    assert found.loc[1].isna().all()

"""The stored calibration, computed again: the estimate, its neighbours, and what is made of it."""

import json
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import pytest

from tariffsim.scenario import load_scenario
from tariffsim.scenario.factors import parameter_at
from tariffsim.validation.calibrate import FOLDER, figures_at, objective
from tariffsim.validation.crps import devices_predicted_better, stored_skill
from tariffsim.validation.estimated import default_positions
from tariffsim.validation.moments import published

ABOUT = json.loads((FOLDER / "calibration.json").read_text("utf-8"))
ESTIMATES = pd.read_csv(FOLDER / "estimates.csv")


@pytest.mark.slow
def test_the_estimate_is_better_than_its_neighbours():
    """Eleven runs, some 30 seconds on two cores."""
    moments = published()
    points = [np.array(ABOUT["positions"])]
    points += [np.array(neighbour["positions"]) for neighbour in ABOUT["neighbours"]]
    with ProcessPoolExecutor(2) as pool:
        figures = list(pool.map(figures_at, [moments] * len(points), points))
    found = [objective(moments, each) for each in figures]  # not while moments are being sent
    stored = [ABOUT["objective"], *(neighbour["objective"] for neighbour in ABOUT["neighbours"])]
    # Other processors add in another order, and a choice on the edge may go the other way.
    assert found == pytest.approx(stored, rel=1e-3)
    assert len(found) == 11
    assert all(found[0] < other for other in found[1:])


def test_defaults_are_the_estimates():
    assert default_positions() == pytest.approx(
        ABOUT["positions"], abs=1e-4
    )  # five digits are stored
    baseline = load_scenario("baseline")
    for key, value in zip(ESTIMATES["key"], ESTIMATES["value"], strict=True):
        first = key.split("+")[0] + "." + key.rsplit(".", 1)[1] if "+" in key else key
        assert parameter_at(first, baseline).default == pytest.approx(value, rel=1e-5)


def test_shares_after_2021_are_predicted_better_than_by_the_naive_rule():
    better, devices = devices_predicted_better(stored_skill())
    assert devices == 15
    assert better >= 9

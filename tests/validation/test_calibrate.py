"""The calibration on models whose least objective is known, and its moments and parameters."""

import numpy as np
import pytest

from tariffsim.scenario import load_scenario
from tariffsim.validation import calibrate
from tariffsim.validation.calibrate import Simulator, estimates, fit, neighbours, sensitivity
from tariffsim.validation.estimated import (
    default_positions,
    estimated_parameters,
    moving,
    values_at,
    with_estimates,
)
from tariffsim.validation.moments import published

PARAMETERS = estimated_parameters()
N = len(PARAMETERS)
TRUE = np.linspace(0.15, 0.85, N)
TRUE[[p.is_whole for p in PARAMETERS]] = 4 / 9
"""A position that is a whole number."""


def linear(moments, positions, seed):
    """Figures that move in a straight line with positions; those at TRUE are the published ones."""
    at = np.array([p.value(x) for p, x in zip(PARAMETERS, positions, strict=True)])
    true = np.array([p.value(x) for p, x in zip(PARAMETERS, TRUE, strict=True)])
    width = np.array([p.high - p.low for p in PARAMETERS])
    slopes = np.random.default_rng(1).normal(size=(len(moments.moments), N))
    noise = np.random.default_rng(seed).normal(0, 0.01, len(moments.moments)) if seed else 0.0
    return moments.values + moments.errors * (slopes @ ((at - true) / width) + noise)


@pytest.fixture(scope="module")
def found():
    """A fit of the straight line, from a small design."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibrate, "DESIGN", 16)
        every = published()
        simulate = Simulator(every, 1, linear)
        return fit(every, simulate), simulate


def test_surfaces_find_the_parameters_of_a_straight_line(found):
    # A surface is exact for straight lines; a point is rounded to a millionth.
    assert np.abs(found[0].positions - TRUE).max() < calibrate.STEP / 10
    assert found[0].objective < 1.0


def test_standard_errors_are_those_of_least_squares(found):
    fitted, simulate = found
    others = np.array(simulate.at([fitted.positions] * 3, [1, 2, 3]))
    covariance = fitted.covariance(others)
    exact = np.linalg.inv(fitted.slopes.T @ fitted.slopes)
    # The noise of the simulation adds up to a hundredth of a standard error, squared.
    assert np.allclose(covariance, exact, rtol=0.01, atol=1e-7)
    table, correlation = estimates(fitted, covariance)
    width = {p.key: p.high - p.low for p in PARAMETERS}
    error = dict(zip(width, np.sqrt(np.diag(exact)), strict=True))
    alone = table[~table["parameter"].duplicated(keep=False)]
    assert len(alone) == N - 1  # classes A to C move together
    expected = [error[key] * width[key] for key in alone["parameter"]]
    assert np.allclose(alone["std_error"], expected, rtol=0.01, atol=1e-6)
    assert list(correlation) == list(table["key"])
    together = [key for key in correlation if key.endswith("commodity_share")][:3]
    assert np.allclose(correlation.loc[together, together], 1.0)


def test_the_estimate_follows_a_moment_as_its_sensitivity_says(found):
    """Andrews, Gentzkow and Shapiro: moved by the pull times the change of the misses."""
    fitted, _ = found
    moments = fitted.moments
    shock = np.random.default_rng(2).normal(size=len(moments.moments))
    moved = fitted.pull @ (moments.whitener @ shock)
    exact = -np.linalg.lstsq(fitted.slopes, moments.whitener @ shock, rcond=None)[0]
    assert np.allclose(moved, exact)
    assert list(sensitivity(fitted).index) == [p.key for p in PARAMETERS]


def test_neighbours_are_worse(found):
    fitted, simulate = found
    for neighbour in neighbours(fitted):
        point = np.array(neighbour["positions"])
        assert neighbour["objective"] > fitted.objective
        again = calibrate.objective(fitted.moments, simulate([point])[0])
        assert again == pytest.approx(neighbour["objective"])


def test_moments_are_rows_that_may_be_fitted_and_shares_without_breaks():
    moments = published().moments
    ids = {m.row.id for m in moments if m.row}
    assert ids == {"V1", "V2", "V5", "V6", "V8", "V10", "V13", "V19", "V21"}
    assert all(m.row.use == "calibration" for m in moments if m.row)
    shares = {tuple(m.name.split()[1:]) for m in moments if m.row is None}
    devices = {device for device, _, _ in shares}
    assert "drone" not in devices
    assert not [s for s in shares if s[:2] == ("electric_car", "VN")]
    assert not [s for s in shares if s[0] == "smartphone" and int(s[2]) > 2021]
    # 16 groups and 7 years for China, 15 for Vietnam, less three years of phones twice.
    assert len(shares) == 16 * 7 - 3 + 15 * 7 - 3


def test_moments_until_2021_know_nothing_later():
    assert {m.year for m in published(2021).moments} <= set(range(2016, 2022))


def test_errors_of_a_path_add_up():
    """Independent news have the variance that the errors of a random walk differ by."""
    moments = published()
    walk = moments.whitener @ moments.correlation @ moments.whitener.T
    assert np.allclose(walk, np.eye(len(walk)), atol=1e-9)


def test_defaults_change_nothing_but_what_moves_together():
    values = values_at(default_positions())
    baseline = load_scenario("baseline")
    changed = with_estimates(baseline, values)
    for parameter in PARAMETERS:
        if not parameter.figures:
            block, field = parameter.key.split(".")
            was, now = (getattr(getattr(s, block), field) for s in (baseline, changed))
            assert now == pytest.approx(was)
    figures = [s.tables().devices.figures for s in (baseline, changed)]
    for key, figure in figures[0].items():
        if key[1] == "footloose_share":
            assert figures[1][key].value == pytest.approx(figure.value)
    assert moving(values).rules.plants == pytest.approx(baseline.assembly.plants)


@pytest.mark.parametrize("end", ["low", "high"])
def test_ends_of_ranges_are_allowed_values(end):
    values = {p.key: getattr(p, end) for p in PARAMETERS}
    tables = with_estimates(load_scenario("baseline"), values).tables()
    for key, figure in tables.node_classes.figures.items():
        if key[1] == "commodity_share":
            assert figure.value == pytest.approx(getattr(figure, end))


def test_what_no_moment_tells_has_an_error_of_a_whole_range(found):
    fitted, simulate = found
    others = np.array(simulate.at([fitted.positions] * 3, [1, 2, 3]))
    around = {(n, side): fitted.figures if n == 0 else figures
              for (n, side), figures in fitted.around.items()}  # fmt: skip
    silent = calibrate.Fit(fitted.moments, fitted.positions, fitted.figures, around)
    covariance = silent.covariance(others)
    assert covariance[0, 0] == pytest.approx(1.0)
    assert np.allclose(covariance[0, 1:], 0.0)

"""Arithmetic of what importers know, hide and pay for it (MODEL 4.5)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.kernels.compliance import (
    detection_probability,
    duty_burden,
    evades,
    evasion_threshold,
    refund,
    refundable,
    tracing_cost_rate,
    tracing_pays,
    unknown_chance,
)
from tariffsim.scenario.blocks import Compliance

RULES = Compliance()
FOUND = detection_probability(
    np.array(RULES.audit_rate), np.array(RULES.detection), RULES.lookback_months
)
EXPOSURE = FOUND * (1 + RULES.penalty_multiple)


def test_calibration_meets_what_was_seen_in_2020() -> None:
    """12 % of value hidden at a tariff of 17.5 % (Clark and Wong 2021), audits as they are."""
    assert pytest.approx(0.006, abs=2e-5) == FOUND
    hidden = 1 - np.exp(-0.175 * (1 - EXPOSURE) / RULES.evasion_cost)
    assert hidden == pytest.approx(0.12, abs=0.0005)
    draws = np.random.default_rng(0).exponential(RULES.evasion_cost, 400_000)
    share = evades(np.array(0.175), 1.0, draws, EXPOSURE).mean()
    assert share == pytest.approx(hidden, abs=4 * np.sqrt(0.12 * 0.88 / 400_000))  # 4 sigma


def test_detection_is_certain_or_never() -> None:
    assert detection_probability(np.array(12.0), np.array(1.0), 3) == 1
    assert detection_probability(np.array(100.0), np.array(1.0), 1) == 1
    assert detection_probability(np.array(0.0), np.array(1.0), 12) == 0
    # by hand: two audits of one half each find a quarter of nothing less
    assert detection_probability(np.array(6.0), np.array(1.0), 2) == pytest.approx(0.75)


amounts = st.floats(0, 1e6)


@given(amounts, amounts, st.floats(0, 10), st.floats(0, 3))
def test_who_hides_bears_less(
    duty: float, value: float, evasion_cost: float, exposure: float
) -> None:
    """Hiding is chosen just where it is cheaper than the duty, and never costs more."""
    arrays = np.array(duty), np.array(value), np.array(evasion_cost), np.array(exposure)
    borne = duty_burden(*arrays)
    assert 0 <= borne <= duty
    if borne < duty * (1 - 1e-9):
        assert evades(*arrays)
    if evades(*arrays):
        assert borne <= duty


@given(st.floats(1e-3, 10), st.floats(0, 10), st.floats(0, 2), st.floats(0, 2))
def test_evasion_falls_with_its_cost_and_with_exposure(
    rate: float, evasion_cost: float, exposure: float, more: float
) -> None:
    less = evades(np.array(rate), 1.0, np.array(evasion_cost + more), np.array(exposure + more))
    assert less <= evades(np.array(rate), 1.0, np.array(evasion_cost), np.array(exposure))
    assert not evades(np.array(rate), 1.0, np.array(evasion_cost), np.array(1.0 + exposure))


def test_cost_of_tracing_a_firm() -> None:
    """0.55 m USD for a firm of 150 m; four times the firm, twice the cost; and a part of value."""
    rate = tracing_cost_rate(np.array([1.0, 4.0]), 150e6, 550_000.0, 0.0005)
    np.testing.assert_allclose(rate * [150e6, 600e6], [550_000 + 75_000, 1_100_000 + 300_000])
    assert np.isfinite(tracing_cost_rate(np.zeros(1), 150e6, 550_000.0, 0.0)).all()


def test_tracing_pays_for_what_it_avoids() -> None:
    assert tracing_pays(np.array(100.0), np.array(30.0), np.array(69.0))
    assert not tracing_pays(np.array(100.0), np.array(30.0), np.array(70.0))
    assert not tracing_pays(np.array(0.0), np.array(30.0), np.array(0.0))  # `exempt`


@given(st.floats(0.01, 10), st.floats(0, 0.9), st.floats(0.001, 3))
def test_above_the_rate_it_hides_from_an_importer_bears_less_than_the_duty(
    evasion_cost: float, exposure: float, more: float
) -> None:
    rate = evasion_threshold(np.array([evasion_cost]), np.array([exposure]))
    np.testing.assert_allclose(duty_burden(rate, 1.0, evasion_cost, exposure), rate, rtol=1e-12)
    assert (duty_burden(rate + more, 1.0, evasion_cost, exposure) < rate + more).all()
    assert evasion_threshold(np.array([evasion_cost]), np.array([1.5])) == np.inf


def test_small_importers_find_tracing_dearer_on_what_they_bring_in() -> None:
    """The cost goes with the square root of turnover: a firm of a hundredth bears a tenth of it."""
    size = np.array([0.0001, 0.01, 0.25, 0.81, 1.0])
    rate = tracing_cost_rate(size, 150e6, 550_000.0, 0.0)
    np.testing.assert_allclose(rate * size * 150e6 / 550_000, np.sqrt(size), rtol=1e-12)
    assert (np.diff(rate) < 0).all()
    nothing = tracing_cost_rate(np.zeros(1), 150e6, 550_000.0, 0.0)
    assert nothing == rate[-1]  # without turnover, that of a firm of mean size


def test_refunds_add_up_to_the_highest_share_of_what_was_paid() -> None:
    paid = refundable(np.array([100.0, -20.0, 0.0]))
    np.testing.assert_array_equal(paid, [100.0, 0.0, 0.0])
    steps = [refund(0.25, 0.0, paid), refund(0.2, 0.25, paid), refund(1.0, 0.25, paid)]
    np.testing.assert_array_equal(steps, [[25.0, 0, 0], [0, 0, 0], [75.0, 0, 0]])


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 200))
def test_small_importers_know_less_often_and_the_mean_is_the_share(
    share: float, slope: float, n: int
) -> None:
    """Whatever the slope: it is held to that at which the smallest never know."""
    place = (np.arange(n) + 0.5) / n
    chance = unknown_chance(share, slope, place)
    assert chance.mean() == pytest.approx(share, abs=1e-12)
    assert (np.diff(chance) >= -1e-15).all()
    assert chance.min() >= -1e-15
    assert chance.max() <= 1 + 1e-15

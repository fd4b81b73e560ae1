"""Sweeps: paired differences at every point, tidy tables, failures, peaks of curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tariffsim.experiments import compare
from tariffsim.experiments.designs import run_design
from tariffsim.experiments.ensemble import Settings
from tariffsim.experiments.sweep import Peak, peak, revenue_peak, sweep
from tariffsim.record.dictionary import COSTS
from tariffsim.record.results import Results, load_results
from tariffsim.scenario import Scenario, load_scenario, replace

RATE = "policies.component_tariff.rate"
SMALL = {"agents__makers": 60, "run__end": "2025-10"}
NOW = {"policies__component_tariff__rate": {"2025-01": 0.5},
       "policies__component_tariff__announced": "2025-01"}  # fmt: skip


def base() -> Scenario:
    return replace(load_scenario("baseline"), **SMALL)


def tariff() -> Scenario:
    return replace(load_scenario("component_50"), **SMALL, **NOW)


@pytest.fixture(scope="module")
def curve() -> Results:
    return sweep(tariff(), base(), {RATE: "0:1:0.5"}, seeds=2)


def test_a_sweep_is_the_comparison_at_every_point(curve: Results) -> None:
    """The point at the scenario's own rate is what `compare` says of the scenario."""
    alone = compare([tariff()], base(), seeds=2, fixed_parameters=True).tables["headline"]
    expected = alone[alone["scenario"] == "component_50"].drop(columns="scenario")
    table = curve.tables["sweep"]
    found = table[table[RATE] == 0.5].drop(columns=["point", RATE])
    pd.testing.assert_frame_equal(
        expected.reset_index(drop=True), found.reset_index(drop=True), check_exact=True
    )


def test_no_rate_no_difference(curve: Results) -> None:
    table = curve.tables["sweep"]
    nothing = table[(table[RATE] == 0) & ~table["metric"].isin(COSTS)]
    assert (nothing["difference"] == 0).all()


def test_a_higher_tariff_reduces_chips_and_raises_prices() -> None:
    """Of importers who all declare the truth.

    A higher duty makes others trace or hide the origin of their chips, which lowers what they pay.
    """
    true = {"compliance__behaviour": "compliant"}
    found = sweep(replace(tariff(), **true), replace(base(), **true), {RATE: "0:1:0.5"}, seeds=2)
    wide = found.tables["sweep"].pivot(index=RATE, columns="metric", values="difference")
    assert wide["cn_share"].is_monotonic_decreasing
    assert wide["basket_price"].is_monotonic_increasing


def test_points_do_not_depend_on_their_order_or_the_others() -> None:
    vary = {"sourcing.elasticity": (2, 4), RATE: (0.5, 1)}
    points = [{"sourcing.elasticity": e, RATE: r} for e in (2, 4) for r in (0.5, 1)]
    table = sweep(tariff(), base(), vary, seeds=2).tables["point_runs"]
    own = table[~table["is_baseline"]]
    backwards = run_design(tariff(), base(), points[::-1], (0, 1), "US", Settings())
    for number, point in enumerate(points):
        alone = run_design(tariff(), base(), [point], (0, 1), "US", Settings()).own
        turned = backwards.own[backwards.own["point"] == 3 - number]
        expected = own[own["point"] == number].drop(columns="is_baseline")
        for found in (alone, turned):
            pd.testing.assert_frame_equal(
                expected.drop(columns="point").reset_index(drop=True),
                found.drop(columns="point").reset_index(drop=True), check_exact=True,
            )  # fmt: skip


def test_the_baseline_has_the_assumptions_of_the_point() -> None:
    """At each elasticity the pair is the comparison with a baseline of that elasticity."""
    table = sweep(tariff(), base(), {"sourcing.elasticity": (2, 8)}, seeds=1).tables["sweep"]
    for value in (2, 8):
        changed = {"sourcing__elasticity": float(value)}
        pair = compare(
            [replace(tariff(), **changed)], replace(base(), **changed), seeds=1,
            fixed_parameters=True,
        )  # fmt: skip
        expected = pair.tables["headline"].query("scenario == 'component_50'")
        found = table[table["sourcing.elasticity"] == value]
        assert found["difference"].tolist() == pytest.approx(
            expected["difference"].tolist(), rel=0, abs=0, nan_ok=True
        )


def test_refused_points_are_failures(tmp_path: Any) -> None:
    """Shares of the discount above one together are refused; the other points are run."""
    shares = {"supply.discount_cost_share": (0.3, 0.9), "supply.discount_subsidy_share": (0.2, 0.6)}
    results = sweep(tariff(), base(), shares, seeds=1)
    failures = results.provenance["failures"]
    named = [(f["scenario"], f["phase"]) for f in failures]
    assert named == [("point 2", "design"), ("point 3", "design")]
    assert "must not exceed 1" in failures[0]["message"]
    assert results.tables["sweep"]["point"].unique().tolist() == [0, 1]
    assert len(results.tables["points"]) == 4
    again = load_results(results.save(tmp_path / "sweep"))
    pd.testing.assert_frame_equal(again.tables["sweep"], results.tables["sweep"])


def test_the_plan_of_a_file_is_used() -> None:
    plan = {"vary": {RATE: [0.25, 0.5]}, "seeds": 1}
    results = sweep(replace(tariff(), experiment=plan), base())
    assert results.tables["points"][RATE].tolist() == [0.25, 0.5]
    assert results.provenance["seeds"] == [0, 0]
    assert results.provenance["factors"][0]["key"] == RATE


def test_progress_counts_the_runs_of_the_scenario() -> None:
    seen: list[tuple[int, int]] = []
    sweep(tariff(), base(), {RATE: (0, 1)}, seeds=2, progress=lambda *at: seen.append(at))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


# Peaks


def test_the_peak_of_a_parabola_is_found_between_points() -> None:
    x = np.linspace(0, 2, 6)
    shifts = np.array([-0.1, 0.0, 0.1])
    found = peak(x, np.array([3 - (x - 1.1 - shift) ** 2 for shift in shifts]))
    assert found.at == pytest.approx(1.1)
    assert found.is_inside
    # the mean of parabolas of one width peaks at the mean of their peaks
    half = 4.302652729911275 * 0.1 / np.sqrt(3)  # Student, two degrees of freedom
    assert (found.low, found.high) == pytest.approx((1.1 - half, 1.1 + half))


def test_a_curve_that_still_rises_has_no_peak() -> None:
    x = np.linspace(0, 1, 4)
    found = peak(x, np.array([x, 2 * x]))
    assert (found.at, found.level, found.is_inside) == (1.0, 1.5, False)
    assert np.isnan(found.low)


def test_one_seed_gives_a_peak_without_interval() -> None:
    x = np.linspace(0, 2, 5)
    found = peak(x, (x * (2 - x))[None])
    assert (found.at, found.level) == pytest.approx((1.0, 1.0))
    assert np.isnan(found.high)


def test_the_revenue_peak_is_of_the_difference_from_the_baseline(curve: Results) -> None:
    table = curve.tables["sweep"].query("metric == 'policy_revenue'")
    best = table.loc[table["difference"].idxmax()]
    found = revenue_peak(curve, RATE)
    assert isinstance(found, Peak)
    assert abs(found.at - best[RATE]) <= 0.5
    assert found.level >= best["difference"]

"""Intervals and welfare: against scipy, and against identities."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tariffsim.experiments.runs import context_of
from tariffsim.record.history import History
from tariffsim.record.intervals import paired_interval, ratio_interval
from tariffsim.record.metrics import (
    HEADLINE,
    LAST,
    METRICS,
    RATIOS,
    Context,
    chinese_share,
    deadweight_loss,
    ledger_of,
    match_loss,
    other_buyers_surplus,
    summarise,
    welfare,
)
from tariffsim.record.result_tables import headline
from tariffsim.scenario import load_scenario, replace
from tariffsim.simulation import Simulation
from tariffsim.state.ledger import PAYMENTS

numbers = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


@given(numbers)
def test_interval_is_students(values: list[float]) -> None:
    interval = paired_interval(values)
    if np.ptp(values) > 1e-6:
        low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-9, abs=1e-6)
    assert interval.is_significant == (not interval.low <= 0 <= interval.high)


def test_one_run_is_never_significant() -> None:
    assert not paired_interval([5.0]).is_significant


def test_no_difference_is_not_significant() -> None:
    assert not paired_interval([0.0, 0.0, 0.0]).is_significant


def test_ratio_of_proportional_samples_is_exact() -> None:
    bottom = [1.0, 2.0, 3.0, 4.0]
    interval = ratio_interval([3 * b for b in bottom], bottom)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((3.0, 3.0, 3.0))


def test_a_ratio_with_an_insignificant_denominator_is_missing() -> None:
    assert np.isnan(ratio_interval([1.0, 1.0, 1.0], [-1.0, 1.0, 0.5]).mean)


def test_a_missing_ratio_is_not_significant() -> None:
    assert not ratio_interval([1.0, 1.0, 1.0], [-1.0, 1.0, 0.5]).is_significant


def test_ratio_interval_covers_the_truth() -> None:
    """A jackknife interval at 95 % covers the ratio of means in nearly 95 % of samples."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        below = 2 + 0.5 * rng.standard_normal(20)
        above = 3 * below + rng.standard_normal(20)
        interval = ratio_interval(list(above), list(below))
        covered += interval.low <= 3 <= interval.high
    # Binomial with p = 0.95 and n = 400 has a standard error of 0.011: four of them.
    assert covered / 400 == pytest.approx(0.95, abs=0.044)


def test_headline_metrics_exist() -> None:
    names = {metric.name for metric in (*METRICS, *RATIOS)}
    assert set(HEADLINE) <= names
    assert all(metric.definition and metric.unit for metric in METRICS)


@pytest.fixture(scope="module")
def pair() -> tuple[History, History, Context]:
    change = {"agents__makers": 200, "run__end": "2026-12"}
    simulations = [
        Simulation(replace(load_scenario(name), **change), 0)
        for name in ("baseline", "component_100")
    ]
    context = context_of(simulations[0].economy)
    base, policy = (simulation.run() for simulation in simulations)
    return base, policy, context


def test_a_run_against_itself_loses_nothing(pair: tuple[History, History, Context]) -> None:
    base, _, context = pair
    assert (welfare(base, base, context) == 0).all()
    assert (deadweight_loss(welfare(base, base, context), base, base, context) == 0).all()


def test_deadweight_loss_is_the_world_sum(pair: tuple[History, History, Context]) -> None:
    base, policy, context = pair
    change = welfare(policy, base, context)
    total = change.sum(axis=(1, 2)) + other_buyers_surplus(policy, base, context)
    assert deadweight_loss(change, policy, base, context) == pytest.approx(-total)


def test_summary_has_every_metric(pair: tuple[History, History, Context]) -> None:
    base, policy, context = pair
    change = welfare(policy, base, context)
    found = summarise(policy, base, context, "US", change)
    assert set(found) == {metric.name for metric in METRICS}


def test_duty_is_what_the_government_gains(pair: tuple[History, History, Context]) -> None:
    """The government's term in the US is the change of duties: it pays no subsidies."""
    base, policy, context = pair
    m = context.codes.markets.index("US")
    change = welfare(policy, base, context)[:, m, 1]
    rows = "duties on products", "duties on unmounted chips"
    duty = ledger_of(policy, rows, "government", context)[:, m]
    duty = duty - ledger_of(base, rows, "government", context)[:, m]
    # Sums over payments of 1e11 USD round to 1e-5.
    assert change == pytest.approx(duty, abs=1e-3)


def test_ratios_are_of_spending_and_its_effect() -> None:
    """Ten billion for forty thousand wafers is 250 million a thousand; no spending, no ratio."""
    usual = dict.fromkeys((metric.name for metric in METRICS), 0.0)
    granted = [usual | {"grant_spending": 10.0, "home_capacity": gain} for gain in (39.0, 41.0)]
    given = [usual | {"home_capacity": gain} for gain in (39.0, 41.0)]
    runs = {"baseline": [usual, usual], "granted": granted, "given": given}
    cost = {
        row["scenario"]: row
        for row in headline(runs, "baseline")
        if row["metric"] == "cost_per_kwpm"
    }
    assert cost["granted"]["level"] == pytest.approx(250.0)
    assert cost["granted"]["low"] < 250.0 < cost["granted"]["high"]
    assert np.isnan(cost["given"]["level"])
    assert np.isnan(cost["baseline"]["level"])


def test_cost_to_buyers_is_consumers_and_makers_loss(
    pair: tuple[History, History, Context],
) -> None:
    """Losses counted positive; the second is what the fifth term of welfare takes away.

    It is less than nothing where the chips left were cheaper: costs have the difference.
    """
    base, policy, context = pair
    change, m = welfare(policy, base, context), context.codes.markets.index("US")
    found = summarise(policy, base, context, "US", change)
    loss = 12e-9 * match_loss(policy, base, context)[-LAST:, m].mean()
    assert found["buyers_cost"] == pytest.approx(found["consumer_surplus_loss"] + loss)
    assert loss != 0


def test_what_makers_save_in_their_own_money_others_lose(
    pair: tuple[History, History, Context],
) -> None:
    base, policy, context = pair
    change, ledger = welfare(policy, base, context), policy.ledger.copy()
    ledger[:, PAYMENTS.index("exchange"), -1] -= 5.0
    poorer = dataclasses.replace(policy, ledger=ledger)
    more = deadweight_loss(change, poorer, base, context)
    more -= deadweight_loss(change, policy, base, context)
    # sums of payments of 1e11 USD round to 1e-5
    assert more == pytest.approx(5.0, abs=1e-3)


def test_buying_ahead_moves_no_share() -> None:
    """Importers stock up from China for months; what consumers buy has the chips it had.

    At prices of chips that do not react to the orders, by which makers would choose others.
    """
    law = {"kind": "product_tariff", "assembly_countries": ["CN"], "rate": 0.5,
           "start": "2025-07", "announced": "2025-01"}  # fmt: skip
    fixed = {"utilisation_price_response": 0.0, "scarcity_elasticity": 0.0, "learning": 0.0}
    fixed_prices = {f"supply__{name}": value for name, value in fixed.items()}
    shares, delivered = [], []
    for months in (0.0, 6.0):
        change = fixed_prices | {"agents__makers": 520, "run__end": "2025-06", "policies__law": law,
                  "trade__front_loading_months": months}  # fmt: skip
        simulation = Simulation(replace(load_scenario("baseline"), **change), 0)
        history, codes = simulation.run(), simulation.economy.constants.codes
        us, china = codes.markets.index("US"), codes.regions.index("CN")
        chips = history.sourcing[:, us].sum(axis=(1, 2))
        shares.append(chinese_share(history, us))
        delivered.append(chips[:, china] / chips.sum(axis=1))
    assert np.abs(delivered[1] - delivered[0]).max() > 0.01
    np.testing.assert_allclose(shares[1], shares[0], rtol=1e-12)


def test_a_world_without_capacity_has_every_metric() -> None:
    law = {"kind": "capacity_loss", "share": 1.0, "start": "2025-02"}
    change = {"agents__makers": 60, "run__end": "2025-03", "policies__law": law}
    simulation = Simulation(replace(load_scenario("baseline"), **change), 0)
    history, context = simulation.run(), context_of(simulation.economy)
    found = summarise(history, history, context, "US", welfare(history, history, context))
    assert found["china_capacity_share"] == 0
    assert found["capacity_lost"] == 100

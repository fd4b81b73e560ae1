"""Odds, utility and its value: what a choice of foundry or country is made of (MODEL 4.2)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tariffsim.kernels.compliance import (
    NEVER_EVADES,
    audit_chance,
    duty_burden,
    duty_evaded,
    evaded_lately,
    evades,
    evasion_threshold,
    origin_burden,
)
from tariffsim.kernels.duties import (
    ad_valorem,
    chip_duty_rate,
    cost_with_duty,
    duty_on_chip,
    slot_burden,
    slot_duty_rate,
)
from tariffsim.kernels.sourcing import (
    assembly_preference,
    choice_odds,
    cost_odds,
    draw_choice,
    inertia_factor,
    is_cut_off,
    lead_of_incumbent,
    lead_of_winner,
    months_later,
    months_left,
    plan_distortion,
    share_of_bill,
    size_factor,
    switch_pays,
    switching_utility,
    utility_loss,
    utility_of_all,
    utility_value,
    with_inertia,
)
from tariffsim.kernels.sums import blocks, mean_by, over_markets, weighted_sum

ROWS, N = 6, 4
positive = arrays(float, (ROWS, N), elements=st.floats(0.01, 100))
exponentials = arrays(float, (ROWS, N), elements=st.floats(1e-3, 10))
rates = st.floats(0, 2, allow_subnormal=False)


# Odds.


@given(positive, positive, positive, positive)
def test_odds_are_a_product_whatever_the_order(
    base: np.ndarray, size: np.ndarray, preference: np.ndarray, cost: np.ndarray
) -> None:
    factor = cost_odds(cost, np.ones_like(cost), 3.0)
    np.testing.assert_allclose(
        choice_odds(base, size, preference, factor),
        factor * preference * size * base,
        rtol=1e-12,
    )
    unmoved = cost_odds(cost, cost, 5.0)
    np.testing.assert_allclose(choice_odds(base, 1.0, 1.0, unmoved), base, rtol=1e-12)


def test_sizes_count_by_their_power() -> None:
    capacity, base = np.array([2.0, 1.0, 5.0]), np.array([1.0, 1.0, 0.0])
    np.testing.assert_allclose(size_factor(capacity, base, 1.0), [2, 1, 5])
    assert (size_factor(capacity, base, 0.0) == 1).all()
    nothing_left = np.array([[0.0, 2.0], [0.0, 0.0]])
    np.testing.assert_array_equal(size_factor(nothing_left, np.ones((2, 2)), 0.5)[:, 0], [1, 1])
    assert size_factor(nothing_left, np.ones((2, 2)), 0.5)[1, 1] == 0


def test_a_line_that_moves_to_china_and_back_is_as_before() -> None:
    here, there = np.array([0.0, 1.0]), np.array([1.0, 0.0])
    odds = assembly_preference(3.0, 1.0, there, here)
    np.testing.assert_allclose(odds, [3, 1 / 3])
    assert (assembly_preference(3.0, 1.0, here, here) == 1).all()
    np.testing.assert_allclose(odds * assembly_preference(3.0, 1.0, here, there), 1.0)
    # half of the odds follow, or half of the units move
    half = assembly_preference(3.0, 0.5, there, here)
    np.testing.assert_allclose(half, np.sqrt(odds))
    np.testing.assert_allclose(assembly_preference(3.0, 1.0, (here + there) / 2, here), half)
    assert (assembly_preference(3.0, 0.0, there, here) == 1).all()


def test_inertia_is_the_switching_cost_in_odds() -> None:
    """A rival whose cost is lower by S has the incumbent's odds."""
    factor = inertia_factor(0.25, 4.0)
    assert factor == pytest.approx(cost_odds(np.array(1.0), np.array(1.25), 4.0))
    assert inertia_factor(0.0, 4.0) == 1.0


# Utility in money.


@given(positive, exponentials)
def test_the_best_loses_nothing_and_others_lose(weights: np.ndarray, noise: np.ndarray) -> None:
    best, value = draw_choice(weights, noise), utility_value(np.ones(ROWS), np.full(ROWS, 8.0), 4)
    assert (value == 2).all()
    assert (utility_loss(weights, noise, best, best, value) == 0).all()
    for other in range(N):
        loss = utility_loss(weights, noise, best, np.full(ROWS, other), value)
        assert (loss >= -1e-12).all()


def test_a_supplier_that_cannot_deliver_loses_without_bound() -> None:
    weights, noise = np.array([[1.0, 0.0]]), np.ones((1, 2))
    loss = utility_loss(weights, noise, np.array([0]), np.array([1]), np.ones(1))
    assert loss[0] == np.inf


def test_an_incumbent_leads_without_the_switching_cost() -> None:
    weights, noise = np.array([[1.0, 2.0]]), np.array([[0.5, 0.7]])
    old, other, inertia = np.array([0]), np.array([1]), np.array([3.0])
    lead = lead_of_incumbent(weights, noise, old, other, inertia, np.array([2.0]))
    gap = lead_of_winner(with_inertia(weights, old, inertia), noise, old, other) - np.log(3.0)
    np.testing.assert_allclose(lead, 2 * gap)


def test_what_slots_give_up_for_their_designs_plan() -> None:
    is_open = np.array([True, True, False, False])
    lost = np.array([1.0, -1.0, 1.0, -1.0])
    distortion = plan_distortion(np.full(4, 5.0), lost, is_open)
    np.testing.assert_array_equal(distortion, [6.0, 4.0, 1.0, 0.0])


# Emergencies and months.


def test_cut_off_from_the_emergency_share_on() -> None:
    np.testing.assert_array_equal(
        is_cut_off(np.array([1.0, 0.95, 0.9, 1 - 0.1, 0.0]), 0.1), [False, False, True, True, True]
    )
    profit = 100 * 0.25 / 1.25  # 20 USD of a product of 100
    assert switch_pays(np.array(0.4), np.array(100.0), 0.25, np.array(0.6 * profit - 1e-9))
    assert not switch_pays(np.array(0.4), np.array(100.0), 0.25, np.array(0.6 * profit + 1e-9))


def test_months_to_come() -> None:
    np.testing.assert_array_equal(months_later(3, np.array([1, 4])), [4, 7])
    np.testing.assert_array_equal(months_left(np.array([2, 3, 9]), 3), [0, 0, 6])


# Duties.


@given(st.floats(0.01, 50), rates, rates, st.floats(0, 0.5))
def test_burden_in_a_slot_is_the_bill_with_the_chip_less_without(
    price: float, product: float, bare: float, markup: float
) -> None:
    """A declared duty on products and base duties work alike: `tau` of MODEL 4.2."""
    one = np.array(price)
    burden = slot_burden(one, np.array(product), markup, np.array(bare), np.zeros(()))
    tau = slot_duty_rate(np.array(product), markup, np.array(bare), 0.0)
    np.testing.assert_allclose(burden + bare * price, price * tau, rtol=1e-12)
    with_duty = cost_with_duty(one, np.array(bare), burden)
    np.testing.assert_allclose(with_duty, price + price * tau, rtol=1e-12)
    by_count = duty_on_chip(np.array(0.0), np.array(bare), one)
    np.testing.assert_allclose(chip_duty_rate(np.array(0.0), np.array(bare), one) * price, by_count)
    np.testing.assert_allclose(
        duty_on_chip(np.array(bare), np.array(0.0), one), ad_valorem(bare, one)
    )


# Evasion.


@given(rates, st.floats(0, 0.9), st.floats(0, 3))
def test_an_importer_who_never_evades_pays_the_duty(
    rate: float, exposure: float, cost: float
) -> None:
    duty, one = np.array(rate), np.array(exposure)
    never = np.array(NEVER_EVADES)
    assert duty_burden(duty, 1.0, never, one) == rate
    assert duty_burden(duty, 0.0, never, one) <= rate  # nothing is at stake
    assert not evades(duty, 1e5, never, one)
    assert evasion_threshold(never, one) == np.inf
    gain = np.array(rate / 2)
    burden = duty_burden(gain, 1.0, np.array(cost), one)
    assert rate - gain <= origin_burden(duty, gain, burden) + 1e-12
    assert origin_burden(duty, gain, burden) <= rate + 1e-12


def test_evaded_duty_is_part_of_what_is_due() -> None:
    due, saved = duty_evaded(np.array([5.0, 0.0]), np.array([2.0, 2.0]))
    np.testing.assert_array_equal(due, [3.0, 0.0])
    np.testing.assert_array_equal(saved, [2.0, 0.0])


def test_audits_look_back_on_the_last_months() -> None:
    evaded = np.zeros((2, 3))
    for month in range(5):
        evaded = evaded_lately(evaded, np.full(2, month + 1.0), month)
    np.testing.assert_array_equal(np.sort(evaded, axis=1), [[3, 4, 5]] * 2)
    assert audit_chance(np.array(0.6)) == pytest.approx(0.05)


# Sums.


@given(positive)
def test_means_over_groups_and_markets(values: np.ndarray) -> None:
    weights = values / values.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        over_markets(values, weights), (values * weights).sum(axis=1), rtol=1e-12
    )
    stacked = np.stack([values, 2 * values], axis=2)
    np.testing.assert_allclose(
        over_markets(stacked, weights)[:, 1], 2 * over_markets(values, weights), rtol=1e-12
    )
    group = np.arange(ROWS) % 2
    mean = mean_by(group, 3 * values[:, 0], values[:, 0], 3)
    np.testing.assert_allclose(mean, [3, 3, 0], rtol=1e-12)
    np.testing.assert_allclose(
        weighted_sum([weights, weights], [values, values]), 2 * weights * values, rtol=1e-12
    )
    rows = np.arange(10)
    assert [list(b) for b in blocks(rows, 4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@given(st.floats(0.1, 1e6), st.floats(0.1, 10), st.floats(0, 2))
def test_size_counts_relative_to_the_base_year(base: float, growth: float, power: float) -> None:
    """However many chips a foundry made: one that doubles gains as much as any other."""
    factor = size_factor(np.array([base, growth * base]), np.array([base, base]), power)
    np.testing.assert_allclose(factor, [1.0, growth**power], rtol=1e-12)


@given(positive, exponentials)
def test_the_highest_utility_is_what_is_drawn(weights: np.ndarray, noise: np.ndarray) -> None:
    """Also less the cost of a switch, which is inertia the other way round."""
    utility = utility_of_all(weights, noise)
    np.testing.assert_array_equal(utility.argmax(axis=1), draw_choice(weights, noise))
    incumbent = np.zeros(len(weights), dtype=np.intp)
    is_new = np.arange(weights.shape[1]) > 0
    dear = utility - switching_utility(np.array(0.25), is_new.astype(float), np.inf, 4.0)
    kept = with_inertia(weights, incumbent, np.full(len(weights), inertia_factor(0.25, 4.0)))
    np.testing.assert_array_equal(dear.argmax(axis=1), draw_choice(kept, noise))


def test_what_has_no_weight_is_never_best() -> None:
    utility = utility_of_all(np.array([[0.0, 1e-300]]), np.ones((1, 2)))
    assert utility[0, 0] == -np.inf
    assert utility.argmax() == 1


@given(st.floats(0.01, 50), st.floats(0.01, 1), st.floats(0.01, 20), st.floats(0.5, 8))
def test_a_switch_for_fewer_units_costs_each_of_them_more(
    cost: float, part: float, cap: float, elasticity: float
) -> None:
    """The inertia of a line whose cost is that of the whole over the part, for the part alone."""
    found = switching_utility(np.array([cost, cost]), np.array([part, 0.0]), cap, elasticity)
    of_part = inertia_factor(min(cost / part, cap), elasticity)
    np.testing.assert_allclose(found, [part * np.log(of_part), 0.0], rtol=1e-12)
    whole = switching_utility(np.array(cost), np.array(1.0), np.inf, elasticity)
    uncapped = switching_utility(np.array(cost), np.array(part), np.inf, elasticity)
    assert part * whole <= uncapped * (1 + 1e-12)  # dearer a unit of the part
    assert uncapped <= whole * (1 + 1e-12)  # but no dearer than for all units


def test_overhead_is_a_share_of_the_chip_bill() -> None:
    chips, price = np.array([[2.0, 0.0, 3.0], [0.0, 1.0, 0.0]]), np.array([0.5, 4.0, 10.0])
    np.testing.assert_allclose(share_of_bill(0.1, chips, price), [3.1, 0.4], rtol=1e-12)
    np.testing.assert_allclose(
        share_of_bill(np.array([0.0, 0.5]), chips, price), [0.0, 2.0], rtol=1e-12
    )

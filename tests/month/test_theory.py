"""Theory, and the simulation against it where its frictions are off (MODEL 6: E1, E2, E3)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import kstest, norm

from tariffsim.calibration import build_economy
from tariffsim.kernels.sourcing import (
    draw_choice,
    odds_from_scale,
    steady_state_shares,
    with_inertia,
)
from tariffsim.month import PHASES, announce_policy
from tariffsim.scenario import Scenario
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.theory import (
    MeanField,
    consumers_loss,
    exact_hat,
    harberger_triangle,
    logit_shares,
    shifted_shares,
)
from tests.economies import (
    ALL_OPEN,
    STILL,
    component,
    free_trade,
    last,
    merged,
    odds_of_candidates,
    run,
    scenario,
)

EXACT = 1e-12
"""Theory against theory (MODEL 6, E1): hundreds of roundings of 1e-16."""

MANY = 4.5
"""Standard errors allowed to the worst of a few hundred comparisons of means over 40 seeds.

Student's t with 39 degrees of freedom exceeds it 6e-5 of the time. The seeds are fixed, so that a
failure is a change of the code.
"""


def slots_of(economy: Economy) -> tuple[np.ndarray, np.ndarray]:
    """Maker and part of every slot."""
    maker, part = np.nonzero(economy.makers.has_slot)
    return maker, part


def base_odds(economy: Economy) -> np.ndarray:
    """(slots, F) calibrated odds of each foundry."""
    maker, part = slots_of(economy)
    makers = economy.makers
    return odds_from_scale(
        base_shares(economy),
        makers.curvature[maker, part, None],
        makers.odds_scale[maker, part, None],
    )


def base_shares(economy: Economy) -> np.ndarray:
    """(slots, F) shares of foundries in the base year."""
    makers, (maker, part) = economy.makers, slots_of(economy)
    return np.asarray(economy.base_shares[makers.odds_row[maker], makers.slot_class[part]])


def mean_field(economy: Economy, supply: np.ndarray | None = None) -> MeanField:
    """Expected supply of every slot, from the parameters of MODEL 4.2."""
    maker, part = slots_of(economy)
    makers, figures, sourcing = economy.makers, economy.constants, economy.scenario.sourcing
    pin_compatible, device = makers.is_pin_compatible[maker, part], makers.device[maker]
    alone = sourcing.pin_compatible_hazard * sourcing.opening_factor
    return MeanField(
        base_odds(economy),
        makers.inertia[maker, part],
        np.where(pin_compatible, alone, figures.design_hazard[device]),
        np.where(
            pin_compatible,
            sourcing.pin_compatible_requalification_months,
            figures.requalification_months[device],
        ),
        supply,
    )


# Theory alone


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=6))
def test_logit_shares(utility: list[float]) -> None:
    shares = logit_shares(np.array(utility))
    assert shares.sum() == pytest.approx(1, rel=EXACT)
    np.testing.assert_allclose(np.log(shares[0] / shares[1]), utility[0] - utility[1], atol=1e-9)
    np.testing.assert_allclose(logit_shares(np.array(utility) + 500.0), shares, rtol=1e-9)


def test_logit_is_the_choice_under_gumbel_noise() -> None:
    utility, n = np.array([0.3, -0.5, 1.1]), 200_000
    noise = np.random.default_rng(3).gumbel(size=(n, 3))
    frequency = np.bincount((utility + noise).argmax(axis=1), minlength=3) / n
    shares = logit_shares(utility)
    np.testing.assert_allclose(frequency, shares, atol=4 * np.sqrt(0.25 / n))  # 4 standard errors


@given(st.floats(1.2, 8), st.floats(0.2, 3), st.lists(st.floats(0.6, 1.8), min_size=3, max_size=3))
def test_exact_hat(elasticity: float, eta: float, prices: list[float]) -> None:
    base, ratio = np.array([0.5, 0.3, 0.2]), np.array(prices)
    hat = exact_hat(base, ratio, elasticity, eta)
    assert hat.shares.sum() == pytest.approx(1)
    spending = (base * ratio * hat.units).sum()
    assert spending == pytest.approx(hat.price_index ** (1 - eta))
    np.testing.assert_allclose(hat.shares, base * ratio * hat.units / spending)
    same = exact_hat(base, np.full(3, 1.3), elasticity, eta)
    assert same.price_index == pytest.approx(1.3)
    np.testing.assert_allclose(same.shares, base)
    # the same algebra in units: shares in units of a logit with elasticity sigma
    units = base * hat.units / (base * hat.units).sum()
    np.testing.assert_allclose(units, shifted_shares(base, ratio, elasticity), rtol=1e-9)


@pytest.mark.parametrize("eta", [0.3, 1.0, 1.4])
def test_consumers_loss_is_an_area(eta: float) -> None:
    area, _ = quad(lambda p: 40 * p**-eta, 1, 1.25)
    assert consumers_loss(40, 1.25, eta) == pytest.approx(area, rel=1e-9)


def test_triangle_is_the_loss_less_the_revenue_of_a_small_duty() -> None:
    eta = 1.7
    for duty in (0.01, 0.02):
        units = (1 + duty) ** -eta
        waste = consumers_loss(1.0, 1 + duty, eta) - duty * units
        # the next term of the series is smaller by about the duty
        assert waste == pytest.approx(float(harberger_triangle(duty, 1 - units)), rel=duty)


ROWS = st.integers(0, 10**6).map(np.random.default_rng)


def drawn_slots(
    rng: np.random.Generator, n: int = 6, alternatives: int = 5
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    odds = rng.dirichlet(np.full(alternatives, 0.7), n)
    inertia = (1 + rng.exponential(0.5, n)) ** 4 * 10 ** (5 * (rng.random(n) < 0.2))
    lead = rng.integers(1, 20, n)
    return odds, inertia, np.minimum(rng.uniform(0.01, 0.3, n), 0.9 / lead), lead


@given(ROWS)
def test_mean_field_keeps_the_steady_state(rng: np.random.Generator) -> None:
    odds, inertia, hazard, lead = drawn_slots(rng)
    field = mean = MeanField(odds, inertia, hazard, lead)
    start = field.supply
    pipeline = hazard * (lead - 1)
    curvature = (inertia - 1 - pipeline) / (1 + pipeline)
    np.testing.assert_allclose(start, steady_state_shares(odds, curvature[:, None]), rtol=1e-9)
    for _ in range(40):
        mean.choose(odds)
        np.testing.assert_allclose(mean.supply, start, rtol=0, atol=EXACT)


@settings(max_examples=20)
@given(ROWS)
def test_mean_field_forgets_where_it_started(rng: np.random.Generator) -> None:
    odds, _, hazard, lead = drawn_slots(rng)
    weak = np.full(len(odds), 1.5)
    start = rng.dirichlet(np.ones(5), len(odds))
    field = MeanField(odds, weak, hazard, lead, start)
    np.testing.assert_allclose(field.supply, start, atol=EXACT)
    gap = []
    for month in range(1200):
        if month % 300 == 0:
            gap.append(np.abs(field.supply - MeanField(odds, weak, hazard, lead).supply).max())
        field.choose(odds)
        assert field.supply.min() > -EXACT
    np.testing.assert_allclose(field.supply.sum(axis=1), 1, atol=1e-11)
    assert gap[-1] < 0.5 * gap[0] + 1e-9  # the slowest draw opens every hundred months


def test_mean_field_is_the_mean_of_chains() -> None:
    """Against plain simulation of E3's words with one odds, then another."""
    odds, later = np.array([[0.6, 0.3, 0.1]]), np.array([[0.2, 0.5, 0.3]])
    n, hazard, lead, extra = 40_000, 0.2, 4, 2.0
    field = MeanField(odds, np.array([1 + extra]), np.array([hazard]), np.array([lead]))
    rng = np.random.default_rng(5)
    supplier = rng.choice(3, n, p=field.supply[0])
    following, left = np.full(n, -1), np.zeros(n, dtype=int)
    for month in range(60):
        now = odds if month < 30 else later
        arrived = (left == 1) & (following >= 0)
        supplier = np.where(arrived, following, supplier)
        following = np.where(arrived, -1, following)
        left = np.maximum(left - 1, 0)
        if month > 20:  # chains start without slots under way and forget it in a few cycles
            share = np.bincount(supplier, minlength=3) / n
            # 4.5 standard errors, and what is left of the start
            np.testing.assert_allclose(share, field.supply[0], atol=4.5 * np.sqrt(0.25 / n) + 0.002)
        opens = (rng.random(n) < hazard) & (following < 0)
        weights = with_inertia(np.repeat(now, n, axis=0), supplier, np.full(n, 1 + extra))
        choice = draw_choice(weights, rng.standard_exponential((n, 3)))
        leaves = opens & (choice != supplier)
        following, left = np.where(leaves, choice, following), np.where(leaves, lead, left)
        field.choose(now)


# E1: the steady state


def test_calibration_is_a_steady_state_of_theory() -> None:
    """Every slot type of the default economy, to 1e-12."""
    economy = build_economy(scenario(STILL), 0)
    shares, odds = base_shares(economy), base_odds(economy)
    np.testing.assert_allclose(odds.sum(axis=1), 1, atol=EXACT)
    field = mean_field(economy)
    for _ in range(30):
        np.testing.assert_allclose(field.supply, shares, rtol=0, atol=EXACT)
        field.choose(odds)


def test_open_slots_choose_by_calibrated_odds_in_the_base_year() -> None:
    economy = build_economy(scenario(STILL), 0)
    announce_policy(economy, Draws(0))
    weights = odds_of_candidates(economy, *slots_of(economy))
    np.testing.assert_allclose(weights, base_odds(economy), rtol=0, atol=EXACT)


def test_shares_stay_put_in_the_steady_state() -> None:
    """E1: whole months, draw uncorrected: no region gains or loses on average, in any month."""
    still, months, seeds = scenario(STILL), 24, 40
    gaps = np.zeros((seeds, months, 2, 8))
    for seed in range(seeds):
        economy = build_economy(still, seed)
        prices, capacity = economy.foundries.price, economy.foundries.capacity
        maker, part = slots_of(economy)
        makers, foundries = economy.makers, economy.foundries
        member = np.eye(8)[foundries.region]
        expected = base_shares(economy) @ member
        # at one price for all: an invoice would depend on the supplier drawn
        price = economy.constants.chip_price[makers.slot_class]
        value = (makers.units[:, None] * makers.chips * price)[maker, part]
        weight = np.stack([np.full(len(maker), 1 / len(maker)), value / value.sum()])
        draws = Draws(seed)
        for month in range(months):
            for phase in PHASES:
                phase(economy, draws)
            supplied = member[economy.makers.supplier[maker, part]]
            gaps[seed, month] = weight @ (supplied - expected)
        # prices and capacity stay put to rounding, month by month
        np.testing.assert_allclose(economy.foundries.price, prices, rtol=1e-12)
        np.testing.assert_allclose(economy.foundries.capacity, capacity, rtol=1e-12)
    error = gaps.std(axis=0, ddof=1) / np.sqrt(seeds)
    assert (np.abs(gaps.mean(axis=0)) < MANY * error).all()
    # the test has teeth: the error of China's share is a fraction of a point
    assert error[:, 0, 0].max() < 0.003


# E2: the logit limit

PRICES: dict[str, object] = {
    "supply": {"price_adjustment": 1.0},
    "policies": {
        "dumping": {"kind": "price_cut", "points": 0.1, "start": "2025-01"},
        **component(0.5, markets=["US", "EU", "JK"])["policies"],
    },
}


def closed_form(economy: Economy) -> np.ndarray:
    """(slots, F) logit shares from prices and the law, by hand (no base duties)."""
    maker, _ = slots_of(economy)
    makers, foundries = economy.makers, economy.foundries
    markets = economy.constants.codes.markets
    levied = makers.weights[:, [markets.index(m) for m in ("US", "EU", "JK")]].sum(axis=1)
    duty = 0.5 * levied[maker, None] * foundries.is_chinese
    ratio = np.where(foundries.is_chinese, (1 - 0.3) / (1 - 0.2), 1.0) * (1 + duty)
    return shifted_shares(base_shares(economy), ratio, economy.scenario.sourcing.elasticity)


def test_shares_approach_the_logit_as_makers_grow_in_number() -> None:
    """E2: every design open every month, no switching cost: closed form, error 1/sqrt(makers)."""
    sizes, months = [400, 1600, 6400], 40
    root_mean_square, chi_squared = [], []
    for makers in sizes:
        open_economy = scenario(STILL, ALL_OPEN, PRICES, free_trade(), makers=makers)
        months_done = run(open_economy, 1, months + 1)
        economy = next(months_done)  # the first month still has the base year's suppliers
        expected, (_, part) = closed_form(economy), slots_of(economy)
        k = economy.makers.slot_class[part]
        chinese = economy.foundries.is_chinese
        p = expected[:, chinese].sum(axis=1)
        count = np.bincount(k)
        sd = np.sqrt(np.bincount(k, p * (1 - p))) / count
        gaps = []
        for economy in months_done:
            is_cn = chinese[economy.makers.supplier[slots_of(economy)]]
            gaps.append(np.bincount(k, is_cn - p) / count)
        # over the standard deviation of one draw: expected shares differ between the economies, as
        # fewer lines have other markets
        one_draw = sd * np.sqrt(count)
        root_mean_square.append(np.sqrt(np.mean(np.square(gaps / one_draw))))
        chi_squared.append(np.square(np.array(gaps) / sd).sum())
    n = months * 4  # independent draws of the share: every month is drawn anew in every class
    # chi-squared with n degrees of freedom: mean n, variance 2n; four standard deviations
    assert np.abs(np.array(chi_squared) - n).max() < 4 * np.sqrt(2 * n)
    slope = np.polyfit(np.log(sizes), np.log(root_mean_square), 1)[0]
    # ln of a root mean square over n draws errs by 1 / sqrt(2n); regressed on ln of three sizes
    # a factor of four apart the slope errs by that over ln 4 x sqrt 2
    assert abs(slope + 0.5) < 4 / np.sqrt(2 * n) / (np.log(4) * np.sqrt(2))


def drawn_case(rng: np.random.Generator) -> tuple[Scenario, Callable[[Economy], np.ndarray]]:
    """A small frictionless world drawn at random, and its closed form by slot."""
    sigma, omega, rate = rng.uniform(1.5, 8), rng.uniform(0, 1), rng.uniform(0, 1.5)
    share, discount = rng.uniform(0.1, 0.6, 2), rng.uniform(0, 0.6, 2)
    levies = [m for m in ("US", "EU", "JK", "ROW") if rng.random() < 0.6]

    def from_next_month(two: np.ndarray) -> dict[str, float]:
        return {"2025-01": float(two[0]), "2025-02": float(two[1])}

    supply = {"china_capacity_share": from_next_month(share), "price_adjustment": 1.0}
    rules = scenario(
        STILL,
        ALL_OPEN,
        free_trade(),
        {
            "supply": supply | {"china_price_discount": from_next_month(discount)},
            "sourcing": {"elasticity": sigma, "size_term": omega},
        },
        component({"2025-02": rate}, markets=levies or ["CN"]),
        makers=int(rng.integers(60, 240)),
    )

    def by_hand(economy: Economy) -> np.ndarray:
        makers, markets = economy.makers, economy.constants.codes.markets
        maker, _ = slots_of(economy)
        levied = makers.weights[:, [markets.index(m) for m in levies or ["CN"]]].sum(axis=1)
        cost = (1 - discount[1]) / (1 - discount[0]) * (1 + rate * levied[maker])
        size = share[1] / (1 - share[1]) / (share[0] / (1 - share[0]))
        chinese = base_shares(economy)[:, economy.foundries.is_chinese].sum(axis=1)
        odds = chinese / (1 - chinese) * size**omega * cost**-sigma
        return np.asarray(odds / (1 + odds))

    return rules, by_hand


@pytest.mark.parametrize("cases", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_distribution_of_the_error_against_closed_form(cases: int) -> None:
    """The static limit in random small worlds: errors are those of independent draws, no more.

    The share of Chinese chips less the closed form, over the standard error of as many independent
    draws, is standard normal: no bias, and the error rate is 1/sqrt(slots) with the constant one.
    """
    errors, widths = [], []
    for number in range(cases):
        rules, by_hand = drawn_case(np.random.default_rng(number))
        economy = last(rules, number, 3)
        p = by_hand(economy)
        chinese = economy.foundries.is_chinese[economy.makers.supplier[slots_of(economy)]]
        widths.append(np.sqrt((p * (1 - p)).sum()) / len(p))
        errors.append((chinese.mean() - p.mean()) / widths[-1])
    # the probability of a worse fit to the normal distribution is uniform: one in a thousand
    assert kstest(errors, "norm").pvalue > 1e-3
    assert np.abs(errors).max() < norm.isf(0.5e-3 / cases)
    # the test has teeth: a standard error is a small part of a share
    assert np.median(widths) < 0.02


# E3: the mean field


def tariff_gaps(
    rules: Scenario, seeds: int, months: int, by_hand: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(seeds, months, groups) Chinese share of slots less the mean field's, and its change.

    Groups: all slots, drop-in parts, slots of designs, lines sold in the US alone.
    """
    gaps, moves = np.zeros((seeds, months, 4)), np.zeros((seeds, months, 4))
    for seed in range(seeds):
        economy, draws = build_economy(rules, seed), Draws(seed)
        field = mean_field(economy)
        maker, part = slots_of(economy)
        makers, chinese = economy.makers, economy.foundries.is_chinese
        us = economy.constants.codes.markets.index("US")
        pin_compatible = makers.is_pin_compatible[maker, part]
        groups = np.stack(
            [np.ones(len(part)), pin_compatible, ~pin_compatible, makers.market[maker] == us]
        )
        groups /= groups.sum(axis=1, keepdims=True)
        start = field.supply[:, chinese].sum(axis=1)
        before = base_odds(economy)
        factor = 1 + 0.5 * makers.weights[maker, us, None] * chinese
        for month in range(months):
            for phase in PHASES:
                phase(economy, draws)
            expected = field.supply[:, chinese].sum(axis=1)
            gaps[seed, month] = groups @ (chinese[makers.supplier[maker, part]] - expected)
            moves[seed, month] = groups @ (expected - start)
            if by_hand:
                elasticity = rules.sourcing.elasticity
                field.choose(before * (factor**-elasticity if month >= 6 else 1.0))
            else:
                field.choose(odds_of_candidates(economy, maker, part))
    return gaps, moves


@pytest.mark.parametrize("foresight", ["none", "announced"])
def test_mean_field_is_the_mean_of_the_simulation(foresight: str) -> None:
    """E3: a tariff from month 6; without foresight the duty per chip is worked out by hand."""
    rules = scenario(
        merged(
            STILL,
            component({"2025-07": 0.5}, announced="2025-03", start="2025-07"),
            {"sourcing": {"foresight": foresight}},
        ),
        free_trade() if foresight == "none" else {},
        makers=500,
    )
    seeds, months = 24, 36
    gaps, moves = tariff_gaps(rules, seeds, months, by_hand=foresight == "none")
    error = gaps.std(axis=0, ddof=1) / np.sqrt(seeds)
    # Student's t with 23 degrees of freedom exceeds 5 5e-5 of the time; 144 comparisons
    assert (np.abs(gaps.mean(axis=0)) < 5 * error).all()
    # the test has teeth: the tariff moves lines sold in the US by many standard errors
    assert -moves[:, -1, 3].mean() > 10 * error[-1, 3]

"""Solve, decompose, timing and frontier against closed forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import brentq

from tariffsim.calibration import build_economy
from tariffsim.errors import ScenarioError
from tariffsim.experiments.decompose import changes_between, decompose, shapley_values, with_changes
from tariffsim.experiments.ensemble import EnsembleRunner
from tariffsim.experiments.frontier import break_even, combined, curves, frontier, optimum
from tariffsim.experiments.scaling import (
    last_level,
    max_strength,
    scaled_to_first,
    strength_of,
    with_strength,
)
from tariffsim.experiments.solve import Target, find_root, solve
from tariffsim.experiments.timing import NEVER, first_month, shifted, timing
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.theory import shifted_shares
from tariffsim.typing import Float, parse_month
from tests.economies import ALL_OPEN, STILL, component, free_trade, merged, scenario

SMALL = {"agents__makers": 150, "run__end": "2026-06"}
NOISE = np.array([-1.0, -0.2, 0.3, 0.9])
"""Seed noise of four seeds, with mean zero."""


def small(name: str) -> Scenario:
    return replace(load_scenario(name), **SMALL)


def noisy(function: Callable[[float], float], scale: float = 1e-5) -> Callable[[Any], Float]:
    return lambda values: np.array([function(v) + scale * NOISE for v in values])


# Roots


@pytest.mark.parametrize(
    ("function", "root"),
    [(lambda x: x**2 - 2, 2**0.5), (lambda x: np.exp(-x) - 0.2, -np.log(0.2)),
     (lambda x: 1 - x, 1.0), (lambda x: x, 0.0), (lambda x: x - 3, 3.0)],
)  # fmt: skip
def test_the_root_of_a_function_is_found(function: Callable[[float], float], root: float) -> None:
    found = find_root(noisy(function), 0, 3)
    assert found.is_met
    assert not found.is_jump
    assert found.value == pytest.approx(root, abs=3e-3)  # the precision on a range of three
    assert found.bracket[0] <= found.value <= found.bracket[1]


def test_the_interval_of_a_root_is_that_of_the_mean_over_the_slope() -> None:
    found = find_root(noisy(lambda x: 5 * (x - 1), 0.1), 0, 3)
    half = (found.at.interval.high - found.at.gap) / 5
    assert found.slope == pytest.approx(5)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_an_interval_covers_the_truth_at_its_nominal_rate() -> None:
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        noise = rng.normal(size=8)
        found = find_root(lambda vs, e=noise: np.array([2 * v - 3 + 0.3 * e for v in vs]), 0, 3)
        held += found.low <= 1.5 <= found.high
    assert 180 <= held <= 199  # 95 % of 200, three standard errors either way


def test_of_two_roots_the_lower_one_is_found() -> None:
    assert find_root(noisy(lambda x: x * (3 - x) - 2, 0.0), 0, 3).value == pytest.approx(
        1, abs=3e-3
    )


def test_a_target_that_is_met_between_two_points_of_the_scan_is_found() -> None:
    """A revenue that peaks inside: the scan sees it below the target everywhere."""
    found = find_root(noisy(lambda x: 0.01 - (x - 1.4) ** 2, 0.0), 0, 3)
    assert found.value == pytest.approx(1.3, abs=3e-3)


def test_without_a_root_the_nearest_is_reported() -> None:
    found = find_root(noisy(lambda x: 10 / (1 + x) - 2), 0, 3)
    assert not found.is_met
    assert found.value == 3
    assert found.at.gap == pytest.approx(0.5)
    assert np.isnan([found.low, found.high]).all()


def test_a_jump_past_the_target_is_reported() -> None:
    found = find_root(noisy(lambda x: float(x > 1.1) - 0.5, 0.0), 0, 3)
    assert found.is_jump
    assert found.value == pytest.approx(1.1, abs=3e-3)


def test_a_constant_metric_gives_no_interval() -> None:
    found = find_root(lambda vs: np.array([NOISE for _ in vs]), 0, 3)
    assert found.is_met
    assert np.isnan([found.low, found.high]).all()


# Solving


def toy(answer: Callable[[Scenario], float]) -> Callable[[Mapping[str, Scenario]], pd.DataFrame]:
    """Runs whose Chinese share is a function of the scenario, plus seed noise."""

    def run_ensemble(scenarios: Mapping[str, Scenario]) -> pd.DataFrame:
        return pd.DataFrame(
            [{"scenario": name, "seed": seed, "cn_share": answer(s) + noise}
             for name, s in scenarios.items() for seed, noise in enumerate(NOISE)]
        )  # fmt: skip

    return run_ensemble


def share(s: Scenario) -> float:
    return 30 / (1 + last_level(s.policies["component_tariff"].path))


def test_solving_for_a_level_a_difference_and_another_scenario() -> None:
    base = load_scenario("component_50")

    def at(rate: float) -> Scenario:
        return with_strength(base, rate)

    level = solve(at, Target("cn_share", 15.0), (0, 2), toy(share))
    assert level.root.value == pytest.approx(1, abs=2e-3)  # 1e-3 of the range
    assert level.reached.mean == pytest.approx(15, abs=0.03)
    assert strength_of(level.scenario) == pytest.approx(1, abs=2e-3)
    like = solve(at, Target("cn_share", like=at(0.5)), (0, 2), toy(share))
    assert like.root.value == pytest.approx(0.5, abs=2e-3)
    assert like.root.high - like.root.low < 1e-9  # common seed noise cancels
    less = solve(at, Target("cn_share", -5.0, at(0.5)), (0, 2), toy(share))
    assert less.root.value == pytest.approx(1, abs=2e-3)


def test_a_target_out_of_reach_gives_the_nearest_level() -> None:
    base = load_scenario("component_50")
    found = solve(lambda r: with_strength(base, r), Target("cn_share", 5.0), (0, 2), toy(share))
    assert not found.root.is_met
    assert (found.root.value, found.reached.mean) == pytest.approx((2.0, 10.0))
    assert not found.table()["is_answer"].any()


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(ScenarioError, match="metric: cn_shares: is not a metric"):
        solve(lambda r: small("baseline"), Target("cn_shares"), (0, 1), toy(share))


FIXED = merged(
    STILL, ALL_OPEN, free_trade(), {"supply": {"price_adjustment": 0.0}, "run": {"end": "2026-02"}},
    component(0.5, markets=["US", "EU", "JK", "CN", "ROW"]),
)  # fmt: skip
"""Every design opens every month at fixed prices; every market levies the same duty."""
SEEDS = range(6)


def expected_share(economy: Economy, rate: float) -> float:
    """Chinese share in US purchases by the closed form: logit shares of every slot."""
    flows, makers = economy.flows, economy.makers
    here = flows.market == economy.constants.codes.markets.index("US")
    maker, k = np.nonzero(makers.has_slot)
    units = np.bincount(flows.maker[here], flows.base_units[here], len(makers.device))
    chips = units[maker] * makers.chips[maker, k]
    ratio = np.where(economy.foundries.is_chinese, 1 + rate, 1.0)
    of_class = economy.base_shares[makers.odds_row[maker], makers.slot_class[k]]
    shares = shifted_shares(of_class, ratio, economy.scenario.sourcing.elasticity)
    return float(100 * chips @ shares[:, economy.foundries.is_chinese].sum(axis=1) / chips.sum())


def test_the_tariff_that_halves_a_share_is_that_of_the_logit() -> None:
    """All designs open: the rate found by solving is that of the theory."""
    rules = scenario(FIXED, makers=300)
    economies = [build_economy(rules, seed, Draws(seed)) for seed in SEEDS]

    def theory(rate: float) -> float:
        return float(np.mean([expected_share(economy, rate) for economy in economies]))

    half = theory(0.0) / 2
    answer = brentq(lambda rate: theory(rate) - half, 0, 1)
    runs = EnsembleRunner(rules, SEEDS, skips_baseline=True)
    found = solve(lambda r: with_strength(rules, r), Target("cn_share", half), (0, 1), runs)
    assert found.root.low <= answer <= found.root.high
    assert found.root.high - found.root.low < answer / 2  # the test has teeth


# Shapley values


@given(arrays(float, (2**4, 3), elements=st.floats(-10, 10)))
def test_shapley_values_are_the_mean_over_all_orders(values: Float) -> None:
    expected = np.zeros((4, 3))
    for order in permutations(range(4)):
        made = 0
        for i in order:
            expected[i] += values[made | 1 << i] - values[made]
            made |= 1 << i
    found = shapley_values(values)
    np.testing.assert_allclose(found, expected / 24, atol=1e-12)  # sums of 24 of size 10
    np.testing.assert_allclose(found.sum(axis=0), values[-1] - values[0], atol=1e-12)


def test_shapley_axioms() -> None:
    """Symmetry, dummy, and a product shared out evenly."""
    value = np.array(
        [(1 << 0 & s > 0) * (1 << 1 & s > 0) + 2.0 * (1 << 2 & s > 0) for s in range(16)]
    )
    np.testing.assert_allclose(shapley_values(value), [0.5, 0.5, 2.0, 0.0], atol=1e-15)


def test_a_single_change_contributes_everything() -> None:
    np.testing.assert_array_equal(shapley_values(np.array([2.0, 5.0])), [3.0])


# Decomposing


def test_all_changes_together_give_the_second_scenario() -> None:
    for first, second in (
        ("no_expansion", "component_50"),
        ("component_50", "no_expansion"),
        ("component_50", "specific_per_chip"),
        ("baseline", "component_late"),
    ):
        a, b = small(first), small(second)
        changes = changes_between(a, b)
        assert with_changes(a, changes).content_hash == b.content_hash
        assert with_changes(a, []).content_hash == a.content_hash


def test_changes_are_named() -> None:
    changes = changes_between(small("no_expansion"), small("component_50"))
    assert [change.name for change in changes] == ["policies.capacity", "policies.component_tariff"]
    assert changes[1].label == "Component tariff added"
    flat = replace(small("baseline"), supply__china_capacity_share=0.3)
    (change,) = changes_between(flat, small("baseline"))
    assert change.name == "supply.china_capacity_share"


def test_too_many_values_go_by_block_and_too_many_blocks_are_refused() -> None:
    base = small("baseline")
    trade = {"markup": 0.2, "freight": 0.04, "retail_margin": 0.5, "border_pass_through": 0.9}
    supply = {"learning": 0.1, "learning_spillover": 0.4, "experience_years": 9}
    many = replace(base, trade=trade, supply=supply, sourcing={"elasticity": 5})
    assert len(changes_between(base, many)) == 8
    more = replace(many, assembly={"elasticity": 5})
    assert [c.name for c in changes_between(base, more)] == [
        "supply",
        "sourcing.elasticity",
        "assembly.elasticity",
        "trade",
    ]
    policies = {
        f"cut_{i}": {"kind": "price_cut", "points": 0.01, "start": "2025-01"} for i in range(9)
    }
    with pytest.raises(ScenarioError, match="has 9 changes"):
        changes_between(base, replace(base, policies=policies))
    with pytest.raises(ScenarioError, match="does not differ"):
        changes_between(base, base)


@pytest.fixture(scope="module")
def decomposed() -> pd.DataFrame:
    """Of enough lines that the effect of the tariff is larger than what single lines do."""
    first, second = (
        replace(small(name), agents__makers=300) for name in ("no_expansion", "component_50")
    )
    return decompose(first, second, EnsembleRunner(first, range(2)))


def test_contributions_add_up(decomposed: pd.DataFrame) -> None:
    for metric, rows in decomposed.groupby("metric"):
        values = rows["contribution"].to_numpy()
        # levels of up to a few hundred, each with roundings of 1e-16
        assert values[:-1].sum() == pytest.approx(values[-1], abs=1e-11), metric


def test_contributions_have_the_signs_of_the_economics(decomposed: pd.DataFrame) -> None:
    rows = decomposed[decomposed["metric"] == "cn_share"].set_index("change")["contribution"]
    assert rows["policies.component_tariff"] < 0
    assert rows["policies.capacity"] > 0


# Timing


def test_all_dates_move_by_the_same_months() -> None:
    late = shifted(load_scenario("component_50"), parse_month("2029-01"))
    assert late.content_hash == load_scenario("component_late").content_hash
    assert first_month(late) == parse_month("2029-01")
    back = shifted(late, parse_month("2026-01"))
    assert back.content_hash == load_scenario("component_50").content_hash
    with pytest.raises(ScenarioError, match="no policy to move"):
        shifted(load_scenario("baseline"), parse_month("2026-01"))


def test_conditional_policies_move_with_their_triggers() -> None:
    """A policy with a condition has no first month of its own."""
    answered = load_scenario("retaliation")
    assert first_month(answered) == parse_month("2026-01")
    assert shifted(answered, first_month(answered)).content_hash == answered.content_hash
    law = shifted(answered, parse_month("2028-02")).dated_policies
    assert law["component_tariff"].first_month == parse_month("2028-02")
    assert law["retaliation"].first_month == parse_month("2028-05")


def test_days_move_with_the_months() -> None:
    cut = {"kind": "chip_cutoff", "denied": 1.0, "first_day": "2028-01-31", "days": 20}
    late = shifted(
        replace(load_scenario("baseline"), policies={"cut": cut}), parse_month("2029-02")
    )
    assert late.policies["cut"].first_day == "2029-02-28"  # type: ignore[attr-defined]
    assert first_month(late) == parse_month("2029-02")


def test_early_action_reduces_the_share_more() -> None:
    base, policy = small("baseline"), small("component_100")
    starts = [parse_month(month) for month in ("2025-02", "2025-08", "2026-02", "2027-01")]
    table = timing(policy, starts, base, EnsembleRunner(base, range(6))).set_index("start")
    assert list(table.index) == ["2025-02", "2025-08", "2026-02", "2027-01", NEVER]
    assert table["share_reduction"].is_monotonic_decreasing
    changes = ["share_reduction", "total_consumer_surplus_loss", "total_welfare"]
    assert (table.loc[NEVER, changes] == 0).all()
    assert table.loc["2025-02", "share"] < table.loc[NEVER, "share"]


# Frontier


def test_tariffs_move_in_proportion() -> None:
    both = replace(
        load_scenario("component_50"),
        policies={
            "other": {"kind": "product_tariff", "rate": 0.1, "start": "2026-01"},
            "cut": {"kind": "price_cut", "points": 0.05, "start": "2025-01"},
        },
    )
    found = with_strength(both, 1.0)
    assert strength_of(both) == 0.5
    assert found.policies["component_tariff"].path.values == (0.5, 1.0)
    assert found.policies["other"].path.values == (0.2,)
    assert found.policies["cut"] == both.policies["cut"]
    assert max_strength(both) == 2.0
    assert max_strength(load_scenario("specific_per_chip")) == pytest.approx(0.4)
    with pytest.raises(ScenarioError, match="no policy"):
        strength_of(load_scenario("baseline"))


@pytest.mark.parametrize("name", ["no_expansion", "chip_cutoff", "export_controls", "chips_act"])
def test_the_strongest_that_is_tried_is_allowed_and_on_the_same_side_of_zero(name: str) -> None:
    own = load_scenario(name)
    most = max_strength(own)
    assert strength_of(with_strength(own, most)) == pytest.approx(most)
    assert most / strength_of(own) >= 1


def test_less_capacity_is_scaled_as_less_capacity() -> None:
    """A path below zero stays below it: half the effect takes half the points."""
    own = load_scenario("no_expansion")
    aim = with_strength(own, -0.05)

    def answer(s: Scenario) -> float:
        return 30 + 100 * last_level(s.policies["capacity"].path)

    _, scaled = scaled_to_first([aim, own], "effect", toy(answer))
    assert scaled.is_met
    assert strength_of(scaled.scenario) == pytest.approx(-0.05, abs=1e-3)


def insured(cost: float, loss: float) -> pd.DataFrame:
    """Runs whose cost rises with the square of the rate, and whose loss falls with it."""
    return pd.DataFrame(
        [
            {
                "instrument": "a",
                "rate": rate,
                "seed": seed,
                "share": 30 / (1 + rate),
                "cost": cost * rate**2,
                "cutoff_loss": loss * (2 - rate) + noise,
            }
            for rate in np.linspace(0, 1, 11)
            for seed, noise in enumerate(NOISE)
        ]
    )


def test_the_best_rate_and_the_break_even_probability_have_their_closed_forms() -> None:
    """Cost c r^2 and loss l (2 - r): the best rate is p l / 2c, and r pays from p = c r / l."""
    runs = insured(cost=1.0, loss=10.0)
    best = optimum(runs, [0.0, 0.1, 0.12, 1.0])
    assert best["rate"].tolist() == pytest.approx([0.0, 0.5, 0.6, 1.0])
    pays = break_even(runs).set_index("rate")["probability"]
    np.testing.assert_allclose(pays, pays.index / 10, rtol=1e-12)


def test_where_nothing_is_saved_no_probability_pays() -> None:
    assert break_even(insured(1.0, 0.0))["probability"].isna().all()


def test_the_frontier_is_what_nothing_beats() -> None:
    runs = insured(1.0, 10.0)
    dear = runs.assign(instrument="b", cost=runs["cost"] + 1)
    table = curves(pd.concat([runs, dear]))
    assert table.groupby("instrument")["is_on_frontier"].all().to_dict() == {"a": True, "b": False}


def test_a_cut_off_is_added_to_every_rate() -> None:
    cut = replace(
        load_scenario("baseline"),
        policies={"cut": {"kind": "price_cut", "points": 0.1, "start": "2026-01"}},
    )
    asked: dict[str, Scenario] = {}

    def run_ensemble(scenarios: Mapping[str, Scenario]) -> pd.DataFrame:
        asked.update(scenarios)
        loss = {name: 3.0 * ("cut" in s.policies) for name, s in scenarios.items()}
        return pd.DataFrame(
            [
                {
                    "scenario": name,
                    "seed": seed,
                    "cn_share": 1.0,
                    "welfare": -1.0,
                    "total_welfare": -loss[name],
                }
                for name in scenarios
                for seed in range(2)
            ]
        )

    runs = frontier({"a": load_scenario("component_50")}, [0.0, 0.5], run_ensemble, cut)
    assert (runs["cutoff_loss"] == 3.0).all()
    assert len(asked) == 4
    assert combined(load_scenario("component_50"), cut).policies.keys() == {
        "component_tariff",
        "cut",
    }


def test_what_is_the_same_without_tariffs_is_run_once() -> None:
    """And has the rows that every instrument had by itself at a rate of zero."""
    base = small("baseline")
    instruments = {n: small(n) for n in ("component_50", "whole_product_china", "retaliation")}
    asked: list[str] = []
    runner = EnsembleRunner(base, [0, 1])

    def run_scenarios(scenarios: Mapping[str, Scenario]) -> pd.DataFrame:
        asked.extend(scenarios)
        return runner(scenarios)

    found = frontier(instruments, [0.0, 0.5], run_scenarios)
    # A response to a tariff depends on it: that scenario stays as it is.
    assert asked == [
        "component_50, 0.0", "component_50, 0.5", "whole_product_china, 0.5", "retaliation, 0.0",
        "retaliation, 0.5",
    ]  # fmt: skip
    for name, own in instruments.items():
        alone = runner({name: with_strength(own, 0.0)})
        rows = found[(found["instrument"] == name) & (found["rate"] == 0)]
        assert rows["share"].tolist() == alone["cn_share"].tolist()
        assert rows["cost"].tolist() == (-alone["welfare"]).tolist()


def test_a_cut_off_with_nothing_to_add_is_refused() -> None:
    tariff = load_scenario("component_50")
    name = "component_tariff"
    other = {"kind": "chip_cutoff", "denied": 1.0, "start": "2029-01"}
    same = replace(load_scenario("baseline"), policies={name: other})
    with pytest.raises(ScenarioError, match=f"another name for its policy {name}"):
        combined(tariff, same)
    with pytest.raises(ScenarioError, match="no policy to add"):
        combined(tariff, load_scenario("baseline"))


def test_responses_to_tariffs_keep_their_strength() -> None:
    answered = load_scenario("retaliation")
    stronger = with_strength(answered, 1.0)
    assert last_level(stronger.policies["component_tariff"].path) == 1.0
    assert stronger.policies["retaliation"] == answered.policies["retaliation"]


# Equal effect


def test_scenarios_are_scaled_to_the_effect_of_the_first() -> None:
    def answer(s: Scenario) -> float:
        weight = {"component_tariff": 1.0, "product_tariff": 0.4}
        return 30 / (1 + sum(weight[n] * last_level(p.path) for n, p in s.policies.items()))

    first, second, third = map(load_scenario, ("component_50", "whole_product_china", "baseline"))
    scaled = list(scaled_to_first([first, second, third], "effect", toy(answer)))
    assert scaled[0].scenario == first
    assert scaled[2].scenario == third
    assert strength_of(scaled[1].scenario) == pytest.approx(1.25, abs=3e-3)
    assert scaled[1].before == 0.25
    assert "as component_50" in scaled[1].scenario.title
    strong = with_strength(first, 1.5)
    _, most = scaled_to_first([strong, second], "effect", toy(answer))
    assert not most.is_met
    assert strength_of(most.scenario) == 2.0
    assert most.scenario.title.endswith("(at rate 2, the nearest it can get)")
    assert "the nearest it can get (Chinese share of chips 16.7 %)" in str(most)
    assert str(scaled[1]).startswith("whole_product_china: rate 0.25 scaled to 1.25 [")


def test_equal_revenue_counts_duties_on_bare_chips() -> None:
    """Of two tariffs on unmounted chips that differ in their rate alone, the rates are equal."""
    bare = {"kind": "bare_chip_tariff", "start": "2025-01", "rate": 0.4}
    base = replace(small("baseline"), run__end="2025-06")
    scenarios = [replace(base, policies={"bare": bare | {"rate": rate}}) for rate in (0.4, 0.1)]
    _, scaled = scaled_to_first(scenarios, "revenue", EnsembleRunner(base, range(2)))
    assert scaled.is_met
    rate = strength_of(scaled.scenario)
    assert rate == pytest.approx(0.4, rel=0.05)  # found to 1/20 of a standard error

"""Parameters drawn for every seed: their distribution, what stays, and how runs share them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.experiments import compare, run_ensemble
from tariffsim.experiments.parameter_draws import (
    CENTRAL,
    REPEATS,
    Estimates,
    draw_number,
    draws_of,
    joint_distribution,
    stored_estimates,
    with_draw,
)
from tariffsim.experiments.parameter_shares import (
    METRIC,
    SEEDS,
    chance_share,
    stored,
    strongest,
    variance_shares,
)
from tariffsim.experiments.runs import replications_of
from tariffsim.record.intervals import paired_interval
from tariffsim.scenario import Scenario, load_scenario, replace, to_yaml
from tariffsim.scenario.factors import parameter_at
from tariffsim.scenario.scenario_files import shipped_names
from tariffsim.scenario.variation import varied
from tariffsim.tables import csv_files

JOINT = joint_distribution()
MANY = draws_of(range(1000))


def small(name: str, **changes: object) -> Scenario:
    own = {"agents__makers": 60, "run__end": "2025-06"}
    return replace(load_scenario(name), **own | changes)


@given(seeds=st.lists(st.integers(0, 2**31), min_size=1, max_size=4))
def test_a_seed_has_its_draw_whatever_the_other_seeds_are(seeds: list[int]) -> None:
    together = draws_of(seeds)
    assert all(draws_of([seed])[seed] == together[seed] for seed in seeds)


def test_one_seed_in_four_repeats_the_draw_before_it_and_no_other_does() -> None:
    numbers = [draw_number(seed) for seed in range(len(MANY))]
    steps = np.diff(numbers)
    assert (steps[REPEATS - 2 :: REPEATS] == 0).all()
    assert steps.sum() == (len(steps) - len(steps[REPEATS - 2 :: REPEATS]))
    assert len({str(MANY[seed]) for seed in MANY}) == len(set(numbers))


def test_every_draw_is_within_the_ranges_and_around_the_defaults() -> None:
    for key in JOINT.keys:
        values = np.array([draw[key] for draw in MANY.values()], float)
        at = JOINT.keys.index(key)
        low, mode, high = JOINT.low[at], JOINT.mode[at], JOINT.high[at]
        assert low <= values.min() < values.max() <= high, key
        # A Sobol' sequence of 750 points misses the mean of a beta-PERT by far less than this.
        assert abs(values.mean() - (low + 4 * mode + high) / 6) < 0.02 * (high - low), key
        if parameter_at(key, CENTRAL).kind == "whole number":
            assert all(isinstance(draw[key], int) for draw in MANY.values()), key


def test_estimated_parameters_keep_their_correlation_and_their_ranges() -> None:
    own = JOINT.estimates
    values = np.array([[draw[key] for key in own.keys] for draw in MANY.values()], float).T
    assert (values >= own.low[:, None]).all()
    assert (values <= own.high[:, None]).all()
    # Margins that are cut off lose a little of the correlation of the normal copula.
    assert np.abs(np.corrcoef(values) - own.correlation).max() < 0.1


def test_shares_of_one_total_are_at_most_one() -> None:
    pair = ("supply.discount_cost_share", "supply.discount_subsidy_share")
    assert max(sum(float(draw[key]) for key in pair) for draw in MANY.values()) <= 1 + 1e-12


@pytest.mark.parametrize("name", shipped_names())
def test_a_drawn_scenario_is_what_the_checked_way_of_changing_it_makes(name: str) -> None:
    scenario = load_scenario(name)
    drawn = with_draw(scenario, MANY[5])
    changed = {}
    for key in MANY[5]:
        block, *rest = key.split(".")
        if block != "figures":
            value = getattr(getattr(drawn, block), rest[0])
            if value != getattr(getattr(scenario, block), rest[0]):
                changed[key] = MANY[5][key]
    for table, codes in drawn.figures.items():
        for code, figures in codes.items():
            changed |= {f"figures.{table}.{code}.{name}": x for name, x in figures.items()}
    checked = varied(scenario, changed)
    assert len(changed) > 100
    assert drawn == checked
    assert drawn.content_hash == checked.content_hash


def test_what_a_scenario_sets_is_not_drawn() -> None:
    plan, base = (load_scenario(name) for name in ("before_301", "baseline"))
    share = [with_draw(one, MANY[0]).supply.china_capacity_share for one in (plan, base)]
    assert share[0] == plan.supply.china_capacity_share
    assert share[1].values[-1] == MANY[0]["supply.china_capacity_share"]
    assert share[1].values[0] == base.supply.china_capacity_share.values[0]
    own = replace(
        base,
        sourcing__elasticity=6.0,
        supply__discount_cost_share=0.6,
        figures={"devices": {"laptop": {"chip_content": 0.3}}},
    )
    drawn = with_draw(own, MANY[0])
    assert drawn.sourcing.elasticity == 6.0
    assert drawn.supply.discount_subsidy_share == base.supply.discount_subsidy_share
    assert drawn.tables().devices.number("laptop", "chip_content") == 0.3
    other = "smartphone", "chip_content"
    assert drawn.tables().devices.number(*other) != base.tables().devices.number(*other)
    assert drawn.agents == own.agents


def test_all_scenarios_of_a_seed_have_the_same_draw_and_no_run_passes_for_a_fixed_one() -> None:
    named = {name: load_scenario(name) for name in ("baseline", "component_50")}
    drawn = replications_of(named, range(5), "US", True, is_drawn=True)
    fixed = replications_of(named, range(5), "US", True)
    for seed in range(5):
        base, own = (one.draw for one in drawn if one.seed == seed)
        assert base is own is not None
    assert len({one.key for one in (*drawn, *fixed)}) == 20
    assert len({one.group for one in drawn}) == 5


def test_fixed_parameters_give_the_runs_of_an_ensemble_and_intervals_over_seeds() -> None:
    base, own = small("baseline"), small("component_50")
    results = compare(own, base, seeds=3, fixed_parameters=True)
    expected = run_ensemble({"component_50": own}, base, range(3)).table
    pd.testing.assert_frame_equal(
        results.tables["summary"], expected, check_exact=True, check_like=True
    )
    assert "parameters" not in results.provenance
    table = results.tables["headline"].set_index(["scenario", "metric"])
    assert list(table) == [
        "label", "unit", "level", "difference", "low", "high", "is_significant", "n",
    ]  # fmt: skip
    of = expected.pivot(index="seed", columns="scenario", values="duty_revenue")
    interval = paired_interval((of["component_50"] - of["baseline"]).tolist())
    row = table.loc["component_50", "duty_revenue"]
    assert (row["low"], row["high"]) == (interval.low, interval.high)


def test_a_drawn_comparison_is_that_of_the_scenarios_with_the_draw() -> None:
    base, own = small("baseline"), small("component_50")
    results = compare(own, base, seeds=1, seed=2)
    by_hand = compare(
        with_draw(own, MANY[2]), with_draw(base, MANY[2]), seeds=1, seed=2, fixed_parameters=True
    )
    summary = results.tables["summary"].drop(columns="draw")
    assert summary.equals(by_hand.tables["summary"])
    assert results.provenance["parameters"]["digest"] == JOINT.digest


def test_estimates_are_read_from_their_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "figures.node_classes.A+B+C.commodity_share"
    (tmp_path / "estimates.csv").write_text(
        "key,value,std_error,low,high,source\n"
        f"assembly.elasticity,8,1.5,6,12.5,S2\n{key},0.5,0.1,0.2,0.8,S2\n"
        "assembly.plants,9,,7,12,at a bound\n"
    )
    (tmp_path / "estimates_correlation.csv").write_text(
        f"key,assembly.elasticity,{key},assembly.plants\n"
        f"assembly.elasticity,1,-0.6,0\n{key},-0.6,1,0\nassembly.plants,0,0,1\n"
    )
    monkeypatch.setattr(csv_files, "SHIPPED", tmp_path)
    found = stored_estimates()
    assert found.keys == ("assembly.elasticity", key, "assembly.plants")
    values = found.values(np.random.default_rng(0).random((2000, 3)))
    assert np.corrcoef(values[:, :2].T)[0, 1] == pytest.approx(-0.6, abs=0.05)  # of 2000 points
    assert (values[:, 2] == 9).all()


@pytest.mark.parametrize(
    ("central", "correlation", "message"),
    [
        ([2.0, 0.5], np.eye(2), "within their ranges: a"),
        ([0.5, 0.5], np.array([[1.0, 1.2], [1.2, 1.0]]), "correlation matrix"),
        ([0.5, 0.5], np.array([[1.0, 0.2], [0.1, 1.0]]), "correlation matrix"),
        ([0.5], np.eye(2), "as many numbers as keys"),
    ],
)
def test_impossible_estimates_are_refused(
    central: list[float], correlation: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Estimates(("a", "b"), np.array(central), np.ones(2), np.zeros(2), np.ones(2), correlation)


def test_shares_of_variance_are_those_of_a_sum_of_known_parts() -> None:
    rng = np.random.default_rng(1)
    draws = [dict(zip("abc", row, strict=True)) for row in rng.standard_normal((4000, 3)).tolist()]
    shares = variance_shares(draws, [3 * d["a"] - d["b"] for d in draws])
    assert list(shares)[:2] == ["a", "b"]
    # Standard errors of 4000 draws are below 0.01.
    assert shares["a"] == pytest.approx(0.9, abs=0.03)
    assert shares["b"] == pytest.approx(0.1, abs=0.03)
    assert shares["c"] < 0.01


def test_chance_alone_seldom_gives_a_parameter_more_than_it_is_said_to() -> None:
    rng, seeds = np.random.default_rng(2), range(SEEDS)
    draws = [MANY[seed] for seed in seeds]
    above = [next(iter(variance_shares(draws, rng.standard_normal(SEEDS).tolist()).values()))
             > chance_share() for _ in range(40)]  # fmt: skip
    assert sum(above) <= 6  # 2 expected; more than 6 of 40 at 5 % each: below 0.4 %


def test_the_stored_design_is_of_the_distribution_that_is_drawn_from() -> None:
    design = stored()
    again = f"it is of another distribution: {design['made_by']}"
    assert design["draws"] == JOINT.digest, again
    assert design["seeds"][1] + 1 - design["seeds"][0] >= SEEDS >= 200
    for name, one in design["scenarios"].items():
        shares = list(one["shares"].values())
        assert set(one["shares"]) <= set(JOINT.all_keys)
        assert shares == sorted(shares, reverse=True)
        assert shares[-1] >= 0
        assert shares[0] <= 1
        assert list(strongest(load_scenario(name), "US").items()) == list(one["shares"].items())[:3]
    assert strongest(load_scenario("no_expansion"), "US") == {}
    assert strongest(load_scenario("component_50"), "EU") == {}
    assert strongest(replace("component_50", run__end="2028-12"), "US") == {}
    assert design["metric"] == METRIC


def test_results_can_be_read_as_scenarios_that_are_drawn_alike() -> None:
    base = load_scenario("baseline")
    again = replace(Scenario(), **_content(to_yaml(base)))
    assert with_draw(again, MANY[7]).supply == with_draw(base, MANY[7]).supply


def _content(text: str) -> dict[str, object]:
    import yaml

    found: dict[str, object] = yaml.safe_load(text)
    return found

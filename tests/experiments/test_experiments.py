"""Comparisons: common random numbers, any number of workers, refusals."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from tariffsim.errors import ScenarioError
from tariffsim.experiments import compare, run, run_seed
from tariffsim.record.dictionary import COSTS
from tariffsim.record.results import Results
from tariffsim.scenario import Scenario, load_scenario, replace

SMALL = {"agents__makers": 100, "run__end": "2025-12"}


def small(name: str) -> Scenario:
    return replace(load_scenario(name), **SMALL)


def small_comparison(**options: object) -> Results:
    scenarios = [small("component_50"), small("whole_product_china")]
    return compare(scenarios, small("baseline"), seeds=3, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def comparison() -> Results:
    return small_comparison(jobs=1)


def test_same_bits_on_any_number_of_workers(comparison: Results) -> None:
    other = small_comparison(jobs=2)
    assert comparison.tables.keys() == other.tables.keys()
    for name, table in comparison.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name], check_exact=True, obj=name)


def test_a_scenario_does_not_depend_on_the_others(comparison: Results) -> None:
    alone = compare([small("component_50")], small("baseline"), seeds=3, jobs=1)
    for name in ("summary", "market_month", "foundries", "headline"):
        both = comparison.tables[name]
        expected = both[both["scenario"] == "component_50"].reset_index(drop=True)
        table = alone.tables[name]
        found = table[table["scenario"] == "component_50"].reset_index(drop=True)
        pd.testing.assert_frame_equal(expected, found, check_exact=True, obj=name)


def test_seeds_do_not_depend_on_each_other(comparison: Results) -> None:
    later = compare([small("component_50")], small("baseline"), seeds=1, seed=2, jobs=1)
    summary = comparison.tables["summary"]
    expected = summary[(summary["scenario"] == "component_50") & (summary["seed"] == 2)]
    found = later.tables["summary"].query("scenario == 'component_50'")
    pd.testing.assert_frame_equal(
        expected.reset_index(drop=True), found.reset_index(drop=True), check_exact=True
    )


def test_progress_counts_the_runs() -> None:
    seen: list[tuple[int, int]] = []
    small_comparison(jobs=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 9) for done in range(1, 10)]


def test_baseline_against_itself_differs_nowhere(comparison: Results) -> None:
    head = comparison.tables["headline"]
    base = head[(head["scenario"] == "baseline") & ~head["metric"].isin(COSTS)]
    assert (base["difference"] == 0).all()
    assert not base["is_significant"].any()


def test_before_its_announcement_a_policy_changes_nothing(comparison: Results) -> None:
    months = comparison.tables["market_month"]
    months = months[months["month"] < "2025-07"].set_index(["seed", "month", "market"])
    base = months[months["scenario"] == "baseline"].drop(columns="scenario")
    policy = months[months["scenario"] == "component_50"].drop(columns="scenario")
    pd.testing.assert_frame_equal(base, policy, check_exact=True)


def test_run_has_one_scenario() -> None:
    results = run(small("component_50"), seeds=2, jobs=1)
    assert list(results.scenarios) == ["component_50"]
    assert set(results.tables["summary"]["scenario"]) == {"component_50"}
    assert results.tables["headline"]["difference"].dropna().eq(0).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"agents__makers": 160}, "numbers of agents"),
        ({"run__end": "2025-11"}, "other months"),
    ],
)
def test_scenarios_without_common_random_numbers_are_refused(
    change: dict[str, object], words: str
) -> None:
    with pytest.raises(ScenarioError, match=words):
        compare([replace(small("component_50"), **change)], small("baseline"), seeds=1, jobs=1)


def test_a_refusal_says_how_to_fix_it() -> None:
    with pytest.raises(
        ScenarioError, match=r"--set agents\.makers=N.*replace\(baseline, agents__makers=N\)"
    ):
        compare([replace(small("component_50"), agents__makers=160)], small("baseline"), seeds=1)


@pytest.mark.parametrize("given", [{"seeds": 0}, {"seeds": True}, {"seeds": 2.5}, {"seeds": "3"},
                                   {"seed": -1}, {"jobs": 0}, {"jobs": -2}])  # fmt: skip
def test_numbers_of_the_wrong_type_or_size_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(given))} must be a whole number"):
        compare("component_50", **given)


def test_one_scenario_needs_no_list() -> None:
    assert list(compare(small("component_50"), small("baseline"), seeds=1).scenarios) == [
        "baseline", "component_50",
    ]  # fmt: skip
    with pytest.raises(ScenarioError, match="component_5 "):
        compare("component_5 ")


def test_unknown_market_is_refused() -> None:
    with pytest.raises(ScenarioError, match="has no market XX"):
        compare([small("component_50")], small("baseline"), seeds=1, jobs=1, market="XX")


def test_two_scenarios_of_one_name_get_two_names() -> None:
    twice = [small("component_50"), replace(small("component_50"), trade__markup=0.2)]
    results = compare(twice, small("baseline"), seeds=1, jobs=1)
    assert list(results.scenarios) == ["baseline", "component_50", "component_50_2"]


def test_paired_differences_have_less_variance_than_independent_ones() -> None:
    """What common random numbers are for."""
    pair = {name: small(name) for name in ("baseline", "component_50")}
    records = [run_seed(pair, seed) for seed in range(6)]
    prices = pd.DataFrame([{n: r.runs[n].summary["basket_price"] for n in pair} for r in records])
    paired = (prices["component_50"] - prices["baseline"]).var()
    assert paired < 0.25 * (prices["component_50"].var() + prices["baseline"].var())

"""Ensembles: order, failures, workers that end."""

from __future__ import annotations

import pandas as pd
import pytest

from tariffsim.experiments import Settings, compare, measure
from tariffsim.metrics import MEASURES
from tariffsim.scenario import Scenario, load_scenario

SEEDS = (3, 1, 2)


def small(name: str) -> Scenario:
    return load_scenario(name).with_(agents__makers=100, run__end="2025-08")


BASE = small("baseline")
SCENARIOS = {name: small(name) for name in ("component_50", "no_expansion")}


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_rows_are_in_the_order_of_scenarios_and_seeds() -> None:
    seen: list[tuple[int, int]] = []
    measured = measure(SCENARIOS, BASE, SEEDS, progress=lambda *done: seen.append(done))
    keys = list(measured.table[["scenario", "seed"]].itertuples(index=False, name=None))
    assert keys == [(n, s) for n in ("baseline", "component_50", "no_expansion") for s in SEEDS]
    assert list(measured.table.columns[2:]) == [m.name for m in MEASURES]
    assert seen == [(done, 9) for done in range(1, 10)]
    assert measured.failures == ()


def test_measures_are_those_of_a_comparison() -> None:
    measured = measure(SCENARIOS, BASE, range(2)).table
    compared = compare(list(SCENARIOS.values()), BASE, seeds=2, seed=0).tables["summary"]
    same(measured, compared[measured.columns])


def test_workers_change_nothing() -> None:
    alone = measure(SCENARIOS, BASE, SEEDS)
    same(alone.table, measure(SCENARIOS, BASE, SEEDS, settings=Settings(jobs=2)).table)
    one_seed = measure(SCENARIOS, BASE, [1], settings=Settings(jobs=2)).table  # seeds are split
    same(one_seed, alone.table.query("seed == 1").reset_index(drop=True))


def test_a_scenario_may_not_take_the_name_of_the_baseline() -> None:
    with pytest.raises(ValueError, match="name of the baseline"):
        measure({"baseline": SCENARIOS["component_50"]}, BASE, [1])

"""Scenarios that are compared have one focus; apart from that a run depends on nothing else."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tariffsim.experiments import compare
from tariffsim.experiments.decompose import decompose
from tariffsim.experiments.ensemble import EnsembleRunner
from tariffsim.experiments.runs import run_hash
from tariffsim.experiments.store import listed
from tariffsim.explain.remarks import remarks
from tariffsim.record.results import Results
from tariffsim.scenario import load_scenario, replace
from tariffsim.scenario.focus import common_focus
from tests.cli.calling import call, json_of

SMALL = {"agents__makers": 60, "run__start": "2026-01", "run__end": "2026-02"}
BASELINE, ALONE, ALLIED, LATE = (
    replace(load_scenario(name), **SMALL)
    for name in ("baseline", "component_50", "component_allied", "component_100")
)
WEST = ("US", "EU", "JK")
SETTINGS = ("--set", "agents.makers=60", "--set", "run.start=2026-01", "--set", "run.end=2026-01")


def runs_of(results: Results, name: str) -> dict[str, pd.DataFrame]:
    """All tables' rows of one scenario that are not compared with others."""
    tables = {k: v for k, v in results.tables.items() if "scenario" in v and k != "headline"}
    return {
        k: table[table["scenario"] == name].reset_index(drop=True) for k, table in tables.items()
    }


def assert_same(one: Results, other: Results, *names: str) -> None:
    for name in names:
        ours, theirs = runs_of(one, name), runs_of(other, name)
        assert set(ours) == set(theirs)
        assert ours
        for table, rows in ours.items():
            assert len(rows) or table in ("policies", "foresight")
            pd.testing.assert_frame_equal(rows, theirs[table], check_exact=True)


def test_the_focus_is_a_field_of_the_scenario_and_part_of_its_hash() -> None:
    assert load_scenario("component_allied").agents.focus == WEST
    assert load_scenario("component_50").agents.focus == ("US",)
    assert run_hash(BASELINE) != run_hash(replace(BASELINE, agents__focus=["EU"]))


def test_compared_scenarios_have_the_focus_of_all_in_the_order_of_markets() -> None:
    jk = replace(ALONE, agents__focus=["JK", "US"])
    assert common_focus([jk, replace(ALONE, agents__focus=["EU"])]) == WEST
    assert common_focus([jk, jk]) == ("JK", "US")
    results = compare([ALONE, ALLIED], BASELINE, seeds=1)
    assert results.provenance["focus"] == [*WEST]
    for text in results.scenarios.values():
        assert "focus: [US, EU, JK]" in text


def test_a_run_is_the_same_whatever_it_is_compared_with_apart_from_the_focus() -> None:
    both = compare([ALONE, ALLIED], BASELINE, seeds=2)
    widened = [replace(one, agents__focus=[*WEST]) for one in (BASELINE, ALONE)]
    assert_same(both, compare([widened[1]], widened[0], seeds=2), "baseline", "component_50")
    assert_same(compare([ALONE], BASELINE, seeds=2), compare([LATE, ALONE], BASELINE, seeds=2),
                "baseline", "component_50")  # fmt: skip


def test_stored_runs_are_found_under_the_common_focus(tmp_path: Path) -> None:
    store = tmp_path / "store"
    compare([ALONE, ALLIED], BASELINE, seeds=1, store=store)
    assert len(list(listed(store))) == 3
    widened = [replace(one, agents__focus=[*WEST]) for one in (BASELINE, ALONE)]
    compare([widened[1]], widened[0], seeds=1, store=store)
    assert len(list(listed(store))) == 3
    compare([ALONE], BASELINE, seeds=1, store=store)
    assert len(list(listed(store))) == 5


def test_other_experiments_share_the_focus_too() -> None:
    run = EnsembleRunner(BASELINE, [0])
    wide = run({"allied": ALLIED, "alone": ALONE}).set_index("scenario")
    widened = replace(ALONE, agents__focus=[*WEST])
    same = run({"alone": widened}).set_index("scenario")
    assert wide.loc["alone"].equals(same.loc["alone"])
    steps = decompose(ALONE, ALLIED, run)
    assert not steps["change"].str.contains("focus").any()


def test_the_command_says_whose_focus_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("compare", "component_50", "component_allied", "--seeds", 1, *SETTINGS)
    code, _, err = call(*asked)
    assert code == 0, err
    assert "component_50: compared with US, EU, JK in focus (agents.focus)" in err
    assert "is not in focus" not in err
    found = json_of(*asked, "--market", "ROW", "--force")
    assert any("ROW is not in focus" in note for note in found["notes"])
    assert any("agents.focus=[US, EU, JK, ROW]" in note for note in found["notes"])


def test_laws_on_the_origin_of_chips_out_of_focus_are_remarked_on() -> None:
    elsewhere = replace(ALONE, policies={"component_tariff": {"markets": ["US", "EU", "CN"]}})
    (said,) = [note for note in remarks(elsewhere) if "focus" in note]
    assert "policies.component_tariff asks where chips are from in EU, out of focus" in said
    assert "agents.focus: [US, EU]" in said
    (said,) = [note for note in remarks(replace(ALONE, agents__focus=[])) if "focus" in note]
    assert "out of focus (agents.focus: [])" in said
    for scenario in (ALONE, ALLIED):
        assert not [note for note in remarks(scenario) if "focus" in note]

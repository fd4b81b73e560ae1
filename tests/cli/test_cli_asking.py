"""Commands that ask many runs one question: what they print, save and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tariffsim.record.results import load_results
from tariffsim.scenario import load_scenario
from tests.cli.test_cli import _own_folder, call, no_run

__all__ = ["_own_folder", "no_run"]  # fixtures
SMALL = ["--set", "agents.makers=150", "--set", "run.end=2026-12", "--seeds", "2", "--jobs", "1"]


def test_solve_prints_the_answer_and_saves_what_was_tried() -> None:
    words = ["solve", "component_50", "--target", "cn_share=8", *SMALL]
    code, out, err = call(*words, "--between", "0:3", "--out", "found", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["metric"] == "cn_share"
    assert found["between"] == [0, 3]
    results = load_results("found")
    tried = results.tables["solve"]
    assert len(tried) == found["tried"] >= 5
    assert "running solve-component_50, 2 seeds" in err
    answer = load_scenario("found/scenarios/component_50_answer.yaml")
    assert answer.policies["component_tariff"].path.level == pytest.approx(found["value"])
    if found["is_met"]:
        assert tried["is_answer"].sum() == 1


def test_solve_says_the_most_that_can_be_reached() -> None:
    words = ["solve", "component_50", "sourcing.elasticity", "--target", "cn_share=90"]
    code, out, _ = call(*words, *SMALL, "--out", "found", "--quiet")
    assert code == 0
    said = " ".join(out.split())
    assert (
        "No sourcing.elasticity between 2 and 8 brings Chinese share of chips to 90 %: the" in said
    )
    assert "found between" in said


def test_solve_against_a_price_cut_is_what_the_baseline_has() -> None:
    words = ["solve", "component_50", "--against", "price_cut=0.2", "--metric", "cn_value_share"]
    code, out, err = call(*words, *SMALL, "--out", "found", "--json", "--quiet")
    assert code == 0, err
    found = json.loads(out)
    assert found["aim"] == "that of baseline"
    answer = load_scenario("found/scenarios/component_50_answer.yaml")
    assert answer.policies["against_price_cut"].path.level == 0.2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("solve component_50", 2, "give one of --target"),
        ("solve component_50 --target cn_share=9 --like baseline", 2, "give one of --target"),
        ("solve component_50 --target cn_share", 2, "must be NAME=NUMBER"),
        ("solve component_50 --target cn_share=nan", 2, "must be NAME=NUMBER"),
        ("solve component_50 --target cn_shar=9", 2, "there is no measure cn_shar"),
        ("solve component_50 --against tariff=9", 2, "--against must be one of"),
        ("solve component_50 --target cn_share=9 --between 0.5", 2, "--between must be LOW:HIGH"),
        ("solve component_50 --target cn_share=9 --between 0:9", 3, "must be between 0 and 5"),
        ("solve component_50 sourcing.elastic --target cn_share=9", 3, "is not a key that can be"),
        ("solve baseline --target cn_share=9", 3, "no policy whose rate could be changed"),
        ("decompose baseline baseline", 3, "does not differ"),
        ("timing component_50 --start soon", 2, "such as 2025-01..2030-01"),
        ("timing component_50 --start 2030..2026", 2, "must not end before it begins"),
        ("timing no_expansion --start 2026", 3, "no policy to move"),
        ("frontier component_50 --rates 0:1", 2, "--rates must be LOW:HIGH:STEP"),
        ("frontier no_expansion", 3, "no policy whose rate could be changed"),
        ("compare component_50 --equal rate", 2, "effect"),
        ("pack nowhere", 5, "is no complete results folder"),
        ("verify nowhere", 5, "is no complete results folder"),
    ],
)
def test_what_cannot_be_asked_is_refused(words: str, code: int, said: str) -> None:
    found, _, err = call(*words.split())
    assert said in " ".join(err.split())
    assert found == code


def test_decompose_adds_up_and_draws() -> None:
    words = ["decompose", "no_expansion", "component_50", "--metric", "basket_price"]
    code, out, err = call(*words, *SMALL, "--out", "found", "--json")
    assert code == 0, err
    steps = json.loads(out)["steps"]
    assert [step["step"] for step in steps] == ["first", "change", "change", "change", "second"]
    assert sum(s["contribution"] for s in steps[:-1]) == pytest.approx(
        steps[-1]["contribution"], abs=1e-11
    )
    assert "3 changes: 8 scenarios" in err
    assert Path("found/charts/13_decomposition.svg").is_file()


def test_timing_has_a_row_for_each_start_and_for_never() -> None:
    code, out, _ = call(
        "timing", "component_50", "--start", "2025-01..2026-01", *SMALL, "--out", "found", "--quiet"
    )
    assert code == 0
    firsts = [line.split()[0] for line in out.splitlines() if line[:2] in ("20", "ne")]
    assert firsts == ["2025-01", "2025-07", "2026-01", "never"]
    assert Path("found/charts/08_early_or_late.png").is_file()


def test_frontier_with_a_cut_off_has_all_tables() -> None:
    text = "policies:\n  cut: {kind: price_cut, points: 0.2, start: 2026-01}\n"
    text = f"schema_version: 1\nextends: baseline\n{text}"
    Path("cut.yaml").write_text(text, encoding="utf-8")
    code, out, err = call(
        "frontier", "component_50", "whole_product_china", "--rates", "0:1:0.5", "--cutoff",
        "cut.yaml", *SMALL, "--out", "found", "--json",
    )  # fmt: skip
    assert code == 0, err
    found = json.loads(out)
    assert len(found["frontier"]) == 6
    assert {row["rate"] for row in found["break_even"]} == {0.5, 1.0}
    tables = load_results("found").tables
    assert {"frontier", "frontier_runs", "break_even", "best_rate"} == tables.keys()
    nothing = tables["frontier"].query("rate == 0")
    assert (nothing["cost"] == 0).all()


def test_compare_with_equal_effect_scales_all_but_the_first() -> None:
    words = ["compare", "component_50", "whole_product_china", "--equal", "effect", *SMALL]
    code, out, err = call(*words, "--out", "found")
    assert code == 0, err
    assert "whole_product_china: rate 0.25 scaled to" in out
    results = load_results("found")
    first = load_scenario("found/scenarios/component_50.yaml")
    assert first.policies["component_tariff"].path.values == (0.25, 0.5)
    assert "at rate" in results.titles["whole_product_china"]


def test_the_same_question_has_the_same_answer_on_two_processes() -> None:
    words = ["decompose", "no_expansion", "component_50", *SMALL[:-2], "--quiet"]
    call(*words, "--jobs", "1", "--out", "one")
    call(*words, "--jobs", "2", "--out", "two")
    one, two = (load_results(name).tables["decomposition"] for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two, check_exact=True)

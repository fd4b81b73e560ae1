"""`solve`, `sweep`, `sensitivity`, `frontier`, `decompose`, `timing`: what they print and save."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tariffsim.cli.variation import in_words
from tariffsim.experiments import runs, sensitivity
from tariffsim.experiments.designs import points_of
from tariffsim.experiments.scaling import last_level
from tariffsim.record.dictionary import entry
from tariffsim.record.history import History
from tariffsim.record.results import Results, load_results
from tariffsim.scenario import load_scenario
from tariffsim.simulation import Simulation
from tests.cli.calling import EARLY, call, json_of, small

RATE = "policies.component_tariff.rate"
SMALL = [*small(), *EARLY]
"""Two seeds of half a year, in which the tariff of component_50 is in force."""


def results_in(folder: str | Path) -> Results:
    """The results of a command, of whose tables every column is in the data dictionary."""
    results = load_results(folder)
    varied = {factor["key"] for factor in results.provenance.get("factors", ())}
    for name, table in results.tables.items():
        for column in set(table.columns) - varied:
            known = entry(name, column)
            assert known is not None, f"{name}: {column}"
            assert {"all", name} & set(known.tables.split()), f"{name}: {column}"
    return results


# Solve


def test_solve_prints_the_solution_and_saves_what_was_tried() -> None:
    words = ["solve", "component_50", "--target", "cn_share=8", "--between", "0:3", *SMALL]
    found = json_of(*words, "--out", "found")
    assert found["metric"] == "cn_share"
    assert found["between"] == [0, 3]
    tried = results_in("found").tables["solve"]
    assert len(tried) == found["tried"] >= 5
    answer = load_scenario("found/scenarios/component_50_answer.yaml")
    assert last_level(answer.policies["component_tariff"].path) == pytest.approx(found["value"])
    assert tried["is_answer"].sum() == found["is_met"]


def test_solve_reports_the_nearest_that_can_be_reached(no_charts: None) -> None:
    words = ["solve", "component_50", "sourcing.elasticity", "--target", "cn_share=90", *SMALL]
    code, out, err = call(*words)
    assert code == 0
    text = " ".join(out.split())
    assert (
        "No sourcing.elasticity between 2 and 8 brings Chinese share of chips to 90 %: the" in text
    )
    assert "found between 2 and 8" in text
    assert "running solve-component_50, 2 seeds" in err


@pytest.mark.parametrize(
    ("aim", "others"),
    [(["--target", "cn_share=8"], 0), (["--change", "cn_share=-1"], 1),
     (["--like", "whole_product_china"], 1)],
)  # fmt: skip
def test_solve_runs_a_value_once_and_no_baseline_that_it_does_not_need(
    aim: list[str], others: int, no_charts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, int]] = []
    whole_run = Simulation.run

    def counted(run: Simulation) -> History:
        done.append((runs.run_hash(run.scenario), run.seed))
        return whole_run(run)

    monkeypatch.setattr(Simulation, "run", counted)
    found = json_of("solve", "component_50", *aim, *SMALL, "--seeds", 3)
    assert len(done) == len(set(done)) == 3 * (found["tried"] + others)


def test_solve_against_a_price_cut_aims_at_the_baseline(no_charts: None) -> None:
    words = ["solve", "component_50", "--against", "price_cut=0.2", "--metric", "cn_value_share"]
    found = json_of(*words, *SMALL, "--out", "found")
    assert found["aim"] == "that of baseline"
    answer = load_scenario("found/scenarios/component_50_answer.yaml")
    assert last_level(answer.policies["against_price_cut"].path) == 0.2


# Decompose, timing, frontier


def test_decompose_adds_up_and_draws() -> None:
    words = ["decompose", "no_expansion", "component_50", "--metric", "basket_price", *SMALL]
    code, out, err = call(*words, "--json", "--out", "found")
    assert code == 0, err
    assert "2 changes: 4 scenarios" in err
    assert "policies.capacity" in err  # the text, besides JSON
    assert "policies.component_tariff" in err
    steps = json.loads(out)["steps"]
    assert [step["step"] for step in steps] == ["first", "change", "change", "second"]
    contributions = [step["contribution"] for step in steps]
    assert sum(contributions[:-1]) == pytest.approx(contributions[-1], abs=1e-11)
    assert "charts/13_decomposition.svg" in results_in("found").files


@pytest.mark.slow
def test_the_result_is_the_same_on_two_processes() -> None:
    words = ["decompose", "no_expansion", "component_50", *SMALL]
    for jobs, folder in ((1, "one"), (2, "two")):
        assert call(*words, "--jobs", jobs, "--out", folder)[0] == 0
    one, two = (load_results(name).tables["decomposition"] for name in ("one", "two"))
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_timing_has_a_row_for_each_start_and_for_never() -> None:
    starts = ["--start", "2025-01..2025-05", "--step", "2"]
    code, out, err = call("timing", "component_50", *starts, *SMALL, "--out", "found")
    assert code == 0, err
    firsts = [line.split()[0] for line in out.splitlines() if line[:3] in ("202", "nev")]
    assert firsts == ["2025-01", "2025-03", "2025-05", "never"]
    assert max(map(len, out.splitlines())) <= 100
    assert Path("found/charts/08_early_or_late.png").is_file()
    assert "share_reduction" in results_in("found").tables["timing"]


def test_frontier_with_a_cut_off_has_all_tables() -> None:
    text = "policies:\n  cut: {kind: price_cut, points: 0.2, start: 2025-02}\n"
    text = f"schema_version: 1\nextends: baseline\n{text}"
    Path("cut.yaml").write_text(text, encoding="utf-8")
    words = ["frontier", "component_50", "whole_product_china", "--rates", "0:1:0.5"]
    found = json_of(*words, "--cutoff", "cut.yaml", *SMALL, "--out", "found")
    assert len(found["frontier"]) == 6
    assert {row["rate"] for row in found["break_even"]} == {0.5, 1.0}
    tables = results_in("found").tables
    assert {"frontier", "frontier_runs", "break_even", "best_rate"} == tables.keys()
    at_zero = tables["frontier"].query("rate == 0")
    assert (at_zero["cost"] == 0).all()


# Sweep


def test_a_sweep_prints_a_line_a_point_and_the_peak(tmp_path: Path) -> None:
    code, out, err = call("sweep", "component_50", *SMALL, "--vary", f"{RATE}=0:2:1")
    assert code == 0, err
    lines = out.splitlines()
    (head,) = (i for i, line in enumerate(lines) if line.split()[:1] == ["rate"])
    assert [line.split()[0] for line in lines[head + 1 : head + 4]] == ["0", "1", "2"]
    assert "New duty revenue" in out
    assert "2 seeds (0 to 1) at every point" in out
    assert max(map(len, lines)) <= 100
    folder = tmp_path / "results/sweep-component_50"
    assert f"Results: {folder}" in err
    results = results_in(folder)
    assert set(results.tables) == {"points", "sweep", "point_runs"}
    assert "charts/09_rate_curve.svg" in results.files


def test_a_sweep_as_json(no_charts: None) -> None:
    vary = ("--vary", f"{RATE}=0,0.5", "--vary", "sourcing.elasticity=4")
    found = json_of("sweep", "component_50", *SMALL, *vary)
    assert [p[RATE] for p in found["points"]] == [0, 0.5]
    assert {row["metric"] for row in found["sweep"]} >= {"cn_share", "welfare", "cost_per_pp"}
    assert found["failures"] == []
    assert found["revenue_peak"] is None  # two parameters are varied


def test_refused_points_are_named_and_the_rest_is_saved(no_charts: None, tmp_path: Path) -> None:
    vary = ("--vary", "supply.discount_cost_share=0.3,0.9", "--out", "here")
    code, out, err = call("sweep", "component_50", *SMALL, *vary)
    assert code == 4
    assert "discount_cost_share" in out
    assert "point 1: design: " in err
    assert "must not exceed 1" in err
    assert load_results(tmp_path / "here").tables["sweep"]["point"].unique().tolist() == [0]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--vary", f"{RATE}=0:200:10"], 3, "rates are fractions"),
        (["--vary", "sourcing.elastcity=1:2:1"], 3, "did you mean sourcing.elasticity?"),
        (["--vary", f"{RATE}=0:1"], 3, "has no steps"),
        ([], 3, "varies nothing"),
        (["--vary", f"{RATE}=0:1", "--design", "sobol", "--points", "6"], 3, "take 4 or 8"),
        (["--vary", f"{RATE}=0", "--vary", f"{RATE}=1"], 2, "is given twice"),
        (["--vary", f"{RATE}=0", "--market", "UK"], 2, "there is no market UK"),
    ],
)
def test_bad_sweeps_are_refused(words: list[str], code: int, message: str, tmp_path: Path) -> None:
    ended, out, err = call("sweep", "component_50", *SMALL, *words)
    assert (ended, out) == (code, "")
    assert message in err
    assert not (tmp_path / "results/sweep-component_50/manifest.json").exists()


def test_a_design_without_keys_takes_every_range(
    no_charts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def note(design: str, factors: Any, points: Any, seed: int) -> Any:
        seen["keys"] = {factor.key for factor in factors}
        return points_of(design, factors, points, seed)

    monkeypatch.setattr("tariffsim.experiments.sweep.points_of", note)
    code, out, err = call("sweep", "component_50", *SMALL, "--design", "lhs", "--points", "2")
    assert code == 0, err
    assert max(map(len, out.splitlines())) <= 100
    assert {"supply.learning", "figures.devices.*.cn_share"} <= seen["keys"]


# Sensitivity


def test_sensitivity_prints_a_ranking(no_charts: None) -> None:
    vary = ("--vary", "sourcing.elasticity", "--vary", "trade.markup=0.1:0.2")
    code, out, err = call("sensitivity", "component_50", *SMALL, *vary)
    assert code == 0, err
    assert "sourcing.elasticity 2 to 8 " in " ".join(out.split())
    assert "The 2 assumptions that matter most: " in out
    assert "running sensitivity-component_50" in err
    results = results_in("results/sensitivity-component_50")
    assert results.provenance["method"] == "tornado"


@pytest.mark.parametrize("method", ["morris", "sobol"])
def test_sensitivity_by_index(method: str, no_charts: None) -> None:
    words = ("--vary", "sourcing.elasticity", "--points", "2", "--seeds", "1")
    found = json_of("sensitivity", "component_50", *SMALL, "--method", method, *words)
    (row,) = found["sensitivity"]
    assert row["factor"] == "sourcing.elasticity"
    assert row.keys() >= ({"mu_star", "sigma"} if method == "morris" else {"first_order"})
    results_in("results/sensitivity-component_50")


def test_without_salib_the_extra_is_named(no_charts: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.sample.sobol", None)
    words = ("--method", "sobol", "--vary", "trade.markup")
    code, out, err = call("sensitivity", "component_50", *SMALL, *words)
    assert (code, out) == (2, "")
    assert "pip install 'tariffsim[sensitivity]'" in err
    tornado = ("sensitivity", "component_50", *SMALL, "--vary", "trade.markup")
    assert call(*tornado)[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--metric", "cn_shar"], "did you mean cn_share?"),
        (["--vary", f"{RATE}=range"], "has no plausible range"),
        (["--method", "sobol", "--points", "6"], "powers of two"),
        (["--method", "morris", "--vary", "sourcing.elasticity=2,8"], "has no range"),
    ],
)
def test_bad_analyses_are_refused(words: list[str], message: str) -> None:
    code, out, err = call("sensitivity", "component_50", *SMALL, *words)
    assert (code, out) == (3, "")
    assert message in err


def test_a_comparison_reports_what_matters_most(
    no_charts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two of the ranges; the table is saved with the results."""
    everything = sensitivity.plausible
    monkeypatch.setattr(sensitivity, "plausible", lambda scenario: everything(scenario)[10:12])
    code, out, err = call("compare", "component_50", *SMALL, "--sensitivity")
    assert code == 0, err
    assert "The three assumptions that matter most" in out
    table = results_in("results/compare-component_50").tables["assumptions"]
    assert set(table["scenario"]) == {"component_50"}


def test_the_words_under_a_comparison() -> None:
    rows = [
        {"scenario": "a", "factor": f"f{n}", "low_end": 0.5, "high_end": 2, "central": -6.5,
         "at_low": -4.0 + n, "at_high": -11.0}
        for n in range(4)
    ]  # fmt: skip
    text = " ".join(in_words(pd.DataFrame(rows), 3).split())
    assert text.endswith(
        "a (-6.5): f0 0.5 to 2: -4.0 to -11.0; f1 0.5 to 2: -3.0 to -11.0; "
        "f2 0.5 to 2: -2.0 to -11.0."
    )

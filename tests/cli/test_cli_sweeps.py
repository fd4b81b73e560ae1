"""`sweep`, `sensitivity` and `compare --sensitivity` as their users meet them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tariffsim.cli.assumptions import in_words
from tariffsim.experiments.designs import points_of
from tariffsim.record.results import load_results
from tests.cli.test_cli import call

RATE = "policies.component_tariff.rate"
TINY = ["--seeds", "2", "--jobs", "1", "--set", "agents.makers=60", "--set", "run.end=2026-06"]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tariffsim.charts.draw_all", lambda *_: {})


def test_a_sweep_prints_a_line_a_point_and_the_peak(tmp_path: Path) -> None:
    code, out, err = call("sweep", "component_50", *TINY, "--vary", f"{RATE}=0:2:1")
    assert code == 0, err
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[2:6]] == ["rate", "0", "1", "2"]
    assert "New duty revenue" in out
    assert "2 seeds (0 to 1) at every point" in out
    assert max(map(len, lines)) <= 100
    folder = tmp_path / "results/sweep-component_50"
    assert f"Results: {folder}" in err
    results = load_results(folder)
    assert set(results.tables) == {"points", "sweep", "point_runs"}
    assert "charts/09_rate_curve.svg" in results.files


def test_a_sweep_as_json(no_charts: None) -> None:
    words = ("--vary", f"{RATE}=0,0.5", "--vary", "sourcing.elasticity=4", "--json")
    code, out, _ = call("sweep", "component_50", *TINY, *words)
    found = json.loads(out)
    assert code == 0
    assert [p[RATE] for p in found["points"]] == [0, 0.5]
    assert {row["metric"] for row in found["sweep"]} >= {"cn_share", "welfare", "cost_per_pp"}
    assert found["failures"] == []
    assert found["revenue_peak"] is None  # two numbers are varied


def test_refused_points_are_named_and_the_rest_is_saved(no_charts: None, tmp_path: Path) -> None:
    vary = ("--vary", "supply.discount_cost_share=0.3,0.9", "--out", "here")
    code, out, err = call("sweep", "component_50", *TINY, *vary)
    assert code == 4
    assert "discount_cost_share" in out
    assert "point 1: design: " in err
    assert "must not exceed 1" in err
    assert load_results(tmp_path / "here").tables["sweep"]["point"].unique().tolist() == [0]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--vary", f"{RATE}=0:200:10"], 3, "rates are fractions"),
        (["--vary", "sourcing.elastcity=1:2:1"], 3, "did you mean sourcing.elasticity?"),
        (["--vary", f"{RATE}=0:1"], 3, "has no steps"),
        ([], 3, "varies nothing"),
        (["--vary", f"{RATE}=0:1", "--design", "sobol", "--points", "6"], 3, "take 4 or 8"),
        (["--vary", f"{RATE}=0", "--vary", f"{RATE}=1"], 2, "is there twice"),
        (["--vary", f"{RATE}=0", "--market", "UK"], 2, "there is no market UK"),
    ],
)
def test_bad_sweeps_are_refused(words: list[str], code: int, said: str, tmp_path: Path) -> None:
    ended, out, err = call("sweep", "component_50", *TINY, *words)
    assert (ended, out) == (code, "")
    assert said in err
    assert not (tmp_path / "results/sweep-component_50/manifest.json").exists()


def test_a_design_without_keys_takes_every_range(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def note(name: str, factors: Any, points: Any, seed: int) -> Any:
        seen["keys"] = {factor.key for factor in factors}
        return points_of(name, factors, points, seed)

    monkeypatch.setattr("tariffsim.experiments.sweep.points_of", note)
    code, out, err = call("sweep", "component_50", *TINY, "--design", "lhs", "--points", "2")
    assert code == 0, err
    assert max(map(len, out.splitlines())) <= 100
    assert {"supply.learning", "figures.devices.*.cn_share"} <= seen["keys"]


def test_sensitivity_prints_a_ranking(no_charts: None) -> None:
    vary = ("--vary", "sourcing.elasticity", "--vary", "trade.markup=0.1:0.2")
    code, out, err = call("sensitivity", "component_50", *TINY, *vary)
    assert code == 0, err
    assert "sourcing.elasticity 2 to 8 " in " ".join(out.split())
    assert "The 2 assumptions that matter most: " in out
    assert "running sensitivity of component_50" in err
    assert load_results(Path("results/sensitivity-component_50")).provenance["method"] == "tornado"


@pytest.mark.parametrize("method", ["morris", "sobol"])
def test_sensitivity_by_index(method: str, no_charts: None) -> None:
    words = ("--vary", "sourcing.elasticity", "--points", "2", "--seeds", "1", "--json")
    code, out, err = call("sensitivity", "component_50", *TINY, "--method", method, *words)
    assert code == 0, err
    (row,) = json.loads(out)["sensitivity"]
    assert row["factor"] == "sourcing.elasticity"
    assert row.keys() >= ({"mu_star", "sigma"} if method == "morris" else {"first_order"})


def test_without_salib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SALib.sample.sobol", None)
    code, out, err = call(
        "sensitivity", "component_50", *TINY, "--method", "sobol", "--vary", "trade.markup"
    )
    assert (code, out) == (2, "")
    assert "pip install 'tariffsim[sensitivity]'" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--metric", "cn_shar"], "did you mean cn_share?"),
        (["--vary", f"{RATE}=range"], "has no plausible range"),
        (["--method", "sobol", "--points", "6"], "powers of two"),
        (["--method", "morris", "--vary", "sourcing.elasticity=2,8"], "has no range"),
    ],
)
def test_bad_questions_are_refused(words: list[str], said: str) -> None:
    code, out, err = call("sensitivity", "component_50", *TINY, *words)
    assert (code, out) == (3, "")
    assert said in err


def test_a_comparison_says_what_matters_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """With three of the ranges; the table is kept with the results."""
    from tariffsim.experiments import assumptions

    whole = assumptions.plausible
    monkeypatch.setattr(assumptions, "plausible", lambda scenario: whole(scenario)[10:12])
    monkeypatch.setattr("tariffsim.report.page.publish", lambda results: None)
    code, out, err = call("compare", "component_50", *TINY, "--sensitivity")
    assert code == 0, err
    assert "The three assumptions that matter most" in out
    table = load_results(Path("results/compare-component_50")).tables["assumptions"]
    assert set(table["scenario"]) == {"component_50"}


def test_the_words_under_a_comparison() -> None:
    rows = [
        {"scenario": "a", "factor": f"f{n}", "low_end": 0.5, "high_end": 2, "central": -6.5,
         "at_low": -4.0 + n, "at_high": -11.0}
        for n in range(4)
    ]  # fmt: skip
    said = " ".join(in_words(pd.DataFrame(rows), 3).split())
    assert said.endswith(
        "a (-6.5): f0 0.5 to 2: -4.0 to -11.0; f1 0.5 to 2: -3.0 to -11.0; "
        "f2 0.5 to 2: -2.0 to -11.0."
    )

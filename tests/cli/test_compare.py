"""`compare` and `run`: what they print and save, failed runs, precision, interrupts."""

from __future__ import annotations

import json
import os
import shlex
import signal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tariffsim import month, simulation
from tariffsim.cli import headline
from tariffsim.errors import NotFiniteError
from tariffsim.experiments import compare
from tariffsim.experiments.precision import FEW
from tariffsim.experiments.store import listed, opened
from tariffsim.record.metrics import HEADLINE, METRICS, RATIOS
from tariffsim.record.results import Results, load_results
from tariffsim.scenario import load_scenario, replace
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tests.cli.calling import EARLY, call, json_of, small
from tests.processes import PROGRAM, needs_signals, session_of, started, wait_for

SMALL, SIZE = small(), small(seeds=None)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A small comparison: its folder, what it printed to stdout and to stderr."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    names = ("whole_product_content", "component_50", "baseline")
    code, out, err = call("compare", *names, *SMALL, "--out", folder)
    assert code == 0, err
    return folder, out, err


# Text


def test_compare_prints_one_line_a_scenario(saved: tuple[Path, str, str]) -> None:
    folder, out, err = saved
    lines = out.splitlines()
    assert lines[0].startswith("The Chinese share of chips ")
    (head,) = [i for i, line in enumerate(lines) if "Share %" in line]
    named = [line.split()[0] for line in lines[head + 1 : head + 4]]
    assert named == ["baseline", "whole_product_content", "component_50"]
    assert max(map(len, lines)) <= 100
    assert "2 seeds (0 to 1)" in out
    assert "not statistically significant" in " ".join(out.split())
    assert "running 3 scenarios, 2 seeds" in err.splitlines()
    assert f"Report:  {folder / 'report.html'}" in err
    assert f"Results: {folder}" in err


def test_results_are_in_the_folder_that_it_names(saved: tuple[Path, str, str]) -> None:
    results = load_results(saved[0])
    assert results.baseline == "baseline"
    assert list(results.titles) == ["baseline", "whole_product_content", "component_50"]
    assert "makers: 60" in results.scenarios["component_50"]
    assert b"<html" in results.files["report.html"]
    assert not list(saved[0].parent.glob(".*"))


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("details", [False, True])
def test_the_table_fits_the_terminal(
    columns: int, details: bool, saved: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = headline.text_of(load_results(saved[0]), load_scenario("baseline"), details)
    assert max(map(len, text.splitlines())) <= columns
    is_table = columns >= 60 and not details
    heads = [line for line in text.splitlines() if "Share %" in line]
    assert len(heads) == is_table, "one line is the header"
    assert ("World pp" in text) == (is_table and columns >= 100)
    words = {w for m in METRICS if details or m.name in HEADLINE for w in m.label.split()}
    assert is_table or columns < 60 or all(word in text for word in words)
    assert "component_50" in text


def made_up(difference: float, low: float, high: float, n: int = 20) -> Results:
    """Results whose scenario differs in every metric by the same amount."""
    rows = []
    for scenario, values in (("baseline", (0.0, 0.0, 0.0)), ("x" * 50, (difference, low, high))):
        for m in (*METRICS, *RATIOS):
            row = {"scenario": scenario, "metric": m.name, "label": m.name, "unit": "%"}
            row |= dict(zip(("difference", "low", "high"), values, strict=True))
            is_significant = n > 1 and not values[1] <= 0 <= values[2]
            rows.append(row | {"level": 50.0, "is_significant": is_significant, "n": n})
    names = {"baseline": "", "x" * 50: ""}
    tables = {"headline": pd.DataFrame(rows)}
    return Results(tables, names, names, "US", {"seeds": [0, n - 1]})


@pytest.mark.parametrize(
    ("values", "expected", "elsewhere"),
    [
        ((-6.62, -7.44, -5.8), "-6.6 [-7.4, -5.8]", "-6.62"),
        ((-0.7, -2.27, 0.82), "n.s. [-2.3, +0.8]", "n.s."),
        ((0.0, 0.0, 0.0), "0.0 [0.0, 0.0]", "0.000"),
        ((1234.5, 1200.0, 1300.0), "+1,234.5 [+1,200.0, +1,300.0]", "+1,234"),
        ((3.0, float("nan"), float("nan"), 1), "+3.0", "+3.00"),
        ((float("nan"), float("nan"), float("nan")), "n.s.", "n.s."),
    ],
)
def test_changes_in_words(
    values: tuple[Any, ...], expected: str, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headline, "PAGE", 200)  # intervals stand beside the change
    text = headline.text_of(made_up(*values), load_scenario("baseline"), details=False)
    (line,) = (line for line in text.splitlines() if line.startswith("x" * 22 + " "))
    assert f" {expected} " in line
    assert line.split().count(elsewhere) >= 5
    assert ("One seed gives no interval" in text) == (len(values) == 4)
    lost = f"Sales lost for lack of chips: baseline 50.0 %, {'x' * 50} 50.0 %."
    assert lost in " ".join(text.split())


def test_run_prints_levels(tmp_path: Path, no_charts: None) -> None:
    code, out, err = call("run", "component_50", *SMALL)
    assert code == 0
    assert "Chinese share of chips" in out
    assert "Loss of consumer surplus" not in out
    assert (tmp_path / "results" / "component_50" / "manifest.json").is_file()
    assert str(tmp_path / "results" / "component_50") in err


def test_names_of_any_script(tmp_path: Path, no_charts: None) -> None:
    file = tmp_path / "zöll 研究.yaml"
    file.write_text("schema_version: 1\nextends: baseline\ntitle: Zölle\n", encoding="utf-8")
    code, out, err = call("compare", file, *SMALL, "--quiet", "--baseline", "component_50")
    assert (code, err) == (0, "")
    assert "zöll 研究" in out
    assert (tmp_path / "results" / "compare-zöll_研究" / "manifest.json").is_file()


def test_json_of_a_comparison(tmp_path: Path, no_charts: None) -> None:
    code, out, err = call("compare", "component_50", *SMALL, "--json", "--out", "out")
    data = json.loads(out)
    assert code == 0
    assert data["folder"] == str(tmp_path / "out")
    share = data["headline"]["component_50"]["cn_share"]
    assert {"level", "difference", "low", "high", "is_significant", "n", "unit"} <= set(share)
    assert data["headline"]["baseline"]["cost_per_pp"]["level"] is None
    assert "component_50" in err


def test_equal_effect_scales_all_but_the_first(no_charts: None) -> None:
    words = ["compare", "component_50", "whole_product_china", "--equal", "effect", *EARLY]
    early = ["--set", "policies.product_tariff.rate={2025-01: 0.25}"]
    early += ["--set", "policies.product_tariff.announced=2025-01"]
    code, out, err = call(*words, *early, *SMALL, "--out", "found")
    assert code == 0, err
    assert "whole_product_china: rate 0.25 scaled to" in " ".join(out.split())
    results = load_results("found")
    first = load_scenario("found/scenarios/component_50.yaml")
    assert first.policies["component_tariff"].path.values == (0.5,)
    assert "at rate" in results.titles["whole_product_china"]


# Settings and notes


def test_settings_hold_for_all_that_have_them(no_charts: None) -> None:
    policy = "policies.component_tariff.rate={2026-01: 0.8}"
    words = ["compare", "component_50", "whole_product_china", *SMALL, "--set", policy]
    code, _, err = call(*words, "--set", "supply.learning=0.1", "--out", "out")
    assert code == 0, err
    scenarios = load_results("out").scenarios
    assert ["0.8" in text for text in scenarios.values()] == [False, True, False]
    assert all("learning: 0.1" in text for text in scenarios.values())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("policies.component_tarif.rate=0.8", "did you mean component_tariff?"),
        ("supply.learnin=0.1", "did you mean learning?"),
        ("supply.learning", "must be key.path=value"),
        ("supply.learning=90", "must be between 0 and 0.5"),
        ("agents.makers=.nan", "must be a finite number"),
    ],
)
def test_bad_settings_are_refused_once(setting: str, message: str, no_run: None) -> None:
    code, _, err = call("compare", "component_50", "no_expansion", "--set", setting)
    assert code == 3
    assert message in err
    assert "1 problem" in err


def test_comparisons_repeat_the_notes(no_charts: None) -> None:
    policy = "policies.component_tariff.rate={2040-01: 0.5}"
    late = ["--set", policy, "--set", "policies.component_tariff.announced=2040-01"]
    code, out, err = call("compare", "component_50", *SMALL, *late, "--json")
    assert code == 0, err
    notes = json.loads(out)["notes"]
    of_policy, *of_lines = sorted(notes, key=lambda note: "agents.makers" in note)
    assert of_policy.startswith("component_50: policies.component_tariff does nothing")
    # both scenarios have too few lines for the trade of the tables
    found = [note.split(": its")[0] for note in of_lines]
    assert sorted(found) == ["baseline: agents.makers", "component_50: agents.makers"]
    assert of_policy in err
    assert err.count(" lines carry that of the tables") == 1
    assert "Note: baseline, component_50: agents.makers: its trade differs" in err


# Precision


def test_precision_adds_seeds(no_charts: None) -> None:
    words = ["compare", "component_50", *EARLY, *SIZE, "--seed", "4", "--out", "out"]
    stored = [*words, "--fixed-parameters", "--store", "stored"]
    wish = half_width(share_of(*stored, "--seeds", 12))
    precise = ["--precision", f"{0.999 * wish:.6f}pp"]
    found = json_of(*stored, *precise)
    share = found["headline"]["component_50"]["cn_share"]
    n = share["n"]
    assert n > FEW
    assert half_width(share) == pytest.approx(found["precision"]["half_width"])
    assert half_width(share) <= wish
    assert half_width(share_of(*stored, "--seeds", n - 1)) > 0.999 * wish
    _, out, err = call(*stored, *precise)
    text = " ".join(out.split())
    assert f"{n} seeds (4 to {n + 3}), which reached the precision of" in text
    assert "running 2 scenarios, as many seeds as the precision takes" in err.splitlines()


def test_a_number_of_seeds_is_instead_of_a_precision(no_run: None) -> None:
    code, _, err = call("compare", "component_50", "--precision", "0.1pp", "--seeds", 9)
    assert (code, "--seeds is a fixed number of seeds: leave out --precision" in err) == (2, True)


def test_a_written_number_of_seeds_is_fixed(no_charts: None) -> None:
    words = ["compare", "component_50", *SIZE, "--set", "run.seeds=2", "--out", "out"]
    code, out, err = call(*words)
    assert code == 0
    assert "running 2 scenarios, 2 seeds" in err.splitlines()
    assert "2 seeds (0 to 1). baseline: levels" in " ".join(out.split())


@pytest.mark.slow
def test_precision_adds_as_many_seeds_on_two_processes(no_charts: None) -> None:
    words = ["compare", "component_50", *EARLY, *SIZE, "--out", "out", "--fixed-parameters"]
    wish = half_width(share_of(*words, "--seeds", FEW))
    words += ["--precision", f"{0.999 * wish:.6f}pp"]
    one, two = (share_of(*words, "--jobs", jobs) for jobs in (1, 2))
    assert one == two
    assert one["n"] > FEW


def half_width(found: dict[str, Any]) -> float:
    return float(found["high"] - found["low"]) / 2


def share_of(*words: object) -> dict[str, Any]:
    return dict(json_of(*words)["headline"]["component_50"]["cn_share"])


@pytest.mark.parametrize("given", ["0", "-1pp", "x", "nan", "100pp", "1%"])
def test_a_precision_must_be_a_number_of_percentage_points(given: str) -> None:
    code, _, err = call("compare", "component_50", "--precision", given)
    assert (code, "is not a number of percentage points" in err) == (2, True)


# Failed runs


@pytest.fixture
def one_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed 1 fails in component_50."""
    first = month.PHASES[0]

    def policy(economy: Economy, draws: Draws) -> None:
        if draws.seed == 1 and economy.scenario.name == "component_50":
            raise NotFiniteError("price became NaN")
        first(economy, draws)

    monkeypatch.setattr(simulation, "PHASES", (policy, *month.PHASES[1:]))


def test_a_failed_run_ends_in_code_4_with_the_rest_saved(
    one_failing: None, no_charts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["compare", "component_50", *SMALL, "--seeds", "3", "--out", "out"]
    code, out, err = call(*words, "--json")
    failure = {"scenario": "component_50", "seed": 1, "phase": "policy",
               "message": "NotFiniteError: price became NaN"}  # fmt: skip
    assert (code, json.loads(out)["failures"]) == (4, [failure])
    assert "1 run failed; the rest is saved:\n  component_50, seed 1: policy: NotFinite" in err
    assert "2 of 3 seeds (0 to 2): in the others a run failed." in err
    results = load_results("out")
    assert set(results.tables["summary"]["seed"]) == {0, 2}  # of the baseline too
    assert len(listed(Path("out/runs"))) == 5  # kept, so that one is left to do
    monkeypatch.setattr(simulation, "PHASES", month.PHASES)
    assert call(*words)[0] == 0
    assert not Path("out/runs").exists()
    size = {"agents__makers": 60, "run__end": "2025-06"}
    scenarios = [replace(load_scenario(name), **size) for name in ("component_50", "baseline")]
    expected = compare(*scenarios, seeds=3).tables["summary"]
    found = load_results("out").tables["summary"]
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_without_a_complete_seed_there_is_no_result(one_failing: None, no_charts: None) -> None:
    code, _, err = call("compare", "component_50", *SMALL, "--seeds", "1", "--seed", "1")
    assert code == 4
    assert "component_50, seed 1: policy: NotFiniteError: price became NaN" in err


# Interrupts


@needs_signals
@pytest.mark.parametrize("to_all", [True, False], ids=["terminal", "kill"])
def test_an_interrupted_comparison_stops_and_can_be_continued(
    to_all: bool, tmp_path: Path, no_charts: None
) -> None:
    """Both as from a terminal, which signals all processes, and as from `kill`, which signals one.

    Workers end, existing results stay, finished runs are stored for the same command to continue.
    """
    out, seeds = tmp_path / "out", 500
    assert call("run", "baseline", *SMALL, "--out", out)[0] == 0
    before = (out / "manifest.json").read_bytes()
    words = ["compare", "component_50", *SMALL, "--seeds", seeds, "--jobs", 2, "--out", "out"]
    words = [str(word) for word in [*words, "--force"]]
    with started([*PROGRAM, *words]) as running:
        wait_for(lambda: len(listed(out / "runs")) >= 4 or running.poll() is not None)
        code, _, err = call(*words)
        assert (code, "is busy" in err) == (5, True)
        (os.killpg if to_all else os.kill)(running.pid, signal.SIGINT)
        printed, err = running.communicate()
        assert (running.returncode, printed) == (130, "")
        assert f"of {2 * seeds} runs are finished and stored in" in err
        assert shlex.join(["tariffsim", *words]) in err
        assert "Traceback" not in err
        wait_for(lambda: not session_of(running.pid))
    assert (out / "manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with opened(out / "runs"):
        stored = listed(out / "runs")
    assert 4 <= len(stored) < 2 * seeds
    assert not any(run.problem for run in stored)

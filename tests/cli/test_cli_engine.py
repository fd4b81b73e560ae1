"""Commands that make many runs: failures, interrupts, the store, precision."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tariffsim import month, simulation
from tariffsim.errors import NotFiniteError
from tariffsim.experiments import compare
from tariffsim.experiments.store import opened
from tariffsim.record.results import load_results
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tests.cli.test_cli import (
    _own_folder,
    call,
    listen_to_interrupts,
    needs_signals,
    no_charts,
    wait_for,
)

__all__ = ["_own_folder", "no_charts"]  # fixtures
SIZE = {"agents.makers": 100, "run.end": "2026-06"}
SMALL = [word for key, value in SIZE.items() for word in ("--set", f"{key}={value}")]


def small(name: str) -> Scenario:
    return replace(load_scenario(name), **SIZE)


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
    one_failing: None, no_charts: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["compare", "component_50", *SMALL, "--seeds", "3", "--jobs", "1", "--out", "out"]
    code, out, err = call(*words, "--json")
    said = json.loads(out)
    failure = {"scenario": "component_50", "seed": 1, "phase": "policy",
               "message": "NotFiniteError: price became NaN"}  # fmt: skip
    assert (code, said["failures"]) == (4, [failure])
    assert "1 runs failed; the rest is saved:\n  component_50, seed 1: policy: NotFinite" in err
    assert "2 of 3 seeds (0 to 2): in the others a run failed." in err
    results = load_results("out")
    assert set(results.tables["summary"]["seed"]) == {0, 2}  # of the baseline too
    assert len(list(Path("out/runs").glob("*.npz"))) == 5  # kept, so that one is left to do
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tariffsim.report.page.publish", lambda results: None)
    assert call(*words)[0] == 0
    assert not Path("out/runs").exists()
    expected = compare(small("component_50"), small("baseline"), seeds=3).tables["summary"]
    found = load_results("out").tables["summary"]
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_without_a_whole_seed_there_is_no_result(one_failing: None, no_charts: None) -> None:
    words = ["compare", "component_50", *SMALL, "--seeds", "1", "--seed", "1", "--jobs", "1"]
    code, _, err = call(*words)
    assert code == 4
    assert "component_50, seed 1: policy: NotFiniteError: price became NaN" in err


@needs_signals
def test_an_interrupted_comparison_goes_on_where_it_stopped(tmp_path: Path) -> None:
    words = ["compare", "component_50", *SMALL, "--seeds", "60", "--jobs", "2", "--out", "out"]
    running = subprocess.Popen(
        [sys.executable, "-m", "tariffsim", *words], stderr=subprocess.PIPE, text=True,
        preexec_fn=listen_to_interrupts,
    )  # fmt: skip
    wait_for(lambda: len(list(Path("out/runs").glob("*.npz"))) >= 10)
    code, _, err = call(*words)
    assert (code, "is busy" in err) == (5, True)
    running.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, err = running.communicate(timeout=30)
    assert time.monotonic() - began < 10  # two seconds where nothing else runs
    assert running.returncode == 130
    assert "of 120 runs are finished and kept in" in err
    assert shlex.join(["tariffsim", *words]) in err
    kept = {path: path.stat().st_mtime_ns for path in Path("out/runs").glob("*.npz")}
    assert 10 <= len(kept) < 120
    with opened(Path("out/runs")):
        assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_precision_adds_seeds(no_charts: None) -> None:
    words = [
        "compare",
        "component_50",
        *SMALL,
        "--seeds",
        "3",
        "--seed",
        "4",
        "--out",
        "out",
        "--json",
    ]
    wide = interval(call(*words, "--jobs", "1"))
    assert wide["n"] == 3
    wish = (wide["high"] - wide["low"]) / 4
    found = [
        interval(call(*words, "--precision", f"{wish:.6f}pp", "--jobs", jobs)) for jobs in (1, 2)
    ]
    assert found[0] == found[1]
    half, n = (found[0]["high"] - found[0]["low"]) / 2, found[0]["n"]
    assert half <= wish
    one_less = interval(call(*words, "--jobs", "1", "--seeds", n - 1))
    assert (one_less["high"] - one_less["low"]) / 2 > wish
    said = call(*words[:-1], "--jobs", "1", "--precision", f"{wish:.6f}")[1]
    assert f"{n} seeds (4 to {n + 3}), reached a precision of" in said


def interval(called: tuple[int, str, str]) -> dict[str, Any]:
    code, out, err = called
    assert code == 0, err
    return dict(json.loads(out)["headline"]["component_50"]["cn_share"])


@pytest.mark.parametrize("given", ["0", "-1pp", "x", "nan", "100pp", "1%"])
def test_a_precision_that_is_none_is_refused(given: str) -> None:
    code, _, err = call("compare", "component_50", "--precision", given)
    assert (code, "is no number of points" in err) == (2, True)


def test_runs_lists_and_prunes(no_charts: None) -> None:
    words = ["compare", "component_50", *SMALL, "--seeds", "2", "--jobs", "1", "--store", "kept"]
    assert call(*words)[0] == 0
    code, out, _ = call("runs", "kept")
    assert code == 0
    assert [line.split()[:5] for line in out.splitlines()[1:]] == [
        [name, "US", "all", "tables", "2"] for name in ("baseline", "component_50")
    ]
    damaged = sorted(Path("kept").glob("*.npz"))[0]
    damaged.write_bytes(damaged.read_bytes()[:-9])
    assert f"{damaged.name[:12]}...: " in call("runs", "kept")[1]
    with opened(Path("kept")):
        assert call("runs", "kept", "--prune")[0] == 5
    removed = json.loads(call("runs", "kept", "--prune", "--json")[1])
    assert [kept["file"] for kept in removed["removed"]] == [damaged.name]
    assert len(removed["runs"]) == 3
    old = Path("kept") / removed["runs"][0]["file"]
    os.utime(old, (time.time() - 864_000,) * 2)
    assert "removed 0 files" in call("runs", "kept", "--prune")[1]
    assert "removed 1 files" in call("runs", "kept", "--prune", "--older-than", "9")[1]
    assert not old.exists()
    assert call("runs", "kept", "--older-than", "9")[0] == 2
    code, _, err = call("runs", "results")
    assert (code, "keeps no runs" in err) == (5, True)

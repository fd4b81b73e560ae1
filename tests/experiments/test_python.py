"""From Python: paths, arrays of numpy, scripts without a guard, errors of floating point."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tariffsim import TariffModel, compare, explain_choice, load_scenario, replace
from tariffsim.experiments import Settings, run_ensemble
from tariffsim.experiments.frontier import frontier
from tariffsim.experiments.sweep import sweep
from tariffsim.scenario import Scenario

SMALL = {"agents__makers": 40, "run__end": "2025-02"}
TEXT = "schema_version: 1\nextends: {}\nagents: {{makers: 40}}\nrun: {{end: 2025-02, seeds: 1}}\n"


def small(name: str) -> Scenario:
    return replace(load_scenario(name), **SMALL)


# Paths


def test_a_path_works_wherever_a_text_does(tmp_path: Path) -> None:
    own, base = tmp_path / "own.yaml", tmp_path / "base.yaml"
    own.write_text(TEXT.format("component_50"), encoding="utf-8")
    base.write_text(TEXT.format("baseline"), encoding="utf-8")
    wanted = compare([str(own)], str(base)).tables["headline"]
    for given in ([own], own, {"own": own}, (path for path in [own]), [load_scenario(own)]):
        found = compare(given, base).tables["headline"]
        pd.testing.assert_frame_equal(found, wanted)
    assert explain_choice(own, 0).scenario == "own"
    assert list(sweep(own, base, {"sourcing.elasticity": [2]}).scenarios) == ["base", "own"]


# Arrays


def test_arrays_work_wherever_lists_do() -> None:
    base = small("baseline")
    policy = {"kind": "component_tariff", "rate": np.float64(0.5), "start": "2025-01"}
    own = replace(base, policies__x={**policy, "markets": np.array(["US", "EU"])})
    assert own.policies["x"].markets == ("US", "EU")
    assert replace(base, run__seeds=np.int64(3)).run.seeds == 3
    assert replace(base, policies__x={**policy, "markets": np.array(["US"])}).policies[
        "x"
    ].markets == ("US",)
    vary = {"sourcing.elasticity": np.array([2.0, 4.0]), "agents.makers": range(40, 60, 10)}
    assert dict(replace(base, experiment__vary=vary).experiment.vary) == {
        "sourcing.elasticity": (2.0, 4.0), "agents.makers": (40, 50),
    }  # fmt: skip


def test_arrays_of_seeds_and_values_give_what_lists_give() -> None:
    base, own = small("baseline"), small("component_50")
    lists = run_ensemble({"own": own}, base, [1, 2]).table
    arrays = run_ensemble({"own": own}, base, np.array([1, 2]), settings=Settings()).table
    pd.testing.assert_frame_equal(lists, arrays)
    key = "policies.component_tariff.rate"
    points = [
        sweep(own, base, {key: values}, seeds=np.int64(1), seed=np.int64(1)).tables["points"]
        for values in ([0.25, 0.5], np.array([0.25, 0.5]), [np.float64(0.25), np.float64(0.5)])
    ]
    pd.testing.assert_frame_equal(points[0], points[1])
    pd.testing.assert_frame_equal(points[0], points[2])
    one = sweep(own, base, {key: 0.25}, seeds=1).tables["points"]
    assert one[key].tolist() == [0.25]


def test_arrays_of_rates_give_what_lists_give() -> None:
    def runs(scenarios: Mapping[str, Scenario]) -> pd.DataFrame:
        columns: dict[str, Any] = {"cn_share": 1.0, "welfare": 2.0, "seed": 0}
        return pd.DataFrame([{"scenario": name} | columns for name in scenarios])

    own = {"own": small("component_50")}
    found = [frontier(own, rates, runs) for rates in ([0.1, 0.2], np.array([0.1, 0.2]))]
    pd.testing.assert_frame_equal(*found)


def test_numbers_of_numpy_name_makers_and_seeds() -> None:
    own = small("component_50")
    assert explain_choice(own, np.int64(3)).maker == 3
    model = TariffModel(own, np.int64(1))
    model.step()
    assert model.date == "2025-01"


# Errors of floating point

STRICT = ("component_50", "whole_product_china", "chip_cutoff", "component_unknown_exempt")


@pytest.mark.parametrize("name", STRICT)
def test_no_error_of_floating_point_is_needed(name: str) -> None:
    relaxed = compare(small(name), small("baseline"), seeds=1).tables["headline"]
    with np.errstate(all="raise"):
        strict = compare(small(name), small("baseline"), seeds=1).tables["headline"]
    pd.testing.assert_frame_equal(strict, relaxed)


EXTREMES: list[dict[str, Any]] = [
    {
        "sourcing__elasticity": 50, "assembly__elasticity": 50, "other_buyers__elasticity": 50,
        "policies__x": {"kind": "component_tariff", "rate": 5, "start": "2025-01"},
    },
    {
        "sourcing__elasticity": 0, "assembly__elasticity": 0.01, "compliance__audit_rate": 0,
        "compliance__evasion_cost": 1e9,
        "policies__x": {"kind": "product_tariff", "rate": {"2025-01": 5}},
    },
    {
        "sourcing__switching_cost_cap": 1e6, "supply__learning": 0.5,
        "orders__stock_factor": 0, "orders__second_source_factor": 0,
        "policies__x": {"kind": "chip_cutoff", "denied": {"2025-01": 1}},
    },
]  # fmt: skip


@pytest.mark.parametrize("changes", EXTREMES, ids=["elastic", "rigid", "cut off"])
def test_no_error_of_floating_point_is_needed_at_bounds(changes: dict[str, Any]) -> None:
    shared = {key: value for key, value in changes.items() if not key.startswith("policies")}
    base = replace(small("baseline"), **shared)
    with np.errstate(all="raise"):
        found = compare(replace(base, **changes), base, seeds=1).tables["headline"]
    assert np.isfinite(found.loc[found["metric"] == "cn_share", "level"]).all()


# Scripts

SCRIPT = """
from tariffsim import compare, load_scenario, replace
small = {"agents__makers": 20, "run__end": "2025-01"}
base = replace(load_scenario("baseline"), **small)
"""
RUN = "print(len(compare([], base, seeds=2, jobs={}).tables['headline']))\n"
GUARDED = 'if __name__ == "__main__":\n    '


def run_script(folder: Path, text: str, from_input: bool = False) -> tuple[int, str, str]:
    """Exit code, output and errors of a script, from a file or from standard input."""
    path = folder / "script.py"
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-" if from_input else str(path)]
    ended = subprocess.run(
        command, input=text if from_input else None, capture_output=True, text=True, cwd=folder,
        timeout=300, check=False,
    )  # fmt: skip
    return ended.returncode, ended.stdout, ended.stderr


def test_a_script_without_a_guard_gets_one_message(tmp_path: Path) -> None:
    code, out, err = run_script(tmp_path, SCRIPT + RUN.format(2))
    assert (code, out) == (1, "")
    assert err.count("Traceback") == 1
    assert err.splitlines()[-1] == (
        "tariffsim.errors.EngineError: worker processes import the script that starts them: put "
        'what it does under `if __name__ == "__main__":`, or use jobs=1'
    )


def test_a_script_from_standard_input_gets_one_message(tmp_path: Path) -> None:
    for text in (RUN, GUARDED + RUN):
        code, out, err = run_script(tmp_path, SCRIPT + text.format(2), from_input=True)
        assert (code, out) == (1, "")
        assert err.count("Traceback") == 1
        assert err.splitlines()[-1] == (
            "tariffsim.errors.EngineError: worker processes cannot import a script that is read "
            "from standard input: use jobs=1, or save it as a file"
        )


def test_what_the_messages_say_works(tmp_path: Path) -> None:
    outputs = {
        run_script(tmp_path, SCRIPT + RUN.format(1))[1],
        run_script(tmp_path, SCRIPT + RUN.format(1), from_input=True)[1],
        run_script(tmp_path, SCRIPT + GUARDED + RUN.format(2))[1],
    }
    assert len(outputs) == 1
    assert int(outputs.pop()) > 0

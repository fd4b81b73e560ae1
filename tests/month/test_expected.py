"""Every shipped scenario gives its stored expected result."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tariffsim.experiments import run_seed
from tariffsim.scenario import load_scenario, replace
from tests.economies import CORE
from tests.make_expected import FOLDER, SHIPPED, summaries

# The same numbers to the last bit on one machine; across machines and numpy versions sums over
# 1,200 lines may differ by rounding, and sums of differences of them by a thousand times that.
RELATIVE, ABSOLUTE = 1e-9, 1e-9


def test_every_scenario_has_one() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_expected_result(name: str) -> None:
    stored = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    found = summaries(name)
    assert found.keys() == stored.keys()
    for seed, metrics in stored.items():
        assert found[seed] == pytest.approx(metrics, rel=RELATIVE, abs=ABSOLUTE), seed


CORE_RESULTS = json.loads((FOLDER.parent / "expected_core.json").read_text(encoding="utf-8"))
"""What the scenarios gave before anything but the core model was written; never remade."""


@pytest.mark.parametrize("name", CORE_RESULTS)
def test_mechanisms_switched_off_change_nothing(name: str, tmp_path: Path) -> None:
    """Under the calendar of that time, whose rows mean the same cell by cell."""
    shutil.copy(FOLDER.parent / "core_calendar.csv", tmp_path)
    for n in {"baseline", name}:
        data = "data: {tariff_calendar: core_calendar.csv}"
        (tmp_path / f"{n}.yaml").write_text(f"extends: {n}\n{data}\n")
    scenarios = {
        n: replace(load_scenario(tmp_path / f"{n}.yaml"), **CORE)
        for n in dict.fromkeys(("baseline", name))
    }
    for seed, metrics in CORE_RESULTS[name].items():
        found = run_seed(scenarios, int(seed)).runs[name].summary
        core = {metric: found[metric] for metric in metrics}  # later ones are added
        assert core == pytest.approx(metrics, rel=RELATIVE, abs=ABSOLUTE), seed

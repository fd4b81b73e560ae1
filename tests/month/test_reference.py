"""The array code runs the same months as plain objects do: duties and supply.

See `tests.reference.comparison`; other scenarios are in `test_reference_of_orders`.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tariffsim.calibration import build_economy
from tariffsim.tables import SHIPPED
from tests.economies import last, merged, scenario
from tests.reference.comparison import compare, run_both
from tests.reference.scenarios import LAW, LINES, SCENARIOS, SMALL, months_of


@pytest.mark.parametrize("name", LAW)
def test_same_months(name: str) -> None:
    compare(name)


@pytest.mark.parametrize("makers", [1, 3])
def test_same_months_at_any_size(makers: int) -> None:
    run_both(scenario(SMALL, SCENARIOS["everything"], makers=makers), seed=2, months=24)


@pytest.mark.parametrize("seed", [3, 4])
def test_same_months_of_a_toy(tmp_path: Path, seed: int) -> None:
    """Two foundries, three makers and one importer of each."""
    shares = {"CN": "0.3", "TW": "0.7"}
    for name, column in (("foundry_regions", "region"), ("origin_rules", "fab_region")):
        with (SHIPPED / f"{name}.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row[column] in shares]
        for row in rows:
            if row["parameter"] == "foundries":
                row["value"] = "1"
            if row["parameter"].startswith("share_"):
                row["value"] = shares[row[column]]
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    files = {name: str(tmp_path / f"{name}.csv") for name in ("foundry_regions", "origin_rules")}
    toy = merged(SMALL, {"data": files})
    toy["agents"] = {"importers_min": 1, "importers_max": 1}
    world = run_both(scenario(toy, SCENARIOS["everything"], makers=3), seed, months=24)
    assert len(world.foundries) == 2
    assert len(world.makers) == 3


def test_choices_are_made() -> None:
    """The runs compared are not idle: suppliers change and duties are due."""
    name = "product by content"
    case = scenario(SMALL, SCENARIOS[name], makers=LINES)
    before, after = build_economy(case, 1), last(case, 1, months_of(name))
    changed = (before.makers.supplier != after.makers.supplier) & before.makers.has_slot
    assert changed.sum() > 20
    assert (after.flows.new_duty > 0).any()

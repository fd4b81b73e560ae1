"""Duties of the base year of goods that nobody imported from a country."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tariffsim.calibration.base_duties import base_duties
from tariffsim.calibration.constants import make_constants
from tariffsim.scenario import Scenario
from tariffsim.tables import SHIPPED
from tests.economies import scenario

FILE = "us_imports_2024"


def collected(rules: Scenario) -> dict[tuple[str, str], float]:
    tables = rules.tables()
    return dict(base_duties(rules, tables, make_constants(rules, tables).codes).collected)


def rows() -> list[dict[str, str]]:
    with (SHIPPED / f"{FILE}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def mean(chosen: list[dict[str, str]]) -> float:
    value = sum(float(row["customs_value_musd"]) for row in chosen)
    return sum(float(row["calculated_duty_musd"]) for row in chosen) / value


def test_a_country_without_imports_owes_what_others_do() -> None:
    """The mean duty on the device without China's."""
    others = [r for r in rows() if r["device"] == "electric_car" and r["origin"] != "CN"]
    assert "MY" not in {row["origin"] for row in others if float(row["customs_value_musd"])}
    found = collected(scenario())
    assert found["electric_car", "MY"] == pytest.approx(mean(others), rel=1e-9)
    assert 0 < found["electric_car", "MY"] < found["electric_car", "CN"]


def test_china_without_imports_of_a_device_owes_its_mean_in_the_sector(tmp_path: Path) -> None:
    left = [row for row in rows() if (row["device"], row["origin"]) != ("laptop", "CN")]
    path = tmp_path / f"{FILE}.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, left[0])
        writer.writeheader()
        writer.writerows(left)
    rules = scenario({"data": {FILE: str(path)}})
    devices = rules.tables().devices
    sector = dict(zip(devices.codes, devices.texts("sector"), strict=True))
    alike = [
        row
        for row in left
        if row["origin"] == "CN" and sector.get(row["device"]) == sector["laptop"]
    ]
    assert len(alike) >= 1
    found = collected(rules)
    assert found["laptop", "CN"] == pytest.approx(mean(alike), rel=1e-9)
    before = collected(
        scenario({"data": {FILE: str(path)}, "trade": {"base_duties": "before_301"}})
    )
    assert before["laptop", "CN"] == before["laptop", "JP"]


def test_nobody_owes_a_duty_at_home() -> None:
    assert not any(origin == "US" and rate for (_, origin), rate in collected(scenario()).items())

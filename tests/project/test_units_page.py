"""Units that the tables imply are those that are sold, and docs/units.md says so."""

import runpy
from pathlib import Path

import pandas as pd
import pytest

from tariffsim.tables import load_history, load_tables
from tariffsim.validation.units import units_of_devices

DOCS = Path(__file__).resolve().parents[2] / "docs"
# unit values are rounded to two or three digits, and trade statistics give one of them
MOST_OFF = 0.03
SET_TO_MEET_THEM = {
    ("smartphone", "unit_value_usd"): 425, ("server", "unit_value_usd"): 5000,
    ("television", "unit_value_usd"): 300, ("game_console", "unit_value_usd"): 565,
    ("major_appliance", "unit_value_usd"): 525, ("hvac", "unit_value_usd"): 1850,
    ("combustion_car", "unit_value_usd"): 30900,
    ("combustion_car", "us_home_assembly_share"): 0.485,
    ("electric_car", "us_home_assembly_share"): 0.625,
}  # fmt: skip


@pytest.fixture(scope="module")
def units() -> pd.DataFrame:
    return units_of_devices(load_tables(), load_history())


def test_the_page_is_up_to_date() -> None:
    script = runpy.run_path(str(DOCS / "make_units_page.py"))
    written = (DOCS / "units.md").read_text(encoding="utf-8")
    assert written == script["page"](), "run: python docs/make_units_page.py"


def test_implied_units_are_near_those_that_are_published(units: pd.DataFrame) -> None:
    ratio = units["ratio"].dropna()
    assert len(ratio) == 9
    assert (ratio - 1).abs().max() < MOST_OFF
    ranges = units.dropna(subset="low")
    assert ranges["implied"].between(ranges["low"], ranges["high"]).all()


def test_cars_imported_are_near_those_that_are_published(units: pd.DataFrame) -> None:
    # 8.0 m light vehicles, a figure that no unit value was set to; vans and pickups are in it
    imported = units.loc[["combustion_car", "electric_car"], "imported"].sum()
    assert imported == pytest.approx(8.0, rel=0.05)


def test_figures_set_to_meet_published_units_are_in_the_tables() -> None:
    devices = load_tables().devices
    assert {key: devices.number(*key) for key in SET_TO_MEET_THEM} == SET_TO_MEET_THEM


def test_units_are_what_imports_and_home_assembly_give(units: pd.DataFrame) -> None:
    tables = load_tables()
    cars = sum(r.customs_value_usd for r in tables.imports if r.device == "combustion_car")
    assert units["imported"]["combustion_car"] == pytest.approx(cars / 30900 / 1e6)
    assert units["implied"]["combustion_car"] == pytest.approx(cars / 30900 / 1e6 / 0.515)
    # markets of 1, 0.85, 0.35, 0.9 and 0.9 times the US, a design of 12,000 a month
    world = 4 * units["implied"]["combustion_car"] * 1e6
    assert units["designs"]["combustion_car"] == pytest.approx(world / 144000)

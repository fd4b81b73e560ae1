"""The base year of 2017 and its calendar: what is known is met, what is assumed stays in bounds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tariffsim.explain.duty import duty
from tariffsim.scenario import load_scenario, replace
from tariffsim.tables import load_history, load_tables
from tariffsim.typing import parse_month
from tariffsim.validation import base_year_2017, calendar_2017, figures_2017
from tariffsim.validation.hindcast import hindcast, months_of

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "hindcast_2017"
HISTORY, TABLES = load_history(), load_tables()


@pytest.fixture(scope="module")
def imports() -> pd.DataFrame:
    return base_year_2017.imports_of_2017(HISTORY, TABLES)


def test_the_files_are_what_the_scripts_write(tmp_path: Path) -> None:
    for script, name in (
        (base_year_2017, "us_imports_2017"),
        (calendar_2017, "tariff_calendar_2017"),
    ):
        assert script.main([str(tmp_path / "written.csv")]) == 0
        written = (tmp_path / "written.csv").read_text(encoding="utf-8")
        assert written == (FOLDER / f"{name}.csv").read_text(encoding="utf-8"), name


def test_the_figures_of_the_scenario_are_what_the_script_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert figures_2017.main() == 0
    text = (FOLDER.parent / "hindcast_2017.yaml").read_text(encoding="utf-8")
    assert capsys.readouterr().out in text
    share = load_scenario("hindcast_2017").supply.china_capacity_share
    assert [share.at(parse_month(f"{year}-01")) for year in (2017, 2024)] == [
        *figures_2017.CHINA_SHARE.values()
    ]


def test_units_bought_follow_the_imports_of_their_sectors() -> None:
    months = HISTORY.by_month.query("country == 'TOTAL' and sector == 334")
    by_year = months.groupby(months["month"].str[:4])["imports_usd_m"].sum()
    seen = (by_year["2017":"2024"] / by_year["2017"]).to_numpy()  # type: ignore[misc]
    rates = figures_2017.growth_of_devices(HISTORY, TABLES)["television"]
    nodes = [parse_month(name.removeprefix(figures_2017.STEM)) for name in rates]
    dates = np.arange(parse_month("2017-01"), parse_month("2025-01"))
    steps = 1.02 * (1 + np.interp(dates, nodes, list(rates.values())))  # markets grow 0.02 a year
    units = np.cumprod([1.0, *steps[:-1] ** (1 / 12)]).reshape(8, 12).mean(axis=1)
    assert units / units[0] == pytest.approx(seen, rel=1e-6)
    assert seen[2] < 1 < seen[7]  # both fall and rise


def test_imports_that_are_known_are_those_of_the_table_less_freight(imports: pd.DataFrame) -> None:
    by = imports.set_index(["device", "origin"])["customs_value_musd"]
    of = HISTORY.by_year.set_index(["year", "device", "country"])["imports_musd"]
    now = {(r.device, r.origin): r.customs_value_usd / 1e6 for r in TABLES.imports}
    for key in (("laptop", "CN"), ("auto_parts", "MX"), ("network_gear", "VN")):
        ratio = of[2017][key] / of[2024][key]
        assert by[key] == pytest.approx(ratio * now[key], rel=1e-3)
    assert by["television", "TW"] == pytest.approx(of[2017]["television", "TW"], abs=1e-3)
    assert by["drone", "CN"] < 0.1 * of[2022]["drone", "CN"]


def test_groups_are_never_more_than_their_sector(imports: pd.DataFrame) -> None:
    shares = base_year_2017.shares_of_sectors(imports, HISTORY)
    assert shares.max(axis=None) < 1
    assert 0.5 < shares.loc[334, "CN"] < 0.8  # groups are 59 % of the sector in 2024


def test_no_duty_of_2017_holds_section_301(imports: pd.DataFrame) -> None:
    rate = imports["calculated_duty_musd"].sum() / imports["customs_value_musd"].sum()
    china = imports[imports["origin"] == "CN"]
    of_china = china["calculated_duty_musd"].sum() / china["customs_value_musd"].sum()
    assert of_china < 0.01
    assert rate < 0.015


def test_lists_cover_what_they_did_in_2017_and_what_is_collected_in_2024() -> None:
    shares = calendar_2017.shares_on_lists(HISTORY)
    assert shares["first"]["server", "l3"] == 0.601
    assert shares["first"]["network_gear", "l3"] == 0.2
    rates = pd.Series({"l1": 0.25, "l2": 0.25, "l3": 0.25, "l4A": 0.075})
    law = (shares["last"].unstack() * rates).sum(axis=1)
    collected = HISTORY.collected.set_index("device")["s301_collected"]
    both = law.index.intersection(collected.index).drop(["electric_car", "television"])
    assert law[both].to_numpy() == pytest.approx(collected[both].to_numpy(), abs=1e-3)


def test_the_calendar_rises_and_falls_as_the_lists_did() -> None:
    scenario = replace(load_scenario("hindcast_2017"), agents__makers=80)
    rates = {}
    for month in ("2018-06", "2018-08", "2018-10", "2019-06", "2020-03", "2024-01"):
        rates[month] = duty(scenario, "server", "CN", "US", month).total
    assert rates["2018-06"] == rates["2018-08"] < rates["2018-10"] < rates["2019-06"]
    assert rates["2020-03"] > rates["2024-01"] > rates["2018-10"]
    assert rates["2024-01"] == pytest.approx(0.1247, abs=0.002)  # as collected that year


def test_the_safeguard_covers_washers_and_no_exempt_country() -> None:
    washers = calendar_2017.washers_of_2017(HISTORY, TABLES)
    assert washers["musd"]["CN"] == 107.0  # as published (V8)
    assert 2e6 < 1e6 * washers["musd"].sum() / calendar_2017.WASHER_USD < 4e6
    scenario = replace(load_scenario("hindcast_2017"), agents__makers=80)

    def added(origin: str, month: str) -> float:
        before = duty(scenario, "major_appliance", origin, "US", "2017-12").total
        return duty(scenario, "major_appliance", origin, "US", month).total - before

    within = calendar_2017.QUOTA_WASHERS * calendar_2017.WASHER_USD / 1e6 / washers["musd"].sum()
    for month, rates in (("2018-03", (0.2, 0.5)), ("2022-03", (0.14, 0.3))):
        rate = within * rates[0] + (1 - within) * rates[1]
        assert added("VN", month) == pytest.approx(rate * 0.573, abs=1e-4)
    assert added("VN", "2023-03") == added("CA", "2018-03") == added("IN", "2018-03") == 0.0


def test_months_are_counted_as_customs_does() -> None:
    small = {"agents__makers": 300, "run__end": "2019-03"}
    months = months_of(hindcast(**small), 0)
    nobody = months_of(hindcast(reacts=False, **small), 0)
    assert months.imports.shape == (27, len(months.devices), len(months.origins))
    of_2017 = pd.read_csv(FOLDER / "us_imports_2017.csv")["customs_value_musd"].sum() / 12
    assert months.imports[0].sum() / 1e6 == pytest.approx(of_2017, rel=0.1)
    china = months.origins.index("CN")
    before, after = months.year(2017), months.rows("2019-01", "2019-03")
    rate = [
        months.duty[rows, :, china].sum() / months.imports[rows, :, china].sum()
        for rows in (before, after)
    ]
    assert rate[1] > 3 * rate[0]
    totals = (each.imports[:3].sum(axis=(1, 2)) for each in (months, nobody))
    np.testing.assert_allclose(*totals, rtol=1e-3)  # prices of suppliers that are new
    share = [
        each.imports[after, :, china].sum() / each.imports[after].sum() for each in (months, nobody)
    ]
    assert share[0] < share[1]

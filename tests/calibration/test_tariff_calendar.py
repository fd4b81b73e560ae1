"""The calendar is law by code: cell by cell, by days, with what the duties of 2024 have of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tariffsim
from tariffsim.calibration import build_economy
from tariffsim.calibration.base_duties import base_duties
from tariffsim.calibration.tariff_calendar import TariffCalendar, goods_of
from tariffsim.errors import ScenarioError
from tariffsim.explain.remarks import remarks
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.tables import CalendarRow, load_tables
from tariffsim.typing import one_name, parse_month, part_of_month

HEAD = (
    "date,ends,levied_by,against,base,instrument,rate,in_2024_base,devices,in_baseline,scope,"
    "source,confidence"
)
ROUTERS, PARTS, DISCRETES = 0.08565867, 0.26674, 0.246545
"""Calculated duty over customs value of US imports from China in 2024."""
READ_OFF = 5e-5
"""Of the printed rates, four decimals."""


def calendar(
    tmp_path: Path, *rows: str, extra: str = "", levied_by: str = "US", **changes: Any
) -> Scenario:
    """The baseline with a calendar of these rows: `date,ends,against,instrument,rate,base,devices`.

    `extra` names further columns, whose cells come last in a row.
    """
    lines = []
    for row in rows:
        date, ends, against, instrument, rate, held, devices, *more = row.split(",")
        base = "bare_chips" if devices.startswith("bare") else "product"
        cells = [date, ends, levied_by, against, base, instrument, rate, held, devices, "yes", "",
                 "assumption", "assumption", *more]  # fmt: skip
        lines.append(",".join(cells))
    head = HEAD + (f",{extra}" if extra else "")
    (tmp_path / "calendar.csv").write_text("\n".join([head, *lines]) + "\n")
    file = tmp_path / "rules.yaml"
    file.write_text("extends: baseline\ndata: {tariff_calendar: calendar.csv}\n")
    return replace(load_scenario(file), agents__makers=60, **changes)


def due(rules: Scenario, month: str, device: str, origin: str) -> float:
    return tariffsim.duty(rules, device, origin, "US", month).total


def refused(tmp_path: Path, *rows: str, extra: str = "") -> str:
    with pytest.raises(ScenarioError) as error:
        calendar(tmp_path, *rows, extra=extra)
    return str(error.value)


# Cells


def test_a_later_row_replaces_only_the_codes_it_names(tmp_path: Path) -> None:
    rules = calendar(
        tmp_path,
        "2026-01,,CN VN JP,Border surcharge,0.10,no,laptop drone",
        "2027-01,,JP,Border surcharge,0.04,no,laptop",
    )
    for origin, device, rate in (
        ("CN", "laptop", 0.10), ("VN", "laptop", 0.10), ("JP", "laptop", 0.04),
        ("JP", "drone", 0.10),
    ):  # fmt: skip
        base = due(rules, "2025-12", device, origin)
        assert due(rules, "2027-06", device, origin) == pytest.approx(base + rate, abs=1e-12)
        assert due(rules, "2026-06", device, origin) == pytest.approx(base + 0.10, abs=1e-12)


def test_after_a_replacing_row_ends_nothing_is_left(tmp_path: Path) -> None:
    rules = calendar(
        tmp_path,
        "2026-01,,VN,Levy,0.10,no,laptop",
        "2026-07,2026-10,VN,Levy,0.30,no,laptop",
    )
    rates = [due(rules, month, "laptop", "VN") for month in ("2026-06", "2026-07", "2026-10")]
    assert rates == pytest.approx([0.10, 0.30, 0.0], abs=1e-6)


@pytest.mark.parametrize("name", ["levy ON lists", "Levy  on Lists", "LEVY ON LISTS "])
def test_names_are_one_whatever_the_case_and_blanks(tmp_path: Path, name: str) -> None:
    rules = calendar(
        tmp_path,
        "2026-01,,VN,Levy on lists,0.10,no,laptop",
        f"2027-01,,VN,{name},0.05,no,laptop",
    )
    assert due(rules, "2027-06", "laptop", "VN") == pytest.approx(0.05, abs=1e-6)


def test_names_that_are_nearly_one_are_remarked_on(tmp_path: Path) -> None:
    rules = calendar(
        tmp_path,
        "2026-01,,VN,Levy on lists,0.10,no,laptop",
        "2027-01,,VN,Levy on list,0.05,no,laptop",
    )
    assert any("'Levy on lists' and 'Levy on list'" in remark for remark in remarks(rules))
    other = calendar(
        tmp_path,
        "2026-01,,VN,Section 301 list 3,0.10,no,laptop",
        "2027-01,,VN,Section 301 list 4,0.05,no,laptop",
    )
    assert not any("add up" in remark for remark in remarks(other))


# Duties inside the base year


def test_a_repeal_leaves_no_negative_duty(tmp_path: Path) -> None:
    rules = calendar(
        tmp_path,
        "2019-05,,CN,Old list,0.25,yes,network_gear",
        "2027-01,,CN,Old list,0.00,no,network_gear",
    )
    assert due(rules, "2026-12", "network_gear", "CN") == pytest.approx(ROUTERS, abs=READ_OFF)
    assert due(rules, "2027-06", "network_gear", "CN") == 0.0
    (remark,) = (remark for remark in remarks(rules) if "negative" in remark)
    assert "0.25" in remark
    assert "0.08566" in remark


def test_a_duty_of_the_base_year_may_end(tmp_path: Path) -> None:
    rules = calendar(tmp_path, "2019-05,2027-01,CN,Old list,0.25,yes,auto_parts")
    assert due(rules, "2027-06", "auto_parts", "CN") == pytest.approx(PARTS - 0.25, abs=READ_OFF)
    assert not [remark for remark in remarks(rules) if "negative" in remark]


def test_a_list_that_is_widened_at_its_rate_reaches_the_new_device(tmp_path: Path) -> None:
    rules = calendar(
        tmp_path,
        "2019-05,,CN,Old list,0.25,yes,auto_parts",
        "2027-01,,CN,Old list,0.25,no,auto_parts laptop",
    )
    assert due(rules, "2027-06", "laptop", "CN") == pytest.approx(0.25, abs=READ_OFF)
    assert due(rules, "2027-06", "auto_parts", "CN") == pytest.approx(PARTS, abs=READ_OFF)


def test_the_base_year_holds_the_mean_of_its_months(tmp_path: Path) -> None:
    """A duty of 40 % since October 2024 was on a quarter of the year: 10 % are in the base."""
    rules = calendar(tmp_path, "2024-10,,CN,New list,0.40,yes,auto_parts")
    assert due(rules, "2025-06", "auto_parts", "CN") == pytest.approx(PARTS + 0.30, abs=READ_OFF)


def test_a_run_before_a_list_does_not_have_it(tmp_path: Path) -> None:
    rules = calendar(
        tmp_path,
        "2019-05,,CN,Old list,0.25,yes,auto_parts",
        run__start="2018-01", run__end="2020-03",
    )  # fmt: skip
    assert due(rules, "2018-02", "auto_parts", "CN") == pytest.approx(PARTS - 0.25, abs=READ_OFF)
    assert due(rules, "2020-02", "auto_parts", "CN") == pytest.approx(PARTS, abs=READ_OFF)


# Unmounted chips


def test_the_base_of_unmounted_chips_names_no_device(tmp_path: Path) -> None:
    (tmp_path / "wrong.csv").write_text(
        f"{HEAD}\n2026-01,,US,CN,bare_chips,Duty on chips,0.25,no,all,yes,,assumption,assumption\n"
    )
    (tmp_path / "wrong.yaml").write_text("extends: baseline\ndata: {tariff_calendar: wrong.csv}\n")
    with pytest.raises(ScenarioError) as error:
        load_scenario(tmp_path / "wrong.yaml")
    message = str(error.value)
    assert "devices: names devices, although the column base says bare_chips" in message
    assert "wrong.csv:2" in message


def test_kinds_of_unmounted_chips_are_taxed_by_themselves(tmp_path: Path) -> None:
    rules = calendar(tmp_path, "2026-01,,CN,Duty on chips,0.25,no,bare_ic")
    before, after = (
        tariffsim.duty(rules, "laptop", "CN", "US", month).total_on_chips
        for month in ("2025-12", "2026-01")
    )
    added = {name: after[name] - before[name] for name in after}
    assert added == pytest.approx({"A": 0.25, "B": 0.25, "C": 0.25, "D": 0.0}, abs=1e-12)
    assert due(rules, "2026-01", "laptop", "CN") == due(rules, "2025-12", "laptop", "CN")


def test_a_row_on_a_part_of_a_region_taxes_that_part_and_says_so(tmp_path: Path) -> None:
    rules = calendar(tmp_path, "2026-01,,VN,Duty on chips,0.25,no,bare_ic")
    tables = load_tables()
    imports = {
        row.origin: row.customs_value_usd for row in tables.imports if row.device == "bare_ic"
    }
    regions = {*tables.foundry_regions.codes}
    of_other = {o: v for o, v in imports.items() if o not in regions and o not in ("TH", "MY")}
    of_other |= {"OTHER": imports.get("OTHER", 0.0)}
    part = imports["VN"] / sum(of_other.values())
    before, after = (
        tariffsim.duty(rules, "laptop", "VN", "US", month).total_on_chips["A"]
        for month in ("2025-12", "2026-01")
    )
    assert 0.0 < part < 1.0
    assert after - before == pytest.approx(0.25 * part, rel=1e-9)
    assert any("region OTHER" in remark and "VN" in remark for remark in remarks(rules))


@pytest.mark.parametrize("market", ["US", "EU", "JK", "CN", "ROW"])
def test_a_region_named_with_all_its_countries_owes_the_rate_in_every_market(
    tmp_path: Path, market: str
) -> None:
    """Data or not: nothing was imported from the United States by the market of the data."""
    own_market = {"EU": "EU", "US": "US", "CN": "CN", "JP": "JK", "KR": "JK"}
    regions = {
        "CN": "CN", "TW": "TW", "JP": "JP", "KR": "KR", "US": "US", "EU": "EU", "SEA": "TH MY",
        "OTHER": "VN MX IN CA OTHER",
    }  # fmt: skip
    plant = {"JK": "JP", "ROW": "VN"}.get(market, market)
    for region, countries in regions.items():
        rules = calendar(
            tmp_path, f"2026-01,,{countries},Levy,0.35,no,bare_chips", levied_by=market
        )
        schedule = build_economy(rules, 0).tariff_schedule
        tables = schedule.tables(schedule.regime(schedule.rates_in_force(parse_month("2026-06"))))
        at = schedule.codes.origins.index(plant), schedule.codes.regions.index(region)
        added = (
            tables.bare[schedule.codes.cell(0, at[0], 0), :, at[1]]
            - (schedule.base_bare[at[0], :, at[1]])
        )
        is_home = own_market.get(region, "ROW") == market
        np.testing.assert_allclose(added, 0.0 if is_home else 0.35, atol=1e-12)


def test_a_duty_on_chips_of_the_united_states_is_due(tmp_path: Path) -> None:
    rules = calendar(tmp_path, "2026-01,,US,Retaliation,0.35,no,bare_chips", levied_by="CN")
    due_on = tariffsim.duty(rules, "laptop", "US", "CN", "2026-06").total_on_chips
    assert due_on == pytest.approx(dict.fromkeys("ABCD", 0.35), abs=1e-12)


def test_a_region_without_imports_counts_its_countries_evenly(tmp_path: Path) -> None:
    rules = load_scenario("baseline")
    tables = rules.tables()
    without = [
        row.model_copy(update={"customs_value_usd": 0.0, "calculated_duty_usd": 0.0})
        if row.device == "bare_ic" and row.origin in ("TH", "MY", "JP")
        else row
        for row in tables.imports
    ]
    codes = build_economy(replace(rules, agents__makers=60), 0).constants.codes
    one, other = (
        base_duties(rules, dataclasses.replace(tables, imports=tuple(rows)), codes).region_share
        for rows in (tables.imports, without)
    )
    assert [other["bare_ic", origin] for origin in ("TH", "MY", "JP", "US")] == [0.5, 0.5, 1.0, 1.0]
    assert other["bare_discrete", "TH"] == one["bare_discrete", "TH"] != 0.5
    assert one["bare_ic", "TH"] == pytest.approx(1064.231 / (1064.231 + 8894.262))


# Coverage, all-in rates, days, announcements


def test_coverage_is_the_share_of_trade(tmp_path: Path) -> None:
    rules = calendar(tmp_path, "2026-01,,VN,Levy,0.20,no,laptop,0.35", extra="coverage")
    assert due(rules, "2026-06", "laptop", "VN") == pytest.approx(0.07, abs=1e-6)


def test_an_all_in_rate_includes_the_ordinary_duty(tmp_path: Path) -> None:
    """15 % on cars from Japan that owe 2.5 %: 12.5 % more, not 15 %; nothing where it is less."""
    rows = (
        "2019-05,,CN,Old list,0.25,yes,auto_parts,",
        "2026-01,,JP CN,Deal,0.15,no,combustion_car auto_parts,yes",
        "2027-01,,JP,Deal,0.01,no,combustion_car,yes",
    )
    rules = calendar(tmp_path, *rows, extra="all_in")
    ordinary = due(rules, "2025-12", "combustion_car", "JP")
    assert ordinary == pytest.approx(0.025, abs=0.001)
    assert due(rules, "2026-06", "combustion_car", "JP") == pytest.approx(0.15, abs=1e-12)
    assert due(rules, "2027-06", "combustion_car", "JP") == pytest.approx(ordinary, abs=1e-12)
    # what the list put on it in 2024 is not ordinary duty
    chinese = due(rules, "2026-06", "auto_parts", "CN")
    assert chinese == pytest.approx(0.25 + 0.15, abs=READ_OFF)


def test_days_count(tmp_path: Path) -> None:
    """From 23 June: 8 of 30 days; up to but without 16 September: 15 of 30."""
    rules = calendar(
        tmp_path,
        "2027-06,2027-09,VN,Levy,0.30,no,laptop,2027-06-23,2027-09-16",
        extra="date_day,ends_day",
    )
    months = ("2027-05", "2027-06", "2027-07", "2027-09", "2027-10")
    rates = [due(rules, month, "laptop", "VN") for month in months]
    assert rates == pytest.approx([0.0, 0.30 * 8 / 30, 0.30, 0.30 * 15 / 30, 0.0], abs=1e-6)


def test_two_steps_in_a_month_share_its_days(tmp_path: Path) -> None:
    rules = calendar(
        tmp_path,
        "2027-05,,VN,Levy,0.10,no,laptop,",
        "2027-06,,VN,Levy,0.25,no,laptop,2027-06-11",
        extra="date_day",
    )
    assert due(rules, "2027-06", "laptop", "VN") == pytest.approx((10 * 0.1 + 20 * 0.25) / 30)


def expected(rules: Scenario, now: str, month: str) -> float:
    """What agents expect in a month of a laptop from VN at a later one, added to the base."""
    schedule = build_economy(rules, 0).tariff_schedule
    codes = schedule.codes
    cell = codes.cell(codes.devices.index("laptop"), codes.origins.index("VN"),
                      codes.markets.index("US"))  # fmt: skip
    at, then = parse_month(month), parse_month(now)
    rates = (law.by_cell(law.rate_expected(at, then, "announced"))[cell] for law in schedule.laws)
    return float(sum(rates))


def test_rows_are_known_from_their_announcement(tmp_path: Path) -> None:
    rows = (
        "2026-01,,VN,Levy,0.10,no,laptop,,",
        "2026-09,,VN,Levy,0.30,no,laptop,2026-06,",
    )
    rules = calendar(tmp_path, *rows, extra="announced,end_known")
    assert expected(rules, "2025-12", "2026-03") == 0.0
    assert expected(rules, "2026-05", "2027-01") == pytest.approx(0.10)
    assert expected(rules, "2026-06", "2027-01") == pytest.approx(0.30)  # not both
    assert expected(rules, "2026-06", "2026-08") == pytest.approx(0.10)


@pytest.mark.parametrize(("word", "after"), [("yes", 0.0), ("no", 0.10), ("", 0.10)])
def test_an_end_is_expected_only_where_it_is_known(tmp_path: Path, word: str, after: float) -> None:
    row = f"2026-01,2026-08,VN,Levy,0.10,no,laptop,{word}"
    rules = calendar(tmp_path, row, extra="end_known")
    assert expected(rules, "2026-03", "2027-01") == pytest.approx(after)
    assert expected(rules, "2026-08", "2027-01") == 0.0


def test_faults_of_the_new_columns_are_told_together(tmp_path: Path) -> None:
    text = refused(
        tmp_path,
        "2026-01,,VN,Levy,0.10,no,laptop,1.5,maybe,2026-13,2026-02-30,2026-01-01",
        extra="coverage,all_in,announced,date_day,ends_day",
    )
    for column in ("coverage", "all_in", "announced", "date_day"):
        assert f": {column}: " in text, text


# The rule, for any calendar

RATES = st.sampled_from([0.0, 0.05, 0.25, 0.5, 1.0])
MONTHS = st.sampled_from(["2018-03", "2023-06", "2024-04", "2024-11", "2025-05", "2026-02"])


@st.composite
def rows(draw: st.DrawFn) -> list[CalendarRow]:
    """Rows of two instruments on two devices and two countries."""
    found: list[CalendarRow] = []
    taken = set()
    for number in range(draw(st.integers(1, 5))):
        date, instrument = draw(MONTHS), draw(st.sampled_from(["Old list", "New levy"]))
        if (date, instrument) in taken:
            continue
        taken.add((date, instrument))
        origins = draw(st.sampled_from(["CN", "JP", "CN JP"]))
        devices = draw(st.sampled_from(["laptop", "auto_parts", "laptop auto_parts"]))
        found.append(
            CalendarRow.model_construct(
                date=date, ends=draw(st.sampled_from([None, "2026-09", "2027-03"])),
                levied_by="US", against=tuple(origins.split()), base="product",
                instrument=instrument, rate=draw(RATES), in_2024_base=draw(st.booleans()),
                devices=tuple(devices.split()), in_baseline=True, scope="", source="assumption",
                confidence="assumption", coverage=draw(st.sampled_from([1.0, 0.4])),
                id=f"r{number}",
            )
        )  # fmt: skip
    return found


def in_force(all_rows: Iterable[CalendarRow], name: str, month: int, device: str, origin: str,
             base_only: bool = False) -> float:  # fmt: skip
    """Rate times coverage of one instrument on one cell: of the last row that names it."""
    named = [r for r in all_rows if one_name(r.instrument) == one_name(name)
             and device in r.devices and origin in r.against and r.starts <= month]  # fmt: skip
    if not named:
        return 0.0
    last = max(named, key=lambda row: row.starts)
    is_in = month < last.stops and (last.in_2024_base or not base_only)
    return (last.rate or 0.0) * last.coverage if is_in else 0.0


@settings(max_examples=30)
@given(rows(), st.sampled_from(["2025-01", "2026-02", "2026-11", "2028-01"]))
def test_the_rule_holds_for_any_calendar(all_rows: list[CalendarRow], month: str) -> None:
    """max(0, duty of 2024 + sum of (rate x coverage now - mean over the months of 2024))."""
    rules = load_scenario("baseline")
    tables = rules.tables()
    codes = build_economy(replace(rules, agents__makers=60), 0).constants.codes
    duties = base_duties(rules, tables, codes)
    found = TariffCalendar(rules, all_rows, duties)
    at = parse_month(month)
    laws = [law for law in found.laws() if not law.instrument.taxes_bare_chips]
    for device in ("laptop", "auto_parts"):
        for origin in ("CN", "JP"):
            cell = codes.cell(codes.devices.index(device), codes.origins.index(origin),
                              codes.markets.index("US"))  # fmt: skip
            change = sum(law.by_cell(law.instrument.rate_in_force(at))[cell] for law in laws)
            rule = 0.0
            for name in {row.instrument for row in all_rows}:
                year = range(parse_month("2024-01"), parse_month("2025-01"))
                held = np.mean([in_force(all_rows, name, m, device, origin, True) for m in year])
                rule += in_force(all_rows, name, at, device, origin) - held
            assert change == pytest.approx(rule, abs=1e-12)


def test_the_shipped_rows_never_overlap_and_cover_what_was_collected() -> None:
    """One row of an instrument at a time in each cell; its share of 2024 is what was collected."""
    rules = load_scenario("baseline")
    tables = rules.tables()
    codes = build_economy(replace(rules, agents__makers=60), 0).constants.codes
    duties = base_duties(rules, tables, codes)
    found = TariffCalendar(rules, tables.calendar, duties)
    for of, own in found.instruments.items():
        for good in goods_of(own):
            spans = found.spans(of, good)
            for one, other in pairwise(spans):
                assert one.ends == other.starts
            for month in range(parse_month("2018-01"), parse_month("2028-01")):
                assert sum(part_of_month(month, s.starts, s.ends) for s in spans) <= 1 + 1e-12
    for good in {good for _, good in found.in_base}:
        held = sum(rate for (_, of), rate in found.in_base.items() if of == good)
        assert held <= duties.collected[good] + 0.05  # statute beside exclusions of 2024


def test_electric_cars_from_china_owe_what_the_law_says() -> None:
    """100 % and the ordinary 2.5 %, though 2024 had 25 % until 26 September."""
    rules = replace(load_scenario("baseline"), agents__makers=60)
    found = due(rules, "2025-01", "electric_car", "CN")
    assert found == pytest.approx(1.025, abs=0.03)


def test_steps_that_differ_in_what_is_known_have_names_of_their_own(tmp_path: Path) -> None:
    rules = calendar(
        tmp_path,
        "2026-01,,VN,Levy,0.10,no,laptop,2025-06",
        "2026-01,,VN,Levy,0.10,no,drone,",
        extra="announced",
    )
    names = [law.name for law in build_economy(rules, 0).tariff_schedule.laws]
    assert len(set(names)) == len(names) == 2


def test_an_all_in_row_cannot_be_in_the_base_year(tmp_path: Path) -> None:
    text = refused(tmp_path, "2023-01,,JP,Deal,0.15,yes,laptop,yes", extra="all_in")
    assert "must be no where in_2024_base is yes" in text
    day = refused(tmp_path, "2026-01-15,,VN,Levy,0.10,no,laptop,", extra="all_in")
    assert "a day goes in the column date_day or ends_day" in day


# What a table may not say


def test_a_row_of_the_base_year_is_in_no_stacking_group(tmp_path: Path) -> None:
    """What it adds to the duties of 2024 is no level: 15 % beside a repeal is 15 %."""
    rows = (
        "2019-01,,CN,Held,0.25,yes,auto_parts,{}",
        "2026-01,,CN,held ,0.00,no,auto_parts,{}",
        "2026-01,,CN,Law D,0.15,no,auto_parts,g",
    )
    for groups, line in ((("g", ""), 2), (("", "g"), 3)):
        named = [row.format(g) for row, g in zip(rows, (*groups, ""), strict=True)]
        text = refused(tmp_path, *named, extra="stacking_group")
        assert f"calendar.csv:{line}:" in text
        assert "stacking_group: must be empty for" in text
        assert "which is in the duties of 2024 (line 2)" in text
        assert "leave it empty" in text
        assert text.count("calendar.csv:") == 1
    rules = calendar(tmp_path, *(row.format("") for row in rows), extra="stacking_group")
    found = due(rules, "2026-06", "auto_parts", "CN")
    assert found == pytest.approx(PARTS - 0.25 + 0.15, abs=READ_OFF)


@pytest.mark.parametrize(
    ("date", "day", "ends", "last_day", "said"),
    [
        ("2026-02", "2026-02-24", "2027-07", "2026-07-24", "ends_day: must be in 2027-07"),
        ("2028-01", "2026-07-24", "", "", "date_day: must be in 2028-01"),
        ("2026-01", "2026-02-01", "", "", "date_day: must be in 2026-01"),
        ("2026-03", "2026-02-15", "", "", "date_day: must be in 2026-03"),
        ("2026-02", "2026-02-24", "2026-06", "2026-07-01", "ends_day: must be in 2026-06"),
        ("2026-03", "2026-02-16", "", "", "date_day: must be in 2026-03"),
        ("2026-02", "2026-02-16", "2026-07", "2026-06-30", "ends_day: must be in 2026-07"),
        ("2026-02", "2026-02-28", "", "2026-07-24", ""),
        ("2026-01", "2025-12-31", "", "", "date_day: must be in 2026-01"),
        ("2026-01", "2026-01-31", "2026-07", "2026-07-31", ""),
        ("2026-02", "2026-02-03", "2026-02", "2026-02-17", ""),
    ],
)
def test_days_are_in_their_months(
    tmp_path: Path, date: str, day: str, ends: str, last_day: str, said: str
) -> None:
    row = f"{date},{ends},VN,Levy,0.10,no,laptop,{day},{last_day}"
    if not said:
        calendar(tmp_path, row, extra="date_day,ends_day")
        return
    text = refused(tmp_path, row, extra="date_day,ends_day")
    assert said in text
    assert (last_day if said.startswith("ends") else day) in text.split(said)[1]
    assert text.count("calendar.csv:2:") == 1


def test_only_the_market_of_the_data_has_duties_of_2024(tmp_path: Path) -> None:
    row = "2023-01,,CN,Levy,0.10,yes,laptop"
    with pytest.raises(ScenarioError) as error:
        calendar(tmp_path, row, levied_by="EU")
    text = str(error.value)
    assert "calendar.csv:2:" in text
    assert "in_2024_base: must be no where levied_by is not US" in text
    assert "yes, levied by EU" in text
    calendar(tmp_path, row)

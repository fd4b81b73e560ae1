"""Rows, stacking groups and refunds that do nothing, or less than meant, get a remark each."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

import tariffsim
from tariffsim.explain.remarks import remarks as all_remarks
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.scenario.scenario_files import shipped_names
from tariffsim.tables import SHIPPED

HEAD = (
    "date,ends,levied_by,against,base,instrument,rate,in_2024_base,devices,in_baseline,scope,"
    "source,confidence,coverage,stacking_group,announced"
)


def remarks(rules: Scenario) -> list[str]:
    """All but that lines are too few for the trade of the tables, as they are here."""
    return [remark for remark in all_remarks(rules) if "its trade differs" not in remark]


def with_rows(folder: Path, *rows: str, **changes: Any) -> Scenario:
    """Rows `date,ends,levied_by,against,instrument,rate,base,devices,coverage,group,announced`."""
    lines = []
    for row in rows:
        date, ends, market, against, name, rate, held, devices, *more = row.split(",")
        base = "bare_chips" if devices.startswith("bare") else "product"
        cells = [date, ends, market, against, base, name, rate, held, devices, "yes", "",
                 "assumption", "assumption", *more, *[""] * (3 - len(more))]  # fmt: skip
        lines.append(",".join(cells))
    (folder / "cal.csv").write_text("\n".join([HEAD, *lines]) + "\n")
    (folder / "own.yaml").write_text("extends: baseline\ndata: {tariff_calendar: cal.csv}\n")
    return replace(load_scenario(folder / "own.yaml"), agents__makers=600, **changes)


def with_policies(**policies: Any) -> Scenario:
    return replace(load_scenario("baseline"), agents__makers=600, policies=policies)


# Rows of the calendar


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2026-01,,EU,EU,Levy,0.1,no,laptop", "(EU belongs to EU: nothing crosses a border)"),
        ("2026-01,,JK,JP KR,Levy,0.1,no,laptop", "(JP KR belong to JK: nothing crosses"),
        ("2026-01,,US,US,Levy,0.1,no,bare_chips", "(US belongs to US: nothing crosses a border)"),
        ("2032-01,,US,CN,Levy,0.1,no,laptop", "(it starts after the run ends in"),
        ("2023-01,2024-06,US,CN,Levy,0.1,no,laptop", "(it ends before the run starts in"),
        ("2026-01,,US,CN,Levy,0.1,no,laptop,0", "(its coverage is 0)"),
        ("2026-01,,US,CN,Levy,0,no,laptop", "(its rate is 0, and no earlier row"),
        ("2026-01,,US,MY,Levy,0.1,no,electric_car", "(no electric_car comes from MY)"),
    ],
)
def test_a_row_that_does_nothing_is_remarked_on(tmp_path: Path, row: str, said: str) -> None:
    (found,) = remarks(with_rows(tmp_path, row))
    assert "Levy, 20" in found
    assert "the row does nothing (" in found
    assert said in found


def test_a_row_at_the_rate_of_an_earlier_one_does_nothing(tmp_path: Path) -> None:
    first = "2026-01,,US,CN,Levy,0.1,no,laptop"
    (found,) = remarks(with_rows(tmp_path, first, "2027-01,,US,CN,levy,0.1,no,laptop"))
    assert "levy, 2027-01: the row does nothing (other rows of its instrument" in found
    wider = with_rows(tmp_path, first, "2027-01,,US,CN,Levy,0.1,no,laptop drone")
    assert not [*remarks(wider)]


@pytest.mark.parametrize(
    "rows",
    [
        ("2026-01,,EU,CN,Levy,0.1,no,laptop",),
        ("2026-01,,US,CN,Levy,0.1,no,laptop", "2027-01,,US,CN,Levy,0,no,laptop"),
        ("2019-01,,US,CN,Held,0.25,yes,auto_parts", "2027-01,,US,CN,Held,0,no,auto_parts"),
        # ended before the run, but with it an earlier row that was open
        ("2023-01,,US,CN,Levy,0.1,no,laptop", "2024-01,2024-06,US,CN,Levy,0.2,no,laptop"),
    ],
)
def test_a_row_that_does_something_is_not(tmp_path: Path, rows: tuple[str, ...]) -> None:
    found = [remark for remark in remarks(with_rows(tmp_path, *rows)) if rows[-1][:7] in remark]
    assert not found


def test_a_row_after_the_run_that_is_announced_in_it_is_only_expected(tmp_path: Path) -> None:
    (found,) = remarks(with_rows(tmp_path, "2032-01,,US,CN,Levy,0.1,no,laptop,,,2028-01"))
    assert "Levy, 2032-01: the row is only expected: it starts after the run" in found


def test_a_row_that_is_in_part_on_goods_of_its_own_market(tmp_path: Path) -> None:
    (found,) = remarks(with_rows(tmp_path, "2026-01,,EU,EU CN,Levy,0.1,no,laptop"))
    assert "it is not levied on goods of its own market (EU belongs to EU)" in found


def test_a_calendar_that_is_switched_off_is_remarked_on(tmp_path: Path) -> None:
    row = "2026-01,,US,CN,Levy,0.1,no,laptop"
    (found,) = remarks(with_rows(tmp_path, row, trade__tariffs_in_force=False))
    assert "its tariff calendar does nothing: trade.tariffs_in_force is no" in found


def test_of_a_copy_of_the_shipped_rows_only_ones_own_are_told(tmp_path: Path) -> None:
    text = (SHIPPED / "tariff_calendar.csv").read_text()
    head, _, _ = text.partition("\n")
    cells = dict.fromkeys(head.split(","), "") | {
        "date": "2026-01", "levied_by": "US", "against": "CN", "base": "product", "rate": "0.1",
        "instrument": "Levy", "in_2024_base": "no", "devices": "laptop", "coverage": "0",
        "source": "assumption", "confidence": "assumption", "in_baseline": "yes",
    }  # fmt: skip
    (tmp_path / "cal.csv").write_text(f"{text}{','.join(cells.values())}\n")
    (tmp_path / "own.yaml").write_text(
        "extends: baseline\ndata: {tariff_calendar: cal.csv}\nrun: {end: 2025-12}\n"
    )
    (found,) = remarks(load_scenario(tmp_path / "own.yaml"))
    assert "Levy, 2026-01: the row does nothing" in found


def test_columns_left_out_of_a_copy_do_not_matter_for_rows_that_are_over(tmp_path: Path) -> None:
    """A rate of one's own does, and so does an announcement of what is not over."""
    with (SHIPPED / "tariff_calendar.csv").open(newline="") as file:
        rows = [*csv.DictReader(file)]
    over = [row for row in rows if row["ends"] and row["ends"] <= "2027-01"]
    assert len(over) > 10
    (changed,) = [row for row in over if row["id"] == "C20a"]

    def found(left_out: set[str], **changes: str) -> list[str]:
        own = [*map(dict, rows)]
        own[rows.index(changed)] |= changes
        names = [name for name in rows[0] if name not in left_out]
        with (tmp_path / "cal.csv").open("w", newline="") as file:
            table = csv.DictWriter(file, names, extrasaction="ignore")
            table.writeheader()
            table.writerows(own)
        (tmp_path / "own.yaml").write_text(
            "extends: baseline\ndata: {tariff_calendar: cal.csv}\n"
            "run: {start: 2027-01, end: 2027-12}\n"
        )
        law = replace(load_scenario(tmp_path / "own.yaml"), agents__makers=600)
        return [remark for remark in remarks(law) if "before the run starts" in remark]

    assert not found({"announced", "end_known"})
    assert not found({"announced", "end_known", "coverage"})
    assert not found(set(), announced="")
    (said,) = found({"announced", "end_known"}, rate="0.17")
    assert "IEEPA reciprocal on others, 2025-08-07 (C20a): the row does nothing" in said


# Stacking groups


@pytest.mark.parametrize(
    ("group", "rate", "market", "said"),
    [
        ("", "0.3", "US", "in no stacking group, while earlier rows of the instrument are in 'gg'"),
        ("hh", "0.3", "US", "in stacking group 'hh', while earlier rows of the instrument are in "),
        ("GG", "0.3", "US", ""),
        ("", "0", "US", ""),
        ("", "0.3", "EU", ""),
    ],
)
def test_a_row_that_leaves_the_group_of_its_instrument(
    tmp_path: Path, group: str, rate: str, market: str, said: str
) -> None:
    """One adds 0.3 to the 0.2 of Two, where the higher of 0.1 and 0.2 was due."""
    rules = with_rows(
        tmp_path,
        "2026-01,,US,CN,One,0.1,no,television,,gg",
        f"2027-06,,{market},CN,one,{rate},no,television,,{group}",
        "2026-01,,US,CN,Two,0.2,no,television,,gg",
    )
    found = [remark for remark in remarks(rules) if "earlier rows of the instrument" in remark]
    assert len(found) == bool(said)
    assert all(f"own: one, 2027-06: {said}" in remark for remark in found)
    if said:
        before, after = (
            tariffsim.duty(rules, "television", "CN", "US", month).total
            for month in ("2027-05", "2027-06")
        )
        assert after - before == pytest.approx(0.3)
        assert found[0].endswith("from then on its duty is added to those of 'gg'")


def test_a_group_with_one_member_compares_nothing(tmp_path: Path) -> None:
    levy = "2026-01,,{},CN,Levy,0.1,no,laptop,,g one"
    other = "2026-01,,{},CN,Law D,0.2,no,laptop,,G One"
    for rows, said in (
        ([levy.format("US")], "stacking group 'g one' has a single member, Levy: nothing"),
        ([levy.format("US"), other.format("EU")], "in different markets only (Levy, Law D)"),
        ([levy.format("US"), other.format("US")], ""),
    ):
        found = [remark for remark in remarks(with_rows(tmp_path, *rows)) if "group" in remark]
        assert len(found) == bool(said)
        assert all(said in remark for remark in found)


@pytest.mark.parametrize(("group", "is_single"), [("h", True), ("LEVY", False), ("g one", False)])
def test_a_policy_may_be_the_single_member(tmp_path: Path, group: str, is_single: bool) -> None:
    levy = "2026-01,,US,CN,Levy,0.1,no,laptop,,"
    tariff = {"kind": "product_tariff", "rate": {"2026-06": 0.2}, "stacking_group": group}
    row = levy + ("g one" if group == "g one" else "")
    found = [r for r in remarks(with_rows(tmp_path, row, policies={"p": tariff})) if "group" in r]
    assert found == is_single * [
        "own: stacking group 'h' has a single member, policies.p: nothing is compared"
    ]


def test_names_of_groups_that_are_nearly_one_are_remarked_on() -> None:
    def found(*groups: str) -> list[str]:
        policies = {
            f"p{i}": {"kind": "product_tariff", "rate": {"2026-06": 0.2 + 0.1 * i},
                      "stacking_group": group}
            for i, group in enumerate(groups)
        }  # fmt: skip
        return [remark for remark in remarks(with_policies(**policies)) if "called" in remark]

    (said,) = found("Section 232 auto", "Section 232 auto")
    assert "an instrument and a stacking group are called 'Section 232 autos' and " in said
    assert "'Section 232 auto': duties are compared only in a group of one name" in said
    (said,) = found("content of chips", "contents of chips")
    assert "stacking groups are called 'content of chips' and 'contents of chips'" in said
    assert not found("section 232  Autos", "Section 232 autos")
    assert not found("list 1", "list 2")


# Refunds

LEVY = {"kind": "component_tariff", "rate": 0.2, "start": "2026-01", "end": "2026-12"}


def refund(share: Any, *names: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "duty_refund", "share": share, "refunds": list(names), **fields}


@pytest.mark.parametrize(
    ("levy", "back", "said"),
    [
        ({}, refund({"2027-01": 0.0}, "levy"), "(its share is 0)"),
        ({}, refund({"2025-06": 1.0}, "levy", end="2025-12"), "(it ends in 2025-12, before any"),
        ({}, refund({"2025-06": 1.0}, "levy", end="2026-01"), "(it ends in 2026-01, before any"),
        ({}, refund({"2025-12": 1.0}, "Section 301 list 3"), "is in the duties of 2024, of which"),
        ({}, refund({"2028-01": 1.0}, "levy", paid_since="2027-02"), "levied from 2027-02 on)"),
        ({"threshold": 0.99}, refund({"2027-01": 1.0}, "LEVY"), "(LEVY levies nothing in the run"),
        ({"start": "2035-01", "end": None}, refund({"2027-01": 1.0}, "levy"), "levy levies noth"),
        ({}, refund({"2026-01": 1.0}, "C02a"), "(C02a levies nothing in the run"),
    ],
)
def test_a_refund_that_does_nothing_is_remarked_on(
    levy: dict[str, Any], back: dict[str, Any], said: str
) -> None:
    found = [r for r in remarks(with_policies(levy=LEVY | levy, back=back)) if "policies.back" in r]
    assert len(found) == 1
    assert "policies.back does nothing (" in found[0]
    assert said in found[0]


def test_a_refund_of_a_calendar_that_is_switched_off_does_nothing() -> None:
    rules = with_policies(back=refund({"2025-12": 1.0}, "IEEPA fentanyl"))
    assert not [*remarks(rules)]
    (found,) = remarks(replace(rules, trade__tariffs_in_force=False))
    assert "policies.back does nothing (trade.tariffs_in_force is no" in found


def test_a_refund_of_what_another_has_paid_back_does_nothing() -> None:
    policies = {"one": refund({"2027-01": 1.0}, "levy"), "two": refund({"2027-06": 0.5}, "Levy")}
    (found,) = remarks(with_policies(levy=LEVY, **policies))
    assert "policies.two does nothing (other refunds have paid back as much by then)" in found


def test_one_of_several_names_of_which_nothing_is_paid_back() -> None:
    back = refund({"2025-12": 1.0}, "IEEPA fentanyl", "Section 301 list 3")
    (found,) = remarks(with_policies(back=back))
    assert "policies.back pays nothing back of Section 301 list 3 (" in found


@pytest.mark.parametrize(
    ("share", "said"),
    [
        ({"2027-01": 0.8, "2027-06": 0.2}, "falls to 0.2 in 2027-06, which does nothing: 0.8 has"),
        ({"2026-03": 0.8, "2026-06": 0.2}, "falls to 0.2 in 2026-06: what has been paid back of"),
        (
            {"2027-01": 0.8, "2027-06": 0.2, "interpolate": "linear"},
            "falls to 0.2 in 2027-06, which does nothing: 0.8 has",
        ),
        ({"2027-01": 0.2, "2027-06": 0.8}, ""),
        ({"2026-03": 0.5, "2027-06": 1.0, "interpolate": "linear"}, ""),
    ],
)
def test_a_share_that_falls_takes_nothing_back(share: Any, said: str) -> None:
    found = [*remarks(with_policies(levy=LEVY, back=refund(share, "levy")))]
    assert len(found) == bool(said)
    assert all(f"policies.back.share {said}" in remark for remark in found)


def test_shipped_scenarios_have_none_of_these_remarks() -> None:
    words = ("the row", "stacking group", "policies.back", "pays nothing back", "are called")
    for name in shipped_names():  # below some 500 lines small countries of assembly are left out
        rules = replace(load_scenario(name), agents__makers=600)
        assert not [r for r in remarks(rules) if any(word in r for word in words)], name

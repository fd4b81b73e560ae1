"""The highest of several bases, repeal and replacement of calendar rows, coverage, all-in, days."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tariffsim
from tariffsim.calibration import build_economy
from tariffsim.errors import ChoiceError, ScenarioError
from tariffsim.explain.remarks import levied_elsewhere, remarks
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.state.economy import Economy
from tests.cli.calling import call, json_of
from tests.economies import STILL, last, run, scenario

ALL_KNOW = {"compliance": {"behaviour": "compliant"}}
"""All importers know the origin of chips, and none evades."""
ROUNDING = 1e-9


def with_policies(**policies: dict[str, Any]) -> Scenario:
    return replace(load_scenario("baseline"), agents__makers=60, policies=policies)


def due(rules: Scenario, month: str, device: str, origin: str) -> float:
    return tariffsim.duty(rules, device, origin, "US", month).total


def chips_inside(**fields: Any) -> dict[str, Any]:
    return {
        "kind": "component_tariff",
        "rate": {"2025-01": 0.25},
        "stacking_group": "more",
    } | fields


def product_rate(rate: Any, **fields: Any) -> dict[str, Any]:
    scope = {"devices": ["laptop"], "assembly_countries": ["VN"], "stacking_group": "g"}
    return {"kind": "product_tariff", "rate": rate} | scope | fields


# The highest of several bases


def duties_due(economy: Economy) -> dict[str, np.ndarray]:
    names = [law.name for law in economy.tariff_schedule.laws]
    return {names[i]: duty for i, duty in economy.instrument_duty.items()}


@pytest.mark.parametrize("per_chip", [0.005, 0.05, 0.5])
def test_the_higher_of_a_rate_and_so_much_a_chip(per_chip: float) -> None:
    """Product by product: 25 % of the value or so many USD a chip, whichever is more."""
    policies = {"v": chips_inside(), "s": chips_inside(per="chip", rate={"2025-01": per_chip})}
    (both,) = run(scenario(STILL, ALL_KNOW, {"policies": policies}, makers=80), 0, 1)
    alone = {}
    for name, policy in policies.items():
        (one,) = run(scenario(STILL, ALL_KNOW, {"policies": {name: policy}}, makers=80), 0, 1)
        alone[name] = duties_due(one)[name]
    found = duties_due(both)
    total = found["v"] + found["s"]
    assert total.any()
    assert ((found["v"] == 0) | (found["s"] == 0)).all()
    # chips and prices are those of the base year in the first month, whatever is expected
    np.testing.assert_allclose(total, np.maximum(alone["v"], alone["s"]), rtol=1e-9)


@st.composite
def groups_of_days(draw: Any) -> dict[str, dict[str, Any]]:
    """Two to four duties of one group, each in force between two days, with a step between."""
    policies = {}
    for n in range(draw(st.integers(2, 4))):
        days = sorted(draw(st.sets(st.integers(0, 118), min_size=3, max_size=3)))
        first, step, last = (date(2026, 1, 1) + timedelta(days=day) for day in days)
        low, high = (draw(st.integers(1, 40)) / 100 for _ in range(2))
        path = {str(first): low, str(step): high}
        policies[f"p{n}"] = product_rate(path, end=str(last), coverage=draw(st.integers(1, 4)) / 4)
    return policies


@settings(max_examples=25)
@given(groups_of_days())
def test_the_highest_of_a_group_is_due_day_by_day(policies: dict[str, dict[str, Any]]) -> None:
    """Whoever comes or goes within a month: against a sum over the days of each month."""
    rules = with_policies(**policies)
    without = with_policies()
    for month in (1, 2, 3, 4):
        highest = []
        for day in range(1, monthrange(2026, month)[1] + 1):
            now, due_today = date(2026, month, day), [0.0]
            for policy in policies.values():
                steps = [(date.fromisoformat(d), rate) for d, rate in policy["rate"].items()]
                rates = [rate for begins, rate in steps if begins <= now]
                if rates and now <= date.fromisoformat(policy["end"]):
                    due_today.append(rates[-1] * policy["coverage"])
            highest.append(max(due_today))
        text = f"2026-{month:02d}"
        added = due(rules, text, "laptop", "VN") - due(without, text, "laptop", "VN")
        assert added == pytest.approx(sum(highest) / len(highest), abs=ROUNDING)


def test_a_policy_that_follows_a_calendar_row_within_a_month() -> None:
    """The shipped surcharge ends on 23 July 2026; its successor in the group is due for 8 days."""
    name = "Section 122 surcharge (IEEPA tariffs ended)"
    fields = {"devices": ["television"], "assembly_countries": ["VN"], "stacking_group": name}
    rules = with_policies(new=product_rate({"2026-07-24": 0.10}, **fields))
    before, after = (due(one, "2026-07", "television", "VN") for one in (with_policies(), rules))
    assert after - before == pytest.approx(0.10 * 8 / 31, abs=ROUNDING)


def test_books_and_tables_have_a_law_once_whatever_the_parts_of_months() -> None:
    """Two duties that meet within a month: each takes its days, and has one row."""
    from_china = {"devices": ["smartphone"], "assembly_countries": ["CN"]}
    policies = {
        "old": product_rate(0.10, start="2025-01", end="2025-02-10", **from_china),
        "new": product_rate({"2025-02-11": 0.12}, **from_china),
    }
    changes = {"agents.makers": 60, "run.end": "2025-03", "run.seeds": 1, "policies": policies}
    results = tariffsim.run(replace(load_scenario("baseline"), **changes))
    table = results.tables["policies"]
    of_both = table[table["policy"].isin(policies)]
    assert not of_both.duplicated(["policy", "month"]).any()
    rates = of_both.set_index(["policy", "month"])["rate"]
    assert rates["old", "2025-02"] == pytest.approx(0.10 * 10 / 28)
    assert rates["new", "2025-02"] == pytest.approx(0.12 * 18 / 28)
    assert (of_both.set_index(["policy", "month"])["policy_duty"].loc[:, "2025-02"] > 0).all()


@pytest.mark.parametrize(
    ("other", "by_chip"),
    [
        (chips_inside(per="chip"), True),
        (product_rate({"2025-01": 0.05}, stacking_group="more"), False),
    ],
)
def test_makers_weigh_the_product_where_a_base_of_the_group_is(
    other: dict[str, Any], by_chip: bool
) -> None:
    """Among duties on chips the highest is found chip by chip; with a whole product it is not."""
    rules = with_policies(v=chips_inside(), other=other)
    schedule = build_economy(rules, 0).tariff_schedule
    both = [i for i, law in enumerate(schedule.laws) if law.is_compared]
    assert {schedule.laws[i].name for i in both} == {"v", "other"}
    assert {schedule.laws[i].is_separable for i in both} == {by_chip}
    assert (set(both) <= set(schedule.triggers)) == (not by_chip)


def test_makers_foresee_the_higher_one() -> None:
    """A rate of 50 % and a symbolic sum a chip are the rate alone, and the other way round."""

    def share(**policies: dict[str, Any]) -> float:
        rules = scenario(ALL_KNOW, {"policies": policies}, makers=80)
        *_, last = run(rules, 1, 60)
        china = last.foundries.is_chinese
        return float(last.foundries.line_sales[china].sum() / last.foundries.line_sales.sum())

    high = chips_inside(rate={"2025-01": 1.0})
    low = chips_inside(rate={"2025-01": 1e-7}, per="chip")
    without = share()
    alone = share(v=high | {"stacking_group": None})
    assert share(v=high, s=low) == pytest.approx(alone, rel=1e-12)
    assert alone < without - 0.0005


def test_of_equal_duties_the_first_by_name_is_due_however_they_are_listed() -> None:
    """Scenarios that differ in the order of their policies are equal, and so are their runs."""
    levy = product_rate({"2025-01": 0.1}, devices=None)
    listed = with_policies(b=levy, a=levy), with_policies(a=levy, b=levy)
    assert listed[0] == listed[1]
    assert listed[0].content_hash == listed[1].content_hash
    duties = [duties_due(last(rules, 1, 3)) for rules in listed]
    assert list(duties[0]) == list(duties[1])
    for name, due in duties[0].items():
        np.testing.assert_array_equal(due, duties[1][name], err_msg=name)
    assert duties[0]["a"].sum() > 0
    assert duties[0]["b"].sum() == 0


def test_a_whole_product_and_a_component_duty_may_share_a_group() -> None:
    product = {
        "kind": "product_tariff", "rate": {"2025-01": 0.10}, "assembly_countries": ["CN"],
        "stacking_group": "more",
    }  # fmt: skip
    policies = {"content": chips_inside(rate={"2025-01": 1.0}), "whole": product}
    (economy,) = run(scenario(STILL, ALL_KNOW, {"policies": policies}, makers=80), 0, 1)
    found = duties_due(economy)
    flows, makers = economy.flows, economy.makers
    from_china = flows.origin == economy.constants.codes.origins.index("CN")
    value = flows.customs_value
    in_us = flows.market == economy.constants.codes.markets.index("US")
    chinese = (makers.chip_value * (makers.chip_region == 0))[flows.maker].sum(axis=1)
    expected = np.where(in_us, np.maximum(np.where(from_china, 0.1 * value, 0.0), chinese), 0.0)
    np.testing.assert_allclose(found["content"] + found["whole"], expected, rtol=1e-9, atol=1e-12)


# Days, coverage, all-in


def test_a_policy_counts_by_days() -> None:
    tariff = {
        "kind": "product_tariff", "assembly_countries": ["VN"], "devices": ["laptop"],
        "rate": {"2027-06-23": 0.30, "2027-08-11": 0.10}, "end": "2027-09-15",
    }  # fmt: skip
    rules = with_policies(levy=tariff)
    base = due(rules, "2027-05", "laptop", "VN")
    months = ("2027-06", "2027-07", "2027-08", "2027-09", "2027-10")
    added = [due(rules, month, "laptop", "VN") - base for month in months]
    want = [0.3 * 8 / 30, 0.3, (0.3 * 10 + 0.1 * 21) / 31, 0.1 * 15 / 30, 0.0]
    assert added == pytest.approx(want, abs=1e-12)


def test_dates_with_days_are_written_as_they_were_read() -> None:
    tariff = {"kind": "component_tariff", "rate": {"2027-06-23": 0.3}, "end": "2027-09-15"}
    rules = with_policies(levy=tariff)
    written = rules.policies["levy"].model_dump(mode="json")
    assert (written["rate"], written["end"]) == ({"2027-06-23": 0.3}, "2027-09-15")
    assert load_scenario("chip_cutoff") == replace(load_scenario("chip_cutoff"))


@pytest.mark.parametrize("day", ["2027-02-30", "2027-6-23", "2027-06-00", "2027-06-23T00"])
def test_what_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(ScenarioError, match=r"2025-07-23|is not a day of"):
        with_policies(levy={"kind": "component_tariff", "rate": 0.3, "start": day})


def test_a_path_is_neutral_before_its_first_date() -> None:
    tariff = {"kind": "component_tariff", "start": "2025-01", "rate": {"2027-01": 0.25}}
    rules = with_policies(levy=tariff)
    policy = rules.policies["levy"]
    assert [policy.rate_in_force(12 * y) for y in (2025, 2026, 2027)] == [0.0, 0.0, 0.25]
    assert any("neutral until 2027-01" in remark for remark in remarks(rules))


def test_coverage_of_a_policy_scales_its_duty() -> None:
    tariff = {"kind": "product_tariff", "rate": {"2026-01": 0.2}, "assembly_countries": ["VN"]}
    whole, part = (
        due(with_policies(levy=tariff | {"coverage": share}), "2026-06", "laptop", "VN")
        - due(with_policies(), "2026-06", "laptop", "VN")
        for share in (1.0, 0.3)
    )
    assert (whole, part) == (pytest.approx(0.2), pytest.approx(0.06))


def test_an_all_in_policy_includes_the_ordinary_duty() -> None:
    tariff = {
        "kind": "product_tariff", "rate": {"2026-01": 0.15, "2027-01": 0.0}, "all_in": True,
        "assembly_countries": ["JP"], "devices": ["combustion_car"],
    }  # fmt: skip
    off = {"trade__tariffs_in_force": False}
    rules = replace(with_policies(deal=tariff), **off)
    ordinary = due(rules, "2025-06", "combustion_car", "JP")
    assert ordinary > 0.02
    assert due(rules, "2026-06", "combustion_car", "JP") == pytest.approx(0.15)
    assert due(rules, "2027-06", "combustion_car", "JP") == pytest.approx(ordinary)


# Repeal and replacement


def test_a_ruling_switches_an_instrument_off_and_on_again() -> None:
    ruling = {
        "kind": "repeal", "repeals": ["IEEPA fentanyl"], "start": "2025-06", "end": "2025-08",
        "share": 1.0,
    }  # fmt: skip
    rules, before = with_policies(ruling=ruling), with_policies()
    for month, less in (("2025-05", 0.0), ("2025-06", 0.2), ("2025-08", 0.2), ("2025-09", 0.0)):
        for kind, of in (("product", "laptop"), ("chips", "laptop")):
            one, other = (tariffsim.duty(r, of, "CN", "US", month) for r in (before, rules))
            if kind == "product":
                assert one.total - other.total == pytest.approx(less, abs=1e-12)
            else:
                fall = {k: one.total_on_chips[k] - v for k, v in other.total_on_chips.items()}
                assert fall == pytest.approx(dict.fromkeys(fall, less), abs=1e-12)


def test_a_part_may_be_repealed_and_steps_follow() -> None:
    share = {"2025-05": 0.5, "2025-07": 1.0}
    ruling = {"kind": "repeal", "repeals": ["ieepa FENTANYL"], "share": share}
    rules, before = with_policies(ruling=ruling), with_policies()
    less = [due(before, m, "drone", "CN") - due(rules, m, "drone", "CN")
            for m in ("2025-04", "2025-05", "2025-07", "2026-06")]  # fmt: skip
    assert less == pytest.approx([0.0, 0.1, 0.2, 0.0], abs=1e-12)


def test_a_policy_may_replace_rows_by_id_within_its_scope() -> None:
    rows = [row for row in load_scenario("baseline").tables().calendar if "autos" in row.instrument]
    row = next(row for row in rows if "JP" in row.against and row.stops == np.inf)
    deal = {
        "kind": "product_tariff", "rate": {"2027-01": 0.05}, "replaces": [row.id],
        "assembly_countries": ["JP"], "devices": ["combustion_car"],
    }  # fmt: skip
    rules, before = with_policies(deal=deal), with_policies()
    ordinary = due(
        replace(before, trade__tariffs_in_force=False), "2027-06", "combustion_car", "JP"
    )
    assert due(rules, "2027-06", "combustion_car", "JP") == pytest.approx(ordinary + 0.05, abs=1e-9)
    for device, origin, month in (
        ("electric_car", "JP", "2027-06"), ("combustion_car", "JP", "2026-12"),
        ("combustion_car", "KR", "2027-06"),
    ):  # fmt: skip
        assert due(rules, month, device, origin) == due(before, month, device, origin)


def test_names_that_the_calendar_has_not_are_refused() -> None:
    with pytest.raises(ScenarioError, match="neither an instrument nor an id") as error:
        with_policies(
            x={"kind": "repeal", "repeals": ["IEEPA fentanil"], "start": "2025-05", "share": 1}
        )
    assert "did you mean IEEPA fentanyl?" in str(error.value)


def test_a_repeal_that_is_announced_is_expected() -> None:
    ruling = {
        "kind": "repeal", "repeals": ["Section 301 forced labour"], "start": "2027-06",
        "announced": "2027-01", "share": 1.0,
    }  # fmt: skip
    schedule = build_economy(with_policies(ruling=ruling), 0).tariff_schedule
    codes = schedule.codes
    cell = codes.cell(codes.devices.index("drone"), codes.origins.index("CN"), 0)

    def foreseen(now: int, then: int) -> float:
        laws = (law for law in schedule.laws if law.is_calendar and law.scope.ndim == 1)
        rates = (law.by_cell(law.rate_expected(then, now, "announced"))[cell] for law in laws)
        return float(sum(rates))

    year = 12 * 2027
    assert foreseen(year - 1, year + 12) == pytest.approx(foreseen(year - 1, year + 1))
    assert foreseen(year, year + 1) - foreseen(year, year + 12) == pytest.approx(0.125)


def test_the_calendar_and_a_policy_may_share_a_group() -> None:
    name = "Section 301 forced labour"
    tariff = {
        "kind": "product_tariff", "rate": {"2027-01": 0.2}, "assembly_countries": ["CN"],
        "devices": ["drone"], "stacking_group": name,
    }  # fmt: skip
    rules, before = with_policies(levy=tariff), with_policies()
    added = due(rules, "2027-06", "drone", "CN") - due(before, "2027-06", "drone", "CN")
    assert added == pytest.approx(0.2 - 0.125)
    with pytest.raises(ScenarioError, match="in the duties of 2024"):
        with_policies(levy=tariff | {"stacking_group": "Section 301 list 3"})


# Measures without effect


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (
            {"kind": "product_tariff", "rate": {"2026-01": 0.25}, "assembly_countries": ["CN"],
             "exempt_assembly_countries": ["CN"]},
            "nothing is in its scope",
        ),
        (
            {"kind": "product_tariff", "rate": {"2026-01": 0.25}, "assembly_countries": ["US"]},
            "",
        ),
        (
            {"kind": "component_tariff", "rate": {"2026-01": 0.25}, "threshold": 0.99},
            "no product reaches its threshold",
        ),
        ({"kind": "component_tariff", "rate": {"2026-01": 0.0}}, "its rate is 0"),
    ],
)  # fmt: skip
def test_what_does_nothing_is_remarked_on(policy: dict[str, Any], reason: str) -> None:
    found = [remark for remark in remarks(with_policies(levy=policy)) if "does nothing" in remark]
    assert len(found) == 1
    assert reason in found[0]


@pytest.mark.parametrize(
    "name", ["component_50", "micron_style_ban", "chips_act", "disclosure_only"]
)
def test_shipped_measures_do_something(name: str) -> None:
    rules = replace(load_scenario(name), agents__makers=200)
    assert not [remark for remark in remarks(rules) if "does nothing" in remark]


def test_a_step_after_the_end_is_remarked_on() -> None:
    policy = {
        "kind": "component_tariff", "end": "2026-12", "rate": {"2026-01": 0.25, "2027-06": 0.5},
    }  # fmt: skip
    assert any("2027-06" in r and "never come" in r for r in remarks(with_policies(levy=policy)))


def test_a_market_that_levies_nothing_is_named() -> None:
    rules = load_scenario("component_50")
    (remark,) = levied_elsewhere(rules, "EU")
    assert "those of US, none of EU" in remark
    assert "markets=[EU]" in remark
    assert not list(levied_elsewhere(rules, "US"))


# Calendars compared, and the command


def test_calendars_may_be_compared(tmp_path: Path) -> None:
    """With and without a duty in force: the same agents and draws, so the same first month."""
    head = ("date,ends,levied_by,against,base,instrument,rate,in_2024_base,devices,in_baseline,"
            "scope,source,confidence")  # fmt: skip
    row = "2025-02,,US,CN,product,Border surcharge,0.50,no,laptop,yes,,assumption,assumption"
    (tmp_path / "two.csv").write_text(f"{head}\n{row}\n")
    (tmp_path / "two.yaml").write_text("extends: baseline\ndata: {tariff_calendar: two.csv}\n")
    small = {"agents__makers": 60, "run__end": "2025-03"}
    rules = replace(load_scenario(tmp_path / "two.yaml"), **small)
    found = tariffsim.compare(
        [rules], replace(load_scenario("baseline"), **small), seeds=2, fixed_parameters=True
    )
    table = found.tables["market_month"]
    table = table[(table["market"] == "US")].set_index(["scenario", "seed", "month"])
    revenue = table["duty_value"].unstack("scenario")
    assert (revenue["two"] != revenue["baseline"]).any()


def test_the_command_says_what_is_due() -> None:
    words = ("duty", "baseline", "--device", "laptop", "--origin", "CN", "--month", "2025-06")
    code, out, _ = call(*words)
    assert code == 0
    assert "IEEPA fentanyl" in out
    assert "0.2000 of customs value" in out
    data = json_of(*words)
    assert data["total"] == pytest.approx(0.2, abs=1e-6)
    assert sum(row["due"] for row in data["product"]) == pytest.approx(data["total"])
    code, _, err = call("duty", "baseline", "--device", "laptops", "--origin", "CN")
    assert code == 2
    assert "did you mean laptop?" in err


def test_the_duty_on_content_is_given_over_the_value_of_the_product() -> None:
    """It is what customs charges in the first month, over the value of the products."""
    tariff = {"kind": "component_tariff", "rate": {"2025-01": 0.5}}
    rules = scenario(ALL_KNOW, {"policies": {"levy": tariff}}, makers=200)
    found = tariffsim.duty(rules, "laptop", "CN", "US", "2025-01")
    rows = [row for row in found.product if row.law == "levy"]
    assert rows[0].on == "value of chips inside"
    economy = build_economy(rules, rules.run.seed)
    flows, makers, codes = economy.flows, economy.makers, economy.constants.codes
    here = economy.flow_cells == codes.cell(
        codes.devices.index("laptop"), codes.origins.index("CN"), codes.markets.index("US")
    )
    chinese = (makers.chip_value * (makers.chip_region == codes.regions.index("CN"))).sum(axis=1)
    value = (makers.customs_value[flows.maker] * flows.units)[here].sum()
    want = 0.5 * (chinese[flows.maker] * flows.units)[here].sum() / value
    assert rows[0].due == pytest.approx(want, rel=ROUNDING)


# What a first reader found


def test_a_market_that_joins_a_ruling_levies_until_then() -> None:
    ruling = {
        "kind": "repeal", "repeals": ["IEEPA fentanyl"], "share": 1.0, "start": "2025-03",
        "markets": ["EU", "US"], "joins": {"US": "2025-08"},
    }  # fmt: skip
    rules, before = with_policies(ruling=ruling), with_policies()
    less = [due(before, m, "drone", "CN") - due(rules, m, "drone", "CN")
            for m in ("2025-07", "2025-08")]  # fmt: skip
    assert less == pytest.approx([0.0, 0.2], abs=1e-12)


def test_a_repeal_may_come_gradually() -> None:
    share = {"2026-08": 0.0, "2027-08": 1.0, "interpolate": "linear"}
    ruling = {"kind": "repeal", "repeals": ["Section 301 forced labour"], "share": share}
    rules, before = with_policies(ruling=ruling), with_policies()
    less = [due(before, m, "drone", "CN") - due(rules, m, "drone", "CN")
            for m in ("2026-08", "2026-11", "2027-02", "2027-08")]  # fmt: skip
    assert less == pytest.approx([0.0, 0.125 / 4, 0.125 / 2, 0.125], abs=1e-9)


def test_a_repeal_that_ends_before_its_next_step_is_over() -> None:
    ruling = {
        "kind": "repeal", "repeals": ["Section 301 forced labour"], "end": "2027-06",
        "share": {"2027-01": 0.5, "2028-01": 1.0},
    }  # fmt: skip
    rules, before = with_policies(ruling=ruling), with_policies()
    less = [due(before, m, "drone", "CN") - due(rules, m, "drone", "CN")
            for m in ("2027-06", "2027-07", "2028-02")]  # fmt: skip
    assert less == pytest.approx([0.0625, 0.0, 0.0], abs=1e-12)


def test_a_refund_is_not_said_to_do_nothing() -> None:
    refund = {"kind": "duty_refund", "refunds": ["IEEPA fentanyl"], "share": {"2025-12": 0.5}}
    assert not [r for r in remarks(with_policies(refund=refund)) if "does nothing" in r]


def test_the_rows_of_a_duty_say_rate_and_part_of_the_month() -> None:
    tariff = {"kind": "product_tariff", "rate": {"2026-10-15": 0.05}, "assembly_countries": ["VN"]}
    found = tariffsim.duty(with_policies(levy=tariff), "laptop", "VN", "US", "2026-10")
    (row,) = (row for row in found.product if row.law == "levy")
    assert (row.rate, row.coverage) == (pytest.approx(0.05), pytest.approx(17 / 31))
    assert row.due == pytest.approx(0.05 * 17 / 31)


def test_the_rows_of_a_duty_add_up_and_name_both_reasons() -> None:
    policies = {
        "ruling": {"kind": "repeal", "share": 1.0, "start": "2027-01"},
        "a": {"kind": "product_tariff", "rate": {"2027-01": 0.10}, "stacking_group": "g"},
        "b": {"kind": "product_tariff", "rate": {"2027-01": 0.05}, "stacking_group": "g"},
    }
    found = tariffsim.duty(with_policies(**policies), "network_gear", "CN", "US", "2027-02")
    assert sum(row.due for row in found.product) == pytest.approx(found.total, abs=1e-12)
    rest = {row.law: row.due for row in found.product if row.rate is None}
    assert rest["only the highest of a stacking group is due"] == pytest.approx(-0.05)
    assert rest["a duty of the base year does not fall below zero"] > 0
    assert found.total == pytest.approx(0.10)


def test_months_outside_of_the_run_have_no_answer() -> None:
    with pytest.raises(ChoiceError, match="not in the run, which is 2025-01 to 2030-12"):
        tariffsim.duty(with_policies(), "laptop", "CN", "US", "2019-10")


# What attacks found


def test_everything_may_be_repealed() -> None:
    """No importer gains by declaring a country whose base duty was repealed."""
    rules = replace(
        with_policies(p={"kind": "repeal", "share": 1, "start": "2025-02"}), run__end="2025-04"
    )
    for economy in run(rules, 0, 4):  # accounts are checked every month
        flows, tables = economy.flows, economy.declarations.origin_duties(economy.policy.regime)
        assert (flows.base_duty + flows.new_duty >= -ROUNDING * flows.price).all()
        assert not tables.gain[tables.rate < 0].any()


@pytest.mark.parametrize(
    ("rate", "start", "want"),
    [
        (0.15, "2026-06-16", lambda base: base + 0.5 * (0.15 - base)),
        ({"2026-01": 0.01, "2026-06-16": 0.15}, None, lambda base: base + 0.5 * (0.15 - base)),
    ],
)
def test_all_in_rates_count_by_days_above_the_ordinary_duty(
    rate: Any, start: str | None, want: Any
) -> None:
    deal = {
        "kind": "product_tariff", "rate": rate, "all_in": True, "start": start,
        "devices": ["combustion_car"], "assembly_countries": ["JP"],
    }  # fmt: skip
    rules = replace(with_policies(deal=deal), trade__tariffs_in_force=False)
    ordinary = due(rules, "2025-06", "combustion_car", "JP")
    assert due(rules, "2026-06", "combustion_car", "JP") == pytest.approx(want(ordinary))


def test_a_duty_on_chips_of_some_regions_replaces_no_others(tmp_path: Path) -> None:
    head = ("date,ends,levied_by,against,base,instrument,rate,in_2024_base,devices,in_baseline,"
            "scope,source,confidence")  # fmt: skip
    row = "2025-02,,US,CN TW,bare_chips,Chips law,0.20,no,bare_chips,yes,,assumption,assumption"
    (tmp_path / "c.csv").write_text(f"{head}\n{row}\n")
    (tmp_path / "c.yaml").write_text(
        "extends: baseline\ndata: {tariff_calendar: c.csv}\npolicies:\n  p: {kind: "
        "bare_chip_tariff, chip_regions: [CN], rate: {2026-01: 0.1}, replaces: [Chips law]}\n"
    )
    rules = replace(load_scenario(tmp_path / "c.yaml"), agents__makers=60)
    for origin, fall in (("CN", 0.10), ("TW", 0.0)):
        before, after = (
            tariffsim.duty(rules, "laptop", origin, "US", month).total_on_chips["A"]
            for month in ("2025-12", "2026-01")
        )
        assert before - after == pytest.approx(fall, abs=1e-12)


def test_groups_are_one_whatever_the_case_and_blanks() -> None:
    policies = {
        name: {"kind": "product_tariff", "rate": {"2026-01": rate}, "assembly_countries": ["VN"],
               "stacking_group": group}
        for name, rate, group in (("a", 0.1, "G one"), ("b", 0.3, "g  ONE"))
    }  # fmt: skip
    added = due(with_policies(**policies), "2026-01", "laptop", "VN") - due(
        with_policies(), "2026-01", "laptop", "VN"
    )
    assert added == pytest.approx(0.3)


def test_what_comes_after_the_run_is_only_expected() -> None:
    tariff = {
        "kind": "component_tariff", "rate": {"2026-01": 0.0, "2031-06": 0.5},
        "announced": "2025-06",
    }  # fmt: skip
    (remark,) = (r for r in remarks(with_policies(levy=tariff)) if "policies.levy" in r)
    assert "only expected" in remark


def test_a_counter_subsidy_without_a_duty_to_answer_does_nothing() -> None:
    answer = {"kind": "counter_subsidy", "share": 0.5, "start": "2026-01"}
    assert any("does nothing" in remark for remark in remarks(with_policies(c=answer)))


def test_duties_are_told_of_names_files_and_counts_of_months() -> None:
    by_name = tariffsim.duty("baseline", "laptop", "CN", month=np.int64(12 * 2026))
    assert by_name.month == "2026-01"

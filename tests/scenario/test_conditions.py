"""Policies that answer others: `when` comes down to dates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tariffsim
from tariffsim.policy import Instrument
from tariffsim.scenario import load_scenario
from tariffsim.scenario.checks import remarks, start_after_base_year
from tariffsim.scenario.scenario_files import shipped_names
from tariffsim.simulation import simulate
from tariffsim.typing import format_moment, format_month, last_date, parse_month
from tests.economies import merged, scenario

TARIFF = {"kind": "component_tariff", "rate": {"2026-01": 0.25, "2027-01": 0.5}}
ANSWER = {"kind": "price_cut", "points": 0.05}


def law(**policies: dict[str, Any]) -> dict[str, Any]:
    return scenario({"policies": policies}).dated_policies


@pytest.mark.parametrize("named", ["duty", "component_tariff"])
def test_starts_so_many_months_after_what_it_answers(named: str) -> None:
    answer = law(duty=TARIFF, answer=ANSWER | {"when": f"{named} in force for 6 months"})["answer"]
    assert [answer.rate_in_force(parse_month(m)) for m in ("2026-06", "2026-07")] == [0.0, 0.05]
    assert answer.known_from == parse_month("2026-07")  # until then nobody knows


@pytest.mark.parametrize("lapse", [{"end": "2028-06"}, {"rate": {"2026-01": 0.25, "2028-07": 0.0}}])
def test_ends_with_what_it_answers(lapse: dict[str, Any]) -> None:
    answer = law(duty=TARIFF | lapse, answer=ANSWER | {"when": "duty in force"})["answer"]
    assert format_month(answer.end) == "2028-06"
    assert format_month(answer.first_month) == "2026-01"


def test_chain_of_answers() -> None:
    found = law(
        last=ANSWER | {"when": "first in force for 2 months"},
        first=ANSWER | {"when": "duty in force for 3 months"},
        duty=TARIFF,
    )
    assert format_month(found["last"].first_month) == "2026-06"


def test_never_met() -> None:
    """A tariff shorter than the wait, or none at all: nothing follows, and a remark says so."""
    short = {
        "duty": TARIFF | {"end": "2026-03"},
        "answer": ANSWER | {"when": "duty in force for 6 months"},
    }
    assert "answer" not in law(**short)
    lonely = scenario({"policies": {"answer": ANSWER | {"when": "component_tariff in force"}}})
    assert lonely.dated_policies == {}
    assert "its condition is never met" in next(remarks(lonely))


@given(start=st.integers(0, 40), wait=st.integers(0, 20), length=st.integers(1, 40))
def test_in_force_exactly_while_the_condition_holds(start: int, wait: int, length: int) -> None:
    first = parse_month("2025-01") + start
    duty = {"kind": "component_tariff", "rate": 0.3, "start": format_month(first)}
    duty["end"] = format_month(first + length - 1)
    found = law(duty=duty, answer=ANSWER | {"when": f"duty in force for {wait} months"})
    for month in range(first - 1, first + length + 2):
        met = first + wait <= month < first + length
        rate = found["answer"].rate_in_force(month) if "answer" in found else 0.0
        assert (rate != 0.0) == met


def test_an_answer_to_a_cutoff_of_so_many_days_ends_with_it() -> None:
    cut = {"kind": "chip_cutoff", "denied": 1.0, "first_day": "2025-03-10", "days": 60}
    found = law(cut=cut, answer=ANSWER | {"when": "cut in force for 1 month"})["answer"]
    assert days_of(found) == ("2025-04-10", "2025-05-08")


def days_of(policy: Instrument) -> tuple[str, str | None]:
    """First and last month or day in force, as files write them."""
    ends = policy.ends
    last = None if ends is None else format_moment(last_date(ends), last=True)
    return format_moment(policy.starts), last


PRODUCT = {"kind": "product_tariff", "devices": ["laptop"], "assembly_countries": ["CN"]}


def test_an_answer_is_in_force_by_the_days_of_what_it_answers() -> None:
    """Six months after 16 June is 16 December; both lapse on 15 March."""
    policies = {
        "a": PRODUCT | {"rate": 0.10, "start": "2027-06-16", "end": "2028-03-15"},
        "b": PRODUCT | {"rate": 0.30, "when": "a in force for 6 months"},
    }
    found = law(**policies)["b"]
    assert days_of(found) == ("2027-12-16", "2028-03-15")
    rates = {"2027-11": 0.0, "2027-12": 0.3 * 16 / 31, "2028-01": 0.3, "2028-03": 0.3 * 15 / 31}
    for month, rate in rates.items():
        assert found.rate_in_force(parse_month(month)) == pytest.approx(rate)
    laws = [scenario({"policies": each}, makers=60) for each in (policies, {})]
    for month, rate in {"2027-12": 0.1 + 0.3 * 16 / 31, "2028-03": 0.4 * 15 / 31}.items():
        both, none = (tariffsim.duty(each, "laptop", "CN", "US", month).total for each in laws)
        assert both - none == pytest.approx(rate, abs=1e-9)  # rounding of the sums of duties


@pytest.mark.parametrize(
    ("dates", "months", "days"),
    [
        ({"rate": {"2027-06-16": 0.1}}, 6, ("2027-12-16", None)),
        ({"rate": {"2027-06": 0.0, "2027-06-16": 0.1}}, 1, ("2027-07-16", None)),
        ({"rate": {"2027-06-16": 0.1, "2028-03-16": 0.0}}, 0, ("2027-06-16", "2028-03-15")),
        ({"rate": {"2027-06": 0.1, "2028-03": 0.0}}, 0, ("2027-06", "2028-02")),
        ({"rate": 0.1, "start": "2027-06", "end": "2028-03-15"}, 9, ("2028-03", "2028-03-15")),
        ({"rate": 0.1, "start": "2027-08-31"}, 6, ("2028-02-29", None)),
        ({"rate": 0.1, "start": "2027-08-31"}, 7, ("2028-03-31", None)),
        (
            {"rate": {"2027-06": 0.1, "2027-08-11": 0.0, "2027-10-11": 0.2, "2028-01-11": 0.0}},
            0,
            ("2027-06", "2028-01-10"),
        ),
        (
            {"rate": {"2027-06-16": 0.0, "2027-09-16": 0.3, "interpolate": "linear"}},
            0,
            ("2027-07", None),
        ),
    ],
)
def test_days_from_which_and_until_which_an_answer_is_in_force(
    dates: dict[str, Any], months: int, days: tuple[str, str | None]
) -> None:
    answer = ANSWER | {"when": f"duty in force for {months} months"}
    assert days_of(law(duty=PRODUCT | dates, answer=answer)["answer"]) == days


def test_an_answer_that_would_start_on_the_day_of_the_lapse_is_never_in_force() -> None:
    answer = ANSWER | {"when": "duty in force for 1 month"}
    for end, found in {"2027-07-15": False, "2027-07-16": True}.items():
        duty = PRODUCT | {"rate": 0.1, "start": "2027-06-16", "end": end}
        assert ("answer" in law(duty=duty, answer=answer)) == found


def test_an_answer_with_an_earlier_end_of_its_own_keeps_it() -> None:
    duty = PRODUCT | {"rate": 0.1, "start": "2027-06-16", "end": "2028-03-15"}
    for own, last in {"2028-03-10": "2028-03-10", "2028-03-20": "2028-03-15"}.items():
        answer = ANSWER | {"when": "duty in force", "end": own}
        assert days_of(law(duty=duty, answer=answer)["answer"]) == ("2027-06-16", last)


def test_a_cutoff_of_so_many_days_may_be_an_answer() -> None:
    duty = PRODUCT | {"rate": 0.1, "start": "2027-06-16", "end": "2028-03-15"}
    cut = {"kind": "chip_cutoff", "denied": 1.0, "when": "duty in force for 1 month"}
    for days, last in {20: "2027-08-04", 400: "2028-03-15"}.items():
        assert days_of(law(duty=duty, cut=cut | {"days": days})["cut"]) == ("2027-07-16", last)


def test_same_run_as_with_the_dates_written_out() -> None:
    run = {"run": {"start": "2025-01", "end": "2026-12"}}
    duty = {"kind": "component_tariff", "rate": {"2025-06": 0.5}}
    by_condition = ANSWER | {"when": "duty in force for 6 months"}
    by_date = ANSWER | {"start": "2025-12"}
    histories = [
        simulate(
            scenario(merged(run, {"policies": {"duty": duty, "answer": answer}}), makers=60), 0
        )
        for answer in (by_condition, by_date)
    ]
    np.testing.assert_array_equal(histories[0].sourcing, histories[1].sourcing)


# Remarks on the months of a run


@pytest.mark.parametrize(
    ("start", "said"),
    [("2027-01", True), ("2025-02", True), ("2025-01", False), ("2024-06", False),
     ("2017-01", False)],
)  # fmt: skip
def test_a_start_after_the_base_year_is_remarked_upon(start: str, said: bool) -> None:
    """The world of 2024 would be taken for that of the month before."""
    notes = list(remarks(scenario({"run": {"start": start, "end": "2030-12"}})))
    assert bool(notes) == said
    if said:
        assert f"run.start {start} takes the world of 2024" in notes[0]


def test_no_shipped_scenario_starts_late() -> None:
    for name in shipped_names():
        assert not list(start_after_base_year(load_scenario(name))), name

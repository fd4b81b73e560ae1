"""Policies that answer others: `when` comes down to dates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.scenario import load_scenario
from tariffsim.scenario.checks import remarks, start_after_base_year
from tariffsim.scenario.scenario_files import shipped_names
from tariffsim.simulation import simulate
from tariffsim.typing import format_month, parse_month
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
    found = law(cut=cut, answer=ANSWER | {"when": "cut in force for 1 month"})
    assert (found["answer"].first_month, found["answer"].end) == (
        parse_month("2025-04"), parse_month("2025-05"),
    )  # fmt: skip


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

"""Notes below the headline table: lost sales are named where they are large enough to matter."""

from __future__ import annotations

import pytest

from tariffsim.cli.headline import text_of
from tariffsim.record.metrics import NOTED_LOSS
from tariffsim.scenario import load_scenario
from tests.charts.chart_results import PAIR, part, with_drawn_parameters, with_estimate


def words(*lost: tuple[str, float], details: bool = False) -> str:
    results = part(PAIR)
    for name in ("baseline", *PAIR):
        results = with_estimate(results, name, "lost_output", level=0.0)
    for name, level in lost:
        results = with_estimate(results, name, "lost_output", level=level)
    return " ".join(text_of(results, load_scenario("baseline"), details).split())


@pytest.mark.parametrize("details", [False, True])
def test_lost_sales_stand_in_the_notes_of_a_headline(details: bool) -> None:
    text = words(("baseline", 0.74), ("component_50", 12.31), details=details)
    assert "Sales lost for lack of chips: baseline 0.7 %, component_50 12.3 %." in text


def test_few_lost_sales_go_without_saying() -> None:
    assert "Sales lost" not in words(("component_50", NOTED_LOSS), ("baseline", 0.1))


def test_the_notes_say_what_the_intervals_cover() -> None:
    fixed = part(PAIR)
    for results, said, not_said in (
        (fixed, "parameter uncertainty is not included", "over seeds and parameters"),
        (with_drawn_parameters(fixed), "over seeds and parameters", "is not included"),
    ):
        text = " ".join(text_of(results, load_scenario("baseline"), False).split())
        assert said in text
        assert not_said not in text
    assert "component_50: standard deviation 1.5 pp by parameters and 0.5 pp by seeds" in text
    assert "sourcing.elasticity 40 %" in text

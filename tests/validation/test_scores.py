"""Scores against history: what is counted how, and that what is stored is current."""

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tariffsim.report.validation import files, in_short
from tariffsim.tables import OutcomeRow, load_history
from tariffsim.validation import figures as of_rows
from tariffsim.validation.about import COMPUTED, TOUCHES
from tariffsim.validation.figures import FIGURES, figures
from tariffsim.validation.score_tables import ids_table, rows_table, totals, worst
from tariffsim.validation.scores import (
    DIGITS,
    STORED_SEEDS,
    by_id,
    counts,
    distance,
    failures,
    inputs_digest,
    score,
    scored_ids,
    stored_scores,
)
from tests.report.test_report import Page

HISTORY = load_history()
DOCS = Path(__file__).resolve().parents[2] / "docs"


def row(id: str, part: int, use: str, low: float | None, high: float | None) -> OutcomeRow:
    texts = dict.fromkeys(("quantity", "place", "period", "unit", "source"), "text")
    of = {
        "id": id,
        "part": str(part),
        "use": use,
        "case": f"case of {id}",
        "value": "",
        "level": "",
    }
    bounds = {"low": "" if low is None else str(low), "high": "" if high is None else str(high)}
    return OutcomeRow.model_validate(texts | of | bounds)


MADE_UP = replace(
    HISTORY,
    outcomes=(
        row("V1", 1, "calibration", 0, 1),
        row("V1", 2, "calibration", 0, 1),
        row("V1", 3, "calibration", 0, 1),
        row("V4", 1, "test", 10, None),
        row("V5", 1, "test", 0, 1),
        row("V6", 1, "test", 0, 1),
        row("V6", 2, "data", None, None),
    ),
)
MODEL = {"V1.1": [0.4, 0.6], "V1.2": [0.1, 0.3], "V1.3": [2.0, 2.0], "V4.1": [5.0, 5.0],
         "V5.1": [0.5, 0.5]}  # fmt: skip
NOBODY = {"V1.1": [3.0, 3.0], "V1.2": [0.5, 0.5], "V1.3": [0.5, 0.5], "V4.1": [1.0, 1.0],
          "V5.1": [0.5, 0.5]}  # fmt: skip
SCORED = score(MADE_UP, ["V1", "V4", "V5", "V6"], MODEL, NOBODY)


def test_rows_are_held_against_their_ranges_beside_a_run_without_reaction() -> None:
    assert SCORED["holds"].tolist() == [True, True, False, False, True, False]
    # what fails says something, also where it would have passed if nobody reacted
    assert SCORED["informative"].tolist() == [True, False, True, True, False, True]
    assert SCORED["use"].tolist() == ["calibrated"] * 3 + ["untouched"] * 3
    assert SCORED["model"].tolist()[:4] == pytest.approx([0.5, 0.2, 2.0, 5.0])
    assert SCORED["model_low"][0] == pytest.approx(0.41)
    assert SCORED["why_not"].tolist() == [""] * 5 + ["nothing computes it"]


def test_distance_is_in_half_widths_of_the_range() -> None:
    assert SCORED["distance"].tolist() == [0, 0, 2, 0.5, 0, np.inf]
    assert distance(-1, 0, 4) == 0.5
    assert distance(3, None, 2) == 0.5
    assert distance(1, None, 2) == 0


def test_outcomes_pass_with_two_thirds_of_their_rows() -> None:
    found = by_id(SCORED).set_index("id")
    assert found["passes"].to_dict() == {"V1": True, "V4": False, "V5": True, "V6": False}
    told = found["passes_informative"].to_dict()
    assert told == {"V1": False, "V4": False, "V5": None, "V6": False}
    assert counts(by_id(SCORED)) == {
        "calibrated": {"ids": 1, "passed": 1, "ids_informative": 1, "passed_informative": 0},
        "untouched": {"ids": 3, "passed": 1, "ids_informative": 2, "passed_informative": 0},
    }
    assert totals(SCORED)[1].startswith("Untouched: 1 of 3 outcomes pass; counting informative")


def test_cases_of_an_outcome_are_named_by_what_they_share() -> None:
    cases = by_id(stored_scores().rows).set_index("id")["case"]
    assert cases["V24"] == "collected duty on imports from China"
    assert cases["V27"] == "collected duty by product"
    assert cases["V6"] == "a lasting duty of 3 % on one origin"


def test_failures_are_ranked_by_distance() -> None:
    assert failures(by_id(SCORED))["id"].tolist() == ["V6", "V4"]
    assert [(f["id"], f["distance"]) for f in worst(SCORED)] == [("V6", "no figure"), ("V4", "0.5")]


def test_a_figure_that_some_run_lacks_fails_and_says_so() -> None:
    (found,) = score(MADE_UP, ["V5"], {"V5.1": [0.5, np.nan]}, NOBODY).to_dict("records")
    assert not found["holds"]
    assert found["why_not"] == "no run has such imports"


def test_a_ratio_is_that_of_means_over_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """One seed in which the second number is near zero does not decide."""
    pairs = {0: (30.0, 2.0), 1: (20.0, 0.01), 2: (25.0, 2.99)}
    monkeypatch.setattr(
        of_rows, "FIGURES", {"V16": lambda episodes, row, history: pairs[episodes.seed]}
    )
    history = load_history()
    (name,) = (row.name for row in history.outcomes if row.id == "V16" and row.is_scored)
    found = figures(history, ["V16"], list(pairs), reacts=True)[name]
    assert np.mean(found) == pytest.approx(75 / 5)
    assert found == pytest.approx([15 + (a - 15 * b) / (5 / 3) for a, b in pairs.values()])


def test_every_test_row_has_a_computation_and_every_outcome_its_words() -> None:
    ids = scored_ids(HISTORY)
    untouched = {r.id for r in HISTORY.outcomes if r.use == "test"}
    assert untouched <= set(FIGURES) <= set(ids)
    assert set(COMPUTED) == set(TOUCHES) == set(ids)


# What is stored


def test_stored_scores_are_of_these_scenarios_and_tables() -> None:
    stored = stored_scores()
    assert stored.digest == inputs_digest(), "run: python3 tasks.py scores"
    assert stored.seeds == len(STORED_SEEDS)
    scored = [r for r in HISTORY.outcomes if r.is_scored]
    assert [f"{r.id}.{r.part}" for r in stored.rows.itertuples()] == [r.name for r in scored]
    for r, line in zip(scored, stored.rows.to_dict("records"), strict=True):
        assert line["holds"] == r.holds(line["model"]), r.name
        assert line["informative"] == (not (line["holds"] and r.holds(line["nobody_reacts"])))


@pytest.mark.parametrize("id", ["V8", "V14"])
def test_stored_scores_are_found_again(id: str) -> None:
    found = figures(HISTORY, [id], STORED_SEEDS, reacts=True)
    stored = stored_scores().rows.query("id == @id")
    assert [f"{id}.{part}" for part in stored["part"]] == list(found)
    for line, values in zip(stored.to_dict("records"), found.values(), strict=True):
        assert line["model"] == pytest.approx(np.mean(values), rel=10.0 ** (1 - DIGITS))


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    text = runpy.run_path(str(DOCS / "make_validation_page.py"))["page"]()
    written = (DOCS / "validation.md").read_text(encoding="utf-8")
    assert written == text, "run: python docs/make_validation_page.py"


def test_the_report_is_a_sound_page_with_every_row() -> None:
    stored = stored_scores()
    made = files(stored.rows, stored.seeds)
    page = Page(made["report.html"].decode())
    assert len(page.all("table")) == len(page.all("caption")) == 2
    for line in (*rows_table(stored.rows), *ids_table(stored.rows)):
        assert set(line.values()) - {""} <= set(page.cells)
    assert made["rows.csv"].count(b"\n") == len(stored.rows) + 1
    assert len(in_short(stored)["worst"]) == 3

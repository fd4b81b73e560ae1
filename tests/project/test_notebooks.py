"""Notebooks are what their sources say; that they run is checked by `tasks.py notebooks`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
sys.path.insert(0, str(NOTEBOOKS))
import make_notebooks  # noqa: E402  a script beside the package

SOURCES = sorted(make_notebooks.SOURCES.rglob("*.md"))
LESSONS = [source for source in SOURCES if source.parent == make_notebooks.SOURCES]
EXERCISE = re.compile(r"^(\d)\. \*\*", flags=re.MULTILINE)
LARGEST = 400_000  # bytes, outputs included


def by_name(source: Path) -> str:
    return str(source.relative_to(make_notebooks.SOURCES))


def texts(source: Path) -> list[str]:
    return [
        text
        for kind, text in make_notebooks.cells(source.read_text(encoding="utf-8"))
        if kind == "markdown"
    ]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(NOTEBOOKS)))
def test_notebook_has_the_cells_of_its_source(source: Path) -> None:
    stored = json.loads(make_notebooks.target(source).read_text(encoding="utf-8"))
    found = [(cell["cell_type"], "".join(cell["source"])) for cell in stored["cells"]]
    assert found == make_notebooks.cells(source.read_text(encoding="utf-8"))


def test_every_notebook_has_a_source_and_a_solution() -> None:
    made = {make_notebooks.target(source) for source in SOURCES}
    assert set(NOTEBOOKS.rglob("[0-9]*.ipynb")) == made
    lessons = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
    assert lessons
    assert [p for p in lessons if not (NOTEBOOKS / "solutions" / p.name).exists()] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(NOTEBOOKS)))
def test_notebooks_show_no_paths_and_no_warnings(source: Path) -> None:
    stored = json.loads(make_notebooks.target(source).read_text(encoding="utf-8"))
    outputs = json.dumps([cell.get("outputs", []) for cell in stored["cells"]])
    assert re.findall(r"Warning|/home/|/root/|/tmp/|site-packages", outputs) == []


@pytest.mark.parametrize("source", LESSONS, ids=by_name)
def test_lesson_asks_for_a_prediction_before_it_runs_anything(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert text.index("**Question:**") < text.index("## Your prediction")
    assert headings[-1] == "Exercises"
    shown = re.search(r"effect\(|is_significant|after = maker", text)
    assert shown is not None
    assert text.index("## Your prediction") < shown.start()


@pytest.mark.parametrize("source", LESSONS, ids=by_name)
def test_every_exercise_has_its_solution(source: Path) -> None:
    exercises = EXERCISE.findall(source.read_text(encoding="utf-8").partition("## Exercises")[2])
    solution = (make_notebooks.SOURCES / "solutions" / source.name).read_text(encoding="utf-8")
    assert len(exercises) >= 3
    solved = re.findall(r"\b(\d)\. ", " ".join(re.findall(r"^## (.*)$", solution, re.MULTILINE)))
    assert solved == exercises


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_no_result_is_typed_into_a_text(source: Path) -> None:
    """A decimal with the unit of a result comes from a cell, where it is computed."""
    found = re.findall(r"\d\.\d+ (?:pp|bn|percentage points?)\b", "\n".join(texts(source)))
    assert found == []


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_notebook_is_small(source: Path) -> None:
    assert make_notebooks.target(source).stat().st_size <= LARGEST


def test_lessons_are_numbered_without_a_gap_and_listed() -> None:
    assert [source.name[:2] for source in LESSONS] == [
        f"{n:02}" for n in range(1, len(LESSONS) + 1)
    ]
    index = (NOTEBOOKS.parent / "docs" / "index.md").read_text(encoding="utf-8")
    titles = [texts(source)[0].splitlines()[0].removeprefix("# ") for source in LESSONS]
    assert [title for title in titles if title not in index] == []

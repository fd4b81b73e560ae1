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

"""docs/data.md says what the tables say."""

import runpy
from pathlib import Path

import pytest

from tariffsim.tables import FIGURE_TABLES, load_history, load_tables
from tariffsim.tables.history import HISTORY

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def script() -> dict:
    return runpy.run_path(str(DOCS / "make_data_page.py"))


def test_data_page_is_up_to_date(script: dict) -> None:
    written = (DOCS / "data.md").read_text(encoding="utf-8")
    assert written == script["page"](load_tables()), "run: python docs/make_data_page.py"


def test_every_figure_and_source_is_on_the_page(script: dict) -> None:
    tables = load_tables()
    lines = script["page"](tables).splitlines()
    assert sum(line.startswith("| S") and "| S" in line for line in lines) >= len(tables.sources)
    figures = sum(len(getattr(tables, name).figures) for name in FIGURE_TABLES)
    rows = sum(line.startswith("| ") for line in lines)
    heads = 2 * (len(FIGURE_TABLES) + 5)
    others = len(tables.imports) + len(tables.calendar)
    others += len(load_history().outcomes) + len(HISTORY)
    assert rows == figures + others + len(tables.sources) + heads


def test_cells_cannot_break_the_table(script: dict) -> None:
    assert script["table"](("a",), [["x|y\nz"]]) == "| a |\n| --- |\n| x\\|y z |\n"

"""docs/parameters.md says what the fields say."""

import runpy
from pathlib import Path

import pytest

from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario.catalogue import blocks

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def page() -> str:
    text = runpy.run_path(str(DOCS / "make_parameters_page.py"))["page"]()
    assert isinstance(text, str)
    return text


def test_parameters_page_is_up_to_date(page: str) -> None:
    written = (DOCS / "parameters.md").read_text(encoding="utf-8")
    assert written == page, "run: python docs/make_parameters_page.py"


def test_every_parameter_is_on_the_page(page: str) -> None:
    for key, parameter in blocks().items():
        assert f"| `{key}` |" in page
        assert parameter.description in page
    for kind in INSTRUMENTS:
        assert f"\n### {kind}\n" in page

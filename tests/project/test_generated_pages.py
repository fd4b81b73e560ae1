"""Pages made from the package say what it says; no page and no block of code is left out."""

from __future__ import annotations

import json
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

import tariffsim
from tariffsim.month import PHASES
from tariffsim.record.dictionary import metrics, variables
from tariffsim.scenario import load_scenario
from tariffsim.scenario.scenario_files import shipped_names

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "scenarios").glob("*.md")])
WRITTEN = [page for page in PAGES if page.parent.name != "scenarios"]
sys.path.insert(0, str(ROOT))
import tasks  # noqa: E402  the tasks are a script beside the package


def script(name: str) -> dict[str, Any]:
    return runpy.run_path(str(DOCS / f"{name}.py"))


SCENARIOS = script("make_scenario_pages")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["api", "columns"])
def test_pages_are_up_to_date(name: str) -> None:
    assert text(DOCS / f"{name}.md") == script(f"make_{name}_page")["page"](), "tasks.py docs"


def test_every_metric_column_and_public_name_has_its_row() -> None:
    columns, api = text(DOCS / "columns.md"), text(DOCS / "api.md")
    assert [n for n in (*metrics(), *variables()) if f"\n| `{n}` |" not in columns] == []
    assert [n for n in tariffsim.__all__ if f"\n| `tariffsim.{n}` |" not in api] == []


def test_every_shipped_scenario_has_its_page_and_nothing_else_has() -> None:
    assert sorted(page.stem for page in (DOCS / "scenarios").glob("*.md")) == sorted(
        shipped_names()
    )


@pytest.mark.parametrize("name", shipped_names())
def test_pages_of_scenarios_are_up_to_date(name: str) -> None:
    page = text(DOCS / "scenarios" / f"{name}.md")
    assert page == SCENARIOS["page"](name), "run: python docs/make_scenario_pages.py"
    file = text(ROOT / "scenarios" / f"{name}.yaml")
    assert f"```yaml\n{file.rstrip()}\n```\n" in page


def test_a_page_gives_the_stored_numbers_and_the_laws() -> None:
    stored = {
        name: json.loads(text(ROOT / "tests" / "expected" / f"{name}.json"))["0"]["cn_share"]
        for name in ("baseline", "component_50")
    }
    page = text(DOCS / "scenarios" / "component_50.md")
    levels = " | ".join(f"{stored[name]:.1f}" for name in ("baseline", "component_50"))
    change = f"\u2212{stored['baseline'] - stored['component_50']:.1f}"
    assert f"| `cn_share` | {levels} | {change} | % (difference: pp) |" in page
    assert "| `rate` | 2026-01: 0.25; 2027-01: 0.5 |" in page
    assert "\n### component_tariff\n" in page
    settings = SCENARIOS["settings"]
    base = load_scenario("baseline")
    assert settings(base, base) == []
    changed = {row[0]: row[1:3] for row in settings(load_scenario("before_301"), base)}
    assert changed["`run.start`"] == ["2025-01", "2017-01"]
    assert changed["`trade.tariffs_in_force`"] == ["yes", "no"]


def test_odd_has_its_elements_and_the_order_of_a_month() -> None:
    page = text(DOCS / "odd.md")
    heads = re.findall(r"^##+ (.+)$", page, re.MULTILINE)
    assert heads == [
        "Overview", "Purpose and patterns", "Entities, state variables, and scales",
        "Process overview and scheduling", "Design concepts", "Basic principles", "Emergence",
        "Adaptation", "Objectives", "Learning", "Prediction", "Sensing", "Interaction",
        "Stochasticity", "Collectives", "Observation", "Details", "Initialization", "Input data",
        "Submodels", "References",
    ]  # fmt: skip
    listed = re.findall(r"^\d+\. `(\w+)`: ", page, re.MULTILINE)
    assert listed == [phase.__name__ for phase in PHASES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_sections(page: Path) -> None:
    """Every link of every page, with the heading that it names."""
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", text(page)):
        if "://" in target:
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            heads = re.findall(r"^#+ (.+)$", text(file), re.MULTILINE)
            plain = (re.sub(r"\]\([^)]*\)", "", head).lower() for head in heads)
            known = {re.sub(r"[^\w -]", "", head).replace(" ", "-") for head in plain}
            assert anchor in known, f"{page.name}: {target}#{anchor}"


def test_every_block_of_code_is_of_a_kind_that_is_executed() -> None:
    """Files, shell and Python are run by test_docs_blocks and test_docs_python; R is not here."""
    found = {
        (page.name, kind)
        for page in WRITTEN
        for kind in re.findall(r"^```(\S+)$", text(page), re.MULTILINE)
    }
    assert {kind for _, kind in found} <= {"python", "yaml", "sh", "csv", "r"}
    assert {page for page, kind in found if kind == "r"} == {"how_to_use_results.md"}
    executed = {"README.md", *(page.name for page in DOCS.glob("*.md"))}
    outside = {(page, kind) for page, kind in found if page not in executed}
    assert outside == {("CONTRIBUTING.md", "sh")}, "its tasks are checked below"
    bare = [page.name for page in WRITTEN if len(re.findall(r"^```", text(page), re.MULTILINE)) % 2]
    assert bare == []


def test_tasks_that_pages_name_exist() -> None:
    known = {task.__name__ for task in tasks.TASKS}
    named = {name for page in WRITTEN for name in re.findall(r"tasks\.py ([a-z]+)", text(page))}
    assert len(named) > 8
    assert named <= known


def test_the_map_is_the_navigation_of_the_site() -> None:
    """Each page stands once in a section of the map, from which the site takes its order."""
    sections = re.split(r"^## ", text(DOCS / "index.md"), flags=re.MULTILINE)[1:]
    linked = [link for part in sections for link in re.findall(r"\]\(([\w./]+)\.md\)", part)]
    assert len(linked) == len(set(linked))
    pages = {page.stem for page in DOCS.glob("*.md")} - {"index"}
    others = {"../README", "../CONTRIBUTING", "../CHANGELOG", "../scenarios/README"}
    assert set(linked) == pages | others

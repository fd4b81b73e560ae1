from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from tariffsim.record.metrics import HEADLINE
from tariffsim.record.results import Results, load_results
from tariffsim.report import publish
from tariffsim.scenario import load_scenario, replace, to_yaml
from tariffsim.validation.score_tables import totals, worst
from tariffsim.validation.scores import stored_scores
from tests.charts.chart_results import (
    PAIR,
    drawn,
    hostile,
    part,
    shipped,
    single,
    some,
    with_drawn_parameters,
    with_estimate,
)

VOID = {"meta", "br", "hr", "img", "link", "input"}
RESULTS: dict[str, Callable[[], Results]] = {
    "eleven scenarios with hostile titles": lambda: hostile(some()),
    "baseline alone": lambda: part([]),
}
MORE_RESULTS: dict[str, Callable[[], Results]] = {
    "all shipped scenarios": shipped,
    "all shipped scenarios with hostile titles": lambda: hostile(shipped()),
}
PAGES = pytest.mark.parametrize(
    "name", [*RESULTS, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE_RESULTS)]
)


@dataclass
class Page(HTMLParser):
    """A page read strictly: what is opened is closed, in order."""

    source: str
    open_tags: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    cells: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert self.open_tags == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"attribute twice: {tag}"
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open_tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open_tags:
            self.text += data
        if {"td", "th"} & set(self.open_tags):
            self.cells[-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def report_of(results: Results) -> bytes:
    """The report alone."""
    own = dataclasses.replace(results, files={})
    publish(own)
    return own.files["report.html"]


@cache
def report(name: str) -> bytes:
    if name in MORE_RESULTS:
        return report_of(MORE_RESULTS[name]())
    with pytest.MonkeyPatch.context() as patch:  # what other tests have drawn
        patch.setattr("tariffsim.report.pictures", lambda results: drawn(name))
        return report_of(RESULTS[name]())


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts take most of the time of a report; here the rest of the page is tested."""
    monkeypatch.setattr("tariffsim.report.pictures", lambda results: ([], {}))


def page_of(results: Results) -> Page:
    return Page(report_of(results).decode())


A_SCENARIO = 80_000
"""Most bytes of a page for each scenario, with long titles in every chart and table."""


@PAGES
def test_the_page_is_sound_and_self_contained(name: str) -> None:
    data = report(name)
    scenarios = (MORE_RESULTS | RESULTS)[name]().scenarios
    assert len(data) < max(1_500_000, A_SCENARIO * len(scenarios))
    source = data.decode()
    page = Page(source)
    assert source.startswith("<!DOCTYPE html>")
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("meta")[1] == {
        "http-equiv": "Content-Security-Policy",
        "content": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    }
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "img", "base", "form"}
        assert not any(key.startswith("on") or key in ("src", "srcset") for key in attributes)
        for key in ("href", "xlink:href"):
            if key in attributes and "download" not in attributes:
                assert attributes[key].removeprefix("#") in ids
        if "download" in attributes:
            assert attributes["href"].startswith("data:text/csv;")
            assert base64.b64decode(attributes["href"].partition(",")[2]).decode().count("\n") > 1
    urls = set(re.findall(r"https?://[^\s\"'<)]+", source))
    assert urls <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "@import" not in source
    assert not re.search(r"url\((?!#)", source)
    assert "@media print" in source


@PAGES
def test_the_page_can_be_read_by_everybody(name: str) -> None:
    page = Page(report(name).decode())
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(headings))
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(th.get("scope") in ("col", "row") for th in page.all("th"))
    drawings = page.all("svg")
    assert drawings
    ids = {attributes.get("id") for _, attributes in page.tags}
    for svg in drawings:
        if svg.get("aria-hidden") == "true":  # its numbers stand beside it
            continue
        assert svg["role"] == "img"
        assert set(svg["aria-labelledby"].split()) <= ids


def test_hostile_titles_stay_text() -> None:
    source = report("eleven scenarios with hostile titles").decode()
    assert "<script" not in source
    assert "&lt;script&gt;alert(1)" in source
    assert "{{ 7*7 }}" in source
    assert "\x07" not in source
    assert "芯片关税 🚢" in Page(source).text


def test_the_numbers_are_those_of_the_headline_table(no_charts: None) -> None:
    results = with_estimate(
        part(PAIR), "component_50", "cn_share", level=10.04, difference=-6.62, low=-7.85,
        high=-5.39, is_significant=True,
    )  # fmt: skip
    results = with_estimate(
        results, "component_50", "welfare", difference=-1.0, low=-2.5, high=0.5,
        is_significant=False,
    )  # fmt: skip
    page = page_of(results)
    first = next(i for i, cell in enumerate(page.cells) if "component_50" in cell)
    row = [" ".join(cell.split()) for cell in page.cells[first : first + len(HEADLINE) + 2]]
    cells = dict(zip(("share", *HEADLINE), row[1:], strict=True))
    assert cells["share"] == "10.0"
    assert cells["cn_share"] == "−6.6 −7.8 to −5.4" or cells["cn_share"] == "−6.6 −7.9 to −5.4"
    assert cells["welfare"].startswith("n.s. −2.5")
    table = results.tables["headline"]
    rows = table[table["scenario"] == "component_50"].set_index("metric")
    for metric in HEADLINE:
        shown = cells[metric].split(" ")[0].replace("−", "-").replace(",", "")
        if not rows.loc[metric, "is_significant"] or shown == "n.s.":
            assert cells[metric].startswith("n.s.")
            continue
        decimals = len(shown.partition(".")[2])
        assert float(shown) == pytest.approx(
            rows.loc[metric, "difference"], abs=0.5 * 10.0**-decimals + 1e-9
        )


def test_the_model_is_held_against_history(no_charts: None) -> None:
    text = " ".join(page_of(some()).text.split())
    stored = stored_scores().rows
    assert "How the model fares against history" in text
    for total in totals(stored):
        assert total in text
    for failure in worst(stored, 3):
        assert f"{failure['id']}, {failure['case']}" in text


def test_every_scenario_is_listed_with_what_differs(no_charts: None) -> None:
    page = page_of(some())
    text = " | ".join(" ".join(cell.split()) for cell in page.cells)
    assert "component_tariff.rate | – | 2026-01: 0.25; 2027-01: 0.5 | fraction" in text
    assert "capacity.points | – | 2025-01: 0; 2030-12: -0.1, linear between" in text
    assert "capacity.total | – | world" in text
    assert "product_tariff.assembly_countries | – | CN" in text
    assert "wherever these were assembled" in page.text


def test_settings_are_listed_in_the_order_of_the_file(no_charts: None) -> None:
    own = replace(
        load_scenario("baseline"), sourcing__elasticity=5.0, assembly__elasticity=5.0,
        orders__backlog_share=0.5, trade__markup=0.2, compliance__penalty_multiple=2.0,
    )  # fmt: skip
    results = part(["no_expansion"])
    results.scenarios["no_expansion"] = to_yaml(own)
    keys = ["sourcing.elasticity", "assembly.elasticity", "orders.backlog_share", "trade.markup",
            "compliance.penalty_multiple"]  # fmt: skip
    cells = [cell.strip() for cell in page_of(results).cells]
    assert [cell for cell in cells if cell in keys][: len(keys)] == keys


def test_assumptions_are_counted(no_charts: None) -> None:
    page = page_of(part([]))
    found = re.search(r"Of the (\d+) settings of the baseline, (\d+) are assumptions", page.text)
    assert found
    settings, assumed = map(int, found.groups())
    assert 30 <= settings <= 90
    assert 20 <= assumed < settings
    assert re.search(
        r"Of the \d+ numbers in the tables of devices.* \d+ are assumptions", page.text
    )


def test_a_baseline_that_cannot_be_read_is_no_reason_to_fail(no_charts: None) -> None:
    results = part([])
    text = results.scenarios["baseline"].replace("data: {}", "data: {devices: mine.csv}")
    results.scenarios["baseline"] = text
    assert "Not counted: the scenarios replace data tables" in page_of(results).text
    results.scenarios["baseline"] = text.replace("data: {devices: mine.csv}", "colour: red")
    assert "Not counted: the resolved baseline cannot be read" in page_of(results).text


def test_charts_that_do_not_apply_are_named() -> None:
    text = " ".join(Page(report("baseline alone").decode()).text.split())
    assert (
        "Not shown: Price effect by device, because it needs a scenario beside the baseline."
        in text
    )
    assert "One scenario, January 2025 to December 2026, 2 runs each" in text


def test_one_seed_is_not_interpreted(no_charts: None) -> None:
    text = page_of(single()).text
    assert "With one run there is no interval" in text
    assert "one run" in text


def test_published_results_are_saved_and_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tariffsim.report.pictures", lambda results: drawn("baseline alone"))
    results = part([])
    publish(results)
    names = {name.split(".")[0] for name in results.files}
    assert names == {"report", "charts/01_chinese_share", "charts/07_foundries",
                     "charts/14_base_year_fit"}  # fmt: skip
    assert len(results.files) == 4 * (len(names) - 1) + 1
    again = load_results(results.save(tmp_path / "out"))
    assert again.files == results.files
    assert report_of(again) == results.files["report.html"]


def test_the_page_says_what_its_intervals_cover() -> None:
    fixed = part(PAIR)
    drawn_ones = with_drawn_parameters(fixed)
    for results, said, not_said in (
        (fixed, "Parameter uncertainty is not included", "uncertainty of parameters"),
        (drawn_ones, "covers random variation among runs and the uncertainty of parameters",
         "is not included"),
    ):  # fmt: skip
        publish(results)
        text = results.files["report.html"].decode()
        assert said in text
        assert not_said not in text
    assert "component_50: standard deviation 1.5 pp by parameters" in text


@pytest.mark.parametrize(
    ("is_reached", "said"),
    [(True, "as many as a precision of 0.2 pp takes"),
     (False, "the most, fewer than a precision of 0.2 pp takes")],
)  # fmt: skip
def test_a_report_says_whether_the_seeds_gave_the_precision(
    is_reached: bool, said: str, no_charts: None
) -> None:
    results = part([])
    assert "Number of seeds" not in page_of(results).text
    facts = {"precision": {"wanted": 0.2, "is_reached": is_reached}}
    results = dataclasses.replace(results, provenance=results.provenance | facts)
    assert said in page_of(results).text

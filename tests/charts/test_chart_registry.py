"""Charts are found by being in their folder: these tests name what a new one lacks."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any, get_args

import pytest
from matplotlib.figure import Figure

import tariffsim.charts
from tariffsim.charts import CHARTS, Chart, Kind, Picture, pictures
from tests.charts.chart_results import COMPARISONS, drawn, one_slot, single
from tests.charts.experiment_results import EXPERIMENTS
from tests.charts.lint import lint

HELPERS = {"axes", "context", "fonts", "lettering", "picture", "style"}
"""Modules of the folder that are no charts."""
EVERY_CHART = pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.key)


@cache
def examples() -> dict[str, Picture]:
    """A picture of every chart that applies to any of the results for tests."""
    made = [picture for name in COMPARISONS for picture in drawn(name)[0]]
    for results in EXPERIMENTS.values():
        made += pictures(results(), "experiment")[0]
    made += [chart.picture(one_slot()) for chart in CHARTS if chart.kind == "agent"]
    return {picture.name: picture for picture in reversed(made)}


def example(chart: Chart[Any]) -> Picture:
    assert chart.name in examples(), f"no results to test it on: add some of kind {chart.kind}"
    return examples()[chart.name]


def test_every_module_is_a_chart_or_a_known_helper() -> None:
    found = {module.name for module in pkgutil.iter_modules(tariffsim.charts.__path__)}
    modules = {name: importlib.import_module(f"tariffsim.charts.{name}") for name in found}
    charts = {
        name: [thing for thing in vars(module).values() if isinstance(thing, Chart)]
        for name, module in modules.items()
    }
    helpers = {name for name, own in charts.items() if not own}
    assert helpers == HELPERS, "a chart is a Chart; helpers are listed in this test"
    assert sum(map(len, charts.values())) == len(CHARTS)


def test_charts_have_names_of_their_own() -> None:
    names = [chart.name for chart in CHARTS]
    assert len(set(names)) == len(names)
    assert len({chart.key for chart in CHARTS}) == len(CHARTS)
    assert len({chart.title for chart in CHARTS}) == len(CHARTS)


@EVERY_CHART
def test_a_chart_says_what_it_is(chart: Chart[Any]) -> None:
    assert isinstance(chart.number, int)
    assert 1 <= chart.number <= 99
    assert chart.key.isidentifier()
    assert chart.title.strip()
    assert chart.kind in get_args(Kind), "no command draws charts of this kind"


def test_charts_of_agents_are_drawn_by_the_command_that_explains() -> None:
    names = [chart.key for chart in CHARTS if chart.kind == "agent"]
    assert names == ["cost_stack"], "`explain --maker` draws no other chart"


@EVERY_CHART
def test_a_chart_has_alternative_text_numbers_and_no_fault(chart: Chart[Any]) -> None:
    picture = example(chart)
    assert lint(picture) == []
    assert picture.text.alt.startswith(picture.text.title)
    assert len(picture.csv().splitlines()) > 1


@EVERY_CHART
def test_a_chart_draws_into_the_axes_it_is_given(chart: Chart[Any]) -> None:
    ax = Figure(figsize=(9, 6)).add_axes((0.3, 0.1, 0.6, 0.8))
    assert chart.draw(example(chart).table, ax) is ax


def test_a_chart_draws_into_axes_of_its_own() -> None:
    chart = CHARTS[0]
    ax = chart.draw(example(chart).table)
    assert ax.lines
    assert ax.get_figure().texts


@pytest.mark.parametrize("kind", ["comparison", "experiment"])
def test_all_charts_of_a_kind_are_drawn(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chart, "prepared", lambda chart, source: chart.name)
    monkeypatch.setattr(tariffsim.charts, "_drawn", lambda name, *_: name)
    names = [chart.name for chart in CHARTS if chart.kind == kind]
    assert pictures(single(), kind) == (names, {})

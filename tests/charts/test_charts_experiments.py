"""Charts of sweeps and sensitivity: what they show, their words, and what the linter says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tariffsim.charts import OF_EXPERIMENTS, Chart, LeftOut, draw_all, indices, rate_curve, tornado
from tariffsim.charts.lint import lint
from tariffsim.experiments.sensitivity import sensitivity
from tariffsim.experiments.sweep import sweep
from tariffsim.record.results import Results
from tariffsim.scenario import load_scenario, replace
from tests.charts.chart_results import HOSTILE

RATE = "policies.component_tariff.rate"
SMALL = {"agents__makers": 60, "run__end": "2026-06"}
NOW = {"policies__component_tariff__rate": {"2025-01": 0.5},
       "policies__component_tariff__announced": "2025-01"}  # fmt: skip
RANGES = {"sourcing.elasticity": "range", "trade.markup": "range", "sourcing.size_term": "0:1",
          "figures.devices.*.cn_share": "range"}  # fmt: skip


@cache
def curve(seeds: int = 2, vary: str = RATE, values: str = "0:2:0.5") -> Results:
    base, own = load_scenario("baseline"), load_scenario("component_50")
    return sweep(replace(own, **SMALL, **NOW), replace(base, **SMALL), {vary: values}, seeds=seeds)


@cache
def ranked(method: Any, seeds: int = 2, is_baseline: bool = False) -> Results:
    base, own = load_scenario("baseline"), replace(load_scenario("component_50"), **NOW)
    scenario = base if is_baseline else own
    return sensitivity(
        replace(scenario, **SMALL),
        replace(base, **SMALL),
        method,
        vary=RANGES,
        points=2,
        seeds=seeds,
    )


MADE: Mapping[str, tuple[Chart[Results], Any]] = {
    "curve": (rate_curve.CHART, curve),
    "curve of one seed": (rate_curve.CHART, lambda: curve(1)),
    "curve of an assumption": (rate_curve.CHART, lambda: curve(2, "sourcing.elasticity", "2,4,8")),
    "tornado": (tornado.CHART, lambda: ranked("tornado")),
    "tornado of one seed": (tornado.CHART, lambda: ranked("tornado", 1)),
    "tornado of the baseline": (tornado.CHART, lambda: ranked("tornado", 2, True)),
    "sobol": (indices.CHART, lambda: ranked("sobol", 1)),
    "morris": (indices.CHART, lambda: ranked("morris", 1)),
}


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("title", ["", HOSTILE[0], HOSTILE[2]])
def test_the_linter_finds_nothing(name: str, title: str) -> None:
    chart, made = MADE[name]
    results = made()
    if title:
        results = dataclasses.replace(results, titles=dict.fromkeys(results.titles, title))
    picture = chart.picture(results)
    assert lint(picture) == []
    assert title or picture.files() == chart.picture(results).files()


@pytest.mark.parametrize("name", ["curve", "tornado", "sobol"])
def test_a_chart_draws_into_the_axes_it_is_given(name: str) -> None:
    chart, made = MADE[name]
    table = chart.table(made())
    ax = Figure(figsize=(9, 6)).add_axes((0.3, 0.1, 0.6, 0.8))
    assert chart.draw(table, ax) is ax
    assert isinstance(chart.draw(table, None), Axes)


@pytest.mark.parametrize(
    ("results", "names"),
    [
        (curve, {"09_rate_curve"}),
        (lambda: ranked("tornado"), {"12_tornado"}),
        (lambda: ranked("sobol", 1), {"12_indices"}),
    ],
)
def test_an_experiment_gets_its_own_chart(results: Any, names: set[str]) -> None:
    drawn = draw_all(results(), OF_EXPERIMENTS)
    assert {name.split("/")[1].split(".")[0] for name in drawn} == names


def test_two_points_make_no_curve() -> None:
    with pytest.raises(LeftOut, match="3 points or more"):
        rate_curve.CHART.picture(curve(2, RATE, "0,1"))


def test_the_curve_shows_levels_of_the_share_and_changes_of_the_rest() -> None:
    results = curve()
    data = rate_curve.table(results).set_index(["metric", "at"])
    rows = results.tables["sweep"].set_index(["metric", RATE])
    assert data.loc[("cn_share", 1.0), "value"] == pytest.approx(
        rows.loc[("cn_share", 1.0), "level"]
    )
    change = rows.loc[("basket_price", 1.0), "difference"]
    assert data.loc[("basket_price", 1.0), "value"] == change
    width = rows.loc[("cn_share", 1.0), "high"] - rows.loc[("cn_share", 1.0), "low"]
    band = data.loc[("cn_share", 1.0), "high"] - data.loc[("cn_share", 1.0), "low"]
    assert band == pytest.approx(width)


@pytest.mark.parametrize(
    ("peak", "end"),
    [
        ({"at": 1.2, "low": 1.0, "high": 1.4, "level": 2.0, "is_inside": True},
         "new duty revenue is highest at 120 % (95 % interval: 100 % to 140 %)"),
        ({"at": 1.9, "low": None, "high": None, "level": 2.0, "is_inside": True},
         "new duty revenue is highest near 190 %, if not beyond the range"),
        ({"at": 2.0, "low": None, "high": None, "level": 2.0, "is_inside": False},
         "new duty revenue has no peak within this range"),
    ],
)  # fmt: skip
def test_the_title_says_where_revenue_peaks(peak: dict[str, Any], end: str) -> None:
    results = curve()
    results = dataclasses.replace(results, provenance=results.provenance | {"revenue_peak": peak})
    title = rate_curve.CHART.picture(results).words.title
    assert title.startswith("With the rate of component_tariff from 0 % to 200 % the Chinese share")
    assert title.endswith(end)


def test_the_ranking_is_said_in_order() -> None:
    results = ranked("tornado")
    first = str(results.tables["sensitivity"]["meaning"].iloc[0]).split(" (")[0].rstrip(".")
    assert f"(1) {first}; (2) " in tornado.CHART.picture(results).words.title


def test_the_baseline_alone_is_asked_for_its_level() -> None:
    results = ranked("tornado", 2, True)
    assert results.tables["sensitivity"]["central"].iloc[0] > 1
    assert "in the baseline: " in tornado.CHART.picture(results).words.title

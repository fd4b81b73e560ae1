"""Charts of experiments: no faults, whatever the numbers and the names, and what they say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tariffsim.charts import NotApplicable, assumptions, curves, pictures, waterfalls
from tariffsim.record.results import Results
from tests.charts.experiment_results import (
    EXPERIMENTS,
    MORE_EXPERIMENTS,
    RATE,
    as_of_one_run,
    as_of_the_baseline,
    curve,
    decomposition,
    frontier,
    ranked,
    timing,
    with_hostile_labels,
)
from tests.charts.lint import lint

OWN = [
    ("sweep", ["09_rate_curve"]),
    ("tornado", ["12_tornado"]),
    ("sobol", ["17_indices"]),
    ("morris", ["17_indices"]),
    ("timing", ["08_early_or_late"]),
    ("decomposition", ["13_decomposition"]),
    ("frontier", ["11_frontier", "16_best_rate"]),
]
"""Experiments and their charts."""


@pytest.mark.parametrize(
    ("name", "results"),
    [
        *EXPERIMENTS.items(),
        *(pytest.param(*more, marks=pytest.mark.slow) for more in MORE_EXPERIMENTS.items()),
    ],
)
def test_no_chart_has_a_fault(name: str, results: Callable[[], Results]) -> None:
    made, left_out = pictures(results(), "experiment")
    assert {picture.name: lint(picture) for picture in made} == {p.name: [] for p in made}
    assert made
    assert all(left_out.values())


@pytest.mark.parametrize("name", sorted({name for name, _ in OWN} | {"decomposition, tiny"}))
def test_no_chart_with_hostile_labels_has_a_fault(name: str) -> None:
    made, _ = pictures(with_hostile_labels(EXPERIMENTS[name]()), "experiment")
    assert {picture.name: lint(picture) for picture in made} == {p.name: [] for p in made}


@pytest.mark.parametrize(("name", "charts"), OWN)
def test_an_experiment_gets_its_own_charts_with_the_same_bytes_again(
    name: str, charts: list[str]
) -> None:
    once, again = (pictures(EXPERIMENTS[name](), "experiment")[0] for _ in range(2))
    assert [picture.name for picture in once] == charts
    for picture, same in zip(once, again, strict=True):
        assert picture.files() == same.files(), "redrawn files are not the same bytes"


def _titles(results: Results) -> list[str]:
    return [picture.text.title for picture in pictures(results, "experiment")[0]]


def test_titles_say_what_the_numbers_say() -> None:
    assert _titles(timing()) == [
        "A start in January 2025 reduces cumulated exposure to Chinese chips by 33.0 pp-years "
        "(32.0 to 34.0), one in July 2029 by 6.0 (5.0 to 7.0)"
    ]
    assert _titles(decomposition())[0].startswith(
        "Chinese share of chips differs by \u22126.7 pp: \u22127.0 from"
    )
    efficient, best = _titles(frontier())
    assert efficient.startswith(
        "The component tariff at 200 % reduces the Chinese share by 13.3 pp for 1.2 bn USD a year"
    )
    assert "component tariff: 25 % is better than 0 % from a yearly probability of 2 % on" in best


def test_one_run_claims_nothing() -> None:
    for results in (timing(), frontier(), curve(), ranked("tornado")):
        assert _titles(as_of_one_run(results))[0].startswith("One run: ")


def test_bars_of_a_waterfall_join() -> None:
    table = waterfalls.parts_table(decomposition())
    np.testing.assert_allclose(table["start"][1:-1], table["end"][:-2])
    assert table["end"].iloc[-2] == pytest.approx(table["end"].iloc[-1])


def test_two_points_make_no_curve() -> None:
    results = curve()
    rows = results.tables["sweep"]
    tables = results.tables | {"sweep": rows[rows[RATE].isin([0.0, 1.0])]}
    with pytest.raises(NotApplicable, match="3 points or more"):
        curves.RATES.picture(dataclasses.replace(results, tables=tables))


def test_the_curve_shows_levels_of_the_share_and_changes_of_the_rest() -> None:
    results = curve()
    data = curves.rates_table(results).set_index(["metric", "at"])
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
         "new duty revenue is highest at 120 % (100 % to 140 %)"),
        ({"at": 1.9, "low": None, "high": None, "level": 2.0, "is_inside": True},
         "where new duty revenue is highest is not clear"),
        ({"at": 2.0, "low": None, "high": None, "level": 2.0, "is_inside": False},
         "new duty revenue has no peak within this range"),
    ],
)  # fmt: skip
def test_the_title_says_where_revenue_peaks(peak: dict[str, Any], end: str) -> None:
    results = curve()
    results = dataclasses.replace(results, provenance=results.provenance | {"revenue_peak": peak})
    title = curves.rates_text(curves.rates_table(results), results).title
    assert title.startswith(
        "With the rate of component_tariff at 0 % the Chinese share of chips is"
    )
    assert title.endswith(end)


def test_the_title_names_an_assumption_only_where_its_interval_is_beyond_all_others() -> None:
    results = ranked("tornado")
    swings = results.tables["sensitivity"].iloc[:2].assign(meaning=["First", "Second"])

    def title(ends: list[tuple[float, float]]) -> str:
        low, high = zip(*ends, strict=True)
        table = swings.assign(
            swing=[(a + b) / 2 for a, b in ends], swing_low=low, swing_high=high,
            is_significant=[a > 0 or b < 0 for a, b in ends],
        )  # fmt: skip
        made = dataclasses.replace(results, tables=results.tables | {"sensitivity": table})
        return assumptions.tornado_text(assumptions.tornado_table(made), made).title

    assert title([(3.0, 5.0), (-1.0, 2.0)]).endswith(
        ": First moves it most, by 4.00 pp (3.00 to 5.00)"
    )
    assert title([(3.0, 5.0), (-1.0, 4.0)]).endswith(
        "1 of 2 assumptions moves it statistically significantly"
    )
    assert title([(3.0, 5.0), (2.0, 4.0)]).endswith("which of them most is not clear")
    assert title([(-3.0, 5.0), (-2.0, 4.0)]).endswith(
        "no assumption moves it statistically significantly"
    )


def test_of_the_baseline_alone_the_level_is_analysed() -> None:
    results = as_of_the_baseline(ranked("tornado"))
    assert "in the baseline: " in assumptions.TORNADO.picture(results).text.title

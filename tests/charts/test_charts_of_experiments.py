"""Charts of what many runs were asked: no faults, whatever the numbers and the names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tariffsim.charts import OF_EXPERIMENTS, draw_all, pictures
from tariffsim.charts.lint import lint
from tariffsim.experiments.frontier import break_even, curves, optimum
from tariffsim.record.results import Results, provenance
from tariffsim.scenario import load_scenario, to_yaml
from tests.charts.chart_results import HOSTILE

NAMES = ("baseline", "component_50", "whole_product_china")


def results(tables: dict[str, pd.DataFrame], n: int = 4, **facts: Any) -> Results:
    scenarios = {name: load_scenario(name) for name in NAMES}
    return Results(
        tables, {name: to_yaml(s) for name, s in scenarios.items()},
        {name: s.title for name, s in scenarios.items()}, "US",
        provenance() | {"seeds": [0, n - 1]} | facts,
    )  # fmt: skip


def timing(n: int = 4) -> Results:
    starts = [f"{year}-{month}" for year in range(2025, 2030) for month in ("01", "07")]
    share = np.linspace(9.0, 18.0, len(starts))
    wide = 1.0 if n > 1 else np.nan
    table = pd.DataFrame({"start": starts, "share": share, "share_low": share - wide,
                          "share_high": share + wide})  # fmt: skip
    never = {"start": "never", "share": 20.0, "share_low": 20.0, "share_high": 20.0}
    table = pd.concat([table, pd.DataFrame([never])], ignore_index=True).assign(label="A duty")
    found = results({"timing": table}, n)
    return replace(found, scenarios={k: found.scenarios[k] for k in NAMES[:2]})


def decomposition(scale: float = 1.0, n: int = 4, metric: str = "cn_share") -> Results:
    parts = np.array([-4.5, 3.2, 1.6, 0.0, -7.0]) * scale
    rows = [("first", 10.9 * scale), *(("change", v) for v in parts),
            ("second", 10.9 * scale + parts.sum())]  # fmt: skip
    table = pd.DataFrame(
        [{"metric": metric, "unit": "%", "step": step, "change": f"policies.change_{i}",
          "label": f"Change {i} with a rather long name to be wrapped", "contribution": value,
          "low": value - scale if n > 1 else np.nan, "high": value + scale if n > 1 else np.nan,
          "is_significant": n > 1 and abs(value) > scale, "n": n}
         for i, (step, value) in enumerate(rows)]
    )  # fmt: skip
    return results({"decomposition": table}, n, metric=metric)


def trade_off(n: int = 4, strength: float = 1.0) -> Results:
    noise = np.linspace(-1, 1, n)
    runs = pd.DataFrame(
        [{"instrument": name, "rate": rate, "seed": seed, "share": 20 / (1 + pull * rate) + e,
          "cost": strength * dear * rate**2 + 0.02 * e,
          "cutoff_loss": 5 / (1 + pull * rate) + 0.1 * e}
         for name, pull, dear in (("component_50", 1.0, 0.3), ("whole_product_china", 0.1, 6.0))
         for rate in np.linspace(0, 2, 9) for seed, e in enumerate(noise)]
    )  # fmt: skip
    tables = {"frontier": curves(runs), "break_even": break_even(runs), "best_rate": optimum(runs)}
    return results(tables, n)


CASES = {
    "timing": timing, "timing, one seed": lambda: timing(1),
    "decomposition": decomposition, "decomposition, tiny": lambda: decomposition(1e-4),
    "decomposition, one seed": lambda: decomposition(n=1),
    "decomposition of welfare": lambda: decomposition(-0.1, metric="welfare"),
    "trade-off": trade_off, "trade-off, one seed": lambda: trade_off(1),
    "trade-off that never pays": lambda: trade_off(strength=1e4),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("is_hostile", [False, True])
def test_no_chart_has_a_fault(name: str, is_hostile: bool) -> None:
    found = CASES[name]()
    if is_hostile:
        titles = {n: HOSTILE[i] for i, n in enumerate(found.scenarios)}
        tables = {
            key: table.assign(label=[f"{i} {HOSTILE[i % 4]}" for i in range(len(table))])
            if "label" in table
            else table
            for key, table in found.tables.items()
        }
        found = replace(found, titles=titles, tables=tables)
    made, left_out = pictures(found, OF_EXPERIMENTS)
    assert {picture.name: lint(picture) for picture in made} == {p.name: [] for p in made}
    assert made
    assert all(left_out.values())


def test_titles_say_the_finding() -> None:
    (late,) = pictures(timing(), OF_EXPERIMENTS)[0]
    assert late.words.title == (
        "A start in July 2029 leaves the Chinese share at 18.0 % in 2030, one in January 2025 at "
        "9.0 %, never at 20.0 %"
    )
    (waterfall,) = pictures(decomposition(), OF_EXPERIMENTS)[0]
    assert waterfall.words.title.startswith("Chinese share of chips differs by −6.7 points: −7.0")
    frontier, best = pictures(trade_off(), OF_EXPERIMENTS)[0]
    assert "component tariff brings the Chinese share down to 6.7 %" in frontier.words.title
    assert "component tariff should rise to 0.25 from a yearly probability of" in best.words.title


def test_bars_of_a_waterfall_join() -> None:
    (picture,) = pictures(decomposition(), OF_EXPERIMENTS)[0]
    table = picture.table
    np.testing.assert_allclose(table["start"][1:-1], table["end"][:-2])
    assert table["end"].iloc[-2] == pytest.approx(table["end"].iloc[-1])


def test_files_are_named_by_number() -> None:
    names = {name.rpartition(".")[0] for name in draw_all(trade_off(), OF_EXPERIMENTS)}
    assert names == {"charts/11_frontier", "charts/16_best_rate"}

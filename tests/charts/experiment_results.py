"""Small results of experiments, run or made up, for the tests of their charts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as with_fields
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from tariffsim.experiments.frontier import break_even, curves, optimum
from tariffsim.experiments.sensitivity import sensitivity
from tariffsim.experiments.sweep import sweep
from tariffsim.record.dictionary import metrics
from tariffsim.record.results import Results, provenance
from tariffsim.scenario import load_scenario, replace, to_yaml
from tests.charts.chart_results import HOSTILE, hostile

RATE = "policies.component_tariff.rate"
SMALL = {"agents__makers": 60, "run__end": "2025-06"}
NOW = {"policies__component_tariff__rate": {"2025-01": 0.5},
       "policies__component_tariff__announced": "2025-01"}  # fmt: skip
RANGES = {"sourcing.elasticity": "range", "figures.devices.*.cn_share": "range"}
NAMES = ("baseline", "component_50", "whole_product_china")


def as_of_one_run(found: Results) -> Results:
    """The same results as if they were of one run."""
    return with_fields(found, provenance=found.provenance | {"seeds": [0, 0]})


def as_of_the_baseline(found: Results) -> Results:
    """The same results as if only the baseline had been run."""
    kept = {found.baseline: ""}
    return with_fields(
        found, scenarios={n: found.scenarios[n] for n in kept}, titles=dict.fromkeys(kept, "B")
    )


@cache
def curve(seeds: int = 2, vary: str = RATE, values: str = "0:2:0.5") -> Results:
    """A sweep of one number."""
    base, own = load_scenario("baseline"), load_scenario("component_50")
    return sweep(replace(own, **SMALL, **NOW), replace(base, **SMALL), {vary: values}, seeds=seeds)


@cache
def ranked(method: Any, seeds: int = 2, is_baseline: bool = False) -> Results:
    """A sensitivity analysis."""
    base = replace(load_scenario("baseline"), **SMALL)
    own = base if is_baseline else replace(load_scenario("component_50"), **SMALL, **NOW)
    return sensitivity(own, base, method, vary=RANGES, points=2, seeds=seeds)


def results(tables: dict[str, pd.DataFrame], n: int = 4, **about: Any) -> Results:
    """Results with made-up tables."""
    scenarios = {name: load_scenario(name) for name in NAMES}
    return Results(
        tables, {name: to_yaml(s) for name, s in scenarios.items()},
        {name: s.title for name, s in scenarios.items()}, "US",
        provenance() | {"seeds": [0, n - 1]} | about,
    )  # fmt: skip


def timing(n: int = 4) -> Results:
    """A policy that starts early or late."""
    starts = [f"{year}-{month}" for year in range(2025, 2030) for month in ("01", "07")]
    share = np.linspace(9.0, 18.0, len(starts))
    wide = 1.0 if n > 1 else np.nan
    table = pd.DataFrame({"start": starts, "share": share, "share_low": share - wide,
                          "share_high": share + wide})  # fmt: skip
    never = {"start": "never", "share": 20.0, "share_low": 20.0, "share_high": 20.0}
    for data in (table, never):
        for end, sign in (("", 0.0), ("_low", -1.0), ("_high", 1.0)):
            data[f"share_reduction{end}"] = 72 * (20.0 - data["share"]) / 2 + 12 * wide * sign
    never |= {f"share_reduction{end}": 0.0 for end in ("", "_low", "_high")}
    table = pd.concat([table, pd.DataFrame([never])], ignore_index=True).assign(label="A duty")
    found = results({"timing": table}, n)
    return with_fields(found, scenarios={k: found.scenarios[k] for k in NAMES[:2]})


def decomposition(scale: float = 1.0, n: int = 4, metric: str = "cn_share") -> Results:
    """Contributions that lead below zero."""
    parts = np.array([-4.5, 3.2, 1.6, 0.0, -7.0]) * scale
    rows = [("first", 10.9 * scale), *(("change", v) for v in parts),
            ("second", 10.9 * scale + parts.sum())]  # fmt: skip
    unit = metrics()[metric].unit
    table = pd.DataFrame(
        [{"metric": metric, "unit": unit, "step": step, "change": f"policies.change_{i}",
          "label": f"Change {i} with a rather long name to be wrapped", "contribution": value,
          "low": value - scale if n > 1 else np.nan, "high": value + scale if n > 1 else np.nan,
          "is_significant": n > 1 and abs(value) > scale, "n": n}
         for i, (step, value) in enumerate(rows)]
    )  # fmt: skip
    return results({"decomposition": table}, n, metric=metric)


def frontier(n: int = 4, strength: float = 1.0) -> Results:
    """Two instruments over their rates."""
    noise = np.linspace(-1, 1, n)
    runs = pd.DataFrame(
        [{"instrument": name, "rate": rate, "seed": seed, "share": 20 / (1 + pull * rate) + e,
          "cost": strength * loss * rate**2 + 0.02 * e,
          "cutoff_loss": 5 / (1 + pull * rate) + 0.1 * e}
         for name, pull, loss in (("component_50", 1.0, 0.3), ("whole_product_china", 0.1, 6.0))
         for rate in np.linspace(0, 2, 9) for seed, e in enumerate(noise)]
    )  # fmt: skip
    tables = {"frontier": curves(runs), "break_even": break_even(runs), "best_rate": optimum(runs)}
    return results(tables, n)


EXPERIMENTS: dict[str, Callable[[], Results]] = {
    "timing": timing,
    "timing of one seed": lambda: timing(1),
    "decomposition": decomposition,
    "decomposition, tiny": lambda: decomposition(1e-4),
    "decomposition of one seed": lambda: decomposition(n=1),
    "decomposition of welfare": lambda: decomposition(-0.1, metric="welfare"),
    "frontier": frontier,
    "frontier of one seed": lambda: frontier(1),
    "frontier that never pays": lambda: frontier(strength=1e4),
    "sweep": curve,
    "tornado": lambda: ranked("tornado"),
    "sobol": lambda: ranked("sobol", 1),
    "morris": lambda: ranked("morris", 1),
}
"""What the charts of experiments are tested on."""
MORE_EXPERIMENTS: dict[str, Callable[[], Results]] = {
    "sweep of an assumption": lambda: curve(2, "sourcing.elasticity", "2,4,8"),
    "tornado of one seed": lambda: ranked("tornado", 1),
}
"""What they are tested on besides, where time does not matter."""


def with_hostile_labels(found: Results) -> Results:
    """The same results under titles and labels that break pictures."""
    tables = {
        key: table.assign(label=[f"{i} {HOSTILE[i % 4]}" for i in range(len(table))])
        if "label" in table
        else table
        for key, table in found.tables.items()
    }
    return with_fields(hostile(found), tables=tables)

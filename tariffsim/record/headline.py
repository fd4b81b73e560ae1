"""The headline: every measure of every scenario, and its paired difference from the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tariffsim.record.dictionary import COSTS, Measure
from tariffsim.record.intervals import Interval, paired_interval, ratio_interval
from tariffsim.record.metrics import MEASURES, RATIOS


def headline(
    summaries: Mapping[str, Sequence[Mapping[str, float]]], baseline: str
) -> list[dict[str, object]]:
    """Level and paired difference of every measure, one row a scenario x measure."""
    rows: list[dict[str, object]] = []
    base = summaries[baseline]
    for scenario, runs in summaries.items():
        for measure in MEASURES:
            level = float(np.mean([run[measure.name] for run in runs]))
            pairs = [a[measure.name] - b[measure.name] for a, b in zip(runs, base, strict=True)]
            rows.append(_row(scenario, measure, level, paired_interval(pairs)))
        for ratio in RATIOS:
            cost = _unit_cost(runs, base, *COSTS[ratio.name])
            rows.append(_row(scenario, ratio, cost.mean, cost))
    return rows


def _unit_cost(
    runs: Sequence[Mapping[str, float]], base: Sequence[Mapping[str, float]], cost: str, bought: str
) -> Interval:
    """Millions for each unit by which a measure changes (a share falls) with its cost, billions."""
    sign = -1 if bought == "cn_share" else 1
    pairs = list(zip(runs, base, strict=True))
    change = [sign * (run[bought] - usual[bought]) for run, usual in pairs]
    spent = [1000 * (run[cost] - usual[cost]) for run, usual in pairs]
    if not any(spent):
        change = [0.0] * len(change)
    return ratio_interval(spent, change)


def _row(scenario: str, measure: Measure, level: float, change: Interval) -> dict[str, object]:
    return {
        "scenario": scenario, "measure": measure.name, "label": measure.label,
        "unit": measure.unit, "level": level, "difference": change.mean, "low": change.low,
        "high": change.high, "is_distinguishable": change.is_distinguishable, "n": change.n,
    }  # fmt: skip

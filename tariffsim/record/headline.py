"""The headline: every measure of every scenario, and its paired difference from the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tariffsim.record.dictionary import COSTS, Metric
from tariffsim.record.intervals import Interval, paired_interval, ratio_interval
from tariffsim.record.metrics import METRICS, RATIOS


def headline(
    summaries: Mapping[str, Sequence[Mapping[str, float]]], baseline: str
) -> list[dict[str, object]]:
    """Level and paired difference of every measure, one row a scenario x measure."""
    rows: list[dict[str, object]] = []
    base = summaries[baseline]
    for scenario, runs in summaries.items():
        for metric in METRICS:
            level = float(np.mean([run[metric.name] for run in runs]))
            pairs = [a[metric.name] - b[metric.name] for a, b in zip(runs, base, strict=True)]
            rows.append(_row(scenario, metric, level, paired_interval(pairs)))
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


def _row(scenario: str, metric: Metric, level: float, change: Interval) -> dict[str, object]:
    return {
        "scenario": scenario, "metric": metric.name, "label": metric.label,
        "unit": metric.unit, "level": level, "difference": change.mean, "low": change.low,
        "high": change.high, "is_significant": change.is_significant, "n": change.n,
    }  # fmt: skip

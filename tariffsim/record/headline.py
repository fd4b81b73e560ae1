"""The headline: every metric of every scenario, and its paired difference from the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tariffsim.record.dictionary import COSTS, Metric
from tariffsim.record.intervals import Interval, paired_interval, ratio_interval
from tariffsim.record.metrics import METRICS, RATIOS


def headline(
    summaries: Mapping[str, Sequence[Mapping[str, float]]], baseline: str
) -> list[dict[str, object]]:
    """Level and paired difference of every metric, one row a scenario and metric."""
    rows: list[dict[str, object]] = []
    base = summaries[baseline]
    for scenario, runs in summaries.items():
        for metric in METRICS:
            level = float(np.mean([run[metric.name] for run in runs]))
            changes = [a[metric.name] - b[metric.name] for a, b in zip(runs, base, strict=True)]
            rows.append(_row(scenario, metric, level, paired_interval(changes)))
        for ratio in RATIOS:
            cost = _unit_cost(runs, base, *COSTS[ratio.name])
            rows.append(_row(scenario, ratio, cost.mean, cost))
    return rows


def _unit_cost(
    runs: Sequence[Mapping[str, float]], base: Sequence[Mapping[str, float]], cost: str, bought: str
) -> Interval:
    """Cost in millions per unit by which a metric rises (a share falls); costs are in billions."""
    sign = -1 if bought == "cn_share" else 1
    pairs = list(zip(runs, base, strict=True))
    change = [sign * (run[bought] - at_base[bought]) for run, at_base in pairs]
    spent = [1000 * (run[cost] - at_base[cost]) for run, at_base in pairs]
    if not any(spent):
        change = [0.0] * len(change)
    return ratio_interval(spent, change)


def _row(scenario: str, metric: Metric, level: float, change: Interval) -> dict[str, object]:
    return {
        "scenario": scenario, "metric": metric.name, "label": metric.label,
        "unit": metric.unit, "level": level, "difference": change.mean, "low": change.low,
        "high": change.high, "is_significant": change.is_significant, "n": change.n,
    }  # fmt: skip

"""From recorded runs to tidy tables: runs are reduced, then averaged in the order of seeds."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from tariffsim.errors import NotFiniteError
from tariffsim.policy.shipments import Codes
from tariffsim.record.dictionary import COSTS, Metric
from tariffsim.record.history import History
from tariffsim.record.intervals import Interval, drawn_interval, paired_interval, ratio_interval
from tariffsim.record.metrics import (
    LAST,
    METRICS,
    RATIOS,
    WELFARE_TERMS,
    Context,
    basket_price,
    foundry_region,
    other_chips_by_region,
    pass_through,
    ratio,
    summarise,
    welfare,
)
from tariffsim.state.ledger import PAYMENTS, sectors
from tariffsim.typing import Float

OTHER_BUYERS = "OTHER_BUYERS"
GROWTH = 8
"""A table that keeps every seed makes room for one row in so many more at a time."""


@dataclass
class RunRecord:
    """What is kept of one run: arrays whose axes `AXES` names."""

    summary: dict[str, float]
    arrays: dict[str, dict[str, Float]]
    labels: dict[str, list[str]]


@dataclass
class SeedRecord:
    """What is kept of one seed of all scenarios."""

    seed: int
    runs: dict[str, RunRecord] = field(default_factory=dict)


AXES: dict[str, tuple[str, ...]] = {
    "market_month": ("month", "market"),
    "device_end": ("device",),
    "market_device": ("month", "market", "device"),
    "market_origin": ("month", "market", "origin"),
    "market_region": ("month", "market", "region"),
    "region_origin": ("month", "region", "origin", "market"),
    "foundries": ("month", "foundry", "node_class"),
    "policies": ("month", "policy"),
    "transaction_flows": ("month", "payment", "sector"),
    "welfare": ("month", "market", "term"),
    "market_origin_end": ("market", "origin"),
    "market_region_end": ("market", "region"),
    "welfare_end": ("market", "term"),
}
"""Dimensions of every table; month is the year's last for `region_origin`."""
ENDS = ("device_end", "market_origin_end", "market_region_end", "welfare_end")
"""Means of the last months: small, so that every seed is kept for intervals."""
BY_SEED = ("market_month", *ENDS)
"""Tables that keep every seed; the others are means over seeds."""
SPARSE = {"region_origin": "chips", "transaction_flows": "value"}
"""Tables of which only the rows that are not zero are kept, and by which column."""


def record_of(history: History, baseline: History, context: Context, market: str) -> RunRecord:
    """Reduce one run to what the tables need."""
    m = context.codes.markets.index(market)
    cells, months = history.cells, history.months
    change = welfare(history, baseline, context)
    regions = history.sourcing.sum(axis=(2, 3))
    other = other_chips_by_region(history, context)
    price = history.foundries["price"] * history.foundries["other_chips"]
    other_value = price.sum(axis=2) @ foundry_region(history, context)
    bought = (history.sourcing * history.chip_price[:, None, None]).sum(axis=(2, 3))
    every_market = {name: values.sum(axis=2) for name, values in cells.items()}
    every_market["price_index"] = np.stack(
        [basket_price(history, i) for i in range(len(context.codes.markets))], axis=1
    )
    wafers = {
        name: history.foundries[of] / history.chips_per_kwpm
        for name, of in (("capacity_kwpm", "capacity"), ("planned_kwpm", "planned_capacity"))
    }
    every_market["longest_stop"] = cells["longest_stop"].max(axis=2)
    end = {name: values[-LAST:, m] for name, values in cells.items()}
    chips_bought = np.concatenate([regions, other[:, None]], axis=1)
    arrays = {
        "market_month": every_market | _shares(every_market) | pass_through(every_market),
        "device_end": {
            "price_index": end["price_index"].mean(axis=0),
            "cn_share": ratio(end["cn_chips"].sum(axis=0), end["chips"].sum(axis=0)),
        },
        "market_device": cells | _shares(cells),
        "market_origin": {"value": history.origin_value},
        "market_region": {
            "chips": chips_bought,
            "chip_value": np.concatenate([bought, other_value[:, None]], axis=1),
        },
        "region_origin": {"chips": history.flows},
        "foundries": history.foundries | wafers,
        "policies": {"rate": history.policy_rate, "policy_duty": history.policy_duty},
        "transaction_flows": {"value": history.ledger},
        "welfare": {"value": change},
        "market_origin_end": {"value": history.origin_value[-LAST:].mean(axis=0)},
        "market_region_end": {"chips": chips_bought[-LAST:].mean(axis=0)},
        "welfare_end": {"value": change[-LAST:].mean(axis=0)},
    }
    summary = summarise(history, baseline, context, market, change)
    return RunRecord(summary, arrays, _labels(history, context.codes, months))


def _labels(history: History, codes: Codes, months: list[str]) -> dict[str, list[str]]:
    return {
        "month": months,
        "market": list(codes.markets),
        "device": list(codes.devices),
        "origin": list(codes.origins),
        "region": list(codes.regions),
        "node_class": list(codes.classes),
        "foundry": history.foundry_names,
        "foundry_region": [codes.regions[r] for r in history.foundry_region],
        "policy": history.policy_names,
        "payment": list(PAYMENTS),
        "sector": sectors(codes.markets),
        "term": list(WELFARE_TERMS),
        "flow_month": history.flow_months,
    }


def _shares(columns: Mapping[str, Float]) -> dict[str, Float]:
    return {
        "cn_share": ratio(columns["cn_chips"], columns["chips"]),
        "cn_value_share": ratio(columns["cn_chip_value"], columns["chip_value"]),
    }


def gather(
    scenarios: Iterable[str],
    records: Iterable[SeedRecord],
    draw_number: Callable[[int], int] | None = None,
) -> tuple[dict[str, pd.DataFrame], list[int]]:
    """All tables, and the seeds they are of.

    Memory holds sums, and the small tables that keep every seed. `draw_number` says which draw of
    parameters a seed has, if they are drawn.

    Raises:
        NotFiniteError: a table has a number that is NaN or infinite although it is defined.
    """
    sums: dict[str, dict[str, dict[str, Float]]] = {name: {} for name in scenarios}
    kept = {table: _Table(table) for table in BY_SEED}
    summaries: dict[str, list[dict[str, float]]] = {name: [] for name in scenarios}
    labels: dict[str, dict[str, list[str]]] = {}
    seeds: list[int] = []
    for record in records:
        seeds.append(record.seed)
        for name, run in record.runs.items():
            labels.setdefault(name, run.labels)
            summaries[name].append(run.summary)
            key = {"scenario": name, "seed": record.seed}
            for table, rows in kept.items():
                rows.add(key, run.arrays[table], labels[name])
            _add(sums[name], run.arrays)
    draws = None if draw_number is None else [draw_number(seed) for seed in seeds]
    tables = {
        "headline": pd.DataFrame(headline(summaries, next(iter(summaries)), draws)),
        "summary": _summary(summaries, seeds, draws),
        **{table: rows.frame() for table, rows in kept.items()},
        **_means(sums, labels, len(seeds)),
    }
    _say_what_is_not_defined(tables)
    return tables, seeds


def _say_what_is_not_defined(tables: Mapping[str, pd.DataFrame]) -> None:
    """Price indices of markets without lines are empty; any other number must be one."""
    of_markets = tables["market_month"]
    has_none = of_markets["price_index"].isna() & (of_markets["lines"] == 0)
    if has_none.any():
        markets = ", ".join(of_markets.loc[has_none, "market"].unique())
        warnings.warn(
            f"no product line is sold in {markets} with so few makers: the price index is not "
            "defined there, and all else is zero",
            stacklevel=2,
        )
    for name, table in tables.items():
        numbers = table.select_dtypes("number")
        if name == "headline":  # costs per point and intervals are empty where not defined
            levels = ~table["metric"].isin(COSTS)
            numbers = table.loc[levels, ["level", "difference"]]
        for column, values in numbers.items():
            is_wrong = ~np.isfinite(values)
            if name == "market_month" and column == "price_index":
                is_wrong &= ~has_none
            if is_wrong.any():
                row = table.loc[is_wrong.idxmax()].drop(numbers.columns, errors="ignore")
                place = ", ".join(map(str, row.tolist()))
                raise NotFiniteError(f"{column} of {name} became NaN or infinite: {place}")


def _add(total: dict[str, dict[str, Float]], arrays: Mapping[str, Mapping[str, Float]]) -> None:
    for table, columns in arrays.items():
        if table not in BY_SEED:
            into = total.setdefault(table, {})
            for column, values in columns.items():
                if column in into:
                    into[column] += values
                else:
                    into[column] = np.array(values, dtype=float)


def _means(
    sums: Mapping[str, Mapping[str, Mapping[str, Float]]],
    labels: Mapping[str, Mapping[str, list[str]]],
    n: int,
) -> dict[str, pd.DataFrame]:
    tables: dict[str, _Table] = {}
    for scenario, totals in sums.items():
        for table, columns in totals.items():
            means = {column: values / n for column, values in columns.items()}
            rows = tables.setdefault(table, _Table(table))
            rows.add({"scenario": scenario}, means, labels[scenario])
    return {table: rows.frame() for table, rows in tables.items()}


class _Table:
    """A tidy table on its way: one array that grows run by run, so that memory holds it once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: list[dict[str, Any]] = []
        """First columns of every part: scenario, and seed where every seed is kept."""
        self.labels: list[Mapping[str, list[str]]] = []
        self.rows: list[int] = []
        self.columns: list[str] = []
        self.numbers: Float = np.empty((0, 0))

    def add(
        self, key: dict[str, Any], columns: Mapping[str, Float], labels: Mapping[str, list[str]]
    ) -> None:
        """Add the arrays of a run, or the means of a scenario, one row for each of their places."""
        if not self.keys:
            self.columns, self.numbers = [*columns], np.empty((0, len(columns)))
        start, n = sum(self.rows), next(iter(columns.values())).size
        if len(self.numbers) < start + n:
            self.numbers.resize((start + n + start // GROWTH, len(self.columns)), refcheck=False)
        for i, column in enumerate(self.columns):
            self.numbers[start : start + n, i] = columns[column].ravel()
        self.keys.append(key)
        self.labels.append(labels)
        self.rows.append(n)

    def frame(self) -> pd.DataFrame:
        """The table, which takes the numbers; nothing can be added any more."""
        first: dict[str, Any] = {
            name: pd.Series([key[name] for key in self.keys]).repeat(self.rows).array
            for name in self.keys[0]
        }
        for axis in AXES[self.name]:
            first[axis] = self._along(axis, axis)
            if axis == "foundry":
                first["region"] = self._along(axis, "foundry_region")
        self.numbers.resize((sum(self.rows), len(self.columns)), refcheck=False)
        numbers = pd.DataFrame(self.numbers, columns=self.columns, copy=False)
        table = pd.concat([pd.DataFrame(first), numbers], axis="columns")
        if self.name in SPARSE:
            table = table[table[SPARSE[self.name]] != 0].reset_index(drop=True)
        return table

    def _along(self, axis: str, named: str) -> Any:
        """Labels of a dimension in all rows."""
        found = []
        for labels in self.labels:
            shape = [len(self._of(each, labels)) for each in AXES[self.name]]
            codes = np.indices(shape)[AXES[self.name].index(axis)].ravel()
            found.append(np.array(self._of(named, labels), dtype=object)[codes])
        return pd.array(np.concatenate(found), dtype="str")

    def _of(self, axis: str, labels: Mapping[str, list[str]]) -> list[str]:
        """Labels of a dimension of this table."""
        if self.name == "region_origin" and axis == "month":
            return labels["flow_month"]
        if self.name.startswith("market_region") and axis == "market":
            return [*labels["market"], OTHER_BUYERS]
        return labels[axis]


def _summary(
    summaries: Mapping[str, list[dict[str, float]]], seeds: list[int], draws: list[int] | None
) -> pd.DataFrame:
    labels: list[dict[str, int]] = [{"seed": seed} for seed in seeds]
    if draws is not None:
        labels = [label | {"draw": draw} for label, draw in zip(labels, draws, strict=True)]
    return pd.DataFrame(
        [
            {"scenario": scenario, **label, **run}
            for scenario, runs in summaries.items()
            for label, run in zip(labels, runs, strict=True)
        ]
    )


def headline(
    summaries: Mapping[str, Sequence[Mapping[str, float]]],
    baseline: str,
    draws: Sequence[int] | None = None,
) -> list[dict[str, object]]:
    """Level and paired difference of every metric, one row a scenario and metric.

    With the draw of parameters of every seed, intervals cover parameters as well.
    """
    rows: list[dict[str, object]] = []
    base = summaries[baseline]
    interval_of = paired_interval if draws is None else partial(drawn_interval, draws=draws)
    for scenario, runs in summaries.items():
        for metric in METRICS:
            level = float(np.mean([run[metric.name] for run in runs]))
            changes = [a[metric.name] - b[metric.name] for a, b in zip(runs, base, strict=True)]
            rows.append(
                headline_row(scenario, metric, level, interval_of(changes), draws is not None)
            )
        for metric in RATIOS:
            spent, change = _cost_and_effect(runs, base, *COSTS[metric.name])
            cost = ratio_interval(spent, change, interval_of)
            rows.append(headline_row(scenario, metric, cost.mean, cost, draws is not None))
    return rows


def _cost_and_effect(
    runs: Sequence[Mapping[str, float]], base: Sequence[Mapping[str, float]], cost: str,
    bought: str, factor: float,
) -> tuple[list[float], list[float]]:  # fmt: skip
    """Change of a metric, times a factor, and of that which it is spent on (see COSTS), by seed."""
    pairs = list(zip(runs, base, strict=True))
    sign = 1 if factor > 0 else -1
    change = [sign * (run[bought] - at_base[bought]) for run, at_base in pairs]
    spent = [abs(factor) * (run[cost] - at_base[cost]) for run, at_base in pairs]
    return spent, change if any(spent) else [0.0] * len(change)


def headline_row(
    scenario: str, metric: Metric, level: float, change: Interval, is_drawn: bool = False
) -> dict[str, object]:
    """One row of a headline table: level and paired difference."""
    row: dict[str, object] = {
        "scenario": scenario, "metric": metric.name, "label": metric.label,
        "unit": metric.unit, "level": level, "difference": change.mean, "low": change.low,
        "high": change.high, "is_significant": change.is_significant, "n": change.n,
    }  # fmt: skip
    if is_drawn:
        parts = ("sd_seeds", "sd_parameters", "sign_probability")
        row |= {name: getattr(change, name) for name in parts}
    return row

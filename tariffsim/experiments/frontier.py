"""The cost of lower dependence: tariffs over their rates, and their value in a supply cut-off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from tariffsim.errors import Problem, ScenarioError
from tariffsim.experiments.ensemble import RunScenarios
from tariffsim.experiments.scaling import tariffs_of, with_strength
from tariffsim.record.intervals import interval_columns, paired_interval, ratio_interval
from tariffsim.scenario import Scenario, replace
from tariffsim.typing import Float

LOSS = "total_welfare"
"""The loss in a cut-off: of welfare over the whole run, bn USD."""
PROBABILITIES = tuple(round(float(p), 4) for p in np.geomspace(0.001, 1.0, 31))
"""Yearly probabilities of a cut-off for which the best rate is found."""


def frontier(
    scenarios: Mapping[str, Scenario],
    rates: Sequence[float],
    run_scenarios: RunScenarios,
    cutoff: Scenario | None = None,
) -> pd.DataFrame:
    """Effect and cost of every instrument at every rate, seed by seed.

    With a cut-off, `cutoff_loss` is the welfare that a run loses, bn USD, when the policies of the
    cut-off are added to it. Scenarios that are the same at a rate of zero are run once.

    Returns:
        One row an instrument, rate and seed; `cost` is minus welfare, bn USD a year.
    """
    variants: dict[str, Scenario] = {}
    levels = [float(rate) for rate in rates]
    labels = {(name, rate): f"{name}, {rate!r}" for name in scenarios for rate in levels}
    for (name, rate), label in labels.items():
        own = {label: with_strength(scenarios[name], rate)}
        if cutoff is not None:
            own[f"{label}, cut off"] = combined(own[label], cutoff)
        if rate == 0:
            own = {n: _without(s, tariffs_of(scenarios[name])) for n, s in own.items()}
        variants |= own
    same: dict[str, str] = {}
    for label, variant in variants.items():
        same.setdefault(variant.content_hash, label)
    found = run_scenarios({label: variants[label] for label in same.values()})
    by_label = dict(tuple(found.set_index("seed").groupby("scenario", sort=False)))
    runs = {label: by_label[same[variant.content_hash]] for label, variant in variants.items()}
    tables = []
    for (name, rate), label in labels.items():
        run = runs[label]
        columns = {"instrument": name, "rate": rate, "share": run["cn_share"],
                   "cost": -run["welfare"]}  # fmt: skip
        if cutoff is not None:
            columns["cutoff_loss"] = run[LOSS] - runs[f"{label}, cut off"][LOSS]
        tables.append(pd.DataFrame(columns).reset_index())
    return pd.concat(tables, ignore_index=True)


def _without(scenario: Scenario, idle: Iterable[str]) -> Scenario:
    """The scenario without policies whose rates are zero, unless others may depend on them."""
    if any(policy.when for policy in scenario.policies.values()):
        return scenario
    return replace(scenario, policies=dict.fromkeys(idle))


def combined(scenario: Scenario, other: Scenario) -> Scenario:
    """The scenario with the policies of another one besides its own.

    Raises:
        ScenarioError: a policy that restricts supply has the name of another policy, or every
            policy of the other scenario is in this one already.
    """
    own = scenario.policies
    added = {n: p.model_dump(mode="json", exclude={"source"}) for n, p in other.policies.items()
             if n not in own}  # fmt: skip
    cuts = {n: p for n, p in other.policies.items() if p.restricts_supply}
    taken = [name for name, policy in cuts.items() if own.get(name, policy) != policy]
    if taken or not added:
        message = "has no policy to add"
        if taken:
            message = f"needs another name for its policy {taken[0]}, which {scenario.name} has too"
        raise ScenarioError([Problem(other.name, message=message)])
    return replace(scenario, policies=added)


def curves(runs: pd.DataFrame) -> pd.DataFrame:
    """Means of share and cost by instrument and rate, and which points are on the frontier.

    Intervals of the share are those of its difference from the lowest rate, seed by seed. A point
    is on the frontier if no other has a smaller share at no higher cost, or the same at a lower.
    """
    rows = []
    others = [column for column in ("cost", "cutoff_loss") if column in runs]
    for name, rates, values in _by_instrument(runs, "share", *others):
        share, lowest = values["share"], float(values["share"][0].mean())
        for i, rate in enumerate(rates):
            row = {"instrument": name, "rate": rate}
            row |= interval_columns("share", share[i] - share[0], lowest)
            for column in others:
                row |= interval_columns(column, values[column][i])
            rows.append(row)
    table = pd.DataFrame(rows)
    points = list(zip(table["share"], table["cost"], strict=True))
    table["is_on_frontier"] = [
        not any(s <= share and c <= cost and (s, c) != (share, cost) for s, c in points)
        for share, cost in points
    ]
    return table


def break_even(runs: pd.DataFrame) -> pd.DataFrame:
    """Yearly probability of a cut-off from which each rate pays: its cost over the loss it saves.

    Both are against the lowest rate, seed by seed; no probability where the loss saved is not
    statistically significant.
    """
    rows = []
    for name, rates, values in _by_instrument(runs, "cost", "cutoff_loss"):
        cost, loss = values["cost"], values["cutoff_loss"]
        for i, rate in enumerate(rates[1:], start=1):
            extra, saved = cost[i] - cost[0], loss[0] - loss[i]
            ratio = ratio_interval(extra.tolist(), saved.tolist())
            rows.append({
                "instrument": name, "rate": rate, "extra_cost": float(extra.mean()),
                "loss_saved": float(saved.mean()), "probability": ratio.mean,
                "probability_low": ratio.low, "probability_high": ratio.high,
            })  # fmt: skip
    return pd.DataFrame(rows)


def optimum(runs: pd.DataFrame, probabilities: Sequence[float] = PROBABILITIES) -> pd.DataFrame:
    """The rate with the lowest cost + probability x cut-off loss, for every yearly probability.

    `rate_low` and `rate_high` enclose the rates that do not differ significantly from the best.
    """
    rows = []
    for name, rates, values in _by_instrument(runs, "cost", "cutoff_loss"):
        for probability in probabilities:
            expected = values["cost"] + probability * values["cutoff_loss"]
            best = int(expected.mean(axis=1).argmin())
            near_best = [
                rate
                for i, rate in enumerate(rates)
                if i == best
                or not paired_interval((expected[i] - expected[best]).tolist()).is_significant
            ]
            rows.append({
                "instrument": name, "probability": probability, "rate": rates[best],
                "rate_low": min(near_best), "rate_high": max(near_best),
                "expected_cost": float(expected[best].mean()),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _by_instrument(
    runs: pd.DataFrame, *columns: str
) -> Iterator[tuple[str, list[float], dict[str, Float]]]:
    """Every instrument with its rates from low to high, and columns `(rates, seeds)`."""
    for name, table in runs.groupby("instrument", sort=False):
        wide = table.pivot(index="rate", columns="seed").sort_index()
        values = {column: wide[column].to_numpy(float) for column in columns}
        yield str(name), wide.index.tolist(), values

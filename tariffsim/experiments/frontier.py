"""What dependence costs: instruments over their rates, and what a cut-off makes worth paying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tariffsim.errors import Problem, ScenarioError
from tariffsim.experiments.paired import EnsembleRunner, columns_of
from tariffsim.experiments.strength import with_strength
from tariffsim.record.intervals import paired_interval, ratio_interval
from tariffsim.scenario import Scenario, replace
from tariffsim.typing import Float

LOSS = "total_welfare"
"""What is lost in a cut-off: welfare over the whole run, bn USD."""
PROBABILITIES = tuple(round(float(p), 4) for p in np.geomspace(0.001, 1.0, 31))
"""Yearly probabilities of a cut-off that the best rate is looked for at."""


def frontier(
    scenarios: Mapping[str, Scenario], rates: Sequence[float], run_ensemble: EnsembleRunner,
    cutoff: Scenario | None = None,
) -> pd.DataFrame:  # fmt: skip
    """What every instrument at every rate does and costs, seed by seed.

    With a cut-off, `cutoff_loss` is the welfare that a run loses, bn USD, when the policies of the
    cut-off are added to it.

    Returns:
        One row an instrument, rate and seed; `cost` is minus welfare, bn USD a year.
    """
    asked: dict[str, Scenario] = {}
    keys = {(name, rate): f"{name}, {rate!r}" for name in scenarios for rate in rates}
    for (name, rate), label in keys.items():
        asked[label] = with_strength(scenarios[name], rate)
        if cutoff is not None:
            asked[f"{label}, cut off"] = combined(asked[label], cutoff)
    runs = dict(tuple(run_ensemble(asked).set_index("seed").groupby("scenario", sort=False)))
    found = []
    for (name, rate), label in keys.items():
        run = runs[label]
        kept = {"instrument": name, "rate": rate, "share": run["cn_share"],
                "cost": -run["welfare"]}  # fmt: skip
        if cutoff is not None:
            kept["cutoff_loss"] = run[LOSS] - runs[f"{label}, cut off"][LOSS]
        found.append(pd.DataFrame(kept).reset_index())
    return pd.concat(found, ignore_index=True)


def combined(scenario: Scenario, other: Scenario) -> Scenario:
    """The scenario with the policies of another one besides its own.

    Raises:
        ScenarioError: a measure that keeps chips back has the name of another policy, or all that
            the other one has is there already.
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

    Intervals of the share are those of its difference from the lowest rate, seed by seed. On the
    frontier is what no other point beats: a smaller share at no higher cost, or the same for less.
    """
    rows = []
    for name, each in runs.groupby("instrument", sort=False):
        rates, share = _by_rate(each, "share")
        others = [c for c in ("cost", "cutoff_loss") if c in each]
        values = {column: _by_rate(each, column)[1] for column in others}
        for i, rate in enumerate(rates):
            lowest = float(share[0].mean())
            row = {"instrument": name, "rate": rate}
            row |= columns_of("share", share[i] - share[0], lowest)
            for column in others:
                row |= columns_of(column, values[column][i])
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

    Both are against the lowest rate, seed by seed; no probability where the loss saved cannot be
    told from zero.
    """
    rows = []
    for name, each in runs.groupby("instrument", sort=False):
        (rates, cost), (_, loss) = _by_rate(each, "cost"), _by_rate(each, "cutoff_loss")
        for rate, extra, saved in zip(rates[1:], cost[1:] - cost[0], loss[0] - loss[1:],
                                      strict=True):  # fmt: skip
            ratio = ratio_interval(extra.tolist(), saved.tolist())
            rows.append({
                "instrument": name, "rate": rate, "extra_cost": float(extra.mean()),
                "loss_saved": float(saved.mean()), "probability": ratio.mean,
                "probability_low": ratio.low, "probability_high": ratio.high,
            })  # fmt: skip
    return pd.DataFrame(rows)


def optimum(runs: pd.DataFrame, probabilities: Sequence[float] = PROBABILITIES) -> pd.DataFrame:
    """The rate with the least cost + probability x cut-off loss, for every yearly probability.

    `rate_low` and `rate_high` enclose the rates that cannot be told from the best, seed by seed.
    """
    rows = []
    for name, each in runs.groupby("instrument", sort=False):
        (rates, cost), (_, loss) = _by_rate(each, "cost"), _by_rate(each, "cutoff_loss")
        for probability in probabilities:
            expected = cost + probability * loss
            best = int(expected.mean(axis=1).argmin())
            alike = [
                rate
                for i, rate in enumerate(rates)
                if i == best
                or not paired_interval((expected[i] - expected[best]).tolist()).is_significant
            ]
            rows.append({
                "instrument": name, "probability": probability, "rate": rates[best],
                "rate_low": min(alike), "rate_high": max(alike),
                "expected_cost": float(expected[best].mean()),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _by_rate(runs: pd.DataFrame, column: str) -> tuple[list[float], Float]:
    """Rates from low to high; values by rate and seed."""
    wide = runs.pivot(index="rate", columns="seed", values=column).sort_index()
    return wide.index.tolist(), wide.to_numpy(float)

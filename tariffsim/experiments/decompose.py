"""The difference between two scenarios, attributed to the changes between them.

References:
    Shapley (1953), A value for n-person games.
    Shorrocks (2013), Decomposition procedures for distributional analysis, J. Econ. Inequality 11.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from tariffsim.errors import Problem, ScenarioError
from tariffsim.experiments.ensemble import RunScenarios
from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.policy.fields import condition
from tariffsim.record.dictionary import metrics
from tariffsim.record.intervals import paired_interval
from tariffsim.scenario import Scenario, catalogue, replace
from tariffsim.scenario.focus import with_common_focus
from tariffsim.typing import Float, one_name

MAX_CHANGES = 8
"""2^8 scenarios are run for each seed."""
NOT_COMPARED = (
    "schema_version",
    "title",
    "description",
    "sources",
    "experiment",
    "compare_with",
    "run",
    "agents",
    "data",
)
"""Parts of a scenario that are texts, or that comparable scenarios have in common."""


@dataclass(frozen=True)
class Change:
    """A difference between two scenarios, made or not made as a whole."""

    name: str
    label: str
    values: tuple[tuple[str, Any], ...]
    """Key paths with the values of the second scenario; None removes a policy."""


def changes_between(first: Scenario, second: Scenario) -> list[Change]:
    """Every policy and every value that differs; values by block where they are too many.

    Raises:
        ScenarioError: nothing differs, or too much.
    """
    found = [*_together(first, second, [*_policies(first, second)]), *_fields(first, second)]
    if len(found) > MAX_CHANGES:
        found = _by_block(found)
    if not 1 <= len(found) <= MAX_CHANGES:
        message = f"has {len(found)} changes from {first.name}: {', '.join(c.name for c in found)}"
        hint = f"use scenarios with at most {MAX_CHANGES}: each doubles the number of runs"
        if not found:
            message, hint = f"does not differ from {first.name}", "name two scenarios that do"
        raise ScenarioError([Problem(second.name, message=message, hint=hint)])
    return found


def _policies(first: Scenario, second: Scenario) -> Iterator[Change]:
    own, others = (
        {n: p.model_dump(mode="json", exclude={"source"}) for n, p in s.policies.items()}
        for s in (first, second)
    )
    for name in dict.fromkeys((*own, *others)):
        if own.get(name) != others.get(name):
            verb = "removed" if name not in others else "changed" if name in own else "added"
            kind = str((others.get(name) or own[name])["kind"]).replace("_", " ")
            words = [kind.capitalize(), name, verb]
            label = " ".join(words if name.replace("_", " ") != kind else words[::2])
            key = f"policies.{name}"
            yield Change(key, label, ((key, others.get(name)),))


def _together(first: Scenario, second: Scenario, found: list[Change]) -> list[Change]:
    """Policies that name another that changes are one change with it: they need it."""
    groups = {change.name.removeprefix("policies."): [change] for change in found}
    for scenario in (first, second):
        for name, policy in scenario.policies.items():
            named = {*map(one_name, _named(policy))}
            for other in [of for of in groups if one_name(of) in named and of != name]:
                if name in groups and groups[name] is not groups[other]:
                    joined = groups[other] + groups[name]
                    groups |= {change.name.removeprefix("policies."): joined for change in joined}
    distinct = {id(group): group for group in groups.values()}.values()
    return [group[0] if len(group) == 1 else _as_one(group) for group in distinct]


def _named(policy: Instrument) -> Iterator[str]:
    """Policies that a policy names; a kind in its condition may as well be absent."""
    yield from policy.names_others
    if policy.when is not None and condition(policy.when)[0] not in INSTRUMENTS:
        yield condition(policy.when)[0]


def _as_one(group: Sequence[Change]) -> Change:
    names = (change.name.removeprefix("policies.") for change in group[1:])
    values = tuple(value for change in group for value in change.values)
    return Change(
        "+".join((group[0].name, *names)), " and ".join(change.label for change in group), values
    )


def _fields(first: Scenario, second: Scenario) -> Iterator[Change]:
    own, others = (
        s.model_dump(mode="json", exclude={*NOT_COMPARED, "policies"}) for s in (first, second)
    )
    for block in others:
        for field in dict.fromkeys((*own[block], *others[block])):
            if own[block].get(field) != others[block].get(field):
                key = f"{block}.{field}"
                known = catalogue.find([block, field])
                label = known.description.partition(" (")[0].rstrip(".") if known else key
                yield Change(key, label, ((key, others[block].get(field)),))


def _by_block(found: Sequence[Change]) -> list[Change]:
    """Values of one block as one change; every policy stays by itself."""
    blocks: dict[str, list[Change]] = {}
    for change in found:
        block = change.name.partition(".")[0]
        blocks.setdefault(change.name if block == "policies" else block, []).append(change)
    return [
        parts[0] if len(parts) == 1
        else Change(name, f"Assumptions: {name}", tuple(v for p in parts for v in p.values))
        for name, parts in blocks.items()
    ]  # fmt: skip


def with_changes(first: Scenario, changes: Sequence[Change]) -> Scenario:
    """The first scenario with some of the changes made."""
    values = {key: value for change in changes for key, value in change.values}
    # a mapping would be merged, not replaced: the old value is removed first
    there = {f"policies.{name}" for name in first.policies}
    old = (key for key in values if key in there or not key.startswith("policies."))
    cleared = replace(first, **dict.fromkeys(old, None))
    return replace(cleared, **{key: v for key, v in values.items() if v is not None})


def decompose(first: Scenario, second: Scenario, run_scenarios: RunScenarios) -> pd.DataFrame:
    """Contribution of every change to the difference in every metric, by exact Shapley values.

    All subsets of the changes are run with the same seeds; the contribution of a change is the mean
    over all orders of what it adds to those made before it. Contributions add up to the difference
    seed by seed. The baseline of `run_scenarios` should be the first scenario.

    Returns:
        One row a metric and step: `step` is the level of the first scenario, a change, or the
        level of the second.
    """
    first, second = with_common_focus({"first": first, "second": second}).values()
    changes = changes_between(first, second)
    subsets = {
        f"{number}": with_changes(first, [c for i, c in enumerate(changes) if number >> i & 1])
        for number in range(2 ** len(changes))
    }
    table = run_scenarios(subsets)
    rows: list[dict[str, Any]] = []
    for known in metrics().values():
        if known.name in table:
            wide = table.pivot(index="scenario", columns="seed", values=known.name)
            values = wide.loc[list(subsets)].to_numpy()
            labels = {"metric": known.name, "unit": known.unit}
            rows += [labels | row for row in _rows(first, second, changes, values)]
    return pd.DataFrame(rows)


def _rows(
    first: Scenario, second: Scenario, changes: Sequence[Change], values: Float
) -> Iterator[dict[str, Any]]:
    """The waterfall of one metric: first level, contributions, second level."""
    steps = [
        ("first", first.name, first.short_name, values[0]),
        *(("change", c.name, c.label, v)
          for c, v in zip(changes, shapley_values(values), strict=True)),
        ("second", second.name, second.short_name, values[-1]),
    ]  # fmt: skip
    for step, name, label, by_seed in steps:
        interval = paired_interval(by_seed.tolist())
        yield {
            "step": step, "change": name, "label": label, "contribution": interval.mean,
            "low": interval.low, "high": interval.high,
            "is_significant": interval.is_significant, "n": interval.n,
        }  # fmt: skip


def shapley_values(values: Float) -> Float:
    """Contribution of every change: `(changes, ...)` from values by subset `(2^changes, ...)`.

    Subsets are numbered in binary: bit i of the row is set where change i is made. The
    contribution of i is the mean over all orders of what it adds to those made before:
    `sum_S |S|! (n - |S| - 1)! / n! (v(S + i) - v(S))`. They add up to `v(all) - v(none)`.
    """
    n = len(values).bit_length() - 1
    subsets = np.arange(len(values))
    size = np.array([int(s).bit_count() for s in subsets])
    weight = np.array([factorial(k) * factorial(n - k - 1) / factorial(n) for k in range(n)])
    found = []
    for i in range(n):
        without = subsets[subsets & (1 << i) == 0]
        added = values[without | (1 << i)] - values[without]
        found.append(np.tensordot(weight[size[without]], added, axes=1))
    return np.array(found)

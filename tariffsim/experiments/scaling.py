"""Scenarios with stronger or weaker tariffs, and scaled to equal effect or equal revenue."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan

from tariffsim.errors import Problem, ScenarioError
from tariffsim.experiments.ensemble import RunScenarios
from tariffsim.experiments.solve import Solution, Target, solve
from tariffsim.policy.base import Instrument
from tariffsim.policy.time_path import TimePath
from tariffsim.scenario import Scenario, replace

MAX_RATE = 2.0
"""Highest ad valorem rate that is tried: 200 %."""
MAX_MULTIPLE = 5.0
"""Strongest of other instruments that is tried, relative to the scenario's own strength."""
METRICS = {"effect": "cn_share", "revenue": "duty_revenue"}
"""What is made equal, and the metric it is read from."""
MAX_TITLE = 200
"""Letters of a title."""


def tariffs_of(scenario: Scenario) -> dict[str, Instrument]:
    """The policies that levy a duty; all where none does. Conditional policies are left out.

    Raises:
        ScenarioError: there is no policy with a strength.
    """
    policies = {n: p for n, p in scenario.policies.items() if p.when is None}
    duties = {n: p for n, p in policies.items() if type(p).duty is not Instrument.duty}
    found = {n: p for n, p in (duties or policies).items() if last_level(p.path)}
    if not found:
        problem = Problem(scenario.name, message="has no policy whose rate could be changed")
        raise ScenarioError([problem])
    return found


def rate_key(scenario: Scenario) -> str:
    """The key of the highest of its rates."""
    tariffs = tariffs_of(scenario)
    name = max(tariffs, key=lambda name: abs(last_level(tariffs[name].path)))
    return f"policies.{name}.{tariffs[name].path_field}"


def strength_of(scenario: Scenario) -> float:
    """The highest final rate of its tariffs; of rates below zero the farthest from it."""
    return max((last_level(policy.path) for policy in tariffs_of(scenario).values()), key=abs)


def last_level(path: TimePath) -> float:
    """What a path comes to: its last value that is not zero."""
    return next((v for v in reversed(path.values) if v), 0.0)


def _scaled(path: TimePath, factor: float) -> TimePath:
    """The same path with all values multiplied."""
    return path.model_copy(update={"values": tuple(factor * v for v in path.values)})


def with_strength(scenario: Scenario, strength: float) -> Scenario:
    """The scenario with all its tariffs scaled in proportion, the highest to another rate."""
    factor = strength / strength_of(scenario)
    paths = {
        name: {policy.path_field: _scaled(policy.path, factor)}
        for name, policy in tariffs_of(scenario).items()
    }
    return replace(scenario, policies=paths)


def max_strength(scenario: Scenario) -> float:
    """The strongest that is tried: 200 %, or five times the rate in other units.

    As far as the limits of all its paths let it be, and below zero if its rate is.
    """
    tariffs, own = tariffs_of(scenario).values(), strength_of(scenario)
    is_rate = all(policy.limits[2] == "fraction" for policy in tariffs)
    wanted = max(MAX_RATE / abs(own), 1.0) if is_rate else MAX_MULTIPLE
    return own * min([wanted, *map(most_multiple, tariffs)])


def most_multiple(policy: Instrument) -> float:
    """How many times as strong the limits let it be."""
    low, high, _ = policy.limits
    return min((high if v > 0 else low) / v for v in policy.path.values if v)


@dataclass(frozen=True)
class Scaled:
    """A scenario scaled to the level of another one, or as near as its rate can bring it."""

    scenario: Scenario
    before: float
    """The highest of its rates before."""
    solution: Solution | None = None
    """None for the first scenario, and where there is no rate to scale."""

    def __str__(self) -> str:
        """What was done, in a sentence."""
        name = self.scenario.name
        if self.solution is None:
            return f"{name}: not scaled."
        root, metric = self.solution.root, self.solution.target.known
        reached = f"{metric.label} {self.solution.reached.mean:.{metric.decimals}f} {metric.unit}"
        if not root.is_met:
            return (
                f"{name}: rate {self.before:g} scaled to {root.value:.3g}, the nearest it can "
                f"get ({reached}); it does not equal the first scenario."
            )
        interval = "" if isnan(root.low) else f" [{root.low:.3g}, {root.high:.3g}]"
        return f"{name}: rate {self.before:g} scaled to {root.value:.3g}{interval}."

    @property
    def is_met(self) -> bool:
        """Whether it reaches the level of the other one."""
        return self.solution is None or self.solution.root.is_met


def scaled_to_first(
    scenarios: Sequence[Scenario], equal: str, run_scenarios: RunScenarios
) -> Iterator[Scaled]:
    """All scenarios with their tariffs scaled to the effect, or revenue, of the first one.

    The paths of all rates of a scenario are scaled in proportion, with the same dates. A scenario
    that cannot reach the level is scaled to come nearest, and its title says so. Scenarios without
    a policy are not scaled.
    """
    first, *others = scenarios
    yield Scaled(first, strength_of(first))
    for scenario in others:
        if not scenario.policies:
            yield Scaled(scenario, 0.0)
            continue
        target = Target(METRICS[equal], like=first)
        low, high = sorted((0.0, max_strength(scenario)))
        found = solve(partial(with_strength, scenario), target, (low, high), run_scenarios)
        root = found.root
        outcome = f"as {first.name}" if root.is_met else "the nearest it can get"
        suffix = f" (at rate {root.value:.3g}, {outcome})"
        is_short = len(scenario.short_name) + len(suffix) <= MAX_TITLE
        title = f"{scenario.short_name if is_short else scenario.name}{suffix}"
        named = replace(found.scenario, title=title, label="")
        solution = dataclasses.replace(found, scenario=named)
        yield Scaled(named, strength_of(scenario), solution)

"""How strong a scenario's tariffs are, and the same scenario with stronger or weaker ones."""

from __future__ import annotations

from tariffsim.errors import Problem, ScenarioError
from tariffsim.policy.base import Instrument
from tariffsim.scenario import Scenario, replace

TOP = 2.0
"""Highest ad valorem rate that is looked at: 200 %."""
TIMES = 5.0
"""Strongest of other measures that is looked at, relative to what the scenario has."""


def tariffs_of(scenario: Scenario) -> dict[str, Instrument]:
    """The policies that levy a duty; all where none does. Answers to others keep their strength.

    Raises:
        ScenarioError: there is no policy with a strength.
    """
    policies = {n: p for n, p in scenario.policies.items() if p.when is None}
    duties = {n: p for n, p in policies.items() if type(p).duty is not Instrument.duty}
    found = {n: p for n, p in (duties or policies).items() if p.path.level}
    if not found:
        problem = Problem(scenario.name, message="has no policy whose rate could be changed")
        raise ScenarioError([problem])
    return found


def rate_key(scenario: Scenario) -> str:
    """The key of the highest of its rates."""
    tariffs = tariffs_of(scenario)
    name = max(tariffs, key=lambda name: tariffs[name].path.level)
    return f"policies.{name}.{tariffs[name].path_field}"


def strength_of(scenario: Scenario) -> float:
    """The highest rate that its tariffs come to."""
    return max(policy.path.level for policy in tariffs_of(scenario).values())


def with_strength(scenario: Scenario, strength: float) -> Scenario:
    """The scenario with all its tariffs in proportion, the highest at another rate."""
    factor = strength / strength_of(scenario)
    return replace(
        scenario, policies={name: {policy.path_field: policy.path.scaled(factor)}
                  for name, policy in tariffs_of(scenario).items()}
    )  # fmt: skip


def strongest(scenario: Scenario) -> float:
    """The highest rate that is looked at: 200 %, or five times what it is in other units."""
    tariffs = tariffs_of(scenario).values()
    is_rate = all(policy.limits[2] == "fraction" for policy in tariffs)
    return max(TOP if is_rate else 0.0, (1.0 if is_rate else TIMES) * strength_of(scenario))

"""Scenarios scaled to the same effect, or to the same revenue, before they are compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

from tariffsim.experiments.paired import EnsembleRunner
from tariffsim.experiments.solve import Solution, Target, solve
from tariffsim.experiments.strength import strength_of, strongest, with_strength
from tariffsim.scenario import Scenario, replace

METRICS = {"effect": "cn_share", "revenue": "duty_revenue"}
"""What is made equal, and the measure it is read from."""
LONGEST = 200
"""Letters of a title."""


@dataclass(frozen=True)
class Scaled:
    """A scenario brought to the level of another one, or as near as its rate can bring it."""

    scenario: Scenario
    before: float
    """The highest of its rates as it was."""
    found: Solution | None
    """None for the one the others are brought to, and where there is no rate to scale."""

    def __str__(self) -> str:
        """What was done to it, in a sentence."""
        if self.found is None:
            return f"{self.scenario.name}: as it is."
        root, metric = self.found.root, self.found.target.known
        reached = f"{metric.label} {self.found.reached.mean:.{metric.decimals}f} {metric.unit}"
        if not root.is_met:
            return (
                f"{self.scenario.name}: rate {self.before:g} scaled to {root.value:.3g}, the most "
                f"it can reach ({reached}); it is not equal to the first."
            )
        ends = "" if isnan(root.low) else f" [{root.low:.3g}, {root.high:.3g}]"
        return f"{self.scenario.name}: rate {self.before:g} scaled to {root.value:.3g}{ends}."

    @property
    def is_met(self) -> bool:
        """Whether it has the level of the other one."""
        return self.found is None or self.found.root.is_met


def scaled_alike(
    scenarios: Sequence[Scenario], equal: str, run_ensemble: EnsembleRunner
) -> list[Scaled]:
    """All scenarios with their tariffs scaled to what the first one reaches.

    What is scaled is the path of every tariff's rate, all in proportion and at the same dates. One
    that cannot reach the level is taken where it comes nearest, and its title says so. Scenarios
    without a policy stay as they are.
    """
    return list(_scaled(scenarios, METRICS[equal], run_ensemble))


def _scaled(
    scenarios: Sequence[Scenario], name: str, run_ensemble: EnsembleRunner
) -> Iterator[Scaled]:
    first, *others = scenarios
    yield Scaled(first, strength_of(first), None)
    for scenario in others:
        if not scenario.policies:
            yield Scaled(scenario, 0.0, None)
            continue

        def at(rate: float, scenario: Scenario = scenario) -> Scenario:
            return with_strength(scenario, rate)

        found = solve(at, Target(name, like=first), (0.0, strongest(scenario)), run_ensemble)
        root = found.root
        said = f"at rate {root.value:.3g}, " + (
            f"as {first.name}" if root.is_met else "the most it can reach"
        )
        title = (scenario.title or scenario.name)[: LONGEST - len(said) - 3]
        named = replace(found.scenario, title=f"{title} ({said})")
        yield Scaled(named, strength_of(scenario), dataclasses.replace(found, scenario=named))

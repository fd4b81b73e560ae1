"""What is valid in a scenario, but hardly meant."""

from __future__ import annotations

from collections.abc import Iterator

from tariffsim.scenario.fields import Scenario
from tariffsim.typing import format_month


def remarks(scenario: Scenario) -> tuple[str, ...]:
    """One sentence for each policy that is never in force in the months of the run."""
    return tuple(_idle(scenario))


def _idle(scenario: Scenario) -> Iterator[str]:
    start, end = scenario.run.start, scenario.run.end
    law = scenario.dated_policies
    for name in scenario.policies:
        lead = f"{scenario.name}: policies.{name}"
        if name not in law:
            yield f"{lead} does nothing: its condition is never met"
            continue
        policy = law[name]
        policy_start = policy.first_month
        if policy.end is not None and policy.end < start:
            when, run = format_month(policy.end), format_month(start)
            yield f"{lead} does nothing: it ends in {when}, before the run starts in {run}"
        elif policy_start > end:
            does = "does nothing" if policy.known_from > end else "is only expected"
            when, run = format_month(policy_start), format_month(end)
            yield f"{lead} {does}: it starts in {when}, after the run ends in {run}"

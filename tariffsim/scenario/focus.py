"""The focus of scenarios that are compared: markets whose lines are the finest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tariffsim.scenario.scenario import Scenario


def common_focus(scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """Every market that any of them has in focus, in the order of the table of markets."""
    first = scenarios[0].agents.focus
    if all(scenario.agents.focus == first for scenario in scenarios):
        return first
    wanted = {market for scenario in scenarios for market in scenario.agents.focus}
    known = (code for scenario in scenarios for code in scenario.tables().markets.codes)
    return tuple(code for code in dict.fromkeys(known) if code in wanted)


def with_focus(scenario: Scenario, focus: tuple[str, ...]) -> Scenario:
    """The scenario with these markets in focus; itself if it has them."""
    if scenario.agents.focus == focus:
        return scenario
    agents = scenario.agents.model_copy(update={"focus": focus})
    return scenario.model_copy(update={"agents": agents})


def with_common_focus(named: Mapping[str, Scenario]) -> dict[str, Scenario]:
    """All scenarios with the focus of any, so that they have the same lines."""
    focus = common_focus(list(named.values())) if named else ()
    return {name: with_focus(scenario, focus) for name, scenario in named.items()}


def focus_remarks(scenarios: Sequence[Scenario], market: str) -> Iterator[str]:
    """What to know of the focus of scenarios run together, and of the market they are about."""
    focus = common_focus(scenarios)
    listed = ", ".join(focus)
    others = dict.fromkeys(s.name for s in scenarios if set(s.agents.focus) != set(focus))
    if others:
        yield (
            f"{', '.join(others)}: compared with {listed} in focus (agents.focus), the "
            "markets of all scenarios together; run alone it has other product lines"
        )
    if market not in focus:
        wanted = ", ".join((*focus, market))
        yield (
            f"{market} is not in focus (agents.focus: [{listed}]): its lines are coarser, "
            f"and none gives it a version of its own; for more: --set 'agents.focus=[{wanted}]'"
        )

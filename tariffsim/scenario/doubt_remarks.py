"""What makes a belief, a threat or a withdrawn measure idle, in words."""

from __future__ import annotations

from typing import NamedTuple

from tariffsim.scenario.scenario import Scenario
from tariffsim.typing import format_month


class Doubted(NamedTuple):
    """What agents may know of a measure; months are counts."""

    known_from: int
    starts: int
    withdrawn_from: int | None
    belief: float
    enacted: bool

    @property
    def is_law(self) -> bool:
        """Whether it ever comes into force."""
        return self.enacted and self.withdrawn_from is None


def never_expected(one: Doubted, scenario: Scenario) -> str:
    """Why nobody ever expects what never comes into force; nothing if somebody does."""
    run, gone = scenario.run, one.withdrawn_from
    if one.is_law:
        return ""
    if scenario.sourcing.foresight == "none":
        return "it never comes into force, and with sourcing.foresight none nobody expects it"
    if one.belief == 0.0:
        return "it never comes into force, and its belief is 0"
    if one.known_from > run.end:
        when = format_month(one.known_from)
        return f"it is announced in {when}, after the run ends in {format_month(run.end)}"
    if gone is not None and gone <= run.start:
        when = format_month(gone)
        return f"it is withdrawn in {when}, before the run starts in {format_month(run.start)}"
    if gone is not None and gone <= one.known_from:
        return f"it is withdrawn in {format_month(gone)}, before anybody could expect it"
    return ""


def idle_belief(one: Doubted, scenario: Scenario) -> str:
    """Why the belief in what comes into force changes nothing; nothing if it may."""
    if not one.is_law or one.belief == 1.0:
        return ""
    if scenario.sourcing.foresight == "none":
        return "with sourcing.foresight none nobody expects it before it is in force"
    if one.known_from >= one.starts:
        return "nobody knows of it before it is in force: give `announced`"
    if one.starts <= scenario.run.start:
        return f"it is in force before the run starts in {format_month(scenario.run.start)}"
    return ""

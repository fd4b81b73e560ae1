"""Loading the scenarios a command names, all problems of all of them in one report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tariffsim.errors import Problem, ProblemsError, ScenarioError

if TYPE_CHECKING:
    from tariffsim.scenario import Scenario


def load_all(files: Iterable[str]) -> list[Scenario]:
    """The scenarios of all files; raises ScenarioError with every problem, each once."""
    from tariffsim.scenario import load_scenario

    found: list[Scenario] = []
    problems: list[Problem] = []
    for file in files:
        try:
            found.append(load_scenario(file))
        except ProblemsError as error:
            problems += error.problems
    _refuse(problems)
    return found


def load_with_baseline(files: Iterable[str], baseline: str | None) -> list[Scenario]:
    """The baseline, named or the one that the scenarios name themselves, and the scenarios."""
    from tariffsim.scenario import baseline_of

    if baseline is not None:
        return load_all([baseline, *files])
    scenarios = load_all(files)
    return [baseline_of(scenarios), *scenarios]


def with_common_settings(scenarios: Sequence[Scenario], settings: Sequence[str]) -> list[Scenario]:
    """All scenarios with the same settings; those of a policy only where there is that policy."""
    from tariffsim.errors import escaped, nearest
    from tariffsim.scenario import with_settings

    known = {name for scenario in scenarios for name in scenario.policies}
    problems = []
    for setting in settings:
        if (name := _policy(setting)) and name not in known:
            label, message = f"--set {escaped(setting)}", "none of these scenarios has this policy"
            problems.append(Problem(label, 0, 0, escaped(name), message, "", nearest(name, known)))
    found = []
    for scenario in scenarios:
        own = [s for s in settings if not _policy(s) or _policy(s) in scenario.policies]
        try:
            found.append(with_settings(scenario, own) if own else scenario)
        except ProblemsError as error:
            problems += error.problems
    _refuse(problems)
    return found


def _policy(setting: str) -> str:
    """The policy a setting is about; empty if it is about something else."""
    block, _, rest = setting.partition("=")[0].strip().partition(".")
    return rest.partition(".")[0] if block == "policies" else ""


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise ScenarioError(list(dict.fromkeys(problems)))

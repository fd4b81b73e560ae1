"""Options of commands that run scenarios, and the scenarios they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.completion import SCENARIO
from tariffsim.cli.screen import Screen, usage_error
from tariffsim.errors import Problem, ProblemsError, ScenarioError, escaped, nearest

if TYPE_CHECKING:
    from tariffsim.record.dictionary import Metric
    from tariffsim.scenario import Scenario

Function = Callable[..., None]
Decorator = Callable[[Function], Function]


@dataclass(frozen=True)
class EngineOptions:
    """Where runs are made and stored."""

    screen: Screen
    jobs: int | None
    engine: Any
    scheduler: str | None
    store: Path | None


@dataclass(frozen=True)
class RunOptions(EngineOptions):
    """The options of all commands that run scenarios."""

    out: str | None
    seeds: int | None
    seed: int | None
    market: str
    changes: tuple[str, ...]
    is_forced: bool

    def load(self, files: Sequence[str], baseline: str | None = None) -> list[Scenario]:
        """The baseline, by default the one that the scenarios name, and the scenarios."""
        found, notes = self.load_with_notes(files, baseline)
        for note in notes:
            self.screen.remark(f"Note: {note}.")
        return found

    def load_with_notes(
        self, files: Sequence[str], baseline: str | None = None
    ) -> tuple[list[Scenario], list[str]]:
        """The same, and what to know of the markets in focus, which they then share."""
        from tariffsim.scenario import baseline_of
        from tariffsim.scenario.focus import common_focus, focus_remarks, with_focus

        scenarios = load_all([*([baseline] if baseline else []), *files])
        found = self.prepared(scenarios if baseline else [baseline_of(scenarios), *scenarios])
        focus, notes = common_focus(found), [*focus_remarks(found, self.market)]
        return [with_focus(scenario, focus) for scenario in found], notes

    def prepared(self, scenarios: Sequence[Scenario]) -> list[Scenario]:
        """The scenarios with the values of --set, in a market that they have."""
        found = with_changes(scenarios, self.changes)
        markets = found[0].tables().markets.codes
        if self.market not in markets:
            message = f"there is no market {escaped(self.market)}; {nearest(self.market, markets)}"
            raise usage_error(message)
        return found

    def seeds_of(self, base: Scenario) -> range:
        """The seeds of the replications; the baseline's unless the options give others."""
        first = base.run.seed if self.seed is None else self.seed
        return range(first, first + (self.seeds or base.run.seeds))


ENGINE = (
    click.option(
        "--jobs", type=click.IntRange(1, 1024), metavar="N", help="Processes; default: all cores."
    ),
    click.option(
        "--engine", type=click.Choice(["local", "dask"]), default="local", metavar="NAME",
        help="Where runs are made: local (default), or dask for a cluster.",
    ),
    click.option(
        "--scheduler", metavar="ADDRESS",
        help="Dask scheduler, such as tcp://host:8786; default: a cluster on this machine.",
    ),
    click.option(
        "--store", metavar="DIR", type=click.Path(path_type=Path),
        help="Keep finished runs in this folder; default: in the folder of results, until the "
        "results are complete. The same command continues from stored runs.",
    ),
)  # fmt: skip
RUN = (
    click.option(
        "-o", "--out", metavar="DIR",
        help="Folder of results; older ones of the same scenarios are replaced.",
    ),
    click.option(
        "--force", "is_forced", is_flag=True,
        help="Replace results of other scenarios or options, and all else in their folder.",
    ),
    click.option("--seeds", type=click.IntRange(1, 100_000), metavar="N", help="Replications."),
    click.option("--seed", type=click.IntRange(0, 2**31), metavar="FIRST", help="First seed."),
    click.option("--market", default="US", metavar="CODE", help="Importing market; default: US."),
    click.option(
        "--set", "changes", multiple=True, metavar="KEY.PATH=VALUE",
        help="Change a value, written as in a file; may be repeated. It applies to the scenarios "
        "and to the baseline, so that they stay comparable; a value of a policy applies wherever "
        "there is a policy of that name.",
    ),
)  # fmt: skip
BASELINE = click.option("--baseline", metavar="FILE", type=SCENARIO, help="What to compare with.")


def _collected(kind: type[EngineOptions], options: Sequence[Decorator]) -> Decorator:
    """A decorator that gives a command some options, which its function gets as one object."""

    def decorate(function: Function) -> Function:
        @wraps(function)
        def called(screen: Screen, **given: Any) -> None:
            own = {f.name: given.pop(f.name) for f in fields(kind) if f.name != "screen"}
            function(kind(screen, **own), **given)

        decorated: Function = called
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


engine_options = _collected(EngineOptions, ENGINE)
run_options = _collected(RunOptions, (*RUN, *ENGINE))


def load_all(files: Iterable[str]) -> list[Scenario]:
    """The scenarios of all files; raises ScenarioError with every problem, each once."""
    from tariffsim.scenario import load_scenario

    return _all(load_scenario, files)


def with_changes(scenarios: Sequence[Scenario], changes: Sequence[str]) -> list[Scenario]:
    """All scenarios with the values of --set; those of a policy only where there is that policy."""
    from tariffsim.scenario import with_settings

    known = {name for scenario in scenarios for name in scenario.policies}
    problems = []
    for change in changes:
        if (name := _policy(change)) and name not in known:
            label, message = f"--set {escaped(change)}", "none of these scenarios has this policy"
            problems.append(Problem(label, 0, 0, escaped(name), message, "", nearest(name, known)))

    def changed(scenario: Scenario) -> Scenario:
        own = [c for c in changes if not _policy(c) or _policy(c) in scenario.policies]
        return with_settings(scenario, own) if own else scenario

    return _all(changed, scenarios, problems)


def _policy(change: str) -> str:
    """The policy of a key; empty if it is in another block."""
    block, _, rest = change.partition("=")[0].strip().partition(".")
    return rest.partition(".")[0] if block == "policies" else ""


def _all(
    make: Callable[[Any], Scenario], sources: Iterable[Any], problems: Sequence[Problem] = ()
) -> list[Scenario]:
    """A scenario from each source, or an error with the problems of all, each once."""
    found, refused = [], list(problems)
    for source in sources:
        try:
            found.append(make(source))
        except ProblemsError as error:
            refused += error.problems
    if refused:
        raise ScenarioError(list(dict.fromkeys(refused)))
    return found


def metric_named(name: str) -> Metric:
    """A metric of a run by its name; a usage error gives the nearest, or the new name."""
    from tariffsim.record.dictionary import metric_of_runs

    try:
        return metric_of_runs(name)
    except ScenarioError as error:
        (problem,) = error.problems
        raise usage_error(f"there is no metric {problem.key}: {problem.hint}") from None

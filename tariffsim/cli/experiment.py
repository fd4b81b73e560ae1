"""Runs of a command: a folder of results that is held, progress, and how the command ends."""

from __future__ import annotations

import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.options import EngineOptions, RunOptions
from tariffsim.cli.screen import FAILED, Screen, count, usage_error
from tariffsim.errors import InterruptedRuns, RunsFailedError, printable

if TYPE_CHECKING:
    import pandas as pd

    from tariffsim.experiments import EnsembleRunner, Settings
    from tariffsim.record.results import Results
    from tariffsim.scenario import Scenario

Progress = Callable[[int, int], None]
MAX_SHOWN = 10
"""Failed runs that are named."""
LEAST = 600
"""MB of address space below which no run gets anywhere; libraries may hang where it is short."""
FACTS = ("seeds", "scenario_hashes", "data_hash", "failures")


@dataclass(frozen=True)
class Experiment:
    """A folder of results that is held by this command, and how its runs are made."""

    options: RunOptions
    name: str
    folder: Path
    settings: Settings
    progress: Progress
    began: float
    asked: str
    """Hash of what is to be run."""

    def runner(self, base: Scenario, skips_baseline: bool = False) -> EnsembleRunner:
        """Runs scenarios against a baseline with the seeds of this command."""
        from tariffsim.experiments import EnsembleRunner

        seeds, market = self.options.seeds_of(base), self.options.market
        return EnsembleRunner(base, seeds, market, self.settings, self.progress, skips_baseline)

    def results(
        self, named: Mapping[str, Scenario], tables: dict[str, pd.DataFrame], **facts: Any
    ) -> Results:
        """Results of what the runner ran; the first scenario is the baseline."""
        from tariffsim.experiments.comparison import results_of

        seeds = self.options.seeds_of(next(iter(named.values())))
        return results_of(named, self.options.market, tables, seeds, self.began, facts=facts)

    def finish(
        self, results: Results, text: str, data: Mapping[str, Any], remark: str = "",
        has_report: bool = False,
    ) -> None:  # fmt: skip
        """Save results, print them, and name the runs that failed.

        Charts, and the report of a comparison, are drawn by a second process while tables are
        written, unless --jobs is 1. Stored runs are removed unless some failed or --store keeps
        them.

        Raises:
            Exit: runs failed; with exit code 4.
        """
        from tariffsim.experiments.engines import available_cores
        from tariffsim.experiments.store import discard
        from tariffsim.report import publishing

        results.provenance |= {"experiment": self.name, "asked": self.asked}
        is_shared = (self.settings.jobs or available_cores()) > 1 < available_cores()
        with publishing(results, has_report, is_shared) as finish:
            results.save_held(self.folder, self.options.is_forced, finish)
        facts = {"market": results.market, "baseline": results.baseline, "folder": str(self.folder),
                 "confidence": 0.95} | {key: results.provenance[key] for key in FACTS}  # fmt: skip
        store, failures = self.settings.store, results.provenance["failures"]
        if store and not (failures or self.options.store):
            discard(store)
        screen = self.options.screen
        if screen.is_json:
            screen.remark(text)
        screen.show(text, facts | dict(data))
        screen.remark(f"\n{remark}Results: {self.folder}")
        if failures:
            click.echo(printable(_failed(failures)), err=True)
            raise click.exceptions.Exit(FAILED)


@contextmanager
def experiment(
    options: RunOptions,
    name: str,
    scenarios: Sequence[Scenario],
    question: object = "",
    what: str = "",
    has_seeds: bool = True,
) -> Iterator[Experiment]:
    """Hold the folder of results of a command, results/NAME or --out, while it makes runs.

    Args:
        options: those of all commands that run scenarios.
        name: of the command and its scenarios.
        scenarios: all that are run, the baseline first.
        question: what is asked about them, in a form that prints the same every time.
        what: is announced.
        has_seeds: whether the number of seeds is announced, that of the baseline.
    """
    check_memory()
    from tariffsim.experiments.runs import asked_of
    from tariffsim.record.results import refuse_others, writing_to

    default = re.sub(r"[^\w.-]+", "_", name)[:80].strip("._") or "results"
    target = Path("results", default) if options.out is None else Path(options.out)
    seeds = f", {count(len(options.seeds_of(scenarios[0])), 'seed')}" if has_seeds else ""
    what, began = f"running {what or name}{seeds}", time.perf_counter()
    asked = asked_of(scenarios, options.market, question)
    with writing_to(target, options.is_forced) as folder:
        if options.out is not None and not options.is_forced:
            refuse_others(folder, name, asked)
        with making_runs(options, what, folder) as how:
            yield Experiment(options, name, folder, *how, began, asked)


def check_memory() -> None:
    """Refuse to start where a limit leaves no room for the libraries that runs need.

    Raises:
        RunsFailedError: says how much there is.
    """
    try:
        import resource
    except ImportError:  # not on Windows
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < LEAST * 1e6:
        raise RunsFailedError(
            f"this shell lets a program use {limit / 1e6:.0f} MB of memory (ulimit -v), and runs "
            "need about 1,000 MB; nothing was run. Allow more: ulimit -v unlimited"
        )


@contextmanager
def making_runs(
    options: EngineOptions, what: str, folder: Path
) -> Iterator[tuple[Settings, Progress]]:
    """Settings of the engine and a progress bar; an interrupt says which runs are stored.

    The store is in the folder of results unless the options name one.
    """
    from tariffsim.experiments import Settings
    from tariffsim.record.results import RUNS

    if options.scheduler and options.engine != "dask":
        raise usage_error("--scheduler needs --engine dask")
    store, screen = options.store or folder / RUNS, options.screen
    settings = Settings(options.jobs, store, options.engine, options.scheduler)
    state = [0, 0]
    with _bar(screen, what) as bar, warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: screen.remark(f"Note: {message}.")

        def progress(done: int, total: int) -> None:
            state[:] = done, total
            bar(done, total)

        try:
            yield settings, progress
        except KeyboardInterrupt as error:
            runs = f"{state[0]} of {state[1]} runs are" if state[1] else "no run is"
            raise InterruptedRuns(f"{runs} finished and stored in {store}") from error


@contextmanager
def _bar(screen: Screen, what: str) -> Iterator[Progress]:
    """A progress bar on a terminal; elsewhere one line."""
    if screen.is_quiet or sys.stderr is None or not sys.stderr.isatty():
        screen.remark(what)
        yield lambda done, total: None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}", markup=False), rich.BarColumn(20),
        rich.MofNCompleteColumn(), rich.TextColumn("runs,"), rich.TimeElapsedColumn(),
        rich.TextColumn("elapsed,"), rich.TimeRemainingColumn(), rich.TextColumn("left"),
    )  # fmt: skip
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what.partition(",")[0], total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _failed(failures: Sequence[Mapping[str, Any]]) -> str:
    """The runs that failed."""
    from tariffsim.experiments import Failure

    lines = [f"{count(len(failures), 'run')} failed; the rest is saved:"]
    lines += [str(Failure(**failure)) for failure in failures[:MAX_SHOWN]]
    if len(failures) > MAX_SHOWN:
        lines.append(f"and {len(failures) - MAX_SHOWN} more")
    return "\n  ".join(lines)

"""What commands that make many runs share: where runs are made and kept, how far they are."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.screen import Screen, printable
from tariffsim.errors import InterruptedRuns

if TYPE_CHECKING:
    from tariffsim.experiments import Failure, Settings

Progress = Callable[[int, int], None]
MOST_SHOWN = 10
ENGINE_OPTIONS = (
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
        help="Keep finished runs there for good; default: in the folder of results, until these "
        "are whole. The same command takes up what is there.",
    ),
)  # fmt: skip


def on_engine(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where runs are made: jobs, engine, scheduler, store."""
    for option in reversed(ENGINE_OPTIONS):
        function = option(function)
    return function


def _points(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Percentage points, written as 0.1pp or 0.1."""
    if value is None:
        return None
    try:
        points = float(value.removesuffix("pp"))
    except ValueError:
        points = 0.0
    if not 0 < points < 100:
        raise click.BadParameter(f"{value!r} is no number of points such as 0.1pp", ctx, param)
    return points


to_precision = click.option(
    "--precision", callback=_points, metavar="POINTS",
    help="Add seeds, up to 1,000, until the interval of each change of the Chinese share reaches "
    "no further than so many percentage points to either side, such as 0.1pp.",
)  # fmt: skip


@contextmanager
def making_runs(
    screen: Screen, what: str, folder: Path, *, jobs: int | None, engine: Any,
    scheduler: str | None, store: Path | None,
) -> Iterator[tuple[Settings, Progress]]:  # fmt: skip
    """Settings of the engine and a bar of runs done; an interrupt says what is kept.

    Args:
        screen: of the command.
        what: is being done, such as `running 3 scenarios, 20 seeds`.
        folder: of results, which has the store unless one is named.
        jobs: as `on_engine` gives them, and the other ones.
        engine: see `jobs`.
        scheduler: see `jobs`.
        store: see `jobs`.
    """
    from tariffsim.experiments import Settings
    from tariffsim.record.results import RUNS

    if scheduler and engine != "dask":
        message = "--scheduler needs --engine dask"
        raise click.UsageError(message, click.get_current_context())
    settings = Settings(jobs, store or folder / RUNS, engine, scheduler)
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
            kept = f"{runs} finished and kept in {settings.store}"
            raise InterruptedRuns(kept) from error


def end_with(failures: Sequence[Failure | dict[str, Any]]) -> None:
    """End a command: with exit code 4 if runs failed, having named them.

    Raises:
        Exit: runs failed.
    """
    from tariffsim.cli.failures import FAILED
    from tariffsim.experiments import Failure

    told = [str(Failure(**f) if isinstance(f, dict) else f) for f in failures]
    if not told:
        return
    more = [f"and {len(told) - MOST_SHOWN} more"] if len(told) > MOST_SHOWN else []
    lines = [f"{len(told)} runs failed; the rest is saved:", *told[:MOST_SHOWN], *more]
    click.echo(printable("\n  ".join(lines)), err=True)
    raise click.exceptions.Exit(FAILED)


@contextmanager
def _bar(screen: Screen, what: str) -> Iterator[Progress]:
    """A bar of runs done on a terminal; elsewhere one line."""
    if screen.is_quiet or sys.stderr is None or not sys.stderr.isatty():
        screen.remark(what)
        yield lambda done, total: None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}", markup=False), rich.BarColumn(20),
        rich.MofNCompleteColumn(), rich.TextColumn("runs,"), rich.TimeElapsedColumn(),
        rich.TextColumn("so far,"), rich.TimeRemainingColumn(), rich.TextColumn("to go"),
    )  # fmt: skip
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what.partition(",")[0], total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

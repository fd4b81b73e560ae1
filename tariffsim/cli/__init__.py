"""The command line: the group of all commands, and how each ends.

A module here that defines a `Command` adds it; heavy imports are lazy. A failure ends with a
message in plain words and an exit code; a traceback only on request.
"""

from __future__ import annotations

import errno
import importlib
import multiprocessing
import os
import pkgutil
import shlex
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from dataclasses import asdict
from typing import Any, NoReturn

import click

from tariffsim import __version__
from tariffsim.cli.screen import (
    CONTEXT,
    DONE,
    FAILED,
    INTERNAL,
    INTERRUPTED,
    STORAGE,
    USAGE,
    Command,
    json_text,
    with_examples,
)
from tariffsim.errors import InterruptedRuns, TariffsimError, printable

NO_MEMORY = ("failed to map segment", "cannot allocate memory", "cannot map zero-fill")
"""What the system's loader says of a library for which there is no room."""


def guarded(words: Sequence[str], action: Callable[[], Any]) -> int:
    """Run a command, report what went wrong, and return the exit code."""
    try:
        code = action()
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        return code if isinstance(code, int) else DONE
    except BrokenPipeError:
        _silence()  # the reader of the output has closed it
        return DONE
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, (click.Abort, KeyboardInterrupt)):
            for worker in multiprocessing.active_children():
                worker.terminate()
        if "--debug" in words:
            traceback.print_exception(error)
        code, text = explained(error, words)
        try:
            click.echo(printable(text), err=True)
            if "--json" in words:
                problems = [asdict(problem) for problem in getattr(error, "problems", ())]
                report = {"exit_code": code, "message": text, "problems": problems}
                click.echo(json_text({"error": report}))
        except OSError:
            _silence()
        return code


def _flat(message: str) -> str:
    """A message without the tabs and line breaks that click puts between choices."""
    return " ".join(message.split())


def explained(error: BaseException, words: Sequence[str] = ()) -> tuple[int, str]:
    """Exit code and message of an error that a command ended with."""
    match error:
        case click.Abort(__cause__=InterruptedRuns() as runs):
            again = shlex.join(["tariffsim", *words])
            return INTERRUPTED, f"interrupted; {runs}. To continue:\n  {again}"
        case click.Abort() | KeyboardInterrupt():
            return INTERRUPTED, "interrupted; existing results are unchanged"
        case click.UsageError(ctx=click.Context() as ctx):
            usage = f"{ctx.get_usage()}\nTry: {ctx.command_path} --help\n\n"
            return USAGE, usage + _flat(error.format_message())
        case click.ClickException():
            return USAGE, _flat(error.format_message())
        case TariffsimError() if error.exit_code != INTERNAL:
            return error.exit_code, str(error)
        case ImportError() | OSError() | MemoryError() | BrokenExecutor() if _is_memory(error):
            return FAILED, (
                "runs were ended by the system, most likely for lack of memory; finished ones are "
                "kept. Try fewer processes (--jobs 1) or fewer makers."
            )
        case OSError():
            where = f" {error.filename}" if error.filename else ""
            return STORAGE, f"cannot read or write{where}: {error.strerror or error}"
    return INTERNAL, (
        f"internal error: {type(error).__name__}: {error}\n"
        "Please report it, with the output of the same command with --debug at its end."
    )


def _is_memory(error: BaseException) -> bool:
    """Whether an error means that memory did not suffice."""
    if isinstance(error, (BrokenExecutor, MemoryError)):
        return True
    is_system = isinstance(error, OSError) and error.errno == errno.ENOMEM
    return is_system or any(words in str(error).lower() for words in NO_MEMORY)


def _silence() -> None:
    """Let the interpreter end without a second message about a closed pipe."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in filter(None, (sys.__stdout__, sys.__stderr__)):
            os.dup2(nowhere, stream.fileno())


class Commands(click.Group):
    """The group of all commands: every failure ends with a message and its exit code."""

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run one command and exit."""
        words = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        parent = super().main
        sys.exit(guarded(words, lambda: parent(words, prog_name or "tariffsim", **extra)))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """By their `order`, the main command first."""
        return list(self.commands)


def found() -> Iterator[Command]:
    """Every command that a module of this package defines."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, Command) and thing.callback.__module__ == module.name:
                yield thing


@click.group(
    cls=Commands,
    context_settings=CONTEXT,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [OPTIONS] ...",
    help=with_examples(
        """Simulate tariffs on legacy chips, and on the goods that contain them.

        Legacy, mature-node or foundational chips are those of 20 nm and older.

        Examples:
          tariffsim list scenarios
          tariffsim compare whole_product_china component_50 no_expansion
          tariffsim new my_tariff.yaml --from component_50
        """
    ),
    epilog="FILE is the path of a scenario or the name of a shipped one. Exit codes: 0 done, "
    "1 internal error, 2 wrong usage, 3 scenario or data refused, 4 runs failed, "
    "5 cannot read or write, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="tariffsim %(version)s")
@click.pass_context
def commands(ctx: click.Context) -> None:
    """The program without a command prints its help."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


for command in sorted(found(), key=lambda command: (command.order, command.name)):
    commands.add_command(command)


def main() -> NoReturn:
    """Where the program starts."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter is no error
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # workers are stopped as well
    commands.main()

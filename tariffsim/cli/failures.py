"""From any failure to a message in plain words and an exit code; a traceback only on request."""

from __future__ import annotations

import multiprocessing
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import click

from tariffsim.cli.screen import json_text, printable
from tariffsim.errors import InterruptedRuns, TariffsimError

DONE, INTERNAL, USAGE, FAILED, STORAGE, INTERRUPTED = 0, 1, 2, 4, 5, 130


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
        case BrokenExecutor() | MemoryError():
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


def _silence() -> None:
    """Let the interpreter end without a second message about a closed pipe."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in filter(None, (sys.__stdout__, sys.__stderr__)):
            os.dup2(nowhere, stream.fileno())

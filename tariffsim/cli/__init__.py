"""The command line. What is heavy is imported inside the commands that need it."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from tariffsim import __version__
from tariffsim.cli.assumptions import sensitivity
from tariffsim.cli.attribution import decompose, timing
from tariffsim.cli.doctor import doctor
from tariffsim.cli.failures import guarded
from tariffsim.cli.files import explain, new, schema, validate
from tariffsim.cli.listing import list_
from tariffsim.cli.packages import pack, verify
from tariffsim.cli.runs import compare, run
from tariffsim.cli.screen import CONTEXT, with_examples
from tariffsim.cli.solving import solve
from tariffsim.cli.stored import runs
from tariffsim.cli.sweeps import sweep
from tariffsim.cli.trade_off import frontier


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
        """In the order they were added, the main job first."""
        return list(self.commands)


@click.group(
    cls=Commands,
    context_settings=CONTEXT,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [OPTIONS] ...",
    epilog="FILE is the path of a scenario or the name of a shipped one. Exit codes: 0 done, "
    "1 a bug of ours, 2 wrong usage, 3 scenario or data refused, 4 runs failed, "
    "5 cannot read or write, 130 interrupted.",
)
@click.version_option(__version__, "-V", "--version", message="tariffsim %(version)s")
@click.pass_context
@with_examples
def commands(ctx: click.Context) -> None:
    """Tariffs on foundational chips, and on the goods that contain them.

    Examples:
      tariffsim list scenarios
      tariffsim compare whole_product_china component_50 no_expansion
      tariffsim new my_tariff.yaml --from component_50
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


COMMANDS = (
    compare,
    run,
    solve,
    sweep,
    sensitivity,
    frontier,
    decompose,
    timing,
    runs,
    pack,
    verify,
    validate,
    explain,
    list_,
    new,
    schema,
    doctor,
)
"""In the order of the help."""
for command in COMMANDS:
    commands.add_command(command)


def main() -> NoReturn:
    """Where the program starts."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter is no error
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # workers are stopped as well
    commands.main()

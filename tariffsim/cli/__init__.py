"""The command line. A module here that defines a `Command` adds it; heavy imports are lazy."""

from __future__ import annotations

import importlib
import pkgutil
import signal
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import click

from tariffsim import __version__
from tariffsim.cli.failures import guarded
from tariffsim.cli.screen import CONTEXT, Command, with_examples


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

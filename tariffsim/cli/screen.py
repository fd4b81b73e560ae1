"""What all commands share: how they are defined, and how they print text and JSON."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import textwrap
from dataclasses import dataclass
from functools import wraps
from inspect import cleandoc
from typing import Any

import click

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
PAGE = 100
"""Columns that texts and tables keep to where they can, so that they can be pasted and printed."""
UNLIMITED = 100_000


@dataclass(frozen=True)
class Screen:
    """Results go to stdout; remarks and errors, for people, to stderr."""

    is_json: bool
    is_quiet: bool

    def show(self, text: str, data: Any) -> None:
        """The result of a command: text, or one JSON object."""
        click.echo(json_text(data) if self.is_json else printable(text))

    def remark(self, text: str) -> None:
        """Information for people besides the result."""
        if not self.is_quiet:
            click.echo(printable(text), err=True)


SHARED = (
    click.Option(["--json", "is_json"], is_flag=True, help="One JSON object; remarks to stderr."),
    click.Option(["-q", "--quiet", "is_quiet"], is_flag=True, help="No progress, no remarks."),
    click.Option(["--debug"], is_flag=True, help="Show the traceback of an error."),
)


class Command(click.Command):
    """A command of this package; its function gets a `Screen`.

    `order` is its place in the list of commands: lower numbers first, then by name.
    """

    def __init__(self, *args: Any, order: int, **facts: Any) -> None:
        function = facts["callback"]

        @wraps(function)
        def callback(is_json: bool, is_quiet: bool, debug: bool, **given: Any) -> None:
            function(Screen(is_json, is_quiet), **given)

        facts |= {"callback": callback, "context_settings": CONTEXT}
        facts["params"] = [*facts["params"], *SHARED]
        facts["help"] = with_examples(facts["help"])
        super().__init__(*args, **facts)
        self.order = order


def with_examples(text: str) -> str:
    """Keep the line breaks of the examples, which come last in a help text."""
    before, word, examples = cleandoc(text).partition("Example")
    return f"{before}\b\n{word}{examples}"


def usage_error(message: str) -> click.UsageError:
    """An error in how the current command was called."""
    return click.UsageError(message, click.get_current_context())


def count(n: int, thing: str) -> str:
    """A number of things: 1 seed, 2 seeds."""
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def json_text(data: Any) -> str:
    """One object as JSON; what is not a finite number is null."""
    return json.dumps(_finite(data), indent=2, allow_nan=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def printable(text: str) -> str:
    """Text from outside, with characters that could control a terminal escaped."""
    return "".join(ch if ch.isprintable() or ch == "\n" else ascii(ch)[1:-1] for ch in text)


def width() -> int:
    """Columns of the terminal, or of COLUMNS; unlimited if the output is no terminal."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    if not is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        return UNLIMITED
    return max(shutil.get_terminal_size().columns, 20)


def prose(*texts: str) -> str:
    """Paragraphs, wrapped."""
    most = min(width(), PAGE)
    return "\n".join(textwrap.fill(text, most, break_on_hyphens=False) for text in texts)

"""What all commands share: their options, and how they print."""

from __future__ import annotations

import functools
import io
import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
PROSE_WIDTH = 100
ENDLESS = 100_000


@dataclass(frozen=True)
class Screen:
    """Results go to stdout; remarks and errors, for people, to stderr."""

    is_json: bool
    is_quiet: bool

    def show(self, text: str, data: Any) -> None:
        """The result of a command: text, or one JSON object."""
        click.echo(json_text(data) if self.is_json else printable(text))

    def remark(self, text: str) -> None:
        """What people like to know besides."""
        if not self.is_quiet:
            click.echo(printable(text), err=True)


def shared(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that all commands have; it gets a `Screen` first."""

    @click.option("--json", "is_json", is_flag=True, help="One JSON object; remarks go to stderr.")
    @click.option("-q", "--quiet", "is_quiet", is_flag=True, help="No progress, no remarks.")
    @click.option("--debug", is_flag=True, help="Show the traceback of an error.")
    @functools.wraps(function)
    def called(is_json: bool, is_quiet: bool, debug: bool, **given: Any) -> None:
        function(Screen(is_json, is_quiet), **given)

    return with_examples(called)


def with_examples(function: Callable[..., None]) -> Callable[..., None]:
    """Keep the lines of the examples, which come last in the help, as they are."""
    text, word, examples = (function.__doc__ or "").partition("Example")
    function.__doc__ = f"{text}\b\n    {word}{examples}"
    return function


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
    """Text from outside, with what could steer a terminal written out."""
    return "".join(ch if ch.isprintable() or ch == "\n" else ascii(ch)[1:-1] for ch in text)


def width() -> int:
    """Columns of the terminal, or what COLUMNS says; without end where nobody reads lines."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    if not is_terminal and not os.environ.get("COLUMNS", "").isdigit():
        return ENDLESS
    return max(shutil.get_terminal_size().columns, 20)


def prose(*texts: str) -> str:
    """Paragraphs, wrapped."""
    most = min(width(), PROSE_WIDTH)
    return "\n".join(textwrap.fill(text, most, break_on_hyphens=False) for text in texts)


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: str = "",
    most: int = 0,
    gap: int = 2,
) -> str:
    """Columns, wrapped to the width (`most`, or the screen's).

    `r` in `numbers`: to the right, on one line; `l`: to the left, on one line.
    """
    from rich.console import Console
    from rich.table import Table

    most = most or width()
    if not numbers and 2 * max((len(row[0]) for row in rows), default=0) > most:
        return "\n".join(_entry(heads, row, most) for row in rows)
    made = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), show_header=any(heads))
    for i, (head, side) in enumerate(zip(heads, numbers.ljust(len(heads)), strict=True)):
        made.add_column(
            head, justify="right" if side == "r" else "left", overflow="fold",
            no_wrap=side in "rl" or (i == 0 and not numbers),
        )  # fmt: skip
    for row in rows:
        made.add_row(*row)
    out = io.StringIO()
    Console(
        file=out, width=most, color_system=None, markup=False, highlight=False, emoji=False
    ).print(made)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _entry(heads: Sequence[str], row: Sequence[str], most: int) -> str:
    """One row as a paragraph, where its name leaves no room for columns."""
    facts = [f"{head}: {cell}" for head, cell in zip(heads, row, strict=True) if cell][1:]
    texts = ["; ".join(facts[:-1]), *facts[-1:]]
    indent = "    "
    lines = [
        textwrap.fill(text, most, initial_indent=indent, subsequent_indent=indent)
        for text in texts
        if text
    ]
    return "\n".join([row[0], *lines])

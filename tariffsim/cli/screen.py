"""What all commands share: how they are defined, and how they print text, tables and JSON."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import click

from tariffsim.errors import printable

if TYPE_CHECKING:
    import pandas as pd

DONE, INTERNAL, USAGE, FAILED, STORAGE, INTERRUPTED = 0, 1, 2, 4, 5, 130
"""Exit codes; a scenario or data that are refused end with 3."""
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
PAGE = 100
"""Columns that texts and tables keep to where they can, so that they can be pasted and printed."""
UNLIMITED = 100_000
MISSING, NOT_SIGNIFICANT = "-", "n.s."
HEAD_WIDTH = 12
"""Letters of a line of a header."""
NO_UNITS = ("name", "text", "key", "month")
Row = Mapping[Any, Any]


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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As usual; an option that was renamed is refused with its new name."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from tariffsim.tables.renamed import new_name, now_called

            if not (new := new_name("option", error.option_name)):
                raise
            message = f"{error.option_name} {now_called(new)}"
            raise click.UsageError(message, ctx) from None


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


@dataclass(frozen=True)
class Column:
    """A column whose cells are computed from rows: numbers to the right, texts to the left."""

    head: str
    cell: Callable[[Row], str]
    is_number: bool = True
    wraps: bool = False


def number(value: float, decimals: int, sign: str = "") -> str:
    """A rounded number as text; `-` for NaN."""
    rounded = round(value, decimals) + 0.0  # no minus zero
    return MISSING if math.isnan(value) else f"{rounded:{sign if rounded else ''},.{decimals}f}"


def decimals_of(values: Iterable[float]) -> int:
    """Decimals that leave two or three significant digits."""
    most = max((abs(value) for value in values if not math.isnan(value)), default=0.0)
    return 0 if most >= 1000 else 1 if most >= 10 else 2 if most >= 1 else 3


def with_interval(
    value: str, low: float, high: float, decimals: int, sign: str = "", gap: str = " "
) -> str:
    """A value with its interval, if there is one."""
    if math.isnan(low):
        return value
    return f"{value}{gap}[{number(low, decimals, sign)}, {number(high, decimals, sign)}]"


def _column(name: str, head: str, rows: Sequence[Row], gap: str) -> Column:
    """Texts, numbers, or estimates if the rows have `name_low` and `name_high` as well."""
    values = [row[name] for row in rows]
    if not all(isinstance(value, (int, float)) for value in values):
        return Column(head, lambda row: str(row[name]), is_number=False, wraps=True)
    if not rows or f"{name}_low" not in rows[0]:
        return Column(head, lambda row: short(row[name]))
    decimals = decimals_of(values)

    def estimate(row: Row) -> str:
        value = number(row[name], decimals)
        return with_interval(value, row[f"{name}_low"], row[f"{name}_high"], decimals, gap=gap)

    return Column(f"{head}\n[95 %]", estimate)


def short(value: Any) -> str:
    """Four significant digits of a number; other values as they are."""
    if not isinstance(value, float):
        return str(value)
    return number(value, 0) if abs(value) >= 1000 or math.isnan(value) else f"{value:.4g}"


def show(
    rows: pd.DataFrame | Sequence[Row],
    columns: Sequence[str | Column],
    most: int = 0,
    gap: int = 2,
    has_header: bool = True,
) -> str:
    """A table as text, with one header, wrapped to the screen, or to `most` letters.

    Columns are keys of the rows, or computed. A table of results has the headers of the data
    dictionary; those of other rows are the keys.
    """
    names = [name for name in columns if isinstance(name, str)]
    heads = {name: name for name in names}
    if not isinstance(rows, Sequence):
        heads, rows = _dictionary_heads(names), rows.to_dict("records")

    def table(between: str, most: int) -> str:
        known = [
            c if isinstance(c, Column) else _column(c, heads[c], rows, between) for c in columns
        ]
        return _table(known, rows, most, gap, has_header)

    if any(f"{name}_low" in row for name in names for row in rows[:1]):
        text = table(" ", UNLIMITED)
        if max(map(len, text.splitlines())) <= min(width(), PAGE):
            return text
    return table("\n", most or width())  # intervals, if any, below their values


def show_facts(facts: Iterable[tuple[str, Any]]) -> str:
    """Names with their values, one a line."""
    rows = [{"name": name, "value": str(value)} for name, value in facts]
    return show(rows, ("name", "value"), has_header=False)


def _dictionary_heads(names: Iterable[str]) -> dict[str, str]:
    """Label and unit of columns of results, in short lines."""
    from tariffsim.record.dictionary import variables

    heads = {}
    for name in names:
        parts = [name]
        if known := variables().get(name):
            has_unit = known.unit not in NO_UNITS and not known.unit.startswith("see ")
            parts = [known.label, known.unit] if has_unit else [known.label]
        heads[name] = "\n".join(line for p in parts for line in textwrap.wrap(p, HEAD_WIDTH))
    return heads


def _table(
    columns: Sequence[Column], rows: Sequence[Row], most: int, gap: int, has_header: bool
) -> str:
    from rich.console import Console
    from rich.table import Table

    cells = [[c.cell(row) for c in columns] for row in rows]
    is_text = not any(c.is_number for c in columns)
    if is_text and 2 * max((len(row[0]) for row in cells), default=0) > most:
        return "\n".join(_paragraph([c.head for c in columns], row, most) for row in cells)
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), show_header=has_header)
    lines = max(c.head.count("\n") for c in columns)
    for i, c in enumerate(columns):
        table.add_column(
            "\n" * (lines - c.head.count("\n")) + c.head,
            justify="right" if c.is_number else "left", overflow="fold",
            no_wrap=not c.wraps or (i == 0 and is_text),
        )  # fmt: skip
    for row in cells:
        table.add_row(*row)
    out = io.StringIO()
    Console(
        file=out, width=most, color_system=None, markup=False, highlight=False, emoji=False
    ).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _paragraph(heads: Sequence[str], row: Sequence[str], most: int) -> str:
    """One row as a paragraph, where its name leaves no room for columns."""
    facts = [f"{head}: {cell}" for head, cell in zip(heads, row, strict=True) if cell][1:]
    indent = "    "
    lines = [
        textwrap.fill(line, most, initial_indent=indent, subsequent_indent=indent)
        for line in ("; ".join(facts[:-1]), *facts[-1:])
        if line
    ]
    return "\n".join([row[0], *lines])

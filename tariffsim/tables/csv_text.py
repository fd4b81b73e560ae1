"""The text of a CSV file: its records, where their cells stand, and what spreadsheets do to it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

CELL = re.compile(r'(?:"(?:[^"]|"")*"|[^",\r\n][^,\r\n]*)?')
DECIMAL_COMMA = re.compile(r"[+-]?\d+([.' ]\d+)*,\d+", re.ASCII)
GROUPED = re.compile("[+-]?[0-9]+([.,' \u00a0\u202f][0-9]+)+")
PER_CENT = re.compile(r"[+-]?\d+([.,]\d+)?\s*%", re.ASCII)
SHOWN_DATE = re.compile(r"[^\W\d]{3,9}\.?[-/ ]\d{2,4}|\d{1,4}([./-]\d{1,4}){2}|\d{1,2}[./]\d{4}")
"""A month as spreadsheets show it: Jan-26, 01.01.2026, 2026-01-01."""
THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?:\.\d{3}){2,}", re.ASCII)
DECIMALS = re.compile(
    r"(?P<whole>\d*|\d{1,3}(?:\.\d{3})+),(?P<part>\d+)|"
    r"(?P<us_whole>\d{1,3}(?:,\d{3})+)\.(?P<us_part>\d+)",
    re.ASCII,
)
"""Numbers with a mark between thousands, and those with a decimal comma or both marks."""
WITH_SIGN = re.compile("([+-]?)([0-9.,' _\u00a0\u202f]+)([eE][+-]?[0-9]{1,3})?")
BLANKS = re.compile("[' _\u00a0\u202f]")
NO_HEADER = "does not begin with the header of this table"
SEPARATORS = {",": "", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
LINES_SEARCHED = 30
"""First lines among which a header is looked for."""


def comma_hint(text: str, is_whole: bool = False) -> str:
    """How to write a number that has commas, or points between thousands; empty for other texts.

    A comma before three digits may stand between thousands or before decimals; where the number
    `is_whole` it does the former.
    """
    match = WITH_SIGN.fullmatch(text.strip())
    if not match:
        return ""
    sign, bare, exponent = match[1], BLANKS.sub("", match[2]), match[3] or ""
    grouped, decimal = "", ""
    if THOUSANDS.fullmatch(bare):
        grouped = f"{sign}{re.sub('[.,]', '', bare)}{exponent}"
    if parts := DECIMALS.fullmatch(bare):
        whole = re.sub("[.,]", "", parts["whole"] or parts["us_whole"] or "").lstrip("0") or "0"
        decimal = f"{sign}{whole}.{parts['part'] or parts['us_part']}{exponent}"
    if grouped and (is_whole or not decimal):
        return f"write {grouped}: nothing stands between thousands, and decimals have a point"
    if is_whole or not decimal:
        return ""
    either = f"; or {grouped}, if the comma stands between thousands" if grouped else ""
    return f"decimals have a point: {decimal}{either}"


class Fault(NamedTuple):
    """What is wrong with the text as a whole, at a line and a column, and what to do."""

    line: int
    column: int
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Record:
    """One record: its first line, its cells without blanks around them, its text as written."""

    line: int
    cells: tuple[str, ...]
    text: str

    def place(self, index: int) -> tuple[int, int]:
        """Line, and column in characters from 1, at which a cell begins."""
        return place_in(self.text, _start_of(self.text, index), self.line)


def place_in(text: str, position: int, first_line: int = 1) -> tuple[int, int]:
    """Line and column of a position in a text."""
    line_start = text.rfind("\n", 0, position) + 1
    return first_line + text.count("\n", 0, position), position - line_start + 1


def _start_of(text: str, index: int) -> int:
    """Where a cell begins, or where the text stops to be cells between commas."""
    position = 0
    for _ in range(index):
        match = CELL.match(text, position)
        end = match.end() if match else position
        if text[end : end + 1] != ",":
            return end if text[end : end + 1] not in ("", "\r", "\n") else position
        position = end + 1
    return position


def records_of(text: str, most: int) -> tuple[list[Record], Fault | None]:
    """All records but those of empty cells only, up to a fault or to one record more than `most`.

    Spreadsheets leave empty rows, and empty cells at the end of rows.
    """
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines, strict=True)
    found: list[Record] = []
    start = 0
    try:
        for row in reader:
            cells = tuple(map(str.strip, row))
            if any(cells):
                found.append(Record(start + 1, cells, "".join(lines[start : reader.line_num])))
            start = reader.line_num
            if len(found) > most:
                break
    except csv.Error as error:
        rest = "".join(lines[start : reader.line_num])
        where = place_in(rest, _start_of(rest, len(rest)), start + 1)
        return found, Fault(*where, f"is not valid CSV: {error}")
    return found, None


def misfit(text: str, columns: Sequence[str]) -> Fault | None:
    """Why this is no table with these columns, if the reason is one for the whole file.

    The separator and the row that name most of the columns are what the file goes by.
    """
    lines = io.StringIO(text, newline="").readlines()
    if not any(line.strip(",;|\t\r\n ") for line in lines):
        return None
    first = next(n for n, line in enumerate(lines, 1) if line.strip(",;|\t\r\n "))
    known, line, separator = max(
        (
            (len(set(columns) & set(map(str.lower, cells))), number, separator)
            for separator in SEPARATORS
            for number, cells in _numbered(lines, separator)
        ),
        key=lambda found: (found[0], found[2] == ",", -found[1]),
    )
    if 2 * known < len(columns):
        hint = f"its columns are {','.join(columns)}"
        return Fault(first, 1, NO_HEADER, hint)
    faults, remedies = [], []
    if line != first:
        faults.append(f"the header is on line {line}, below other rows")
        remedies.append("delete the rows above it")
    header = next(cells for number, cells in _numbered(lines, separator) if number == line)
    capitals = [cell.lower() for cell in header if cell != cell.lower()]
    if not set(columns).isdisjoint(capitals):
        faults.append("names of columns have capital letters")
        remedies.append(f"write them in small letters: {', '.join(capitals)}")
    if separator != ",":
        below = (cell for n, row in _numbered(lines, separator) if n > line for cell in row)
        has_commas = any(map(DECIMAL_COMMA.fullmatch, below))
        decimals = " and decimals are commas" if has_commas else ""
        faults.append(f"columns are separated by {SEPARATORS[separator]}{decimals}")
        points = " and points in numbers" if has_commas else ""
        remedies.append(f"save it as CSV UTF-8 with commas between columns{points}")
    return Fault(first, 1, "; ".join(faults), "; ".join(remedies)) if faults else None


def _numbered(lines: Sequence[str], separator: str) -> list[tuple[int, list[str]]]:
    """The first rows, whatever they hold, with the line on which each ends."""
    reader = csv.reader(islice(lines, LINES_SEARCHED), delimiter=separator)
    found: list[tuple[int, list[str]]] = []
    with suppress(csv.Error):  # too long a cell, which `records_of` tells
        found.extend((reader.line_num, [cell.strip() for cell in row]) for row in reader)
    return found

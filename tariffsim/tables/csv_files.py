"""Files: shipped tables, and what users name: plain text of a limited size, CSV rows by place.

Models check the cells of a row.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, ValidationInfo

from tariffsim.errors import FORMULA, Problem, nearest
from tariffsim.tables.csv_text import (
    GROUPED,
    NO_HEADER,
    PER_CENT,
    Fault,
    Record,
    misfit,
    place_in,
    records_of,
)

SHIPPED = Path(__file__).resolve().parent.parent / "data"
MEGABYTE = 1_000_000
_KINDS = {
    stat.S_IFLNK: "is a symbolic link",
    stat.S_IFDIR: "is a folder",
    stat.S_IFIFO: "is a pipe",
    stat.S_IFSOCK: "is a socket",
}
NO_FILE = "there is no such file"
_OTHER_FORMATS = {
    b"\xff\xfe": "is not UTF-8 text (it looks like UTF-16)",
    b"\xfe\xff": "is not UTF-8 text (it looks like UTF-16)",
    b"PK\x03\x04": "is a workbook of a spreadsheet, not text",
    b"\xd0\xcf\x11\xe0": "is a workbook of a spreadsheet, not text",
}
"""What files begin with that were saved in another format."""


NOT_UTF8 = "is not UTF-8 text"


def shipped_rows(name: str) -> Iterator[dict[str, str]]:
    """Rows of a table that comes with the package."""
    with (SHIPPED / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


class Refused(Exception):
    """A file cannot be used: what is wrong, what was given, a hint, and a place if it has one.

    Where `given` is empty, the name of the file says it. Line and column count from 1.
    """

    def __init__(
        self, message: str, given: str = "", hint: str = "", line: int = 0, column: int = 0
    ) -> None:
        super().__init__(message)
        self.message, self.given, self.hint = message, given, hint
        self.line, self.column = line, column


def read_text(path: Path, megabytes: int, form: str = "UTF-8") -> str:
    """Text of a plain file of at most so many megabytes; a byte order mark is removed.

    `form` is what hints say that the file should be saved as.

    Raises:
        Refused: it is not such a file.
    """
    raw = read_bytes(path, megabytes)
    for mark, message in _OTHER_FORMATS.items():
        if raw.startswith(mark) or (b"\0" in raw[:2] and "UTF-16" in message):
            raise Refused(message, "", f"save it as {form}", 1, 1)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        where = place_in(before, len(before))
        given = f"byte {raw[error.start]:#04x}"
        raise Refused(NOT_UTF8, given, f"save it as {form}", *where) from None


def open_plain(path: Path) -> io.BufferedReader:
    """A plain file, open for reading.

    Raises:
        Refused: there is none, or it is a link, a folder, a pipe or a device.
    """
    try:
        kind = stat.S_IFMT(path.lstat().st_mode)
        if kind != stat.S_IFREG:
            raise Refused(f"{_KINDS.get(kind, 'is a device')}, not a plain file")
        # No following of links and no waiting for a writer, should the file change meanwhile.
        flags = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC")
        how = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in flags)
        return open(os.open(path, how), "rb")
    except FileNotFoundError:
        raise Refused(NO_FILE) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refused(f"cannot be read: {reason}") from None


def read_bytes(path: Path, megabytes: int) -> bytes:
    """Contents of a plain file of at most so many megabytes.

    Raises:
        Refused: it is not such a file.
    """
    most = megabytes * MEGABYTE
    try:
        with open_plain(path) as stream:
            parts = islice(iter(partial(stream.read, MEGABYTE), b""), megabytes + 1)
            raw = b"".join(parts)
    except OSError as error:
        raise Refused(f"cannot be read: {error.strerror}") from None
    if len(raw) > most:
        line, start = raw.count(b"\n", 0, most) + 1, raw.rfind(b"\n", 0, most) + 1
        column = len(raw[start:most].decode("utf-8", "ignore")) + 1
        raise Refused(f"is larger than {megabytes} MB", "", "", line, column)
    return raw


MEGABYTES = 10
MAX_ROWS = 100_000
MAX_PROBLEMS = 1_000  # of one file: a wrong file is wrong on every line
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
LARGEST = 1e15  # sums and products of figures stay far from overflow
TOTAL = re.compile("(grand |sub-?)?totals?|sums?|summe|gesamt|insgesamt", re.IGNORECASE)
REPEATED, TOTALS = "is the header again", "is a row of totals"
CONFIDENCES = ("data", "seen", "assumption")


class Place(NamedTuple):
    """Where something was given: file, line and character, and the column of the table.

    In a scenario: its name, and the key.
    """

    file: str
    line: int
    column: int
    key: str

    def problem(self, message: str, given: str = "", hint: str = "") -> Problem:
        """A problem at this place."""
        return Problem(self.file, self.line, self.column, self.key, message, given, hint)


@dataclass(frozen=True)
class CsvRow:
    """One row of a file: its cells by column, and where they stand."""

    file: str
    cells: dict[str, str]
    record: Record
    header: Record

    @property
    def line(self) -> int:
        """Its first line."""
        return self.record.line

    def place(self, column: str) -> Place:
        """The place of one of its cells."""
        return self._place(self.record, column)

    def place_in_header(self, column: str) -> Place:
        """The place of the name of a column, for what is wrong with no row alone."""
        return self._place(self.header, column)

    def _place(self, record: Record, column: str) -> Place:
        names = self.header.cells
        return Place(
            self.file, *record.place(names.index(column) if column in names else 0), column
        )


class BadCell(ValueError):
    """What is wrong with a cell; `given` if it is not the text of the cell, and a hint.

    `column` names the cell where a check is of the whole row.
    """

    def __init__(
        self, message: str, given: str | None = None, hint: str = "", column: str = ""
    ) -> None:
        super().__init__(message)
        self.given, self.hint, self.column = given, hint, column


class RowModel(BaseModel):
    """A row of a table whose cells have been checked; each field is a column."""

    model_config = ConfigDict(frozen=True)

    key_column: ClassVar[str] = ""
    """Column in which a key is reported that an earlier row has already."""

    @property
    def keys(self) -> tuple[str, ...]:
        """What no two rows of a table may share."""
        return ()

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Columns that the file must have."""
        fields = cls.model_fields.items()
        return tuple(str(f.validation_alias or name) for name, f in fields if f.is_required())

    @classmethod
    def optional_columns(cls) -> tuple[str, ...]:
        """Columns that it may have."""
        return tuple(name for name, f in cls.model_fields.items() if not f.is_required())

    @classmethod
    def of(
        cls, row: CsvRow, problems: list[Problem], context: Any = None, name: str = ""
    ) -> Self | None:
        """The checked row; None, with all that is wrong added to the problems.

        Args:
            row: the cells as texts.
            problems: where problems are added.
            context: what the checks of the cells have to know.
            name: what the messages begin with.
        """
        try:
            return cls.model_validate(row.cells, context=context)
        except ValidationError as invalid:
            for error in invalid.errors(include_url=False):
                bad: BadCell = error["ctx"]["error"]
                given = error["input"] if bad.given is None else bad.given
                place = row.place(bad.column or str(error["loc"][0]))
                problems.append(place.problem(f"{name}{bad}", given, bad.hint))
            return None


def context_of(info: ValidationInfo) -> Any:
    """What the checks of a row's cells have been given to know."""
    return info.context


def one_of(*words: str) -> AfterValidator:
    """A cell that holds one of some words."""

    def check(text: str) -> str:
        if text not in words:
            hint = nearest(text, words)
            hint = "" if hint.startswith("allowed") else hint
            raise BadCell(f"must be {' or '.join(words)}", hint=hint)
        return text

    return AfterValidator(check)


def _filled(message: str) -> AfterValidator:
    """A cell that is not empty."""

    def check(text: str) -> str:
        if not text:
            raise BadCell(message)
        return text

    return AfterValidator(check)


def _agreeing(confidence: str, info: ValidationInfo) -> str:
    if info.data.get("source") == "assumption" and confidence != "assumption":
        raise BadCell("must be assumption where no source is named")
    return confidence


def _no_formula(text: str) -> str:
    if text.startswith(FORMULA):
        raise BadCell(f"must not begin with {text[0]}, which spreadsheets take for a formula")
    return text


Filled = Annotated[str, _filled("is empty"), AfterValidator(_no_formula)]


class SourcedRow(RowModel):
    """A row that names its source and how reliable it is."""

    source: Annotated[str, _filled("needs a source, or the word assumption")]
    confidence: Annotated[str, one_of(*CONFIDENCES), AfterValidator(_agreeing)]


POINT = "numbers have a decimal point, and nothing between thousands"
NO_PER_CENT = "numbers have no % sign: a fraction of 0.25 is 25 %"
AS_TEXT = "keep a spreadsheet from turning months into dates: format the column as text"
OF_ALL_CELLS = (POINT, NO_PER_CENT, AS_TEXT)
"""Hints on what a spreadsheet does to all cells of a kind."""


def parse_number(text: str) -> float:
    """A finite decimal number.

    Raises:
        BadCell: says what is wrong with the text.
    """
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        is_per_cent, is_grouped = map(bool, (PER_CENT.fullmatch(text), GROUPED.fullmatch(text)))
        hint = NO_PER_CENT * is_per_cent or POINT * is_grouped
        raise BadCell("must be a number", hint=hint)
    if abs(value) > LARGEST:
        raise BadCell(f"must be at most {LARGEST:g}")
    return value


def without_repeats(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, those that a spreadsheet makes in all cells once a file: one cause, one."""
    found: list[Problem] = []
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        if problem.hint in OF_ALL_CELLS:
            alike.setdefault((problem.file, problem.hint), []).append(problem)
        else:
            found.append(problem)
    for first, *others in alike.values():
        more = f" and in {len(others)} more cells" if others else ""
        found.append(replace(first, given=f"{first.given}{more}"))
    return found


def read_rows(
    path: Path,
    file: str,
    columns: Sequence[str],
    optional: Sequence[str],
    problems: list[Problem],
    megabytes: int = MEGABYTES,
    most_rows: int = MAX_ROWS,
) -> list[CsvRow]:
    """Rows of one file with the columns asked for; none if it cannot be read as such a table."""
    found: list[Problem] = []
    rows: list[CsvRow] = []
    try:
        text = read_text(path, megabytes, "CSV UTF-8")
        rows = _parse(text, file, columns, optional, found, most_rows)
    except Refused as error:
        message, given, hint = error.message, error.given, error.hint
        found.append(Problem(file, error.line, error.column, "", message, given, hint))
        if message == NOT_UTF8:  # columns are named in ASCII
            fault = misfit(read_bytes(path, megabytes).decode("latin-1"), columns)
            found += [_problem(file, fault)] if fault and fault.message != NO_HEADER else []
    problems.extend(found[:MAX_PROBLEMS])
    return rows


def _parse(
    text: str,
    file: str,
    columns: Sequence[str],
    optional: Sequence[str],
    problems: list[Problem],
    most_rows: int,
) -> list[CsvRow]:
    if CONTROL.search(text):
        for number, line in enumerate(text.split("\n"), 1):
            if bad := CONTROL.search(line):
                given, message = f"U+{ord(bad.group()):04X}", "contains a control character"
                problems.append(Problem(file, number, bad.start() + 1, "", message, given))
        return []
    if fault := misfit(text, columns):
        problems.append(_problem(file, fault))
        return []
    records, fault = records_of(text, most_rows)
    if fault:
        problems.append(_problem(file, fault))
        return []
    if len(records) > most_rows:
        raise Refused(f"has more than {most_rows} rows", "", "", records[-1].line, 1)
    if not records:
        raise Refused("is empty", "", "", 1, 1)
    header, *body = records
    if not body:
        raise Refused("has no rows", "", "", header.line, 1)
    faults = _header_problems(header, file, columns, optional)
    problems.extend(faults)
    return [] if faults else _rows(body, header, file, problems)


def _problem(file: str, fault: Fault) -> Problem:
    return Problem(file, fault.line, fault.column, "", fault.message, "", fault.hint)


def _names(header: Record) -> tuple[str, ...]:
    """Names of columns, without the empty ones that spreadsheets add at the end."""
    n = len(header.cells)
    while n and not header.cells[n - 1]:
        n -= 1
    return header.cells[:n]


def _header_problems(
    header: Record, file: str, columns: Sequence[str], optional: Sequence[str]
) -> list[Problem]:
    known, names = (*columns, *optional), _names(header)
    found = [
        Place(file, *header.place(0), name).problem("column is missing")
        for name in columns
        if name not in names
    ]
    for index, name in enumerate(names):
        place = Place(file, *header.place(index), name or "''")
        if names.index(name) < index:
            found.append(place.problem("column is given twice"))
        elif name not in known:
            found.append(place.problem("unknown column", hint=nearest(name, known)))
    return found


def _rows(
    records: Sequence[Record], header: Record, file: str, problems: list[Problem]
) -> list[CsvRow]:
    rows, misfits, names = [], [], _names(header)
    headers = [record for record in records if _names(record) == names]
    totals = [record for record in records if TOTAL.fullmatch(next(filter(None, record.cells)))]
    for message, found in ((REPEATED, headers), (TOTALS, totals)):
        if found:
            more = f"and {len(found) - 1} more such rows" if len(found) > 1 else ""
            where = found[0].place(0)
            problems.append(Problem(file, *where, "", message, more, "delete the row"))
    others = {record.line for record in (*headers, *totals)}
    for record in records:
        if record.line in others:
            continue
        if len(record.cells) != len(header.cells) or any(record.cells[len(names) :]):
            misfits.append(record)
        else:
            named = dict(zip(names, record.cells, strict=False))
            rows.append(CsvRow(file, named, record, header))
    if misfits:
        problems.append(_wrong_length(misfits, len(names), file))
    return rows


def _wrong_length(records: Sequence[Record], wanted: int, file: str) -> Problem:
    """One problem for all rows with another number of cells than the header, at the first."""
    n = len(records[0].cells)
    given = f"{n}, and {len(records) - 1} more such rows" if len(records) > 1 else f"{n}"
    hint = "a comma inside a text needs quotes around it; decimals have a point" * (n > wanted)
    where = records[0].place(min(n - 1, wanted))
    return Problem(file, *where, "", f"row must have {wanted} cells", given, hint)

"""CSV files read safely: rows with their line numbers, or every reason why not."""

from __future__ import annotations

import csv
import io
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from tariffsim.errors import Problem

MAX_BYTES = 10_000_000
MAX_ROWS = 100_000
MAX_PROBLEMS = 1_000  # of one file: a wrong file is wrong on every line
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class Row:
    """One row of a file: its line and its cells by column."""

    line: int
    cells: dict[str, str]


def nearest(given: str, allowed: Sequence[str]) -> str:
    """A hint: the nearest allowed name, or all of them when none is near."""
    close = get_close_matches(given, allowed, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else "allowed: " + " ".join(allowed)


def read_rows(
    path: Path, file: str, columns: Sequence[str], optional: Sequence[str], problems: list[Problem]
) -> list[Row] | None:
    """Rows of one file with the columns asked for; None when it cannot be read as such a table."""
    text = _read_text(path, file, problems)
    if text is None:
        return None
    found: list[Problem] = []
    rows = _parse(text, file, columns, optional, found)
    problems.extend(found[:MAX_PROBLEMS])
    return rows


def _read_text(path: Path, file: str, problems: list[Problem]) -> str | None:
    reason = _refuse(path)
    if reason:
        problems.append(Problem(file, message=reason))
        return None
    try:
        # no following of links and no waiting for a writer, should the file change meanwhile
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | _nonblock())
        with open(handle, "rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        problems.append(Problem(file, message=f"cannot be read: {error.strerror or error}"))
        return None
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(Problem(file, line, message="is not UTF-8 text: save it as CSV UTF-8"))
        return None
    if len(raw) > MAX_BYTES:
        problems.append(Problem(file, message="is larger than 10 MB"))
        return None
    return text


def _nonblock() -> int:
    return getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def _refuse(path: Path) -> str:
    """Why this path is not read at all; empty when it may be."""
    try:
        info = path.lstat()
    except FileNotFoundError:
        return "there is no such file"
    except (OSError, ValueError) as error:
        return f"cannot be read: {error}"
    kinds = {
        stat.S_IFLNK: "is a symbolic link",
        stat.S_IFDIR: "is a folder",
        stat.S_IFIFO: "is a pipe",
    }
    if not stat.S_ISREG(info.st_mode):
        return kinds.get(stat.S_IFMT(info.st_mode), "is a device or socket") + ", not a plain file"
    return "is larger than 10 MB" if info.st_size > MAX_BYTES else ""


def _parse(
    text: str, file: str, columns: Sequence[str], optional: Sequence[str], problems: list[Problem]
) -> list[Row] | None:
    if CONTROL.search(text):
        _name_controls(text, file, problems)
        return None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        numbered = [(reader.line_num, row) for row in islice(reader, MAX_ROWS + 1) if row]
    except csv.Error as error:
        problems.append(Problem(file, reader.line_num, message=f"is not valid CSV: {error}"))
        return None
    if not numbered or len(numbered) > MAX_ROWS:
        message = f"has more than {MAX_ROWS} rows" if numbered else "is empty"
        problems.append(Problem(file, message=message))
        return None
    (line, header), *body = numbered
    if not _check_header(header, line, file, columns, optional, problems):
        return None
    return _body(body, header, file, problems)


def _name_controls(text: str, file: str, problems: list[Problem]) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if bad := CONTROL.search(line):
            given, message = f"U+{ord(bad.group()):04X}", "has a control character"
            problems.append(Problem(file, number, bad.start() + 1, message=message, given=given))


def _check_header(
    header: list[str],
    line: int,
    file: str,
    columns: Sequence[str],
    optional: Sequence[str],
    problems: list[Problem],
) -> bool:
    before = len(problems)
    known = (*columns, *optional)
    for name in columns:
        if name not in header:
            problems.append(Problem(file, line, key=name, message="column is missing"))
    for name in dict.fromkeys(header):
        if name not in known:
            hint = nearest(name, known)
            problems.append(
                Problem(file, line, key=name or "''", message="unknown column", hint=hint)
            )
        elif header.count(name) > 1:
            problems.append(Problem(file, line, key=name, message="column is there twice"))
    return len(problems) == before


def _body(
    numbered: list[tuple[int, list[str]]], header: list[str], file: str, problems: list[Problem]
) -> list[Row] | None:
    rows = []
    for line, cells in numbered:
        if len(cells) != len(header):
            message = f"row must have {len(header)} cells"
            problems.append(Problem(file, line, message=message, given=str(len(cells))))
        else:
            rows.append(Row(line, dict(zip(header, map(str.strip, cells), strict=True))))
    if not numbered:
        problems.append(Problem(file, message="has no rows"))
    return rows or None

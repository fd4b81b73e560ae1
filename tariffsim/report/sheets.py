"""Tables of a report: what a page, a CSV file and a workbook show of the same numbers."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from typing import NamedTuple

from tariffsim.record.statements import Estimate, Verdict, decimals_for, number

NOT_SIGNIFICANT = "n.s."
NO_INTERVAL = "–"
"""In place of a mean change without interval whose total is not statistically significant."""
ENDS = ("lower end", "upper end", "significant")
"""Columns that follow an estimate in files."""
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of a formula."""


class Column(NamedTuple):
    """A column: its header and its unit."""

    head: str
    unit: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table: a cell is a text, a number (a level), or an estimate (a change).

    Attributes:
        key: name of its file, and of its sheet in a workbook.
        title: what it shows, of whom and when.
        columns: headers and units.
        rows: as many cells each.
        note: what readers need to know beside it.
    """

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | float | Estimate]]
    note: str = ""

    def shown(self) -> Iterator[list[dict[str, str]]]:
        """Cells of each row as text, a column with the same decimals."""
        decimals = [_decimals([row[i] for row in self.rows]) for i in range(len(self.columns))]
        for row in self.rows:
            yield [cell(value, places) for value, places in zip(row, decimals, strict=True)]

    def flat(self) -> list[list[str | float | bool]]:
        """Header, units and rows with an estimate's interval in columns of its own."""
        wide = [any(isinstance(row[i], Estimate) for row in self.rows)
                for i in range(len(self.columns))]  # fmt: skip
        lines: list[list[str | float | bool]] = [[], []]
        for column, is_wide in zip(self.columns, wide, strict=True):
            lines[0] += [column.head, *(f"{column.head}, {end}" for end in ENDS if is_wide)]
            lines[1] += [column.unit] + [column.unit, column.unit, "true or false"] * is_wide
        return lines + [list(_flat(row, wide)) for row in self.rows]

    def csv(self) -> bytes:
        """The table as a CSV file, its units in the second line."""
        stream = io.StringIO()
        lines = ([_safe(value) for value in line] for line in self.flat())
        csv.writer(stream, lineterminator="\n").writerows(lines)
        return stream.getvalue().encode()

    @property
    def link(self) -> str:
        """The CSV file as an address that needs no network."""
        return csv_link(self.csv())


def csv_link(data: bytes) -> str:
    """A CSV file as an address that needs no network."""
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(data).decode()}"


def _safe(value: str | float | bool) -> str | float | bool:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


def _flat(
    row: Sequence[str | float | Estimate], wide: Sequence[bool]
) -> Iterator[str | float | bool]:
    for value, is_wide in zip(row, wide, strict=True):
        if isinstance(value, Estimate):
            ends = ["" if isnan(end) else end for end in (value.low, value.high)]
            yield from ["" if isnan(value.difference) else value.difference, *ends]
            yield bool(value.is_significant)
        else:
            yield value
            yield from [""] * (len(ENDS) * is_wide)


def _decimals(values: Sequence[str | float | Estimate]) -> int:
    """Decimals of a column that leave two or three significant digits."""
    sizes = [abs(v.difference) if isinstance(v, Estimate) else abs(v)
             for v in values if not isinstance(v, str)]  # fmt: skip
    size = max((size for size in sizes if not isnan(size)), default=0.0)
    return 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3


def cell(value: str | float | Estimate, decimals: int) -> dict[str, str]:
    """A cell as text: value, and interval or why there is none."""
    if isinstance(value, str):
        return {"value": value, "interval": ""}
    if isinstance(value, Estimate):
        return change(value, decimals)
    return {"value": NO_INTERVAL if isnan(value) else number(value, decimals), "interval": ""}


def change(found: Estimate, decimals: int) -> dict[str, str]:
    """A difference and its interval; `n.s.` where the interval covers zero."""
    if found.verdict is Verdict.UNDEFINED:
        reason = "no significant reduction of the share"
        return {"value": NOT_SIGNIFICANT, "interval": reason}
    if found.is_certain:
        decimals = decimals_for(found.difference, decimals)
    value = number(found.difference, decimals, sign=True)
    if found.verdict is Verdict.UNTESTED:
        return {"value": value, "interval": "one run"}
    if found.verdict is Verdict.UNCHANGED:
        return {"value": value, "interval": "same in every run"}
    low, high = (number(end, decimals, sign=True) for end in (found.low, found.high))
    return {
        "value": value if found.is_certain else NOT_SIGNIFICANT, "interval": f"{low} to {high}"
    }  # fmt: skip


def scaled(found: Estimate, factor: float) -> Estimate:
    """An estimate in another unit: level, difference and interval times a positive factor."""
    return found._replace(
        level=found.level * factor, difference=found.difference * factor,
        low=found.low * factor, high=found.high * factor,
        sd_seeds=found.sd_seeds * factor, sd_parameters=found.sd_parameters * factor,
    )  # fmt: skip

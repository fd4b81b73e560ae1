"""Loading: the shipped tables, a user's own in their place, and single figures on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as changed
from functools import lru_cache
from pathlib import Path

from tariffsim.errors import DataError, Problem
from tariffsim.tables import rows as wide
from tariffsim.tables.checks import check_cited, check_sheets, codes_of
from tariffsim.tables.figures import LARGEST, Place, Sheet, parse_sheet
from tariffsim.tables.files import Row, nearest, read_rows
from tariffsim.tables.spec import (
    FIGURE_COLUMNS,
    FIGURE_TABLES,
    OPTIONAL_COLUMNS,
    TABLE_NAMES,
    WIDE_TABLES,
)
from tariffsim.tables.types import CalendarRow, Figure, ImportRow, Tables, ValidationRow

SHIPPED = Path(__file__).resolve().parent.parent / "data"
Overrides = Mapping[str, Mapping[str, Mapping[str, float]]]


def load_tables(
    replace: Mapping[str, str | Path] | None = None, figures: Overrides | None = None
) -> Tables:
    """The data tables of a run.

    Args:
        replace: files to read in place of shipped tables, by name of the table.
        figures: single figures to override, by table, code and parameter; ranges stay.

    Raises:
        DataError: with every problem of every table.
    """
    if not replace and not figures:
        return _shipped()
    return _load(replace or {}, figures or {})


@lru_cache(maxsize=1)
def _shipped() -> Tables:
    return _load({}, {})


def _load(replace: Mapping[str, str | Path], figures: Overrides) -> Tables:
    problems: list[Problem] = []
    for name in replace:
        if name not in TABLE_NAMES:
            place = Place("scenario", 0, f"data.{name}")
            problems.append(place.problem("unknown table", hint=nearest(name, TABLE_NAMES)))
    files = {name: str(replace.get(name, f"{name}.csv")) for name in TABLE_NAMES}
    rows = {
        name: found
        for name in TABLE_NAMES
        if (found := _read(name, replace.get(name), files[name], problems)) is not None
    }
    sheets = {
        name: parse_sheet(name, files[name], rows[name], problems)
        for name in FIGURE_TABLES
        if name in rows
    }
    for table, codes in figures.items():
        _override(table, codes, sheets, problems)
    check_sheets(sheets, problems)
    tables = _assemble(files, rows, sheets, problems)
    if problems or tables is None:
        raise DataError(problems)
    return tables


def _read(
    name: str, path: str | Path | None, file: str, problems: list[Problem]
) -> list[Row] | None:
    columns: tuple[str, ...] = WIDE_TABLES.get(name, ())
    optional: tuple[str, ...] = ()
    if name in FIGURE_TABLES:
        columns, optional = (FIGURE_TABLES[name].key, *FIGURE_COLUMNS), OPTIONAL_COLUMNS
    return read_rows(Path(path or SHIPPED / f"{name}.csv"), file, columns, optional, problems)


def _override(
    table: str,
    codes: Mapping[str, Mapping[str, float]],
    sheets: Mapping[str, Sheet],
    problems: list[Problem],
) -> None:
    """Put a scenario's own figures in place; the place of each becomes its key."""
    place = Place("scenario", 0, f"figures.{table}")
    if table not in FIGURE_TABLES:
        hint = nearest(table, tuple(FIGURE_TABLES))
        problems.append(place.problem("unknown table of figures", hint=hint))
        return
    sheet = sheets.get(table)
    if sheet is None:
        return
    for code, parameters in codes.items():
        at = place._replace(key=f"{place.key}.{code}")
        if code not in sheet.lines:
            problems.append(at.problem("unknown code", hint=nearest(code, tuple(sheet.lines))))
            continue
        for parameter, value in parameters.items():
            _set(sheet, code, parameter, value, at._replace(key=f"{at.key}.{parameter}"), problems)


def _set(
    sheet: Sheet, code: str, parameter: str, value: float, at: Place, problems: list[Problem]
) -> None:
    specs = FIGURE_TABLES[sheet.name].parameters
    spec = specs.get(parameter)
    if spec is None:
        problems.append(at.problem("unknown parameter", hint=nearest(parameter, tuple(specs))))
    elif spec.is_text:
        problems.append(at.problem("is a text: replace the table to change it"))
    elif (
        isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST
    ):
        problems.append(at.problem("must be a number", repr(value)))
    elif fault := spec.fault(value):
        problems.append(at.problem(fault, f"{value:g}"))
    else:
        empty = Figure(None, None, None, spec.unit, "", "")
        figure = sheet.figures.get((code, parameter), empty)
        own = changed(figure, value=float(value), source="scenario", confidence="assumption")
        sheet.figures[code, parameter] = own
        sheet.places[code, parameter] = at


def _assemble(
    files: Mapping[str, str],
    rows: Mapping[str, list[Row]],
    sheets: Mapping[str, Sheet],
    problems: list[Problem],
) -> Tables | None:
    """The finished tables, once the wide ones are parsed too; None when one is not there."""
    codes = codes_of(sheets)
    got = {name: rows.get(name, []) for name in WIDE_TABLES}
    names = ("us_imports_2024", "tariff_calendar", "validation_public", "sources")
    imports, calendar, validation, sources = (files[name] for name in names)
    imported = wide.parse_imports(imports, got[names[0]], codes, problems) if got[names[0]] else ()
    duties = wide.parse_calendar(calendar, got[names[1]], codes, problems)
    outcomes = wide.parse_validation(validation, got[names[2]], problems)
    cited = wide.parse_sources(sources, got[names[3]], problems)
    if cited:
        found: dict[str, Sequence[ImportRow | CalendarRow | ValidationRow]]
        found = {imports: imported, calendar: duties, validation: outcomes}
        check_cited(cited, sheets, found, problems)
    if problems:
        return None
    table = {name: sheet.table() for name, sheet in sheets.items()}
    return Tables(**table, imports=imported, calendar=duties, validation=outcomes, sources=cited)

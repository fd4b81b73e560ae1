"""Loading: the shipped tables, a user's own in their place, and single figures replaced."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tariffsim.errors import DataError, Problem, nearest
from tariffsim.tables.checks import check_cited, check_imports, check_sheets, known_codes
from tariffsim.tables.figure_tables import (
    FIGURE_TABLES,
    SHIPPED,
    FigureTable,
    Sheet,
    empty_figure,
    parse_sheet,
)
from tariffsim.tables.files import LARGEST, BadCell, CsvRow, Place, read_rows
from tariffsim.tables.wide_tables import (
    WIDE_TABLES,
    CalendarRow,
    ImportRow,
    SourceRow,
    ValidationRow,
    parse_rows,
)

TABLE_NAMES = (*FIGURE_TABLES, *WIDE_TABLES)
Replaced = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Single figures by table, code and parameter."""


@dataclass(frozen=True)
class Tables:
    """Every data table of a run, checked."""

    devices: FigureTable
    foundry_regions: FigureTable
    node_classes: FigureTable
    markets: FigureTable
    origins: FigureTable
    origin_rules: FigureTable
    imports: tuple[ImportRow, ...]
    calendar: tuple[CalendarRow, ...]
    validation: tuple[ValidationRow, ...]
    sources: Mapping[str, str]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, whatever files it came from."""
        content = {each.name: getattr(self, each.name) for each in fields(self)}
        text = json.dumps(content, default=_plain, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)


def _plain(part: Any) -> Any:
    """What JSON knows in place of a table or a row."""
    if isinstance(part, BaseModel):
        return part.model_dump()
    figures = [[*key, figure] for key, figure in part.figures.items()]
    return {"name": part.name, "codes": part.codes, "figures": figures}


def load_tables(
    replace: Mapping[str, str | Path] | None = None, figures: Replaced | None = None
) -> Tables:
    """The data tables of a run.

    Args:
        replace: files to read in place of shipped tables, by name of the table.
        figures: single figures to replace, by table, code and parameter; ranges stay.

    Raises:
        DataError: with every problem of every table.
    """
    if not replace and not figures:
        return _shipped()
    return _load(replace or {}, figures or {})


@lru_cache(maxsize=1)
def _shipped() -> Tables:
    return _load({}, {})


def _load(replace: Mapping[str, str | Path], figures: Replaced) -> Tables:
    problems: list[Problem] = []
    for name in replace:
        if name not in TABLE_NAMES:
            place = Place("scenario", 0, f"data.{name}")
            problems.append(place.problem("unknown table", hint=nearest(name, TABLE_NAMES)))
    rows = {name: _read(name, replace.get(name), problems) for name in TABLE_NAMES}
    sheets = {
        name: parse_sheet(name, found, problems) for name in FIGURE_TABLES if (found := rows[name])
    }
    for table, codes in figures.items():
        _replace_figures(table, codes, sheets, problems)
    check_sheets(sheets, problems)
    wide = _wide_rows(rows, sheets, problems)
    if problems:
        raise DataError(problems)
    return Tables(**wide | {name: sheet.table() for name, sheet in sheets.items()})


def _read(name: str, path: str | Path | None, problems: list[Problem]) -> list[CsvRow]:
    """Rows of a table; none if it cannot be read."""
    file = str(path or f"{name}.csv")
    path = Path(path or SHIPPED / file)
    if name in FIGURE_TABLES:
        return read_rows(path, file, FIGURE_TABLES[name].columns, ("note",), problems)
    return read_rows(path, file, WIDE_TABLES[name].columns(), (), problems)


def _wide_rows(
    rows: Mapping[str, list[CsvRow]], sheets: Mapping[str, Sheet], problems: list[Problem]
) -> dict[str, Any]:
    """Rows of the wide tables by field of `Tables`."""
    codes = known_codes(sheets)
    imports = parse_rows(ImportRow, rows["us_imports_2024"], codes, problems)
    calendar = parse_rows(CalendarRow, rows["tariff_calendar"], codes, problems)
    validation = parse_rows(ValidationRow, rows["validation_public"], codes, problems)
    parse_rows(SourceRow, rows["sources"], codes, problems)
    check_imports(rows["us_imports_2024"], imports, codes, problems)
    sources = {row.cells["id"]: row.cells["citation"] for row in rows["sources"]}
    if sources:
        check_cited(sources, [row for found in rows.values() for row in found], problems)
    return {"imports": imports, "calendar": calendar, "validation": validation, "sources": sources}


def _replace_figures(
    table: str,
    codes: Mapping[str, Mapping[str, float]],
    sheets: Mapping[str, Sheet],
    problems: list[Problem],
) -> None:
    """Put a scenario's own figures in place; the place of each becomes its key."""
    place = Place("scenario", 0, f"figures.{table}")
    if table not in FIGURE_TABLES:
        hint = nearest(table, FIGURE_TABLES)
        problems.append(place.problem("is not a table of figures", hint=hint))
        return
    sheet = sheets.get(table)
    if sheet is None:
        return
    for code, parameters in codes.items():
        if code not in sheet.lines:
            at = place._replace(key=f"{place.key}.{code}")
            problems.append(at.problem("unknown code", hint=nearest(code, sheet.lines)))
            continue
        for parameter, value in parameters.items():
            at = place._replace(key=f"{place.key}.{code}.{parameter}")
            try:
                _replace_figure(sheet, code, parameter, value)
                sheet.places[code, parameter] = at
            except BadCell as bad:
                problems.append(at.problem(str(bad), str(value), bad.hint))


def _replace_figure(sheet: Sheet, code: str, parameter: str, value: float) -> None:
    specs = FIGURE_TABLES[sheet.name].parameters
    if parameter not in specs:
        raise BadCell("unknown parameter", hint=nearest(parameter, specs))
    spec = specs[parameter]
    if spec.is_text:
        raise BadCell("is a text: replace the table to change it")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST:
        raise BadCell("must be a number")
    own = {"value": float(spec.within(value)), "source": "scenario", "confidence": "assumption"}
    figure = sheet.figures.get((code, parameter)) or empty_figure(spec)
    sheet.figures[code, parameter] = figure.model_copy(update=own)

"""Tables of figures: rows to figures, each checked by itself."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tariffsim.errors import Problem
from tariffsim.tables.files import Row, nearest
from tariffsim.tables.spec import CONFIDENCES, FIGURE_TABLES, Spec
from tariffsim.tables.types import Figure, FigureTable, Value

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
LARGEST = 1e15  # sums and products of figures stay far from overflow
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)


class Place(NamedTuple):
    """Where a figure was given: file, line and column, or a scenario's key."""

    file: str
    line: int
    key: str

    def problem(self, message: str, given: str = "", hint: str = "", column: str = "") -> Problem:
        """A problem at this place, or in another column of its row."""
        return Problem(self.file, self.line, 0, column or self.key, message, given, hint)


@dataclass
class Sheet:
    """One table on its way to be a FigureTable: what was found, and where."""

    name: str
    file: str
    figures: dict[tuple[str, str], Figure] = field(default_factory=dict)
    places: dict[tuple[str, str], Place] = field(default_factory=dict)  # of bad figures too
    lines: dict[str, int] = field(default_factory=dict)  # first line of each code

    def number(self, code: str, parameter: str) -> float | None:
        """A number, if it is there and good."""
        figure = self.figures.get((code, parameter))
        return figure.value if figure and isinstance(figure.value, float) else None

    def text(self, code: str, parameter: str) -> str:
        """A text; empty if it is not there."""
        figure = self.figures.get((code, parameter))
        return figure.value if figure and isinstance(figure.value, str) else ""

    def is_empty(self, code: str, parameter: str) -> bool:
        """Whether an optional figure was left empty or out; a bad one is not empty."""
        figure = self.figures.get((code, parameter))
        return figure.value is None if figure else (code, parameter) not in self.places

    def place(self, code: str, parameter: str) -> Place:
        """Where a figure was given, or where it should have been."""
        return self.places.get((code, parameter)) or Place(self.file, self.lines[code], "value")

    def table(self) -> FigureTable:
        """The finished table: parameters in the order of the specification, empty ones filled."""
        parameters = FIGURE_TABLES[self.name].parameters
        empty = {
            name: Figure(None, None, None, spec.unit, "assumption", "assumption")
            for name, spec in parameters.items()
        }
        figures = {
            (code, name): self.figures.get((code, name), empty[name])
            for code in self.lines
            for name in parameters
        }
        return FigureTable(self.name, tuple(self.lines), figures)


def parse_number(text: str) -> float:
    """A finite decimal number.

    Raises:
        ValueError: says what is wrong with the text.
    """
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise ValueError("must be a number")
    if abs(value) > LARGEST:
        raise ValueError(f"must be at most {LARGEST:g}")
    return value


def parse_sheet(name: str, file: str, rows: list[Row], problems: list[Problem]) -> Sheet:
    """All figures of one table; whatever is wrong with a row is added to the problems."""
    key, parameters = FIGURE_TABLES[name].key, FIGURE_TABLES[name].parameters
    sheet = Sheet(name, file)
    for row in rows:
        code, parameter = row.cells[key], row.cells["parameter"]
        place = Place(file, row.line, "value")
        if not CODE.fullmatch(code):
            hint = "letters, digits and _, beginning with a letter"
            problems.append(place.problem("is not a code", code, hint, key))
            continue
        sheet.lines.setdefault(code, row.line)
        if parameter not in parameters:
            hint = nearest(parameter, tuple(parameters))
            message = f"{code}: unknown parameter"
            problems.append(place.problem(message, parameter, hint, "parameter"))
        elif earlier := sheet.places.get((code, parameter)):
            message = f"{code} {parameter} is also on line {earlier.line}"
            problems.append(place.problem(message, column="parameter"))
        else:
            sheet.places[code, parameter] = place
            what = f"{code} {parameter}"
            figure = _parse_figure(row.cells, what, parameters[parameter], place, problems)
            if figure:
                sheet.figures[code, parameter] = figure
    _check_complete(sheet, problems)
    return sheet


def _parse_figure(
    cells: Mapping[str, str], name: str, spec: Spec, place: Place, problems: list[Problem]
) -> Figure | None:
    before = len(problems)
    value: Value = _value(cells, "value", name, spec, place, problems)
    low = _bound(cells, "low", name, spec, place, problems)
    high = _bound(cells, "high", name, spec, place, problems)
    if len(problems) == before:
        _check_range(name, value, low, high, place, problems)
    if cells["unit"] != spec.unit:
        message = f"{name} must be in {spec.unit!r}"
        problems.append(place.problem(message, cells["unit"], column="unit"))
    check_source(cells, name, place, problems)
    if len(problems) > before:
        return None
    source, confidence = cells["source"], cells["confidence"]
    return Figure(value, low, high, spec.unit, source, confidence, cells.get("note", ""))


def _value(
    cells: Mapping[str, str],
    column: str,
    name: str,
    spec: Spec,
    place: Place,
    problems: list[Problem],
) -> Value:
    text = cells[column]
    if not text:
        if column == "value" and not spec.optional:
            problems.append(place.problem(f"{name} is empty"))
        return None
    if spec.is_text:
        if spec.choices and text not in spec.choices:
            problems.append(place.problem(f"{name} must be {' or '.join(spec.choices)}", text))
        return text
    try:
        number = parse_number(text)
    except ValueError as error:
        problems.append(place.problem(f"{name} {error}", text, column=column))
        return None
    if fault := spec.fault(number):
        problems.append(place.problem(f"{name} {fault}", text, column=column))
    return number


def _bound(
    cells: Mapping[str, str],
    column: str,
    name: str,
    spec: Spec,
    place: Place,
    problems: list[Problem],
) -> float | None:
    if not cells[column]:
        return None
    if spec.is_text:
        message = f"{name} is a text and has no range"
        problems.append(place.problem(message, cells[column], column=column))
        return None
    value = _value(cells, column, name, spec, place, problems)
    return value if isinstance(value, float) else None


def _check_range(
    name: str,
    value: Value,
    low: float | None,
    high: float | None,
    place: Place,
    problems: list[Problem],
) -> None:
    if (low is None) != (high is None):
        column = "low" if low is None else "high"
        message = f"{name} must have both low and high, or neither"
        problems.append(place.problem(message, column=column))
    elif low is None or high is None:
        return
    elif not isinstance(value, float) or not low <= value <= high:
        given = f"{low:g}, {'' if value is None else value}, {high:g}"
        problems.append(place.problem(f"{name} must have low <= value <= high", given))


def check_source(
    cells: Mapping[str, str], name: str, place: Place, problems: list[Problem]
) -> None:
    """Every figure names a source and a confidence, and they agree."""
    source, confidence = cells["source"], cells["confidence"]
    if not source:
        message = f"{name} needs a source, or the word assumption"
        problems.append(place.problem(message, column="source"))
    if confidence not in CONFIDENCES:
        message = f"{name} must be {' or '.join(CONFIDENCES)}"
        problems.append(place.problem(message, confidence, column="confidence"))
    elif source == "assumption" and confidence != "assumption":
        message = f"{name} is {confidence} and needs a source"
        problems.append(place.problem(message, source, column="source"))


def _check_complete(sheet: Sheet, problems: list[Problem]) -> None:
    spec = FIGURE_TABLES[sheet.name]
    for code in spec.codes:
        if code not in sheet.lines:
            at = Place(sheet.file, 0, spec.key)
            problems.append(at.problem(f"{code} is missing"))
    for code, line in sheet.lines.items():
        if spec.closed and code not in spec.codes:
            at = Place(sheet.file, line, spec.key)
            problems.append(at.problem("unknown code", code, nearest(code, spec.codes)))
        for name, parameter in spec.parameters.items():
            if not parameter.optional and (code, name) not in sheet.places:
                at = Place(sheet.file, line, "parameter")
                problems.append(at.problem(f"{code} has no {name}"))

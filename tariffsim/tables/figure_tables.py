"""Tables of figures, one figure a row: what they must hold, and how rows become figures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from tariffsim.errors import NamedCodes, Problem, nearest
from tariffsim.tables.csv_files import (
    BadCell,
    CsvRow,
    Place,
    SourcedRow,
    context_of,
    parse_number,
    shipped_rows,
)

NODE_CLASSES = ("A", "B", "C", "D")
CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}", re.ASCII)
DATED = "YYYY-MM"
"""At the end of a parameter's name: it is one of several, each from a month on."""
DATE = re.compile(r"(19|20|21)\d\d-(0[1-9]|1[0-2])", re.ASCII)
INFINITY = float("inf")
Value = float | str | None


@dataclass(frozen=True)
class Spec:
    """One parameter of a table: unit, meaning, bounds, and whether it may be left empty."""

    unit: str
    meaning: str
    least: float = -INFINITY
    most: float = INFINITY
    above: float = -INFINITY
    below: float = INFINITY
    whole: bool = False
    optional: bool = False
    choices: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether the figure is a text."""
        return self.unit == "text"

    def within(self, value: float) -> float:
        """The number, if it keeps to the bounds.

        Raises:
            BadCell: names the bound that it breaks.
        """
        if value <= self.above:
            raise BadCell(f"must be above {self.above:g}")
        if value >= self.below:
            raise BadCell(f"must be below {self.below:g}")
        if value < self.least == 0 and self.most == INFINITY:
            raise BadCell("must not be negative")
        if not self.least <= value <= self.most:
            raise BadCell(f"must be between {self.least:g} and {self.most:g}")
        if self.whole and value != int(value):
            raise BadCell("must be a whole number")
        return value


class Parameters(dict[str, Spec]):
    """Parameters of a table by name; one whose name ends in `DATED` is found under any month."""

    def __contains__(self, name: object) -> bool:
        return not str(name).endswith(DATED) and super().__contains__(_undated(str(name)))

    def __missing__(self, name: str) -> Spec:
        if _undated(name) == name:
            raise KeyError(name)
        return self[_undated(name)]


def _undated(name: str) -> str:
    stem, date = name[: -len(DATED)], name[-len(DATED) :]
    return stem + DATED if DATE.fullmatch(date) else name


def _value(text: str, info: ValidationInfo) -> Value:
    spec: Spec = context_of(info)
    if not text and not spec.optional:
        raise BadCell("is empty")
    if not text:
        return None
    if spec.is_text and spec.choices and text not in spec.choices:
        raise BadCell(f"must be {' or '.join(spec.choices)}")
    return text if spec.is_text else spec.within(parse_number(text))


def _end(text: str, info: ValidationInfo) -> float | None:
    spec: Spec = context_of(info)
    if text and spec.is_text:
        raise BadCell("is a text and has no range")
    return spec.within(parse_number(text)) if text else None


def _range(high: float | None, info: ValidationInfo) -> float | None:
    """The high end of a range, which must have a low end and hold the value."""
    low, value = info.data.get("low"), info.data.get("value")
    if "low" not in info.data or "value" not in info.data:
        return high  # reported already
    if (low is None) != (high is None):
        raise BadCell("must have both low and high, or neither", "")
    if low is not None and not (isinstance(value, float) and low <= value <= (high or 0.0)):
        given = f"{low:g}, {'' if value is None else value}, {high:g}"
        raise BadCell("must have low <= value <= high", given)
    return high


def _unit(text: str, info: ValidationInfo) -> str:
    if text != context_of(info).unit:
        raise BadCell(f"must be in {context_of(info).unit!r}")
    return text


class Figure(SourcedRow):
    """One figure of a table: its value, plausible range, unit, source and confidence."""

    value: Annotated[Value, BeforeValidator(_value)]
    low: Annotated[float | None, BeforeValidator(_end)]
    high: Annotated[float | None, BeforeValidator(_end), AfterValidator(_range)]
    unit: Annotated[str, AfterValidator(_unit)]
    note: str = ""


@dataclass(frozen=True)
class TableSpec:
    """One table of figures: the column that holds its codes and its parameters."""

    key: str
    parameters: Parameters
    codes: tuple[str, ...] = ()
    """Codes that must be there."""
    closed: bool = False
    """Whether there may be no others."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a file must have."""
        return (self.key, "parameter", *Figure.columns())


def _read_specs() -> dict[str, Parameters]:
    """Parameters of each table, as `figure_parameters.csv` describes them."""
    found: dict[str, Parameters] = {}
    for row in shipped_rows("figure_parameters"):
        bounds = {k: float(row[k]) for k in ("least", "most", "above", "below") if row[k]}
        whole, optional = row["whole"] == "yes", row["optional"] == "yes"
        choices = tuple(row["choices"].split())
        spec = Spec(row["unit"], row["meaning"], **bounds, whole=whole, optional=optional,
                    choices=choices)  # fmt: skip
        found.setdefault(row["table"], Parameters())[row["parameter"]] = spec
    return found


_SPECS = _read_specs()
FIGURE_TABLES = {
    "devices": TableSpec("device", _SPECS["devices"]),
    "foundry_regions": TableSpec("region", _SPECS["foundry_regions"], ("CN",)),
    "node_classes": TableSpec("node_class", _SPECS["node_classes"], NODE_CLASSES, closed=True),
    "markets": TableSpec("market", _SPECS["markets"], ("US",)),
    "origins": TableSpec("origin", _SPECS["origins"]),
    "origin_rules": TableSpec("fab_region", _SPECS["origin_rules"]),
}


@dataclass(frozen=True)
class FigureTable:
    """Figures by code and parameter; codes keep the order of the file."""

    name: str
    codes: NamedCodes
    figures: Mapping[tuple[str, str], Figure]

    def number(self, code: str, parameter: str, missing: float | None = None) -> float:
        """One number; `missing` takes the place of an empty figure."""
        value = self.figures[code, parameter].value
        if value is None and missing is not None:
            return missing
        if not isinstance(value, float):
            raise TypeError(f"{self.name}: {code} {parameter} is not a number: {value!r}")
        return value

    def numbers(self, parameter: str, missing: float | None = None) -> tuple[float, ...]:
        """Numbers of one parameter in the order of `codes`."""
        return tuple(self.number(code, parameter, missing) for code in self.codes)

    def text(self, code: str, parameter: str) -> str:
        """One text; empty where the figure is."""
        value = self.figures[code, parameter].value
        return value if isinstance(value, str) else ""

    def path(self, code: str, stem: str) -> tuple[tuple[str, float], ...]:
        """Months and numbers of a dated parameter, in order: those named stem and a month."""
        found = (
            (name.removeprefix(stem), figure.value)
            for (of, name), figure in self.figures.items()
            if of == code and DATE.fullmatch(name.removeprefix(stem))
        )
        return tuple(sorted((m, value) for m, value in found if isinstance(value, float)))

    def texts(self, parameter: str) -> tuple[str, ...]:
        """Texts of one parameter in the order of `codes`."""
        return tuple(self.text(code, parameter) for code in self.codes)


@dataclass
class Sheet:
    """The figures of one file before the checks between figures: what was found, and where."""

    name: str
    file: str
    figures: dict[tuple[str, str], Figure] = field(default_factory=dict)
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    """Where each figure was given, also those that are not valid."""
    rows: dict[str, CsvRow] = field(default_factory=dict)
    """First row of each code."""

    def number(self, code: str, parameter: str) -> float | None:
        """A number, if it is there and valid."""
        figure = self.figures.get((code, parameter))
        return figure.value if figure and isinstance(figure.value, float) else None

    def text(self, code: str, parameter: str) -> str:
        """A text; empty if it is not there."""
        figure = self.figures.get((code, parameter))
        return figure.value if figure and isinstance(figure.value, str) else ""

    def is_empty(self, code: str, parameter: str) -> bool:
        """Whether an optional figure was left empty or out; one that is not valid is not empty."""
        figure = self.figures.get((code, parameter))
        return figure.value is None if figure else (code, parameter) not in self.places

    def place(self, code: str, parameter: str) -> Place:
        """Where a figure was given, or where it should have been."""
        return self.places.get((code, parameter)) or self.rows[code].place("value")

    def table(self, codes: NamedCodes) -> FigureTable:
        """The finished table; optional figures that were left out are empty."""
        figures = {
            (code, name): self.figures.get((code, name)) or empty_figure(spec)
            for code in self.rows
            for pattern, spec in FIGURE_TABLES[self.name].parameters.items()
            for name in self._names(code, pattern)
        }
        return FigureTable(self.name, codes, figures)

    def _names(self, code: str, name: str) -> list[str]:
        """The names under which a code has a parameter: of a dated one, those that are given."""
        if not name.endswith(DATED):
            return [name]
        return sorted(own for of, own in self.figures if of == code and _undated(own) == name)


def empty_figure(spec: Spec) -> Figure:
    """An optional figure that nobody gave."""
    return Figure.model_construct(
        value=None, low=None, high=None, unit=spec.unit, source="assumption",
        confidence="assumption",
    )  # fmt: skip


def parse_sheet(name: str, rows: list[CsvRow], problems: list[Problem]) -> Sheet:
    """All figures of one table; whatever is wrong with a row is added to the problems."""
    key, parameters = FIGURE_TABLES[name].key, FIGURE_TABLES[name].parameters
    sheet = Sheet(name, rows[0].file)
    for row in rows:
        code, parameter = row.cells[key], row.cells["parameter"]
        if not CODE.fullmatch(code):
            hint = "use letters, digits and _, a letter first"
            problems.append(row.place(key).problem("is not a code", code, hint))
            continue
        sheet.rows.setdefault(code, row)
        place = row.place("parameter")
        if parameter not in parameters:
            hint = nearest(parameter, parameters)
            problems.append(place.problem(f"{code}: unknown parameter", parameter, hint))
        elif earlier := sheet.places.get((code, parameter)):
            problems.append(place.problem(f"{code} {parameter} is also on line {earlier.line}"))
        else:
            sheet.places[code, parameter] = row.place("value")
            figure = Figure.of(row, problems, parameters[parameter], f"{code} {parameter} ")
            if figure is not None:
                sheet.figures[code, parameter] = figure
    _check_complete(sheet, rows[0].place_in_header(key), problems)
    return sheet


def _check_complete(sheet: Sheet, heading: Place, problems: list[Problem]) -> None:
    spec = FIGURE_TABLES[sheet.name]
    for code in spec.codes:
        if code not in sheet.rows:
            problems.append(heading.problem(f"{code} is missing"))
    for code, row in sheet.rows.items():
        if spec.closed and code not in spec.codes:
            place = row.place(spec.key)
            problems.append(place.problem("unknown code", code, nearest(code, spec.codes)))
        for name, parameter in spec.parameters.items():
            if not parameter.optional and (code, name) not in sheet.places:
                problems.append(row.place("parameter").problem(f"{code} has no {name}"))

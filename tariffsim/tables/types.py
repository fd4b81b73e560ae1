"""The data tables as Python sees them: figures with their source and confidence, and typed rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

Value = float | str | None
BARE_CHIPS = ("bare_ic", "bare_discrete")


@dataclass(frozen=True)
class Figure:
    """One figure of a table: what it is, how sure it is and who says so."""

    value: Value
    low: float | None
    high: float | None
    unit: str
    source: str
    confidence: str
    note: str = ""


@dataclass(frozen=True)
class FigureTable:
    """Figures by code and parameter; codes keep the order of the file."""

    name: str
    codes: tuple[str, ...]
    figures: Mapping[tuple[str, str], Figure]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the file."""
        return tuple(dict.fromkeys(parameter for _, parameter in self.figures))

    def column(self, parameter: str) -> tuple[Value, ...]:
        """Values of one parameter in the order of `codes`."""
        return tuple(self.figures[code, parameter].value for code in self.codes)

    def number(self, code: str, parameter: str, missing: float | None = None) -> float:
        """One number; `missing` stands in for an empty figure."""
        value = self.figures[code, parameter].value
        if value is None and missing is not None:
            return missing
        if not isinstance(value, float):
            raise TypeError(f"{self.name}: {code} {parameter} is not a number: {value!r}")
        return value

    def numbers(self, parameter: str, missing: float | None = None) -> tuple[float, ...]:
        """Numbers of one parameter in the order of `codes`; `missing` stands in for empty ones."""
        return tuple(self.number(code, parameter, missing) for code in self.codes)

    def text(self, code: str, parameter: str) -> str:
        """One text; empty where the figure is."""
        value = self.figures[code, parameter].value
        return value if isinstance(value, str) else ""

    def texts(self, parameter: str) -> tuple[str, ...]:
        """Texts of one parameter in the order of `codes`."""
        return tuple(self.text(code, parameter) for code in self.codes)


@dataclass(frozen=True)
class ImportRow:
    """US imports for consumption in 2024 of one device group from one country, USD a year."""

    device: str
    hs_codes: str
    origin: str
    customs_value_usd: float
    calculated_duty_usd: float
    source: str
    confidence: str


@dataclass(frozen=True)
class CalendarRow:
    """Level of one duty instrument from `date` up to but without `ends` (None: open).

    `against` are countries of assembly and `devices` device groups or bare chips, all spelled out;
    `rate` is None where it is not announced. A later row of an instrument replaces an earlier one
    for the codes it names; different instruments add.
    """

    date: str
    ends: str | None
    levied_by: str
    against: tuple[str, ...]
    base: str
    instrument: str
    rate: float | None
    in_2024_base: bool
    devices: tuple[str, ...]
    in_baseline: bool
    scope: str
    reading: str
    source: str
    confidence: str


@dataclass(frozen=True)
class ValidationRow:
    """One published outcome the model is held against; `use` says whether it may be fitted."""

    id: str
    use: str
    case: str
    quantity: str
    published: str
    tolerance: str
    source: str
    confidence: str


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
        content = asdict(self)
        for table in content.values():
            if isinstance(table, dict) and "figures" in table:
                table["figures"] = [[*key, figure] for key, figure in table["figures"].items()]
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

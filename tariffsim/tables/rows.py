"""Wide tables: rows to typed rows, each checked against the codes of the other tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tariffsim.errors import Problem
from tariffsim.tables.figures import Place, check_source, parse_number
from tariffsim.tables.files import Row, nearest
from tariffsim.tables.types import BARE_CHIPS, CalendarRow, ImportRow, ValidationRow

MONTH = re.compile(r"(19|2[01])\d{2}-(0[1-9]|1[0-2])", re.ASCII)
MOST_RATE = 5.0  # a duty above 500 % is a percentage written as a fraction
BASES = ("product", "bare_chips")


@dataclass(frozen=True)
class Codes:
    """Codes the other tables define; empty where a table could not be read."""

    devices: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    homes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # home origins by market


class Cells:
    """One row of a wide table: typed cells; what is wrong is added to the problems."""

    def __init__(self, file: str, row: Row, problems: list[Problem]) -> None:
        self.cells, self.problems, self.before = row.cells, problems, len(problems)
        self.place = Place(file, row.line, "")

    def fail(self, column: str, message: str, given: str = "", hint: str = "") -> None:
        """Add a problem of one column."""
        self.problems.append(self.place.problem(message, given, hint, column))

    @property
    def good(self) -> bool:
        """Whether nothing is wrong so far."""
        return len(self.problems) == self.before

    def number(self, column: str, most: float = float("inf")) -> float:
        """A number that is not negative; 0 where it is not good."""
        text = self.cells[column]
        try:
            value = parse_number(text)
        except ValueError as error:
            self.fail(column, str(error), text)
            return 0.0
        if value < 0:
            self.fail(column, "must not be negative", text)
        elif value > most:
            self.fail(column, f"must be a fraction of at most {most:g}: 0.25 is 25 %", text)
        return value

    def code(self, column: str, allowed: Sequence[str]) -> str:
        """One of the allowed codes; anything goes when the other table could not be read."""
        return next(iter(self._known(column, (self.cells[column],), allowed)))

    def codes(self, column: str, words: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
        """Several of the allowed codes."""
        if not words:
            self.fail(column, "must name at least one code")
        return self._known(column, words, allowed)

    def _known(self, column: str, words: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
        for word in words:
            if allowed and word not in allowed:
                self.fail(column, "unknown code", word, nearest(word, allowed))
            elif words.count(word) > 1:
                self.fail(column, "code is there twice", word)
        return tuple(dict.fromkeys(words))

    def flag(self, column: str) -> bool:
        """Yes or no."""
        if self.cells[column] not in ("yes", "no"):
            self.fail(column, "must be yes or no", self.cells[column])
        return self.cells[column] == "yes"

    def month(self, column: str) -> str:
        """A month such as 2025-07."""
        if not MONTH.fullmatch(self.cells[column]):
            self.fail(column, "must be a month such as 2025-07", self.cells[column])
        return self.cells[column]

    def source(self) -> tuple[str, str]:
        """Source and confidence."""
        check_source(self.cells, "row", self.place, self.problems)
        return self.cells["source"], self.cells["confidence"]


def _each(file: str, rows: list[Row], problems: list[Problem]) -> Iterator[Cells]:
    for row in rows:
        yield Cells(file, row, problems)


def parse_imports(
    file: str, rows: list[Row], codes: Codes, problems: list[Problem]
) -> tuple[ImportRow, ...]:
    """US imports; every device group and both kinds of bare chips must have some."""
    found: dict[tuple[str, str], ImportRow] = {}
    first: dict[tuple[str, str], int] = {}
    devices = (*codes.devices, *BARE_CHIPS) if codes.devices else ()
    home = codes.homes.get("US", ())
    for row in _each(file, rows, problems):
        device, origin = row.code("device", devices), row.code("origin", codes.origins)
        value, duty = row.number("customs_value_musd"), row.number("calculated_duty_musd")
        source, confidence = row.source()
        if origin in home:
            row.fail("origin", "goods from home are no imports", origin)
        if duty > 0 and value == 0:
            row.fail("calculated_duty_musd", "must be 0 where customs_value_musd is", f"{duty:g}")
        if line := first.get((device, origin)):
            row.fail("origin", f"{device} from {origin} is also on line {line}")
        first.setdefault((device, origin), row.place.line)
        hs_codes = row.cells["hs_codes"]
        found[device, origin] = ImportRow(
            device, hs_codes, origin, value * 1e6, duty * 1e6, source, confidence
        )
    for device in devices:
        if not any(row.customs_value_usd for row in found.values() if row.device == device):
            problems.append(Problem(file, key="device", message=f"no imports of {device}"))
    return tuple(found.values())


def parse_calendar(
    file: str, rows: list[Row], codes: Codes, problems: list[Problem]
) -> tuple[CalendarRow, ...]:
    """Duties in force by month, with `ALL`, `all`, `all except` and `bare_chips` spelled out."""
    found = []
    first: dict[tuple[str, ...], int] = {}
    for row in _each(file, rows, problems):
        duty = _calendar_row(row, codes)
        found.append(duty)
        for origin in duty.against:
            for device in duty.devices:
                key = (duty.instrument, duty.levied_by, duty.date, origin, device)
                line = first.setdefault(key, row.place.line)
                if line != row.place.line and row.good:
                    message = f"{duty.instrument} from {duty.date} on {device} from {origin}"
                    row.fail("instrument", f"{message} is also on line {line}")
    return tuple(found)


def _calendar_row(row: Cells, codes: Codes) -> CalendarRow:
    cells = row.cells
    date, ends = row.month("date"), row.month("ends") if cells["ends"] else None
    if row.good and ends and ends <= date:
        row.fail("ends", f"must be after {date}", ends)
    levied_by = row.code("levied_by", codes.markets)
    rate = row.number("rate", MOST_RATE) if cells["rate"] else None
    in_baseline = row.flag("in_baseline")
    if in_baseline and rate is None:
        row.fail("rate", "must be there where in_baseline is yes")
    if not cells["instrument"]:
        row.fail("instrument", "is empty")
    return CalendarRow(
        date=date,
        ends=ends,
        levied_by=levied_by,
        against=_against(row, levied_by, codes),
        base=row.code("base", BASES),
        instrument=cells["instrument"],
        rate=rate,
        in_2024_base=row.flag("in_2024_base"),
        devices=_devices(row, codes),
        in_baseline=in_baseline,
        scope=cells["scope"],
        reading=cells["reading"],
        source=row.source()[0],
        confidence=cells["confidence"],
    )


def _against(row: Cells, levied_by: str, codes: Codes) -> tuple[str, ...]:
    if row.cells["against"] == "ALL":
        home = codes.homes.get(levied_by, ())
        return tuple(origin for origin in codes.origins if origin not in home)
    return row.codes("against", row.cells["against"].split(), codes.origins)


def _devices(row: Cells, codes: Codes) -> tuple[str, ...]:
    words = row.cells["devices"].split()
    if words[:2] == ["all", "except"]:
        spared = row.codes("devices", words[2:], codes.devices)
        return tuple(device for device in codes.devices if device not in spared)
    spelled = {"all": codes.devices, "bare_chips": BARE_CHIPS}
    named = [code for word in words for code in spelled.get(word, (word,))]
    allowed = (*codes.devices, *BARE_CHIPS) if codes.devices else ()
    if words == ["all"]:
        return codes.devices
    return row.codes("devices", named, allowed)


def parse_validation(
    file: str, rows: list[Row], problems: list[Problem]
) -> tuple[ValidationRow, ...]:
    """Published outcomes; what they say stays text."""
    uses = ("calibration", "test", "structure")
    found = []
    for row in _each(file, rows, problems):
        row.code("use", uses)
        row.source()
        found.append(ValidationRow(**row.cells))
    return tuple(found)


def parse_sources(file: str, rows: list[Row], problems: list[Problem]) -> dict[str, str]:
    """Citations by id."""
    found: dict[str, str] = {}
    for row in _each(file, rows, problems):
        name, citation = row.cells["id"], row.cells["citation"]
        if name in found:
            row.fail("id", "source is there twice", name)
        for column in ("id", "citation"):
            if not row.cells[column]:
                row.fail(column, "is empty")
        found[name] = citation
    return found

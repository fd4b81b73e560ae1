"""Wide tables, one observation a row: US imports of the base year, tariff calendar, sources."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
)

from tariffsim.errors import NamedCodes, Problem, nearest
from tariffsim.tables.csv_files import (
    AS_TEXT,
    BadCell,
    CsvRow,
    Filled,
    RowModel,
    SourcedRow,
    context_of,
    one_of,
    parse_number,
)
from tariffsim.tables.csv_text import SHOWN_DATE
from tariffsim.typing import format_moment, format_month, one_name, parse_moment

BARE_CHIPS = ("bare_ic", "bare_discrete")
MONTH = re.compile(r"(19|2[01])\d{2}-(0[1-9]|1[0-2])", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
MOST_RATE = 5.0  # a duty above 500 % is a percentage written as a fraction
MILLION = 1e6
_moment = lru_cache(maxsize=1024)(parse_moment)  # rows are asked for theirs again and again
Model = TypeVar("Model", bound=RowModel)


@dataclass(frozen=True)
class KnownCodes:
    """Codes that the tables of figures define; empty where a table could not be read."""

    devices: NamedCodes = field(default_factory=NamedCodes)
    origins: NamedCodes = field(default_factory=NamedCodes)
    markets: NamedCodes = field(default_factory=NamedCodes)
    homes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Countries of assembly that belong to each market."""

    @property
    def goods(self) -> NamedCodes:
        """Device groups and unmounted chips."""
        goods = (*self.devices, *BARE_CHIPS) if self.devices else ()
        return NamedCodes(goods, self.devices.other_names)


def _known(words: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    """Codes that are all known and given once; any will do if the other table is not there."""
    unknown = [word for word in words if allowed and word not in allowed]
    if unknown:
        hint = "; ".join(dict.fromkeys(nearest(word, allowed) for word in unknown))
        raise BadCell("unknown code", " ".join(unknown), hint)
    if twice := [word for word in dict.fromkeys(words) if words.count(word) > 1]:
        raise BadCell("code is given twice", " ".join(twice))
    return tuple(words)


def _codes(words: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    if not words:
        raise BadCell("must name at least one code")
    return _known(words, allowed)


def _one(kind: str) -> AfterValidator:
    """A cell with one of the known codes of a kind."""

    def check(code: str, info: ValidationInfo) -> str:
        return _known([code], getattr(context_of(info), kind))[0]

    return AfterValidator(check)


def _amount(text: str) -> float:
    number = parse_number(text)
    if number < 0:
        raise BadCell("must not be negative")
    return number


def _rate(text: str) -> float | None:
    number = _amount(text) if text else None
    if number is not None and number > MOST_RATE:
        raise BadCell(f"must be a fraction of at most {MOST_RATE:g}: 0.25 is 25 %")
    return number


def _fraction(text: str) -> float:
    number = _amount(text) if text else 1.0
    if number > 1:
        raise BadCell("must be a fraction of at most 1")
    return number


def _month(text: str) -> str:
    if not MONTH.fullmatch(text):
        hint = AS_TEXT if SHOWN_DATE.fullmatch(text) else ""
        hint = "a day goes in the column date_day or ends_day" if DAY.fullmatch(text) else hint
        raise BadCell("must be a month such as 2025-07", hint=hint)
    return text


def _day(text: str) -> str | None:
    try:
        if text and len(text) != 10:
            raise ValueError
        parse_moment(text or "2025")
    except ValueError:
        raise BadCell("must be a day such as 2025-07-23") from None
    return text or None


def _day_or_month(text: str) -> str | None:
    return _day(text) if len(text) == 10 else _month(text) if text else None


def _devices(text: str, info: ValidationInfo) -> tuple[str, ...]:
    """Device groups and unmounted chips, with `all`, `all except` and `bare_chips` spelled out."""
    codes: KnownCodes = context_of(info)
    words = text.split()
    if words == ["all"]:
        return codes.devices
    if words[:2] == ["all", "except"]:
        exempt = _codes(words[2:], codes.devices)
        return tuple(device for device in codes.devices if device not in exempt)
    spelled = {"all": codes.devices, "bare_chips": BARE_CHIPS}
    return _codes([code for word in words for code in spelled.get(word, (word,))], codes.goods)


def _against(text: str, info: ValidationInfo) -> tuple[str, ...]:
    """Countries of assembly; `ALL` is all that do not belong to the market."""
    codes: KnownCodes = context_of(info)
    if text != "ALL":
        return _codes(text.split(), codes.origins)
    home = codes.homes.get(info.data.get("levied_by", ""), ())
    return tuple(origin for origin in codes.origins if origin not in home)


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise BadCell("must be yes or no")
    return text == "yes"


YesNo = Annotated[bool, BeforeValidator(_yes)]
YesOrNothing = Annotated[bool, BeforeValidator(lambda text: _yes(text or "no"))]
Month = Annotated[str, AfterValidator(_month)]
Millions = Annotated[float, BeforeValidator(_amount), AfterValidator(lambda musd: musd * MILLION)]


class ImportRow(SourcedRow):
    """US imports for consumption in 2024 of one device group from one country, USD a year."""

    device: Annotated[str, _one("goods")]
    hs_codes: str
    origin: Annotated[str, _one("origins")]
    customs_value_usd: Millions = Field(validation_alias="customs_value_musd")
    calculated_duty_usd: Millions = Field(validation_alias="calculated_duty_musd")

    key_column: ClassVar[str] = "origin"

    @property
    def keys(self) -> tuple[str, ...]:
        """One row for each device group and country."""
        return (f"{self.device} from {self.origin}",)

    @field_validator("origin")
    @classmethod
    def _is_foreign(cls, origin: str, info: ValidationInfo) -> str:
        if origin in context_of(info).homes.get("US", ()):
            raise BadCell("goods from the United States are not imports")
        return origin

    @field_validator("calculated_duty_usd")
    @classmethod
    def _is_on_something(cls, duty: float, info: ValidationInfo) -> float:
        if duty > 0 and info.data.get("customs_value_usd") == 0:
            raise BadCell("must be 0 where customs_value_musd is 0")
        return duty


class CalendarRow(SourcedRow):
    """Level of one duty instrument from `date` up to but without `ends` (None: open).

    `against` are countries of assembly and `devices` device groups or unmounted chips, all spelled
    out; `rate` is None where it is not announced. A later row of an instrument replaces an
    earlier one for the codes it names; different instruments add. `coverage` is the share of the
    trade named to which the rate applies. With `all_in` the rate includes the ordinary duty. Days
    win over months. Agents know the row from `announced`, and with `end_known` its end too; until
    it is in force they give it the probability `belief`. What is `withdrawn` never comes into
    force. A threat (`enacted` no) does neither, and has no dates.
    """

    date: Annotated[str, AfterValidator(lambda text: _month(text) if text else text)]
    ends: Annotated[str | None, BeforeValidator(lambda text: _month(text) if text else None)]
    levied_by: Annotated[str, _one("markets")]
    against: Annotated[tuple[str, ...], BeforeValidator(_against)]
    base: Annotated[str, one_of("product", "bare_chips")]
    instrument: Filled
    rate: Annotated[float | None, BeforeValidator(_rate)]
    in_2024_base: YesNo
    devices: Annotated[tuple[str, ...], BeforeValidator(_devices)]
    in_baseline: YesNo
    scope: str
    reading: str = ""
    id: str = ""
    coverage: Annotated[float, BeforeValidator(_fraction)] = 1.0
    all_in: YesOrNothing = False
    date_day: Annotated[str | None, BeforeValidator(_day)] = None
    ends_day: Annotated[str | None, BeforeValidator(_day)] = Field("", validate_default=True)
    announced: Annotated[str | None, BeforeValidator(_day_or_month)] = None
    end_known: YesOrNothing = False
    withdrawn: Annotated[str | None, BeforeValidator(_day_or_month)] = None
    belief: Annotated[float, BeforeValidator(_fraction)] = 1.0
    enacted: Annotated[bool, BeforeValidator(lambda text: _yes(text or "yes"))] = Field(
        "yes", validate_default=True
    )
    stacking_group: str = ""

    key_column: ClassVar[str] = "instrument"

    @property
    def keys(self) -> tuple[str, ...]:
        """One rate of an instrument for each market, day, device and country; one row for an id."""
        name, starts = " ".join(self.instrument.split()), format_moment(self.starts)
        lead = (
            f"{name} by {self.levied_by} {'from' if self.enacted else 'threatened from'} {starts}"
        )
        rates = tuple(f"{lead} on {d} from {o}" for o in self.against for d in self.devices)
        return (*rates, *([f"id {self.id}"] if self.id else ()))

    @property
    def starts(self) -> float:
        """Moment from which it is in force, or would be; of a threat that from which it is one."""
        return _moment(self.date_day or self.date or self.announced or "")

    @property
    def stops(self) -> float:
        """Moment from which it is no longer, infinite if it is open."""
        last = self.ends_day or self.ends
        return _moment(last) if last else math.inf

    @property
    def known_from(self) -> int:
        """Month from which agents know it."""
        return int(_moment(self.announced)) if self.announced else int(self.starts)

    @property
    def withdrawn_from(self) -> int | None:
        """Month from which agents no longer expect it; None if it is not withdrawn."""
        return int(_moment(self.withdrawn)) if self.withdrawn else None

    @property
    def is_law(self) -> bool:
        """Whether it comes into force at all: it is no threat, and is not withdrawn."""
        return self.enacted and self.withdrawn is None

    @property
    def is_certain(self) -> bool:
        """Whether agents count it in full as soon as they know it."""
        return self.is_law and self.belief == 1.0

    def as_law(self) -> CalendarRow:
        """The row as if it came into force, a threat in the month in which it is known."""
        date = self.date or format_month(self.known_from)
        return self.model_copy(update={"enacted": True, "withdrawn": None, "date": date})

    @field_validator("in_2024_base")
    @classmethod
    def _is_of_the_data(cls, in_base: bool, info: ValidationInfo) -> bool:
        market = info.data.get("levied_by", "US")
        if in_base and market != "US":
            message = "must be no where levied_by is not US: the duties of 2024 are those of the US"
            raise BadCell(message, f"yes, levied by {market}")
        return in_base

    @field_validator("devices")
    @classmethod
    def _has_base(cls, devices: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        products = [device for device in devices if device not in BARE_CHIPS]
        if products and info.data.get("base") == "bare_chips":
            hint = "name bare_chips, bare_ic or bare_discrete, or write product in the column base"
            message = (
                "names devices, although the column base says bare_chips: unmounted chips only"
            )
            raise BadCell(message, " ".join(products), hint)
        return devices

    @field_validator("all_in")
    @classmethod
    def _is_on_top(cls, all_in: bool, info: ValidationInfo) -> bool:
        if all_in and info.data.get("in_2024_base"):
            raise BadCell("must be no where in_2024_base is yes: it includes a part of itself")
        return all_in

    @field_validator("date_day", "ends_day")
    @classmethod
    def _agrees_with_month(cls, day: str | None, info: ValidationInfo) -> str | None:
        column = (info.field_name or "").removesuffix("_day")
        month = info.data.get(column)
        if day and month and day[:7] != month:
            message = f"must be in {month}, the month in the column {column}"
            raise BadCell(message, hint="days win over months: correct the one that is wrong")
        return day

    @field_validator("ends_day")
    @classmethod
    def _is_after_start(cls, day: str | None, info: ValidationInfo) -> str | None:
        starts, ends = _first(info), day or info.data.get("ends")
        if starts is not None and ends and parse_moment(ends) <= starts:
            message = f"must be after {format_moment(starts)}"
            raise BadCell(message, ends, column="ends_day" if day else "ends")
        return day

    @field_validator("announced")
    @classmethod
    def _is_before_start(cls, date: str | None, info: ValidationInfo) -> str | None:
        starts = _first(info)
        if starts is not None and date and parse_moment(date) > starts:
            raise BadCell(f"must not be after {format_moment(starts)}")
        return date

    @field_validator("withdrawn")
    @classmethod
    def _is_withdrawn_in_time(cls, date: str | None, info: ValidationInfo) -> str | None:
        starts, announced = _first(info), info.data.get("announced")
        if starts is not None and date and parse_moment(date) > starts:
            raise BadCell(f"must not be after {format_moment(starts)}")
        if announced and date and parse_moment(date) < parse_moment(announced):
            raise BadCell(f"must not be before it is announced in {announced}")
        return date

    @field_validator("enacted")
    @classmethod
    def _has_dates_if_enacted(cls, enacted: bool, info: ValidationInfo) -> bool:
        found = info.data
        if enacted and found.get("date") == "":
            raise BadCell("must be a month such as 2025-07", "", column="date")
        if enacted:
            return enacted
        given = [name for name in ("date", "ends", "date_day", "ends_day") if found.get(name)]
        if given:
            hint = f"a threat has no dates: leave {' and '.join(given)} empty"
            place = {"given": found[given[0]], "column": given[0]}
            raise BadCell("must be empty where enacted is no", hint=hint, **place)
        if found.get("announced", "") is None:
            hint = "give the month from which agents expect it"
            raise BadCell("must be given where enacted is no", "", hint, "announced")
        if found.get("in_2024_base"):
            raise BadCell("must be no where enacted is no", "yes", column="in_2024_base")
        return enacted

    @field_validator("in_baseline")
    @classmethod
    def _has_rate(cls, in_baseline: bool, info: ValidationInfo) -> bool:
        if in_baseline and info.data.get("rate", 0.0) is None:
            raise BadCell("must be no where there is no rate")
        return in_baseline


def _first(info: ValidationInfo) -> float | None:
    """Moment from which a row is in force; None where its cells are not valid."""
    date = info.data.get("date_day") or info.data.get("date")
    return parse_moment(date) if date else None


class SourceRow(RowModel):
    """One source: the id that figures cite, and the citation."""

    id: Filled
    citation: Filled

    key_column: ClassVar[str] = "id"

    @property
    def keys(self) -> tuple[str, ...]:
        """One citation for each id."""
        return (self.id,)


WIDE_TABLES: dict[str, type[RowModel]] = {
    "us_imports_2024": ImportRow,
    "tariff_calendar": CalendarRow,
    "sources": SourceRow,
}


def parse_rows(
    model: type[Model], rows: Sequence[CsvRow], codes: KnownCodes, problems: list[Problem]
) -> tuple[Model, ...]:
    """All valid rows of one table; whatever is wrong with a row is added to the problems."""
    found: list[Model] = []
    first: dict[str, int] = {}
    for row in rows:
        checked = model.of(row, problems, codes)
        if checked is None:
            continue
        found.append(checked)
        lines = {key: first.setdefault(one_name(key), row.line) for key in checked.keys}
        if taken := [key for key, line in lines.items() if line != row.line]:
            message = f"{taken[0]} is also on line {lines[taken[0]]}"
            problems.append(row.place(model.key_column).problem(message))
    return tuple(found)

"""Types and the calendar of the model. A month is counted from year 0: `12 * year + month - 1`.

A moment is the same with the part of the month that is over: a whole number where a month begins.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Float32 = NDArray[np.float32]
    Int = NDArray[np.intp]
    Int16 = NDArray[np.int16]
    Int8 = NDArray[np.int8]
    Bool = NDArray[np.bool_]
else:
    Float = Float32 = Int = Int8 = Int16 = Bool = Any

FIRST_YEAR, LAST_YEAR = 1900, 2200
_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2})|Q(?P<quarter>[1-4]))?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
DATE_FORMS = "2025, 2025Q3 or 2025-07"
DAY_FORMS = "2025, 2025Q3, 2025-07 or 2025-07-23"


def parse_month(value: object, last: bool = False) -> int:
    """Month count of a date; a year or quarter means its first month, or its last one.

    Raises:
        ValueError: the value is not a date of the forms 2025, 2025Q3, 2025-07.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 12 * FIRST_YEAR:
        if value < 12 * (LAST_YEAR + 1):
            return value
        raise ValueError(f"is not a date (allowed: {DATE_FORMS})")
    match = None if isinstance(value, (bool, float)) else _DATE.fullmatch(str(value))
    if match is None:
        raise ValueError(f"is not a date (allowed: {DATE_FORMS})")
    year = int(match["year"])
    month = int(match["month"] or 0)
    if not FIRST_YEAR <= year <= LAST_YEAR or (match["month"] and not 1 <= month <= 12):
        raise ValueError(
            f"is not a date between {FIRST_YEAR} and {LAST_YEAR} with a month 01 to 12"
        )
    if match["month"]:
        return 12 * year + month - 1
    first, length = (3 * (int(match["quarter"]) - 1), 3) if match["quarter"] else (0, 12)
    return 12 * year + first + (length - 1 if last else 0)


def format_month(month: int) -> str:
    """The month as text, such as 2025-07."""
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def parse_moment(value: object, last: bool = False) -> float:
    """The moment at which a date begins, or the month that it is: a month, quarter, year or day.

    With `last` a day gives the moment at which it is over. What begins a month, or ends with one,
    is the whole number of that month.

    Raises:
        ValueError: the value is not a date of the forms 2025, 2025Q3, 2025-07, 2025-07-23.
    """
    if isinstance(value, float):
        return value if value % 1 else parse_month(int(value), last)
    if not (isinstance(value, str) and _DAY.fullmatch(value)):
        try:
            return parse_month(value, last)
        except ValueError as error:
            raise ValueError(str(error).replace(DATE_FORMS, DAY_FORMS)) from None
    month = parse_month(value[:7])
    try:
        day = date.fromisoformat(value).day
    except ValueError:
        raise ValueError(f"is not a day of {value[:7]}") from None
    if last:
        return month if day == days_in(month) else month + day / days_in(month)
    return month if day == 1 else month + (day - 1) / days_in(month)


@cache
def days_in(month: int) -> int:
    """Days of a month."""
    return monthrange(month // 12, month % 12 + 1)[1]


def days_between(begins: float, ends: float) -> int:
    """Days from one moment to another of the same month."""
    return round((ends - begins) * days_in(int(begins)))


def part_of_month(month: int, starts: float, ends: float) -> float:
    """Part of a month's days from one moment to another, of any months."""
    begins, until = max(month, starts), min(month + 1, ends)
    return days_between(begins, until) / days_in(month) if begins < until else 0.0


def format_moment(moment: float, last: bool = False) -> str:
    """A moment as text: the day that begins then, or with `last` is over; a whole month as such."""
    month = int(moment)
    if moment == month:
        return format_month(month)
    day = round((moment - month) * days_in(month)) + (0 if last else 1)
    return f"{format_month(month)}-{day:02d}"


def later(moment: float, months: int) -> float:
    """The same day so many months later, or the last one of a month that has no such day."""
    month = int(moment)
    days = round((moment - month) * days_in(month))
    if not days:
        return month + months
    length = days_in(month + months)
    return month + months + min(days, length - 1) / length


def one_name(name: str) -> str:
    """The name of an instrument without regard to case and blanks."""
    return " ".join(name.split()).casefold()


def last_date(ends: float) -> float:
    """A moment from which something is over, as the last month or day of it (see `EndMoment`)."""
    return int(ends) - 1 if ends == int(ends) else ends

"""Types and the calendar of the model. A month is counted from year 0: `12 * year + month - 1`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Int = NDArray[np.intp]
    Bool = NDArray[np.bool_]
else:
    Float = Int = Bool = Any

FIRST_YEAR, LAST_YEAR = 1900, 2200
_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2})|Q(?P<quarter>[1-4]))?")
DATE_FORMS = "2025, 2025Q3 or 2025-07"


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

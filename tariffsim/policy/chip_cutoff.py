"""Cut-off: from a day on, for so many days, chips of some regions are not delivered."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from tariffsim.policy.fields import Text, parameter
from tariffsim.policy.restriction import RestrictionByOrigin
from tariffsim.typing import FIRST_YEAR, LAST_YEAR, format_moment, parse_moment


def _day(text: str) -> str:
    try:
        year = date.fromisoformat(text).year
    except ValueError:
        year = 0
    if len(text) != 10 or not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError("must be a day such as 2029-03-01")
    return text


class ChipCutoff(RestrictionByOrigin):
    """No deliveries of the regions' chips to lines in its scope, except under licence.

    Months that are cut in part count by days: a month delivers
    `1 - (days cut / days in month) x denied`.
    """

    without: ClassVar[tuple[str, ...]] = ("joins", *RestrictionByOrigin.without)

    kind: Literal["chip_cutoff"]
    first_day: Annotated[Text, AfterValidator(_day)] | None = parameter(
        None, "day", "First day without deliveries; the first of the first month if left out."
    )
    days: int | None = parameter(
        None, "days", "Length of the cut-off; until `end`, or open, if left out.", ge=0, le=36_525
    )

    @property
    def is_dated(self) -> bool:
        """A first day will do."""
        return self.first_day is not None or super().is_dated

    @property
    def starts(self) -> float:
        """The first day, unless a later start is given."""
        return max(parse_moment(self.first_day) if self.first_day else 0, super().starts)

    @property
    def ends(self) -> float | None:
        """So many days later, unless `end` is earlier."""
        if self.days is None:
            return super().ends
        after = date.fromisoformat(f"{format_moment(self.starts)}-01"[:10]) + timedelta(self.days)
        end, ends = super().ends, parse_moment(after.isoformat())
        return ends if end is None else min(ends, end)

"""Cut-off: from a day on, for so many days, chips of some regions are not delivered."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from tariffsim.policy.base import Restriction
from tariffsim.policy.fields import Text, parameter
from tariffsim.typing import FIRST_YEAR, LAST_YEAR


def _day(text: str) -> str:
    try:
        year = date.fromisoformat(text).year
    except ValueError:
        year = 0
    if len(text) != 10 or not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError("must be a day such as 2029-03-01")
    return text


class ChipCutoff(Restriction):
    """No deliveries of the regions' chips to lines in its scope, except under licence.

    Months that are cut in part count by days: a month delivers
    `1 - (days cut / days in month) x denied`.
    """

    without: ClassVar[tuple[str, ...]] = ("joins", *Restriction.without)

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
    def first_month(self) -> int:
        """The month of the first day, unless a later one is given."""
        day = date.fromisoformat(self.first_day) if self.first_day else None
        return max(day.year * 12 + day.month - 1 if day else 0, super().first_month)

    @property
    def first_moment(self) -> float:
        """Months, and the part of the first one that is over on the first day."""
        first = self._first
        return super().first_moment + (first.day - 1) / monthrange(first.year, first.month)[1]

    @property
    def _first(self) -> date:
        """First day without deliveries."""
        month = self.first_month
        opens = date(month // 12, month % 12 + 1, 1)
        return max(date.fromisoformat(self.first_day), opens) if self.first_day else opens

    @property
    def last_month(self) -> int | None:
        """The month of the last day without deliveries, unless `end` is earlier."""
        if self.days is None:
            return self.end
        last = self._first + timedelta(max(self.days - 1, 0))
        month = last.year * 12 + last.month - 1
        return month if self.end is None else min(month, self.end)

    def rate_expected(self, month: int, now: int, foresight: str) -> float:
        """As for all; while the last day is not known, later months count as cut as a whole."""
        last = self.last_month
        if foresight == "none" or self.end_known or last is None or not now <= last <= month:
            return super().rate_expected(month, now, foresight)
        return super().rate_in_force(last) if now >= self.known_from else 0.0

    def rate_in_force(self, month: int) -> float:
        """Share denied, times the part of the month's days that is cut."""
        rate = super().rate_in_force(month)
        return rate * self._part_cut(month) if rate else 0.0

    def _part_cut(self, month: int) -> float:
        """Part of a month's days within the cut-off."""
        length = monthrange(month // 12, month % 12 + 1)[1]
        opens = date(month // 12, month % 12 + 1, 1)
        first = self._first
        begins = (first - opens).days
        ends = length if self.days is None else (first + timedelta(self.days) - opens).days
        return max(min(ends, length) - max(begins, 0), 0) / length

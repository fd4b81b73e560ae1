"""Numbers that may change over time: a constant, or dated values (steps, or straight lines)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from tariffsim.typing import (
    FIRST_YEAR,
    LAST_YEAR,
    days_between,
    format_moment,
    format_month,
    parse_moment,
    parse_month,
)


def _parse(value: object, info: ValidationInfo, last: bool = False) -> int:
    """Month count of a date; files give text, so that a month count in a file is no date."""
    return parse_month(str(value) if from_file(info) else value, last)


def _last_month(value: object, info: ValidationInfo) -> int:
    return _parse(value, info, last=True)


def from_file(info: ValidationInfo) -> bool:
    """Whether a scenario file is being read, where only the documented forms count."""
    return bool(info.context and info.context.get("file"))


def _moment(value: object, info: ValidationInfo, last: bool = False) -> float:
    """As `_parse`, to the day."""
    return parse_moment(str(value) if from_file(info) else value, last)


def _last_moment(value: object, info: ValidationInfo) -> float:
    return _moment(value, info, last=True)


def _schema(pattern: str, unit: str) -> WithJsonSchema:
    year = {"type": "integer", "minimum": FIRST_YEAR, "maximum": LAST_YEAR}
    return WithJsonSchema({"anyOf": [{"type": "string", "pattern": pattern}, year], "unit": unit})


MONTH, TO_THE_DAY = r"^\d{4}(-\d{2}|Q[1-4])?$", r"^\d{4}(-\d{2}(-\d{2})?|Q[1-4])?$"
_as_text = PlainSerializer(format_month, return_type=str)
_as_day = PlainSerializer(format_moment, return_type=str)
_as_last_day = PlainSerializer(lambda moment: format_moment(moment, last=True), return_type=str)
_month, _day = _schema(MONTH, "month"), _schema(TO_THE_DAY, "month or day")
Date = Annotated[int, BeforeValidator(_parse), _as_text, _month]
EndDate = Annotated[int, BeforeValidator(_last_month), _as_text, _month]
Moment = Annotated[int | float, BeforeValidator(_moment), _as_day, _day]
"""A month, or a month and the part of it that is over."""
EndMoment = Annotated[int | float, BeforeValidator(_last_moment), _as_last_day, _day]
"""A last month, or the moment at which a last day is over."""

Joins = dict[str, Date]
"""First months by market."""


class TimePath(BaseModel):
    """A value over time: steps or straight lines; flat before the first date and after the last.

    Dates are months or days; a month in which a step lies has the mean of its days.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )

    months: tuple[int | float, ...] = ()
    values: tuple[float, ...]
    interpolate: Literal["step", "linear"] = "step"

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, data: Any, info: ValidationInfo) -> Any:
        """Accept a number, or a mapping of dates to numbers with an optional `interpolate`."""
        if isinstance(data, bool) or not isinstance(data, (int, float, dict)):
            raise ValueError("must be a number, or dates with numbers")
        if not isinstance(data, dict):
            return {"values": (_number(data),)}
        if "values" in data and not from_file(info):
            return data
        points = {k: v for k, v in data.items() if k != "interpolate"}
        if not points:
            raise ValueError("must have at least one date, such as {2026-01: 0.25}")
        months, values = zip(*_dated(points), strict=True)
        return {
            "months": months,
            "values": values,
            "interpolate": data.get("interpolate", "step"),
        }

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        months = self.months
        if any(a >= b for a, b in pairwise(months)):
            raise ValueError("must have its months in order, each once")
        if len(self.values) != max(len(months), 1):
            raise ValueError("must have one value for each month")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> Any:
        """A number, or dates with numbers: what files hold, not what is inside."""
        dated = {
            "type": "object",
            "patternProperties": {TO_THE_DAY: {"type": "number"}},
            "properties": {"interpolate": {"enum": ["step", "linear"]}},
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "number"}, dated]}

    @model_serializer
    def _to_yaml(self) -> float | dict[str, Any]:
        if not self.months:
            return self.values[0]
        points: dict[str, Any] = {
            format_moment(m): v for m, v in zip(self.months, self.values, strict=True)
        }
        return points if self.interpolate == "step" else points | {"interpolate": "linear"}

    @property
    def first_moment(self) -> float | None:
        """The first date, None for a constant."""
        return self.months[0] if self.months else None

    def at(self, month: int) -> float:
        """Mean over a month; the first value before the first date."""
        return self.over(month, month + 1)

    def over(self, begin: float, end: float) -> float:
        """Mean from one moment to a later one of the same month."""
        inside = [m for m in self.months if begin < m < end]
        if self.interpolate == "linear":  # a month has one value, also a part of it
            return self.from_date(int(begin))
        if not inside:
            return self.from_date(begin)
        bounds = [begin, *inside, end]
        parts = (days_between(a, b) * self.from_date(a) for a, b in pairwise(bounds))
        return sum(parts) / days_between(begin, end)

    def from_date(self, moment: float) -> float:
        """Value from a moment on."""
        after = bisect_right(self.months, moment)
        if after == 0:
            return self.values[0]
        if after == len(self.months) or self.interpolate == "step":
            return self.values[after - 1]
        m0, m1 = self.months[after - 1], self.months[after]
        v0, v1 = self.values[after - 1], self.values[after]
        return v0 + (v1 - v0) * (moment - m0) / (m1 - m0)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value - value != 0:
        raise ValueError("must be a number")
    return float(value)


def _dated(points: Mapping[Any, object]) -> list[tuple[float, float]]:
    """Months and values in order; all that is wrong with any of them is raised at once."""
    found: dict[float, float] = {}
    wrong: list[InitErrorDetails] = []
    for date, value in points.items():
        for problem in _point(found, date, value):
            error = PydanticCustomError("value_error", "Value error, {error}", {"error": problem})
            wrong.append({"type": error, "loc": (str(date),), "input": value})
    if wrong:
        raise ValidationError.from_exception_data("TimePath", wrong)
    return sorted(found.items())


def _point(found: dict[float, float], date: Any, value: object) -> Iterator[str]:
    month = None
    try:
        month = parse_moment(str(date))
    except ValueError as error:
        yield str(error)
    try:
        number = _number(value)
    except ValueError as error:
        yield str(error)
        return
    if month in found:
        yield f"gives {format_moment(month)} a second value"
    elif month is not None:
        found[month] = number

"""Numbers that may change over time: a constant, or dated values (steps, or straight lines)."""

from __future__ import annotations

from bisect import bisect_right
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_serializer,
    model_validator,
)

from tariffsim.typing import format_month, parse_month


def _first_month(value: object) -> int:
    return parse_month(value)


def _last_month(value: object) -> int:
    return parse_month(value, last=True)


_as_text = PlainSerializer(format_month, return_type=str)
_schema: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "integer"}], "unit": "month"}

Date = Annotated[
    int, BeforeValidator(_first_month), _as_text, Field(json_schema_extra={"unit": "month"})
]
EndDate = Annotated[
    int, BeforeValidator(_last_month), _as_text, Field(json_schema_extra={"unit": "month"})
]


class Path(BaseModel):
    """A value over time; steps unless `interpolate: linear`; flat before the first and after the last."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    months: tuple[int, ...] = ()
    values: tuple[float, ...]
    interpolate: Literal["step", "linear"] = "step"

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, data: Any) -> Any:
        """Accept a number, or a mapping of dates to numbers with an optional `interpolate`."""
        if isinstance(data, bool) or not isinstance(data, (int, float, dict)):
            raise ValueError("must be a number, or dates with numbers")
        if not isinstance(data, dict):
            return {"values": (float(data),)}
        if "values" in data:
            return data
        points = {k: v for k, v in data.items() if k != "interpolate"}
        if not points:
            raise ValueError("has no dates")
        for date, value in points.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ValueError(f"the value at {date} must be a number")
        dated = sorted((parse_month(date), float(value)) for date, value in points.items())
        if len({month for month, _ in dated}) < len(dated):
            raise ValueError("has two values for one month")
        months, values = zip(*dated, strict=True)
        return {
            "months": months,
            "values": values,
            "interpolate": data.get("interpolate", "step"),
        }

    @model_serializer
    def _to_yaml(self) -> float | dict[str, Any]:
        if not self.months:
            return self.values[0]
        points: dict[str, Any] = {
            format_month(m): v for m, v in zip(self.months, self.values, strict=True)
        }
        return points if self.interpolate == "step" else points | {"interpolate": "linear"}

    @property
    def first_month(self) -> int | None:
        """The first dated month, None for a constant."""
        return self.months[0] if self.months else None

    def at(self, month: int) -> float:
        """Value in a month; the first value before the first date."""
        after = bisect_right(self.months, month)
        if after == 0:
            return self.values[0]
        if after == len(self.months) or self.interpolate == "step":
            return self.values[after - 1]
        m0, m1 = self.months[after - 1], self.months[after]
        v0, v1 = self.values[after - 1], self.values[after]
        return v0 + (v1 - v0) * (month - m0) / (m1 - m0)

    def scaled(self, factor: float) -> Self:
        """The same path with all values multiplied."""
        return self.model_copy(update={"values": tuple(factor * v for v in self.values)})

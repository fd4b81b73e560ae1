"""Types of the fields of instruments, and what is said of them once for all."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

# Controls but tab and line feed, other line breaks, and marks that reorder or hide text.
BAD_CHARACTER = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\uffff\ud800-\udfff]"
)


FORM = "component_tariff in force for 6 months"
_CONDITION = re.compile(
    r"(?P<of>[a-z][a-z0-9_]{0,39}) in force(?: for (?P<months>\d{1,3}) months?)?"
)


def condition(text: str) -> tuple[str, int]:
    """The policy (or kind) that a condition names, and for how many months it must be in force.

    Raises:
        ValueError: it does not read like FORM.
    """
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise ValueError(f"must read like `{FORM}`")
    return match["of"], int(match["months"] or 0)


def _as_tuple(value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value
    return tuple(value) if isinstance(value, list) else value


def _as_scope(value: Any) -> Any:
    return None if value == "all" else _as_tuple(value)


def _as_code(value: Any) -> Any:
    return str(value) if type(value) is int else value  # a number of the HS is a code, not a count


def _plain_text(text: str) -> str:
    if bad := BAD_CHARACTER.search(text):
        raise ValueError(f"must not hold the character U+{ord(bad.group()):04X}")
    return text


def _as_condition(text: str) -> str:
    condition(text)
    return text


Text = Annotated[str, AfterValidator(_plain_text)]
Code = Annotated[Text, BeforeValidator(_as_code), Field(min_length=1, max_length=40)]
LongCode = Annotated[Text, BeforeValidator(_as_code), Field(min_length=1, max_length=80)]
Condition = Annotated[Text, AfterValidator(_as_condition)]
Name = Annotated[Text, Field(min_length=1, max_length=200)]
NameList = Annotated[tuple[Name, ...], BeforeValidator(_as_tuple)]
CodeList = Annotated[tuple[Code, ...], BeforeValidator(_as_tuple)]
LongCodes = Annotated[tuple[LongCode, ...], BeforeValidator(_as_tuple)]
Scope = Annotated[
    tuple[Code, ...] | None,
    BeforeValidator(_as_scope),
    PlainSerializer(lambda codes: "all" if codes is None else codes, when_used="json"),
    WithJsonSchema({"anyOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}}]}),
]


def rate_field(
    description: str, least: float = 0.0, most: float = 5.0, unit: str = "fraction"
) -> Any:
    """A field holding a strength over time, with the least and most that it may be."""
    return Field(description=description, json_schema_extra={"unit": unit, "ge": least, "le": most})


def parameter(
    default: Any,
    unit: str,
    description: str,
    low: float | None = None,
    high: float | None = None,
    source: str = "",
    **bounds: Any,
) -> Any:
    """A field with its unit, meaning, source and, where uncertain, the range it is swept over.

    A default of `...` says that it must be given.
    """
    extra: dict[str, Any] = {"unit": unit} | ({"source": source} if source else {})
    extra |= {"low": low, "high": high} if low is not None else {}
    if callable(default):  # a dated path: every value is held to the bounds
        extra |= bounds
        return Field(default_factory=default, description=description, json_schema_extra=extra)
    return Field(default=default, description=description, json_schema_extra=extra, **bounds)


def codes_field(description: str, table: str, default: tuple[str, ...] | None = None) -> Any:
    """A field holding codes of a data table; None, in files `all`, means all of them."""
    return Field(
        default=default, description=description, json_schema_extra={"unit": "code", "table": table}
    )


OF_DUTIES = ("coverage", "stacking_group", "replaces")
"""Fields that only duties have."""
ASSEMBLY_SCOPE = ("assembly_countries", "exempt_assembly_countries", *OF_DUTIES)
"""Fields of the scope that only duties on products have."""
DEVICE_SCOPE = ("devices", "exempt_devices")
WHOLE_SCOPE = ("markets", "joins", *DEVICE_SCOPE, *ASSEMBLY_SCOPE)

"""Every parameter a scenario has: key, unit, meaning, range, default, source; and JSON Schema.

The schema (draft-07 vocabulary) is for editors.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.policy.time_path import TimePath
from tariffsim.scenario.run_blocks import Source
from tariffsim.scenario.scenario import Scenario
from tariffsim.typing import DATE_FORMS, DAY_FORMS, format_month

WORDS = {bool: "true or false", str: "text", int: "whole number", float: "number"}


@dataclass(frozen=True)
class Parameter:
    """One parameter and what may stand there."""

    key: str
    unit: str
    description: str
    default: Any
    is_required: bool = False
    least: float | None = None
    most: float | None = None
    above: float | None = None
    choices: tuple[str, ...] = ()
    table: str = ""
    is_path: bool = False
    kind: str = ""
    """What type of value: number, whole number, true or false, text, date, dates by market, codes,
    list of names, keys."""
    low: float | None = None
    high: float | None = None
    source: str = ""

    def holds(self, number: float) -> bool:
        """Whether a number is within the bounds."""
        return (
            (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
        )

    @property
    def allowed(self) -> str:
        """The range in words."""
        if self.choices:
            return " or ".join(self.choices)
        if self.least is not None and self.most is not None:
            return f"{self.least:.12g} to {self.most:.12g}"
        if self.above is not None:
            return f"above {self.above:.12g}" + (f", at most {self.most:.12g}" if self.most else "")
        if self.least is not None:
            return f"at least {self.least:.12g}"
        dates = DATE_FORMS if self.unit == "month" else DAY_FORMS
        return {"date": dates, "codes": f"codes of {self.table}"}.get(self.kind, self.kind)


BY_MARKET = "month by market"


def parameter_of(model: type[BaseModel], name: str, prefix: str = "") -> Parameter:
    """The parameter that a field of a model describes."""
    info = model.model_fields[name]
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    arguments = _arguments(info.annotation)
    is_path = TimePath in arguments
    bounds: dict[str, Any] = {k: extra[k] for k in ("ge", "le", "gt") if k in extra}
    for rule in info.metadata:
        bounds |= {k: getattr(rule, k) for k in ("ge", "le", "gt") if hasattr(rule, k)}
    kind = next((word for kind, word in WORDS.items() if kind in arguments), "")
    unit = str(extra.get("unit") or kind)
    choices = tuple(str(a) for a in arguments if isinstance(a, (str, int)))
    return Parameter(
        key=f"{prefix}{name}",
        unit="choice" if choices else unit,
        description=info.description or "Which instrument it is.",
        default=_default(info, unit),
        is_required=info.is_required(),
        least=bounds.get("ge"),
        most=bounds.get("le"),
        above=bounds.get("gt"),
        choices=choices,
        table=str(extra.get("table", "")),
        is_path=is_path,
        kind=_kind(unit, is_path, "table" in extra, kind),
        low=extra.get("low"),  # type: ignore[arg-type]
        high=extra.get("high"),  # type: ignore[arg-type]
        source=str(extra.get("source", "")),
    )


def _kind(unit: str, is_path: bool, is_codes: bool, kind: str) -> str:
    if is_path:
        return "number or dated numbers"
    dates = {"month": "date", "month or day": "date"}
    words = dates | {BY_MARKET: "dates by market", "names": "list of names"}
    return words.get(unit, "codes" if is_codes else kind)


def _arguments(annotation: Any) -> list[Any]:
    """All types and choices an annotation is made of, in order."""
    return [annotation, *(found for a in get_args(annotation) for found in _arguments(a))]


def _default(info: FieldInfo, unit: str) -> Any:
    value = info.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return None
    return format_month(value) if unit == "month" and isinstance(value, int) else value


@lru_cache(maxsize=1)
def blocks() -> dict[str, Parameter]:
    """Parameters outside the policies, by key."""
    found = {}
    for name, info in Scenario.model_fields.items():
        model = info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for field in model.model_fields:
                of = parameter_of(model, field, f"{name}.")
                found[of.key] = replace(of, source=of.source or "assumption")
        elif name in ("schema_version", "title", "label", "description"):
            found[name] = parameter_of(Scenario, name)
    return found


@lru_cache(maxsize=64)
def of_instrument(kind: str) -> dict[str, Parameter]:
    """Parameters of one kind of policy, by field."""
    model = INSTRUMENTS[kind]
    return {field: parameter_of(model, field) for field in model.model_fields}


def of_policy(policy: Instrument) -> dict[str, Parameter]:
    """Parameters of a policy; bounds and unit of its path may depend on its other fields."""
    found, field = of_instrument(policy.kind), policy.path_field
    least, most, unit = policy.limits
    return found | {field: replace(found[field], least=least, most=most, unit=unit)}


@lru_cache(maxsize=1)
def of_source() -> dict[str, Parameter]:
    """What an entry of `sources` has."""
    return {field: parameter_of(Source, field) for field in Source.model_fields}


def parameters() -> tuple[Parameter, ...]:
    """Every parameter of a scenario; those of policies as `policies.<kind>.<field>`."""
    of_policies = (
        parameter_of(model, field, f"policies.<{kind}>.")
        for kind, model in INSTRUMENTS.items()
        for field in model.model_fields
    )
    return (*blocks().values(), *of_policies)


def find(keys: Sequence[str], kind: str = "") -> Parameter | None:
    """The parameter at a path of keys; `kind` says which policy stands there."""
    if len(keys) >= 3 and keys[0] == "policies":
        return of_instrument(kind).get(keys[2]) if kind in INSTRUMENTS else None
    if len(keys) >= 3 and keys[0] == "sources":
        return of_source().get(keys[2])
    return blocks().get(".".join(keys[:2])) or blocks().get(keys[0] if keys else "")


def names_under(keys: Sequence[str], kind: str = "") -> tuple[str, ...]:
    """The keys allowed in the mapping at a path of keys; none where any name is allowed."""
    if not keys:
        return (*Scenario.model_fields, "extends", "combine")
    if keys[0] == "policies" and len(keys) == 2:
        return tuple(of_instrument(kind)) if kind in INSTRUMENTS else ()
    if keys[0] == "sources" and len(keys) == 2:
        return tuple(of_source())
    return tuple(key.split(".")[1] for key in blocks() if key.startswith(f"{keys[0]}."))


_DRAFT = "http://json-schema.org/draft-07/schema#"
_NULL = {"type": "null"}
_BASES = {
    "extends": {"type": "string", "description": "A shipped scenario or a file that it builds on."},
    "combine": {
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "description": "Several scenarios or files whose differences are merged into it in order.",
    },
}


def json_schema() -> dict[str, Any]:
    """The schema: nothing is required, since a file may build on another; null is the default."""
    schema = Scenario.model_json_schema(ref_template="#/definitions/{model}")
    definitions = {name: _open(d) for name, d in sorted(schema.pop("$defs").items())}
    kinds = {model.__name__: kind for kind, model in INSTRUMENTS.items()}
    schema = _open(schema)
    schema["properties"]["policies"] = _policies(schema["properties"]["policies"], kinds)
    return {
        "$schema": _DRAFT,
        "$id": "scenario-1.json",
        "title": "tariffsim scenario",
        "type": "object",
        "additionalProperties": False,
        "properties": _BASES | schema["properties"],
        "definitions": definitions,
    }


def schema_text() -> str:
    """The schema as it is stored."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _policies(described: dict[str, Any], kinds: dict[str, str]) -> dict[str, Any]:
    """Policies by name; the fields of each depend on its kind."""
    rules = [
        {
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": {"$ref": f"#/definitions/{name}"},
        }
        for name, kind in kinds.items()
    ]
    kind = {"enum": list(kinds.values()), "description": "Which instrument it is."}
    return {
        "description": described["description"],
        "type": ["object", "null"],
        "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,39}$"},
        "additionalProperties": {
            "type": ["object", "null"],
            "properties": {"kind": kind},
            "allOf": rules,
        },
    }


def _open(model: dict[str, Any]) -> dict[str, Any]:
    """A model of which any part may be left out or null."""
    found = {k: v for k, v in model.items() if k not in ("required", "discriminator")}
    if "properties" in found:
        found["properties"] = {name: _or_null(field) for name, field in found["properties"].items()}
    return found


def _or_null(field: dict[str, Any]) -> dict[str, Any]:
    words = ("description", "default", "unit", "source", "low", "high", "table")
    about = {k: v for k, v in field.items() if k in words and v is not None}
    rule = {k: v for k, v in field.items() if k not in (*words, "title")}
    rules = rule.pop("anyOf") if set(rule) == {"anyOf"} else [rule]
    return about | {"anyOf": [*(r for r in rules if r != _NULL), _NULL]}

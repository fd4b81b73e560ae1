"""JSON Schema of scenario files (draft-07 vocabulary), for editors."""

from __future__ import annotations

import json
from typing import Any

from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario.scenario import Scenario

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

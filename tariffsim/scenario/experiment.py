"""The `experiment` block: what a sweep varies, and in which design."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from tariffsim.policy.fields import Text
from tariffsim.scenario.blocks import Block, parameter

Value = float | int | str | bool
MOST_VALUES = 10_000


def _spread(given: Any) -> Any:
    """What a key is varied over, as written: a text, or one or several values."""
    values = given if isinstance(given, (list, tuple)) else (given,)
    if not 0 < len(values) <= MOST_VALUES:
        raise ValueError(f"must have 1 to {MOST_VALUES:,} values")
    for value in values:
        if not isinstance(value, (str, int, float)):
            raise ValueError("must be values, `start:stop:step`, `low:high` or `range`")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("must have finite numbers only")
    return given if isinstance(given, str) else tuple(values)


_scalar = {"type": ["number", "string", "boolean"]}
Spread = Annotated[
    str | tuple[Value, ...],
    BeforeValidator(_spread),
    WithJsonSchema({"anyOf": [_scalar, {"type": "array", "items": _scalar, "minItems": 1}]}),
]
Key = Annotated[Text, Field(min_length=1, max_length=200)]


class Experiment(Block):
    """What `sweep` and `sensitivity` vary; it changes nothing in the scenario itself."""

    vary: dict[Key, Spread] = parameter(
        dict,
        "values by key",
        "What is varied: keys with a list of values, `start:stop:step`, `low:high`, or `range` for "
        "the plausible range.",
    )
    design: Literal["grid", "lhs", "sobol"] = parameter(
        "grid",
        "choice",
        "All combinations of values, a Latin hypercube, or a Sobol sequence.",
    )
    points: int | None = parameter(
        None, "points", "Points of a Latin hypercube or Sobol design.", ge=1, le=1_000_000
    )
    seeds: int | None = parameter(
        None, "runs", "Replications at every point; run.seeds if left out.", ge=1, le=100_000
    )

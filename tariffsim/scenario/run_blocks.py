"""Blocks of a scenario on the run itself: months, agents, sources, what experiments vary."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from tariffsim.policy.fields import CodeList, Text, codes_field, parameter
from tariffsim.policy.time_path import Date, EndDate

PositiveShare = Annotated[float, Field(gt=0, le=1)]
Value = float | int | str | bool
MOST_VALUES = 10_000


def block(model: type[BaseModel], description: str) -> Any:
    """A field that holds a block, which is all defaults if left out."""
    return Field(default_factory=model, description=description)


class Block(BaseModel):
    """A block of fields: frozen; unknown fields are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )


class Run(Block):
    """Which months are simulated, and how often."""

    start: Date = parameter(2025 * 12, "month", "First month simulated; the base year precedes it.")
    end: EndDate = parameter(2030 * 12 + 11, "month", "Last month simulated.")
    seeds: int = parameter(
        20,
        "runs",
        "Replications, each with its own random draws. `compare` takes as many as its precision "
        "needs unless a scenario writes this number.",
        ge=1,
        le=100_000,
    )
    seed: int = parameter(0, "number", "The first seed; the others follow it.", ge=0, le=2**31)


class Agents(Block):
    """Numbers of agents: resolution, not economics."""

    makers: int = parameter(
        1200, "lines", "Device makers (product lines) in all.", ge=1, le=5_000_000
    )
    focus: CodeList = codes_field(
        "Markets in focus: their lines are the finest, and may split.", "markets", ("US",)
    )
    other_markets_weight: PositiveShare = parameter(
        0.2, "ratio", "Lines of a market out of focus, relative to one in focus.", 0.05, 1.0
    )
    trade_tail: float = parameter(
        0.01, "fraction of what a market buys of a device",
        "The smallest countries that together carry at most so much are left out.", 0.0, 0.03,
        ge=0, le=0.5,
    )  # fmt: skip
    least_lines: int = parameter(
        0, "lines", "Fewest lines of a device that are sold in markets in focus.", ge=0, le=100_000
    )
    importers_min: int = parameter(
        30, "importers",
        "Fewest importers of one device into one market; never more than its flows.", ge=1, le=1000,
    )  # fmt: skip
    importers_max: int = parameter(
        60, "importers", "Most importers of one device into one market.", ge=1, le=1000
    )
    size_pareto: float = parameter(
        1.6, "exponent", "Pareto exponent of the sizes of lines.", 1.2, 2.5, gt=0.5, le=10
    )
    size_limit: float = parameter(
        100.0, "ratio", "Largest line of a cell relative to the smallest.", gt=1, le=1e6
    )


class Source(Block):
    """Where figures come from."""

    cite: Text = Field(min_length=1, max_length=2000, description="The citation.")
    quality: Literal["data", "seen", "assumption"] = Field(
        description="How reliable the figures are."
    )
    keys: CodeList = Field(
        default=(), description="Key paths of the values that it supports, besides policies."
    )


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
        "grid", "choice", "A grid of all values, a Latin hypercube, or a Sobol sequence."
    )
    points: int | None = parameter(
        None, "points", "Points of a Latin hypercube or Sobol design.", ge=1, le=1_000_000
    )
    seeds: int | None = parameter(
        None, "runs", "Replications at every point; run.seeds if left out.", ge=1, le=100_000
    )

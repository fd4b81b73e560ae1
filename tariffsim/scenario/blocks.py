"""Blocks of a scenario: every number with its bounds, unit, meaning, source and range."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tariffsim.policy.fields import CodeList, Text
from tariffsim.policy.time_path import Date, EndDate


def parameter(
    default: Any,
    unit: str,
    description: str,
    low: float | None = None,
    high: float | None = None,
    source: str = "assumption",
    **bounds: Any,
) -> Any:
    """A field with its meaning, unit, source and, where uncertain, the range it is swept over."""
    extra: dict[str, Any] = {"unit": unit, "source": source}
    if low is not None:
        extra |= {"low": low, "high": high}
    if callable(default):  # a dated path: every value is held to the bounds
        extra |= bounds
        return Field(default_factory=default, description=description, json_schema_extra=extra)
    return Field(default=default, description=description, json_schema_extra=extra, **bounds)


class Block(BaseModel):
    """A block of fields: frozen, and refusing what it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )


class Run(Block):
    """Which months are simulated, and how often."""

    start: Date = parameter(
        2025 * 12, "month", "First month simulated; the base year stands before it."
    )
    end: EndDate = parameter(2030 * 12 + 11, "month", "Last month simulated.")
    seeds: int = parameter(20, "runs", "Replications, each with its own draws.", ge=1, le=100_000)
    seed: int = parameter(0, "number", "The first seed; the others follow it.", ge=0, le=2**31)


class Agents(Block):
    """Numbers of agents: resolution, not economics."""

    makers: int = parameter(
        1200, "lines", "Device makers (product lines) in all.", ge=1, le=5_000_000
    )
    importers_min: int = parameter(
        5, "importers", "Fewest importers of one device into one market.", ge=1, le=1000
    )
    importers_max: int = parameter(
        10, "importers", "Most importers of one device into one market.", ge=1, le=1000
    )
    size_pareto: float = parameter(
        1.6, "exponent", "Pareto exponent of the sizes of lines.", 1.2, 2.5, gt=0.5, le=10
    )
    size_limit: float = parameter(
        100.0, "ratio", "Largest line of a cell relative to the least.", gt=1, le=1e6
    )


class Trade(Block):
    """Prices, duties and pass-through (MODEL 4.4)."""

    tariffs_in_force: bool = parameter(
        True, "yes or no", "Whether the duties of the tariff calendar apply.", source="S12 S13 S34"
    )
    base_duties: Literal["observed", "before_301"] = parameter(
        "observed",
        "choice",
        "Duties of the base year: those of 2024, or as before 2018, when China paid what Japan "
        "does; the calendar's rows of 2018 and 2019 then come on top.",
        source="S1",
    )
    origin_rule: Literal["fab", "packaging", "owner"] = parameter(
        "fab",
        "choice",
        "What the law takes for the origin of a chip: place of its fab, of its packaging, or the "
        "owner; shares by region are in the table origin_rules.",
    )
    markup: float = parameter(
        0.15, "fraction", "Mark-up of makers on unit cost.", 0.05, 0.3, ge=0, le=5
    )
    border_pass_through: float = parameter(
        0.95,
        "fraction",
        "Part of a new duty that the maker does not rebate.",
        0.86,
        1.0,
        "S18 S19",
        ge=0,
        le=1,
    )
    freight: float = parameter(
        0.03,
        "fraction",
        "Freight and insurance relative to ex-works price.",
        0.02,
        0.06,
        ge=0,
        le=1,
    )
    retail_margin: float = parameter(
        0.40, "fraction", "Retail margin relative to base landed cost.", 0.2, 0.6, ge=0, le=5
    )
    importer_profit: float = parameter(
        0.05, "fraction", "Part of base landed cost that is importers' profit.", 0, 0.1, ge=0, le=5
    )
    pass_through: float = parameter(
        0.90,
        "fraction",
        "Long-run part of a duty passed on to consumers.",
        0.6,
        1.0,
        "S18 S20",
        ge=0,
        le=1,
    )
    pass_through_months: float = parameter(
        18.0, "months", "Time constant of passing on a duty.", 6, 30, "S20", ge=1, le=240
    )
    order_adjustment: float = parameter(
        0.25, "fraction a month", "Speed of orders towards desired orders.", 0.1, 1, gt=0, le=1
    )
    front_loading_months: float = parameter(
        3.0,
        "months",
        "Most months of sales that importers buy ahead of a duty rise; 0 is none.",
        1,
        6,
        ge=0,
        le=12,
    )
    carrying_cost: float = parameter(
        0.02,
        "fraction a month",
        "Cost of holding products, of their value.",
        0.01,
        0.03,
        gt=0,
        le=1,
    )
    chip_content_growth: float = parameter(
        0.02, "per year", "Growth of chips in a unit.", 0, 0.05, ge=-0.5, le=1
    )
    ai_chip_uplift: float = parameter(
        0.15,
        "fraction",
        "Additional chips in an AI-enabled unit of a device that can be one.",
        0,
        0.4,
        ge=0,
        le=5,
    )
    growth_factor: float = parameter(
        1.0, "ratio", "Factor on the growth of device demand of every market.", 0, 2, ge=0, le=10
    )


class OtherBuyers(Block):
    """Buyers of chips outside the device groups."""

    elasticity: float = parameter(
        2.0, "elasticity", "Elasticity of substitution between foundries.", 1, 4, "S32", ge=0, le=50
    )
    adjustment: float = parameter(
        1 / 24,
        "fraction a month",
        "Speed towards the desired mix of foundries.",
        1 / 48,
        1 / 6,
        gt=0,
        le=1,
    )


class Source(Block):
    """Where figures come from."""

    cite: Text = Field(min_length=1, max_length=2000, description="The citation.")
    quality: Literal["data", "seen", "assumption"] = Field(description="How firm the figures are.")
    keys: CodeList = Field(
        default=(), description="Key paths of the values it is the source of, besides policies."
    )

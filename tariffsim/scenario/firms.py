"""Blocks of a scenario on how foundries and device makers decide."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.time_path import TimePath
from tariffsim.scenario.blocks import Block, parameter


class Supply(Block):
    """Foundries: capacity, cost, price (MODEL 4.1)."""

    china_capacity_share: TimePath = parameter(
        lambda: TimePath(months=(24300, 24371), values=(0.30, 0.40), interpolate="linear"),
        "fraction",
        "China's planned share of foundational capacity (range: of its last value).",
        0.35,
        0.45,
        "S3 S31",
        ge=0.01,
        le=0.95,
    )
    china_price_discount: TimePath = parameter(
        lambda: TimePath(months=(24300, 24371), values=(0.20, 0.30), interpolate="linear"),
        "fraction",
        "How much cheaper Chinese chips are, before slack capacity (range: of the last value).",
        0.20,
        0.35,
        "S31",
        ge=0,
        le=0.9,
    )
    discount_cost_share: float = parameter(
        0.40, "fraction", "Part of the discount that is a cost advantage.", 0.2, 0.6, ge=0, le=1
    )
    discount_subsidy_share: float = parameter(
        0.35, "fraction", "Part of the discount that is public money.", 0.15, 0.6, ge=0, le=1
    )
    investment: Literal["planned", "responsive"] = parameter(
        "responsive", "choice", "How capacity outside China grows: as planned, or by margins."
    )
    investment_hurdle: float = parameter(
        0.10,
        "fraction",
        "Operating margin below which foundries close capacity.",
        0.05,
        0.15,
        ge=-1,
        le=1,
    )
    closure_months: int = parameter(
        6, "months", "Months from the decision to close until capacity is gone.", ge=1, le=60
    )
    capital_cost_share: float = parameter(
        0.45, "fraction", "Part of the cost of a wafer that is capital.", 0.35, 0.55, ge=0, le=1
    )
    plan_response: float = parameter(
        0.0, "fraction", "How far idle lines slow China's plan.", 0, 1, ge=0, le=1
    )
    capacity_growth_factor: float = parameter(
        1.0, "ratio", "Factor on the growth of capacity outside China.", 0.5, 1.5, ge=0, le=5
    )
    learning: float = parameter(
        0.08,
        "fraction",
        "Fall of unit cost for each doubling of experience.",
        0.03,
        0.20,
        "S29",
        ge=0,
        le=0.5,
    )
    learning_spillover: float = parameter(
        0.33,
        "fraction",
        "Weight of everybody else's output in experience.",
        0,
        0.6,
        "S29",
        ge=0,
        le=1,
    )
    experience_years: float = parameter(
        10.0, "years", "Years of base output already learned from.", 5, 20, ge=0.5, le=100
    )
    utilisation_price_response: float = parameter(
        0.5,
        "log price per unit of utilisation",
        "Response of price to utilisation (chi).",
        0,
        1,
        ge=0,
        le=5,
    )
    price_adjustment: float = parameter(
        0.15,
        "fraction a month",
        "Speed of posted prices towards their target.",
        0.05,
        0.5,
        ge=0,
        le=1,
    )
    variable_cost_share: float = parameter(
        0.5, "fraction", "Part of foundry cost that varies with output.", 0.3, 0.7, ge=0, le=1
    )


class Sourcing(Block):
    """How a maker chooses a foundry (MODEL 4.2)."""

    elasticity: float = parameter(
        4.0,
        "elasticity",
        "Long-run elasticity of substitution between foundries (sigma).",
        2,
        8,
        "S32",
        ge=0,
        le=50,
    )
    size_term: float = parameter(
        1.0, "elasticity", "How far more capacity means more choices (omega).", 0, 1, ge=0, le=2
    )
    assembly_odds: float = parameter(
        3.0,
        "odds",
        "Odds of a Chinese chip in a line assembled in China against elsewhere.",
        1,
        8,
        "S5 S6",
        ge=1,
        le=100,
    )
    opening_factor: float = parameter(
        1.0,
        "ratio",
        "Factor on the rate at which designs and drop-in slots open.",
        0.5,
        2,
        gt=0,
        le=5,
    )
    pin_compatible_hazard: float = parameter(
        1 / 6,
        "per month",
        "Rate at which a drop-in slot opens by itself.",
        1 / 12,
        1 / 3,
        ge=0,
        le=1,
    )
    pin_compatible_requalification_months: int = parameter(
        2, "months", "Months until a new drop-in supplier delivers.", ge=1, le=60
    )
    pin_compatible_cost_share: float = parameter(
        0.05,
        "fraction",
        "Requalification cost of a drop-in part relative to others.",
        0,
        0.2,
        ge=0,
        le=1,
    )
    discount_rate: float = parameter(
        0.08, "per year", "Discount rate of makers (rho).", 0.04, 0.15, ge=0, le=1
    )
    switching_cost_cap: float = parameter(
        1000.0, "ratio", "Largest switching cost relative to a design's chip bill.", ge=0, le=1e6
    )
    foresight: Literal["announced", "none"] = parameter(
        "announced",
        "choice",
        "Whether measures count from their announcement, or only when in force.",
    )


class Assembly(Block):
    """How a maker chooses a country of assembly (MODEL 4.3)."""

    elasticity: float = parameter(
        6.0, "elasticity", "Elasticity between countries of assembly.", 3, 9, ge=0, le=50
    )
    hazard: float = parameter(
        1 / 48,
        "per month",
        "Rate at which a line reconsiders its country.",
        1 / 96,
        1 / 24,
        ge=0,
        le=1,
    )
    relocation_cost: float = parameter(
        0.10, "fraction", "Cost of moving, relative to lifetime value.", 0.05, 0.25, ge=0, le=100
    )
    lead_months: int = parameter(
        12, "months", "Months until a moved line delivers.", 6, 24, ge=1, le=60
    )


class Orders(Block):
    """Orders, stocks and who gets what is scarce (MODEL 4.6)."""

    stock_factor: float = parameter(
        1.0,
        "ratio",
        "Factor on the days of chips that makers hold; 0 is none.",
        0.5,
        2,
        ge=0,
        le=20,
    )
    second_source_factor: float = parameter(
        1.0,
        "ratio",
        "Factor on the share of slots with a second source; 0 is none.",
        0.5,
        1.5,
        ge=0,
        le=20,
    )
    backlog_share: float = parameter(
        0.25, "fraction", "Part of lost sales that comes back a month later.", 0, 0.5, ge=0, le=1
    )
    allocation: Literal["pro_rata", "domestic_first", "contract_first"] = parameter(
        "pro_rata",
        "choice",
        "Who is served first when chips are scarce: nobody, lines assembled where the chips are "
        "made, or slots supplied for a year.",
    )
    emergency_share: float = parameter(
        0.1,
        "fraction",
        "Part of deliveries refused from which a maker looks for another supplier at once.",
        0.02,
        0.5,
        gt=0,
        le=1,
    )
    emergency_months_factor: float = parameter(
        0.5,
        "ratio",
        "Months of requalification in an emergency relative to others.",
        0.33,
        1,
        ge=0,
        le=1,
    )

"""Blocks of a scenario: every number with bounds, unit, meaning, range and source.

The equations that the parameters belong to are in docs/model.md, section 4.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tariffsim.policy.fields import parameter
from tariffsim.policy.time_path import TimePath
from tariffsim.scenario.run_blocks import Block, PositiveShare
from tariffsim.tables.estimates import ESTIMATES

Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(ge=0, le=5)]
Elasticity = Annotated[float, Field(ge=0, le=50)]


class Supply(Block):
    """Foundries: capacity, cost, price."""

    china_capacity_share: TimePath = parameter(
        lambda: TimePath(months=(24300, 24371), values=(0.30, 0.40), interpolate="linear"),
        "fraction",
        "China's planned share of world capacity for legacy chips (20 nm and older); the range is "
        "that of its last value.",
        0.35,
        0.45,
        "S3 S31",
        ge=0.01,
        le=0.95,
    )
    china_price_discount: TimePath = parameter(
        lambda: TimePath(months=(24300, 24371), values=(0.20, 0.30), interpolate="linear"),
        "fraction",
        "Discount of Chinese chips before the effect of idle capacity; the range is that of its "
        "last value.",
        0.20,
        0.35,
        "S31",
        ge=0,
        le=0.9,
    )
    discount_cost_share: Share = parameter(
        0.40, "fraction", "Share of the discount that is a cost advantage.", 0.2, 0.6
    )
    discount_subsidy_share: Share = parameter(
        0.35, "fraction", "Share of the discount that is public subsidy.", 0.15, 0.6
    )
    investment: Literal["planned", "responsive"] = parameter(
        "responsive", "choice", "Growth of capacity outside China: as planned, or led by margins."
    )
    investment_hurdle: float = parameter(
        0.10, "fraction", "Operating margin below which capacity closes.", 0.05, 0.15, ge=-1, le=1
    )
    closure_months: int = parameter(
        6, "months", "Months from the decision to close capacity until it is closed.", ge=1, le=60
    )
    capital_cost_share: Share = parameter(
        0.45, "fraction", "Share of the cost of a wafer that is capital cost.", 0.35, 0.55
    )
    plan_response: Share = parameter(
        0.0, "fraction", "Strength with which idle capacity slows China's plan.", 0, 1
    )
    capacity_growth_factor: Ratio = parameter(
        1.0, "ratio", "Factor on the growth of capacity outside China.", 0.5, 1.5
    )
    learning: float = parameter(
        0.08,
        "fraction",
        "Cost reduction per doubling of experience.",
        0.03,
        0.20,
        "S29",
        ge=0,
        le=0.5,
    )
    learning_spillover: Share = parameter(
        0.33, "fraction", "Weight of other foundries' output in experience.", 0, 0.6, "S29"
    )
    experience_years: float = parameter(
        10.0, "years", "Initial experience, in years of base output.", 5, 20, ge=0.5, le=100
    )
    utilisation_price_response: Ratio = parameter(
        0.5, "log price per unit of utilisation", "Response of price to utilisation (chi).", 0, 1
    )
    scarcity_elasticity: Ratio = parameter(
        2.0, "elasticity", "Response of invoice prices to orders above capacity.", 0.5, 3.0
    )
    scarcity_cap: float = parameter(
        3.0, "ratio", "Most that scarcity multiplies posted prices by.", ge=1, le=100
    )
    order_book_months: int = parameter(
        3,
        "months",
        "Months for which makers expect an order book to stay as it is.",
        1,
        6,
        ge=0,
        le=60,
    )
    price_adjustment: Share = parameter(
        0.15, "fraction a month", "Speed of posted prices towards their target.", 0.05, 0.5
    )
    variable_cost_share: Share = parameter(
        0.5, "fraction", "Share of foundry cost that varies with output.", 0.3, 0.7
    )


class Sourcing(Block):
    """How a maker chooses a foundry."""

    elasticity: Elasticity = parameter(
        ESTIMATES["sourcing.elasticity"],
        "elasticity",
        "Long-run substitution between foundries (sigma).",
        2,
        8,
        "calibration S32",
    )
    size_term: float = parameter(
        0.5, "elasticity", "Elasticity of choice odds to capacity (omega).", 0, 1, ge=0, le=2
    )
    assembly_odds: float = parameter(
        3.0,
        "odds",
        "Odds ratio of a Chinese chip in lines assembled in China, relative to other lines.",
        1,
        8,
        "S5 S6",
        ge=1,
        le=100,
    )
    odds_follow: Share = parameter(
        0.5, "fraction", "Part of these odds that follows where a line is assembled.", 0.0, 1.0
    )
    opening_factor: float = parameter(
        ESTIMATES["sourcing.opening_factor"],
        "ratio",
        "Factor on the rate at which chip slots open.",
        0.5,
        2,
        "calibration",
        gt=0,
        le=5,
    )
    version_overhead: float = parameter(
        0.005, "fraction of the chip bill",
        "Cost of a version of its own for some markets, at chip prices of 2024.", 0.002, 0.02,
        ge=0, le=1e6,
    )  # fmt: skip
    pin_compatible_hazard: Share = parameter(
        1 / 6, "per month", "Rate at which a pin-compatible slot opens on its own.", 1 / 12, 1 / 3
    )
    pin_compatible_requalification_months: int = parameter(
        2, "months", "Months until a new pin-compatible supplier delivers.", ge=1, le=60
    )
    pin_compatible_cost_share: Share = parameter(
        0.05, "fraction", "Requalification cost of pin-compatible parts relative to others.", 0, 0.2
    )
    discount_rate: Share = parameter(0.08, "per year", "Discount rate of makers (rho).", 0.04, 0.15)
    switching_cost_cap: float = parameter(
        1000.0, "ratio", "Largest switching cost relative to a design's chip bill.", ge=0, le=1e6
    )
    foresight: Literal["announced", "none"] = parameter(
        "announced",
        "choice",
        "Whether agents expect measures from their announcement, or only once they are in force.",
    )


OF_A_YEAR = "fraction of a year's customs value"


class Assembly(Block):
    """Where products are assembled: orders shift among plants, and plants are built."""

    plants: float = parameter(
        ESTIMATES["assembly.plants"],
        "plants", "Plants of a maker that has several, on average.", 7, 12,
        "calibration S2 S17 S53",
        ge=1, le=100,
    )  # fmt: skip
    elasticity: float = parameter(
        ESTIMATES["assembly.elasticity"],
        "elasticity", "Elasticity of substitution between places.", 6, 12.5, "calibration S2 S17",
        gt=0, le=50,
    )  # fmt: skip
    shift_hazard: Share = parameter(
        ESTIMATES["assembly.shift_hazard"],
        "per month",
        "Rate at which orders may shift to another plant.",
        0.14,
        0.39,
        "calibration S2 S17",
    )
    shift_months: int = parameter(
        2, "months", "Months until shifted orders are delivered.", 1, 3, ge=1, le=60
    )
    shift_cost: float = parameter(
        ESTIMATES["assembly.shift_cost"],
        OF_A_YEAR, "Cost of shifting orders to another plant.", 0.03, 0.15, "calibration S2 S54",
        ge=0, le=100,
    )  # fmt: skip
    plant_hazard: Share = parameter(
        ESTIMATES["assembly.plant_hazard"],
        "per month", "Rate at which a maker may build in a new country.", 1 / 72, 1 / 27,
        "calibration S2 S17",
    )  # fmt: skip
    plant_months: int = parameter(
        12, "months", "Months until a new plant delivers.", 9, 18, ge=1, le=60
    )
    plant_cost: float = parameter(
        ESTIMATES["assembly.plant_cost"],
        OF_A_YEAR,
        "Cost of a plant in a new country.",
        0.05,
        0.32,
        "calibration",
        ge=0,
        le=100,
    )
    sector_footprint: Share = parameter(
        0.5, "fraction", "Weight of the sector, next to the device, in where plants are.", 0.0, 1.0
    )
    new_place_power: Share = parameter(
        0.5, "exponent", "How much new plants prefer the usual countries.", 0.0, 1.0
    )


class Orders(Block):
    """Orders, stocks and rationing."""

    stock_factor: float = parameter(
        1.0, "ratio", "Factor on makers' stocks in days of chips; 0 is none.", 0.5, 2, ge=0, le=20
    )
    second_source_factor: float = parameter(
        1.0, "ratio", "Factor on the share of dual-sourced slots; 0 is none.", 0.5, 1.5, ge=0, le=20
    )
    backlog_share: Share = parameter(
        0.25, "fraction", "Share of lost sales that returns a month later.", 0, 0.5
    )
    allocation: Literal["pro_rata", "domestic_first", "contract_first"] = parameter(
        "pro_rata",
        "choice",
        "Whom foundries serve first when chips are scarce: all alike, lines assembled in the "
        "foundry's own country, or slots supplied for a year.",
    )
    emergency_share: PositiveShare = parameter(
        0.1,
        "fraction",
        "Share of deliveries denied above which a maker looks for another supplier at once.",
        0.02,
        0.5,
    )
    restart_weeks: float = parameter(
        2.0, "weeks", "Weeks of work that a line loses a month after it stood still for lack of a "
        "chip.", 0, 4, ge=0, le=52,
    )  # fmt: skip
    resume_months: int = parameter(
        1, "months", "Months after a cut-off, besides that in which it ends, in which its chips "
        "are delivered for use alone, not to restock; 0: not even in that.", 0, 3, ge=0, le=60,
    )  # fmt: skip
    emergency_months_factor: Share = parameter(
        0.5, "ratio", "Months of requalification in an emergency, relative to others.", 0.33, 1
    )
    standby_cost: Share = parameter(
        0.005, "fraction of the chip bill", "Cost of keeping a second source qualified.", 0, 0.02
    )
    chip_carrying_cost: Share = parameter(
        0.01, "fraction a month", "Holding cost of makers' chips relative to value.", 0.005, 0.02
    )


class Trade(Block):
    """Prices, duties and pass-through."""

    tariffs_in_force: bool = parameter(
        True, "yes or no", "Whether the duties of the tariff calendar apply.", source="S12 S13 S34"
    )
    base_duties: Literal["observed", "before_301"] = parameter(
        "observed",
        "choice",
        "Duties of the base year: those of 2024, or as before 2018, when imports from China paid "
        "the rates of imports from Japan; the calendar's rows of 2018 and 2019 then come on top.",
        source="S1",
    )
    origin_rule: Literal["fab", "packaging", "owner"] = parameter(
        "fab", "choice", "What decides the origin of a chip in law: place of its fab, place of its "
        "packaging, or its owner; shares by region are in the table origin_rules.",
    )  # fmt: skip
    markup: Ratio = parameter(0.15, "fraction", "Mark-up of makers on unit cost.", 0.05, 0.3)
    markup_elasticity: Ratio = parameter(
        0.0, "elasticity", "Fall of a product's price over cost with its price relative to others.",
        0, 0.67,
    )  # fmt: skip
    maker_pass_through_months: float = parameter(
        6.0, "months", "Time constant of ex-works prices in following costs.", 1, 12, ge=1, le=240
    )
    currency_offset: Share = parameter(
        0.0, "fraction", "Part of a rise of the mean duty on imports that a dearer currency makes "
        "up for, as far as the goods of the tables go.", 0, 0.3,
    )  # fmt: skip
    border_pass_through: Share = parameter(
        0.95, "fraction", "Share of a new duty that makers do not rebate.", 0.86, 1.0, "S18 S19"
    )
    freight: Share = parameter(
        0.03, "fraction", "Freight and insurance relative to ex-works price.", 0.02, 0.06
    )
    retail_margin: Ratio = parameter(
        0.40, "fraction", "Retail margin relative to base landed cost.", 0.2, 0.6
    )
    importer_profit: Ratio = parameter(
        0.05, "fraction", "Share of base landed cost that is importers' profit.", 0, 0.1
    )
    pass_through: Share = parameter(
        0.90, "fraction", "Long-run share of a duty passed on to consumers.", 0.6, 1.0, "S18 S20"
    )
    pass_through_months: float = parameter(
        18.0, "months", "Time constant of the pass-through of a duty.", 6, 30, "S20", ge=1, le=240
    )
    expected_persistence: float = parameter(
        ESTIMATES["trade.expected_persistence"],
        "fraction a year", "Probability that a duty without a known end is still there a "
        "year later, as agents see it.", 0.5, 1.0, "calibration", ge=0.5, le=1,
    )  # fmt: skip
    nesting: PositiveShare = parameter(
        1.0, "ratio", "Substitution between products of different countries, less one, over that "
        "within a country.", 0.3, 1.0,
    )  # fmt: skip
    order_adjustment: PositiveShare = parameter(
        0.25, "fraction a month", "Speed of orders towards desired orders.", 0.1, 1
    )
    front_loading_months: float = parameter(
        3.0, "months", "Most months of sales by which importers front-load before a duty rises; 0 "
        "is none.", 1, 6, ge=0, le=12,
    )  # fmt: skip
    carrying_cost: PositiveShare = parameter(
        0.02, "fraction a month", "Holding cost of products relative to value.", 0.01, 0.03
    )
    chip_content_growth: float = parameter(
        0.02, "per year", "Growth of chips in a unit.", 0, 0.05, ge=-0.5, le=1
    )
    ai_chip_uplift: Ratio = parameter(
        0.15, "fraction", "Additional chips in an AI-enabled unit of a device.", 0, 0.4
    )
    growth_factor: float = parameter(
        1.0, "ratio", "Factor on the growth of device demand in every market.", 0, 2, ge=0, le=10
    )


class Compliance(Block):
    """What importers know, declare and evade: tracing, declarations, audits."""

    behaviour: Literal["full", "compliant"] = parameter(
        "full",
        "choice",
        "Whether importers may lack knowledge of origin or evade; `compliant`: all know and "
        "declare.",
    )
    unknown_origin_share: Share = parameter(
        ESTIMATES["compliance.unknown_origin_share"],
        "fraction",
        "Share of importers not knowing their chips' origin.",
        0.2,
        0.6,
        "calibration S23",
    )
    unknown_origin_slope: Share = parameter(
        1.0, "ratio", "How much less often large importers lack it, small ones more.", 0.0, 1.0
    )
    tracing_cost_usd: float = parameter(
        550_000.0,
        "USD a year",
        "Cost of tracing chips for a firm of the reference turnover.",
        200_000,
        1_000_000,
        "S30",
        ge=0,
        le=1e12,
    )
    firm_turnover_usd: float = parameter(
        150e6, "USD a year", "Mean turnover of an importing firm.", 50e6, 500e6, gt=0, le=1e15
    )
    tracing_value_share: Share = parameter(
        0.0005, "fraction", "Cost of tracing in proportion to customs value.", 0, 0.002
    )
    payback_months: int = parameter(
        36, "months", "Months within which tracing must pay.", 12, 60, ge=1, le=240
    )
    evasion_cost: float = parameter(
        1.34,
        "fraction of value",
        "Mean non-monetary cost of a false declaration, relative to the value concealed.",
        1.05,
        2.05,
        "S24",
        ge=0,
        le=1e9,
    )
    audit_rate: float = parameter(
        0.01, "per year", "Audits of an importer.", 0.002, 0.05, "S30", ge=0, le=12
    )
    detection: Share = parameter(
        0.6, "fraction", "Share of audits that find what was concealed.", 0.3, 0.9
    )
    lookback_months: int = parameter(
        12, "months", "Months that an audit covers.", 6, 60, ge=1, le=120
    )
    penalty_multiple: float = parameter(
        3.0, "ratio", "Penalty relative to the duty evaded, due on top of it.", 1, 4, ge=0, le=1000
    )


class OtherBuyers(Block):
    """Buyers of chips for other end uses than the device groups."""

    elasticity: Elasticity = parameter(
        2.0, "elasticity", "Elasticity of substitution between foundries.", 1, 4, "S32"
    )
    adjustment: PositiveShare = parameter(
        1 / 24, "fraction a month", "Speed towards the desired foundry mix.", 1 / 48, 1 / 6
    )
    demand_elasticity: Elasticity = parameter(
        0.5, "elasticity", "Of their demand for chips, on price less learning.", 0.2, 1.0
    )

"""Figures of the data tables as arrays; letters in shapes as in `economy`."""

from __future__ import annotations

from dataclasses import dataclass

from tariffsim.policy.shipments import Codes
from tariffsim.typing import Bool, Float, Int

DESIGN, PIN_COMPATIBLE, SHIFT, PLANT = range(4)
"""Kinds of choice, each with dates at which duties are foreseen."""
AI_MONTHS = (2025 * 12, 2027 * 12 + 11, 2030 * 12 + 11)
"""Months of the columns `ai_2025`, `ai_2027` and `ai_2030`: "by 2027" is December."""


@dataclass(frozen=True)
class Constants:
    """Figures of the data tables as arrays."""

    codes: Codes
    unit_value: Float
    """(D,) USD a unit, ex works, whatever the country of assembly."""
    chips_per_unit: Float
    """(D, K) legacy chips in a unit in the base year, by class."""
    parts: Int
    """(D, K) separately sourced parts of the class in a product."""
    slot_class: Int
    """(P,) node class of each part of a product."""
    chips_per_part: Float
    """(D, P) the same by part; zero where a device has fewer parts of the class."""
    chip_price: Float
    """(K,) USD, price of a chip from outside China."""
    commodity_share: Float
    """(K,) share of slots that are pin-compatible parts."""
    design_hazard: Float
    """(D,) rate a month at which a design opens."""
    pin_compatible_hazard: float
    """Rate a month at which a pin-compatible part opens."""
    requalification_months: Int
    """(D,) months until a new supplier delivers."""
    requalification_cost: Float
    """(D,) USD for one design."""
    design_units: Float
    """(D,) units a month of one typical design."""
    stock_months: Float
    """(D,) months of use that makers hold in chips."""
    second_source_share: Float
    """(D,) share of slots with a second source."""
    substitution_elasticity: Float
    """(D,) between lines of a device."""
    demand_elasticity: Float
    """(D,) of the device."""
    market_growth: Float
    """(M,) growth of device demand a year."""
    growth_dates: Int
    """(dates,) months between which growth of devices on top of that of markets is linear."""
    extra_growth: Float
    """(D, dates) that growth, a year."""
    covered_import_share: Float
    """(M,) share of the goods of the tables in all goods imports."""
    is_ai_capable: Bool
    """(D,) devices that come AI-enabled."""
    ai_adoption: Float
    """(M, dates) share of AI-enabled units among them, at AI_MONTHS."""
    cost_factor: Float
    """(O,) cost of assembly relative to China."""
    relative_cost: Float
    """(O, O) the same relative to the first country."""
    origin_market: Int
    """(O,) market a country of assembly belongs to."""
    region_market: Int
    """(R,) market a foundry region belongs to."""
    region_growth: Float
    """(R,) planned growth of capacity a year; zero where a plan sets it."""
    build_lag: Int
    """(R,) months from the decision to build until capacity arrives."""
    capital_cost: Float
    """(R,) USD for a thousand 300 mm wafers a month."""
    world_wafers: Float
    """(K,) world capacity, thousand 300 mm wafers a month."""
    is_china: Bool
    """(R,) the region whose capacity and discount follow the Chinese plan."""
    part_names: tuple[str, ...]
    """(P,) name of each part of a product: its node class, numbered where there are several."""
    trade: Float
    """(D, O, M) USD a month bought in each market from each country of assembly, ex works."""

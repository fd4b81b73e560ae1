"""What every table must hold: its key, its parameters, their units and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FIGURE_COLUMNS = ("parameter", "value", "low", "high", "unit", "source", "confidence")
OPTIONAL_COLUMNS = ("note",)
CONFIDENCES = ("data", "seen", "assumption")
NODE_CLASSES = ("A", "B", "C", "D")


@dataclass(frozen=True)
class Spec:
    """One parameter: its unit, its bounds and whether it may be empty or must be whole."""

    unit: str
    least: float = 0.0
    most: float = float("inf")
    above: float = float("-inf")
    below: float = float("inf")
    whole: bool = False
    optional: bool = False
    choices: tuple[str, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether the figure is a text."""
        return self.unit == "text"

    def fault(self, value: float) -> str:
        """What is wrong with a number; empty when nothing is."""
        if value <= self.above:
            return f"must be above {self.above:g}"
        if value >= self.below:
            return f"must be below {self.below:g}"
        if value < 0 and self.least == 0 and self.most == float("inf"):
            return "must not be negative"
        if not self.least <= value <= self.most:
            return f"must be between {self.least:g} and {self.most:g}"
        if self.whole and value != int(value):
            return "must be a whole number"
        return ""


TEXT = Spec("text")
SHARE = Spec("fraction", most=1.0)
GROWTH = Spec("fraction a year", least=-0.5, most=1.0)
MONTHS = Spec("months", least=1.0, most=600.0, whole=True)
WAFERS = "thousand 300 mm wafers a month"

DEVICES = {
    "label": TEXT,
    "sector": TEXT,
    "unit_value_usd": Spec("USD", above=0.0),
    "chip_content": SHARE,
    "foundational_share": SHARE,
    "cn_share": SHARE,
    "mix_a": SHARE,
    "mix_b": SHARE,
    "mix_c": SHARE,
    "mix_d": SHARE,
    "demand_elasticity": Spec("elasticity", above=0.0),
    "substitution_elasticity": Spec("elasticity", above=1.0),
    "design_cycle_months": MONTHS,
    "requalification_months": MONTHS,
    "requalification_cost_usd": Spec("USD per design"),
    "design_units_month": Spec("units a month", above=0.0),
    "chip_stock_days": Spec("days"),
    "dual_sourced_share": SHARE,
    "global_platform_share": SHARE,
    "us_home_assembly_share": Spec("fraction", below=1.0),
    "ai_capable": Spec("0 or 1", most=1.0, whole=True),
}
FOUNDRY_REGIONS = {
    "label": TEXT,
    "foundries": Spec("count", whole=True),
    "share_a": SHARE,
    "share_b": SHARE,
    "share_c": SHARE,
    "share_d": SHARE,
    "utilisation": Spec("fraction", most=1.0, above=0.0),
    "gross_margin": Spec("fraction", below=1.0),
    "growth_per_year": Spec("fraction a year", least=-0.5, most=1.0, optional=True),
    "build_lag_months": MONTHS,
    "capital_cost_musd_per_kwpm_300mm": Spec(f"million USD per {WAFERS}", above=0.0),
}
NODES = {
    "label": TEXT,
    "wafer_share": SHARE,
    "world_wafers_kwpm_300mm": Spec(WAFERS, above=0.0),
    "chip_price_usd": Spec("USD", above=0.0),
    "commodity_share": SHARE,
}
MARKETS = {
    "label": TEXT,
    "size_relative_to_us": Spec("multiple of the US", above=0.0),
    "cn_share_multiplier": Spec("multiple of the US", optional=True),
    "cn_share_fixed": Spec("fraction", most=1.0, optional=True),
    "home_origins": TEXT,
    "home_assembly_share": Spec("fraction", most=1.0, optional=True),
    "usmca_origin_weight": Spec("multiple"),
    "growth_per_year": GROWTH,
    "ai_2025": SHARE,
    "ai_2027": SHARE,
    "ai_2030": SHARE,
}
ORIGINS = {
    "label": TEXT,
    "market": TEXT,
    "cost_factor": Spec("multiple of China", above=0.0),
    "preference": Spec("text", optional=True, choices=("usmca",)),
}
ORIGIN_RULES = {
    "chinese_if_by_fab": SHARE,
    "chinese_if_by_packaging": SHARE,
    "chinese_if_by_owner": SHARE,
}


@dataclass(frozen=True)
class TableSpec:
    """One table of figures: the column that holds its codes and its parameters."""

    key: str
    parameters: Mapping[str, Spec]
    codes: tuple[str, ...] = ()  # codes that must be there
    closed: bool = False  # and no others


FIGURE_TABLES = {
    "devices": TableSpec("device", DEVICES),
    "foundry_regions": TableSpec("region", FOUNDRY_REGIONS, ("CN",)),
    "node_classes": TableSpec("node_class", NODES, NODE_CLASSES, closed=True),
    "markets": TableSpec("market", MARKETS, ("US",)),
    "origins": TableSpec("origin", ORIGINS),
    "origin_rules": TableSpec("fab_region", ORIGIN_RULES),
}
WIDE_TABLES = {
    "us_imports_2024": (
        "device",
        "hs_codes",
        "origin",
        "customs_value_musd",
        "calculated_duty_musd",
        "source",
        "confidence",
    ),
    "tariff_calendar": (
        "date",
        "ends",
        "levied_by",
        "against",
        "base",
        "instrument",
        "rate",
        "in_2024_base",
        "devices",
        "in_baseline",
        "scope",
        "reading",
        "source",
        "confidence",
    ),
    "validation_public": (
        "id",
        "use",
        "case",
        "quantity",
        "published",
        "tolerance",
        "source",
        "confidence",
    ),
    "sources": ("id", "citation"),
}
TABLE_NAMES = (*FIGURE_TABLES, *WIDE_TABLES)

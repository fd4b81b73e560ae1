"""Component tariff: a duty on the covered chips inside a product, wherever it was assembled."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tariffsim.policy.base import Instrument, Scope, codes_field, rate_field
from tariffsim.policy.paths import Path
from tariffsim.shipments import Shipments
from tariffsim.typing import Float


class ComponentTariff(Instrument):
    """Duty on the invoice value of covered chips, or in USD on each of them.

    It falls on imports and, with `covers_home_assembly`, on covered chips entering bare for
    products assembled and sold at home, so that assembling at home is no way around it.
    """

    kind: Literal["component_tariff"]
    rate: Path = rate_field(
        "Duty as a fraction of the value of the covered chips; USD a chip with `per: chip`.",
        le=5,
        ge=0,
    )
    per: Literal["value", "chip"] = Field(
        default="value",
        description="What the rate is multiplied by: the value of the chips or their number.",
        json_schema_extra={"unit": "choice"},
    )
    chip_regions: Scope = codes_field(
        "Regions of fabrication covered; `all` for all of them.", "foundry_regions", ("CN",)
    )
    node_classes: Scope = codes_field("Node classes covered; all if left out.", "node_classes")
    threshold: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="No duty where covered chips are a smaller share of the customs value.",
        json_schema_extra={"unit": "fraction"},
    )
    covers_home_assembly: bool = Field(
        default=True,
        description="Whether covered chips in products assembled and sold at home pay as well.",
        json_schema_extra={"unit": "yes or no"},
    )

    @property
    def limits(self) -> tuple[float, float, str]:
        """A duty on each chip is USD, not a fraction."""
        return (0.0, 1000.0, "USD a chip") if self.per == "chip" else super().limits

    @property
    def tax_base(self) -> tuple[object, ...]:
        """Kind, and which chips are counted how."""
        return (self.kind, self.per, self.chip_regions, self.node_classes, self.threshold)

    def covers(self, shipments: Shipments) -> Any:
        """Chips that count for the greater part as of the covered regions and node classes."""
        return shipments.mostly_from(self.chip_regions, self.node_classes)

    def covered(self, shipments: Shipments, of: Float) -> Float:
        """The covered part of the value, or of the number, of the chips in a unit."""
        part = shipments.chips_from(self.chip_regions, self.node_classes)
        return shipments.over_parts(of * part)

    def duty(self, shipments: Shipments, rate: float) -> Float:
        """Rate times the value, or the number, of covered chips."""
        chips = shipments.chip_count if self.per == "chip" else shipments.chip_value
        base = self.covered(shipments, chips)
        result: Float = rate * (
            base if self.covers_home_assembly else base * shipments.crosses_border
        )
        return result

    @property
    def is_separable(self) -> bool:
        """Separable unless a threshold triggers it."""
        return self.threshold == 0.0

    def is_triggered(self, shipments: Shipments) -> Any:
        """True where covered chips reach the threshold share of the customs value."""
        if self.is_separable:
            return True
        covered_value = self.covered(shipments, shipments.chip_value)
        return (covered_value > 0) & (covered_value >= self.threshold * shipments.customs_value)

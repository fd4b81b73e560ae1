"""Component tariff: a duty on the covered chips inside a product, wherever it was assembled."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from tariffsim.policy.base import DeclaredContent
from tariffsim.policy.fields import Scope, codes_field, parameter, rate_field
from tariffsim.policy.offset_by_capacity import OffsetByCapacity
from tariffsim.policy.shipments import Shipments
from tariffsim.policy.time_path import TimePath
from tariffsim.typing import Float


class ComponentTariff(DeclaredContent, OffsetByCapacity):
    """Duty on the invoice value of covered chips, or in USD on each of them.

    It falls on imports and, with `covers_home_assembly`, on covered chips entering bare for
    products assembled and sold at home, so that assembling at home is no way around it.
    """

    taxes_content: ClassVar[bool] = True

    kind: Literal["component_tariff"]
    rate: TimePath = rate_field(
        "Duty as a fraction of the value of the covered chips; USD a chip with `per: chip`."
    )
    per: Literal["value", "chip"] = parameter(
        "value", "choice", "What the rate is multiplied by: the value of the chips or their number."
    )
    chip_regions: Scope = codes_field(
        "Regions of fabrication covered; `all` for all of them.", "foundry_regions", ("CN",)
    )
    node_classes: Scope = codes_field("Node classes covered; all if left out.", "node_classes")
    threshold: float = parameter(
        0.0, "fraction", "No duty where covered chips are a smaller share of the customs value.",
        ge=0, le=1,
    )  # fmt: skip
    covers_home_assembly: bool = parameter(
        True, "yes or no", "Whether covered chips in products assembled and sold at home pay too."
    )

    @property
    def limits(self) -> tuple[float, float, str]:
        """A duty on each chip is USD, not a fraction."""
        return (0.0, 1000.0, "USD a chip") if self.per == "chip" else super().limits

    @property
    def tax_base(self) -> tuple[object, ...]:
        """Kind, and which chips are counted how."""
        covered = self.kind, self.per, self.chip_regions, self.node_classes, self.threshold
        return (*covered, *self.unknown_base)

    @property
    def depends_on_knowledge(self) -> bool:
        """Unless it is due on the chips of any origin, known or not."""
        return self.chip_regions is not None or self.unknown_origin_rule != "full_content"

    def covers(self, shipments: Shipments) -> Any:
        """Chips of the covered regions and node classes."""
        return shipments.chips_from(self.chip_regions, self.node_classes) > 0

    def covered(self, shipments: Shipments, of: Float) -> Float:
        """The covered part of the value, or of the number, of the chips in each part."""
        part: Float = of * shipments.chips_from(self.chip_regions, self.node_classes)
        return part

    def duty(self, shipments: Shipments, rate: float) -> Float:
        """Rate times the value, or the number, of covered chips."""
        return rate * self.liable(shipments, self._chips(shipments))

    def liable(self, shipments: Shipments, of: Float) -> Float:
        """The value, or the number, of covered chips in what the duty reaches."""
        return self._reached(shipments, shipments.over_parts(self.covered(shipments, of)))

    def part_duties(self, shipments: Shipments, rate: float) -> Float:
        """The same by part: every class of chips is declared by itself."""
        reach = 1.0 if self.covers_home_assembly else shipments.crosses_border[..., None]
        result: Float = rate * self.covered(shipments, self._chips(shipments)) * reach
        return result

    def part_values(self, shipments: Shipments) -> Float:
        """Value of the covered chips by part."""
        return self.covered(shipments, shipments.chip_value)

    def unknown_duty(self, shipments: Shipments, rate: float) -> Float:
        """Rate times the share of all chips that is deemed covered, or the whole product's value.

        The value of goods assembled at home is not declared, and a duty on each chip has none: for
        these `full_value` means all chips.
        """
        base = self._deemed(shipments, self._chips(shipments))
        if self.unknown_origin_rule == "full_value" and self.per == "value":
            crosses = shipments.crosses_border
            base = base * ~crosses + shipments.customs_value * crosses
        return rate * self._reached(shipments, base)

    def _chips(self, shipments: Shipments) -> Float:
        return shipments.chip_count if self.per == "chip" else shipments.chip_value

    def _deemed(self, shipments: Shipments, of: Float) -> Float:
        """What is deemed covered where the origin is not known: a share of all of the classes."""
        classes = shipments.chips_from(None, self.node_classes)
        return self.unknown_share * shipments.over_parts(of * classes)

    def _reached(self, shipments: Shipments, base: Float) -> Float:
        return base if self.covers_home_assembly else base * shipments.crosses_border

    @property
    def is_separable(self) -> bool:
        """Separable unless a threshold triggers it."""
        return self.threshold == 0.0

    def is_triggered(self, shipments: Shipments) -> Any:
        """True where covered chips reach the threshold share of the customs value."""
        return self._reaches(shipments, shipments.over_parts(self.part_values(shipments)))

    def is_triggered_unknown(self, shipments: Shipments) -> Any:
        """True where the chips deemed covered do."""
        return self._reaches(shipments, self._deemed(shipments, shipments.chip_value))

    def _reaches(self, shipments: Shipments, value: Float) -> Any:
        if self.is_separable:
            return True
        return (value > 0) & (value >= self.threshold * shipments.customs_value)

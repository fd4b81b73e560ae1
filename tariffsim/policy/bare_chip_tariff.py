"""Tariff on chips that enter bare, to be built into products in the levying market."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.fields import DEVICE_SCOPE, Scope, codes_field, rate_field
from tariffsim.policy.offset_by_capacity import OffsetByCapacity
from tariffsim.policy.shipments import Shipments
from tariffsim.policy.time_path import TimePath
from tariffsim.typing import Float


class BareChipTariff(OffsetByCapacity):
    """Ad valorem duty on the invoice value of unmounted chips, paid by makers assembling there."""

    taxes_bare_chips = True
    without = DEVICE_SCOPE

    kind: Literal["bare_chip_tariff"]
    rate: TimePath = rate_field("Duty as a fraction of the chip's invoice value.")
    chip_regions: Scope = codes_field(
        "Regions of fabrication covered; `all` for all of them.", "foundry_regions", ("CN",)
    )
    node_classes: Scope = codes_field("Node classes covered; all if left out.", "node_classes")

    @property
    def tax_base(self) -> tuple[object, ...]:
        """Kind, and which chips are covered."""
        return (self.kind, self.chip_regions, self.node_classes)

    def duty(self, shipments: Shipments, rate: float) -> Float:
        """Rate times the value of covered chips from abroad."""
        return rate * self.liable(shipments, shipments.chip_value)

    def liable(self, shipments: Shipments, of: Float) -> Float:
        """The value, or the number, of covered chips from abroad."""
        covered = shipments.chips_from(self.chip_regions, self.node_classes)
        result: Float = (of * covered).sum(axis=-1) * shipments.crosses_border
        return result

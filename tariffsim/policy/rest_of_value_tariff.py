"""Tariff on the rest of a product's value, where another duty is on the chips inside it."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import DeclaredContent
from tariffsim.policy.fields import Scope, codes_field, rate_field
from tariffsim.policy.shipments import Shipments
from tariffsim.policy.time_path import TimePath
from tariffsim.typing import Float


class RestOfValueTariff(DeclaredContent):
    """Ad valorem duty on the customs value less the value of the chips named.

    With a `component_tariff` on the same chips and the same rule for unknown origin nothing is
    taxed twice. All importers pay it; those who do not know the origin of their chips leave out
    what the rule deems covered.
    """

    kind: Literal["rest_of_value_tariff"]
    rate: TimePath = rate_field("Duty as a fraction of the customs value without those chips.")
    chip_regions: Scope = codes_field(
        "Regions whose chips are left out, as another duty is on them; `all` for all of them.",
        "foundry_regions",
        ("CN",),
    )
    node_classes: Scope = codes_field("Node classes left out; all if left out.", "node_classes")

    @property
    def tax_base(self) -> tuple[object, ...]:
        """Kind, and which chips are left out."""
        return (self.kind, self.chip_regions, self.node_classes, *self.unknown_base)

    @property
    def declares(self) -> str:
        """Nothing: it is paid by all."""
        return ""

    @property
    def depends_on_knowledge(self) -> bool:
        """Who does not know the origin cannot leave it out."""
        return True

    def duty(self, shipments: Shipments, rate: float) -> Float:
        """Rate times the customs value less the value of the chips named, at the border."""
        named = shipments.chips_from(self.chip_regions, self.node_classes)
        return self._on_rest(shipments, rate, shipments.over_parts(shipments.chip_value * named))

    def unknown_duty(self, shipments: Shipments, rate: float) -> Float:
        """The same less what the rule deems named; nothing where that is the whole product."""
        if self.unknown_origin_rule == "full_value":
            return 0.0 * shipments.customs_value
        classes = shipments.chips_from(None, self.node_classes)
        chips = shipments.over_parts(shipments.chip_value * classes)
        return self._on_rest(shipments, rate, self.unknown_share * chips)

    def _on_rest(self, shipments: Shipments, rate: float, chips: Float) -> Float:
        return rate * (shipments.customs_value - chips) * shipments.crosses_border

"""Tariff on whole products, by country of assembly, optionally only where a chip triggers it."""

from __future__ import annotations

from typing import Any, Literal

from tariffsim.policy.base import DeclaredContent
from tariffsim.policy.fields import CodeList, codes_field, parameter, rate_field
from tariffsim.policy.shipments import Shipments
from tariffsim.policy.time_path import TimePath
from tariffsim.typing import Float


class ProductTariff(DeclaredContent):
    """Ad valorem duty on the customs value of the product.

    With `only_with_chips_from` it is due only where the product contains a chip of those
    regions: a trigger, so that changing one of two such chips gains nothing; the rule for unknown
    origin is about these chips. Otherwise importers declare the country of assembly alone.
    """

    kind: Literal["product_tariff"]
    rate: TimePath = rate_field("Duty as a fraction of the product's customs value.")
    all_in: bool = parameter(
        False, "yes or no", "Whether the rate includes the ordinary duty of 2024 (without those of "
        "the tariff calendar): then only what it is above that duty is added.",
    )  # fmt: skip
    only_with_chips_from: CodeList | None = codes_field(
        "Due only where the product contains a chip made in these regions; always if left out.",
        "foundry_regions",
    )

    @property
    def tax_base(self) -> tuple[object, ...]:
        """Kind, and which chips trigger it."""
        share = (self.unknown_share,) if self.only_with_chips_from else ()
        return (self.kind, self.only_with_chips_from, *share)

    @property
    def declares(self) -> str:
        """The country of assembly, or the chips that trigger it."""
        return "origin" if self.only_with_chips_from is None else "content"

    def duty(self, shipments: Shipments, rate: float) -> Float:
        """Rate times customs value at the border."""
        return rate * shipments.customs_value * shipments.crosses_border

    @property
    def is_separable(self) -> bool:
        """Separable unless a chip triggers it."""
        return self.only_with_chips_from is None

    def covers(self, shipments: Shipments) -> Any:
        """Chips of the regions that trigger the duty."""
        return shipments.chips_from(self.only_with_chips_from or (), None) > 0

    def is_triggered(self, shipments: Shipments) -> Any:
        """True where any chip comes from the triggering regions."""
        if self.only_with_chips_from is None:
            return True
        return (self.covers(shipments) & (shipments.chip_count > 0)).any(axis=-1)

    def is_triggered_unknown(self, shipments: Shipments) -> Any:
        """True: what the rule deems covered is."""
        return True

    def unknown_duty(self, shipments: Shipments, rate: float) -> Float:
        """The same on the share of the product that is deemed covered; all without a trigger."""
        share = 1.0 if self.only_with_chips_from is None else self.unknown_share
        return share * self.duty(shipments, rate)

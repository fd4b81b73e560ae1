"""What measures that deny deliveries of chips have in common."""

from __future__ import annotations

from typing import ClassVar

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import CodeList, Scope, codes_field, rate_field
from tariffsim.policy.time_path import TimePath


class Restriction(Instrument):
    """Denies chips of some regions to lines in its scope, wholly or in part."""

    path_field: ClassVar[str] = "denied"
    without: ClassVar[tuple[str, ...]] = ("stacking_group",)
    restricts_supply: ClassVar[bool] = True

    denied: TimePath = rate_field(
        "Share of deliveries denied: one less the share of licences approved; 1 is a ban.", most=1
    )
    markets: CodeList = codes_field(
        "Markets whose products go without, as far as their assembly is in scope.",
        "markets",
        ("US",),
    )
    chip_regions: Scope = codes_field(
        "Regions whose chips are denied; `all` for all of them.", "foundry_regions", ("CN",)
    )
    node_classes: Scope = codes_field("Node classes denied; all if left out.", "node_classes")

    def supply_share(self, rate: float, month: int) -> float:
        """The share of licences approved."""
        return 1.0 - rate

    def candidate_share(self, rate: float) -> float:
        """The same: a supplier that is cut off is no candidate."""
        return 1.0 - rate

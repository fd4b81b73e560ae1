"""Procurement ban: public buyers take no products with chips of some regions."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import ASSEMBLY_SCOPE, Scope, codes_field, rate_field
from tariffsim.policy.time_path import TimePath


class ProcurementBan(Instrument):
    """Makers count on losing the public part of demand if they use the regions' chips.

    The odds of their foundries are multiplied by one less that share in lines sold to the markets;
    no chip and no product is refused. Makers foresee it over the life of a choice.
    """

    path_field = "share"
    without = ASSEMBLY_SCOPE

    kind: Literal["procurement_ban"]
    share: TimePath = rate_field(
        "Share of the market's demand for the devices that is public and bound by the ban.",
        most=0.99,
    )
    chip_regions: Scope = codes_field(
        "Regions whose chips public buyers avoid.", "foundry_regions", ("CN",)
    )

    def avoided_share(self, rate: float) -> float:
        """The share of demand that is bound."""
        return rate

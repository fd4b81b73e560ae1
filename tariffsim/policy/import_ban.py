"""Import ban: a market bans chips of named regions from products assembled or sold there."""

from __future__ import annotations

from typing import ClassVar, Literal

from tariffsim.policy.fields import CodeList, Scope, codes_field, parameter
from tariffsim.policy.restriction import RestrictionByOrigin


class ImportBan(RestrictionByOrigin):
    """Banned suppliers are no candidates for lines sold or assembled in the markets.

    Suppliers in place may deliver for some months more, while their buyers look for others.
    """

    meets_home_assembly: ClassVar[bool] = True

    kind: Literal["import_ban"]
    markets: CodeList = codes_field(
        "Markets that ban the chips from what is sold or assembled there.", "markets", ("CN",)
    )
    chip_regions: Scope = codes_field(
        "Regions whose chips are banned; `all` for all of them.", "foundry_regions", ("US",)
    )
    grace_months: int = parameter(
        6, "months", "Months for which suppliers in place may still deliver.", ge=0, le=120
    )

    def supply_share(self, rate: float, month: int) -> float:
        """All during the months of grace, then what is not banned."""
        return 1.0 if month < self.first_month + self.grace_months else 1.0 - rate

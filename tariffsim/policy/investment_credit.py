"""Tax credit on what foundries build."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import WHOLE_SCOPE, CodeList, codes_field, rate_field
from tariffsim.policy.time_path import TimePath


class InvestmentCredit(Instrument):
    """Refunds part of the capital cost of all capacity decided while it is in force.

    The government of the market a region belongs to pays, evenly over the months of building. It
    raises growth where investment is responsive; China's plan does not depend on it.
    """

    path_field = "credit"
    without = WHOLE_SCOPE

    kind: Literal["investment_credit"]
    credit: TimePath = rate_field("Part of the capital cost that is refunded.", most=1)
    regions: CodeList = codes_field("Foundry regions that have it.", "foundry_regions", ("US",))

    def investment_credit(self, rate: float) -> float:
        """The credit itself."""
        return rate

"""Grants to build foundry capacity, as under the CHIPS Act."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import WHOLE_SCOPE, CodeList, codes_field, parameter, rate_field
from tariffsim.policy.time_path import TimePath


class CapacityGrant(Instrument):
    """Pays part of the capital cost of new foundry capacity; some of it is built anyway.

    The government of the market a region belongs to pays, evenly over the months of building.
    Several regions share the budget by their capacity.
    """

    path_field = "budget_per_year"
    without = WHOLE_SCOPE

    kind: Literal["capacity_grant"]
    budget_per_year: TimePath = rate_field(
        "Grants awarded in a year, spread over its months.", most=1e12, unit="USD a year"
    )
    regions: CodeList = codes_field("Foundry regions that build.", "foundry_regions", ("US",))
    grant_share: float = parameter(
        0.15, "fraction", "Share of the capital cost that the grant pays.", 0.1, 0.35, ge=0.01, le=1
    )
    additionality: float = parameter(
        0.5, "fraction", "Share of the capacity paid for that would not have been built anyway.",
        0.2, 0.9, ge=0, le=1,
    )  # fmt: skip

    def capacity_grant(self, rate: float) -> float:
        """A twelfth of the year's awards."""
        return rate / 12

    def granted_investment(self, rate: float) -> float:
        """Capital cost of the capacity that is built because of the month's awards."""
        return self.additionality * self.capacity_grant(rate) / self.grant_share

"""Grants to build foundry capacity, as under the CHIPS Act."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import WHOLE_SCOPE, CodeList, codes_field, rate_field
from tariffsim.policy.time_path import TimePath


class CapacityGrant(Instrument):
    """Pays part of the capital cost of new foundry capacity; some of it is built anyway.

    The government of the market a region belongs to pays, evenly over the months of building.
    Several regions share the budget by their capacity.
    """

    path_field = "budget_per_year"
    without = WHOLE_SCOPE
    path_bounds = (0.0, 1e12)

    kind: Literal["capacity_grant"]
    budget_per_year: TimePath = rate_field(
        "Grants awarded in a year, spread over its months.", unit="USD a year", ge=0, le=1e12
    )
    regions: CodeList = codes_field("Foundry regions that build.", "foundry_regions", ("US",))
    grant_share: float = Field(
        default=0.15,
        ge=0.01,
        le=1,
        description="Part of the capital cost that the grant pays.",
        json_schema_extra={"unit": "fraction", "low": 0.10, "high": 0.35},
    )
    additionality: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Part of the capacity paid for that would not have been built anyway.",
        json_schema_extra={"unit": "fraction", "low": 0.2, "high": 0.9},
    )

    def capacity_grant(self, rate: float) -> float:
        """A twelfth of the year's awards."""
        return rate / 12

    def granted_investment(self, rate: float) -> float:
        """Capital cost of the capacity that is built because of the month's awards."""
        return self.additionality * self.capacity_grant(rate) / self.grant_share

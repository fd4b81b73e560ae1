"""Exogenous change of demand for devices, or of the number of chips inside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import ASSEMBLY_SCOPE, Scope, codes_field, rate_field
from tariffsim.policy.time_path import TimePath


class DemandShift(Instrument):
    """Multiplies units sold, or chips per unit, in its scope by one plus the change."""

    path_field = "change"
    without = ASSEMBLY_SCOPE
    path_bounds = (-0.9, 5.0)

    kind: Literal["demand_shift"]
    change: TimePath = rate_field("Relative change: 0.1 is ten per cent more.", ge=-0.9, le=5)
    of: Literal["units", "chips"] = Field(
        default="units",
        description="What changes: units demanded in the markets, or chips per unit.",
        json_schema_extra={"unit": "choice"},
    )
    node_classes: Scope = codes_field(
        "Node classes of the chips that change; all if left out.", "node_classes"
    )

    def demand_factors(self, rate: float) -> Mapping[str, float]:
        """One plus the change, on units or on chips per unit."""
        return {self.of: 1.0 + rate}

"""Exogenous change of demand for devices, or of the number of chips inside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import ASSEMBLY_SCOPE, Scope, codes_field, parameter, rate_field
from tariffsim.policy.time_path import TimePath


class DemandShift(Instrument):
    """Multiplies units sold, or chips per unit, in its scope by one plus the change."""

    path_field = "change"
    without = ASSEMBLY_SCOPE

    kind: Literal["demand_shift"]
    change: TimePath = rate_field("Relative change: 0.1 is ten per cent more.", -0.9)
    of: Literal["units", "chips"] = parameter(
        "units", "choice", "What changes: units demanded in the markets, or chips per unit."
    )
    node_classes: Scope = codes_field(
        "Node classes of the chips that change; all if left out.", "node_classes"
    )

    def demand_factors(self, rate: float) -> Mapping[str, float]:
        """One plus the change, on units or on chips per unit."""
        return {self.of: 1.0 + rate}

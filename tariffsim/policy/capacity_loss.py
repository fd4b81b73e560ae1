"""Capacity that is lost: lines retired, destroyed, or idle for lack of power or inputs."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import WHOLE_SCOPE, Scope, codes_field, rate_field
from tariffsim.policy.time_path import TimePath


class CapacityLoss(Instrument):
    """Takes a share of the capacity that foundries would have, while it is in force.

    Plans to build do not count with it; where investment is responsive, margins answer shortage.
    """

    path_field = "share"
    without = WHOLE_SCOPE

    kind: Literal["capacity_loss"]
    share: TimePath = rate_field("Share of capacity lost.", most=1)
    regions: Scope = codes_field(
        "Foundry regions that lose it; all if left out.", "foundry_regions"
    )
    node_classes: Scope = codes_field("Node classes that lose it; all if left out.", "node_classes")

    def capacity_loss(self, rate: float) -> float:
        """The share itself."""
        return rate

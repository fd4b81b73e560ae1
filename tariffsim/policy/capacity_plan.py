"""Larger (or smaller) Chinese share of legacy capacity than the baseline's plan."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import WHOLE_SCOPE, rate_field
from tariffsim.policy.time_path import TimePath


class CapacityPlan(Instrument):
    """Adds points to China's planned share of legacy chip capacity."""

    path_field = "points"
    without = WHOLE_SCOPE

    kind: Literal["capacity_plan"]
    points: TimePath = rate_field("Points added to China's planned capacity share.", -1, 1)

    def capacity_share(self, rate: float) -> float:
        """The points themselves."""
        return rate

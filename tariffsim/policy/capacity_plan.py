"""Larger (or smaller) Chinese share of legacy capacity than the baseline's plan."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import WHOLE_SCOPE, parameter, rate_field
from tariffsim.policy.time_path import TimePath


class CapacityPlan(Instrument):
    """Adds points to China's planned share of legacy chip capacity.

    With `total: others` the other regions build what they plan anyway, and China more or less
    beside it. With `total: world` the world's planned capacity of each class stays as it was, and
    the others build what China does not.
    """

    path_field = "points"
    without = WHOLE_SCOPE

    kind: Literal["capacity_plan"]
    points: TimePath = rate_field("Points added to China's planned capacity share.", -1, 1)
    total: Literal["others", "world"] = parameter(
        "others", "choice", "Whose planned capacity stays as it is: that of the other regions, or "
        "that of the world, so that others build what China does not.",
    )  # fmt: skip

    def capacity_share(self, rate: float) -> float:
        """The points, if others do not make up for them."""
        return rate if self.total == "others" else 0.0

    def share_made_up(self, rate: float) -> float:
        """The points, if they do."""
        return rate if self.total == "world" else 0.0

"""Deeper (or shallower) price discount of Chinese foundries than the baseline's path."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import WHOLE_SCOPE, rate_field
from tariffsim.policy.time_path import TimePath


class PriceCut(Instrument):
    """Adds points to the discount of Chinese chips, in every market at once."""

    path_field = "points"
    without = WHOLE_SCOPE

    kind: Literal["price_cut"]
    points: TimePath = rate_field("Points added to China's price discount.", -1, 1)

    def price_discount(self, rate: float) -> float:
        """The points themselves."""
        return rate

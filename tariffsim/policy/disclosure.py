"""Duty to declare: importers must find out where the chips in their products come from."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import ASSEMBLY_SCOPE, rate_field
from tariffsim.policy.time_path import TimePath


class Disclosure(Instrument):
    """Obliges importers to trace their chips, the largest first, at the cost of tracing."""

    path_field = "share"
    without = ASSEMBLY_SCOPE

    kind: Literal["disclosure"]
    share: TimePath = rate_field(
        "Part of the market's imports whose importers are obliged, the largest importers first.",
        most=1,
    )

    def tracing_share(self, rate: float) -> float:
        """The share itself."""
        return rate

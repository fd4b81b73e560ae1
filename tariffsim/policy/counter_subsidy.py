"""China's answer to component tariffs: it gives makers back a part of the duty on its chips."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import WHOLE_SCOPE, rate_field
from tariffsim.policy.time_path import TimePath


class CounterSubsidy(Instrument):
    """Lowers the price of Chinese chips for makers exposed to component duties, at public expense.

    With 1 the duty no longer makes Chinese chips more expensive to them; other makers get nothing.
    """

    path_field = "share"
    without = WHOLE_SCOPE

    kind: Literal["counter_subsidy"]
    share: TimePath = rate_field("Share of the component duty that China rebates.", most=1)

    def counter_subsidy(self, rate: float) -> float:
        """The part itself."""
        return rate

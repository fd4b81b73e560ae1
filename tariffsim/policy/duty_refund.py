"""Refund of duties after a ruling: governments pay back to importers what they had collected."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import WHOLE_SCOPE, NameList, parameter, rate_field
from tariffsim.policy.time_path import Date, TimePath
from tariffsim.typing import one_name


class DutyRefund(Instrument):
    """Pays back a share of the duty that the measures named took, to those who paid it.

    The share is that of all duty paid from `paid_since` until the month before that has been paid
    back by then: 1 from one month on pays all at once, a path that rises pays by instalments, and
    nothing is paid back twice. Nobody counts on it, and prices do not fall.
    """

    path_field = "share"
    without = WHOLE_SCOPE

    kind: Literal["duty_refund"]
    share: TimePath = rate_field("Share of the duty paid that has been paid back by then.", most=1)
    refunds: NameList = parameter(
        ..., "names", "What is paid back: duties of this scenario by the name of the policy, those "
        "of the tariff calendar by that of the instrument, or the id of a row.", min_length=1,
    )  # fmt: skip
    paid_since: Date | None = parameter(
        None, "month", "First month whose duty is paid back; the first of the run if left out."
    )

    @property
    def names_others(self) -> tuple[str, ...]:
        """The duties."""
        return self.refunds

    def refund(self, measure: str, paid: int, rate: float) -> float:
        """The share, where the measure is named and the month is not too early."""
        counts = self.paid_since is None or paid >= self.paid_since
        is_named = one_name(measure) in map(one_name, self.refunds)
        return rate if counts and is_named else 0.0

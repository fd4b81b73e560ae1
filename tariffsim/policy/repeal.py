"""Repeal: duties of the tariff calendar are not levied while it is in force."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import OF_DUTIES, LongCodes, parameter, rate_field
from tariffsim.policy.time_path import TimePath


class Repeal(Instrument):
    """Switches duties of the tariff calendar off, wholly or in part, within its scope.

    A court ruling or an act of repeal: with `end` the duties come back. Unmounted chips are in
    scope unless devices are named. A duty that the base year has falls by what its rows put on the
    product in 2024, and never below zero.
    """

    path_field = "share"
    without = OF_DUTIES

    kind: Literal["repeal"]
    share: TimePath = rate_field("Share of the duty that is no longer levied; 1 is all.", most=1)
    repeals: LongCodes | None = parameter(
        None, "names", "Instruments of the tariff calendar, by name, or ids of rows; all if left "
        "out.",
    )  # fmt: skip

    @property
    def replaced(self) -> tuple[str, ...] | None:
        """What it names."""
        return self.repeals

    def replaced_share(self, rate: float) -> float:
        """The share itself."""
        return rate

"""Exogenous change of taste for the chips of some regions in some markets."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import ASSEMBLY_SCOPE, DEVICE_SCOPE, Scope, codes_field, rate_field
from tariffsim.policy.time_path import TimePath


class PreferenceShift(Instrument):
    """Adds to the utility of the regions' chips in lines sold to the markets (log odds)."""

    path_field = "log_odds"
    without = (*DEVICE_SCOPE, *ASSEMBLY_SCOPE)

    kind: Literal["preference_shift"]
    log_odds: TimePath = rate_field(
        "Log odds added at an open slot: 0.69 doubles the odds.", -5, unit="log odds"
    )
    chip_regions: Scope = codes_field(
        "Regions whose chips buyers prefer more, or less.", "foundry_regions", ("CN",)
    )

    def preference(self, rate: float) -> float:
        """The log odds themselves."""
        return rate

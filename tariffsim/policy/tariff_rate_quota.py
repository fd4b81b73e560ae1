"""Tariff-rate quota: a lower duty on products within a yearly quota, a higher one above it."""

from __future__ import annotations

from typing import Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import parameter, rate_field
from tariffsim.policy.shipments import Shipments
from tariffsim.policy.time_path import TimePath
from tariffsim.typing import Float


class TariffRateQuota(Instrument):
    """Ad valorem duty on the customs value of products, lower within a quota.

    The quota is one for all covered imports into a market, from January (or the first month in
    force) to December; several markets have one each. In the month in which it fills, all imports
    pay the mean rate. Agents expect the mean rate of a year with the imports of the last twelve
    months; with other duties it adds up.
    """

    kind: Literal["tariff_rate_quota"]
    rate: TimePath = rate_field("Duty above the quota, as a fraction of customs value.")
    in_quota_rate: float = parameter(
        0.0, "fraction", "Duty within the quota, as a fraction of customs value; never above the "
        "rate.", ge=0, le=5,
    )  # fmt: skip
    quota: float = parameter(
        ..., "units or USD a year", "Imports a year at the lower duty: units, or customs value.",
        ge=0, le=1e15,
    )  # fmt: skip
    quota_in: Literal["units", "value"] = parameter(
        "units", "choice", "What the quota counts: units, or their customs value."
    )

    @property
    def has_memory(self) -> bool:
        """The imports of the year."""
        return True

    @property
    def declares(self) -> str:
        """The country of assembly."""
        return "origin"

    def duty(self, shipments: Shipments, rate: float) -> Float:
        """Rate times customs value at the border."""
        return rate * shipments.customs_value * shipments.crosses_border

    def counted(self, shipments: Shipments) -> Float:
        """One unit, or its customs value, of what crosses the border."""
        value = (
            shipments.customs_value
            if self.quota_in == "value"
            else 1.0 + 0.0 * shipments.customs_value
        )
        return value * shipments.crosses_border

    @property
    def counted_unit(self) -> str:
        """Units, or USD."""
        return "USD" if self.quota_in == "value" else "units"

    def rate_given(self, rate: float, imports_to_date: float, imports: float) -> float:
        """Mean of the lower rate within the quota and the higher one above it."""
        if rate == 0.0:
            return 0.0
        left = max(self.quota - imports_to_date, 0.0)
        above = max(imports - left, 0.0) / imports if imports > 0 else float(left == 0.0)
        within = min(self.in_quota_rate, rate)
        return within + (rate - within) * above

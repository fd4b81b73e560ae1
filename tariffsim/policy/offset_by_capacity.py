"""Duties that fall with the capacity that is built in the levying market: allowance and credit."""

from __future__ import annotations

from typing import Any, Literal

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import parameter
from tariffsim.policy.shipments import Built, Shipments
from tariffsim.policy.time_path import TimePath
from tariffsim.typing import Float


class OffsetByCapacity(Instrument):
    """A duty on chips of which a part is waived for capacity in the levying market.

    Either a number of chips is free, for what is built, stands or is pledged, or an amount of duty
    is credited for what is built. Each market has its own; the part is the same for all that would
    pay, and agents expect building to go on as it does.
    """

    free_chips_per_chip: TimePath = parameter(
        lambda: TimePath(values=(0.0,)), "chips", "Covered chips a month that are free of duty for "
        "each chip a month of capacity that counts in the levying market.", ge=0, le=1000,
    )  # fmt: skip
    capacity_counted: Literal["built", "standing"] = parameter(
        "built", "choice", "Which capacity has that allowance: what is built since the first month "
        "in force, or all that stands.",
    )  # fmt: skip
    pledged_kwpm: float = parameter(
        0.0, "thousand wafers a month", "Capacity that has that allowance besides, built or not, "
        "because investors have pledged it: 300 mm wafers, in the market's mix of covered classes.",
        ge=0, le=1e6,
    )  # fmt: skip
    credit_per_usd: float = parameter(
        0.0, "USD", "Duty waived for each USD of capital cost of that capacity; what is not used "
        "is kept for later months.", ge=0, le=1000,
    )  # fmt: skip
    owned_share: float = parameter(
        1.0, "fraction", "Share of that capacity that belongs to firms whose chips pay the duty; "
        "foundries of the model have no owners abroad.", source="assumption", ge=0, le=1,
    )  # fmt: skip

    @property
    def has_memory(self) -> bool:
        """Only with an allowance or a credit."""
        return self._has_allowance or self.credit_per_usd > 0

    @property
    def _has_allowance(self) -> bool:
        return any(self.free_chips_per_chip.values)

    def liable(self, shipments: Shipments, of: Float) -> Float:
        """A value or number of the chips by part, as far as they are liable, by product."""
        raise NotImplementedError

    def counted(self, shipments: Shipments) -> Float:
        """Chips that are liable; for a credit the duty at a rate of one."""
        chips = self.liable(shipments, shipments.chip_count)
        due = self.duty(shipments, 1.0)
        counted = chips if self._has_allowance else due
        result: Float = counted * self.is_triggered(shipments)
        return result

    @property
    def counted_unit(self) -> str:
        """Chips; for a credit on a duty on value USD."""
        per: Any = getattr(self, "per", "value")
        return "chips" if self._has_allowance or per == "chip" else "USD"

    def relief(self, rate: float, imports: float, built: Built) -> float:
        """The allowance over imports, or the credit left over the duty on them; at most all."""
        if self._has_allowance:
            return _part(self.free_chips_per_chip.at(built.month) * self._capacity(built), imports)
        return _part(self._credit(built.capital) - built.waived, rate * imports)

    def expected_relief(self, rate: float, imports: float, built: Built) -> float:
        """That of the month; of a credit what is left, and what a year like the month earns."""
        if self._has_allowance:
            return self.relief(rate, imports, built)
        to_come = self._credit(built.capital + 11 * built.newest)
        return _part(to_come - built.waived, 12 * rate * imports)

    def _capacity(self, built: Built) -> float:
        """Chips a month of covered classes that have the allowance."""
        named: Any = getattr(self, "node_classes", None)
        classes = [k for k in built.standing if named is None or k in named]
        counted = built.chips if self.capacity_counted == "built" else built.standing
        standing = sum(built.standing[k] for k in classes)
        wafers = sum(built.standing[k] / built.chips_per_kwpm[k] for k in classes)
        mix = standing / wafers if wafers > 0 else 0.0
        return self.owned_share * sum(counted[k] for k in classes) + self.pledged_kwpm * mix

    def _credit(self, capital: float) -> float:
        return self.credit_per_usd * self.owned_share * capital


def _part(available: float, needed: float) -> float:
    """How much of what is needed is available."""
    return min(available / needed, 1.0) if needed > 0 < available else 0.0

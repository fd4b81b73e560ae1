"""Duties that fall with the capacity that is built in the levying market: allowance and credit."""

from __future__ import annotations

from typing import Any

from tariffsim.policy.base import Instrument
from tariffsim.policy.fields import parameter
from tariffsim.policy.shipments import Built, Shipments
from tariffsim.typing import Float


class OffsetByCapacity(Instrument):
    """A duty on chips of which a part is waived for capacity built in the levying market.

    Either a number of chips is free, or an amount of duty is credited. Each market has its own;
    the part is the same for all that would pay, and agents expect building to go on as it does.
    """

    free_chips_per_chip: float = parameter(
        0.0, "chips", "Covered chips a month that are free of duty for each chip a month of "
        "capacity built in the levying market since the first month in force.", ge=0, le=1000,
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
        return self.free_chips_per_chip > 0 or self.credit_per_usd > 0

    def liable(self, shipments: Shipments, of: Float) -> Float:
        """A value or number of the chips by part, as far as they are liable, by product."""
        raise NotImplementedError

    def counted(self, shipments: Shipments) -> Float:
        """Chips that are liable; for a credit the duty at a rate of one."""
        chips = self.liable(shipments, shipments.chip_count)
        due = self.duty(shipments, 1.0)
        counted = chips if self.free_chips_per_chip > 0 else due
        result: Float = counted * self.is_triggered(shipments)
        return result

    @property
    def counted_unit(self) -> str:
        """Chips; for a credit on a duty on value USD."""
        per: Any = getattr(self, "per", "value")
        return "chips" if self.free_chips_per_chip > 0 or per == "chip" else "USD"

    def relief(self, rate: float, imports: float, built: Built) -> float:
        """The allowance over imports, or the credit left over the duty on them; at most all."""
        if self.free_chips_per_chip > 0:
            classes = getattr(self, "node_classes", None)
            chips = sum(n for k, n in built.chips.items() if classes is None or k in classes)
            return _part(self.free_chips_per_chip * self.owned_share * chips, imports)
        return _part(self._credit(built.capital) - built.waived, rate * imports)

    def expected_relief(self, rate: float, imports: float, built: Built) -> float:
        """That of the month; of a credit what is left, and what a year like the month earns."""
        if self.free_chips_per_chip > 0:
            return self.relief(rate, imports, built)
        to_come = self._credit(built.capital + 11 * built.newest)
        return _part(to_come - built.waived, 12 * rate * imports)

    def _credit(self, capital: float) -> float:
        return self.credit_per_usd * self.owned_share * capital


def _part(available: float, needed: float) -> float:
    """How much of what is needed is available."""
    return min(available / needed, 1.0) if needed > 0 < available else 0.0

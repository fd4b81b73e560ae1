"""What the month's policy means; letters in shapes as in `economy`."""

from __future__ import annotations

from dataclasses import dataclass

from tariffsim.investment import PublicFunds
from tariffsim.law import DutyTables, Regime
from tariffsim.tariffs import Expected
from tariffsim.typing import Float


@dataclass
class PolicyState:
    """What the month's policy means: duties due and expected, points and factors."""

    rates: list[float]
    """Strength of each law."""
    regime: Regime
    """The laws in force."""
    in_force: DutyTables
    expected: Expected
    discount: float
    """China's price discount."""
    capacity_share: float
    """China's planned share of capacity."""
    offset: float
    """Part of component duties on its chips that China makes good."""
    funds: PublicFunds
    """Grants and credits for foundries."""
    units_factor: Float
    """(cells,) factor on device demand."""
    chips_factor: Float
    """(D, M, K) factor on chips in a unit."""
    preference: Float
    """(M, R) log odds added to the chips of a region."""
    supply_share: Float | None
    """(cells, K, R) part of deliveries let through; None where nothing is kept back."""
    open_share: Float | None
    """(cells, K, R) part of a new supplier's deliveries that would be let through now."""
    candidate_share: Float | None
    """(kinds, cells, K, R) the least of that and of what is expected over a choice's life."""

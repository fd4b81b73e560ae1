"""What the month's policy means for prices and choices; letters in shapes as in `economy`."""

from __future__ import annotations

from dataclasses import dataclass

from tariffsim.law.duty_tables import DutyTables, Regime
from tariffsim.law.expectations import Expected
from tariffsim.typing import Float


@dataclass(frozen=True)
class PublicFunds:
    """What governments offer this month to foundries that build."""

    grants: Float
    """(R,) USD of capacity grants awarded."""
    granted_investment: Float
    """(R,) USD of capital cost of what these grants build."""
    credit: Float
    """(R,) part of the capital cost of what is built that is refunded."""


@dataclass(frozen=True)
class SupplyLimits:
    """Shares of deliveries that no measure denies; None where nothing is denied."""

    supply: Float | None
    """(cells, K, R) of suppliers in place, this month."""
    now: Float | None
    """(cells, K, R) of a new supplier, if it could deliver now."""
    expected: Float | None
    """(kinds, cells, K, R) the least of that and of what is expected over a choice's life."""


@dataclass
class PolicyState:
    """Duties in force and expected, China's paths, factors on demand, limits of supply."""

    rates: list[float]
    """Strength of each law, given the imports of the year."""
    regime: Regime
    """The laws in force."""
    in_force: DutyTables
    expected: Expected
    discount: float
    """China's price discount."""
    capacity_share: float
    """China's planned share of capacity."""
    share_before: float
    """The same without the points that others make up for."""
    counter_subsidy: float
    """Share of component duties on its chips that China rebates."""
    funds: PublicFunds
    """Grants and credits for foundries."""
    units_factor: Float
    """(cells,) factor on device demand."""
    chips_factor: Float
    """(D, M, K) factor on chips in a unit."""
    preference: Float
    """(M, R) log odds added to the chips of a region."""
    limits: SupplyLimits
    """Shares of deliveries that no measure denies."""

"""What the month's policy means for prices and choices; letters in shapes as in `economy`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.law.duty_tables import DutyTables, Regime
from tariffsim.law.expectations import Expected
from tariffsim.state.chip_origins import places
from tariffsim.typing import Bool, Float, Int


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
class DeliveredShare:
    """Shares of deliveries that no measure denies, for one or several kinds of choice."""

    by_region: Float
    """(cells, K, R), or with kinds before these: of measures that ask for the fab alone."""
    by_origin: tuple[tuple[Bool, Float], ...]
    """Of each other measure: the chips that it finds (N, P, R), and (cells, K) what it lets be
    delivered of these, or with kinds before."""

    def at(
        self, cell: Int, node_class: Int, line: Int, part: Int, region: Int, kind: Int | None = None
    ) -> Float:
        """Share of a region's chips for parts of lines; the arguments broadcast together."""
        index = (cell, node_class) if kind is None else (kind, cell, node_class)
        share = np.asarray(self.by_region[(*index, region)])
        for found, left in self.by_origin:
            share = share * np.where(places(found, line, part, region), left[index], 1.0)
        return share


@dataclass(frozen=True)
class SupplyLimits:
    """Shares of deliveries that no measure denies; None where nothing is denied."""

    supply: DeliveredShare | None
    """Of suppliers in place, this month."""
    now: DeliveredShare | None
    """Of a new supplier, if it could deliver now."""
    expected: DeliveredShare | None
    """By kind of choice: the least of that and of what is expected over a choice's life."""


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
    capacity_left: Float
    """(R, K) part of capacity that is not lost."""
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
    procurement: Float
    """(kinds, D, M, R) log odds of the chips of a region that public buyers avoid."""
    limits: SupplyLimits
    """Shares of deliveries that no measure denies."""

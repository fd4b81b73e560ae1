"""What the foundries of each region build, and what is on the way (MODEL 4.1).

Letters in shapes: R foundry regions, K node classes, H months ahead, the first next month.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass
class Investment:
    """One row a foundry region: its foundries decide alike, by the margin of their industry."""

    chips_per_kwpm: Float
    """(K,) chips a month from a thousand 300 mm wafers a month."""
    base_wafers: Float
    """(R,) capacity in the base year, thousand wafers a month."""
    base_margin: Float
    """(R,) operating margin in the base year."""
    margins: Float
    """(R, 12) operating margins of the last twelve months."""
    growth_ahead: Float
    """(R,) months of planned growth that capacity is ahead of its plan, or behind."""
    growth_due: Float
    """(R, H) what will be added to that, by month."""
    granted: Float
    """(R,) capacity built with grants relative to the other."""
    granted_due: Float
    """(R, H) thousand wafers a month of it that will arrive, by month."""
    grants: Float
    """(R,) USD of capacity grants paid this month."""
    grants_due: Float
    """(R, H) USD that will be paid, by month."""
    credits: Float
    """(R,) USD of investment credits paid this month."""
    credits_due: Float
    """(R, H) USD that will be paid, by month."""
    china_base_utilisation: float
    china_utilisation: Float
    """(12,) orders over capacity of Chinese foundries in the last twelve months, in wafers."""
    plan_gap: Float
    """(K,) part of China's planned capacity that is not built."""

"""The foundries of a region: what they build and close, and the public money they are paid."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.reference.agents import Foundry

if TYPE_CHECKING:
    from tests.reference.world import Reference

ByMonth = defaultdict[int, float]


def _by_month() -> ByMonth:
    return defaultdict(float)


@dataclass(eq=False)
class Industry:
    """A region's foundries decide alike, by the margin of all of them; China's follow a plan."""

    region: str
    market: str
    growth: float
    is_chinese: bool
    lag: int
    capital_cost: float
    """USD for a thousand wafers a month."""
    foundries: list[Foundry]
    base_margin: float = 0.0
    margins: deque[float] = field(default_factory=deque)
    utilisations: deque[float] = field(default_factory=deque)
    months_ahead: float = 0.0
    """Months of planned growth ahead of the plan."""
    granted: float = 0.0
    """Capacity built with grants relative to the other."""
    growth_due: ByMonth = field(default_factory=_by_month)
    wafers_due: ByMonth = field(default_factory=_by_month)
    grants_due: ByMonth = field(default_factory=_by_month)
    credits_due: ByMonth = field(default_factory=_by_month)

    def start(self, world: Reference) -> None:
        """Margins and utilisation of the year before are those of the base year."""
        revenue = cost = 0.0
        for f in self.foundries:
            for k in world.classes:
                output = f.base_utilisation[k] * f.base_capacity[k]
                revenue += f.base_price[k] * output
                cost += f.base_cost[k] * output
        self.base_margin = (revenue - cost) / revenue if revenue else -1.0
        self.margins = deque([self.base_margin] * 12, maxlen=12)
        self.base_utilisation = self.utilisation(world, "base")
        self.utilisations = deque([self.base_utilisation] * 12, maxlen=12)

    def utilisation(self, world: Reference, when: str) -> float:
        """Orders over capacity, added up in wafers."""
        orders = capacity = 0.0
        for f in self.foundries:
            for k in world.classes:
                chips = f.base_capacity[k] if when == "base" else f.capacity[k]
                ordered = f.base_utilisation[k] * chips if when == "base" else f.orders[k]
                orders += ordered / world.chips_per_wafers[k]
                capacity += chips / world.chips_per_wafers[k]
        return orders / capacity if capacity else 1.0

    def wafers(self, world: Reference, column: str) -> float:
        """Thousand wafers a month."""
        return sum(
            getattr(f, column)[k] / world.chips_per_wafers[k]
            for f in self.foundries
            for k in world.classes
        )

    def build(self, world: Reference) -> None:
        """What was decided arrives."""
        now = world.month_number
        self.months_ahead += self.growth_due[now]
        relative = (1 + self.growth) ** (self.months_ahead / 12)
        for f in self.foundries:
            for k in world.classes:
                unbuilt = world.plan_gap[k] if f.is_chinese else 0.0
                f.capacity[k] = f.planned_capacity[k] * relative * (1 - unbuilt)
        standing = self.wafers(world, "capacity")
        self.granted += self.wafers_due[now] / standing if standing else 0.0
        for f in self.foundries:
            for k in world.classes:
                f.capacity[k] *= 1 + self.granted
                for law, lost in world.losses:
                    if self.region in (law.regions or [self.region]) and k in (
                        law.node_classes or world.classes
                    ):
                        f.capacity[k] *= 1 - lost

    def invest(self, world: Reference) -> None:
        """The year's margin decides; grants and credits are awarded (MODEL 4.1)."""
        now, supply = world.month_number, world.scenario.supply
        revenue = sum(f.revenue[k] for f in self.foundries for k in world.classes)
        cost = sum(
            f.cost[k] - f.subsidy[k] * f.output[k] for f in self.foundries for k in world.classes
        )
        self.margins.append((revenue - cost) / revenue if revenue > 0 else -1.0)
        self.utilisations.append(self.utilisation(world, "now"))
        credit = world.credit.get(self.region, 0.0)
        decided = 1.0
        if supply.investment == "responsive" and self.growth > 0 and not self.is_chinese:
            decided = self._decided(world, credit)
        self.growth_due[now + self.lag] += max(decided, 0.0) - 1
        self.growth_due[now + supply.closure_months] += min(decided, 0.0)
        standing = self.wafers(world, "capacity")
        growth = 0.0 if self.is_chinese else self.growth
        added = standing * ((1 + growth) ** (max(decided, 0.0) / 12) - 1)
        granted = world.granted_investment.get(self.region, 0.0) / self.capital_cost
        self.wafers_due[now + self.lag] += granted
        refund = credit * self.capital_cost * (max(added, 0.0) + granted)
        for month in range(now + 1, now + self.lag + 1):
            self.grants_due[month] += world.grants.get(self.region, 0.0) / self.lag
            self.credits_due[month] += refund / self.lag

    def _decided(self, world: Reference, credit: float) -> float:
        supply = world.scenario.supply
        margin = sum(self.margins) / 12
        pairs = [(f, k) for f in self.foundries for k in world.classes]
        price = sum(f.price[k] * f.capacity[k] for f, k in pairs)
        cost = sum(f.unit_cost[k] * f.capacity[k] for f, k in pairs)
        margin += supply.capital_cost_share * credit * cost / price if price else 0.0
        hurdle = supply.investment_hurdle
        growth = (margin - hurdle) / (self.base_margin - hurdle)
        return max(-1.0, min(2.0, growth))

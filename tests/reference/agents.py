"""The agents: plain objects with plain numbers, one method for each thing they do in a month."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from tests.reference.customs import LEFT_OUT, PULLED, REAL, Bill, Chips, Product, Rates
from tests.reference.delivery import scarcity_after

if TYPE_CHECKING:
    from tests.reference.world import Reference

ByClass = dict[str, float]
Price = Callable[["Foundry", "Slot"], float]
"""Of a chip of a foundry in a slot."""
Inside = Callable[["Foundry", "Slot"], Chips]
"""The chips of a foundry in a slot of one unit."""
Alternative = TypeVar("Alternative")
DESIGN, PIN_COMPATIBLE, SHIFT, PLANT = "design", "drop-in", "shift", "plant"


@dataclass(eq=False)
class Foundry:
    """Makes chips of some node classes and posts a price for each."""

    name: str
    region: str
    market: str
    is_chinese: bool
    growth: float
    base_capacity: ByClass
    base_utilisation: ByClass
    base_price: ByClass
    base_cost: ByClass
    base_experience: ByClass
    capacity: ByClass
    utilisation: ByClass
    posted_price: ByClass
    price: ByClass
    """Invoiced: the posted price times scarcity."""
    experience: ByClass
    size: ByClass = field(default_factory=dict)
    """Capacity over that of the base year."""
    learned: ByClass = field(default_factory=dict)
    """Unit cost over that of the base year."""
    unit_cost: ByClass = field(default_factory=dict)
    subsidy: ByClass = field(default_factory=dict)
    orders: ByClass = field(default_factory=dict)
    booked: ByClass = field(default_factory=dict)
    """Orders once all that is under qualification is supplied."""
    line_sales: ByClass = field(default_factory=dict)
    sales: ByClass = field(default_factory=dict)
    output: ByClass = field(default_factory=dict)
    planned_capacity: ByClass = field(default_factory=dict)
    revenue: ByClass = field(default_factory=dict)
    cost: ByClass = field(default_factory=dict)

    def plan_capacity(self, world: Reference) -> None:
        """Capacity grows as planned; China's is set afterwards, by its plan."""
        for k in world.classes:
            self.planned_capacity[k] = self.base_capacity[k] * (1 + self.growth) ** world.years

    def post_prices(self, world: Reference) -> None:
        """Cost falls with experience, and the price moves towards its target (MODEL 4.1)."""
        supply = world.scenario.supply
        discount = world.discount if self.is_chinese else 0.0
        exponent = -math.log2(1 - supply.learning)
        for k in world.classes:
            world_price = world.chip_price[k]
            base = self.base_experience[k] or 1.0
            learned = ((base + self.experience[k]) / base) ** -exponent
            self.learned[k] = learned
            advantage = supply.discount_cost_share * discount * world_price
            self.unit_cost[k] = (self.base_cost[k] - advantage) * learned
            tightness = self.utilisation[k] - self.base_utilisation[k]
            tightness = max(-0.3, min(0.3, tightness))
            parity = world_price * learned
            parity *= math.exp(supply.utilisation_price_response * tightness)
            target = math.log((1 - discount) * parity)
            a = supply.price_adjustment
            posted = math.exp((1 - a) * math.log(self.posted_price[k]) + a * target)
            self.posted_price[k] = posted
            self.price[k] = posted * world.scarcity[self.is_chinese, k]
            self.subsidy[k] = supply.discount_subsidy_share * discount * parity

    def price_ahead(self, world: Reference, node_class: str, months: int) -> float:
        """What it is expected to invoice later, scarce as the order book makes it (MODEL 4.1)."""
        at = self.is_chinese, node_class
        months = min(months, world.scenario.supply.order_book_months)
        scarcity = scarcity_after(world, world.scarcity[at], *world.order_book[at], months)
        return self.posted_price[node_class] * scarcity

    def compare_size(self, world: Reference) -> None:
        """Its size over that of the base year; all have shrunk alike where all have lost all."""
        for k in world.classes:
            has_any = any(f.capacity[k] > 0 for f in world.foundries)
            base = self.base_capacity[k]
            self.size[k] = (self.capacity[k] / base if has_any else 1.0) if base > 0 else 0.0

    def is_candidate(self, node_class: str) -> bool:
        """Whether it has capacity for chips of a class."""
        return self.size[node_class] > 0


@dataclass(eq=False)
class Slot:
    """One part of a line, chips of one node class, and who supplies them."""

    node_class: str
    is_pin_compatible: bool
    supplier: Foundry
    waiting: Foundry | None
    take_over_month: int
    base_shares: dict[Foundry, float]
    """Share of each foundry in lines of its kind, in the base year."""
    curvature: float
    odds_scale: float
    """`kappa` and `c` of the steady state (MODEL 5.4)."""
    switching: float
    """`S` of the whole line."""
    log_inertia: float
    """`sigma ln(1 + S)` of its version."""
    life_months: int
    line_requalification: float
    """USD a unit of the whole line if the supplier changes."""
    requalification_per_unit: float
    """The same a unit of its version."""
    base_chips: float = 0.0
    """Chips in a unit in the base year."""
    amortised: float = 0.0
    amortised_until: int = 0
    chips: float = 0.0
    chip_value: float = 0.0
    offset: float = 0.0
    """USD a unit of the chips' posted price that China pays."""
    sacrifice: float = 0.0
    """USD a unit given up, when it last chose, to keep clear of a trigger."""
    has_second_source: bool = False
    second_source: Foundry = field(kw_only=True)
    """On standby in another region; the supplier itself where there is none."""
    supplied_since: int = 0
    stock: float = 0.0
    opening_stock: float = 0.0
    past_need: list[float] = field(default_factory=list)
    """Chips needed in the two months before."""
    need: float = 0.0
    """Chips for the units ordered this month."""
    ordered: float = 0.0
    current: float = 0.0
    """Part of the order that is for this month's use."""
    delivered_share: float = 1.0
    met: float = 1.0
    """Part of that order which the supplier delivers."""
    sent: float = 0.0
    from_second: float = 0.0
    noise: dict[Foundry, float] = field(default_factory=dict)
    """Gumbel draws of this month, empty when neither slot nor design opens."""
    opens_itself: bool = False
    origin_rule: str = "fab"
    """What decides the region that tariffs count chips as."""
    chinese_chips: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """By region: share with a Chinese owner, packaged in China, and packaged there of the first."""
    packaging_draw: float = 0.0
    owner_draw: float = 0.0
    share_draw: float = 0.0
    """Uniforms: packaged in China, owned by Chinese, found by a measure on a share of the chips."""
    most_denied: float = 0.0
    """Part of its chips that measures keep back, the most in any market."""
    last_denied: int | None = None
    """Last month in which that was more than nothing."""
    delta: dict[Foundry, float] = field(default_factory=dict)

    @property
    def is_free(self) -> bool:
        """Whether no other supplier is being qualified."""
        return self.waiting is None

    def place(self, rule: str, region: str) -> str:
        """Region that a region's chips are of by fab, packaging or owner (MODEL 4.4)."""
        if rule == "fab":
            return region
        owned, packaged, if_owned = self.chinese_chips[region]
        has_owner = self.owner_draw < owned
        chance = owned
        if rule == "packaging" and has_owner:
            chance = if_owned
        elif rule == "packaging":  # so that of all chips the share `packaged` is
            chance = (packaged - owned * if_owned) / (1 - owned) if owned < 1 else 0.0
        draw = self.owner_draw if rule == "owner" else self.packaging_draw
        if draw < chance:
            return "CN"
        return "OTHER" if region == "CN" else region

    def counts_as(self, region: str) -> str:
        """Region that tariffs count a region's chips for this slot as."""
        return self.place(self.origin_rule, region)

    def has_resumed(self, world: Reference, before: float) -> bool:
        """Whether deliveries of its supplier have resumed so lately that nothing is restocked.

        Some or all are let through again of which the part `before` was kept back last month.
        """
        if self.last_denied is None or self.supplied_since > self.last_denied:
            return False
        months = world.scenario.orders.resume_months
        if self.most_denied > 0:
            return months > 0 and self.most_denied < before
        return world.month_number - self.last_denied <= months

    def is_found(self, measure: Any, region: str) -> bool:
        """Whether a measure that keeps chips back finds a region's chips for this slot."""
        named, share = measure.chip_regions, getattr(measure, "share", 1.0)
        return self.share_draw < share and all(
            named is None or self.place(rule, region) in named
            for rule in getattr(measure, "by", ("fab",))
        )

    def base_odds(self, foundry: Foundry) -> float:
        """Odds of a foundry without inertia, in the base year."""
        scaled = self.odds_scale * self.base_shares[foundry]
        return 2 * scaled / (1 + math.sqrt(1 + 4 * self.curvature * scaled))


@dataclass(eq=False)
class Maker:
    """A version of a product line; most lines have one, for one market or several."""

    number: int
    device: str
    base_origin: str
    weights: dict[str, float]
    """Share of its units by market."""
    plants: set[str]
    """Countries in which it has a plant."""
    other_inputs: float
    customs_value: float
    """Mean over its markets, by units of the base year."""
    units: float
    stock_months: float
    slots: dict[int, Slot]
    """By number of the part."""
    line_weights: dict[str, float]
    """Share of the units of the whole line by market."""
    line: Maker | None = None
    """The first version of the line; None if this is the first."""
    own: Maker | None = None
    """The version that the line may give to markets in focus."""
    is_made: bool = True
    is_split: bool = False
    design_opens: bool = False
    looks_for_plants: bool = False
    new_plant: str = ""
    plant_month: int = -1
    china_made: list[float] = field(default_factory=list)
    """Share of its units assembled in China in each of the last twelve months."""
    base_china: float = 0.0
    flows: list[Flow] = field(default_factory=list)
    fill_rate: float = 1.0
    coverage: float = 1.0
    """Part of the orders for which it had chips last month."""
    chip_payments: float = 0.0

    # Suppliers

    def switch_suppliers(self, world: Reference) -> None:
        """Suppliers whose qualification is complete take over."""
        for slot in self.slots.values():
            if slot.waiting is not None and slot.take_over_month == world.month_number:
                slot.supplier, slot.waiting = slot.waiting, None
                slot.supplied_since = world.month_number

    def choose_foundries(self, world: Reference) -> None:
        """What its open slots choose by themselves is begun."""
        choice, sacrifice = self.decide(world)
        self.begin(world, choice, sacrifice)

    def begin(
        self, world: Reference, choice: dict[Slot, Foundry], sacrifice: dict[Slot, float]
    ) -> None:
        """Start to qualify the suppliers chosen."""
        for slot, lost in sacrifice.items():
            slot.sacrifice = lost
        for slot, foundry in choice.items():
            if foundry is not slot.supplier:
                self.qualify(world, slot, foundry)

    def decide(self, world: Reference) -> tuple[dict[Slot, Foundry], dict[Slot, float]]:
        """What open slots choose, and give up; triggers are weighed by plans (MODEL 4.2)."""
        choosing = [s for s in self.slots.values() if s.noise and s.is_free and s.opens_itself]
        every = {s: self.utilities_of_all(world, s, PULLED) for s in choosing}
        choice = {s: self.best(self.that_may_deliver(world, s, u)) for s, u in every.items()}
        sacrifice = {s: self.forgone(world, s, f, every[s]) for s, f in choice.items()}
        if self.design_opens or choosing:
            choice |= self.plan_without_triggers(world, choice, sacrifice)
        return choice, sacrifice

    @staticmethod
    def best(utilities: Mapping[Alternative, float]) -> Alternative:
        """The alternative of highest utility."""
        return max(utilities, key=utilities.__getitem__)

    def utilities(
        self, world: Reference, slot: Slot, trigger: str, months: int | None = None
    ) -> dict[Foundry, float]:
        """Utility of each supplier that may deliver, noise and inertia included (MODEL 4.2).

        `months` to delivery, if not those of an ordinary choice.
        """
        every = self.utilities_of_all(world, slot, trigger, months)
        return self.that_may_deliver(world, slot, every)

    def that_may_deliver(
        self, world: Reference, slot: Slot, every: dict[Foundry, float]
    ) -> dict[Foundry, float]:
        """Utilities of all suppliers without those whose chips are kept back."""
        utilities = {}
        for f, utility in every.items():
            shares = self.candidate_shares(world, slot, f.region)
            share = min(shares.values())
            leaves = self.is_too_little(world, share)
            if leaves:
                leaves = self.worth_a_switch(world, slot, shares, self.candidate_shares)
            if share > 0 and not leaves:
                utilities[f] = utility + math.log(share)
        return utilities or {slot.supplier: 0.0}

    def utilities_of_all(
        self, world: Reference, slot: Slot, trigger: str, months: int | None = None
    ) -> dict[Foundry, float]:
        """The same if no measure kept chips back."""
        sourcing, k = world.scenario.sourcing, slot.node_class
        sigma, omega = sourcing.elasticity, sourcing.size_term
        months = self.lead_months(world, slot) if months is None else months
        costs = self.chip_costs(world, slot, trigger, months)
        utilities = {}
        for f, cost in costs.items():
            v = self.delta(world, slot, f) + self.taste(world, slot, f)
            v += omega * math.log(f.size[k])
            v -= sigma * math.log(cost)
            if f is not slot.supplier:
                v -= slot.log_inertia
            utilities[f] = v + slot.noise[f]
        return utilities

    def forgone(
        self, world: Reference, slot: Slot, choice: Foundry, utilities: dict[Foundry, float]
    ) -> float:
        """What a choice gives up because chips are kept back, USD a unit (MODEL 4.7)."""
        sigma = world.scenario.sourcing.elasticity
        best = self.best(utilities)
        if best is choice or sigma == 0.0:
            return 0.0
        gap = utilities[best] - utilities[choice]
        gap += slot.log_inertia * ((best is not slot.supplier) - (choice is not slot.supplier))
        price = best.price_ahead(world, slot.node_class, self.lead_months(world, slot))
        return slot.chips * price / sigma * gap

    def candidate_shares(self, world: Reference, slot: Slot, region: str) -> dict[str, float]:
        """Part of a supplier's deliveries let through, now and as expected, by market."""
        kind = PIN_COMPATIBLE if slot.is_pin_compatible else DESIGN
        futures = world.foreseen(kind, self.device)
        shares = {}
        for market in self.weights:
            share = 1.0
            for i in world.restrictions_on(self, market, slot, region):
                allow = world.customs.instruments[i].candidate_share
                later = sum(w * allow(rates.get(i, 0.0)) for w, rates in futures)
                share *= min(allow(world.rates.get(i, 0.0)), later)
            shares[market] = share
        return shares

    def is_cut(self, world: Reference, slot: Slot, region: str) -> bool:
        """Whether so much of a supplier's deliveries is kept back that a maker looks elsewhere."""
        least = min(self.law_lets_through(world, slot, region, market) for market in self.weights)
        return self.is_too_little(world, least)

    @staticmethod
    def is_too_little(world: Reference, delivered_share: float) -> bool:
        """Whether a part refused, of 0.1 or whatever is given, sets makers in motion."""
        return 1 - delivered_share >= world.scenario.orders.emergency_share - 1e-9

    def worth_a_switch(
        self, world: Reference, slot: Slot, shares: dict[str, float],
        shares_of: Callable[[Reference, Slot, str], dict[str, float]],
    ) -> bool:  # fmt: skip
        """Whether the profit lost is more than new suppliers of all parts refused, USD a unit."""
        cost, refused = slot.requalification_per_unit, [1 - self.mean(shares)]
        for other in self.slots.values():
            got = shares_of(world, other, other.supplier.region)
            if other is not slot and self.is_too_little(world, min(got.values())):
                cost += other.requalification_per_unit
                refused.append(1 - self.mean(got))
        markup = world.scenario.trade.markup
        profit = self.customs_value * markup / (1 + markup)
        return max(refused) * profit > cost

    def mean(self, by_market: dict[str, float]) -> float:
        """Mean over the line's markets."""
        return sum(w * by_market[m] for m, w in self.weights.items())

    def law_lets_through(self, world: Reference, slot: Slot, region: str, market: str) -> float:
        """Part of a region's chips that measures in force let through to a market."""
        share = 1.0
        for i in world.restrictions_on(self, market, slot, region):
            share *= world.customs.instruments[i].candidate_share(world.rates.get(i, 0.0))
        return share

    def can_wait(self, world: Reference, slot: Slot) -> bool:
        """Whether the profit lost on units not made is less than a switch costs, USD a unit."""
        shares = self.let_through(world, slot, slot.supplier.region)
        return not self.worth_a_switch(world, slot, shares, self.let_through)

    def let_through(self, world: Reference, slot: Slot, region: str) -> dict[str, float]:
        """Part of a region's chips for a slot that measures in force let through, by market."""
        return {m: self.law_lets_through(world, slot, region, m) for m in self.weights}

    def is_over(self, world: Reference, slot: Slot, region: str, months: int) -> bool:
        """Whether all is known to be let through again so many months from now."""
        rates = world.customs.expected(world.date + months, world.date)
        for market in self.weights:
            for i in world.restrictions_on(self, market, slot, region):
                if world.customs.instruments[i].candidate_share(rates.get(i, 0.0)) < 1:
                    return False
        return True

    def emergency_switch(self, world: Reference, slot: Slot) -> None:
        """Cut off, the maker takes the best supplier that is not, in fewer months (MODEL 4.6)."""
        if not self.is_cut(world, slot, slot.supplier.region) or self.can_wait(world, slot):
            return
        factor = world.scenario.orders.emergency_months_factor
        lead = max(math.ceil(self.lead_months(world, slot) * factor), 1)
        if self.is_over(world, slot, slot.supplier.region, lead):
            return
        if slot.waiting is not None and not self.is_cut(world, slot, slot.waiting.region):
            slot.take_over_month = min(slot.take_over_month, world.month_number + lead)
            return
        utilities = self.utilities(world, slot, PULLED, lead)
        found = {f: v for f, v in utilities.items() if not self.is_cut(world, slot, f.region)}
        if found:
            choice = self.best(found)
            slot.sacrifice = self.given_up(world, slot, choice, lead)
            self.qualify(world, slot, choice, lead)

    def given_up(self, world: Reference, slot: Slot, choice: Foundry, months: int) -> float:
        """What leaving the supplier that had been best of all gives up, USD a unit (MODEL 4.7)."""
        sigma, left = world.scenario.sourcing.elasticity, slot.supplier
        if sigma == 0.0:
            return 0.0
        odds = {
            f: math.exp(u - slot.noise[f])
            for f, u in self.utilities_of_all(world, slot, PULLED, months).items()
        }
        won = math.exp(-slot.noise[left]) / sum(odds.values())
        behind = math.exp(-slot.noise[choice]) / odds[choice]
        gap = math.log(1 + behind / won) - slot.log_inertia
        return slot.chips * left.price_ahead(world, slot.node_class, months) / sigma * gap

    def taste(self, world: Reference, slot: Slot, foundry: Foundry) -> float:
        """What moving to or from China, shifts of preference, public buyers add to utility."""
        shift = sum(
            w * world.preference.get((m, foundry.region), 0.0) for m, w in self.weights.items()
        )
        if foundry.is_chinese:
            made = (self.line or self).china_made
            sourcing, moved = world.scenario.sourcing, sum(made) / 12 - self.base_china
            shift += sourcing.odds_follow * moved * math.log(sourcing.assembly_odds)
        for market, weight in self.weights.items():
            for i in world.customs.avoiding(self.device, market, foundry.region):
                shift += weight * math.log(1 - self.avoided(world, slot, i))
        return shift

    def avoided(self, world: Reference, slot: Slot, law: int) -> float:
        """Share of demand that public buyers take elsewhere, now or over the life of a choice."""
        share = world.customs.instruments[law].avoided_share
        kind = PIN_COMPATIBLE if slot.is_pin_compatible else DESIGN
        later = sum(w * share(r.get(law, 0.0)) for w, r in world.foreseen(kind, self.device))
        return max(later, share(world.rates.get(law, 0.0)))

    def chip_costs(
        self, world: Reference, slot: Slot, trigger: str, months: int
    ) -> dict[Foundry, float]:
        """Price of a chip of each candidate plus the duty it is expected to cause (tau)."""
        kind = PIN_COMPATIBLE if slot.is_pin_compatible else DESIGN
        others = {s: s.supplier for s in self.slots.values() if s is not slot}
        futures = world.foreseen(kind, self.device)
        price = cache(self.net_price(world, futures, ahead(world, months)))
        inside = cache(chips_at(price))
        costs = {
            f: price(f, slot)
            for f, share in slot.base_shares.items()
            if share > 0 and f.is_candidate(slot.node_class)
        }
        for weight, rates in futures:
            for market, share in self.weights.items():
                without = self.bill(world, others, market, rates, trigger, inside)
                for f in costs:
                    taken = others | {slot: f}
                    with_it = self.bill(world, taken, market, rates, trigger, inside)
                    more = world.customs.added(with_it, without)
                    costs[f] += weight * share * more / slot.chips
        return costs

    def bill(
        self, world: Reference, suppliers: Mapping[Slot, Foundry], market: str, rates: Rates,
        trigger: str, inside: Inside,
    ) -> Bill:  # fmt: skip
        """Duty on one unit sold in a market: what is added up, and new duties by instrument."""
        product, _, bare_duty = self.product_in(
            world, suppliers, self.origin(market), market, rates, inside, upkeep=False
        )
        fixed = bare_duty + world.customs.base_duty(product)
        if not world.declarations.is_full:
            return fixed, world.customs.each_duty(product, rates, trigger)
        importer = self.importer(market)
        on_origin, on_content = world.declarations.each_borne(product, rates, trigger, importer)
        return fixed + on_origin, on_content

    def delta(self, world: Reference, slot: Slot, foundry: Foundry) -> float:
        """What makes the base year a steady state at its prices and duties; constant."""
        if foundry not in slot.delta:
            with_it, without = (
                self.quote(
                    world, chips, {}, LEFT_OUT, base_price, origin=self.base_origin, upkeep=False
                ).duty
                for chips in ({slot: foundry}, {})
            )
            cost = foundry.base_price[slot.node_class] + (with_it - without) / slot.chips
            sigma = world.scenario.sourcing.elasticity
            slot.delta[foundry] = math.log(slot.base_odds(foundry)) + sigma * math.log(cost)
        return slot.delta[foundry]

    def plan_without_triggers(
        self, world: Reference, plan_a: dict[Slot, Foundry], sacrifice: dict[Slot, float]
    ) -> dict[Slot, Foundry]:
        """The cheapest of three plans: minding no trigger, plan A, and uncovered suppliers only."""
        futures = world.foreseen(DESIGN, self.device)
        covered = {chip for _, r in futures for chip in world.customs.triggering_chips(self, r)}
        sigma = world.scenario.sourcing.elasticity
        if not covered or sigma == 0:
            return {}
        held = {s: s.waiting or s.supplier for s in self.slots.values()}
        free: dict[Slot, Foundry] = {}
        plan_b: dict[Slot, Foundry] = {}
        utilities: dict[Slot, dict[Foundry, float]] = {}
        for slot in self.slots.values():
            if slot.is_free and slot.noise and (self.design_opens or slot.opens_itself):
                utilities[slot] = u = self.utilities(world, slot, LEFT_OUT)
                free[slot] = self.best(u) if slot.opens_itself else slot.supplier
                clear = {
                    f: v
                    for f, v in u.items()
                    if (slot.node_class, slot.counts_as(f.region)) not in covered
                }
                plan_b[slot] = self.best(clear) if clear else free[slot]
        money = {
            s: s.chips * f.price_ahead(world, s.node_class, self.lead_months(world, s)) / sigma
            for s, f in free.items()
        }
        best, duty = free, self.expected_trigger(world, held | free, futures)
        total = duty
        for plan in ({s: plan_a.get(s, free[s]) for s in free}, plan_b):
            lost = sum(money[s] * (utilities[s][free[s]] - utilities[s][plan[s]]) for s in free)
            due = self.expected_trigger(world, held | plan, futures)
            if due < duty and due + lost < total:
                best, duty, total = plan, due, due + lost
        for slot, foundry in best.items():
            if foundry is not free[slot]:
                given_up = utilities[slot][free[slot]] - utilities[slot][foundry]
                given_up += slot.log_inertia * (free[slot] is not slot.supplier)
                given_up -= slot.log_inertia * (foundry is not slot.supplier)
                if slot.opens_itself:
                    sacrifice[slot] += money[slot] * given_up
                else:
                    sacrifice[slot] = max(money[slot] * given_up, 0.0)
        return best

    def expected_trigger(
        self, world: Reference, suppliers: dict[Slot, Foundry], futures: Iterable[Any]
    ) -> float:
        """What triggered instruments are expected to add over the life of a choice, USD a unit."""
        return sum(w * self.triggered_duty(world, suppliers, rates) for w, rates in futures)

    def triggered_duty(
        self, world: Reference, suppliers: dict[Slot, Foundry], rates: Rates
    ) -> float:
        """What triggered instruments add to the duty bill, USD a unit."""
        at_delivery = ahead(world, world.requalification_months[self.device])
        price = self.net_price(world, [(1.0, rates)], at_delivery)
        real = self.quote(world, suppliers, rates, REAL, price)
        return real.duty - self.quote(world, suppliers, rates, LEFT_OUT, price).duty

    def lead_months(self, world: Reference, slot: Slot) -> int:
        """Months from a choice to delivery by the new supplier."""
        if slot.is_pin_compatible:
            return world.scenario.sourcing.pin_compatible_requalification_months
        return world.requalification_months[self.device]

    def qualify(
        self, world: Reference, slot: Slot, foundry: Foundry, months: int | None = None,
        cost: float | None = None,
    ) -> None:  # fmt: skip
        """Start qualifying a supplier; the old one delivers until it takes over."""
        lead = months or self.lead_months(world, slot)
        slot.waiting = foundry
        slot.take_over_month = world.month_number + lead
        months_left = max(slot.amortised_until - world.month_number, 0)
        rest = slot.amortised * months_left / slot.life_months
        slot.amortised = (slot.requalification_per_unit if cost is None else cost) + rest
        slot.amortised_until = world.month_number + slot.life_months

    # Country of assembly

    def origin(self, market: str) -> str:
        """Country in which what is sold in a market is assembled."""
        return self.flow(market).origin

    def flow(self, market: str) -> Flow:
        """What it sells in a market."""
        return next(flow for flow in self.flows if flow.market == market)

    def share_of(self, flow: Flow) -> float:
        """Part of its units that a flow takes; as in the base year if none are delivered."""
        if self.units > 0:
            return flow.units / self.units
        return flow.base_units / sum(f.base_units for f in self.flows)

    def all_flows(self) -> list[Flow]:
        """The flows of the line in all its versions, by market."""
        return sorted(self.flows + (self.own.flows if self.own else []), key=lambda f: f.number)

    def move(self, world: Reference) -> None:
        """Orders arrive at the plants they shifted to; new plants are ready."""
        for flow in self.all_flows():
            if flow.arrival_month == world.month_number:
                flow.origin, flow.arrival_month = flow.next_origin, -1
        if self.plant_month == world.month_number:
            self.plants.add(self.new_plant)
            self.plant_month = -1

    def build(self, world: Reference) -> None:
        """A plant in a new country, for the flow that has lost most where it is (MODEL 4.3)."""
        if not self.looks_for_plants or self.plant_month >= 0:
            return
        rules = world.scenario.assembly
        factors = {flow: flow.factors(world, PLANT) for flow in self.all_flows()}
        losses = {
            flow: flow.base_units
            * world.unit_value[self.device]
            * (r[flow.origin] ** (1 / rules.elasticity) - 1)
            for flow, r in factors.items()
        }
        flow = max(losses, key=losses.__getitem__)
        if losses[flow] <= 0:
            return
        score = {o: e * factors[flow][o] for o, e in flow.race.items()}
        new = [o for o in score if o not in self.plants]
        if not new:
            return
        best = min(new, key=score.__getitem__)
        others = [score[o] for o in self.plants if o != flow.origin]
        hurdle = (1 + rules.shift_cost) ** rules.elasticity
        to_beat = min([score[flow.origin], *(hurdle * other for other in others)])
        cost = max(rules.plant_cost, rules.shift_cost)
        if score[best] * (1 + cost) ** rules.elasticity < to_beat:
            self.new_plant, self.plant_month = best, world.month_number + rules.plant_months
            flow.moving_cost += rules.plant_cost

    def net_price(
        self,
        world: Reference,
        futures: Iterable[tuple[float, Rates]],
        gross: Price,
        moved: Mapping[str, str] | None = None,
    ) -> Price:
        """Prices less what China makes good of the component duties that are expected.

        With what is sold in some markets assembled in other countries.
        """
        futures = list(futures)
        if world.offset == 0.0:
            return gross

        def price(foundry: Foundry, slot: Slot) -> float:
            before = gross(foundry, slot)
            given_back = self.counter_subsidy_share(
                world, futures, foundry, slot, before, moved or {}
            )
            return before * (1 - given_back)

        return price

    def counter_subsidy_share(
        self,
        world: Reference,
        futures: list[tuple[float, Rates]],
        f: Foundry,
        slot: Slot,
        price: float,
        moved: Mapping[str, str],
    ) -> float:
        """Part of the price of a Chinese chip that is given back (MODEL 4.1)."""
        if not f.is_chinese:
            return 0.0
        counts_as = slot.counts_as(f.region)
        dollar = (Chips(slot.node_class, f.region, 1 / price, 1.0, counts_as),)
        rate = sum(
            weight * share * due
            for weight, rates in futures
            for market, share in self.weights.items()
            if self.importer(market).knows_origin
            for due in world.customs.product_duties(
                Product(self.device, moved.get(market) or self.origin(market), market, 0.0, dollar),
                rates,
                LEFT_OUT,
            ).values()
        )
        return world.offset * rate / (1 + rate)

    # Hypothetical products

    def quote(
        self,
        world: Reference,
        suppliers: Mapping[Slot, Foundry],
        rates: Rates,
        trigger: str,
        price: Price | None = None,
        origin: str | None = None,
        upkeep: bool = True,
    ) -> Quote:
        """Cost and duty of one unit with these suppliers, mean over its markets.

        Assembled where it is for each market, or in one country for all. The duty that one part
        adds is weighed without what the part costs to keep in stock and on standby.
        """
        total = Quote(0.0, 0.0, 0.0)
        for market, weight in self.weights.items():
            country = origin or self.origin(market)
            one = self.quote_in(
                world, suppliers, country, market, rates, trigger, price, upkeep=upkeep
            )
            total = Quote(
                total.cost + weight * one.cost,
                total.bare_duty + weight * one.bare_duty,
                total.border_duty + weight * one.border_duty,
            )
        return total

    def quote_in(
        self,
        world: Reference,
        suppliers: Mapping[Slot, Foundry],
        origin: str,
        market: str,
        rates: Rates,
        trigger: str,
        price: Price | None = None,
        upkeep: bool = True,
        exchange: float = 1.0,
    ) -> Quote:
        """The same sold in one market, assembled in a country."""
        product, cost, bare_duty = self.product_in(
            world, suppliers, origin, market, rates, chips_at(price or invoiced), upkeep, exchange
        )
        due = self.expected_duty(world, product, rates, trigger)
        return Quote(cost, bare_duty, world.customs.base_duty(product) + due)

    def product_in(
        self,
        world: Reference,
        suppliers: Mapping[Slot, Foundry],
        origin: str,
        market: str,
        rates: Rates,
        inside: Inside,
        upkeep: bool = True,
        exchange: float = 1.0,
    ) -> tuple[Product, float, float]:
        """One unit as customs would see it, its cost, and the duty on unmounted chips in that."""
        customs, trade = world.customs, world.scenario.trade
        chips = tuple(inside(f, s) for s, f in suppliers.items())
        bare_duty = customs.chip_duty(origin, chips, rates)
        cost = self.other_inputs * world.cost_factor[origin] / world.cost_factor[self.base_origin]
        cost += sum(c.value for c in chips) + bare_duty + self.switching(world)
        cost += self.overhead(world)
        if upkeep:
            cost += sum(self.upkeep(world, dict(zip(suppliers, chips, strict=True))))
        value = (1 + trade.markup) * cost * exchange
        return Product(self.device, origin, market, value, chips), cost, bare_duty

    def expected_duty(
        self, world: Reference, product: Product, rates: Rates, trigger: str
    ) -> float:
        """New duty on a product as far as its importer will bear it, USD a unit."""
        if not world.declarations.is_full:
            return sum(world.customs.product_duties(product, rates, trigger).values())
        importer = self.importer(product.market)
        return world.declarations.borne(product, rates, trigger, importer)

    def importer(self, market: str) -> Importer:
        """Who brings the line into a market."""
        return next(flow.importer for flow in self.flows if flow.market == market)

    def upkeep(self, world: Reference, chips: Mapping[Slot, Chips]) -> tuple[float, float]:
        """Cost of second sources on standby and of stocks of chips, USD a unit (MODEL 4.6)."""
        orders = world.scenario.orders
        twice = sum(c.value for slot, c in chips.items() if slot.has_second_source)
        held = self.stock_months * sum(c.value for c in chips.values())
        return orders.standby_cost * twice, orders.chip_carrying_cost * held

    def upkeep_now(self, world: Reference) -> tuple[float, float]:
        """The same with the chips that it uses."""
        chips = self.chips_inside()
        return self.upkeep(world, dict(zip(self.slots.values(), chips, strict=True)))

    def switching(self, world: Reference) -> float:
        """Cost of switching suppliers that is being written off, USD a unit."""
        return sum(
            s.amortised for s in self.slots.values() if s.amortised_until > world.month_number
        )

    def overhead(self, world: Reference) -> float:
        """What being a version beside another costs, USD a unit."""
        if self.line is None or not self.line.is_split:
            return 0.0
        bill = sum(s.chips * world.chip_price[s.node_class] for s in self.slots.values())
        return world.scenario.sourcing.version_overhead * bill

    # The real product

    def set_price(self, world: Reference) -> None:
        """Chips are counted and paid, and ex-works prices are set (MODEL 4.4)."""
        for slot in self.slots.values():
            k = slot.node_class
            slot.chips = slot.base_chips * world.content(self.device, k, self.weights)
            price, now = slot.supplier.price[k], [(1.0, world.rates)]
            rebated = self.counter_subsidy_share(world, now, slot.supplier, slot, price, {})
            slot.offset = slot.chips * price * rebated
            slot.chip_value = slot.chips * price - slot.offset
        for flow in self.flows:
            flow.set_customs_value(world)
        self.customs_value = sum(
            w * self.flow(market).customs_value for market, w in self.weights.items()
        )

    def chip_bill(self) -> float:
        """Chips, USD a unit."""
        return sum(s.chip_value for s in self.slots.values())

    def chips_inside(self) -> tuple[Chips, ...]:
        """The chips of one unit."""
        return tuple(
            Chips(
                s.node_class,
                s.supplier.region,
                s.chips,
                s.chip_value,
                s.counts_as(s.supplier.region),
            )
            for s in self.slots.values()
        )

    def product(self, market: str) -> Product:
        """One unit as customs sees it."""
        flow = self.flow(market)
        chips = self.chips_inside()
        return Product(self.device, flow.origin, market, flow.customs_value, chips)

    def order_chips(self, world: Reference) -> None:
        """Chips for all units ordered, and to refill the stock."""
        units = sum(flow.purchases for flow in self.flows)
        for flow in self.flows:
            flow.blocked = 0.0
        for slot in self.slots.values():
            k = slot.node_class
            slot.ordered = slot.need = units * slot.chips
            if world.scenario.orders.stock_factor > 0:
                target = self.stock_months * (slot.need + sum(slot.past_need)) / 3
                slot.ordered = max(slot.need + target - slot.stock, 0.0)
            slot.past_need = [slot.need, slot.past_need[0]]
            slot.delivered_share = self.delivered_share(world, slot, slot.supplier.region)
            before, slot.most_denied = slot.most_denied, 0.0
            for flow in self.flows:
                blocked = 1 - world.delivered_share(self, flow.market, slot, slot.supplier.region)
                flow.blocked = max(flow.blocked, blocked)
                slot.most_denied = max(slot.most_denied, blocked)
            if slot.has_resumed(world, before):
                slot.ordered = min(slot.ordered, slot.need)
            if slot.most_denied > 0:
                slot.last_denied = world.month_number
            slot.supplier.orders[k] += slot.ordered * slot.delivered_share
            if slot.waiting is None:
                slot.supplier.booked[k] += slot.ordered * slot.delivered_share
            else:
                slot.waiting.booked[k] += slot.need

    def delivered_share(self, world: Reference, slot: Slot, region: str) -> float:
        """Part of a region's chips for this line that no measure keeps back."""
        units = sum(flow.purchases for flow in self.flows)
        blocked = sum(
            f.purchases * (1 - world.delivered_share(self, f.market, slot, region))
            for f in self.flows
        )
        return max(1 - blocked / units, 0.0) if units > 0 else 1.0


@dataclass(frozen=True)
class Quote:
    """USD a unit of a hypothetical product."""

    cost: float
    """Unit cost, duty on unmounted chips included."""
    bare_duty: float
    border_duty: float

    @property
    def duty(self) -> float:
        """The whole duty bill."""
        return self.bare_duty + self.border_duty


def invoiced(foundry: Foundry, slot: Slot) -> float:
    """Price of a chip now."""
    return foundry.price[slot.node_class]


def ahead(world: Reference, months: int) -> Price:
    """Prices of chips as they are expected to be later."""
    return lambda foundry, slot: foundry.price_ahead(world, slot.node_class, months)


def chips_at(price: Price) -> Inside:
    """The chips of a slot, at some price."""

    def inside(foundry: Foundry, slot: Slot) -> Chips:
        value = slot.chips * price(foundry, slot)
        counts_as = slot.counts_as(foundry.region)
        return Chips(slot.node_class, foundry.region, slot.chips, value, counts_as)

    return inside


def base_price(foundry: Foundry, slot: Slot) -> float:
    """Price of a chip in the base year."""
    return foundry.base_price[slot.node_class]


@dataclass(eq=False)
class Importer:
    """Brings lines of one device into one market."""

    device: str
    market: str
    knows_without_tracing: bool
    evasion_cost: float
    tracing_rate: float
    size_rank: float
    flows: list[Flow] = field(default_factory=list)
    is_traced: bool = False
    will_trace: bool = False
    evaded: dict[int, float] = field(default_factory=dict)
    """USD of duty evaded by month, as far back as audits look and not yet found."""
    back_duty: float = 0.0
    penalty: float = 0.0
    refund: float = 0.0
    """USD of duty paid in earlier months that is paid back."""
    paid: dict[tuple[int, int], float] = field(default_factory=dict)
    """USD of duty paid by instrument and month."""
    customs_value: float = 0.0
    duty: float = 0.0
    profit: float = 0.0

    @property
    def knows_origin(self) -> bool:
        """Knows where its chips come from."""
        return self.knows_without_tracing or self.is_traced

    def be_audited(self, world: Reference, audit: float, finds: float) -> None:
        """An audit, if the draws are for one, finds what was hidden in the months before."""
        rules = world.scenario.compliance
        self.evaded[world.month_number] = sum(f.evaded_duty * f.units for f in self.flows)
        self.evaded.pop(world.month_number - rules.lookback_months, None)
        audits, detection, penalty = world.declarations.audits(self.market, world.rates)
        self.back_duty = 0.0
        if audit < audits and finds < detection:
            self.back_duty = sum(self.evaded.values())
            self.evaded.clear()
        self.penalty = penalty * self.back_duty

    def settle(self, world: Reference) -> None:
        """What it brought in, owed and has left over this month, USD."""
        trade = world.scenario.trade
        self.customs_value = sum(f.customs_value * f.units for f in self.flows)
        self.duty = sum((f.base_duty + f.new_duty) * f.units for f in self.flows)
        sales = sum(f.price * f.sold for f in self.flows)
        distribution = sum(f.base_landed * f.sold for f in self.flows)
        distribution *= trade.retail_margin - trade.importer_profit
        rebates = sum(f.new_duty * f.units for f in self.flows) * (1 - trade.border_pass_through)
        landed = self.customs_value * (1 + trade.freight) + self.duty - rebates
        carrying = trade.carrying_cost * sum(f.customs_value * f.stock for f in self.flows)
        landed += sum(f.compliance_cost * f.units for f in self.flows)
        self.profit = sales - distribution - landed - carrying - self.back_duty - self.penalty
        self.refund = sum(more * self.paid.get(key, 0.0) for key, more in world.paid_back.items())
        self.profit += self.refund
        for flow in self.flows:
            for i, duty in flow.new_duties.items():
                key = i, world.date
                self.paid[key] = self.paid.get(key, 0.0) + max(duty, 0.0) * flow.units


@dataclass(eq=False)
class Flow:
    """What one line sells in one market, through one importer."""

    number: int
    maker: Maker
    market: str
    importer: Importer
    base_units: float
    base_share: float
    base_landed: float
    base_price: float
    orders: float
    units: float
    passed_on: float
    price: float
    origin: str
    race: dict[str, float]
    """Race times of the countries that it may be assembled in."""
    ex_works: float
    """USD a unit at the maker's gate, at the exchange rates of the base year."""
    customs_value: float
    exchange: float = 1.0
    next_origin: str = ""
    arrival_month: int = -1
    looks_for_shifts: bool = False
    bare_duty: float = 0.0
    """USD a unit on chips that enter its country of assembly unmounted."""
    moving_cost: float = 0.0
    """Of the shift and the plant decided this month, as part of a year's customs value."""
    relocation: float = 0.0
    second_best_place: float = 0.0
    base_duty: float = 0.0
    new_duties: dict[int, float] = field(default_factory=dict)
    """USD a unit by instrument."""
    evaded_duty: float = 0.0
    penalty_cost: float = 0.0
    compliance_cost: float = 0.0
    backlog: float = 0.0
    wanted: float = 0.0
    purchases: float = 0.0
    sold: float = 0.0
    lost: float = 0.0
    stock: float = 0.0
    blocked: float = 0.0
    """Part of the chips of the worst class that is kept back."""

    @property
    def new_duty(self) -> float:
        """All new duty, USD a unit."""
        return sum(self.new_duties.values())

    def factors(self, world: Reference, kind: str) -> dict[str, float]:
        """By how much each country has lost since the base year, as expected (MODEL 4.3)."""
        elasticity = world.scenario.assembly.elasticity
        futures, rules = world.foreseen(kind, self.maker.device), world.scenario.assembly
        months = {SHIFT: rules.shift_months, PLANT: rules.plant_months}[kind]
        return {
            o: (
                sum(w * self.landed_cost(world, o, rates, months) for w, rates in futures)
                / self.base_landed_cost(world, o)
            )
            ** elasticity
            for o in self.race
        }

    def landed_cost(self, world: Reference, country: str, rates: Rates, months: int = 0) -> float:
        """Ex-works price and duty if it were assembled in a country, so many months from now."""
        price = self.maker.net_price(
            world, [(1.0, rates)], ahead(world, months), {self.market: country}
        )
        return self._landed(world, country, rates, price, self.exchange_rate(world, country))

    def base_landed_cost(self, world: Reference, country: str) -> float:
        """The same at the prices and duties of the base year."""
        return self._landed(world, country, {}, base_price, 1.0)

    def _landed(
        self, world: Reference, country: str, rates: Rates, price: Price, exchange: float
    ) -> float:
        suppliers = {s: s.supplier for s in self.maker.slots.values()}
        quote = self.maker.quote_in(
            world, suppliers, country, self.market, rates, REAL, price, exchange=exchange
        )
        return (1 + world.scenario.trade.markup) * quote.cost * exchange + quote.border_duty

    def exchange_rate(self, world: Reference, country: str) -> float:
        """Prices from a country in the market's money, relative to the base year (MODEL 4.4)."""
        is_foreign = world.customs.home[country] != self.market
        return world.exchange[self.market] if is_foreign else 1.0

    def shift(self, world: Reference) -> None:
        """Its orders go to the plant of the maker that is best now, if that is worth its cost."""
        self.moving_cost = 0.0
        plants, rules = (self.maker.line or self.maker).plants, world.scenario.assembly
        if not self.looks_for_shifts or self.arrival_month >= 0 or len(plants) < 2:
            return
        factors = self.factors(world, SHIFT)
        score = {o: self.race[o] * factors[o] for o in plants}
        best = min((o for o in score if o != self.origin), key=score.__getitem__)
        if score[best] * (1 + rules.shift_cost) ** rules.elasticity < score[self.origin]:
            self.next_origin = best
            self.arrival_month = world.month_number + rules.shift_months
            self.moving_cost = rules.shift_cost

    def pay_for_moves(self, world: Reference) -> None:
        """A shift and a plant cost a part of a year's customs value at this month's pace."""
        self.relocation = self.moving_cost * 12 * self.customs_value * self.units

    def set_customs_value(self, world: Reference) -> None:
        """Cost and price where it is assembled, and what it gives up there (MODEL 4.4, 4.7)."""
        maker, markup = self.maker, world.scenario.trade.markup
        chips = maker.chips_inside()
        self.bare_duty = world.customs.chip_duty(self.origin, chips, world.rates)
        cost = maker.other_inputs * self.cost_ratio(world) + self.bare_duty
        cost += sum(c.value for c in chips) + maker.switching(world) + maker.overhead(world)
        cost += sum(maker.upkeep_now(world))
        months = world.scenario.trade.maker_pass_through_months
        index = world.price_index.get((self.market, maker.device), 1.0)
        relative = self.price / self.base_price / index
        factor = max((1 + markup) * relative**-world.scenario.trade.markup_elasticity, 1.0)
        self.ex_works += (factor * cost - self.ex_works) / months
        self.exchange = self.exchange_rate(world, self.origin)
        self.customs_value = self.ex_works * self.exchange
        self.second_best_place = 0.0
        if self.origin != maker.base_origin:
            home, here = (self.base_landed_cost(world, o) for o in (maker.base_origin, self.origin))
            distance = self.race[self.origin] / self.race[maker.base_origin]
            worth = distance ** (1 / world.scenario.assembly.elasticity) * home / here
            landed = self.landed_cost(world, self.origin, world.rates)
            self.second_best_place = landed * (worth - 1)

    def cost_ratio(self, world: Reference) -> float:
        """Cost of assembly relative to the base country."""
        return world.cost_factor[self.origin] / world.cost_factor[self.maker.base_origin]

    def assess(self, world: Reference) -> None:
        """Customs assesses the duty on one unit."""
        product = self.maker.product(self.market)
        self.base_duty = world.customs.base_duty(product)
        if not world.declarations.is_full:
            self.new_duties = world.customs.product_duties(product, world.rates)
            return
        self.new_duties, self.evaded_duty = world.declarations.declare(
            product, world.rates, self.importer
        )
        self.penalty_cost = self.evaded_duty
        self.penalty_cost *= world.declarations.exposure(self.market, world.rates)
        self.compliance_cost = 0.0
        if self.importer.is_traced:
            self.compliance_cost = self.importer.tracing_rate * product.customs_value

    def set_price(self, world: Reference) -> None:
        """The importer passes duty on slowly and sets the retail price (MODEL 4.4)."""
        trade = world.scenario.trade
        gap = trade.pass_through * (self.new_duty + self.penalty_cost) - self.passed_on
        self.passed_on += gap / trade.pass_through_months
        landed = self.customs_value * (1 + trade.freight) + self.base_duty
        landed += self.compliance_cost
        self.price = landed + trade.retail_margin * self.base_landed + self.passed_on

    def product_ahead(self, world: Reference, months: int, rates: Rates) -> Product:
        """One unit so many months from now, from where it is assembled by then."""
        if not 0 <= self.arrival_month <= world.month_number + months:
            return self.maker.product(self.market)
        suppliers = {s: s.supplier for s in self.maker.slots.values()}
        country = self.next_origin
        price = self.maker.net_price(world, [(1.0, rates)], invoiced, {self.market: country})
        product, *_ = self.maker.product_in(
            world, suppliers, country, self.market, rates, chips_at(price),
            exchange=self.exchange_rate(world, country),
        )  # fmt: skip
        return product

    def front_load(self, world: Reference) -> None:
        """Ahead of a duty rise the importer stocks up; otherwise it sells what it holds first."""
        trade, value = world.scenario.trade, self.customs_value
        self.wanted = self.orders + self.backlog
        months, left = 0.0, 1
        product = self.maker.product(self.market)
        in_force = world.customs.today(world.date)
        now = self.maker.expected_duty(world, product, in_force, REAL)
        for ahead in range(1, math.ceil(trade.front_loading_months) + 1):
            rates = world.customs.expected(world.date + ahead, world.date)
            then = self.product_ahead(world, ahead, rates)
            later = self.maker.expected_duty(world, then, rates, REAL)
            if later - now > 1e-12 * value:
                worth = (later - now) / (trade.carrying_cost * value)
                months, left = min(worth, trade.front_loading_months), ahead
                break
        lacking = months * self.wanted - self.stock
        self.purchases = self.wanted + max(lacking, 0.0) / left
        self.purchases -= min(max(-lacking, 0.0), self.wanted)

"""Lines that give some markets a version of their own: they split, stay and merge (MODEL 4.2)."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.reference.customs import LEFT_OUT, PULLED

if TYPE_CHECKING:
    from tests.reference.agents import Foundry, Maker, Slot
    from tests.reference.world import Reference

DESIGN = "design"
Parts = dict[int, "Foundry"]


def markets_apart(world: Reference, line: Maker) -> set[str]:
    """Markets in focus of a line with a law, as expected, that asks where chips are from."""
    found = set()
    for _, rates in world.foreseen(DESIGN, line.device):
        for i in rates:
            law = world.customs.instruments[i]
            if not law.depends_on_chip_origin:
                continue
            for market in line.line_weights:
                if world.customs.reaches(i, line.device, market):
                    found.add(market)
    return found & set(world.scenario.agents.focus)


def choose(world: Reference, line: Maker) -> None:
    """The versions of a line choose their foundries, each by itself or both at once."""
    own = line.own
    if own is None:
        line.choose_foundries(world)
        return
    apart = markets_apart(world, line)
    is_part = bool(apart) and apart != set(line.line_weights)
    weighs = line.design_opens and (is_part or line.is_split)
    weighs &= world.scenario.sourcing.elasticity > 0
    if weighs:
        weigh(world, line, own, apart if is_part else set(own.weights))
    elif own.is_made and not line.is_split:
        pair = Pair(line, own)
        both, lost = pair.at_once(world)
        pair.begin(world, both, lost, {})
    else:
        for version in (line, own) if own.is_made else (line,):
            version.choose_foundries(world)


@dataclass
class Pair:
    """The common version of a line and its own one."""

    common: Maker
    own: Maker

    @property
    def versions(self) -> tuple[Maker, Maker]:
        """Both."""
        return self.common, self.own

    def share(self, version: Maker) -> float:
        """Part of the line's units that a version is."""
        whole = (version.line or version).line_weights
        return sum(whole[m] for m in version.weights)

    def open_parts(self) -> list[int]:
        """Parts that open and wait for no supplier in either version."""
        return [
            p
            for p in self.common.slots
            for both in [[v.slots[p] for v in self.versions]]
            if all(s.noise and s.opens_itself and s.is_free for s in both)
        ]

    def bare_utilities(
        self, world: Reference, version: Maker, p: int, trigger: str
    ) -> dict[Foundry, float]:
        """Utilities of suppliers for one version, whatever a switch costs."""
        slot = version.slots[p]
        return {
            f: u + (slot.log_inertia if f is not slot.supplier else 0.0)
            for f, u in version.utilities(world, slot, trigger).items()
        }

    def cost_of(self, world: Reference, p: int, chosen: list[Foundry | None]) -> float:
        """What suppliers that are new cost in utility, a unit of the line: one switch for all.

        One supplier for each version, or None where nothing is asked of it.
        """
        new = sum(
            self.share(v)
            for v, f in zip(self.versions, chosen, strict=True)
            if f is not None and f is not v.slots[p].supplier
        )
        if new == 0.0:
            return 0.0
        rules = world.scenario.sourcing
        switching = min(self.common.slots[p].switching / new, rules.switching_cost_cap)
        return new * rules.elasticity * math.log1p(switching)

    def mean_utilities(self, world: Reference, p: int, trigger: str) -> dict[Foundry, float]:
        """What each supplier is worth to both versions at once."""
        each = [self.bare_utilities(world, v, p, trigger) for v in self.versions]
        return {
            f: sum(self.share(v) * u[f] for v, u in zip(self.versions, each, strict=True))
            - self.cost_of(world, p, [f, f])
            for f in each[0]
            if f in each[1]
        }

    def at_once(self, world: Reference) -> tuple[Parts, dict[Slot, float]]:
        """One supplier for both versions of each open part, and what each version gives up."""
        chosen, lost, parts = {}, {}, self.open_parts()
        for p in parts:
            utilities = self.mean_utilities(world, p, PULLED)
            chosen[p] = self.common.best(utilities) if utilities else world.foundries[0]
            self.forgo(world, p, chosen[p], lost)
        if chosen and self.covered(world):
            plan = self.cheapest(world, chosen)
            for p, (free, best) in plan.items():
                chosen[p] = best
                for v in self.versions:
                    if best is not free:
                        u = self.bare_utilities(world, v, p, LEFT_OUT)
                        lost[v.slots[p]] += self.money(world, p, free) * (u[free] - u[best])
        return chosen, lost

    def forgo(self, world: Reference, p: int, choice: Foundry, lost: dict[Slot, float]) -> None:
        """What each version gives up as the best of all for both may not deliver."""
        every = []
        for v in self.versions:
            slot = v.slots[p]
            u = v.utilities_of_all(world, slot, PULLED)
            every.append({f: x + slot.log_inertia * (f is not slot.supplier) for f, x in u.items()})
        mean = {
            f: sum(self.share(v) * u[f] for v, u in zip(self.versions, every, strict=True))
            - self.cost_of(world, p, [f, f])
            for f in every[0]
        }
        best = self.common.best(mean)
        for v, u in zip(self.versions, every, strict=True):
            gap = self.money(world, p, best) * (u[best] - u[choice]) if best is not choice else 0.0
            lost[v.slots[p]] = gap

    def covered(self, world: Reference) -> set[tuple[str, str]]:
        """Chips that would trigger a duty on the whole product where it is sold."""
        return {
            chip
            for _, rates in world.foreseen(DESIGN, self.common.device)
            for v in self.versions
            for chip in world.customs.triggering_chips(v, rates)
        }

    def money(self, world: Reference, p: int, foundry: Foundry) -> float:
        """USD a unit of one unit of utility."""
        slot, sigma = self.common.slots[p], world.scenario.sourcing.elasticity
        months = self.common.lead_months(world, slot)
        return slot.chips * foundry.price_ahead(world, slot.node_class, months) / sigma

    def triggered(self, world: Reference, chosen: tuple[Parts, Parts]) -> float:
        """What triggers are expected to cost with some suppliers for each, USD a unit."""
        futures = world.foreseen(DESIGN, self.common.device)
        total = 0.0
        for v, parts in zip(self.versions, chosen, strict=True):
            suppliers = {s: s.waiting or s.supplier for s in v.slots.values()}
            suppliers |= {v.slots[p]: f for p, f in parts.items()}
            total += self.share(v) * v.expected_trigger(world, suppliers, futures)
        return total

    def cheapest(self, world: Reference, plan_a: Parts) -> dict[int, tuple[Foundry, Foundry]]:
        """By part the best supplier without triggers, and that of the cheapest plan."""
        covered, free, plan_b, worth = self.covered(world), {}, {}, {}
        for p in plan_a:
            worth[p] = self.mean_utilities(world, p, LEFT_OUT)
            slot = self.common.slots[p]
            free[p] = self.common.best(worth[p])
            clear = {
                f: u
                for f, u in worth[p].items()
                if (slot.node_class, slot.counts_as(f.region)) not in covered
            }
            plan_b[p] = self.common.best(clear) if clear else free[p]
        best = free
        total = duty = self.triggered(world, (free, free))
        for plan in (plan_a, plan_b):
            lost = sum(
                self.money(world, p, free[p]) * (worth[p][free[p]] - worth[p][plan[p]])
                for p in plan
            )
            due = self.triggered(world, (plan, plan))
            if due < duty and due + lost < total:
                best, duty, total = plan, due, due + lost
        return {p: (free[p], best[p]) for p in free}

    def begin(
        self, world: Reference, both: Parts, lost: dict[Slot, float],
        alone: dict[Slot, Foundry],
    ) -> None:  # fmt: skip
        """Qualify the suppliers chosen: for both versions at once, or for one alone."""
        for slot, value in lost.items():
            slot.sacrifice = value
        for p, foundry in both.items():
            slots = [v.slots[p] for v in self.versions]
            new = [v for v in self.versions if v.slots[p].supplier is not foundry]
            share = 1.0 if len(new) == len(slots) else sum(self.share(v) for v in new)
            for v in new:
                cost = v.slots[p].line_requalification / share
                v.qualify(world, v.slots[p], foundry, cost=cost)
        for v in self.versions:
            for slot in v.slots.values():
                if slot in alone and alone[slot] is not slot.supplier:
                    cost = slot.line_requalification / self.share(v)
                    v.qualify(world, slot, alone[slot], cost=cost)


def version_for(world: Reference, held: Maker, line: Maker, markets: set[str]) -> Maker:
    """A copy of a version as it would be for some markets of the line."""
    new = copy.copy(held)
    whole = sum(w for m, w in line.line_weights.items() if m in markets)
    new.weights = {m: w / whole for m, w in line.line_weights.items() if m in markets}
    new.flows = [f for f in line.all_flows() if f.market in markets]
    rules = world.scenario.sourcing
    new.slots = {}
    for p, slot in held.slots.items():
        new.slots[p] = one = copy.copy(slot)
        switching = min(one.switching / whole, rules.switching_cost_cap)
        one.log_inertia = rules.elasticity * math.log1p(switching)
        one.requalification_per_unit = one.line_requalification / whole
        one.past_need = list(slot.past_need)
    return new


def weigh(world: Reference, line: Maker, own: Maker, apart: set[str]) -> None:
    """One choice for all markets against one for each version, with what the second costs."""
    two = own.is_made
    common = version_for(world, line, line, set(line.line_weights) - apart)
    other = version_for(world, own if two else line, line, apart)
    other.design_opens = line.design_opens
    pair = Pair(common, other)
    decided = [v.decide(world) for v in pair.versions]
    choices, losses = ([d[i] for d in decided] for i in (0, 1))
    if two:
        both, lost = pair.at_once(world)
    else:
        choice, found = line.decide(world)
        both = {
            p: choice.get(s, s.supplier) for p, s in line.slots.items() if s.noise and s.is_free
        }
        lost = {v.slots[p]: found.get(s, s.sacrifice) for p, s in line.slots.items()
                if p in both for v in pair.versions}  # fmt: skip
    own_choice = tuple(
        {p: made.get(v.slots[p], v.slots[p].supplier) for p in both}
        for v, made in zip(pair.versions, choices, strict=True)
    )
    plans = bool(pair.covered(world))
    gains = {p: _gain(world, pair, p, both[p], [c[p] for c in own_choice]) for p in both}
    takes = {
        p for p, g in gains.items() if plans or (g > 0 and len({c[p] for c in own_choice}) > 1)
    }
    gain = sum(gains[p] for p in takes)
    if plans:
        gain += pair.triggered(world, (both, both)) - pair.triggered(world, own_choice)
    bill = sum(s.chips * world.chip_price[s.node_class] for s in line.slots.values())
    overhead = world.scenario.sourcing.version_overhead * bill * pair.share(other)
    line.is_split = gain > overhead
    if not line.is_split:
        if two:
            held = Pair(line, own)
            for p, foundry in both.items():
                _begin_unsplit(world, held, pair, p, foundry)
                for v, weighed in zip(held.versions, pair.versions, strict=True):
                    v.slots[p].sacrifice = lost[weighed.slots[p]]
        else:
            line.begin(world, choice, found)
        return
    give_markets(line, own, pair, apart)
    waits = [p for p in line.slots if p not in both]
    alone = {}
    for v, chosen, given_up in zip(pair.versions, choices, losses, strict=True):
        for p, slot in v.slots.items():
            if p in takes or p in waits:
                if slot in chosen:
                    alone[slot] = chosen[slot]
                if slot in given_up:
                    lost[slot] = given_up[slot]
    pair.begin(world, {p: f for p, f in both.items() if p not in takes}, lost, alone)
    _install(line, common)
    _install(own, other)
    own.is_made = True


def _begin_unsplit(world: Reference, held: Pair, weighed: Pair, p: int, foundry: Foundry) -> None:
    """A line that merges, or stays one: one supplier for both of its versions."""
    new = [v for v in held.versions if v.slots[p].supplier is not foundry]
    share = 1.0
    if len(new) == 1:
        share = weighed.share(weighed.versions[held.versions.index(new[0])])
    for v in new:
        v.qualify(world, v.slots[p], foundry, cost=v.slots[p].line_requalification / share)


def _gain(
    world: Reference, pair: Pair, p: int, joint: Foundry, own: list[Foundry]
) -> float:  # fmt: skip
    """USD a unit of the line that a supplier for each version of a part is worth."""
    total = pair.cost_of(world, p, [joint, joint])
    for n, (v, f) in enumerate(zip(pair.versions, own, strict=True)):
        u = pair.bare_utilities(world, v, p, LEFT_OUT)
        if f is not joint:
            total += pair.share(v) * (u[f] - u.get(joint, -math.inf))
        asked: list[Foundry | None] = [None, None]
        asked[n] = f
        total -= pair.cost_of(world, p, asked)
    slot = pair.common.slots[p]
    value = slot.chips * world.chip_price[slot.node_class] / world.scenario.sourcing.elasticity
    return value * total


def give_markets(line: Maker, own: Maker, pair: Pair, apart: set[str]) -> None:
    """Flows go to the version of their market and take their part of chips in stock along."""
    moved: dict[Maker, float] = {}
    for version in (line, own):
        ordered = sum(f.purchases for f in version.flows)
        wrong = sum(f.purchases for f in version.flows if (f.market in apart) != (version is own))
        moved[version] = wrong / ordered if ordered else 0.0
    was_made = own.is_made
    for p, (a, b) in {p: (pair.common.slots[p], pair.own.slots[p]) for p in line.slots}.items():
        has = line.slots[p].stock, own.slots[p].stock if was_made else 0.0
        needs = line.slots[p].past_need, own.slots[p].past_need if was_made else [0.0, 0.0]
        out = moved[line], moved[own] if was_made else 0.0
        a.stock, b.stock = _exchanged(has[0], has[1], *out)
        both = [_exchanged(x, y, *out) for x, y in zip(*needs, strict=True)]
        a.past_need, b.past_need = [x for x, _ in both], [y for _, y in both]
    for flow in line.all_flows():
        flow.maker = own if flow.market in apart else line


def _exchanged(mine: float, theirs: float, leaves: float, comes: float) -> tuple[float, float]:
    return mine * (1 - leaves) + theirs * comes, theirs * (1 - comes) + mine * leaves


def _install(version: Maker, copied: Maker) -> None:
    version.slots, version.weights, version.flows = copied.slots, copied.weights, copied.flows
    version.customs_value, version.design_opens = copied.customs_value, copied.design_opens
    version.coverage = copied.coverage


def unite(world: Reference, line: Maker) -> None:
    """Two versions that have merged are one again once nothing sets them apart."""
    own = line.own
    if own is None or not own.is_made or line.is_split:
        return
    for p, slot in line.slots.items():
        other = own.slots[p]
        if slot.supplier is not other.supplier or slot.waiting is not other.waiting:
            return
        if slot.waiting is not None and slot.take_over_month != other.take_over_month:
            return
    pair = Pair(line, own)
    parts = pair.share(line), pair.share(own)
    for p, slot in line.slots.items():
        other = own.slots[p]
        left = [max(s.amortised_until - world.month_number, 0) for s in (slot, other)]
        rest = slot.amortised * left[0] * parts[0] + other.amortised * left[1] * parts[1]
        slot.amortised = rest / max(*left, 1)
        slot.amortised_until = world.month_number + max(left)
        slot.sacrifice = slot.sacrifice * parts[0] + other.sacrifice * parts[1]
        slot.stock += other.stock
        slot.past_need = [a + b for a, b in zip(slot.past_need, other.past_need, strict=True)]
        if parts[1] > parts[0]:
            slot.supplied_since, slot.second_source = other.supplied_since, other.second_source
            slot.most_denied, slot.last_denied = other.most_denied, other.last_denied
        rules = world.scenario.sourcing
        slot.log_inertia = rules.elasticity * math.log1p(slot.switching)
        slot.requalification_per_unit = slot.line_requalification
    line.coverage = line.coverage * parts[0] + own.coverage * parts[1]
    line.flows, line.weights = line.all_flows(), dict(line.line_weights)
    for flow in line.flows:
        flow.maker = line
    own.slots, own.weights, own.flows, own.is_made = {}, {}, [], False
    own.coverage = 1.0

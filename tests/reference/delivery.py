"""Who gets chips, who builds, who goes without: the second half of the month (MODEL 4.6)."""

from __future__ import annotations

import math
from calendar import monthrange
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.reference.agents import Flow, Foundry, Maker, Slot
    from tests.reference.world import Reference

YEAR = 12


def deliver(world: Reference) -> None:
    """Foundries fill orders by rank, second sources step in, lines build with what they have."""
    _fill_orders(world)
    _ask_second_sources(world)
    for maker in world.makers:
        assemble(world, maker)
    for line in world.lines:
        flows = line.all_flows()
        count = "units" if sum(f.units for f in flows) > 0 else "base_units"
        made = {f: getattr(f, count) for f in flows}
        in_china = sum(n for f, n in made.items() if f.origin == "CN")
        line.china_made = [*line.china_made[1:], in_china / sum(made.values())]
    for flow in world.flows:
        sell(world, flow)
    for f in world.foundries:
        f.line_sales = dict.fromkeys(world.classes, 0.0)
    for maker in world.makers:
        for slot in maker.slots.values():
            slot.supplier.line_sales[slot.node_class] += slot.sent
            slot.second_source.line_sales[slot.node_class] += slot.from_second
    for f in world.foundries:
        for k in world.classes:
            f.sales[k] = (
                f.line_sales[k] + world.other_orders[k][f] * world.fill_rate[f.is_chinese, k]
            )
    make_chips(world)
    price_scarcity(world)


def first_share(world: Reference, maker: Maker, slot: Slot) -> float:
    """Part of a slot's orders that is served first."""
    rule = world.scenario.orders.allocation
    if rule == "contract_first":
        return float(world.month_number - slot.supplied_since >= YEAR)
    if rule == "domestic_first":
        ordered = sum(flow.purchases for flow in maker.flows)
        home = sum(
            flow.purchases
            for flow in maker.flows
            if world.customs.home[flow.origin] == slot.supplier.market
        )
        return home / ordered if ordered else 0.0
    return 1.0


def _fill_orders(world: Reference) -> None:
    """Orders for this month's use by rank, then those to restock, pro rata within a bloc."""
    ordered: defaultdict[tuple[bool, str, int], float] = defaultdict(float)
    first: dict[Slot, float] = {}
    for maker in world.makers:
        for slot in maker.slots.values():
            k = slot.node_class
            first[slot] = first_share(world, maker, slot)
            current = min(slot.need, slot.ordered)
            china = slot.supplier.is_chinese
            ordered[china, k, 0] += current * first[slot] * slot.delivered_share
            ordered[china, k, 1] += current * (1 - first[slot]) * slot.delivered_share
            ordered[china, k, 2] += (slot.ordered - current) * slot.delivered_share
    for k, orders in world.other_orders.items():
        for f, chips in orders.items():
            ordered[f.is_chinese, k, 0] += chips
    fill_rate: dict[tuple[bool, str, int], float] = {}
    for china in (False, True):
        for k in world.classes:
            left = sum(f.capacity[k] for f in world.foundries if f.is_chinese == china)
            for r in range(3):
                total = ordered[china, k, r]
                fill_rate[china, k, r] = left / total if total > left else 1.0
                left = max(left - fill_rate[china, k, r] * total, 0.0)
    world.fill_rate = {(china, k): fill_rate[china, k, 0] for china, k, _ in fill_rate}
    for slot, share in first.items():
        china, k = slot.supplier.is_chinese, slot.node_class
        slot.current = min(slot.need, slot.ordered)
        met = share * fill_rate[china, k, 0] + (1 - share) * fill_rate[china, k, 1]
        slot.met = met * slot.delivered_share
        restocked = (slot.ordered - slot.current) * fill_rate[china, k, 2] * slot.delivered_share
        slot.sent = slot.current * slot.met + restocked
        slot.from_second = 0.0


def _ask_second_sources(world: Reference) -> None:
    """What a slot lacks for this month's use is asked of its second source, if it has spare."""
    asked: dict[Slot, float] = {}
    for maker in world.makers:
        for slot in maker.slots.values():
            unmet, second = slot.current * (1 - slot.met), slot.second_source
            is_elsewhere = second.region != slot.supplier.region
            if slot.has_second_source and is_elsewhere and unmet > 1e-12 * slot.need:
                through = maker.delivered_share(world, slot, second.region)
                asked[slot] = unmet * through
    if not asked:
        return
    for f in world.foundries:
        f.line_sales = dict.fromkeys(world.classes, 0.0)
    for maker in world.makers:
        for slot in maker.slots.values():
            slot.supplier.line_sales[slot.node_class] += slot.sent
    for k in world.classes:
        for f in world.foundries:
            f.sales[k] = (
                f.line_sales[k] + world.other_orders[k][f] * world.fill_rate[f.is_chinese, k]
            )
        for china in (False, True):
            share_overflow([f for f in world.foundries if f.is_chinese == china], k)
    wanted: defaultdict[tuple[Foundry, str], float] = defaultdict(float)
    for slot, chips in asked.items():
        wanted[slot.second_source, slot.node_class] += chips
    for (f, k), chips in wanted.items():
        f.orders[k] += chips
    for slot, chips in asked.items():
        f, k = slot.second_source, slot.node_class
        if chips > 0:
            slot.from_second = chips * min(
                max(f.capacity[k] - f.output[k], 0.0) / wanted[f, k], 1.0
            )


def assemble(world: Reference, maker: Maker) -> None:
    """Units are built from stock and deliveries: one missing chip stops the line."""
    has_stock = world.scenario.orders.stock_factor > 0
    days = monthrange(world.date // 12, world.date % 12 + 1)[1]
    stood = 1 - maker.coverage
    lost = min(7 * world.scenario.orders.restart_weeks / days, 1.0) * stood
    maker.coverage = 1.0
    for slot in maker.slots.values():
        if slot.need > 0:
            part = slot.met + slot.from_second / slot.need
            if has_stock:
                part = (slot.stock + slot.sent + slot.from_second) / slot.need
            maker.coverage = min(maker.coverage, part)
    maker.fill_rate = min(maker.coverage, 1 - lost)
    _share_out(maker)
    maker.units = sum(flow.units for flow in maker.flows)
    maker.chip_payments = 0.0
    for slot in maker.slots.values():
        used = maker.units * slot.chips
        if has_stock:
            slot.opening_stock = slot.stock
            slot.stock = max(slot.stock + slot.sent + slot.from_second - used, 0.0)
        else:  # orders for the chips of lost units are cancelled
            slot.sent = min(slot.sent, used) if slot.from_second > 0 else used
            slot.from_second = used - slot.sent
        maker.chip_payments += slot.chip_value / slot.chips * slot.sent
        maker.chip_payments += slot.from_second * slot.second_source.price[slot.node_class]


def _share_out(maker: Maker) -> None:
    """Flows whose chips are kept back go without first, in proportion."""
    ordered = sum(f.purchases for f in maker.flows)
    blocked = sum(f.purchases * f.blocked for f in maker.flows) / (ordered or 1.0)
    short = 1 - maker.fill_rate
    for flow in maker.flows:
        part = short
        if blocked > 0 and short <= blocked:
            part = flow.blocked * short / blocked
        elif blocked > 0:
            beyond = (short - blocked) / (1 - blocked) if blocked < 1 else 0.0
            part = flow.blocked + (1 - flow.blocked) * beyond
        flow.units = flow.purchases * (1 - part)


def sell(world: Reference, flow: Flow) -> None:
    """The importer sells what consumers want and he has; some of them wait for the rest."""
    held = flow.stock + flow.units
    flow.sold = min(flow.wanted, held)
    flow.stock = held - flow.sold
    missed = flow.wanted - flow.sold
    flow.backlog = world.scenario.orders.backlog_share * missed
    flow.lost = missed - flow.backlog


def make_chips(world: Reference) -> None:
    """Chips are made, and learned from; utilisation is what prices look at next month."""
    for k in world.classes:
        for china in (False, True):
            share_overflow([f for f in world.foundries if f.is_chinese == china], k)
        made = sum(f.output[k] for f in world.foundries)
        for f in world.foundries:
            spillover = world.scenario.supply.learning_spillover * (made - f.output[k])
            f.experience[k] += f.output[k] + spillover
            f.utilisation[k] = f.base_utilisation[k]
            if f.capacity[k] > 0:
                f.utilisation[k] = f.orders[k] / f.capacity[k]


def price_scarcity(world: Reference) -> None:
    """Where a bloc is asked for more than it can make, next month's invoices rise (MODEL 4.1)."""
    for (china, k), scarcity in world.scarcity.items():
        bloc = [f for f in world.foundries if f.is_chinese == china]
        asked = sum(f.orders[k] for f in bloc)
        capacity = sum(f.capacity[k] for f in bloc)
        world.scarcity[china, k] = scarcity_after(world, scarcity, asked, capacity, 1)


def scarcity_after(
    world: Reference, scarcity: float, asked: float, capacity: float, months: int
) -> float:
    """What it is after so many months in which a bloc is asked for so many chips."""
    supply = world.scenario.supply
    if not capacity or not supply.scarcity_elasticity:
        return scarcity
    log_busy = math.log(asked / capacity) if asked > 0 else -math.inf
    speed = 1 / 2 if log_busy > 0 else 1 / 4
    moved = math.log(scarcity) + months * speed * supply.scarcity_elasticity * log_busy
    return math.exp(min(max(moved, 0.0), math.log(supply.scarcity_cap)))


def share_overflow(bloc: list[Foundry], k: str) -> None:
    """What a full foundry cannot make is made by others in proportion to spare capacity."""
    overflow = sum(max(f.sales[k] - f.capacity[k], 0.0) for f in bloc)
    spare = sum(max(f.capacity[k] - f.sales[k], 0.0) for f in bloc)
    for f in bloc:
        f.output[k] = min(f.sales[k], f.capacity[k])
        if spare > 0:
            f.output[k] += max(f.capacity[k] - f.sales[k], 0.0) / spare * overflow

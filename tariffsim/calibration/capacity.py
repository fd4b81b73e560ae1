"""Foundries and their base capacity (MODEL 5.5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.kernels.investment import operating_margin, wafers
from tariffsim.kernels.sums import sum_by
from tariffsim.scenario import Scenario
from tariffsim.state.constants import Constants
from tariffsim.state.economy import Foundries, Investment
from tariffsim.tables import Tables
from tariffsim.typing import Float, Int

MOST_WORLD_CAPACITY = 2.0
"""World capacity of a class is at most this many times modelled demand."""


@dataclass(frozen=True)
class Fabs:
    """Foundries before demand is known."""

    name: list[str]
    region: Int
    size: Float
    """(F,) part of its region: by 1 / rank."""
    table: Float
    """(R, K) capacity shares of regions that have foundries, summing to one by class."""


def make_fabs(tables: Tables) -> Fabs:
    """Foundries of each region, sized by one over rank."""
    regions = tables.foundry_regions
    counts = [int(n) for n in regions.numbers("foundries")]
    names = [
        f"{code}{rank}"
        for code, n in zip(regions.codes, counts, strict=True)
        for rank in range(1, n + 1)
    ]
    sizes = [(1 / np.arange(1, n + 1)) / (1 / np.arange(1, n + 1)).sum() for n in counts if n]
    table = np.array([regions.numbers(f"share_{k.lower()}") for k in tables.node_classes.codes]).T
    table = np.where(np.array(counts)[:, None] > 0, table, 0.0)
    return Fabs(
        names,
        np.repeat(np.arange(len(counts)), counts),
        np.concatenate(sizes),
        table / table.sum(axis=0),
    )


def world_capacity(expected: Float, utilisation: Float, table: Float) -> Float:
    """(K,) smallest world total that leaves no region's expected residual demand negative.

    `expected` (R, K) chips a month that modelled lines are expected to order.
    """
    offered = utilisation[:, None] * table
    needed = np.where(offered > 0, expected / np.where(offered > 0, offered, 1.0), 0.0)
    return np.asarray(np.minimum(needed.max(axis=0), MOST_WORLD_CAPACITY * expected.sum(axis=0)))


def base_capacity(world: Float, fabs: Fabs, ordered: Float, utilisation: Float) -> Float:
    """(F, K) capacity: by the table and by size, moved within a region to foundries that need more.

    Drawn lines are lumpy: a region that needs more than its share as a whole is raised.
    """
    share = world * fabs.table[fabs.region] * fabs.size[:, None]
    need = ordered / utilisation[fabs.region][:, None]
    capacity = np.maximum(share, need)
    n_regions = len(utilisation)
    has = np.eye(n_regions)[:, fabs.region]
    surplus = np.maximum(has @ capacity - world * fabs.table, 0.0)
    slack = has @ np.maximum(share - need, 0.0)
    cut = np.minimum(1.0, surplus / np.where(slack > 0, slack, 1.0))
    return np.asarray(capacity - cut[fabs.region] * np.maximum(share - need, 0.0))


def make_foundries(
    scenario: Scenario,
    tables: Tables,
    constants: Constants,
    fabs: Fabs,
    ordered: Float,
    expected: Float,
) -> Foundries:
    """Foundries in their base year; `ordered` and `expected` (F, K) chips a month of the lines."""
    supply = scenario.supply
    regions = tables.foundry_regions
    utilisation = np.array(regions.numbers("utilisation"))
    by_region = np.eye(len(utilisation))[:, fabs.region] @ expected
    capacity = base_capacity(
        world_capacity(by_region, utilisation, fabs.table), fabs, ordered, utilisation
    )
    usage = np.repeat(utilisation[fabs.region][:, None], capacity.shape[1], axis=1)
    chinese = constants.is_china[fabs.region]
    discount = supply.china_price_discount.at(scenario.run.start)
    price = np.where(chinese[:, None], 1 - discount, 1.0) * constants.chip_price
    margin = np.array(regions.numbers("gross_margin"))[fabs.region][:, None]
    parity_cost = (1 - margin) * constants.chip_price
    others = np.where(chinese[:, None], 0.0, capacity)
    mean_cost = (others * parity_cost).sum(axis=0) / np.maximum(others.sum(axis=0), 1e-300)
    mean_cost = np.where(others.sum(axis=0) > 0, mean_cost, parity_cost.mean(axis=0))
    cost = np.where(chinese[:, None], mean_cost, parity_cost)
    other = np.maximum(usage * capacity - ordered, 0.0)
    other = np.where(other < 1e-9 * usage * capacity, 0.0, other)
    output = usage * capacity
    experience = output + supply.learning_spillover * (output.sum(axis=0) - output)
    zero = np.zeros_like(capacity)
    return Foundries(
        name=fabs.name,
        region=fabs.region,
        is_chinese=chinese,
        base_capacity=capacity,
        capacity=capacity.copy(),
        planned_capacity=capacity.copy(),
        base_utilisation=usage,
        utilisation=usage.copy(),
        base_price=price,
        posted_price=price.copy(),
        scarcity=np.ones_like(price),
        booked_utilisation=usage.copy(),
        price=price.copy(),
        parity_price=np.broadcast_to(constants.chip_price, price.shape).copy(),
        base_cost=cost,
        unit_cost=cost.copy(),
        base_experience=experience * 12 * supply.experience_years,
        experience=zero,
        orders=output.copy(),
        fill_rate=np.ones_like(capacity),
        bloc=np.array([~chinese, chinese], dtype=float),
        sales=output.copy(),
        line_sales=ordered.copy(),
        output=output.copy(),
        other_base=other,
        other_share=other / np.maximum(other.sum(axis=0), 1e-300),
        other_orders=other.copy(),
        subsidy=zero.copy(),
        revenue=price * output,
        cost=cost * output,
    )


def make_investment(scenario: Scenario, constants: Constants, foundries: Foundries) -> Investment:
    """Nothing is under way but what is planned; margins and utilisation are those of the base."""
    n = len(constants.region_growth)
    base = foundries.base_capacity
    chips_per_kwpm = np.maximum(base.sum(axis=0), 1e-300) / constants.world_wafers
    revenue, cost = (
        sum_by(foundries.region, values.sum(axis=1), n)
        for values in (foundries.revenue, foundries.cost)
    )
    margin = operating_margin(revenue - cost, revenue)
    chinese = foundries.is_chinese
    busy, capacity = (
        wafers(values[chinese], chips_per_kwpm).sum() for values in (foundries.orders, base)
    )
    utilisation = float(busy / capacity) if capacity > 0 else 1.0
    due = np.zeros((n, max(int(constants.build_lag.max()), scenario.supply.closure_months)))
    zero = np.zeros(n)
    return Investment(
        chips_per_kwpm=chips_per_kwpm,
        base_wafers=sum_by(foundries.region, wafers(base, chips_per_kwpm), n),
        base_margin=margin,
        margins=np.repeat(margin[:, None], 12, axis=1),
        growth_ahead=zero,
        growth_due=due,
        granted=zero.copy(),
        granted_due=due.copy(),
        grants=zero.copy(),
        grants_due=due.copy(),
        credits=zero.copy(),
        credits_due=due.copy(),
        china_base_utilisation=utilisation,
        china_utilisation=np.full(12, utilisation),
        plan_gap=np.zeros(base.shape[1]),
    )

"""Two plans: a line with two covered chips gains nothing by changing one (MODEL 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tariffsim.economy import Economy
from tariffsim.kernels.sourcing import race, utility, with_inertia
from tariffsim.shipments import Shipments
from tariffsim.tariffs import Tariffs
from tariffsim.typing import Float, Int

if TYPE_CHECKING:
    from tariffsim.phases.sourcing import OpenSlots

Weights = Callable[[Economy, Int, Int, bool], Float]


def avoid_triggers(economy: Economy, slots: OpenSlots, choice: Int, weights: Weights) -> Int:
    """Choices where plan B, uncovered suppliers only, is taken if the duty saved is worth it.

    `choice` is plan A: each slot's best as if the trigger were pulled anyway.
    """
    makers, foundries, tariffs = economy.makers, economy.foundries, economy.tariffs
    covered = tariffs.trigger_covers(economy.law.expected, Tariffs.DESIGN)
    if not covered.any():
        return choice
    designs, design_of = np.unique(slots.maker, return_inverse=True)
    rows = np.flatnonzero(slots.is_free & slots.in_design)
    maker, node_class, plan_a = slots.maker[rows], slots.node_class[rows], choice[rows]
    incumbent = makers.supplier[maker, node_class]
    free = weights(economy, maker, node_class, False)
    free = with_inertia(free, incumbent, makers.inertia[maker, node_class])
    is_covered = covered[node_class][:, foundries.region]
    uncovered = np.where(is_covered, 0.0, free)
    possible = uncovered.any(axis=1)
    noise = slots.exponentials[rows]
    plan_b = np.where(possible, race(uncovered, noise), plan_a)
    lost = np.where(possible, utility(free, noise, plan_a) - utility(free, noise, plan_b), 0.0)
    bill = makers.chips[maker, node_class] * foundries.price[plan_a, node_class]
    sacrifice = bill * lost / economy.scenario.sourcing.elasticity
    at = design_of[rows]
    cost = np.bincount(at, sacrifice, len(designs))
    supplier_a, supplier_b = _suppliers(economy, designs), _suppliers(economy, designs)
    supplier_a[at, node_class] = plan_a
    supplier_b[at, node_class] = plan_b
    saved = _expected_duty(economy, designs, supplier_a) - _expected_duty(
        economy, designs, supplier_b
    )
    takes_b = rows[(saved > cost)[at]]
    chosen = choice.copy()
    taken = np.isin(rows, takes_b)
    chosen[takes_b] = plan_b[taken]
    makers.plan_sacrifice[maker[taken], node_class[taken]] = sacrifice[taken]
    return chosen


def _suppliers(economy: Economy, designs: Int) -> Int:
    """(rows, K) the supplier each slot has or waits for."""
    makers = economy.makers
    waits = makers.switch_month[designs] >= 0
    return np.where(waits, makers.next_supplier[designs], makers.supplier[designs])


def _expected_duty(economy: Economy, maker: Int, supplier: Int) -> Float:
    """(rows,) USD a unit that triggers are expected to cost with these suppliers."""
    makers, foundries, codes = economy.makers, economy.foundries, economy.figures.codes
    markets = np.arange(len(codes.markets))
    cell = codes.cell(makers.device[maker], makers.origin[maker], 0)[:, None] + markets
    classes = np.arange(supplier.shape[1])
    count = makers.chips[maker][:, None, :]
    hypothetical = Shipments(
        codes,
        np.repeat(makers.customs_value[maker][:, None], len(markets), axis=1),
        economy.tariffs.crosses_border[cell],
        count * foundries.price[supplier, classes][:, None, :],
        count,
        foundries.region[supplier][:, None, :],
        classes,
    )
    duty = economy.tariffs.triggered_duty(
        Tariffs.DESIGN, makers.device[maker][:, None], cell, hypothetical, economy.law.expected
    )
    return np.asarray((duty * makers.weights[maker]).sum(axis=1))

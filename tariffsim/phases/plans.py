"""Two plans: a line with two covered chips gains nothing by changing one (MODEL 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tariffsim.economy import Economy
from tariffsim.kernels.sourcing import race, utility, with_inertia
from tariffsim.phases.imagined import imagine, triggered_duty
from tariffsim.tariffs import Future, Tariffs
from tariffsim.typing import Float, Int

if TYPE_CHECKING:
    from tariffsim.phases.sourcing import OpenSlots

Weights = Callable[[Economy, Int, Int, bool], Float]


def avoid_triggers(economy: Economy, slots: OpenSlots, choice: Int, weights: Weights) -> Int:
    """Choices where plan B, uncovered suppliers only, is taken if the duty saved is worth it.

    `choice` is plan A: each slot's best as if the trigger were pulled anyway.
    """
    makers, foundries, tariffs = economy.makers, economy.foundries, economy.tariffs
    futures = economy.law.expected.of_kind(Tariffs.DESIGN)
    designs, design_of = np.unique(slots.maker, return_inverse=True)
    regimes = [future.regime for future in futures]
    covered = tariffs.trigger_covers(regimes, _cells(economy, designs), makers.weights[designs] > 0)
    if not covered.any():
        return choice
    rows = np.flatnonzero(slots.is_free & slots.in_design)
    maker, node_class, plan_a = slots.maker[rows], slots.node_class[rows], choice[rows]
    incumbent = makers.supplier[maker, node_class]
    free = weights(economy, maker, node_class, False)
    free = with_inertia(free, incumbent, makers.inertia[maker, node_class])
    is_covered = covered[design_of[rows], node_class][:, foundries.region]
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
    saved = _expected_duty(economy, designs, supplier_a, futures)
    saved = saved - _expected_duty(economy, designs, supplier_b, futures)
    takes_b = rows[((saved > cost) & (saved > 0))[at]]  # no reason without a duty to save
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


def _cells(economy: Economy, maker: Int) -> Int:
    """(rows, M) cells of the duty tables, by market."""
    makers, codes = economy.makers, economy.figures.codes
    cell = codes.cell(makers.device[maker], makers.origin[maker], 0)
    return np.asarray(cell[:, None] + np.arange(len(codes.markets)))


def _expected_duty(economy: Economy, maker: Int, supplier: Int, futures: list[Future]) -> Float:
    """(rows,) USD a unit that triggers are expected to cost with these suppliers."""
    makers, price = economy.makers, economy.foundries.price
    total = np.zeros(len(maker))
    for future in futures:
        weight = future.weight[Tariffs.DESIGN, makers.device[maker]]
        product = imagine(economy, maker, supplier, makers.origin[maker, None], price, future)
        total += weight * triggered_duty(economy, maker, product, future)[:, 0]
    return total

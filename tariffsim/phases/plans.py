"""Two plans: a line with two covered chips gains nothing by changing one (MODEL 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tariffsim.economy import Economy
from tariffsim.kernels.sourcing import race, utility, with_inertia
from tariffsim.kernels.sums import sum_by
from tariffsim.phases.imagined import imagine, triggered_duty
from tariffsim.tariffs import Future, Tariffs
from tariffsim.typing import Float, Int

if TYPE_CHECKING:
    from tariffsim.phases.sourcing import OpenSlots

Weights = Callable[[Economy, Int, Int, bool], Float]


def avoid_triggers(economy: Economy, slots: OpenSlots, choice: Int, weights: Weights) -> Int:
    """Choices where plan B, uncovered suppliers only, is taken if the duty saved is worth it.

    `choice` is plan A: each slot's best as if the trigger were pulled anyway. Drop-in slots join
    plan B when their design opens. What is given up is booked without the switching cost, which
    is paid besides; a slot that only joins had no choice in plan A and gains nothing by joining.
    """
    makers, foundries, tariffs = economy.makers, economy.foundries, economy.tariffs
    futures = economy.law.expected.of_kind(Tariffs.DESIGN)
    designs, design_of = np.unique(slots.maker, return_inverse=True)
    regimes = [future.regime for future in futures]
    covered = tariffs.trigger_covers(regimes, _cells(economy, designs), makers.weights[designs] > 0)
    sigma = economy.scenario.sourcing.elasticity
    if not covered.any() or sigma == 0.0:  # without sigma no duty outweighs taste
        return choice
    rows = np.flatnonzero(slots.is_free & (slots.in_design | slots.is_open))
    maker, node_class, plan_a = slots.maker[rows], slots.node_class[rows], choice[rows]
    incumbent = makers.supplier[maker, node_class]
    taste = weights(economy, maker, node_class, False)
    free = with_inertia(taste, incumbent, makers.inertia[maker, node_class])
    is_covered = covered[design_of[rows], node_class][:, foundries.region]
    uncovered = np.where(is_covered, 0.0, free)
    possible = uncovered.any(axis=1)
    noise = slots.exponentials[rows]
    plan_b = np.where(possible, race(uncovered, noise), plan_a)
    bill = makers.chips[maker, node_class] * foundries.price[plan_a, node_class]
    money = np.where(possible, bill / sigma, 0.0)
    at = design_of[rows]
    lost = money * (utility(free, noise, plan_a) - utility(free, noise, plan_b))
    cost = sum_by(at, lost, len(designs))
    supplier_a, supplier_b = _suppliers(economy, designs), _suppliers(economy, designs)
    supplier_a[at, node_class] = plan_a
    supplier_b[at, node_class] = plan_b
    saved = _expected_duty(economy, designs, supplier_a, futures)
    saved = saved - _expected_duty(economy, designs, supplier_b, futures)
    takes_b = rows[((saved > cost) & (saved > 0))[at]]  # no reason without a duty to save
    chosen = choice.copy()
    taken = np.isin(rows, takes_b)
    chosen[takes_b] = plan_b[taken]
    given_up = money * (utility(taste, noise, plan_a) - utility(taste, noise, plan_b))
    given_up = np.where(slots.is_open[rows], given_up, np.maximum(given_up, 0.0))
    makers.plan_sacrifice[maker[taken], node_class[taken]] = given_up[taken]
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

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
    """The cheapest of three plans for each line, in what is given up and the duty that is due.

    The free plan minds no trigger, so that a line may stay below a threshold; plan A (`choice`) is
    each slot's best as if the trigger were pulled anyway; plan B takes uncovered suppliers only.
    Drop-in slots join plan B when their design opens, and stay as they are otherwise.
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
    maker, node_class, noise = slots.maker[rows], slots.node_class[rows], slots.exponentials[rows]
    incumbent = makers.supplier[maker, node_class]
    taste = weights(economy, maker, node_class, False)
    with_cost = with_inertia(taste, incumbent, makers.inertia[maker, node_class])
    free = np.where(slots.is_open[rows], race(with_cost, noise), incumbent)
    at = design_of[rows]
    uncovered = np.where(covered[at, node_class][:, foundries.region], 0.0, with_cost)
    plan_b = np.where(uncovered.any(axis=1), race(uncovered, noise), free)
    money = makers.chips[maker, node_class] * foundries.price[free, node_class] / sigma
    best, duty = free, _expected_duty(economy, designs, at, node_class, free, futures)
    total = duty
    for plan in (choice[rows], plan_b):
        gap = utility(with_cost, noise, free) - utility(with_cost, noise, plan)
        lost = np.where(plan == free, 0.0, money * gap)
        due = _expected_duty(economy, designs, at, node_class, plan, futures)
        cost = due + sum_by(at, lost, len(designs))
        better = (due < duty) & (cost < total)
        best = np.where(better[at], plan, best)
        duty, total = np.where(better, due, duty), np.where(better, cost, total)
    _book_sacrifice(economy, slots, rows, money, taste, free, best)
    chosen = choice.copy()
    chosen[rows] = best
    return chosen


def _book_sacrifice(
    economy: Economy, slots: OpenSlots, rows: Int, money: Float, taste: Float, free: Int, best: Int
) -> None:
    """Add what the plan taken gives up, USD a unit, without the switching cost paid besides.

    A slot that only joins its design's plan had no choice and gains nothing by joining.
    """
    noise = slots.exponentials[rows]
    given_up = money * (utility(taste, noise, free) - utility(taste, noise, best))
    given_up = np.where(slots.is_open[rows], given_up, np.maximum(given_up, 0.0))
    changed = best != free
    at = slots.maker[rows[changed]], slots.node_class[rows[changed]]
    before = np.where(slots.is_open[rows[changed]], economy.makers.plan_sacrifice[at], 0.0)
    economy.makers.plan_sacrifice[at] = before + given_up[changed]


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


def _expected_duty(
    economy: Economy, designs: Int, at: Int, node_class: Int, plan: Int, futures: list[Future]
) -> Float:
    """(designs,) USD a unit that triggers are expected to cost if slots follow a plan."""
    makers, price = economy.makers, economy.foundries.price
    supplier = _suppliers(economy, designs)
    supplier[at, node_class] = plan
    total = np.zeros(len(designs))
    for future in futures:
        weight = future.weight[Tariffs.DESIGN, makers.device[designs]]
        product = imagine(economy, designs, supplier, makers.origin[designs, None], price, future)
        total += weight * triggered_duty(economy, designs, product, future)[:, 0]
    return total

"""Makers that are cut off look for another supplier at once (MODEL 4.6)."""

from __future__ import annotations

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.kernels.sourcing import lead_of_winner, race, shortened, with_inertia
from tariffsim.phases.restrictions import (
    is_cut,
    left_at_once,
    of_candidates,
    open_share_ahead,
    share_of_candidates,
)
from tariffsim.phases.sourcing import lead_months, qualify, weights_of_all
from tariffsim.typing import Bool, Float, Int


def requalify_at_once(economy: Economy, draws: Draws) -> None:
    """Makers: who is cut off chooses among suppliers that are not, in fewer months than usual.

    Who would lose less than a switch costs waits, and so does who knows that all is over by then.
    """
    table = economy.law.open_share
    if table is None:
        return
    makers = economy.makers
    place = np.flatnonzero(makers.has_slot)
    maker, node_class = np.divmod(place, makers.supplier.shape[1])
    let_through, leaves = left_at_once(economy, table, maker, node_class)
    cut = is_cut(economy, let_through)
    rows = np.arange(len(place))
    needs = leaves[rows, makers.supplier.take(place)]
    needs[needs] = _is_still_cut_by_then(economy, place[needs])
    waits = makers.switch_month.take(place) >= 0
    waits &= ~cut[rows, makers.next_supplier.take(place)]
    _hasten(economy, place[needs & waits])
    chooses = np.flatnonzero(needs & ~waits)
    if len(chooses):
        _choose(economy, draws, place[chooses], ~cut[chooses])


def _is_still_cut_by_then(economy: Economy, place: Int) -> Bool:
    """(rows,) slots of whose chips any is refused, as far as known, once another could deliver."""
    makers = economy.makers
    maker, node_class = np.divmod(place, makers.supplier.shape[1])
    lead = _soonest(economy, place)
    still = np.zeros(len(place), dtype=bool)
    for months in np.unique(lead):
        rows = np.flatnonzero(lead == months)
        table = open_share_ahead(economy, int(months))
        share = share_of_candidates(economy, table, maker[rows], node_class[rows])
        still[rows] = share[np.arange(len(rows)), makers.supplier.take(place[rows])] < 1.0
    return still


def _soonest(economy: Economy, place: Int) -> Int:
    """(rows,) months from an emergency choice to delivery by the new supplier."""
    return shortened(lead_months(economy, place), economy.scenario.orders.emergency_months_factor)


def _choose(economy: Economy, draws: Draws, place: Int, is_candidate: Bool) -> None:
    """Choose and start to qualify; who has no candidate tries again next month."""
    maker, node_class = np.divmod(place, economy.makers.supplier.shape[1])
    taste = weights_of_all(economy, maker, node_class)
    weights = of_candidates(economy, taste, maker, node_class) * is_candidate
    noise = _noise(economy, draws, maker, node_class)
    choice = race(weights, noise)
    found = weights.any(axis=1)
    factor = economy.scenario.orders.emergency_months_factor
    qualify(economy, place[found], choice[found], factor)
    given_up = _given_up(economy, place[found], taste[found], choice[found], noise[found])
    economy.makers.plan_sacrifice.put(place[found], given_up)


def _given_up(economy: Economy, place: Int, taste: Float, choice: Int, noise: Float) -> Float:
    """(rows,) USD a unit given up in leaving the supplier that had suited best (MODEL 4.7).

    With noise drawn anew a supplier that is lost would suit no better than any other; but what is
    in place had been chosen, so that its noise is that of a winner.
    """
    makers, sigma = economy.makers, economy.scenario.sourcing.elasticity
    if sigma == 0.0:
        return np.zeros(len(place))
    node_class = place % makers.supplier.shape[1]
    left, inertia = makers.supplier.take(place), makers.inertia.take(place)
    with_cost = with_inertia(taste, left, inertia)
    gap = lead_of_winner(with_cost, noise, left, choice) - np.log(inertia)
    money = makers.chips.take(place) * economy.foundries.price[left, node_class] / sigma
    return np.asarray(money * gap)


def _noise(economy: Economy, draws: Draws, maker: Int, node_class: Int) -> Float:
    """(rows, F) unit exponentials of a stream of its own, keyed by slot.

    Who needs them depends on policy, so they are drawn for every line of a class.
    """
    n_foundries = len(economy.foundries)
    noise = np.empty((len(maker), n_foundries))
    for k in np.unique(node_class):
        here = node_class == k
        stream = f"emergency {k}"
        drawn = draws.exponential(stream, economy.month, len(economy.makers), n_foundries)
        noise[here] = drawn[maker[here]]
    return noise


def _hasten(economy: Economy, place: Int) -> None:
    """A qualification under way is brought forward as far as an emergency allows."""
    makers = economy.makers
    soonest = np.minimum(makers.switch_month.take(place), economy.month + _soonest(economy, place))
    makers.switch_month.put(place, soonest)

"""Makers whose design opens choose a foundry for each node class (MODEL 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.kernels.pricing import written_off
from tariffsim.kernels.sourcing import (
    cost_odds,
    odds_from_scale,
    race,
    shortened,
    utility,
    with_inertia,
)
from tariffsim.phases import borne
from tariffsim.phases.offset import chip_offset
from tariffsim.phases.plans import avoid_triggers
from tariffsim.phases.restrictions import of_candidates
from tariffsim.phases.second_sources import renew_second_sources
from tariffsim.tariffs import Tariffs
from tariffsim.typing import Bool, Float, Int

BLOCK = 2048
"""Slots at a time, so that a block of (slots, foundries) stays in the cache."""


@dataclass(frozen=True)
class OpenSlots:
    """Slots that draw noise this month, whatever the policy; one row each."""

    place: Int
    """Row in the ravelled (N, K) columns of makers."""
    maker: Int
    node_class: Int
    is_free: Bool
    """No other supplier is under qualification."""
    is_open: Bool
    """Opens by itself; otherwise a drop-in part of a design that opens."""
    in_design: Bool
    """The whole design opens."""
    exponentials: Float
    """(rows, F) unit exponentials: the noise of the choice."""


def take_over(economy: Economy, draws: Draws) -> None:
    """Makers: new suppliers whose qualification is complete take over."""
    makers = economy.makers
    due = makers.switch_month == economy.month
    makers.supplier = np.where(due, makers.next_supplier, makers.supplier)
    makers.supplied_since = np.where(due, economy.month, makers.supplied_since)
    makers.switch_month = np.where(due, -1, makers.switch_month)


def choose_foundries(economy: Economy, draws: Draws) -> None:
    """Makers: designs and drop-in slots that open choose a foundry per node class."""
    makers = economy.makers
    slots = open_slots(economy, draws)
    choice = makers.supplier.take(slots.place)
    chooses = np.flatnonzero(slots.is_free & slots.is_open)
    given_up = np.zeros(len(choice))
    for start in range(0, len(chooses), BLOCK):
        rows = chooses[start : start + BLOCK]
        maker, node_class = slots.maker[rows], slots.node_class[rows]
        taste = weights_of_all(economy, maker, node_class)
        weights = of_candidates(economy, taste, maker, node_class)
        weights = with_inertia(weights, choice[rows], makers.inertia.take(slots.place[rows]))
        noise = slots.exponentials.take(rows, axis=0)
        choice[rows] = race(weights, noise)
        given_up[rows] = forgone(economy, slots.place[rows], taste, choice[rows], noise)
    makers.plan_sacrifice.put(slots.place[chooses], given_up[chooses])
    if economy.tariffs.triggers:
        choice = avoid_triggers(economy, slots, choice, choice_weights)
    switches = slots.is_free & (choice != makers.supplier.take(slots.place))
    qualify(economy, slots.place[switches], choice[switches])
    renew_second_sources(economy, slots, draws)


def open_slots(economy: Economy, draws: Draws) -> OpenSlots:
    """Which slots open, and their noise: drawn for all makers, free or not."""
    makers = economy.makers
    opens, by_itself = openings(economy, draws, economy.month)
    place = np.flatnonzero(makers.has_slot & (by_itself | opens[:, None]))
    maker, node_class = np.divmod(place, makers.supplier.shape[1])
    return OpenSlots(
        place,
        maker,
        node_class,
        makers.switch_month.take(place) < 0,
        by_itself.take(place),
        opens[maker],
        draws.exponential("foundry noise", economy.month, len(maker), len(economy.foundries)),
    )


def openings(economy: Economy, draws: Draws, month: int) -> tuple[Bool, Bool]:
    """(N,) designs that open in a month, (N, K) slots that then open by themselves; no policy."""
    makers, figures, sourcing = economy.makers, economy.figures, economy.scenario.sourcing
    n, n_classes = makers.supplier.shape
    opens = draws.uniform("design opens", month, n) < figures.design_hazard[makers.device]
    alone = draws.uniform("drop-in opens", month, n, n_classes) < min(
        1.0, sourcing.drop_in_hazard * sourcing.opening_factor
    )
    return opens, (makers.is_drop_in & alone) | (~makers.is_drop_in & opens[:, None])


def forgone(economy: Economy, place: Int, taste: Float, choice: Int, noise: Float) -> Float:
    """(rows,) USD a unit that choices give up because measures keep chips back (part of fit, 4.7).

    Against the best of all suppliers, without the switching cost paid besides; `taste` (rows, F) is
    `weights_of_all`.
    """
    makers, sigma = economy.makers, economy.scenario.sourcing.elasticity
    if economy.law.candidate_share is None or sigma == 0.0:
        return np.zeros(len(place))
    node_class = place % makers.supplier.shape[1]
    with_cost = with_inertia(taste, makers.supplier.take(place), makers.inertia.take(place))
    best = race(with_cost, noise)
    money = makers.chips.take(place) * economy.foundries.price[best, node_class] / sigma
    with np.errstate(invalid="ignore"):
        gap = utility(taste, noise, best) - utility(taste, noise, choice)
    return np.asarray(money * np.where((choice != best) & np.isfinite(gap), gap, 0.0))


def choice_weights(economy: Economy, maker: Int, node_class: Int, triggered: bool = True) -> Float:
    """(rows, F) odds of each foundry that may deliver at an open slot: `exp(V)` of MODEL 4.2."""
    weights = weights_of_all(economy, maker, node_class, triggered)
    return of_candidates(economy, weights, maker, node_class)


def weights_of_all(economy: Economy, maker: Int, node_class: Int, triggered: bool = True) -> Float:
    """(rows, F) the same if no measure kept chips back; before inertia."""
    makers, foundries, sourcing = economy.makers, economy.foundries, economy.scenario.sourcing
    n_classes, n_foundries = economy.base_shares.shape[1:]
    place = maker * n_classes + node_class
    shares = economy.base_shares.reshape(-1, n_foundries)
    odds = odds_from_scale(
        shares.take(makers.odds_row[maker] * n_classes + node_class, axis=0),
        makers.curvature.take(place)[:, None],
        makers.odds_scale.take(place)[:, None],
    )
    base = np.where(foundries.base_capacity > 0, foundries.base_capacity, 1.0)
    size = (foundries.capacity / base) ** sourcing.size_term
    cost = slot_cost(economy, maker, node_class, triggered)
    base_cost = base_slot_cost(economy, maker, node_class)
    taste = _taste(economy, maker)
    odds *= size.T.take(node_class, axis=0) * taste
    return np.asarray(odds * cost_odds(cost, base_cost, sourcing.elasticity))


def slot_cost(economy: Economy, maker: Int, node_class: Int, triggered: bool) -> Float:
    """(rows, F) price of a chip plus the duty it is expected to cause, USD."""
    makers, foundries = economy.makers, economy.foundries
    expected = economy.law.expected
    slot = expected.slot_triggered if triggered else expected.slot
    count = expected.count_triggered if triggered else expected.chip_count
    kind = np.where(makers.is_drop_in[maker, node_class], Tariffs.DROP_IN, Tariffs.DESIGN)
    rate = over_markets(economy, slot, kind, maker, makers.origin[maker], node_class)
    price = offset_price(economy, maker, node_class, kind)
    cost = price * (1 + rate.take(foundries.region, axis=1))
    if economy.claims is not None:
        lines = maker, node_class, kind, price, triggered
        return np.asarray(cost + borne.slot_duty(economy, economy.claims, *lines))
    if not expected.counts_chips:
        return cost
    each = over_markets(economy, count, kind, maker, makers.origin[maker], node_class)
    return np.asarray(cost + each.take(foundries.region, axis=1))


def offset_price(economy: Economy, maker: Int, node_class: Int, kind: Int) -> Float:
    """(rows, F) posted price of a chip less what China is expected to make good, USD."""
    expected, foundries = economy.law.expected, economy.foundries
    price = foundries.price.T.take(node_class, axis=0)
    given = chip_offset(
        economy, expected.chip_value, expected.chip_count, kind[:, None], maker[:, None],
        economy.makers.origin[maker, None], node_class[:, None], foundries.region, price,
    )  # fmt: skip
    return np.asarray(price * (1 - given))


def base_slot_cost(economy: Economy, maker: Int, node_class: Int) -> Float:
    """(rows, F) the same in the base year, where the line was assembled then."""
    makers, foundries = economy.makers, economy.foundries
    slot = economy.tariffs.tables(()).slot[None]
    rate = over_markets(economy, slot, 0, maker, makers.base_origin[maker], node_class)
    price = foundries.base_price.T.take(node_class, axis=0)
    return np.asarray(price * (1 + rate.take(foundries.region, axis=1)))


def over_markets(
    economy: Economy, table: Float, kind: Int | int, maker: Int, origin: Int, node_class: Int
) -> Float:
    """(rows, R) mean of a duty table over the markets that each line is sold to."""
    codes, makers = economy.figures.codes, economy.makers
    n_classes, n_regions = table.shape[2:]
    cell = codes.cell(makers.device[maker], origin, 0) + kind * codes.n_cells
    cells = cell[:, None] + np.arange(len(codes.markets))
    picked = table.reshape(-1, n_regions).take(cells * n_classes + node_class[:, None], axis=0)
    result: Float = np.einsum("nmr,nm->nr", picked, makers.weights.take(maker, axis=0))
    return result


def _taste(economy: Economy, maker: Int) -> Float:
    """(rows, F) odds of a line that moved to or from China, and exogenous shifts of taste."""
    makers, codes = economy.makers, economy.figures.codes
    foundries = economy.foundries
    china = codes.origins.index("CN") if "CN" in codes.origins else -1
    moved = (makers.origin[maker] == china).astype(float) - (makers.base_origin[maker] == china)
    odds = economy.scenario.sourcing.assembly_odds**moved
    taste = np.where(foundries.is_chinese, odds[:, None], 1.0)
    if economy.law.preference.any():
        shift = np.einsum("nm,mr->nr", makers.weights[maker], economy.law.preference)
        taste = taste * np.exp(shift)[:, foundries.region]
    return np.asarray(taste)


def qualify(economy: Economy, place: Int, choice: Int, months_factor: float = 1.0) -> None:
    """Start qualifying the chosen suppliers; the old ones deliver until they take over.

    `place` are rows in the ravelled (N, K) columns of makers.
    """
    makers = economy.makers
    life = makers.life_months.take(place)
    amortised = written_off(
        makers.amortised.take(place),
        np.maximum(makers.amortised_until.take(place) - economy.month, 0),
        makers.requalification_per_unit.take(place),
        life,
    )
    lead = shortened(lead_months(economy, place), months_factor)
    makers.next_supplier.put(place, choice)
    makers.switch_month.put(place, economy.month + lead)
    makers.amortised.put(place, amortised)
    makers.amortised_until.put(place, economy.month + life)


def lead_months(economy: Economy, place: Int) -> Int:
    """(rows,) months from a choice to delivery by the new supplier."""
    makers, figures = economy.makers, economy.figures
    return np.where(
        makers.is_drop_in.take(place),
        economy.scenario.sourcing.drop_in_requalification_months,
        figures.requalification_months[makers.device[place // makers.supplier.shape[1]]],
    )

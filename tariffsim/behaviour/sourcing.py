"""Makers choose a foundry for each node class (MODEL 4.2, 4.6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tariffsim.behaviour.counterfactual_product import make_counterfactual, triggered_duty
from tariffsim.kernels.pricing import written_off
from tariffsim.kernels.sourcing import (
    cost_odds,
    draw_choice,
    drawn_elsewhere,
    lead_of_winner,
    odds_from_scale,
    shortened,
    utility,
    with_inertia,
)
from tariffsim.kernels.sums import sum_by
from tariffsim.law import expected_burden
from tariffsim.law.expectations import DutyExpectations, Future
from tariffsim.law.expected_burden import chip_counter_subsidy
from tariffsim.law.supply_limits import (
    among_candidates,
    candidates_share,
    emergency_leavers,
    is_cut,
    open_share_ahead,
)
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.typing import Bool, Float, Int


def renew_second_sources(economy: Economy, slots: OpenSlots, draws: Draws) -> None:
    """Slots that open draw another second source, in neither the old nor the new region."""
    makers = economy.makers
    has = np.flatnonzero(makers.has_second_source.take(slots.place) & slots.is_open)
    place, row = slots.place[has], makers.odds_row[slots.maker[has]]
    supplier = makers.supplier.take(place)
    waits = makers.switch_month.take(place) >= 0
    noise = draws.exponential("second source", economy.month, len(has), len(economy.foundries))
    second = drawn_elsewhere(
        economy.base_shares[row, slots.node_class[has]],
        economy.foundries.region,
        supplier,
        np.where(waits, makers.next_supplier.take(place), supplier),
        noise,
    )
    makers.second_source.put(place, second)


Weights = Callable[[Economy, Int, Int, bool], Float]


def avoid_triggers(economy: Economy, slots: OpenSlots, choice: Int, weights: Weights) -> Int:
    """The cheapest of three plans for each line, in what is given up and the duty that is due.

    The free plan minds no trigger, so that a line may stay below a threshold; plan A (`choice`) is
    each slot's best as if the trigger were pulled anyway; plan B takes uncovered suppliers only.
    Drop-in slots join plan B when their design opens, and stay as they are otherwise.
    """
    makers, foundries, schedule = economy.makers, economy.foundries, economy.tariff_schedule
    futures = economy.policy.expected.of_kind(DutyExpectations.DESIGN)
    designs, design_of = np.unique(slots.maker, return_inverse=True)
    regimes = [future.regime for future in futures]
    covered = schedule.trigger_covers(
        regimes, _cells(economy, designs), makers.weights[designs] > 0
    )
    sigma = economy.scenario.sourcing.elasticity
    if not covered.any() or sigma == 0.0:  # without sigma no duty outweighs taste
        return choice
    rows = np.flatnonzero(slots.is_free & (slots.in_design | slots.is_open))
    maker, node_class, noise = slots.maker[rows], slots.node_class[rows], slots.exponentials[rows]
    incumbent = makers.supplier[maker, node_class]
    preference = weights(economy, maker, node_class, False)
    with_cost = with_inertia(preference, incumbent, makers.inertia[maker, node_class])
    free = np.where(slots.is_open[rows], draw_choice(with_cost, noise), incumbent)
    at = design_of[rows]
    uncovered = np.where(covered[at, node_class][:, foundries.region], 0.0, with_cost)
    plan_b = np.where(uncovered.any(axis=1), draw_choice(uncovered, noise), free)
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
    _add_distortion(economy, slots, rows, money, preference, free, best)
    chosen = choice.copy()
    chosen[rows] = best
    return chosen


def _add_distortion(
    economy: Economy,
    slots: OpenSlots,
    rows: Int,
    money: Float,
    preference: Float,
    free: Int,
    best: Int,
) -> None:
    """Add what the plan taken gives up, USD a unit, without the switching cost paid besides.

    A slot that only joins its design's plan had no choice and gains nothing by joining.
    """
    noise = slots.exponentials[rows]
    given_up = money * (utility(preference, noise, free) - utility(preference, noise, best))
    given_up = np.where(slots.is_open[rows], given_up, np.maximum(given_up, 0.0))
    changed = best != free
    at = slots.maker[rows[changed]], slots.node_class[rows[changed]]
    before = np.where(slots.is_open[rows[changed]], economy.makers.compliance_distortion[at], 0.0)
    economy.makers.compliance_distortion[at] = before + given_up[changed]


def _suppliers(economy: Economy, designs: Int) -> Int:
    """(rows, K) the supplier each slot has or waits for."""
    makers = economy.makers
    waits = makers.switch_month[designs] >= 0
    return np.where(waits, makers.next_supplier[designs], makers.supplier[designs])


def _cells(economy: Economy, maker: Int) -> Int:
    """(rows, M) cells of the duty tables, by market."""
    makers, codes = economy.makers, economy.constants.codes
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
        weight = future.weight[DutyExpectations.DESIGN, makers.device[designs]]
        product = make_counterfactual(
            economy, designs, supplier, makers.origin[designs, None], price, future
        )
        total += weight * triggered_duty(economy, designs, product, future)[:, 0]
    return total


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


def switch_suppliers(economy: Economy, draws: Draws) -> None:
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
        preference = weights_of_all(economy, maker, node_class)
        weights = among_candidates(economy, preference, maker, node_class)
        weights = with_inertia(weights, choice[rows], makers.inertia.take(slots.place[rows]))
        noise = slots.exponentials.take(rows, axis=0)
        choice[rows] = draw_choice(weights, noise)
        given_up[rows] = forgone(economy, slots.place[rows], preference, choice[rows], noise)
    makers.compliance_distortion.put(slots.place[chooses], given_up[chooses])
    if economy.tariff_schedule.triggers:
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
    makers, constants, sourcing = economy.makers, economy.constants, economy.scenario.sourcing
    n, n_classes = makers.supplier.shape
    opens = draws.uniform("design opens", month, n) < constants.design_hazard[makers.device]
    alone = draws.uniform("drop-in opens", month, n, n_classes) < min(
        1.0, sourcing.pin_compatible_hazard * sourcing.opening_factor
    )
    return opens, (makers.is_pin_compatible & alone) | (~makers.is_pin_compatible & opens[:, None])


def forgone(economy: Economy, place: Int, preference: Float, choice: Int, noise: Float) -> Float:
    """(rows,) USD a unit that choices give up because measures keep chips back (part of fit, 4.7).

    Against the best of all suppliers, without the switching cost paid besides; `taste` (rows, F) is
    `weights_of_all`.
    """
    makers, sigma = economy.makers, economy.scenario.sourcing.elasticity
    if economy.policy.candidate_share is None or sigma == 0.0:
        return np.zeros(len(place))
    node_class = place % makers.supplier.shape[1]
    with_cost = with_inertia(preference, makers.supplier.take(place), makers.inertia.take(place))
    best = draw_choice(with_cost, noise)
    money = makers.chips.take(place) * economy.foundries.price[best, node_class] / sigma
    with np.errstate(invalid="ignore"):
        gap = utility(preference, noise, best) - utility(preference, noise, choice)
    return np.asarray(money * np.where((choice != best) & np.isfinite(gap), gap, 0.0))


def choice_weights(economy: Economy, maker: Int, node_class: Int, triggered: bool = True) -> Float:
    """(rows, F) odds of each foundry that may deliver at an open slot: `exp(V)` of MODEL 4.2."""
    weights = weights_of_all(economy, maker, node_class, triggered)
    return among_candidates(economy, weights, maker, node_class)


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
    preference = _taste(economy, maker)
    odds *= size.T.take(node_class, axis=0) * preference
    return np.asarray(odds * cost_odds(cost, base_cost, sourcing.elasticity))


def slot_cost(economy: Economy, maker: Int, node_class: Int, triggered: bool) -> Float:
    """(rows, F) price of a chip plus the duty it is expected to cause, USD."""
    makers, foundries = economy.makers, economy.foundries
    expected = economy.policy.expected
    slot = expected.slot_triggered if triggered else expected.slot
    count = expected.count_triggered if triggered else expected.chip_count
    kind = np.where(
        makers.is_pin_compatible[maker, node_class],
        DutyExpectations.PIN_COMPATIBLE,
        DutyExpectations.DESIGN,
    )
    rate = over_markets(economy, slot, kind, maker, makers.origin[maker], node_class)
    price = price_after_counter_subsidy(economy, maker, node_class, kind)
    cost = price * (1 + rate.take(foundries.region, axis=1))
    if economy.declarations is not None:
        lines = maker, node_class, kind, price, triggered
        return np.asarray(cost + expected_burden.slot_duty(economy, economy.declarations, *lines))
    if not expected.counts_chips:
        return cost
    each = over_markets(economy, count, kind, maker, makers.origin[maker], node_class)
    return np.asarray(cost + each.take(foundries.region, axis=1))


def price_after_counter_subsidy(economy: Economy, maker: Int, node_class: Int, kind: Int) -> Float:
    """(rows, F) posted price of a chip less what China is expected to make good, USD."""
    expected, foundries = economy.policy.expected, economy.foundries
    price = foundries.price.T.take(node_class, axis=0)
    given = chip_counter_subsidy(
        economy, expected.chip_value, expected.chip_count, kind[:, None], maker[:, None],
        economy.makers.origin[maker, None], node_class[:, None], foundries.region, price,
    )  # fmt: skip
    return np.asarray(price * (1 - given))


def base_slot_cost(economy: Economy, maker: Int, node_class: Int) -> Float:
    """(rows, F) the same in the base year, where the line was assembled then."""
    makers, foundries = economy.makers, economy.foundries
    slot = economy.tariff_schedule.tables(()).slot[None]
    rate = over_markets(economy, slot, 0, maker, makers.base_origin[maker], node_class)
    price = foundries.base_price.T.take(node_class, axis=0)
    return np.asarray(price * (1 + rate.take(foundries.region, axis=1)))


def over_markets(
    economy: Economy, table: Float, kind: Int | int, maker: Int, origin: Int, node_class: Int
) -> Float:
    """(rows, R) mean of a duty table over the markets that each line is sold to."""
    codes, makers = economy.constants.codes, economy.makers
    n_classes, n_regions = table.shape[2:]
    cell = codes.cell(makers.device[maker], origin, 0) + kind * codes.n_cells
    cells = cell[:, None] + np.arange(len(codes.markets))
    picked = table.reshape(-1, n_regions).take(cells * n_classes + node_class[:, None], axis=0)
    result: Float = np.einsum("nmr,nm->nr", picked, makers.weights.take(maker, axis=0))
    return result


def _taste(economy: Economy, maker: Int) -> Float:
    """(rows, F) odds of a line that moved to or from China, and exogenous shifts of taste."""
    makers, codes = economy.makers, economy.constants.codes
    foundries = economy.foundries
    china = codes.origins.index("CN") if "CN" in codes.origins else -1
    moved = (makers.origin[maker] == china).astype(float) - (makers.base_origin[maker] == china)
    odds = economy.scenario.sourcing.assembly_odds**moved
    preference = np.where(foundries.is_chinese, odds[:, None], 1.0)
    if economy.policy.preference.any():
        shift = np.einsum("nm,mr->nr", makers.weights[maker], economy.policy.preference)
        preference = preference * np.exp(shift)[:, foundries.region]
    return np.asarray(preference)


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
    makers, constants = economy.makers, economy.constants
    return np.where(
        makers.is_pin_compatible.take(place),
        economy.scenario.sourcing.pin_compatible_requalification_months,
        constants.requalification_months[makers.device[place // makers.supplier.shape[1]]],
    )


def emergency_switch(economy: Economy, draws: Draws) -> None:
    """Makers: who is cut off chooses among suppliers that are not, in fewer months than usual.

    Who would lose less than a switch costs waits, and so does who knows that all is over by then.
    """
    table = economy.policy.open_share
    if table is None:
        return
    makers = economy.makers
    place = np.flatnonzero(makers.has_slot)
    maker, node_class = np.divmod(place, makers.supplier.shape[1])
    delivered_share, leaves = emergency_leavers(economy, table, maker, node_class)
    cut = is_cut(economy, delivered_share)
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
        share = candidates_share(economy, table, maker[rows], node_class[rows])
        still[rows] = share[np.arange(len(rows)), makers.supplier.take(place[rows])] < 1.0
    return still


def _soonest(economy: Economy, place: Int) -> Int:
    """(rows,) months from an emergency choice to delivery by the new supplier."""
    return shortened(lead_months(economy, place), economy.scenario.orders.emergency_months_factor)


def _choose(economy: Economy, draws: Draws, place: Int, is_candidate: Bool) -> None:
    """Choose and start to qualify; who has no candidate tries again next month."""
    maker, node_class = np.divmod(place, economy.makers.supplier.shape[1])
    preference = weights_of_all(economy, maker, node_class)
    weights = among_candidates(economy, preference, maker, node_class) * is_candidate
    noise = _noise(economy, draws, maker, node_class)
    choice = draw_choice(weights, noise)
    found = weights.any(axis=1)
    factor = economy.scenario.orders.emergency_months_factor
    qualify(economy, place[found], choice[found], factor)
    given_up = _given_up(economy, place[found], preference[found], choice[found], noise[found])
    economy.makers.compliance_distortion.put(place[found], given_up)


def _given_up(economy: Economy, place: Int, preference: Float, choice: Int, noise: Float) -> Float:
    """(rows,) USD a unit given up in leaving the supplier that had suited best (MODEL 4.7).

    With noise drawn anew a supplier that is lost would suit no better than any other; but what is
    in place had been chosen, so that its noise is that of a winner.
    """
    makers, sigma = economy.makers, economy.scenario.sourcing.elasticity
    if sigma == 0.0:
        return np.zeros(len(place))
    node_class = place % makers.supplier.shape[1]
    left, inertia = makers.supplier.take(place), makers.inertia.take(place)
    with_cost = with_inertia(preference, left, inertia)
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

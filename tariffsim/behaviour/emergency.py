"""Makers whose supply is denied switch in an emergency (MODEL 4.6)."""

from __future__ import annotations

import numpy as np

from tariffsim import kernels as k
from tariffsim.behaviour import sourcing
from tariffsim.behaviour.sourcing import ChoiceSet
from tariffsim.law.policy_state import DeliveredShare
from tariffsim.law.supply_limits import candidate_limits, least_share, share_by_market
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.makers import SlotRows
from tariffsim.typing import Bool, Float, Int


def slots_cut_off(economy: Economy, choices: ChoiceSet, table: DeliveredShare) -> tuple[Int, Bool]:
    """Slots whose supply is denied for longer than a switch takes, and suppliers that are cut off.

    Rows in the ravelled (N, K) columns, and (rows, F) whether a supplier is cut off. No line
    switches that would lose less than a switch costs, or that knows that supply will be back.
    """
    makers, places, cut = economy.makers, [], []
    for place in k.blocks(np.flatnonzero(makers.has_slot), sourcing.BLOCK):
        slots = makers.slots(place)
        share, leaves = sourcing.emergency_leavers(choices, slots, table)
        needs = leaves[np.arange(len(slots)), makers.supplier.take(place)]
        needs[needs] = _is_still_denied(economy, slots.take(needs))
        places.append(place[needs])
        cut.append(k.is_cut_off(share[needs], choices.emergency_share))
    return np.concatenate(places), np.concatenate(cut)


def _is_still_denied(economy: Economy, slots: SlotRows) -> Bool:
    """(rows,) whether any supply is denied, as far as known, once another could deliver."""
    makers, lead = economy.makers, emergency_lead(economy, slots.place)
    still = np.zeros(len(slots), dtype=bool)
    for months in np.unique(lead):
        rows = np.flatnonzero(lead == months)
        some = slots.take(rows)
        regime = economy.regime_ahead(int(months))
        table = candidate_limits(economy.tariff_schedule, economy.chip_origins, regime)
        by_market = share_by_market(economy.constants.codes, makers, some, table)
        share = least_share(makers, some, by_market, economy.foundries.region)
        still[rows] = share[np.arange(len(rows)), makers.supplier.take(some.place)] < 1.0
    return still


def emergency_lead(economy: Economy, place: Int) -> Int:
    """(rows,) months from an emergency choice to delivery by the new supplier."""
    factor = economy.scenario.orders.emergency_months_factor
    return k.shortened(sourcing.lead_months(economy, place), factor)


def bring_forward(economy: Economy, place: Int) -> None:
    """A qualification under way is brought forward as far as an emergency allows."""
    makers = economy.makers
    soonest = k.months_later(economy.month, emergency_lead(economy, place))
    makers.switch_month.put(place, np.minimum(makers.switch_month.take(place), soonest))


def switch_in_emergency(
    economy: Economy, choices: ChoiceSet, draws: Draws, place: Int, is_candidate: Bool
) -> None:
    """Choose and start to qualify; lines without a candidate try again next month."""
    makers, slots = economy.makers, economy.makers.slots(place)
    factor = economy.scenario.orders.emergency_months_factor
    choices = sourcing.choice_set(economy, factor)
    of_all = sourcing.choice_weights(choices, slots)
    weights = np.where(is_candidate, sourcing.among_candidates(choices, slots, of_all), 0.0)
    noise = _emergency_noise(economy, draws, slots)
    found = np.flatnonzero(weights.any(axis=1))
    choice = k.draw_choice(weights[found], noise[found])
    cost = makers.requalification_per_unit.take(place[found])
    sourcing.qualify(economy, place[found], choice, cost, factor)
    lost = _lost_match(choices, slots.take(found), of_all[found], choice, noise[found])
    makers.compliance_distortion.put(place[found], lost)


def _lost_match(
    choices: ChoiceSet, slots: SlotRows, weights: Float, choice: Int, noise: Float
) -> Float:
    """(rows,) USD a unit of match loss from leaving the supplier that had been chosen (MODEL 4.7).

    With noise drawn anew a supplier that is lost would be no better a match than any other; but
    what is in place had been chosen, so that its noise is that of a winner.
    """
    makers = choices.makers
    if choices.sigma == 0.0:
        return np.zeros(len(slots))
    left, inertia = makers.supplier.take(slots.place), makers.inertia.take(slots.place)
    value = sourcing.value_of_utility(choices, slots, left)
    return k.lead_of_incumbent(weights, noise, left, choice, inertia, value)


def _emergency_noise(economy: Economy, draws: Draws, slots: SlotRows) -> Float:
    """(rows, F) unit exponentials of a stream of its own, keyed by slot.

    Which slots need them depends on policy, so they are drawn for every line by part.
    """
    n_foundries = len(economy.foundries)
    noise = np.empty((len(slots), n_foundries))
    for part in np.unique(slots.part):
        here = slots.part == part
        stream = f"emergency {part}"
        drawn = draws.exponential(stream, economy.month, economy.makers.n_lines, n_foundries)
        noise[here] = drawn[economy.makers.line[slots.maker[here]]]
    return noise

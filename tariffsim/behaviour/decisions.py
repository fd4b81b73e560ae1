"""What open slots take: the best foundry, or a plan that keeps clear of a duty (MODEL 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from tariffsim import kernels as k
from tariffsim.behaviour import sourcing
from tariffsim.behaviour.assembly import counterfactual_product, expected_duty
from tariffsim.behaviour.foundries import price_ahead
from tariffsim.behaviour.sourcing import ChoiceSet, OpenSlots
from tariffsim.state.constants import DESIGN
from tariffsim.state.economy import Economy
from tariffsim.state.makers import SlotRows
from tariffsim.typing import Bool, Float, Int


@dataclass(frozen=True)
class Decision:
    """What open slots take; one row each."""

    slots: OpenSlots
    choice: Int
    """(rows,) foundry chosen, or kept."""
    distortion: Float
    """(rows,) USD a unit of match loss while it holds."""
    cost: Float
    """(rows,) USD a unit to be written off if the supplier changes."""

    def take(self, rows: Int | Bool) -> Decision:
        """Some of them."""
        return Decision(
            self.slots.take(rows), self.choice[rows], self.distortion[rows], self.cost[rows]
        )

    def followed_by(self, other: Decision) -> Decision:
        """These, then others of the same month."""
        ours, theirs = self.slots, other.slots
        rows = SlotRows(
            *(np.concatenate([getattr(t.rows, f.name) for t in (ours, theirs)])
              for f in fields(SlotRows))
        )  # fmt: skip

        def both(name: str) -> Any:
            return np.concatenate([getattr(of, name) for of in (ours, theirs)])

        slots = OpenSlots(
            rows, both("is_free"), both("is_open"), both("in_design"), both("draw"), ours.draws
        )
        columns = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self)[1:])
        return Decision(slots, *(np.concatenate(column) for column in columns))


def decide(
    choices: ChoiceSet, economy: Economy, slots: OpenSlots, weights: Float | None = None
) -> Decision:
    """What each version of a line that has open slots decides by itself; see `sourcing.choose`."""
    makers = economy.makers
    choice, forgone = sourcing.choose(choices, slots, weights)
    before = makers.compliance_distortion.take(slots.rows.place)
    distortion = np.where(slots.is_free & slots.is_open, forgone, before)
    if economy.tariff_schedule.triggers:
        choice, distortion = avoid_triggers(choices, economy, slots, choice, distortion)
    cost = makers.requalification_per_unit.take(slots.rows.place)
    return Decision(slots, choice, distortion, cost)


def carry_out(economy: Economy, decision: Decision) -> None:
    """Slots that take another supplier begin to qualify it."""
    makers, slots = economy.makers, decision.slots
    makers.compliance_distortion.put(slots.rows.place, decision.distortion)
    switches = slots.is_free & (decision.choice != makers.supplier.take(slots.rows.place))
    place, cost = slots.rows.place[switches], decision.cost[switches]
    sourcing.qualify(economy, place, decision.choice[switches], cost)


# Duties that a chip triggers on the whole product.


def avoid_triggers(
    choices: ChoiceSet, economy: Economy, slots: OpenSlots, choice: Int, distortion: Float
) -> tuple[Int, Float]:
    """The cheapest of three plans for each line, by match loss and the duty that is due.

    With the compliance distortion that it leaves in each slot, USD a unit; `distortion` without.

    The free plan ignores triggers, so that a line may stay below a threshold; plan A (`choice`) is
    each slot's best as if the trigger applied anyway; plan B takes uncovered suppliers only.
    Pin-compatible slots join plan B when their design opens, and keep their supplier otherwise.
    """
    makers, foundries = choices.makers, choices.foundries
    designs, design_of = np.unique(slots.rows.maker, return_inverse=True)
    covered = covered_chips(economy, designs)
    if not covered.any() or choices.sigma == 0.0:  # without sigma no duty outweighs preference
        return choice, distortion
    rows = np.flatnonzero(slots.is_free & (slots.in_design | slots.is_open))
    some, noise, at = slots.rows.take(rows), slots.noise(rows), design_of[rows]
    incumbent = makers.supplier.take(some.place)
    weights = sourcing.among_candidates(
        choices, some, sourcing.choice_weights(choices, some, triggered=False)
    )
    with_cost = k.with_inertia(weights, incumbent, makers.inertia.take(some.place))
    free = np.where(slots.is_open[rows], k.draw_choice(with_cost, noise), incumbent)
    of_foundry = choices.expected_burden.of_foundries(some, foundries.region)
    is_covered = k.by_foundry(covered[at, some.node_class].astype(float), of_foundry) > 0
    uncovered = np.where(is_covered, 0.0, with_cost)
    plan_b = np.where(uncovered.any(axis=1), k.draw_choice(uncovered, noise), free)
    value = sourcing.value_of_utility(choices, some, free)
    best, duty = free, plan_duty(economy, designs, at, some, free)
    total = duty
    for plan in (choice[rows], plan_b):
        lost = k.utility_loss(with_cost, noise, free, plan, value)
        due = plan_duty(economy, designs, at, some, plan)
        cost = k.total(due, k.sum_by(at, lost, len(due)))
        better = (due < duty) & (cost < total)
        best = np.where(better[at], plan, best)
        duty, total = np.where(better, due, duty), np.where(better, cost, total)
    lost = k.utility_loss(weights, noise, free, best, value)
    changed, left = best != free, distortion.copy()
    chosen = choice.copy()
    chosen[rows] = best
    after = k.plan_distortion(distortion[rows], lost, slots.is_open[rows])
    left[rows[changed]] = after[changed]
    return chosen, left


def covered_chips(economy: Economy, designs: Int) -> Bool:
    """(designs, K, R) chips expected to trigger a duty on the product where versions are sold."""
    makers, codes = economy.makers, economy.constants.codes
    cells = codes.cells_by_market(makers.device[designs, None], makers.origin[designs])
    futures = economy.policy.expected.of_kind(DESIGN)
    return economy.tariff_schedule.trigger_covers(
        [future.regime for future in futures], cells, makers.weights[designs] > 0
    )


def plan_duty(economy: Economy, designs: Int, at: Int, slots: SlotRows, plan: Int) -> Float:
    """(designs,) USD a unit that triggers are expected to cost if slots follow a plan (slots,)."""
    makers, foundries = economy.makers, economy.foundries
    futures = economy.policy.expected.of_kind(DESIGN)
    supplier = makers.booked_supplier(designs)
    supplier[at, slots.part] = plan
    months = economy.constants.requalification_months
    price = price_ahead(foundries, economy.scenario.supply, months)[
        makers.device[designs, None], supplier, makers.slot_class
    ]
    weights, duties = [], []
    markets = np.arange(makers.weights.shape[1])[None]
    for future in futures:
        product = counterfactual_product(
            economy, designs, supplier, markets, makers.origin[designs], price, future
        )
        weights.append(future.weight[DESIGN, makers.device[designs]])
        due = expected_duty(economy, product, future, triggers_only=True)
        duties.append(k.over_markets(due, makers.weights[designs]))
    return k.weighted_sum(weights, duties)

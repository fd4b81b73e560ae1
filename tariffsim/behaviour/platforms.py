"""Versions of their own that lines give to markets whose duties depend on the origin of chips.

A line sold there and elsewhere weighs, when its design opens, one choice of foundries for all its
markets against one for each version (MODEL 4.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tariffsim import kernels as k
from tariffsim.behaviour import decisions, sourcing
from tariffsim.behaviour.decisions import Decision
from tariffsim.behaviour.sourcing import ChoiceSet, OpenSlots
from tariffsim.state.constants import DESIGN
from tariffsim.state.economy import Economy
from tariffsim.state.makers import DeviceMakers
from tariffsim.typing import Bool, Float, Int


@dataclass(frozen=True)
class Pairs:
    """Open slots of some lines, each for two versions: the common one and the line's own."""

    lines: Int
    """(n,) the lines."""
    weighs: Bool
    """(n,) weighs the versions; the others have two, and choose for both at once."""
    wanted: Bool
    """(n, M) markets of the own version."""
    has_two: Bool
    """(n,) has two versions already."""
    of_line: Int
    """(rows,) place of each slot's line among the lines."""
    common: Int
    """(rows,) place of each slot among the open slots of the month."""
    slots: OpenSlots
    """(2 x rows) the slots of the common versions, then those of the own."""
    may_choose: Bool
    """(rows,) no supplier is under qualification for either version."""
    share: Float
    """(2, rows) share of the line's units that each version is."""
    supplier: Int
    """(2, rows) foundry that supplies each version."""

    def of_both(self, rows: Int) -> Int:
        """(2, rows) places of some slots in `slots`, for the common version and for the own."""
        return np.arange(len(self.slots.rows)).reshape(2, -1)[:, rows]

    def of_own(self, makers: DeviceMakers) -> Int:
        """(n,) rows of the own versions."""
        return makers.own_version[self.lines]


def markets_apart(economy: Economy) -> Bool:
    """(D, M) markets in focus whose duties, limits or tastes, as expected, go by chips' origin.

    Duties on unmounted chips go with the place of assembly and do not count.
    """
    codes, schedule = economy.constants.codes, economy.tariff_schedule
    shape = len(codes.devices), len(codes.origins), len(codes.markets)
    found = np.zeros((shape[0], shape[2]), dtype=bool)
    for future in economy.policy.expected.of_kind(DESIGN):
        for law in (schedule.laws[i] for i, _ in future.regime):
            if law.instrument.depends_on_chip_origin:
                levied = law.scope.reshape(shape).any(axis=1)
                levied &= law.instrument.chosen("markets", codes.markets) > 0
                found |= levied & (future.weight[DESIGN] > 0)[:, None]
    in_focus = np.array([market in economy.scenario.agents.focus for market in codes.markets])
    return np.asarray(found & in_focus)


def reconsider(
    economy: Economy, choices: ChoiceSet, slots: OpenSlots, stands: Decision
) -> Decision:
    """What is decided where lines weigh versions of their own, or choose for two at once.

    `stands` is what each version there is decides by itself; lines split, stay or merge.
    """
    makers = economy.makers
    found = _lines_concerned(economy, choices, slots)
    if found is None:
        return stands
    lines, weighs, wanted = found
    has_two = makers.is_made[makers.own_version[lines]]
    before = _remembered(makers, lines)
    _stand_apart(economy, lines[weighs], wanted[weighs])
    pairs = _pairs(makers, slots, lines, weighs, wanted, has_two)
    weights = sourcing.choice_weights(choices, pairs.slots.rows)
    free = weights
    if economy.tariff_schedule.triggers:
        free = sourcing.choice_weights(choices, pairs.slots.rows, triggered=False)
    versions = decisions.decide(choices, economy, pairs.slots, weights)
    joint, lost = _joint(economy, choices, pairs, stands, weights, free)
    gain, takes_own = _gain(economy, choices, pairs, joint, versions, free)
    cost = k.times(_overhead(economy, lines), makers.share[pairs.of_own(makers)])
    splits = pairs.weighs & (gain > cost)
    _note(economy, pairs, gain, cost)
    _restore(makers, lines, before, ~splits)
    makers.is_split[lines] = splits
    _give_markets(economy, lines[splits], wanted[splits])
    at_once = replace(versions, choice=np.stack([joint, joint]), distortion=lost)
    decided = _decided(makers, pairs, splits, takes_own, at_once, versions)
    kept = ~np.isin(makers.line[stands.slots.rows.maker], lines)
    return stands.take(kept).followed_by(decided)


def _lines_concerned(
    economy: Economy, choices: ChoiceSet, slots: OpenSlots
) -> tuple[Int, Bool, Bool] | None:
    """(n,) lines that weigh versions or choose for two at once, and (n,) which of them weigh.

    With the markets (n, M) of the own version.
    """
    makers = economy.makers
    lines = np.unique(makers.line[slots.rows.maker])
    lines = lines[makers.own_version[lines] >= 0]
    own = makers.own_version[lines]
    in_design = np.isin(lines, makers.line[slots.rows.maker[slots.in_design]])
    sold, has_two = makers.line_weights[lines] > 0, makers.is_made[own]
    wanted = markets_apart(economy)[makers.device[lines]] & sold
    is_part = wanted.any(axis=1) & (wanted != sold).any(axis=1)
    weighs = in_design & (is_part | makers.is_split[lines]) & (choices.sigma > 0)
    wanted = np.where((weighs & is_part)[:, None], wanted, makers.weights[own] > 0)
    at = np.flatnonzero(weighs | (has_two & ~makers.is_split[lines]))
    return (lines[at], weighs[at], wanted[at]) if len(at) else None


def _pairs(
    makers: DeviceMakers, slots: OpenSlots, lines: Int, weighs: Bool, wanted: Bool, has_two: Bool
) -> Pairs:
    """The open slots of lines for both versions."""
    common = np.flatnonzero(np.isin(slots.rows.maker, lines))
    line, part = slots.rows.maker[common], slots.rows.part[common]
    own = makers.own_version[line]
    place = np.concatenate([slots.rows.place[common], makers.place_of(own, part)])
    of_both = replace(
        slots.take(np.concatenate([common, common])),
        rows=makers.slots(place),
        is_free=makers.switch_month.take(place) < 0,
    )
    of_line = np.searchsorted(lines, line)
    may_choose = of_both.is_free.reshape(2, -1).all(axis=0)
    may_choose &= slots.is_open[common] | ~has_two[of_line]
    share = np.stack([makers.share[line], makers.share[own]])
    supplier = makers.supplier.take(place).reshape(2, -1)
    return Pairs(
        lines, weighs, wanted, has_two, of_line, common, of_both, may_choose, share, supplier
    )


def _overhead(economy: Economy, line: Int) -> Float:
    """(n,) USD a unit of an own version that lines would have."""
    makers, rules = economy.makers, economy.scenario.sourcing
    price = economy.constants.chip_price[makers.slot_class]
    return k.share_of_bill(rules.version_overhead, makers.chips[line], price)


# One choice for both versions.


def _joint(
    economy: Economy,
    choices: ChoiceSet,
    pairs: Pairs,
    stands: Decision,
    weights: Float,
    free: Float,
) -> tuple[Int, Float]:
    """(rows,) foundry that the line would choose for all its markets; (2, rows) match loss.

    `weights` (2 x rows, F) are those of `sourcing.choice_weights`, `free` without triggers.
    Where it has two versions by the mean of their utilities, less what a switch of either costs;
    where triggers are expected, the cheapest of three plans.
    """
    makers, common = economy.makers, pairs.common
    chosen = stands.choice[common].copy()
    lost = np.stack([stands.distortion[common], stands.distortion[common]])
    before = makers.compliance_distortion.take(pairs.slots.rows.place).reshape(2, -1)
    has_two = pairs.has_two[pairs.of_line]
    lost = np.where(has_two, before, lost)
    two = np.flatnonzero(has_two & pairs.may_choose)
    if not len(two):
        return chosen, lost
    both = pairs.of_both(two).ravel()
    some, weights = pairs.slots.take(both), weights.take(both, axis=0)
    best = _mean_utility(choices, pairs, two, _utility(choices, some, weights)).argmax(axis=1)
    lost[:, two] = _forgone(choices, pairs, two, weights, best)
    if _weighs_triggers(economy, pairs).any():
        without = _utility(choices, some, free.take(both, axis=0))
        best, more = _cheapest_plan(economy, choices, pairs, two, without, best)
        lost[:, two] = k.total(lost[:, two], more)
    chosen[two] = best
    return chosen, lost


def _utility(choices: ChoiceSet, slots: OpenSlots, weights: Float) -> Float:
    """(2, rows, F) utility, noise included, of foundries that may deliver, without switching."""
    weights = sourcing.among_candidates(choices, slots.rows, weights)
    utility = k.utility_of_all(weights, slots.noise())
    return utility.reshape(2, -1, utility.shape[1])


def _forgone(choices: ChoiceSet, pairs: Pairs, rows: Int, weights: Float, choice: Int) -> Float:
    """(2, rows) USD a unit of match loss from choosing for two at once while supply is denied.

    See `sourcing.forgone_match`; `weights` (2 x rows, F) are of all suppliers.
    """
    if choices.policy.limits.expected is None:
        return np.zeros((2, len(rows)))
    slots = pairs.slots.take(pairs.of_both(rows).ravel())
    of_all = k.utility_of_all(weights, slots.noise()).reshape(2, len(rows), -1)
    best = _mean_utility(choices, pairs, rows, of_all).argmax(axis=1)
    return _given_up(choices, slots, of_all, best, choice)


def _given_up(
    choices: ChoiceSet, slots: OpenSlots, utility: Float, best: Int, choice: Int
) -> Float:
    """(2, rows) USD a unit that versions lose with a choice in place of the best for both."""
    each = np.arange(len(best))
    value = sourcing.value_of_utility(choices, slots.rows.take(each), best)
    gap = k.left_over(utility[:, each, best], utility[:, each, choice])
    return np.where(choice == best, 0.0, k.times(value, gap))


def _mean_utility(choices: ChoiceSet, pairs: Pairs, rows: Int, utility: Float) -> Float:
    """(rows, F) mean of the utilities (2, rows, F) of both versions, less the cost of a switch."""
    share, foundries = pairs.share[:, rows, None], np.arange(utility.shape[2])
    is_new = pairs.supplier[:, rows, None] != foundries
    switching = choices.makers.switching.take(pairs.slots.rows.place[rows])[:, None]
    cost = k.switching_utility(
        switching, np.where(is_new, share, 0.0).sum(axis=0),
        choices.sourcing.switching_cost_cap, choices.sigma,
    )  # fmt: skip
    return k.left_over(k.times(share, utility).sum(axis=0), cost)


def _cheapest_plan(
    economy: Economy, choices: ChoiceSet, pairs: Pairs, rows: Int, utility: Float, plan_a: Int
) -> tuple[Int, Float]:
    """(rows,) foundries of the plan with the least match loss and duty, for two versions at once.

    `utility` (2, rows, F) minds no trigger; see `decisions.avoid_triggers`. The second is what the
    plan gives up, (2, rows) USD a unit.
    """
    makers, slots, at = economy.makers, pairs.slots.rows.take(rows), pairs.of_line[rows]
    mean = _mean_utility(choices, pairs, rows, utility)
    covered = decisions.covered_chips(economy, pairs.lines)
    covered |= decisions.covered_chips(economy, pairs.of_own(makers))
    of_foundry = choices.expected_burden.of_foundries(slots, choices.foundries.region)
    is_covered = k.by_foundry(covered[at, slots.node_class].astype(float), of_foundry) > 0
    clear = np.where(is_covered, float("-inf"), mean)
    free = best = mean.argmax(axis=1)
    plan_b = np.where(np.isfinite(clear).any(axis=1), clear.argmax(axis=1), free)
    value = sourcing.value_of_utility(choices, slots, free)
    each = np.arange(len(rows))
    duty = total = _triggered(economy, pairs, rows, np.stack([free, free]))
    for plan in (plan_a, plan_b):
        lost = k.times(value, k.left_over(mean[each, free], mean[each, plan]))
        due = _triggered(economy, pairs, rows, np.stack([plan, plan]))
        cost = k.total(due, k.sum_by(at, lost, len(due)))
        better = (due < duty) & (cost < total)
        best = np.where(better[at], plan, best)
        duty, total = np.where(better, due, duty), np.where(better, cost, total)
    return best, _given_up(choices, pairs.slots.take(rows), utility, free, best)


def _weighs_triggers(economy: Economy, pairs: Pairs) -> Bool:
    """(n,) whether a chip is expected to trigger a duty on the whole product of a line."""
    if not economy.tariff_schedule.triggers:
        return np.zeros(len(pairs.lines), dtype=bool)
    covered = [
        decisions.covered_chips(economy, rows)
        for rows in (pairs.lines, pairs.of_own(economy.makers))
    ]
    return np.asarray(np.any(covered, axis=(0, 2, 3)))


def _triggered(economy: Economy, pairs: Pairs, rows: Int, plan: Int) -> Float:
    """(n,) USD a unit of lines that triggers cost, as expected, with a plan (2, rows) of slots."""
    makers, both = economy.makers, pairs.of_both(rows)
    due = np.zeros(len(pairs.lines))
    for v, version in enumerate((pairs.lines, pairs.of_own(makers))):
        slots = pairs.slots.rows.take(both[v])
        each = decisions.plan_duty(economy, version, pairs.of_line[rows], slots, plan[v])
        due = k.total(due, k.times(makers.share[version], each))
    return due


# Each version by itself.


def _gain(
    economy: Economy, choices: ChoiceSet, pairs: Pairs, joint: Int, versions: Decision, free: Float
) -> tuple[Float, Bool]:
    """USD a unit (n,) of lines that versions gain; (rows,) whether parts would then differ.

    `free` (2 x rows, F) are the weights of foundries if no trigger counts.
    Part by part; where triggers are expected plan against plan, with the duty that is saved.
    """
    sigma, share, slots = choices.sigma, pairs.share, pairs.slots.rows
    own, rows = versions.choice.reshape(2, -1), np.arange(len(joint))
    utility = _utility(choices, pairs.slots, free)
    switching = choices.makers.switching.take(slots.place[rows])
    cap = choices.sourcing.switching_cost_cap
    new_to = np.where(pairs.supplier == joint, 0.0, share).sum(axis=0)
    total = k.switching_utility(switching, new_to, cap, sigma)
    for v in (0, 1):
        with np.errstate(invalid="ignore"):
            better = k.left_over(utility[v, rows, own[v]], utility[v, rows, joint])
        better = np.where(own[v] == joint, 0.0, better)
        new_to = np.where(own[v] == pairs.supplier[v], 0.0, share[v])
        cost = k.switching_utility(switching, new_to, cap, sigma)
        total = k.total(total, k.left_over(k.times(share[v], better), cost))
    chips = choices.makers.chips.take(slots.place[rows])
    price = choices.constants.chip_price[slots.node_class[rows]]
    value = k.times(k.utility_value(chips, price, sigma), total)
    value = np.where(pairs.may_choose, value, 0.0)
    differ = pairs.may_choose & (own[0] != own[1]) & (value > 0)
    plans = _weighs_triggers(economy, pairs)
    of_plans = plans[pairs.of_line]
    counted = np.where(of_plans | differ, value, 0.0)
    gain = k.sum_by(pairs.of_line, counted, len(pairs.lines))
    if plans.any():
        may = np.flatnonzero(pairs.may_choose)
        saved = k.left_over(
            _triggered(economy, pairs, may, np.stack([joint, joint])[:, may]),
            _triggered(economy, pairs, may, own[:, may]),
        )
        gain = k.total(gain, np.where(plans, saved, 0.0))
    return gain, differ | (of_plans & pairs.may_choose)


def _decided(
    makers: DeviceMakers, pairs: Pairs, splits: Bool, takes_own: Bool, at_once: Decision,
    versions: Decision,
) -> Decision:  # fmt: skip
    """What both versions of lines take, and what a switch costs a unit of each.

    `at_once` (2, rows) is what the line takes for both, `versions` (2 x rows) what each takes by
    itself. A supplier that is new to both is qualified once. Where one version waits for a
    supplier, a line that does not split leaves the other as it is.
    """
    of_line = splits[pairs.of_line]
    stays = ~of_line & ~pairs.may_choose
    alone = of_line & (takes_own | ~pairs.may_choose)
    own = versions.choice.reshape(2, -1)
    choice = np.where(alone, own, np.where(stays, pairs.supplier, at_once.choice))
    lost = np.where(alone, versions.distortion.reshape(2, -1), at_once.distortion)
    is_new = choice != pairs.supplier
    once = is_new.all(axis=0) & (choice[0] == choice[1]) & ~alone
    share = np.where(once, 1.0, pairs.share)
    place = pairs.slots.rows.place
    cost = k.ratio(makers.line_requalification.take(place).reshape(2, -1), share)
    decided = Decision(versions.slots, choice.ravel(), lost.ravel(), cost.ravel())
    return decided.take(makers.has_slot.take(place))


# Versions come and go.

VERSIONED = (
    "weights", "share", "inertia", "requalification_per_unit", "has_slot", "chip_coverage",
)  # fmt: skip
"""Columns that depend on which versions are made, and for which markets."""
COPIED = (
    "has_slot", "supplier", "next_supplier", "switch_month", "supplied_since", "second_source",
    "amortised", "amortised_until", "compliance_distortion", "chips", "customs_value",
    "chip_coverage", "most_denied", "last_denied",
    "chip_region", "chip_origin", "chip_value",
)  # fmt: skip
"""Columns that a new version has from its line."""
SHARED = ("stock", "past_need")
"""Columns that versions share out."""


def _remembered(makers: DeviceMakers, line: Int) -> dict[str, Float]:
    rows = np.concatenate([line, makers.own_version[line]])
    return {name: getattr(makers, name)[rows] for name in VERSIONED}


def _restore(makers: DeviceMakers, line: Int, before: dict[str, Float], which: Bool) -> None:
    """Lines that stay as they were: nothing stands beside them any more."""
    rows, at = np.concatenate([line, makers.own_version[line]]), np.concatenate([which, which])
    for name, column in before.items():
        getattr(makers, name)[rows[at]] = column[at]


def _stand_apart(economy: Economy, line: Int, wanted: Bool) -> None:
    """An own version for some markets (rows, M) stands beside each line, as the line stands."""
    makers, rules = economy.makers, economy.scenario.sourcing
    new = line[~makers.is_made[makers.own_version[line]]]
    for name in COPIED:
        column = getattr(makers, name)
        column[makers.own_version[new]] = column[new]
    for rows, mine in ((line, ~wanted), (makers.own_version[line], wanted)):
        part = np.where(mine, makers.line_weights[line], 0.0)
        makers.share[rows] = share = k.over_slots(part)
        makers.weights[rows] = k.ratio(part, share[:, None])
        cost = np.minimum(k.ratio(makers.switching[rows], share[:, None]), rules.switching_cost_cap)
        makers.inertia[rows] = k.inertia_factor(cost, rules.elasticity)
        makers.requalification_per_unit[rows] = k.ratio(
            makers.line_requalification[rows], share[:, None]
        )


def _note(economy: Economy, pairs: Pairs, gain: Float, cost: Float) -> None:
    """What lines weighed, for those who ask why they split."""
    makers, weighs = economy.makers, pairs.weighs
    line = pairs.lines[weighs]
    makers.weighed_month[line] = economy.month
    makers.split_gain[line], makers.split_cost[line] = gain[weighs], cost[weighs]


def _give_markets(economy: Economy, line: Int, wanted: Bool) -> None:
    """Own versions of lines are sold in some markets (rows, M), and take their part of stocks."""
    if not len(line):
        return
    makers, flows = economy.makers, economy.flows
    apart = np.zeros((makers.n_lines, wanted.shape[1]), dtype=bool)
    apart[line] = wanted
    is_of = np.zeros(makers.n_lines, dtype=bool)
    is_of[line] = True
    goes = apart[flows.line, flows.market]
    to = np.where(goes, makers.own_version[flows.line], flows.line)
    moves = is_of[flows.line] & (to != flows.maker)
    part = k.mean_over_flows(moves.astype(float), flows.purchases, flows.maker, len(makers))
    own = makers.own_version[line]
    makers.is_made[own] = True
    for name in SHARED:
        column = getattr(makers, name)
        leaves = k.times(column.T, part).T
        column[line], column[own] = (
            k.total(k.left_over(column[rows], leaves[rows]), leaves[others])
            for rows, others in ((line, own), (own, line))
        )
    flows.maker = np.where(moves, to, flows.maker)


def unite(economy: Economy) -> None:
    """Versions of lines that have merged are one again once nothing sets them apart."""
    makers = economy.makers
    line = np.flatnonzero(~makers.is_split & (makers.own_version >= 0))
    line = line[makers.is_made[makers.own_version[line]]]
    if not len(line):
        return
    own = makers.own_version[line]
    is_same = (makers.supplier[line] == makers.supplier[own]).all(axis=1)
    for name in ("switch_month", "next_supplier"):
        column, waits = getattr(makers, name), makers.switch_month[line] >= 0
        is_same &= np.where(
            waits | (makers.switch_month[own] >= 0), column[line] == column[own], True
        ).all(axis=1)
    if is_same.any():
        _put_together(economy, line[is_same], own[is_same])


def _put_together(economy: Economy, line: Int, own: Int) -> None:
    """Two versions become one: stocks and what is written off are added up."""
    makers, flows = economy.makers, economy.flows
    share = np.stack([makers.share[line], makers.share[own]])[:, :, None]
    left = [k.months_left(makers.amortised_until[rows], economy.month) for rows in (line, own)]
    longest = np.maximum(*left)
    months = [of_version.astype(float) for of_version in left]
    unpaid = [k.times(makers.amortised[line], months[0]), k.times(makers.amortised[own], months[1])]
    rest = k.weighted_sum(list(share), unpaid)
    makers.amortised[line] = k.ratio(rest, np.maximum(longest, 1))
    makers.amortised_until[line] = k.months_later(economy.month, longest)
    lost = makers.compliance_distortion
    lost[line] = k.total(k.times(share[0], lost[line]), k.times(share[1], lost[own]))
    from_own = own[share[1, :, 0] > share[0, :, 0]]
    makers.chip_coverage[line] = k.weighted_sum(
        list(share[:, :, 0]), [makers.chip_coverage[rows] for rows in (line, own)]
    )
    for name in ("supplied_since", "second_source", "most_denied", "last_denied"):
        of_version = getattr(makers, name)
        of_version[makers.line[from_own]] = of_version[from_own]
    for name in SHARED:
        column = getattr(makers, name)
        column[line] = k.total(column[line], column[own])
    for name in (*SHARED, "has_slot", "is_made"):
        getattr(makers, name)[own] = 0
    makers.chip_coverage[own] = 1.0
    makers.share[line], makers.weights[line] = 1.0, makers.line_weights[line]
    rules = economy.scenario.sourcing
    makers.inertia[line] = k.inertia_factor(makers.switching[line], rules.elasticity)
    makers.requalification_per_unit[line] = makers.line_requalification[line]
    flows.maker = np.where(np.isin(flows.maker, own), flows.line, flows.maker)

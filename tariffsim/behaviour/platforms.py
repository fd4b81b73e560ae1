"""Versions of their own that lines give to markets whose duties depend on the origin of chips.

A line sold there and elsewhere weighs, when its design opens, one choice of foundries for all its
markets against one for each version (MODEL 4.2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tariffsim import kernels as k
from tariffsim.behaviour import sourcing
from tariffsim.behaviour.sourcing import ChoiceSet, OpenSlots
from tariffsim.state.constants import DESIGN
from tariffsim.state.economy import DeviceMakers, Economy, SlotRows
from tariffsim.typing import Bool, Float, Int


@dataclass(frozen=True)
class Comparison:
    """Slots of lines (rows) that weigh versions: two versions each, the line's and its own."""

    slots: SlotRows
    noise: Float
    """(rows, F)"""
    share: Float
    """(2, rows) share of the line's units that each version would be."""
    utility: Float
    """(2, rows, F) of each foundry for each version, noise included, before the cost of a switch."""
    supplier: Int
    """(2, rows) foundry that supplies each version now."""
    switching: Float
    """(2, rows) cost S of a switch of each version alone."""
    whole: Float
    """(rows,) cost S of a switch of the whole line."""


def markets_apart(economy: Economy) -> Bool:
    """(D, M) markets in focus whose duties or limits, as expected, depend on the origin of chips.

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
    return found & in_focus


def reconsider(economy: Economy, choices: ChoiceSet, slots: OpenSlots) -> tuple[OpenSlots, Int]:
    """Lines whose designs open split, stay or merge; (rows,) foundries chosen by that, or -1.

    The slots of versions that come are among those returned, those of versions that go are not.
    """
    makers = economy.makers
    at = _slots_to_compare(economy, choices, slots)
    if not len(at):
        return slots, np.full(len(slots.rows), -1)
    lines, of_line = np.unique(slots.rows.maker[at], return_inverse=True)
    wanted = _markets_apart_of(economy, lines)
    compared = _compare(choices, slots.rows.take(at), slots.exponentials[at], wanted[of_line])
    joint = _joint(compared, choices.sigma)
    own = np.stack([_best(compared, choices.sigma, v, compared.switching[v]) for v in (0, 1)])
    gain = _gain(choices, compared, joint, own)
    total = k.sum_by(of_line, gain, len(lines))
    bill = k.over_slots(
        k.times(makers.chips[lines], choices.constants.chip_price[makers.slot_class])
    )
    overhead = k.times(
        k.times(economy.scenario.sourcing.version_overhead, bill),
        wanted_share(makers, lines, wanted),
    )
    splits = total > overhead
    _merge(economy, lines[~splits & makers.is_split[lines]])
    _split(economy, lines[splits], wanted[splits])
    chosen = np.where(splits[of_line] & (gain > 0), own, joint)
    return _with_versions(makers, slots, at, chosen)


def wanted_share(makers: DeviceMakers, line: Int, wanted: Bool) -> Float:
    """(rows,) share of the units of lines sold in some markets (rows, M), in the base year."""
    return k.over_slots(np.where(wanted, makers.line_weights[line], 0.0))


def _slots_to_compare(economy: Economy, choices: ChoiceSet, slots: OpenSlots) -> Int:
    """(rows,) open slots of lines whose design opens and that might split, or are split."""
    makers, line = economy.makers, slots.rows.maker
    if choices.sigma == 0.0:
        return np.zeros(0, dtype=np.intp)
    own = np.where(line < makers.n_lines, makers.own_version[line], -1)
    may = slots.is_free & slots.is_open & slots.in_design & (own >= 0)
    may &= ~makers.is_split[line] | (makers.switch_month[own, slots.rows.part] < 0)
    at = np.flatnonzero(may)
    wanted = _markets_apart_of(economy, line[at])
    sold = makers.line_weights[line[at]] > 0
    return at[wanted.any(axis=1) & (wanted != sold).any(axis=1)]


def _markets_apart_of(economy: Economy, line: Int) -> Bool:
    """(rows, M) markets of lines that have, or might have, another version."""
    makers = economy.makers
    wanted = markets_apart(economy)[makers.device[line]] & (makers.line_weights[line] > 0)
    held = makers.weights[makers.own_version[line]] > 0
    return np.where(makers.is_split[line, None], held, wanted)


def _compare(choices: ChoiceSet, slots: SlotRows, noise: Float, wanted: Bool) -> Comparison:
    """Utilities of all foundries for both versions of lines; markets apart are (rows, M)."""
    makers = choices.makers
    weights = makers.line_weights.take(slots.maker, axis=0)
    whole = slots.for_markets(weights)
    parts, own = [], k.over_slots(np.where(wanted, weights, 0.0))
    for mine in (~wanted, wanted):
        part = np.where(mine, weights, 0.0)
        version = whole.for_markets(k.ratio(part, k.over_slots(part)[:, None]))
        parts.append(_utility(choices, version, noise))
    split = makers.is_split[slots.maker]
    row = np.where(split, makers.own_version[slots.maker], slots.maker)
    supplier = makers.supplier[slots.maker, slots.part], makers.supplier[row, slots.part]
    share = np.stack([k.left_over(np.ones(len(own)), own), own])
    cost = makers.switching.take(slots.place)
    cap = choices.sourcing.switching_cost_cap
    return Comparison(
        whole, noise, share, np.stack(parts), np.stack(supplier),
        np.minimum(k.ratio(cost, share), cap), cost,
    )  # fmt: skip


def _utility(choices: ChoiceSet, slots: SlotRows, noise: Float) -> Float:
    weights = sourcing.choice_weights(choices, slots)
    return k.utility_of_all(sourcing.among_candidates(choices, slots, weights), noise)


def _joint(compared: Comparison, sigma: float) -> Int:
    """(rows,) best foundry for the whole line: mean utility of its versions, with what it costs.

    A foundry that supplies the other version is new to this one alone.
    """
    both = np.arange(compared.utility.shape[2])
    mean = np.zeros(compared.utility.shape[1:])
    for v in (0, 1):
        mine = compared.supplier[v][:, None] == both
        others = compared.supplier[1 - v][:, None] == both
        cost = np.where(mine, 0.0, np.where(others, compared.switching[v][:, None],
                                            compared.whole[:, None]))  # fmt: skip
        mean = k.total(mean, k.times(compared.share[v][:, None],
                                     k.less_switching(compared.utility[v], cost, sigma)))  # fmt: skip
    return mean.argmax(axis=1)


def _best(compared: Comparison, sigma: float, version: int, cost: Float) -> Int:
    """(rows,) best foundry for one version alone."""
    is_new = compared.supplier[version][:, None] != np.arange(compared.utility.shape[2])
    switching = np.where(is_new, cost[:, None], 0.0)
    return k.less_switching(compared.utility[version], switching, sigma).argmax(axis=1)


def _gain(choices: ChoiceSet, compared: Comparison, joint: Int, own: Int) -> Float:
    """(rows,) USD a unit of the line that a part gains by a supplier for each version."""
    rows, slots, sigma = np.arange(len(joint)), compared.slots, choices.sigma
    total = np.zeros(len(joint))
    for v in (0, 1):
        held = compared.supplier[v]
        is_other = joint == compared.supplier[1 - v]
        cost = np.where(
            joint == held, 0.0, np.where(is_other, compared.switching[v], compared.whole)
        )
        alone = np.where(own[v] == held, 0.0, compared.switching[v])
        with_own = k.less_switching(compared.utility[v][rows, own[v]], alone, sigma)
        with_joint = k.less_switching(compared.utility[v][rows, joint], cost, sigma)
        total = k.total(total, k.times(compared.share[v], k.left_over(with_own, with_joint)))
    chips = choices.makers.chips.take(slots.place)
    value = k.utility_value(chips, choices.constants.chip_price[slots.node_class], sigma)
    return np.where(own[0] == own[1], 0.0, np.maximum(k.times(value, total), 0.0))


# Versions come and go.


def _split(economy: Economy, line: Int, wanted: Bool) -> None:
    """Lines get a version of their own for some markets (rows, M), as they stand."""
    makers, flows = economy.makers, economy.flows
    new = line[~makers.is_split[line]]
    own = makers.own_version[new]
    part = _ordered_share(economy, new, wanted[~makers.is_split[line]])
    for name in COPIED:
        column = getattr(makers, name)
        column[own] = column[new]
    for name in SHARED:
        column = getattr(makers, name)
        taken = column[new] * part.reshape(-1, *[1] * (column.ndim - 1))
        column[own], column[new] = taken, k.left_over(column[new], taken)
    makers.is_split[new] = True
    apart = np.zeros((makers.n_lines, wanted.shape[1]), dtype=bool)
    apart[line] = wanted
    moves = apart[flows.line, flows.market]
    flows.maker = np.where(moves, makers.own_version[flows.line], flows.maker)
    _set_shares(economy, line)


def _ordered_share(economy: Economy, line: Int, wanted: Bool) -> Float:
    """(rows,) share of what was ordered of lines that some markets (rows, M) ordered."""
    flows, makers = economy.flows, economy.makers
    apart = np.zeros((makers.n_lines, wanted.shape[1]))
    apart[line] = wanted
    of_flows = apart[flows.line, flows.market]
    return k.mean_over_flows(of_flows, flows.purchases, flows.line, makers.n_lines)[line]


def _merge(economy: Economy, line: Int) -> None:
    """Lines give up their versions: stocks and what is written off go together."""
    if not len(line):
        return
    makers, flows = economy.makers, economy.flows
    own = makers.own_version[line]
    left = [k.months_left(makers.amortised_until[rows], economy.month) for rows in (line, own)]
    longest = np.maximum(*left)
    rest = [
        k.times(k.times(makers.amortised[rows], months), makers.share[rows, None])
        for rows, months in zip((line, own), left, strict=True)
    ]
    makers.amortised[line] = k.ratio(k.total(*rest), np.maximum(longest, 1))
    makers.amortised_until[line] = k.months_later(economy.month, longest)
    larger = makers.share[own] > makers.share[line]
    makers.chip_coverage[line] = sum(
        k.times(makers.chip_coverage[rows], makers.share[rows]) for rows in (line, own)
    )
    for name in (
        "supplier", "next_supplier", "switch_month", "supplied_since", "second_source", "last_denied",
    ):  # fmt: skip
        column = getattr(makers, name)
        column[line[larger]] = column[own[larger]]
    for name in SHARED:
        column = getattr(makers, name)
        column[line] = k.total(column[line], column[own])
        column[own] = 0
    makers.has_slot[own] = False
    makers.is_split[line] = False
    flows.maker = np.where(np.isin(flows.line, line), flows.line, flows.maker)
    _set_shares(economy, line)


COPIED = (
    "has_slot", "supplier", "next_supplier", "switch_month", "supplied_since", "second_source",
    "amortised", "amortised_until", "compliance_distortion", "chips", "customs_value",
    "chip_coverage", "last_denied",
    "chip_region", "chip_origin", "chip_value",
)  # fmt: skip
"""Columns that a new version has from its line."""
SHARED = ("stock", "past_need")
"""Columns that versions share out."""


def _set_shares(economy: Economy, line: Int) -> None:
    """Weights, costs of a switch and overhead of the versions of lines."""
    makers, flows, sourcing_rules = economy.makers, economy.flows, economy.scenario.sourcing
    own = makers.own_version[line]
    n_lines, n_markets = makers.n_lines, makers.weights.shape[1]
    is_own = np.zeros((n_lines, n_markets), dtype=bool)
    is_own[flows.line, flows.market] = flows.maker != flows.line
    for rows, mine in ((line, ~is_own[line]), (own, is_own[line])):
        part = np.where(mine, makers.line_weights[line], 0.0)
        share = k.over_slots(part)
        exists = share > 0
        rows, share = rows[exists], share[exists]
        makers.share[rows] = share
        makers.weights[rows] = k.ratio(part[exists], share[:, None])
        cost = k.ratio(makers.switching[rows], share[:, None])
        cost = np.minimum(cost, sourcing_rules.switching_cost_cap)
        makers.inertia[rows] = k.inertia_factor(cost, sourcing_rules.elasticity)
        makers.requalification_per_unit[rows] = k.ratio(
            makers.line_requalification[rows], share[:, None]
        )


def _with_versions(
    makers: DeviceMakers, slots: OpenSlots, at: Int, chosen: Int
) -> tuple[OpenSlots, Int]:
    """Open slots of the versions there are now, and the foundries that `chosen` (2, rows) says."""
    n_lines, n_parts = makers.n_lines, len(makers.slot_class)
    of_lines = np.flatnonzero(slots.rows.maker < n_lines)
    place, origin = sourcing.versions_of(makers, slots.rows.place[of_lines])
    back = of_lines[origin]
    by_place = np.full((2, n_lines * n_parts), -1)
    by_place[:, slots.rows.place[at]] = chosen
    rows = makers.slots(place)
    is_own = (rows.maker >= n_lines).astype(np.intp)
    found = replace(
        slots,
        rows=rows,
        is_free=makers.switch_month.take(place) < 0,
        is_open=slots.is_open[back],
        in_design=slots.in_design[back],
        exponentials=slots.exponentials[back],
    )
    return found, by_place[is_own, slots.rows.place[back]]

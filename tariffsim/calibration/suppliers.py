"""Slots of the lines: steady state, suppliers, second sources, switches under way (MODEL 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tariffsim.calibration.lines import Lines
from tariffsim.errors import CalibrationError
from tariffsim.kernels.sourcing import (
    drawn_elsewhere,
    inertia_curvature,
    inertia_factor,
    leaving_probability,
    odds_from_scale,
    steady_state_scale,
    switching_cost,
)
from tariffsim.kernels.sums import over_slots
from tariffsim.scenario import Scenario
from tariffsim.scenario.checks import blame
from tariffsim.state.constants import Constants
from tariffsim.state.draws import Draws
from tariffsim.state.economy import GLOBAL
from tariffsim.typing import Bool, Float, Int

BLOCK = 4096
"""Rows at a time, so that a block of (rows, foundries) stays in the cache."""


@dataclass(frozen=True)
class Slots:
    """Everything about a slot that is fixed over the run; all (N, K)."""

    has_slot: Bool
    is_pin_compatible: Bool
    hazard: Float
    lead_months: Int
    inertia: Float
    curvature: Float
    scale: Float
    life_months: Int
    requalification_per_unit: Float


def blocks(n: int) -> Iterator[slice]:
    """Slices of cache-sized blocks."""
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))


def relative_size(lines: Lines) -> Float:
    """Size of each line relative to the value-weighted mean of its device."""
    value = lines.value.sum(axis=1)
    mean = np.bincount(lines.device, value**2) / np.maximum(
        np.bincount(lines.device, value), 1e-300
    )
    return np.asarray(value / mean[lines.device])


def make_slots(
    scenario: Scenario, constants: Constants, lines: Lines, shares: Float, row: Int, draws: Draws
) -> Slots:
    """Draw pin-compatible parts and solve each slot's steady state; `shares` is (rows, K, F).

    Raises:
        CalibrationError: some slots have none.
    """
    device, sourcing = lines.device, scenario.sourcing
    chips = constants.chips_per_unit[device]
    is_pin_compatible = draws.uniform("drop_in", 0, *chips.shape) < constants.commodity_share
    hazard = np.where(
        is_pin_compatible, constants.pin_compatible_hazard, constants.design_hazard[device][:, None]
    )
    lead = np.where(
        is_pin_compatible,
        sourcing.pin_compatible_requalification_months,
        constants.requalification_months[device][:, None],
    )
    cost = constants.requalification_cost[device][:, None] * np.where(
        is_pin_compatible, sourcing.pin_compatible_cost_share, 1.0
    )
    design_units = (constants.design_units[device] * relative_size(lines))[:, None]
    switching = switching_cost(
        cost,
        chips * constants.chip_price,
        design_units,
        hazard,
        sourcing.discount_rate,
        sourcing.switching_cost_cap,
    )
    life = np.maximum(np.rint(1 / (hazard + sourcing.discount_rate / 12)), 1).astype(np.intp)
    inertia = inertia_factor(switching, sourcing.elasticity)
    curvature = inertia_curvature(inertia, hazard, lead)
    flat = curvature.ravel()
    slot_row = (row[:, None] * shares.shape[1] + np.arange(shares.shape[1])).ravel()
    table = shares.reshape(-1, shares.shape[2])
    scale = np.empty(curvature.shape)
    for block in blocks(flat.size):
        solved = steady_state_scale(table[slot_row[block]], flat[block, None])
        scale.ravel()[block] = solved[:, 0]
    _require_steady_state(scenario, constants, device, is_pin_compatible, np.isfinite(scale))
    return Slots(
        has_slot=chips > 0,
        is_pin_compatible=is_pin_compatible,
        hazard=hazard,
        lead_months=lead.astype(np.intp),
        inertia=inertia,
        curvature=curvature,
        scale=scale,
        life_months=life,
        requalification_per_unit=cost / (design_units * life),
    )


NO_STEADY_STATE = (
    "leaves no steady state: {} so often, and take so long to switch, that most would always be "
    "waiting and the shares of the base year cannot last"
)


def _require_steady_state(
    scenario: Scenario, constants: Constants, device: Int, is_pin_compatible: Bool, is_steady: Bool
) -> None:
    """Refuse parameters under which too many slots would always wait for a switch."""
    code = {number: constants.codes.devices[number] for number in np.unique(device)}
    designs = np.unique(device[(~is_steady & ~is_pin_compatible).any(axis=1)])
    problems = [
        blame(
            scenario,
            (
                f"figures.devices.{code[number]}.requalification_months",
                f"figures.devices.{code[number]}.design_cycle_months",
                "sourcing.opening_factor",
            ),
            NO_STEADY_STATE.format(f"designs of {code[number]} open"),
            "lengthen the design cycle, shorten the requalification or lower "
            "sourcing.opening_factor",
        )
        for number in designs
    ]
    if (~is_steady & is_pin_compatible).any():
        keys = ("requalification_months", "hazard")
        problems.append(
            blame(
                scenario,
                (*(f"sourcing.pin_compatible_{key}" for key in keys), "sourcing.opening_factor"),
                NO_STEADY_STATE.format("pin-compatible parts are chosen anew"),
                "shorten sourcing.pin_compatible_requalification_months, or lower "
                "sourcing.pin_compatible_hazard or sourcing.opening_factor",
            )
        )
    if problems:
        raise CalibrationError(list(dict.fromkeys(problems)))


def draw_suppliers(
    shares: Float, row: Int, chinese: Bool, is_china_slot: Bool, draws: Draws
) -> Int:
    """(N, K) base supplier of each slot, given whether it is Chinese."""
    uniform = draws.uniform("supplier", 0, *is_china_slot.shape)
    supplier = np.empty(is_china_slot.shape, dtype=np.intp)
    for k in range(shares.shape[1]):
        among = np.stack([np.where(chinese, 0.0, shares[:, k]), np.where(chinese, shares[:, k], 0)])
        reach = np.cumsum(among, axis=2)
        for block in blocks(len(row)):
            chosen = reach[is_china_slot[block, k].astype(np.intp), row[block]]
            pick = uniform[block, k, None] * chosen[:, -1:]
            supplier[block, k] = np.minimum((chosen <= pick).sum(axis=1), len(chinese) - 1)
    return supplier


def matched_china_slots(
    china_share: Float, lines: Lines, target: Float, correct: bool, draws: Draws
) -> Bool:
    """(N, K) which base suppliers are Chinese: drawn, then corrected to the shares of the tables.

    `china_share` (N, K) is each slot's probability, `target` (D, M) the share in units. Global
    lines are flipped in random order until they have the value expected of them, then one-market
    lines until the share of each (device, market, class) is met to within one line; where they
    do not suffice, global lines help, and one-market lines follow.
    """
    uniform = draws.uniform("is_china", 0, *china_share.shape)
    is_china = uniform < china_share
    if not correct:
        return is_china
    order = draws.uniform("correction", 0, len(lines.device)).argsort()
    whole = lines.value.sum(axis=1)
    for device in np.unique(lines.device):
        members = order[lines.device[order] == device]
        market, values = lines.market[members], lines.value[members]
        wanted = target[device] * values.sum(axis=0)
        for k in range(china_share.shape[1]):
            state, share = is_china[:, k], china_share[:, k]
            may_flip = (share[members] > 0) & (share[members] < 1)
            world = members[may_flip & (market == GLOBAL)]
            missing = ((share - state)[world] * whole[world]).sum()
            _flip(state, world, whole, float(missing))
            for helps in (world, world[:0]):
                for m in range(len(wanted)):
                    gap = wanted[m] - (state[members] * values[:, m]).sum()
                    _flip(state, members[may_flip & (market == m)], lines.value[:, m], float(gap))
                left = wanted - (state[members, None] * values).sum(axis=0)
                _flip_global(state, helps, lines.value, left)
    return is_china


def _flip(state: Bool, lines: Int, value: Float, gap: float) -> None:
    """Flip lines, in their order, that fit into what is missing; then one if that is nearer."""
    towards = lines[state[lines] != (gap > 0)]
    wanted, left = gap > 0, abs(gap)
    while len(towards := towards[value[towards] <= left]):
        reached = np.cumsum(value[towards])
        count = int(np.searchsorted(reached, left, side="right"))
        state[towards[:count]] = wanted
        left -= reached[count - 1]
        towards = towards[count:]
    rest = lines[state[lines] != wanted]
    if len(rest):
        least = rest[value[rest].argmin()]
        if value[least] < 2 * left:
            state[least] = wanted


def _flip_global(state: Bool, lines: Int, value: Float, missing: Float) -> None:
    """Flip global lines, the most useful first, while that brings the markets nearer to target."""
    for _ in range(len(lines)):
        change = np.where(state[lines, None], -1.0, 1.0) * value[lines]
        left = np.abs(missing - change).sum(axis=1)
        best = int(left.argmin())
        if left[best] > np.abs(missing).sum() * (1 - 1e-9):
            return
        missing = missing - change[best]
        state[lines[best]] = not state[lines[best]]


def amortised_at_start(slots: Slots, own: Float, room: Float, draws: Draws) -> tuple[Float, Int]:
    """(N, K) switching cost being written off in month 0, USD a unit, and its first month without.

    `own` are the odds of each slot's supplier. In the steady state a switch falls into the life
    just past with probability life x rate, and is as likely to be in any month of it. A line whose
    other inputs, `room` (N,) USD a unit, could not bear half of it has not switched.
    """
    leaving = leaving_probability(own, slots.inertia) * slots.hazard
    rate = leaving / (1 + leaving * (slots.lead_months - 1))
    u = draws.uniform("written off", 0, *own.shape, 2)
    switched = u[..., 0] < np.minimum(rate * slots.life_months, 1.0)
    until = 1 + (u[..., 1] * slots.life_months).astype(np.intp)
    cost = np.where(switched & slots.has_slot, slots.requalification_per_unit, 0.0)
    switched &= (over_slots(cost) < 0.5 * room)[:, None]
    return np.where(switched, cost, 0.0), np.where(switched, until, 0)


def pipeline(
    shares: Float,
    slot_row: Int,
    supplier: Int,
    inertia: Float,
    hazard: Float,
    lead: Int,
    curvature: Float,
    scale: Float,
    draws: Draws,
    stream: str,
) -> tuple[Int, Int]:
    """Switches under way in month 0: next supplier and the month it takes over, -1 for none.

    All arguments are flat over slots; `shares` (rows, alternatives) by `slot_row`.
    """
    n = len(slot_row)
    u = draws.uniform(stream, 0, n, 3)
    following = supplier.copy()
    month = np.full(n, -1, dtype=np.intp)
    for block in blocks(n):
        odds = odds_from_scale(shares[slot_row[block]], curvature[block, None], scale[block, None])
        rows = np.arange(len(odds))
        own = odds[rows, supplier[block]]
        leaving = leaving_probability(own, inertia[block]) * hazard[block] * (lead[block] - 1)
        moving = u[block, 0] < leaving / (1 + leaving)
        odds[rows, supplier[block]] = 0.0
        reach = np.cumsum(odds, axis=1)
        target = (reach <= u[block, 1, None] * reach[:, -1:]).sum(axis=1)
        moving &= reach[:, -1] > 0
        following[block] = np.where(moving, np.minimum(target, odds.shape[1] - 1), supplier[block])
        left = 1 + (u[block, 2] * (lead[block] - 1)).astype(np.intp)
        month[block] = np.where(moving, left, -1)
    return following, month


def draw_second_sources(
    shares: Float,
    of_line: Int,
    slots: Slots,
    chance: Float,
    region: Int,
    supplier: Int,
    following: Int,
    draws: Draws,
) -> tuple[Bool, Int]:
    """(N, K) which slots keep a second source, with a `chance` (N,), and which foundry it is.

    Drawn from the base shares (rows, K, F) outside the regions of the supplier and of the one that
    follows it.
    """
    has = draws.uniform("has second source", 0, *supplier.shape) < chance[:, None]
    has &= slots.has_slot
    maker, node_class = np.nonzero(has)
    second = supplier.copy()
    noise = draws.exponential("second source at start", 0, len(maker), len(region))
    second[has] = drawn_elsewhere(
        shares[of_line[maker], node_class], region, supplier[has], following[has], noise
    )
    return has, second

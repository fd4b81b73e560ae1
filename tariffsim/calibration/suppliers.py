"""Slots of the lines: steady state, suppliers, second sources, switches under way (MODEL 5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tariffsim.calibration.lines import GOLDEN, Lines, evenly
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
from tariffsim.typing import Bool, Float, Int

BLOCK = 4096
"""Rows at a time, so that a block of (rows, foundries) stays in the cache."""


@dataclass(frozen=True)
class Slots:
    """Everything about a slot that is fixed over the run; all (N, P)."""

    has_slot: Bool
    is_pin_compatible: Bool
    hazard: Float
    lead_months: Int
    switching: Float
    inertia: Float
    curvature: Float
    scale: Float
    life_months: Int
    requalification_per_unit: Float


def blocks(n: int) -> Iterator[slice]:
    """Slices of cache-sized blocks."""
    return (slice(start, start + BLOCK) for start in range(0, n, BLOCK))


def make_slots(
    scenario: Scenario, constants: Constants, lines: Lines, shares: Float, row: Int, draws: Draws
) -> Slots:
    """Draw pin-compatible parts and solve each slot's steady state; `shares` is (rows, K, F).

    Raises:
        CalibrationError: some slots have none.
    """
    device, sourcing = lines.device, scenario.sourcing
    chips, slot_class = constants.chips_per_part[device], constants.slot_class
    commodity = np.broadcast_to(constants.commodity_share[slot_class], chips.shape)
    by = lines.market, lines.halvings, lines.origin
    is_pin_compatible = evenly(commodity, device, by, lines.size, draws, "drop_in")
    hazard = np.where(
        is_pin_compatible, constants.pin_compatible_hazard, constants.design_hazard[device][:, None]
    )
    lead = np.where(
        is_pin_compatible,
        sourcing.pin_compatible_requalification_months,
        constants.requalification_months[device][:, None],
    )
    cost = constants.requalification_cost[device][:, None] / constants.parts[device][:, slot_class]
    cost = cost * np.where(is_pin_compatible, sourcing.pin_compatible_cost_share, 1.0)
    design_units = (constants.design_units[device] * lines.size)[:, None]
    switching = switching_cost(
        cost,
        chips * constants.chip_price[slot_class],
        design_units,
        hazard,
        sourcing.discount_rate,
        sourcing.switching_cost_cap,
    )
    life = np.maximum(np.rint(1 / (hazard + sourcing.discount_rate / 12)), 1).astype(np.intp)
    inertia = inertia_factor(switching, sourcing.elasticity)
    curvature = inertia_curvature(inertia, hazard, lead)
    flat = curvature.ravel()
    slot_row = (row[:, None] * shares.shape[1] + slot_class).ravel()
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
        switching=switching,
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
    shares: Float, row: Int, slot_class: Int, lines: Lines, is_pin_compatible: Bool, chinese: Bool,
    draws: Draws,
) -> Int:  # fmt: skip
    """(N, P) base supplier of each slot, drawn evenly: first whether it is Chinese, then which.

    `shares` (rows, K, F) by `row` (N,).
    """
    china_share = shares[:, :, chinese].sum(axis=2)[row[:, None], slot_class]
    by = lines.market, lines.halvings, is_pin_compatible.astype(np.intp), lines.origin
    is_china = evenly(china_share, lines.device, by, lines.size, draws, "is_china")
    start = draws.uniform("supplier", 0, len(slot_class))
    random = draws.uniform("supplier order", 0, *is_china.shape)
    supplier = np.empty(is_china.shape, dtype=np.intp)
    for p, k in enumerate(slot_class):
        among = np.stack([np.where(chinese, 0.0, shares[:, k]), np.where(chinese, shares[:, k], 0)])
        reach = np.cumsum(among, axis=2)
        place = np.empty(len(row), dtype=np.intp)
        place[np.lexsort((random[:, p], row, is_china[:, p]))] = np.arange(len(row))
        uniform = (start[p] + GOLDEN * place) % 1.0
        for block in blocks(len(row)):
            chosen = reach[is_china[block, p].astype(np.intp), row[block]]
            pick = uniform[block, None] * chosen[:, -1:]
            supplier[block, p] = np.minimum((chosen <= pick).sum(axis=1), len(chinese) - 1)
    return supplier


def amortised_at_start(slots: Slots, own: Float, room: Float, draws: Draws) -> tuple[Float, Int]:
    """(N, P) switching cost being written off in month 0, USD a unit, and its first month without.

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
    slot_class: Int,
    slots: Slots,
    chance: Float,
    region: Int,
    supplier: Int,
    following: Int,
    draws: Draws,
) -> tuple[Bool, Int]:
    """(N, P) which slots keep a second source, with a `chance` (N,), and which foundry it is.

    Drawn from the base shares (rows, K, F) outside the regions of the supplier and of the one that
    follows it.
    """
    has = draws.uniform("has second source", 0, *supplier.shape) < chance[:, None]
    has &= slots.has_slot
    maker, part = np.nonzero(has)
    second = supplier.copy()
    noise = draws.exponential("second source at start", 0, len(maker), len(region))
    second[has] = drawn_elsewhere(
        shares[of_line[maker], slot_class[part]], region, supplier[has], following[has], noise
    )
    return has, second

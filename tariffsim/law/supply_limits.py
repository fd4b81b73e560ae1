"""Measures that deny deliveries of chips: delivered shares, now and expected (MODEL 4.2, 4.6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tariffsim.law.duty_tables import Law, Regime, TariffSchedule
from tariffsim.law.expectations import Expected
from tariffsim.law.policy_state import SupplyLimits
from tariffsim.policy.shipments import Codes
from tariffsim.state.constants import DESIGN, PIN_COMPATIBLE
from tariffsim.state.economy import DeviceMakers, SlotRows
from tariffsim.typing import Float, Int


def supply_limits(
    schedule: TariffSchedule, rates: list[float], expected: Expected, date: int
) -> SupplyLimits:
    """Delivered shares in a month, and as expected by those who choose."""
    laws = {i: law for i, law in enumerate(schedule.laws) if law.instrument.restricts_supply}
    foreseen = {i for future in expected.futures for i, _ in future.regime}
    in_force = [i for i in laws if rates[i] != 0.0]
    known = [i for i in laws if rates[i] != 0.0 or i in foreseen]
    if not known:
        return SupplyLimits(None, None, None)
    now = {i: laws[i].instrument.candidate_share(rates[i]) for i in known}
    by_kind = [
        _delivered_share(
            schedule.codes,
            [(laws[i], np.minimum(_expected(laws[i], i, expected, kind), now[i])) for i in known],
        )
        for kind in (DESIGN, PIN_COMPATIBLE)
    ]
    if not in_force:
        return SupplyLimits(None, None, np.stack(by_kind))
    supply = [(laws[i], laws[i].instrument.supply_share(rates[i], date)) for i in in_force]
    return SupplyLimits(
        _delivered_share(schedule.codes, supply),
        _delivered_share(schedule.codes, [(laws[i], now[i]) for i in in_force]),
        np.stack(by_kind),
    )


def _expected(law: Law, number: int, expected: Expected, kind: int) -> Float:
    """(D,) share that a measure is expected to let be delivered, mean over a choice's life."""
    share = law.instrument.candidate_share
    later = [
        future.weight[kind] * share(dict(future.regime).get(number, 0.0))
        for future in expected.futures
    ]
    return np.asarray(sum(later))


def _delivered_share(codes: Codes, shares: Sequence[tuple[Law, Float | float]]) -> Float:
    """(cells, K, R) product over laws of the shares, one or (D,), that they let be delivered."""
    n_devices, sets = len(codes.devices), (len(codes.classes), len(codes.regions))
    left = np.ones((n_devices, codes.n_cells // n_devices, *sets))
    for law, share in shares:
        regions = law.instrument.chosen("chip_regions", codes.regions)
        classes = law.instrument.chosen("node_classes", codes.classes)
        reach = np.einsum("dc,k,r->dckr", law.scope.reshape(left.shape[:2]), classes, regions)
        denied = np.reshape(1.0 - np.asarray(share), (-1, 1, 1, 1))
        left = left * (1.0 - reach * denied)
    return np.asarray(left.reshape(codes.n_cells, *left.shape[2:]))


def candidate_limits(schedule: TariffSchedule, regime: Regime) -> Float:
    """(cells, K, R) share of a new supplier's deliveries that a regime lets be delivered."""
    laws = [(schedule.laws[i].instrument, schedule.laws[i], rate) for i, rate in regime]
    shares = [(law, it.candidate_share(rate)) for it, law, rate in laws if it.restricts_supply]
    return _delivered_share(schedule.codes, shares)


def share_by_market(
    codes: Codes, makers: DeviceMakers, slots: SlotRows, table: Float, kind: bool = False
) -> Float:
    """(rows, M, R) delivered share of a region's chips in each market that a line is sold to.

    `table` is (cells, K, R) or, with `kind`, has the kinds of choice before these.
    """
    cell = codes.cells_by_market(makers.device[slots.maker, None], makers.origin[slots.maker])
    at = (cell, slots.node_class[:, None])
    return np.asarray(table[(slots.kind[:, None], *at)] if kind else table[at])


def share_of_suppliers(
    codes: Codes, makers: DeviceMakers, lines: Int, region: Int, table: Float, kind: bool = False
) -> Float:
    """(rows, P, M) delivered share in each market of the suppliers that lines (rows,) have.

    `region` is (F,); `table` as in `share_by_market`.
    """
    cell = codes.cells_by_market(makers.device[lines, None], makers.origin[lines])[:, None]
    at = (cell, makers.slot_class[:, None], region[makers.supplier[lines]][:, :, None])
    of_kind = makers.is_pin_compatible[lines].astype(np.intp)[:, :, None]
    return np.asarray(table[(of_kind, *at)] if kind else table[at])


def least_share(makers: DeviceMakers, slots: SlotRows, by_market: Float, region: Int) -> Float:
    """(rows, F) least of shares by market (rows, M, R) in any that a line is sold to."""
    is_sold = slots.weights > 0
    by_region = np.where(is_sold[:, :, None], by_market, 1.0).min(axis=1)
    return np.asarray(by_region[:, region])

"""Measures that deny deliveries of chips: delivered shares, now and expected (MODEL 4.2, 4.6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tariffsim.law.duty_tables import Law, Regime, TariffSchedule
from tariffsim.law.expectations import Expected
from tariffsim.law.policy_state import DeliveredShare, SupplyLimits
from tariffsim.policy import Instrument
from tariffsim.policy.restriction import Restriction
from tariffsim.policy.shipments import Codes
from tariffsim.state.chip_origins import ChipOrigins, by_region_alone
from tariffsim.state.constants import DESIGN, PIN_COMPATIBLE
from tariffsim.state.makers import DeviceMakers, SlotRows
from tariffsim.typing import Bool, Float, Int


def supply_limits(
    schedule: TariffSchedule,
    origins: ChipOrigins,
    rates: list[float],
    expected: Expected,
    date: int,
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
            origins,
            [(laws[i], np.minimum(_expected(laws[i], i, expected, kind), now[i])) for i in known],
        )
        for kind in (DESIGN, PIN_COMPATIBLE)
    ]
    later = _by_kind(by_kind)
    if not in_force:
        return SupplyLimits(None, None, later)
    supply = [(laws[i], laws[i].instrument.supply_share(rates[i], date)) for i in in_force]
    return SupplyLimits(
        _delivered_share(origins, supply),
        _delivered_share(origins, [(laws[i], now[i]) for i in in_force]),
        later,
    )


def _by_kind(shares: list[DeliveredShare]) -> DeliveredShare:
    """The same measures with the kinds of choice as first axis."""
    others = zip(*(share.by_origin for share in shares), strict=True)
    return DeliveredShare(
        np.stack([share.by_region for share in shares]),
        tuple((kinds[0][0], np.stack([left for _, left in kinds])) for kinds in others),
    )


def _expected(law: Law, number: int, expected: Expected, kind: int) -> Float:
    """(D,) share that a measure is expected to let be delivered, mean over a choice's life."""
    share = law.instrument.candidate_share
    later = [
        future.weight[kind] * share(dict(future.regime).get(number, 0.0))
        for future in expected.futures
    ]
    return np.asarray(sum(later))


def _delivered_share(
    origins: ChipOrigins, shares: Sequence[tuple[Law, Float | float]]
) -> DeliveredShare:
    """Product over laws of the shares, one or (D,), that they let be delivered."""
    codes, by_origin = origins.codes, []
    n_devices, sets = len(codes.devices), (len(codes.classes), len(codes.regions))
    by_region = np.ones((codes.n_cells, *sets))
    for law, share in shares:
        one = law.instrument
        classes = one.chosen("node_classes", codes.classes)
        denied = np.broadcast_to(1.0 - np.asarray(share), n_devices)
        of_cell = law.scope * np.repeat(denied, codes.n_cells // n_devices)
        left = 1.0 - of_cell[:, None] * classes
        found = _found(origins, one)
        if by_region_alone(found):
            by_region = by_region * np.where(found, left[:, :, None], 1.0)
        else:
            by_origin.append((found, left))
    return DeliveredShare(by_region, tuple(by_origin))


def _found(origins: ChipOrigins, measure: Instrument) -> Bool:
    """(N, P, R) chips that a measure finds; (1, 1, R) where it goes by the fab alone."""
    if not isinstance(measure, Restriction):
        regions = measure.chosen("chip_regions", origins.codes.regions)
        return np.asarray(regions > 0)[None, None]
    return origins.met(measure.origin_rules, measure.chip_regions, measure.share_of_chips)


def candidate_limits(
    schedule: TariffSchedule, origins: ChipOrigins, regime: Regime
) -> DeliveredShare:
    """Share of a new supplier's deliveries that a regime lets be delivered."""
    laws = [(schedule.laws[i].instrument, schedule.laws[i], rate) for i, rate in regime]
    shares = [(law, it.candidate_share(rate)) for it, law, rate in laws if it.restricts_supply]
    return _delivered_share(origins, shares)


def share_by_market(
    codes: Codes, makers: DeviceMakers, slots: SlotRows, table: DeliveredShare, kind: bool = False
) -> Float:
    """(rows, M, R) delivered share of a region's chips in each market that a line is sold to.

    With `kind` the table has the kinds of choice.
    """
    cell = codes.cells_by_market(makers.device[slots.maker, None], makers.origin[slots.maker])
    line, part, node_class, of_kind = (
        rows[:, None, None]
        for rows in (makers.line[slots.maker], slots.part, slots.node_class, slots.kind)
    )
    region = np.arange(len(codes.regions))
    return table.at(cell[:, :, None], node_class, line, part, region, of_kind if kind else None)


def share_of_suppliers(
    codes: Codes,
    makers: DeviceMakers,
    rows: Int,
    region: Int,
    table: DeliveredShare,
    kind: bool = False,
) -> Float:
    """(rows, P, M) delivered share in each market of the suppliers that makers (rows,) have.

    `region` is (F,); `table` as in `share_by_market`.
    """
    cell = codes.cells_by_market(makers.device[rows, None], makers.origin[rows])[:, None]
    of_kind = makers.is_pin_compatible[rows].astype(np.intp)[:, :, None]
    return table.at(
        cell,
        makers.slot_class[:, None],
        makers.line[rows][:, None, None],
        np.arange(len(makers.slot_class))[:, None],
        region[makers.supplier[rows]][:, :, None],
        of_kind if kind else None,
    )


def least_share(makers: DeviceMakers, slots: SlotRows, by_market: Float, region: Int) -> Float:
    """(rows, F) least of shares by market (rows, M, R) in any that a line is sold to."""
    is_sold = slots.weights > 0
    by_region = np.where(is_sold[:, :, None], by_market, 1.0).min(axis=1)
    return np.asarray(by_region[:, region])

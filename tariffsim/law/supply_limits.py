"""Chips that measures keep back: what is let through, and who is a candidate (MODEL 4.2, 4.6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tariffsim.kernels.sums import sum_by
from tariffsim.law.duty_tables import Law
from tariffsim.law.expectations import DutyExpectations, Expected
from tariffsim.state.economy import Economy
from tariffsim.typing import Bool, Float, Int

ROUNDING = 1e-9
"""Part of deliveries by which one less the part let through may miss the part refused."""


def restrictions(
    economy: Economy, rates: list[float], expected: Expected
) -> dict[str, Float | None]:
    """Tables of what is let through, now and as expected by those who choose; None if all is."""
    laws = {
        i: law
        for i, law in enumerate(economy.tariff_schedule.laws)
        if law.instrument.restricts_supply
    }
    foreseen = {i for future in expected.futures for i, _ in future.regime}
    in_force = [i for i in laws if rates[i] != 0.0]
    known = [i for i in laws if rates[i] != 0.0 or i in foreseen]
    now = {i: laws[i].instrument.candidate_share(rates[i]) for i in known}
    supply = [(laws[i], laws[i].instrument.supply_share(rates[i], economy.date)) for i in in_force]
    per_kind = [
        _delivered_share(
            economy,
            [(laws[i], np.minimum(_expected(laws[i], i, expected, kind), now[i])) for i in known],
        )
        for kind in (DutyExpectations.DESIGN, DutyExpectations.PIN_COMPATIBLE)
    ]
    return {
        "supply_share": _delivered_share(economy, supply) if in_force else None,
        "open_share": _delivered_share(economy, [(laws[i], now[i]) for i in in_force])
        if in_force
        else None,
        "candidate_share": np.stack(per_kind) if known else None,
    }


def _expected(law: Law, number: int, expected: Expected, kind: int) -> Float:
    """(D,) part that a measure is expected to let through on the mean over a choice's life."""
    share = law.instrument.candidate_share
    later = [
        future.weight[kind] * share(dict(future.regime).get(number, 0.0))
        for future in expected.futures
    ]
    return np.asarray(sum(later))


def _delivered_share(economy: Economy, shares: Sequence[tuple[Law, Float | float]]) -> Float:
    """(cells, K, R) product over laws of the shares, one or (D,), that they let through."""
    codes = economy.constants.codes
    n_devices, sets = len(codes.devices), (len(codes.classes), len(codes.regions))
    left = np.ones((n_devices, codes.n_cells // n_devices, *sets))
    for law, share in shares:
        regions = law.instrument.chosen("chip_regions", codes.regions)
        classes = law.instrument.chosen("node_classes", codes.classes)
        reach = np.einsum("dc,k,r->dckr", law.scope.reshape(left.shape[:2]), classes, regions)
        kept_back = np.reshape(1.0 - np.asarray(share), (-1, 1, 1, 1))
        left = left * (1.0 - reach * kept_back)
    return np.asarray(left.reshape(codes.n_cells, *left.shape[2:]))


def open_share_ahead(economy: Economy, months: int) -> Float:
    """(cells, K, R) part let through that agents expect so many months from now."""
    schedule = economy.tariff_schedule
    laws = ((schedule.laws[i], rate) for i, rate in schedule.regime_ahead(economy.date, months))
    return _delivered_share(
        economy,
        [(w, w.instrument.candidate_share(r)) for w, r in laws if w.instrument.restricts_supply],
    )


def candidates_share(
    economy: Economy, table: Float, maker: Int, node_class: Int, kind: Int | None = None
) -> Float:
    """(rows, F) least share let through in any market that a line is sold to."""
    return _least(economy, _by_market(economy, table, maker, node_class, kind), maker)


def emergency_leavers(
    economy: Economy, table: Float, maker: Int, node_class: Int, kind: Int | None = None
) -> tuple[Float, Bool]:
    """(rows, F) the same, and whether so much is refused that a line leaves a supplier for it."""
    shares = _by_market(economy, table, maker, node_class, kind)
    least = _least(economy, shares, maker)
    mean = np.einsum("nmr,nm->nr", shares, economy.makers.weights[maker])
    refused = 1 - mean[:, economy.foundries.region]
    return least, is_cut(economy, least) & _worth_a_switch(economy, refused, maker, node_class)


def _least(economy: Economy, shares: Float, maker: Int) -> Float:
    """(rows, F) least of shares by market (rows, M, R) in any that a line is sold to."""
    is_sold = economy.makers.weights[maker] > 0
    by_region = np.where(is_sold[:, :, None], shares, 1.0).min(axis=1)
    return np.asarray(by_region[:, economy.foundries.region])


def _by_market(
    economy: Economy, table: Float, maker: Int, node_class: Int, kind: Int | None = None
) -> Float:
    """(rows, M, R) share of a region's chips let through to each market."""
    makers, codes = economy.makers, economy.constants.codes
    cell = codes.cell(makers.device[maker], makers.origin[maker], 0)[:, None]
    cell = cell + np.arange(len(codes.markets))
    at = (cell, node_class[:, None]) if kind is None else (kind[:, None], cell, node_class[:, None])
    return np.asarray(table[at])


def is_cut(economy: Economy, delivered_share: Float) -> Bool:
    """Whether so much is refused that a maker looks for another supplier at once."""
    return np.asarray(1 - delivered_share >= economy.scenario.orders.emergency_share - ROUNDING)


def _worth_a_switch(economy: Economy, refused: Float, maker: Int, node_class: Int) -> Bool:
    """(rows, F) whether a line would lose more profit on units not made than a switch costs.

    Both USD a unit over the life of a choice, as if the part refused stayed.
    """
    makers, markup = economy.makers, economy.scenario.trade.markup
    profit = makers.customs_value[maker] * markup / (1 + markup)
    cost = makers.requalification_per_unit[maker, node_class]
    return np.asarray(refused * profit[:, None] > cost[:, None])


def among_candidates(economy: Economy, weights: Float, maker: Int, node_class: Int) -> Float:
    """(rows, F) weights without suppliers kept back; who has no other candidate stays as it is.

    Nobody chooses a supplier that it would leave at once.
    """
    makers, table = economy.makers, economy.policy.candidate_share
    if table is None:
        return weights
    kind = np.where(
        makers.is_pin_compatible[maker, node_class],
        DutyExpectations.PIN_COMPATIBLE,
        DutyExpectations.DESIGN,
    )
    share, leaves = emergency_leavers(economy, table, maker, node_class, kind)
    allowed = weights * np.where(leaves, 0.0, share)
    stays = np.arange(weights.shape[1]) == makers.supplier[maker, node_class][:, None]
    return np.where(allowed.any(axis=1, keepdims=True), allowed, stays)


def restrict_deliveries(economy: Economy) -> None:
    """Which part of the chips for each flow, and each line, may not be delivered this month."""
    makers, flows = economy.makers, economy.flows
    blocked = _blocked(economy, makers.supplier)
    flows.blocked = blocked.max(axis=1) if blocked.ndim else np.zeros(len(flows))
    makers.delivered_share = delivered_share(economy, makers.supplier)


def delivered_share(economy: Economy, supplier: Int) -> Float:
    """(N, K) part of the chips that suppliers (N, K) may deliver: the mean over a line's flows."""
    flows, makers = economy.flows, economy.makers
    blocked = _blocked(economy, supplier)
    if not blocked.ndim:
        return np.ones(supplier.shape)
    ordered = sum_by(flows.maker, flows.purchases, len(makers))[:, None]
    kept_back = np.stack(
        [sum_by(flows.maker, flows.purchases * part, len(makers)) for part in blocked.T], axis=1
    )
    return np.maximum(1.0 - kept_back / np.where(ordered > 0, ordered, 1.0), 0.0)


def _blocked(economy: Economy, supplier: Int) -> Float:
    """(L, K) part of the chips for each flow that suppliers may not deliver; () for none."""
    table, flows, makers = economy.policy.supply_share, economy.flows, economy.makers
    if table is None:
        return np.zeros(())
    cell = economy.constants.codes.cell(
        makers.device[flows.maker], makers.origin[flows.maker], flows.market
    )
    region = economy.foundries.region[supplier[flows.maker]]
    blocked = 1.0 - table[cell[:, None], np.arange(supplier.shape[1]), region]
    return np.asarray(blocked * makers.has_slot[flows.maker])

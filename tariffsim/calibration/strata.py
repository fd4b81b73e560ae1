"""How many product lines stand for each part of trade, and what each carries (MODEL 5.3).

A stratum is (device, country of assembly, market or GLOBAL); arrays over strata are
(D, O, 1 + M), GLOBAL first. Lines stand for about the same weight each, and every total is met.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.policy.shipments import CHINA, Codes
from tariffsim.typing import Bool, Float, Int

ONE_MARKET_MOST = 0.8
"""Most that lines of one market carry of a country's sales there, where it has global lines too."""
LAST_TAIL = 1 - 1e-9
"""Share left out of each device and market that leaves only its largest country."""
HALVINGS = 200
"""Of a bisection over powers of ten: enough for the last bit."""


@dataclass(frozen=True)
class Weights:
    """What decides how many lines a stratum has."""

    chips: Float
    """(D,) weight of a dollar of each device: that of its chips, by value and by number."""
    market: Float
    """(M,) one for markets in focus, less for the others."""
    global_share: Float
    """(D,) share of the trade of a device in global lines."""
    china: int | None
    """The market that no global line is sold in."""


@dataclass(frozen=True)
class Plan:
    """Lines by stratum, and the trade that they carry."""

    trade: Float
    """(D, O, M) USD a month, ex works."""
    count: Int
    """(D, O, 1 + M) lines."""
    value: Float
    """(D, O, 1 + M, M) USD a month that one line sells in each market."""
    tail: float
    """Share of each device and market that may be left out as small countries."""
    wanted: int
    """Lines that it takes to carry the trade after the tail that was asked for."""


@dataclass(frozen=True)
class _Strata:
    """What a trade table asks for; all (D, O, 1 + M)."""

    trade: Float
    weight: Float
    must: Bool
    """Strata that should have a line at any number."""
    can_spare: Bool
    """Those among them whose trade global lines can carry."""

    @property
    def least(self) -> int:
        """The fewest lines that carry the trade."""
        return int((self.must & ~self.can_spare).sum())


def plan_lines(trade: Float, weights: Weights, lines: int, tail: float, least_lines: int) -> Plan:
    """The plan for a number of lines.

    With fewer than the strata that should have one, lines of one market that global ones can
    stand for go first; then more small countries; then devices of the least weight.

    Args:
        trade: (D, O, M) USD a month of the data.
        weights: of devices and markets.
        lines: number of lines.
        tail: share of each device and market that is left out as small countries.
        least_lines: fewest lines of a device that are sold in markets in focus.
    """
    strata = _strata(without_tail(trade, tail), weights)
    wanted = int(strata.must.sum())
    if strata.least > lines:
        tail = _longer_tail(trade, weights, lines, tail)
        strata = _strata(without_tail(trade, tail), weights)
    if strata.least > lines:
        strata = _strata(_largest_devices(strata, lines), weights)
    if strata.least > lines:
        strata = _largest_strata(strata, lines)
    must = _without_least(strata, lines)
    must = np.maximum(must, _floor_by_device(strata, weights, must, least_lines, lines))
    count = spread(strata.weight, must, lines)
    return Plan(strata.trade, count, _values(strata.trade, count, weights), tail, wanted)


def without_tail(trade: Float, tail: float) -> Float:
    """(D, O, M) trade without the smallest countries that together carry at most the tail.

    The others of a device and market are scaled up to its total.
    """
    order = np.argsort(trade, axis=1, kind="stable")
    reach = np.cumsum(np.take_along_axis(trade, order, axis=1), axis=1)
    is_tail = np.empty(trade.shape, dtype=bool)
    np.put_along_axis(is_tail, order, reach <= tail * reach[:, -1:], axis=1)
    kept = np.where(is_tail, 0.0, trade)
    total = kept.sum(axis=1, keepdims=True)
    scale = trade.sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0)
    is_scaled = (is_tail & (trade > 0)).any(axis=1, keepdims=True)
    return np.where(is_scaled, kept * scale, kept)


def traded_with_others(trade: Float, codes: Codes) -> Bool:
    """(D, O, M) where a country sells a device, and sells it in another market than China too."""
    china = codes.markets.index(CHINA) if CHINA in codes.markets else None
    return _in_both(trade, china)


def _abroad(trade: Float, china: int | None) -> Float:
    """(D, O, M) trade without that of China as a market."""
    at = np.arange(trade.shape[2])
    return np.where(at != (-1 if china is None else china), trade, 0.0)


def _in_both(trade: Float, china: int | None) -> Bool:
    """(D, O, M) trade of countries that may have lines of one market and global ones."""
    abroad = _abroad(trade, china) > 0
    return np.asarray(abroad & (abroad.sum(axis=2, keepdims=True) > 1))


def _strata(trade: Float, weights: Weights) -> _Strata:
    """Weights of the strata of a trade table, and which should have a line."""
    share = weights.global_share[:, None, None]
    both = _in_both(trade, weights.china)
    worth = weights.chips[:, None, None] * weights.market * trade
    one = np.where(both, 1 - share, 1.0) * worth
    world = (share * worth * both).sum(axis=2, keepdims=True)
    must_world = both.any(axis=2, keepdims=True) & (share > 0)
    shared = np.where(both, trade, 0.0)
    must_one = (trade > 0) & np.where(both, _largest(shared, (1 - share) / ONE_MARKET_MOST), True)
    return _Strata(
        trade,
        np.concatenate([world, one], axis=2),
        np.concatenate([must_world, must_one], axis=2),
        np.concatenate([np.zeros_like(must_world), must_one & both & (share > 0)], axis=2),
    )


def _largest(values: Float, part: Float) -> Bool:
    """(D, O, M) the largest countries that together carry at least a part (D, 1, 1) of the sum."""
    order = np.argsort(-values, axis=1, kind="stable")
    ordered = np.take_along_axis(values, order, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    chosen = np.empty(values.shape, dtype=bool)
    np.put_along_axis(chosen, order, before < part * values.sum(axis=1, keepdims=True), axis=1)
    return chosen & (values > 0)


def _longer_tail(trade: Float, weights: Weights, lines: int, tail: float) -> float:
    """The least tail, to a millionth, after which so many lines carry the trade; or the last."""
    low, high = tail, LAST_TAIL
    while high - low > 1e-6:
        middle = 0.5 * (low + high)
        fits = _strata(without_tail(trade, middle), weights).least <= lines
        low, high = (low, middle) if fits else (middle, high)
    return high


def _largest_devices(strata: _Strata, lines: int) -> Float:
    """(D, O, M) trade of the devices of largest weight that so many lines carry; one at least."""
    by_weight = np.argsort(-strata.weight.sum(axis=(1, 2)), kind="stable")
    needed = np.cumsum((strata.must & ~strata.can_spare).sum(axis=(1, 2))[by_weight])
    kept = by_weight[: max(1, int((needed <= lines).sum()))]
    return np.where(np.isin(np.arange(len(strata.trade)), kept)[:, None, None], strata.trade, 0.0)


def _largest_strata(strata: _Strata, lines: int) -> _Strata:
    """The strata of largest weight alone, one a line; what the others would carry is left out."""
    needed = strata.must & ~strata.can_spare
    order = np.argsort(-np.where(needed, strata.weight, -1.0).ravel(), kind="stable")[:lines]
    kept = np.isin(np.arange(needed.size), order).reshape(needed.shape) & needed
    is_carried = kept[:, :, 1:] | kept[:, :, :1]
    trade = np.where(is_carried, strata.trade, 0.0)
    weight = np.where(kept, strata.weight, 0.0)
    return _Strata(trade, weight, kept, np.zeros_like(kept))


def _without_least(strata: _Strata, lines: int) -> Int:
    """(D, O, 1 + M) strata that have a line for certain: those without it carry least."""
    spare = np.flatnonzero(strata.can_spare.ravel())
    value = np.concatenate([np.zeros_like(strata.trade[:, :, :1]), strata.trade], axis=2).ravel()
    too_many = max(0, int(strata.must.sum()) - lines)
    must = strata.must.astype(np.intp).ravel()
    must[spare[np.argsort(value[spare], kind="stable")[:too_many]]] = 0
    return must.reshape(strata.must.shape)


def _floor_by_device(
    strata: _Strata, weights: Weights, must: Int, least_lines: int, lines: int
) -> Int:
    """(D, O, 1 + M) lines for certain so that each device has enough in markets in focus."""
    in_focus = np.concatenate([[True], weights.market == 1.0])
    floor = np.zeros_like(must)
    if not least_lines:
        return floor
    for device, weight in enumerate(strata.weight):
        own, least = np.where(in_focus, weight, 0.0), np.where(in_focus, must[device], 0)
        if own.any() and least.sum() < least_lines:
            floor[device] = spread(own, least, least_lines)
    fits = bool(np.maximum(must, floor).sum() <= lines)
    return np.where(fits, floor, 0)


def spread(weight: Float, least: Int, total: int) -> Int:
    """Whole numbers in proportion to weights, at least so many each, that sum to the total.

    `max(least, floor(weight / z + 1/2))` by bisection of `z`; where ties leave no sum the numbers
    nearest to the next one get what is missing, in their order.
    """
    high = 4 * weight.max()
    low = weight[weight > 0].min() / (total + 1)
    for _ in range(HALVINGS):
        z = np.sqrt(low * high)
        too_many = np.maximum(least, np.floor(weight / z + 0.5)).sum() > total
        low, high = (z, high) if too_many else (low, z)
    count: Int = np.maximum(least, np.floor(weight / high + 0.5)).astype(np.intp)
    to_next = np.where(weight > 0, count + 0.5 - weight / high, np.inf).ravel()
    nearest = np.argsort(np.round(to_next, 9), kind="stable")
    count.ravel()[nearest[: total - int(count.sum())]] += 1
    return count


def _values(trade: Float, count: Int, weights: Weights) -> Float:
    """(D, O, 1 + M, M) USD a month that one line of a stratum sells in each market."""
    both = _in_both(trade, weights.china)
    has_one, has_world = count[:, :, 1:] > 0, count[:, :, :1] > 0
    shared = np.where(both, trade, 0.0)
    carried = np.where(has_one, shared, 0.0).sum(axis=1, keepdims=True)
    wanted = (1 - weights.global_share[:, None, None]) * shared.sum(axis=1, keepdims=True)
    most = np.maximum(ONE_MARKET_MOST, 1 - weights.global_share)[:, None, None]
    part = np.minimum(wanted / np.where(carried > 0, carried, 1.0), most)
    part = np.where(both & has_world, part, 1.0) * has_one
    one = part * trade / np.maximum(count[:, :, 1:], 1)
    world = np.where(both, 1 - part, 0.0) * trade / np.maximum(count[:, :, :1], 1) * has_world
    by_market = one[:, :, :, None] * np.eye(trade.shape[2])
    return np.concatenate([world[:, :, None, :], by_market], axis=2)

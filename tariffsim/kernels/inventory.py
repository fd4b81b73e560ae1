"""Stocks of chips and of products, and rationing (MODEL 4.4, 4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from tariffsim.kernels.sums import sum_by
from tariffsim.typing import Bool, Float, Int

LEAST_RISE = 1e-12
"""Share of customs value below which a duty has risen by rounding only."""
LEAST_UNMET = 1e-12
"""Share of a slot's orders below which nothing is unmet but by rounding."""
LEAST_MISSED = 1e-12
"""Share of a line's units below which those of its flows miss them by rounding only."""


def stock_target(use: Float, past_use: Float, months: Float) -> Float:
    """(N, K) chips wanted in stock: so many months of the mean use of the last three.

    `use` is this month's, `past_use` (N, 2, K) that of the two before.
    """
    return np.asarray(months * (use + past_use.sum(axis=1)) / 3)


def refill_orders(use: Float, stock: Float, target: Float) -> Float:
    """(N, K) chips ordered: this month's use and what the stock lacks, less what it has too much.

    `max(0, use + target - stock)`.
    """
    return np.asarray(np.maximum(use + (target - stock), 0.0))


def units_short(ordered: Float, blocked: Float, short: Float, mean_blocked: Float) -> Float:
    """(L,) units that each flow of a line goes without.

    A line that lacks the part `short` of its orders lets the flows go without whose chips are
    `blocked` (parts of their orders, `mean_blocked` over the line), in proportion; what is lacking
    beyond that is shared by all.
    """
    of_blocked = np.minimum(short, mean_blocked) / np.where(mean_blocked > 0, mean_blocked, 1.0)
    beyond = (short - mean_blocked) / np.where(mean_blocked < 1, 1 - mean_blocked, 1.0)
    part = np.where(short <= mean_blocked, blocked * of_blocked, blocked + (1 - blocked) * beyond)
    return np.asarray(ordered * np.clip(part, 0.0, 1.0))


def adding_up_to(total: Float, units: Float, maker: Int) -> Float:
    """(L,) units of flows, scaled where those of a line miss its total (N,) by more than rounding.

    What is left of orders rounds in proportion to the orders: where next to nothing is left, more
    would be built than there are chips for.
    """
    found = sum_by(maker, units, len(total))
    misses = (found > 0) & (np.abs(found - total) > LEAST_MISSED * total)
    return np.asarray(units * np.where(misses, total / np.where(misses, found, 1.0), 1.0)[maker])


def months_worth_holding(
    saved: Float, value: Float, carrying_cost: float, most_months: float
) -> Float:
    """(L,) months of sales worth front-loading before a duty rise.

    A unit sold `n` months after the rise saves the rise and costs `n` months of carrying, a part
    of its value: `n <= saved / (carrying_cost x value)`, at most `most_months`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(saved > 0, saved / (carrying_cost * value), 0.0)
    return np.asarray(np.minimum(worth, most_months))


def fill_rates_by_rank(orders: Sequence[Float], capacity: Float, bloc: Float) -> list[Float]:
    """(F, K) part filled of the orders of each rank, pro rata within a rank of a bloc.

    `orders` are chips by rank, first come first; `bloc` (B, F) is one where a foundry belongs to a
    bloc. A full foundry's overflow is made by others of its bloc with spare capacity, so that
    no order waits while a neighbour is idle.
    """
    left = bloc @ capacity
    fill_rates = []
    for wanted in orders:
        total = bloc @ wanted
        rates = np.where(total > left, left / np.where(total > left, total, 1.0), 1.0)
        left = np.maximum(left - rates * total, 0.0)
        fill_rates.append(np.asarray(bloc.T @ rates))
    return fill_rates


def months_in_reach(most_months: float) -> range:
    """Months ahead in which a duty rise is worth stocking up for."""
    return range(1, ceil(most_months) + 1)


def duty_rise(now: Float, ahead: Float, value: Float) -> Float:
    """(L,) USD a unit by which a duty rises; zero for what is rounding of the customs value."""
    rise = ahead - now
    return np.where(rise > LEAST_RISE * value, rise, 0.0)


def purchases(wanted: Float, stock: Float, months: Float, months_left: Float) -> Float:
    """(L,) units that importers order: what consumers want, stocks built up, or drawn down.

    `months` of sales are worth holding when the duty rises in `months_left`.
    """
    lacking = months * wanted - stock
    builds = np.maximum(lacking, 0.0) / months_left
    sells = np.minimum(np.maximum(-lacking, 0.0), wanted)
    return np.asarray(wanted + builds - sells)


def delivered(ordered: Float, share: Float) -> Float:
    """What is delivered of orders by the share that is filled, or that no measure denies."""
    return np.asarray(ordered * share)


def blend(share: Float, first: Float, second: Float) -> Float:
    """Mean of two things, a share of the first."""
    return np.asarray(share * first + (1 - share) * second)


def denied_share(delivered_share: Float) -> Float:
    """Share of deliveries that is denied, or, of the denied share, what is delivered."""
    return np.asarray(1.0 - delivered_share)


def mean_over_flows(values: Float, weights: Float, maker: Int, n_makers: int) -> Float:
    """(N,) or (N, K) mean of values (L,) or (L, K) over the flows of each line, by weights (L,)."""
    total = sum_by(maker, weights, n_makers)
    sums = [sum_by(maker, weights * column, n_makers) for column in np.atleast_2d(values.T)]
    means = np.stack(sums, axis=-1) / np.where(total > 0, total, 1.0)[:, None]
    return means.reshape(n_makers, *values.shape[1:])


def is_short(unmet_chips: Float, need: Float) -> Bool:
    """Whether a slot lacks chips by more than rounding."""
    return np.asarray(unmet_chips > LEAST_UNMET * need)


def fill_rate(available: Float, wanted: Float) -> Float:
    """Share of what is wanted that is available, at most one."""
    return np.clip(available / np.where(wanted > 0, wanted, 1.0), 0.0, 1.0)


def coverage(chips: Float, need: Float) -> Float:
    """(N, K) chips over those needed; the chips themselves where none are."""
    return np.asarray(chips / np.where(need > 0, need, 1.0))


def left_after_restart(coverage: Float, weeks: float, days: int) -> Float:
    """(N,) share of a month of so many days that is left to work after one of lines that stood.

    A line that had chips for the share `coverage` (N,) of the month before loses so many weeks in
    proportion to the rest (MODEL 4.6).
    """
    lost = min(7 * weeks / days, 1.0)
    return np.asarray(1.0 - lost * (1.0 - coverage))


def cancelled(sent: Float, second: Float, used: Float) -> tuple[Float, Float]:
    """(N, K) deliveries by supplier and second source, orders for unbuilt units cancelled.

    Without stocks only what is used is delivered, by the supplier first.
    """
    first = np.where(second > 0, np.minimum(sent, used), used)
    return first, np.where(second > 0, used - first, 0.0)


def sold_from_stock(
    wanted: Float, stock: Float, units: Float, backlog_share: float
) -> tuple[Float, Float, Float, Float]:
    """(L,) units sold, left in stock, in the backlog and lost, of units delivered and in stock."""
    held = stock + units
    sold = np.minimum(wanted, held)
    missed = wanted - sold
    backlog = backlog_share * missed
    return sold, held - sold, backlog, missed - backlog

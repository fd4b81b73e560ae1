"""Stocks of chips and of products, and who gets chips when they are scarce (MODEL 4.4, 4.6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tariffsim.typing import Float


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


def months_worth_holding(
    saved: Float, value: Float, carrying_cost: float, most_months: float
) -> Float:
    """(L,) months of sales worth buying ahead of a duty rise.

    A unit sold `n` months after the rise saves the rise and costs `n` months of carrying, a part
    of its value: `n <= saved / (carrying_cost x value)`, at most `most_months`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = np.where(saved > 0, saved / (carrying_cost * value), 0.0)
    return np.asarray(np.minimum(worth, most_months))


def fill_rates_by_rank(orders: Sequence[Float], capacity: Float, bloc: Float) -> list[Float]:
    """(F, K) part filled of the orders of each rank, pro rata within a rank of a bloc.

    `orders` are chips by rank, first come first; `bloc` (B, F) is one where a foundry belongs to a
    bloc. A full foundry's overflow is made by others of its bloc with spare lines, so that nobody
    waits while a neighbour stands idle.
    """
    left = bloc @ capacity
    fill_rates = []
    for wanted in orders:
        total = bloc @ wanted
        rates = np.where(total > left, left / np.where(total > left, total, 1.0), 1.0)
        left = np.maximum(left - rates * total, 0.0)
        fill_rates.append(np.asarray(bloc.T @ rates))
    return fill_rates

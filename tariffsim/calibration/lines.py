"""Product lines, their sizes and markets, and draws that are even over them (MODEL 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tariffsim.calibration.strata import Plan, Weights, plan_lines
from tariffsim.kernels.sums import rank_within
from tariffsim.policy.shipments import CHINA
from tariffsim.scenario.run_blocks import Agents
from tariffsim.state.constants import Constants
from tariffsim.state.draws import Draws
from tariffsim.typing import Bool, Float, Int

GOLDEN = 0.618034
"""Multiples of it, modulo one, are evenly spread at any number of them."""
BLOCK = 4
"""Lines of like size among which the order is random."""


@dataclass(frozen=True)
class Lines:
    """Product lines before they have chips."""

    device: Int
    origin: Int
    market: Int
    size: Float
    """(N,) size of the maker relative to the mean line; only switching costs depend on it."""
    value: Float
    """(N, M) USD a month, ex works."""
    trade: Float
    """(D, O, M) the totals they carry."""

    @property
    def halvings(self) -> Int:
        """(N,) whole halvings from the largest line of the same device and market to this one.

        Where lines of one market differ much in value, draws are to be even among like ones.
        """
        value = self.value.sum(axis=1)
        largest = np.zeros((self.device.max() + 1, self.value.shape[1] + 1))
        np.maximum.at(largest, (self.device, self.market), value)
        times = np.log2(largest[self.device, self.market] / value)
        return np.asarray(np.floor(times), dtype=np.intp)


def plan(constants: Constants, agents: Agents, global_share: Float) -> Plan:
    """How many lines each stratum has, by the chips that its trade carries."""
    markets = constants.codes.markets
    bought = constants.trade.sum(axis=(1, 2))
    number = (bought / constants.unit_value)[:, None] * constants.chips_per_unit
    worth = number @ constants.chip_price
    chips = worth / worth.sum() + number.sum(axis=1) / number.sum()
    in_focus = np.array([market in agents.focus for market in markets])
    weights = Weights(
        chips / np.where(bought > 0, bought, 1.0),
        np.where(in_focus, 1.0, agents.other_markets_weight),
        global_share,
        markets.index(CHINA) if CHINA in markets else None,
    )
    return plan_lines(
        constants.trade, weights, agents.makers, agents.trade_tail, agents.least_lines
    )


def make_lines(constants: Constants, agents: Agents, planned: Plan, draws: Draws) -> Lines:
    """Lines in the order of their strata; every (device, origin, market) total is matched."""
    count = planned.count.ravel()
    stratum = np.repeat(np.arange(count.size), count)
    device, origin, market = np.unravel_index(stratum, planned.count.shape)
    value = planned.value.reshape(count.size, -1)[stratum]
    start = draws.uniform("size", 0, len(planned.count))
    u = (start[device] + GOLDEN * rank_within(device)) % 1.0
    size = size_by_value(u, agents.size_pareto, agents.size_limit)
    return Lines(device, origin, market - 1, size, value, planned.trade)


def pareto_size(u: Float, alpha: float, limit: float) -> Float:
    """Size of the firm at the quantile u of firms, Pareto on [1, limit] with exponent alpha."""
    return np.asarray((1 - u * (1 - limit**-alpha)) ** (-1 / alpha))


def size_by_value(u: Float, alpha: float, limit: float) -> Float:
    """Size of a maker at the quantile u of trade, relative to the mean over trade.

    Makers are Pareto on [1, limit] with exponent alpha, so that trade has the density s^-alpha.
    """

    def power(exponent: float) -> float:
        """The integral of s^(exponent - 1) over [1, limit]."""
        return float(
            np.log(limit) if exponent == 0 else np.expm1(exponent * np.log(limit)) / exponent
        )

    reach = power(1 - alpha)
    of_other = alpha - 1 or 1.0
    size = limit**u if alpha == 1 else (1 - of_other * u * reach) ** (-1 / of_other)
    return np.asarray(size * reach / power(2 - alpha))


def evenly(
    chance: Float, of: Int, by: Sequence[Int], size: Float, draws: Draws, stream: str
) -> Bool:
    """(N, K) things drawn with these chances (N, K), as evenly as can be over their rows.

    Rows stand in the order of the whole `of` (N,), then of each of `by` (N,) or (N, K), then by
    size (N,), in random order among `BLOCK` of like size. One is drawn where the sum of the chances
    in its whole, from a random start, passes a whole number: with exactly its chance, and in any
    run of rows as many as expected, to one.
    """
    n, n_columns = chance.shape
    start = draws.uniform(stream, 0, int(of.max()) + 1, n_columns)
    random = draws.uniform(f"{stream} among like sizes", 0, n, n_columns)
    drawn = np.empty(chance.shape, dtype=bool)
    for k in range(n_columns):
        keys = [of, *(key if key.ndim == 1 else key[:, k] for key in by)][::-1]
        by_size = np.lexsort((size, *keys))
        is_new = np.any([np.diff(key[by_size], prepend=-2) != 0 for key in keys], axis=0)
        block = np.empty(n, dtype=np.intp)
        block[by_size] = rank_within(np.cumsum(is_new)) // BLOCK
        order = np.lexsort((random[:, k], block, *keys))
        drawn[order, k] = _passes_whole(chance[order, k], of[order], start[:, k])
    return np.where(chance >= 1, True, drawn & (chance > 0))


def _passes_whole(chance: Float, group: Int, start: Float) -> Bool:
    """(rows,) where the sum of the chances of a group, from its start, passes a whole number."""
    first = np.searchsorted(group, group)
    reach = np.cumsum(chance)
    reach = reach - (reach - chance)[first] + start[group]
    before = np.where(first == np.arange(len(group)), start[group], np.roll(reach, 1))
    return np.asarray(np.floor(reach) > np.floor(before))

"""Product lines, their sizes and markets, and the flows that carry them (MODEL 5.1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.kernels.sums import sum_by
from tariffsim.policy.shipments import CHINA
from tariffsim.scenario.blocks import Agents
from tariffsim.state.constants import Constants
from tariffsim.state.draws import Draws
from tariffsim.state.economy import GLOBAL
from tariffsim.typing import Float, Int

LEAST_LINES = 3
"""Lines a cell gets at least: one global, one for China, one more."""


@dataclass(frozen=True)
class Lines:
    """Product lines before they have chips."""

    device: Int
    origin: Int
    market: Int
    value: Float
    """(N, M) USD a month, ex works."""
    trade: Float
    """(D, O, M) the totals they carry."""


def lines_per_cell(trade: Float, makers: int) -> Int:
    """(D, O) number of lines: three a cell with value, the rest by the square root of value.

    With too few makers the largest cells are kept.
    """
    value = trade.sum(axis=2).ravel()
    used = np.argsort(-value, kind="stable")[: max(1, makers // LEAST_LINES)]
    used = used[value[used] > 0]
    count = np.zeros(value.size, dtype=np.intp)
    count[used] = min(LEAST_LINES, makers)
    left = makers - count.sum()
    exact = left * np.sqrt(value[used]) / np.sqrt(value[used]).sum()
    count[used] += exact.astype(np.intp)
    by_remainder = np.argsort(-(exact % 1), kind="stable")
    count[used[by_remainder[: makers - count.sum()]]] += 1
    return count.reshape(trade.shape[:2])


def kept_trade(trade: Float, count: Int, china: int | None) -> Float:
    """Trade of the cells that have lines, with the totals of each device and market kept."""
    kept = np.where(count[:, :, None] > 0, trade, 0.0)
    if china is not None:
        kept[:, :, china] = np.where(count > 1, kept[:, :, china], 0.0)
    total, kept_total = trade.sum(axis=1), kept.sum(axis=1)
    factor = np.where(kept_total > 0, total / np.where(kept_total > 0, kept_total, 1.0), 0.0)
    factor = np.where(np.abs(factor - 1) < 1e-12, 1.0, factor)
    return np.asarray(kept * factor[:, None, :])


def make_lines(constants: Constants, agents: Agents, global_share: Float, draws: Draws) -> Lines:
    """Draw lines, their sizes and markets; every (device, origin, market) total is matched."""
    markets = constants.codes.markets
    china = markets.index(CHINA) if CHINA in markets else None
    count = lines_per_cell(constants.trade, agents.makers)
    trade = kept_trade(constants.trade, count, china)
    cell = np.repeat(np.arange(count.size), count.ravel())
    device, origin = np.divmod(cell, count.shape[1])
    rank = np.arange(cell.size) - np.repeat(np.cumsum(count) - count.ravel(), count.ravel())
    bought = trade[device, origin]
    market = _markets(bought, rank, global_share[device], china, draws)
    alpha = agents.size_pareto
    u = draws.uniform("size", 0, cell.size)
    size = (1 - u * (1 - agents.size_limit**-alpha)) ** (-1 / alpha)
    abroad = np.arange(len(markets)) != (-1 if china is None else china)
    world = np.where(abroad, bought, 0.0)
    spread = world / np.maximum(world.sum(axis=1, keepdims=True), 1e-300)
    one = (market[:, None] == np.arange(len(markets))) & (bought > 0)
    raw = size[:, None] * np.where((market == GLOBAL)[:, None], spread, one)
    total = np.stack([sum_by(cell, raw[:, m], count.size) for m in range(len(markets))], 1)
    scale = trade.reshape(total.shape) / np.where(total > 0, total, 1.0)
    return Lines(device, origin, market, raw * scale[cell], trade)


def _markets(bought: Float, rank: Int, share: Float, china: int | None, draws: Draws) -> Int:
    """Market of each line, by value or global; a cell's first is global, one serves China."""
    reach = np.cumsum(bought, axis=1)
    pick = draws.uniform("market", 0, len(rank)) * reach[:, -1]
    market = (reach <= pick[:, None]).sum(axis=1)
    market = np.where(draws.uniform("global", 0, len(rank)) < share, GLOBAL, market)
    if china is None:
        return np.where(rank == 0, GLOBAL, market)
    abroad = reach[:, -1] - bought[:, china] > 0
    market = np.where((rank == 0) | (market == GLOBAL), np.where(abroad, GLOBAL, china), market)
    first_left = np.where(abroad, 1, 0)
    return np.where((rank == first_left) & (bought[:, china] > 0), china, market)

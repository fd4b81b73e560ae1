"""Base-year shares of foundries and of countries of assembly (MODEL 5.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.calibration.lines import Lines
from tariffsim.kernels.sums import sum_by
from tariffsim.kernels.supply import odds
from tariffsim.policy.shipments import CHINA
from tariffsim.scenario import Scenario
from tariffsim.state.constants import Constants
from tariffsim.state.economy import GLOBAL
from tariffsim.tables import Tables
from tariffsim.typing import Float, Int

MOST_SHARE = 0.98
LOG_ODDS_REACH = 5.0
"""How far, in log odds, one-market lines may be moved to make up for global ones."""


@dataclass(frozen=True)
class LineKinds:
    """The kinds of line in use: (device, country of assembly, market or global)."""

    device: Int
    origin: Int
    market: Int
    of_line: Int
    """(N,) row of each line."""
    value: Float
    """(rows, M) USD a month sold in each market."""


def make_line_kinds(lines: Lines, n_origins: int) -> LineKinds:
    """Number the kinds of line."""
    n_markets = lines.value.shape[1]
    key = (lines.device * n_origins + lines.origin) * (n_markets + 1) + lines.market + 1
    keys, of_line = np.unique(key, return_inverse=True)
    value = np.stack(
        [sum_by(of_line, lines.value[:, m], keys.size) for m in range(n_markets)], axis=1
    )
    cell, market = np.divmod(keys, n_markets + 1)
    return LineKinds(cell // n_origins, cell % n_origins, market - 1, of_line, value)


def china_table_shares(tables: Tables) -> Float:
    """(D, M) Chinese share of legacy chips, by value."""
    base = np.array(tables.devices.numbers("cn_share"))
    shares = np.empty((len(base), len(tables.markets.codes)))
    for m, market in enumerate(tables.markets.codes):
        fixed = tables.markets.figures[market, "cn_share_fixed"].value
        factor = tables.markets.number(market, "cn_share_multiplier", missing=1.0)
        shares[:, m] = fixed if isinstance(fixed, float) else base * factor
    return np.asarray(np.minimum(shares, MOST_SHARE))


def share_elsewhere(mean: Float, weight: Float, odds_ratio: float) -> Float:
    """Chinese share outside Chinese assembly, where assembly in China has `odds_ratio` the odds.

    Solves `weight s_1 + (1 - weight) s_2 = mean`, `odds(s_1) = odds_ratio odds(s_2)` for `s_2`.
    """
    extra = odds_ratio - 1
    linear = weight * odds_ratio + (1 - weight) - mean * extra
    return np.asarray(2 * mean / (linear + np.sqrt(linear**2 + 4 * (1 - weight) * extra * mean)))


def in_units(value_share: Float, discount: float) -> Float:
    """Share in units of chips sold at a `discount`, from their share by value."""
    cheap = value_share / (1 - discount)
    return np.asarray(cheap / (cheap + 1 - value_share))


def china_unit_shares(
    scenario: Scenario, tables: Tables, constants: Constants, rows: LineKinds
) -> Float:
    """(rows,) Chinese share in units; one-market lines make up for what global ones miss."""
    discount = scenario.supply.china_price_discount.at(scenario.run.start)
    table = china_table_shares(tables)
    is_china = np.array([origin == CHINA for origin in constants.codes.origins])
    trade = constants.trade
    weight = trade[:, is_china].sum(axis=1) / np.maximum(trade.sum(axis=1), 1e-300)
    outside = share_elsewhere(table, weight, scenario.sourcing.assembly_odds)
    odds_ratio = np.where(is_china[rows.origin], scenario.sourcing.assembly_odds, 1.0)[:, None]
    by_market = outside[rows.device]
    by_market = odds_ratio * by_market / (1 + (odds_ratio - 1) * by_market)
    weights = rows.value / rows.value.sum(axis=1, keepdims=True)
    units = in_units((by_market * weights).sum(axis=1), discount)
    return _matched(units, in_units(table, discount), rows)


def _matched(units: Float, target: Float, rows: LineKinds) -> Float:
    """Move one-market rows by one log-odds shift a (device, market) so that its mean is met."""
    n_devices, n_markets = target.shape
    single = np.flatnonzero(rows.market != GLOBAL)
    cell = rows.device[single] * n_markets + rows.market[single]
    value = rows.value[single, rows.market[single]]
    other = np.zeros((n_devices, n_markets))
    world = rows.market == GLOBAL
    np.add.at(other, rows.device[world], rows.value[world] * units[world, None])
    total = np.zeros((n_devices, n_markets))
    np.add.at(total, rows.device, rows.value)
    wanted = (target * total - other).ravel()
    low, high = np.full(wanted.size, -LOG_ODDS_REACH), np.full(wanted.size, LOG_ODDS_REACH)
    base = odds(np.minimum(units[single], 1 - 1e-12))
    for _ in range(60):
        shift = 0.5 * (low + high)
        moved = base * np.exp(shift)[cell]
        too_low = sum_by(cell, value * moved / (1 + moved), wanted.size) < wanted
        low, high = np.where(too_low, shift, low), np.where(too_low, high, shift)
    moved = base * np.exp(0.5 * (low + high))[cell]
    result = units.copy()
    result[single] = moved / (1 + moved)
    return result


def foundry_shares(
    constants: Constants, china: Float, region: Int, size: Float, table: Float
) -> Float:
    """(rows, K, F) shares in units: China's, the others by capacity, foundries by size.

    `size` (F,) is a foundry's part of its region, `table` (R, K) capacity shares of the regions
    that have foundries.
    """
    chinese = constants.is_china[:, None]
    own = np.where(chinese, table, 0.0)
    own = own / np.maximum(own.sum(axis=0), 1e-300)
    others = np.where(chinese, 0.0, table)
    others = others / np.maximum(others.sum(axis=0), 1e-300)
    has_china, has_others = own.sum(axis=0) > 0.5, others.sum(axis=0) > 0.5
    part = np.where(has_china, np.where(has_others, china[:, None], 1.0), 0.0)
    shares = part[:, :, None] * own.T + (1 - part)[:, :, None] * others.T
    return np.asarray(shares[:, :, region] * size)


def origin_shares(trade: Float, rows: LineKinds) -> Float:
    """(rows, O) base shares of the countries of assembly in each row's markets."""
    total = trade.sum(axis=1, keepdims=True)
    pattern = trade / np.where(total > 0, total, 1.0)
    weights = rows.value / rows.value.sum(axis=1, keepdims=True)
    result: Float = np.einsum("rom,rm->ro", pattern[rows.device], weights)
    return result

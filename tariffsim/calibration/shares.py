"""Base-year shares of foundries and of countries of assembly (MODEL 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tariffsim.calibration.lines import Lines
from tariffsim.kernels.sums import over_slots, sum_by
from tariffsim.kernels.supply import odds
from tariffsim.policy.shipments import CHINA
from tariffsim.scenario import Scenario
from tariffsim.state.constants import Constants
from tariffsim.state.makers import GLOBAL
from tariffsim.tables import Tables
from tariffsim.typing import Bool, Float, Int

MOST_SHARE = 0.98
MOST_UNITS = 1 - 1e-12
LOG_ODDS_REACH = 5.0
"""How far, in log odds, one-market lines may be moved to make up for global ones."""
LOG_REACH = 60.0
"""How far the logarithm of odds is looked for."""
HALVINGS = 64
"""Of a bisection: to the last bit of what it is added to."""


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


def shares_by_country(mean: Float, weight: Float, factor: Float) -> Float:
    """(..., O) shares whose odds are in proportion to factors and whose mean is given.

    Solves `sum_o weight_o B_o y / (1 + B_o y) = mean` for y, by bisection of its logarithm; `mean`
    (...) is below one, `weight` (..., O) sums to one where anything is bought, `factor` (..., O).
    """

    def at(log_odds: Float) -> Float:
        scaled = factor * np.exp(log_odds)[..., None]
        return np.asarray(scaled / (1 + scaled))

    reach = np.full(mean.shape, LOG_REACH)
    found = at(bisect(lambda y: (weight * at(y)).sum(axis=-1) < mean, -reach, reach))
    return np.where(mean[..., None] > 0, found, 0.0)


def in_units(value_share: Float, discount: float) -> Float:
    """Share in units of chips sold at a `discount`, from their share by value."""
    cheap = value_share / (1 - discount)
    return np.asarray(cheap / (cheap + 1 - value_share))


def china_unit_shares(
    scenario: Scenario, tables: Tables, constants: Constants, rows: LineKinds, trade: Float,
    bare_duty: Float,
) -> Float:  # fmt: skip
    """(rows, K) Chinese share in units; one-market lines make up for what global ones miss.

    Lines assembled in different countries differ in the odds of a Chinese chip as assembly in China
    does (`sourcing.assembly_odds`), and as the duty that the chip pays when it enters unmounted.

    Args:
        scenario: what is assumed.
        tables: data tables.
        constants: figures of the tables.
        rows: kinds of line.
        trade: (D, O, M) USD a month that the lines carry.
        bare_duty: (O, K) duty of the base year on Chinese chips entering a country unmounted.
    """
    sourcing = scenario.sourcing
    discount = scenario.supply.china_price_discount.at(scenario.run.start)
    table = china_table_shares(tables)
    is_china = np.array([origin == CHINA for origin in constants.codes.origins])
    factor = np.where(is_china, sourcing.assembly_odds, 1.0)[:, None]
    factor = factor * (1 + bare_duty) ** -sourcing.elasticity
    bought = trade.sum(axis=1, keepdims=True)
    weight = (trade / np.where(bought > 0, bought, 1.0)).swapaxes(1, 2)
    n_classes = bare_duty.shape[1]
    by_country = np.stack(
        [shares_by_country(table, weight, factor[:, k]) for k in range(n_classes)], axis=-1
    )
    by_market = by_country[rows.device, :, rows.origin]
    weights = rows.value / rows.value.sum(axis=1, keepdims=True)
    units = in_units(np.einsum("rmk,rm->rk", by_market, weights), discount)
    target = in_units(table, discount)
    return np.stack([_matched(units[:, k], target, rows) for k in range(n_classes)], axis=1)


def _matched(units: Float, target: Float, rows: LineKinds) -> Float:
    """Shift the log odds of rows so that every (device, market) has its mean.

    One-market rows shift together, by (device, market). Where they do not suffice the device's
    global rows shift first, no further than needed; what is still missed then is left.
    """
    n_devices, n_markets = target.shape
    is_world = rows.market == GLOBAL
    single, world = np.flatnonzero(~is_world), np.flatnonzero(is_world)
    cell = rows.device[single] * n_markets + rows.market[single]
    value = rows.value[single, rows.market[single]]
    total = np.zeros((n_devices, n_markets))
    np.add.at(total, rows.device, rows.value)
    base = odds(np.minimum(units, MOST_UNITS))

    def of_one(shift: Float) -> Float:
        """(D, M) USD a month of one-market rows with shifts (cells,)."""
        moved = base[single] * np.exp(shift)[cell]
        return sum_by(cell, value * moved / (1 + moved), target.size).reshape(target.shape)

    def of_world(shift: Float) -> Float:
        """(D, M) USD a month of global rows with shifts (D,)."""
        moved = base[world] * np.exp(shift)[rows.device[world]]
        found = np.zeros(target.shape)
        np.add.at(found, rows.device[world], rows.value[world] * (moved / (1 + moved))[:, None])
        return found

    reach = np.full(target.size, LOG_ODDS_REACH)
    wanted, least, most = target * total, of_one(-reach), of_one(reach)

    def is_too_much(shift: Float) -> Float:
        """(D,) USD a month by which global rows exceed what one-market rows can make up for."""
        left = wanted - of_world(shift)
        return over_slots(np.maximum(least - left, 0) - np.maximum(left - most, 0))

    world_shift = _nearest_zero(is_too_much, n_devices)
    left = (wanted - of_world(world_shift)).ravel()
    shift = bisect(lambda by: of_one(by).ravel() < left, -reach, reach)
    result = units.copy()
    by_row = np.where(is_world, world_shift[rows.device], 0.0)
    by_row[single] = shift[cell]
    moved = base * np.exp(by_row)
    return np.where(by_row == 0, result, moved / (1 + moved))


def _nearest_zero(excess: Callable[[Float], Float], n: int) -> Float:
    """(n,) the shift nearest to zero at which a rising excess (n,) vanishes."""
    zero, reach = np.zeros(n), np.full(n, LOG_ODDS_REACH)
    at_zero = excess(zero)
    down = bisect(lambda by: excess(by) <= 0, -reach, zero)
    up = bisect(lambda by: excess(by) < 0, zero, reach)
    return np.where(at_zero > 0, down, np.where(at_zero < 0, up, zero))


def bisect(is_too_low: Callable[[Float], Bool], low: Float, high: Float) -> Float:
    """Where a rising condition (n,) turns, between two bounds (n,)."""
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        too_low = is_too_low(middle)
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    return 0.5 * (low + high)


def foundry_shares(
    constants: Constants, china: Float, region: Int, size: Float, table: Float
) -> Float:
    """(rows, K, F) shares in units: China's, the others by capacity, foundries by size.

    `china` is (rows, K), `size` (F,) a foundry's part of its region, `table` (R, K) capacity shares
    of the regions that have foundries.
    """
    chinese = constants.is_china[:, None]
    own = np.where(chinese, table, 0.0)
    own = own / np.maximum(own.sum(axis=0), 1e-300)
    others = np.where(chinese, 0.0, table)
    others = others / np.maximum(others.sum(axis=0), 1e-300)
    has_china, has_others = own.sum(axis=0) > 0.5, others.sum(axis=0) > 0.5
    part = np.where(has_china, np.where(has_others, china, 1.0), 0.0)
    shares = part[:, :, None] * own.T + (1 - part)[:, :, None] * others.T
    return np.asarray(shares[:, :, region] * size)

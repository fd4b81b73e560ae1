"""How the base year compares with the data tables: what chart 14 and the tests look at."""

from __future__ import annotations

from typing import Any

import numpy as np

from tariffsim.calibration.build import TOTALS_TOLERANCE, base_totals
from tariffsim.calibration.constants import DATA_MARKET, trade_totals
from tariffsim.calibration.shares import china_table_shares, in_units
from tariffsim.kernels.sums import sum_by
from tariffsim.state.economy import Economy
from tariffsim.typing import Float

ROW = ("total", "device", "origin", "node_class", "region", "model", "data", "tolerance", "unit")
ALL = "all"
"""Stands where a total is not split by a dimension."""


def base_year_rows(economy: Economy) -> list[dict[str, Any]]:
    """Rows of the `base_year` table: imports, Chinese shares, capacity shares."""
    return [*_import_rows(economy), *_share_rows(economy), *_capacity_rows(economy)]


def _row(*values: object) -> dict[str, Any]:
    return dict(zip(ROW, values, strict=True))


def _import_rows(economy: Economy) -> list[dict[str, Any]]:
    """US purchases by device and country of assembly, USD a year."""
    codes = economy.constants.codes
    if DATA_MARKET not in codes.markets:
        return []
    m = codes.markets.index(DATA_MARKET)
    model = 12 * base_totals(economy)[:, :, m]
    data = 12 * trade_totals(economy.scenario.tables(), codes)[:, :, m]
    return [
        _row(
            "imports", codes.devices[d], codes.origins[o], ALL, ALL,
            model[d, o], data[d, o], TOTALS_TOLERANCE * data[d, o], "USD a year",
        )
        for d, o in np.argwhere(data > 0)
    ]  # fmt: skip


def china_shares(economy: Economy, market: int) -> tuple[Float, Float]:
    """(D, K) Chinese share in units of what a market buys, and the largest line's share (D,)."""
    flows, makers, constants = economy.flows, economy.makers, economy.constants
    here = flows.market == market
    maker = flows.maker[here]
    value = flows.base_units[here] * constants.unit_value[makers.device[maker]]
    n = len(constants.codes.devices)
    total = np.maximum(sum_by(makers.device[maker], value, n), 1e-300)
    is_cn = economy.foundries.is_chinese[makers.supplier[maker]]
    share = np.stack(
        [sum_by(makers.device[maker], value * is_cn[:, k], n) for k in range(is_cn.shape[1])],
        axis=1,
    )
    largest = np.zeros(n)
    np.maximum.at(largest, makers.device[maker], value)
    return share / total[:, None], largest / total


def _share_rows(economy: Economy) -> list[dict[str, Any]]:
    """Chinese share of each device and class in the data market, against the table."""
    codes, scenario = economy.constants.codes, economy.scenario
    if DATA_MARKET not in codes.markets:
        return []
    m = codes.markets.index(DATA_MARKET)
    discount = scenario.supply.china_price_discount.at(scenario.run.start)
    target = in_units(china_table_shares(scenario.tables()), discount)[:, m]
    model, largest = china_shares(economy, m)
    return [
        _row(
            "china_share", codes.devices[d], ALL, k, ALL,
            model[d, i], target[d], largest[d], "fraction",
        )
        for d in range(len(target))
        if largest[d] > 0
        for i, k in enumerate(codes.classes)
    ]  # fmt: skip


def _capacity_rows(economy: Economy) -> list[dict[str, Any]]:
    """Capacity share of each region and class, against the table; regions may be raised."""
    codes, foundries = economy.constants.codes, economy.foundries
    member = np.eye(len(codes.regions))[:, foundries.region]
    capacity = np.einsum("rf,fk->rk", member, foundries.base_capacity)
    share = capacity / capacity.sum(axis=0)
    regions = economy.scenario.tables().foundry_regions
    return [
        _row(
            "capacity_share", ALL, ALL, k, region,
            share[r, i], regions.number(region, f"share_{k.lower()}"), float("nan"), "fraction",
        )
        for r, region in enumerate(codes.regions)
        for i, k in enumerate(codes.classes)
    ]  # fmt: skip

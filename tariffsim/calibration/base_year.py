"""The base year against the data tables: what chart 14 and the table `base_year` show (MODEL 5)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tariffsim.calibration.build import TOTALS_TOLERANCE, base_totals, line_plan
from tariffsim.calibration.constants import DATA_MARKET, trade_totals
from tariffsim.calibration.shares import china_table_shares, in_units
from tariffsim.calibration.strata import traded_with_others
from tariffsim.kernels.sums import by_class
from tariffsim.state.economy import Economy
from tariffsim.state.makers import GLOBAL
from tariffsim.typing import Float

ALL = "all"
"""Stands where a total is not split by a dimension."""
LINES_OFF = 2
"""Largest lines by which a Chinese share that is drawn may differ from the table."""
FRACTION = "fraction"


def base_year_rows(economy: Economy) -> list[dict[str, Any]]:
    """Rows of the `base_year` table.

    Imports, how the lines carry the trade, Chinese shares as expected and as drawn, shares of
    global lines, of importers that do not know the origin and of capacity.
    """
    return [
        *_import_rows(economy),
        *_plan_rows(economy),
        *_share_rows(economy),
        *_global_rows(economy),
        *_unknown_rows(economy),
        *_capacity_rows(economy),
    ]


def _row(
    total: str, model: float, data: float, tolerance: float, unit: str, **split: str
) -> dict[str, Any]:
    dimensions = ("device", "market", "origin", "node_class", "region")
    return {
        "total": total, **{name: split.get(name, ALL) for name in dimensions},
        "model": float(model), "data": float(data), "tolerance": float(tolerance), "unit": unit,
    }  # fmt: skip


def data_totals(economy: Economy) -> Float:
    """(D, O, M) USD a month of the data tables."""
    return trade_totals(economy.scenario.tables(), economy.constants.codes)


def trade_moved(economy: Economy) -> Float:
    """(M,) share of what a market buys that lines carry in another device or country than data."""
    model, data = base_totals(economy), data_totals(economy)
    moved = 0.5 * np.abs(model - data).sum(axis=(0, 1))
    return np.asarray(moved / np.maximum(data.sum(axis=(0, 1)), 1e-300))


def _import_rows(economy: Economy) -> list[dict[str, Any]]:
    """What the market of the data buys by device and country of assembly, USD a year.

    The tail that is left out, and what it adds to the others, is tolerated.
    """
    codes, tail = economy.constants.codes, economy.scenario.agents.trade_tail
    if DATA_MARKET not in codes.markets:
        return []
    m = codes.markets.index(DATA_MARKET)
    model, data = 12 * base_totals(economy)[:, :, m], 12 * data_totals(economy)[:, :, m]
    tolerance = TOTALS_TOLERANCE * data + tail / (1 - tail) * data.sum(axis=1, keepdims=True)
    return [
        _row(
            "imports", model[d, o], data[d, o], tolerance[d, o], "USD a year",
            device=codes.devices[d], origin=codes.origins[o], market=DATA_MARKET,
        )
        for d, o in np.argwhere(data > 0)
    ]  # fmt: skip


def _plan_rows(economy: Economy) -> list[dict[str, Any]]:
    """What the number of lines leaves out: the tail, devices, and trade moved by market."""
    codes, asked = economy.constants.codes, economy.scenario.agents.trade_tail
    plan = line_plan(economy.scenario, economy.constants)
    kept, bought = (
        int((totals.sum(axis=(1, 2)) > 0).sum()) for totals in (plan.trade, data_totals(economy))
    )
    moved = trade_moved(economy)
    return [
        _row("trade_tail", plan.tail, asked, 0.0, FRACTION),
        _row("devices", kept, bought, 0.0, "count"),
        _row("lines", economy.scenario.agents.makers, plan.wanted, np.nan, "count"),
        *(
            _row("trade_moved", moved[m], 0.0, asked, FRACTION, market=market)
            for m, market in enumerate(codes.markets)
        ),
    ]


def _share_rows(economy: Economy) -> list[dict[str, Any]]:
    """Chinese share by device, market and class, in units: as drawn, and as expected of draws.

    What is left between the expected share and the table is what no shift of odds could close.
    """
    codes, scenario = economy.constants.codes, economy.scenario
    flows, makers, constants = economy.flows, economy.makers, economy.constants
    discount = scenario.supply.china_price_discount.at(scenario.run.start)
    target = in_units(china_table_shares(scenario.tables()), discount)
    shape = len(codes.markets), len(codes.devices)
    value = flows.base_units * constants.unit_value[makers.device[flows.maker]]
    total, largest = economy.by_cell(value), np.zeros(np.prod(shape))
    np.maximum.at(largest, flows.cell, value)
    chinese = economy.foundries.is_chinese
    parts = np.bincount(makers.slot_class, minlength=len(codes.classes))
    has = by_class(makers.has_slot.astype(float), makers.slot_class)
    is_chinese = makers.has_slot & chinese[makers.supplier]
    drawn = by_class(is_chinese.astype(float), makers.slot_class)
    drawn = drawn / np.maximum(has, 1.0)
    chance = economy.base_shares[makers.odds_row][:, :, chinese].sum(axis=2)
    rows = []
    for name, by_line, per_line in (
        ("china_share", drawn, LINES_OFF), ("china_share_expected", chance, 0.0)
    ):  # fmt: skip
        found = economy.by_cell(value * by_line[flows.maker].T)
        rows += [
            _row(
                name, found[k, cell] / total[cell], target[cell % shape[1], cell // shape[1]],
                per_line * largest[cell] / total[cell] + TOTALS_TOLERANCE, FRACTION,
                device=codes.devices[cell % shape[1]], market=codes.markets[cell // shape[1]],
                node_class=codes.classes[k],
            )
            for cell in np.flatnonzero(total > 0)
            for k in np.flatnonzero(parts)
        ]  # fmt: skip
    return rows


def _global_rows(economy: Economy) -> list[dict[str, Any]]:
    """Global lines' share of value where a country also has lines of one market."""
    codes, makers, flows = economy.constants.codes, economy.makers, economy.flows
    value = flows.base_units * economy.constants.unit_value[makers.device[flows.maker]]
    device, n = makers.device[flows.maker], len(codes.devices)
    both = traded_with_others(base_totals(economy), codes)
    is_both = both[device, makers.base_origin[flows.maker], flows.market]
    whole = np.bincount(device, value * is_both, n)
    part = np.bincount(device, value * is_both * (makers.market[flows.maker] == GLOBAL), n)
    wanted = economy.scenario.tables().devices.numbers("global_platform_share")
    return [
        _row(
            "global_share", part[d] / whole[d], wanted[d], TOTALS_TOLERANCE, FRACTION,
            device=codes.devices[d],
        )
        for d in np.flatnonzero(whole > 0)
    ]  # fmt: skip


def _unknown_rows(economy: Economy) -> list[dict[str, Any]]:
    """Share of imports, by value, of importers that do not know the origin; the data are firms."""
    importers, codes = economy.importers, economy.constants.codes
    n = len(codes.markets)
    whole = np.bincount(importers.market, importers.customs_value, n)
    unknown = importers.customs_value * ~importers.knows_without_tracing
    share = np.bincount(importers.market, unknown, n) / np.maximum(whole, 1e-300)
    of_firms = economy.scenario.compliance.unknown_origin_share
    return [
        _row(
            "unknown_origin_value", share[m], of_firms, np.nan, FRACTION, market=codes.markets[m]
        )
        for m in np.flatnonzero(whole > 0)
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
            "capacity_share", share[r, i], regions.number(region, f"share_{k.lower()}"), np.nan,
            FRACTION, node_class=k, region=region,
        )
        for r, region in enumerate(codes.regions)
        for i, k in enumerate(codes.classes)
    ]  # fmt: skip

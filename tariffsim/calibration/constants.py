"""Data tables as arrays, and what each market buys from each country of assembly (MODEL 5.1)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tariffsim.kernels.prices_and_demand import relative_cost
from tariffsim.kernels.sums import rank_within
from tariffsim.policy.shipments import CHINA, Codes
from tariffsim.scenario import Scenario
from tariffsim.state.constants import AI_MONTHS, Constants
from tariffsim.tables import FigureTable, Tables
from tariffsim.typing import Float, Int, parse_month

DAYS_A_YEAR = 365
DATA_MARKET = "US"
"""The market whose imports are data; the others follow its pattern."""


def make_codes(tables: Tables) -> Codes:
    """The sets of the model in the order of the tables."""
    markets = tables.markets.codes
    region_home = {origin: tables.origins.text(origin, "market") for origin in tables.origins.codes}
    return Codes(
        devices=tables.devices.codes,
        origins=tables.origins.codes,
        markets=markets,
        regions=tables.foundry_regions.codes,
        classes=tables.node_classes.codes,
        home_market=tuple(markets.index(m) for m in tables.origins.texts("market")),
        region_market=tuple(
            markets.index(region_home.get(region, region_home["OTHER"]))
            for region in tables.foundry_regions.codes
        ),
    )


def make_constants(scenario: Scenario, tables: Tables) -> Constants:
    """All constants as arrays."""
    codes = replace(make_codes(tables), chinese_part=_chinese_part(scenario, tables))
    devices, classes = tables.devices, tables.node_classes
    unit_value = np.array(devices.numbers("unit_value_usd"))
    chip_price = np.array(classes.numbers("chip_price_usd"))
    parts = _parts(tables)
    growth_dates, extra_growth = _extra_growth(devices)
    slot_class = np.repeat(np.arange(len(codes.classes)), parts.max(axis=0))
    chip_value = (
        unit_value
        * np.array(devices.numbers("chip_content"))
        * np.array(devices.numbers("foundational_share"))
    )
    mix = np.array([devices.numbers(f"mix_{k.lower()}") for k in codes.classes]).T
    growth = np.array(tables.foundry_regions.numbers("growth_per_year", missing=0.0))
    cost_factor = np.array(tables.origins.numbers("cost_factor"))
    chips_per_unit = chip_value[:, None] * mix / chip_price
    return Constants(
        codes=codes,
        unit_value=unit_value,
        chips_per_unit=chips_per_unit,
        parts=parts,
        slot_class=slot_class,
        part_names=_part_names(codes.classes, slot_class),
        chips_per_part=_by_part(chips_per_unit, parts, slot_class),
        chip_price=chip_price,
        commodity_share=np.array(classes.numbers("commodity_share")),
        design_hazard=np.minimum(
            1.0, scenario.sourcing.opening_factor / np.array(devices.numbers("design_cycle_months"))
        ),
        pin_compatible_hazard=min(
            1.0, scenario.sourcing.pin_compatible_hazard * scenario.sourcing.opening_factor
        ),
        requalification_months=np.array(devices.numbers("requalification_months")).astype(np.intp),
        requalification_cost=np.array(devices.numbers("requalification_cost_usd")),
        design_units=np.array(devices.numbers("design_units_month")),
        stock_months=scenario.orders.stock_factor
        * np.array(devices.numbers("chip_stock_days"))
        * (12 / DAYS_A_YEAR),
        second_source_share=np.minimum(
            1.0,
            scenario.orders.second_source_factor * np.array(devices.numbers("dual_sourced_share")),
        ),
        substitution_elasticity=_not_one(np.array(devices.numbers("substitution_elasticity"))),
        demand_elasticity=np.array(devices.numbers("demand_elasticity")),
        market_growth=scenario.trade.growth_factor
        * np.array(tables.markets.numbers("growth_per_year")),
        growth_dates=growth_dates,
        extra_growth=scenario.trade.growth_factor * extra_growth,
        covered_import_share=np.array(tables.markets.numbers("covered_import_share", missing=0.0)),
        is_ai_capable=np.array(devices.numbers("ai_capable")) > 0,
        ai_adoption=np.array(
            [tables.markets.numbers(f"ai_{month // 12}") for month in AI_MONTHS]
        ).T,
        cost_factor=cost_factor,
        relative_cost=relative_cost(cost_factor),
        origin_market=np.array(codes.home_market),
        region_market=np.array(codes.region_market),
        region_growth=scenario.supply.capacity_growth_factor * growth,
        build_lag=np.array(tables.foundry_regions.numbers("build_lag_months")).astype(np.intp),
        capital_cost=1e6
        * np.array(tables.foundry_regions.numbers("capital_cost_musd_per_kwpm_300mm")),
        world_wafers=np.array(classes.numbers("world_wafers_kwpm_300mm")),
        is_china=np.array([region == CHINA for region in codes.regions]),
        trade=trade_totals(tables, codes),
    )


def _extra_growth(devices: FigureTable) -> tuple[Int, Float]:
    """(dates,) months of any device's growth, (D, dates) the growth at them, linear in between."""
    paths = [
        {parse_month(month): rate for month, rate in devices.path(code, "extra_growth_from_")}
        or {0: 0.0}
        for code in devices.codes
    ]
    dates = sorted({month for path in paths for month in path})
    rates = [np.interp(dates, list(path), list(path.values())) for path in paths]
    return np.array(dates), np.array(rates)


def _chinese_part(scenario: Scenario, tables: Tables) -> tuple[float, ...] | None:
    """Part of each region's chips that counts as Chinese, unless the place of the fab decides."""
    rule, rows = scenario.trade.origin_rule, tables.origin_rules
    if rule == "fab":
        return None
    return tuple(
        rows.number(code, f"chinese_if_by_{rule}") for code in tables.foundry_regions.codes
    )


def _parts(tables: Tables) -> Int:
    """(D, K) separately sourced parts of a class in a product, of the class or the device."""
    devices, classes = tables.devices, tables.node_classes
    by_class = np.array(classes.numbers("parts"))
    own = np.array([devices.numbers(f"parts_{k.lower()}", missing=0.0) for k in classes.codes]).T
    return np.where(own > 0, own, by_class).astype(np.intp)


def _part_names(classes: tuple[str, ...], slot_class: Int) -> tuple[str, ...]:
    """(P,) the class of each part, with a number where there are several."""
    several, number = np.bincount(slot_class) > 1, rank_within(slot_class) + 1
    return tuple(
        f"{classes[k]}{n}" if several[k] else classes[k]
        for k, n in zip(slot_class.tolist(), number.tolist(), strict=True)
    )


def _by_part(by_class: Float, parts: Int, slot_class: Int) -> Float:
    """(D, P) what is by class (D, K), in equal parts."""
    number = rank_within(slot_class)
    has_part = number < parts[:, slot_class]
    return np.where(has_part, (by_class / parts)[:, slot_class], 0.0)


def _not_one(elasticity: Float) -> Float:
    """Moves an elasticity of exactly one (Cobb-Douglas) off the pole of the CES formulas."""
    return np.where(elasticity == 1.0, 1.0 + 1e-9, elasticity)


def us_imports(tables: Tables, codes: Codes) -> Float:
    """(D, O) US imports by device and country of assembly, USD a month."""
    imports = np.zeros((len(codes.devices), len(codes.origins)))
    for row in tables.imports:
        if row.device in codes.devices:
            place = codes.devices.index(row.device), codes.origins.index(row.origin)
            imports[place] += row.customs_value_usd / 12
    return imports


def trade_totals(tables: Tables, codes: Codes) -> Float:
    """(D, O, M) USD a month that each market buys from each country, ex works.

    The data market: imports, and the home part on top. Others: its total by relative size, a
    home part, and the rest in its pattern of imports without their own home origins.
    """
    imports = us_imports(tables, codes)
    us_home = np.array(tables.devices.numbers("us_home_assembly_share"))
    total = imports.sum(axis=1) / (1 - us_home)
    usmca = np.array([p == "usmca" for p in tables.origins.texts("preference")])
    trade = np.zeros((*imports.shape, len(codes.markets)))
    for m, market in enumerate(codes.markets):
        homes = tables.markets.text(market, "home_origins").split()
        is_home = np.array([origin in homes for origin in codes.origins])
        if market == DATA_MARKET:
            home_share, pattern = us_home, imports
        else:
            share = tables.markets.number(market, "home_assembly_share", missing=0.0)
            weight = tables.markets.number(market, "usmca_origin_weight", missing=1.0)
            home_share = np.full(len(total), share)
            pattern = imports * np.where(usmca, weight, 1.0)
        bought = total * tables.markets.number(market, "size_relative_to_us")
        abroad = _spread(np.where(is_home, 0.0, pattern))
        home_share = np.where(abroad.sum(axis=1) > 0, home_share, 1.0) * is_home.any()
        home = _spread(np.where(is_home, imports, 0.0), otherwise=is_home)
        trade[:, :, m] = bought[:, None] * (
            home_share[:, None] * home + (1 - home_share)[:, None] * abroad
        )
    return trade


def _spread(values: Float, otherwise: Float | None = None) -> Float:
    """Rows scaled to sum to one; rows of zeros are spread over `otherwise` if given."""
    total = values.sum(axis=1, keepdims=True)
    spread = values / np.where(total > 0, total, 1.0)
    if otherwise is None or not otherwise.any():
        return np.asarray(spread)
    return np.where(total > 0, spread, otherwise / otherwise.sum())

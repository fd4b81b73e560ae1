"""Build the economy of a scenario and seed, and refuse it if it misses the base year."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tariffsim.calibration.capacity import make_fabs, make_foundries
from tariffsim.calibration.figures import CHINA, make_figures
from tariffsim.calibration.law import make_tariffs
from tariffsim.calibration.lines import Lines, make_lines
from tariffsim.calibration.shares import (
    Rows,
    china_table_shares,
    china_unit_shares,
    foundry_shares,
    in_units,
    make_rows,
    origin_shares,
)
from tariffsim.calibration.suppliers import (
    Slots,
    amortised_at_start,
    draw_suppliers,
    make_slots,
    matched_china_slots,
    pipeline,
    require_steady_state,
)
from tariffsim.draws import Draws
from tariffsim.economy import Cells, DeviceMakers, Economy, Flows, Foundries, Importers
from tariffsim.errors import CalibrationError
from tariffsim.figures import Figures
from tariffsim.kernels.sourcing import (
    inertia_curvature,
    odds_from_scale,
    steady_state_scale,
)
from tariffsim.kernels.sums import over_slots, sum_by
from tariffsim.scenario.fields import Scenario
from tariffsim.tables import Tables
from tariffsim.tariffs import Tariffs
from tariffsim.typing import Float, Int

TOTALS_TOLERANCE = 1e-9
"""Relative miss of any (device, country, market) total above which the model refuses to run."""


@lru_cache(maxsize=4)
def _prepared(scenario: Scenario, tables: Tables) -> tuple[Figures, Tariffs]:
    """What does not depend on the seed."""
    figures = make_figures(scenario, tables)
    return figures, make_tariffs(scenario, tables, figures)


def build_economy(
    scenario: Scenario, seed: int, draws: Draws | None = None, correct: bool = True
) -> Economy:
    """The economy in its base year.

    Args:
        scenario: what is assumed.
        seed: names the draws of this replication.
        draws: draws to use instead of those of the seed (tests permute them).
        correct: whether the draw of suppliers is corrected to the shares of the tables.

    Raises:
        CalibrationError: a total of the base year is missed.
    """
    draws = Draws(seed) if draws is None else draws
    tables = scenario.tables()
    figures, tariffs = _prepared(scenario, tables)
    fabs = make_fabs(tables)
    global_share = np.array(tables.devices.numbers("global_platform_share"))
    lines = make_lines(figures, scenario.agents, global_share, draws)
    rows = make_rows(lines, len(figures.codes.origins))
    shares = foundry_shares(
        figures,
        china_unit_shares(scenario, tables, figures, rows),
        fabs.region,
        fabs.size,
        fabs.table,
    )
    slots = make_slots(figures, scenario.sourcing, lines, shares, rows.of_line, draws)
    chinese = figures.is_china[fabs.region]
    target = in_units(
        china_table_shares(tables), scenario.supply.china_price_discount.at(scenario.run.start)
    )
    is_china_slot = matched_china_slots(
        shares[:, :, chinese].sum(axis=2)[rows.of_line], lines, target, correct, draws
    )
    supplier = draw_suppliers(shares, rows.of_line, chinese, is_china_slot, draws)
    chips = lines.value.sum(axis=1) / figures.unit_value[lines.device]
    chips_made = chips[:, None] * figures.chips_per_unit[lines.device]
    ordered = _by_foundry(supplier, chips_made, len(fabs.name))
    expected = _expected_orders(rows, chips_made, shares)
    foundries = make_foundries(scenario, tables, figures, fabs, ordered, expected)
    odds, makers = _make_makers(
        scenario, figures, tariffs, lines, rows, shares, slots, supplier, foundries, draws
    )
    flows, cells = _make_flows(scenario, figures, tariffs, lines)
    importers = _make_importers(scenario, figures, flows, draws)
    economy = Economy(
        scenario, figures, shares, odds, foundries, makers, importers, flows, cells,
        _base_chips(figures, makers, flows), tariffs,
    )  # fmt: skip
    check_base_year(economy, lines.trade)
    return economy


def _by_foundry(supplier: Int, chips: Float, n: int) -> Float:
    n_classes = chips.shape[1]
    flat = (supplier * n_classes + np.arange(n_classes)).ravel()
    return sum_by(flat, chips.ravel(), n * n_classes).reshape(n, n_classes)


def _expected_orders(rows: Rows, chips: Float, shares: Float) -> Float:
    """(F, K) chips a month that the lines order on average over draws of suppliers."""
    by_row = np.stack(
        [sum_by(rows.of_line, chips[:, k], len(shares)) for k in range(chips.shape[1])], axis=1
    )
    result: Float = np.einsum("rk,rkf->fk", by_row, shares)
    return result


def _make_makers(
    scenario: Scenario,
    figures: Figures,
    tariffs: Tariffs,
    lines: Lines,
    rows: Rows,
    shares: Float,
    slots: Slots,
    supplier: Int,
    foundries: Foundries,
    draws: Draws,
) -> tuple[Float, DeviceMakers]:
    n, n_classes = supplier.shape
    slot_row = (rows.of_line[:, None] * n_classes + np.arange(n_classes)).ravel()
    following, month = pipeline(
        shares.reshape(-1, shares.shape[2]),
        slot_row,
        supplier.ravel(),
        slots.inertia.ravel(),
        slots.hazard.ravel(),
        slots.lead_months.ravel(),
        slots.curvature.ravel(),
        slots.scale.ravel(),
        draws,
        "pipeline",
    )
    odds, origin_next, origin_month = _assembly(scenario, lines, rows, draws)
    device = lines.device
    value = lines.value.sum(axis=1)
    chip_price = foundries.base_price[supplier, np.arange(n_classes)]
    region = foundries.region[supplier]
    bare = tariffs.base_bare[lines.origin[:, None], np.arange(n_classes), region]
    bill = (figures.chips_per_unit[device] * chip_price * (1 + bare)).sum(axis=1)
    other = figures.unit_value[device] / (1 + scenario.trade.markup) - bill
    own = odds_from_scale(
        shares[rows.of_line[:, None], np.arange(n_classes), supplier], slots.curvature, slots.scale
    )
    amortised, amortised_until = amortised_at_start(slots, own, other, draws)
    other = other - over_slots(amortised * (amortised_until > 0))
    if (other < 0).any():
        codes = sorted({figures.codes.devices[d] for d in device[other < 0]})
        raise CalibrationError(f"chips cost more than the whole product of: {', '.join(codes)}")
    own_size = value / np.maximum(
        (np.bincount(device, value**2) / np.maximum(np.bincount(device, value), 1e-300))[device],
        1e-300,
    )
    month = month.reshape(n, n_classes)
    return odds, DeviceMakers(
        device=device,
        base_origin=lines.origin,
        market=lines.market,
        size=own_size,
        weights=lines.value / value[:, None],
        odds_row=rows.of_line,
        origin=lines.origin.copy(),
        next_origin=origin_next,
        move_month=origin_month,
        other_inputs=other,
        unit_cost=figures.unit_value[device] / (1 + scenario.trade.markup),
        customs_value=figures.unit_value[device],
        chip_bill=bill,
        units=value / figures.unit_value[device],
        fill=np.ones(n),
        relocation=np.zeros(n),
        has_slot=slots.has_slot,
        is_drop_in=slots.is_drop_in,
        supplier=supplier,
        next_supplier=following.reshape(n, n_classes),
        switch_month=month,
        curvature=slots.curvature,
        odds_scale=slots.scale,
        inertia=slots.inertia,
        life_months=slots.life_months,
        requalification_per_unit=slots.requalification_per_unit,
        amortised=amortised,
        amortised_until=amortised_until,
        plan_sacrifice=np.zeros((n, n_classes)),
        chips=figures.chips_per_unit[device],
        chip_value=figures.chips_per_unit[device] * chip_price,
        bare_duty=figures.chips_per_unit[device] * chip_price * bare,
    )


def _assembly(scenario: Scenario, lines: Lines, rows: Rows, draws: Draws) -> tuple[Float, Int, Int]:
    """Odds of the countries of assembly by row, and the moves under way in month 0."""
    assembly = scenario.assembly
    shares = origin_shares(lines.trade, rows)
    inertia = np.full(len(shares), (1 + assembly.relocation_cost) ** assembly.elasticity)
    lead = np.full(len(shares), assembly.lead_months)
    hazard = np.full(len(shares), assembly.hazard)
    curvature = inertia_curvature(inertia, hazard, lead)
    scale = steady_state_scale(shares, curvature[:, None])[:, 0]
    require_steady_state(scale, "lines that may move")
    of_line = rows.of_line
    following, month = pipeline(
        shares, of_line, lines.origin, inertia[of_line], hazard[of_line], lead[of_line],
        curvature[of_line], scale[of_line], draws, "moves under way",
    )  # fmt: skip
    return odds_from_scale(shares, curvature[:, None], scale[:, None]), following, month


def _make_flows(
    scenario: Scenario, figures: Figures, tariffs: Tariffs, lines: Lines
) -> tuple[Flows, Cells]:
    trade = scenario.trade
    maker, market = np.nonzero(lines.value > 0)
    device = lines.device[maker]
    n_devices = len(figures.codes.devices)
    unit_value = figures.unit_value[device]
    law_cell = figures.codes.cell(device, lines.origin[maker], market)
    base_duty = tariffs.base_product[law_cell, 0] * unit_value
    landed = unit_value * (1 + trade.freight) + base_duty
    price = landed * (1 + trade.retail_margin)
    units = lines.value[maker, market] / unit_value
    cell = market * n_devices + device
    spending = sum_by(cell, price * units, n_devices * len(figures.codes.markets))
    flows = Flows(
        maker=maker,
        market=market,
        importer=np.zeros(len(maker), dtype=np.int64),
        cell=cell,
        base_units=units,
        base_share=price * units / spending[cell],
        base_landed=landed,
        base_price=price,
        orders=units.copy(),
        units=units.copy(),
        base_duty=base_duty,
        new_duty=np.zeros(len(maker)),
        passed_on=np.zeros(len(maker)),
        price=price.copy(),
    )
    return flows, Cells(spending, np.ones(len(spending)), np.ones(len(spending)))


def _make_importers(scenario: Scenario, figures: Figures, flows: Flows, draws: Draws) -> Importers:
    """Importers of each (market, device) with flows; each flow is given to one of them."""
    least, most = scenario.agents.importers_min, scenario.agents.importers_max
    n_devices, n_markets = len(figures.codes.devices), len(figures.codes.markets)
    used = np.bincount(flows.cell, minlength=n_devices * n_markets) > 0
    count = least + (draws.uniform("importers", 0, used.size) * (most - least + 1)).astype(np.int64)
    count = np.where(used, count, 0)
    first = np.cumsum(count) - count
    pick = draws.uniform("portfolio", 0, int(flows.maker.max()) + 1, n_markets)
    chosen = (pick[flows.maker, flows.market] * count[flows.cell]).astype(np.int64)
    flows.importer = first[flows.cell] + chosen
    cell = np.repeat(np.arange(used.size), count)
    zero = np.zeros(cell.size)
    market, device = np.divmod(cell, n_devices)
    return Importers(device, market, zero, zero.copy(), zero.copy())


def _base_chips(figures: Figures, makers: DeviceMakers, flows: Flows) -> Float:
    """(M, K) chips a month in the devices each market bought in the base year."""
    device = makers.device[flows.maker]
    n_devices, n_markets = len(figures.codes.devices), len(figures.codes.markets)
    units = sum_by(flows.market * n_devices + device, flows.base_units, n_devices * n_markets)
    return np.asarray(units.reshape(n_markets, n_devices) @ figures.chips_per_unit)


def base_totals(economy: Economy) -> Float:
    """(D, O, M) USD a month that the flows carry in the base year."""
    codes, flows, makers = economy.figures.codes, economy.flows, economy.makers
    device = makers.device[flows.maker]
    cell = codes.cell(device, makers.base_origin[flows.maker], flows.market)
    value = flows.base_units * economy.figures.unit_value[device]
    shape = (len(codes.devices), len(codes.origins), len(codes.markets))
    return sum_by(cell, value, codes.n_cells).reshape(shape)


def check_base_year(economy: Economy, trade: Float) -> None:
    """Compare every (device, country, market) total with the data.

    Raises:
        CalibrationError: naming the totals that are off.
    """
    codes = economy.figures.codes
    model = base_totals(economy)
    missed = np.argwhere(np.abs(model - trade) > TOTALS_TOLERANCE * np.maximum(trade, 1e-300))
    if len(missed):
        names = [
            f"{codes.devices[d]} from {codes.origins[o]} into {codes.markets[m]}: model "
            f"{12 * model[d, o, m] / 1e6:.3f}, data {12 * trade[d, o, m] / 1e6:.3f} m USD a year"
            for d, o, m in missed[:10]
        ]
        raise CalibrationError(f"{len(missed)} base-year totals are off:\n  " + "\n  ".join(names))


__all__ = ["CHINA", "base_totals", "build_economy", "check_base_year"]

"""Build the economy of a scenario and seed, and refuse it if it misses the base year."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tariffsim.calibration.capacity import make_fabs, make_foundries, make_investment
from tariffsim.calibration.constants import make_constants
from tariffsim.calibration.lines import make_lines
from tariffsim.calibration.makers import (
    base_chips,
    make_declarations,
    make_flows,
    make_importers,
    make_makers,
)
from tariffsim.calibration.shares import (
    LineKinds,
    china_table_shares,
    china_unit_shares,
    foundry_shares,
    in_units,
    make_line_kinds,
)
from tariffsim.calibration.suppliers import (
    draw_suppliers,
    make_slots,
    matched_china_slots,
)
from tariffsim.calibration.tariff_calendar import make_expectations, make_tariff_schedule
from tariffsim.errors import CalibrationError
from tariffsim.kernels.sums import by_supplier, sum_by
from tariffsim.law.declarations import Declarations
from tariffsim.law.duty_tables import TariffSchedule
from tariffsim.law.expectations import DutyExpectations
from tariffsim.law.imports_to_date import base_imports
from tariffsim.scenario import Scenario
from tariffsim.state.constants import Constants
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.tables import Tables
from tariffsim.typing import Float

TOTALS_TOLERANCE = 1e-9
"""Relative miss of any (device, country, market) total above which the model refuses to run."""


@lru_cache(maxsize=4)
def _prepared(
    scenario: Scenario, tables: Tables
) -> tuple[Constants, TariffSchedule, DutyExpectations, Declarations]:
    """What does not depend on the seed."""
    constants = make_constants(scenario, tables)
    schedule = make_tariff_schedule(scenario, tables, constants)
    expectations = make_expectations(scenario, schedule, constants)
    return constants, schedule, expectations, make_declarations(scenario, schedule, constants)


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
    constants, schedule, expectations, declarations = _prepared(scenario, tables)
    fabs = make_fabs(tables)
    global_share = np.array(tables.devices.numbers("global_platform_share"))
    lines = make_lines(constants, scenario.agents, global_share, draws)
    rows = make_line_kinds(lines, len(constants.codes.origins))
    shares = foundry_shares(
        constants,
        china_unit_shares(scenario, tables, constants, rows),
        fabs.region,
        fabs.size,
        fabs.table,
    )
    slots = make_slots(constants, scenario.sourcing, lines, shares, rows.of_line, draws)
    chinese = constants.is_china[fabs.region]
    target = in_units(
        china_table_shares(tables), scenario.supply.china_price_discount.at(scenario.run.start)
    )
    is_china_slot = matched_china_slots(
        shares[:, :, chinese].sum(axis=2)[rows.of_line], lines, target, correct, draws
    )
    supplier = draw_suppliers(shares, rows.of_line, chinese, is_china_slot, draws)
    chips = lines.value.sum(axis=1) / constants.unit_value[lines.device]
    chips_made = chips[:, None] * constants.chips_per_unit[lines.device]
    ordered = by_supplier(chips_made, supplier, len(fabs.name))
    expected = _expected_orders(rows, chips_made, shares)
    foundries = make_foundries(scenario, tables, constants, fabs, ordered, expected)
    odds, makers = make_makers(
        scenario, constants, schedule, lines, rows, shares, slots, supplier, foundries, draws
    )
    flows, cells = make_flows(scenario, constants, schedule, lines)
    importers = make_importers(scenario, constants, flows, draws)
    makers.importer[flows.maker, flows.market] = flows.importer
    economy = Economy(
        scenario, constants, shares, odds, foundries,
        make_investment(scenario, constants, foundries), makers, importers, flows, cells,
        base_chips(constants, makers, flows), schedule, expectations, declarations,
    )  # fmt: skip
    economy.imports = base_imports(economy)
    check_base_year(economy, lines.trade)
    return economy


def _expected_orders(rows: LineKinds, chips: Float, shares: Float) -> Float:
    """(F, K) chips a month that the lines order on average over draws of suppliers."""
    by_row = np.stack(
        [sum_by(rows.of_line, chips[:, k], len(shares)) for k in range(chips.shape[1])], axis=1
    )
    result: Float = np.einsum("rk,rkf->fk", by_row, shares)
    return result


def base_totals(economy: Economy) -> Float:
    """(D, O, M) USD a month that the flows carry in the base year."""
    codes, flows, makers = economy.constants.codes, economy.flows, economy.makers
    device = makers.device[flows.maker]
    cell = codes.cell(device, makers.base_origin[flows.maker], flows.market)
    value = flows.base_units * economy.constants.unit_value[device]
    shape = (len(codes.devices), len(codes.origins), len(codes.markets))
    return sum_by(cell, value, codes.n_cells).reshape(shape)


def check_base_year(economy: Economy, trade: Float) -> None:
    """Compare every (device, country, market) total with the data.

    Raises:
        CalibrationError: naming the totals that are off.
    """
    codes = economy.constants.codes
    model = base_totals(economy)
    missed = np.argwhere(np.abs(model - trade) > TOTALS_TOLERANCE * np.maximum(trade, 1e-300))
    if len(missed):
        names = [
            f"{codes.devices[d]} from {codes.origins[o]} into {codes.markets[m]}: model "
            f"{12 * model[d, o, m] / 1e6:.3f}, data {12 * trade[d, o, m] / 1e6:.3f} m USD a year"
            for d, o, m in missed[:10]
        ]
        raise CalibrationError(f"{len(missed)} base-year totals are off:\n  " + "\n  ".join(names))


__all__ = ["base_totals", "build_economy", "check_base_year"]

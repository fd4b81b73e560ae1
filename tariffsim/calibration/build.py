"""Build the economy of a scenario and seed, and compare its base year with the data tables.

An economy that misses a total of the base year is refused; the other rows of the comparison are
what chart 14 and the tests look at.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from tariffsim.calibration.assembly import draw_plants, footprints
from tariffsim.calibration.capacity import make_fabs, make_foundries, make_investment
from tariffsim.calibration.chip_origins import make_chip_origins
from tariffsim.calibration.constants import make_constants
from tariffsim.calibration.lines import make_lines, plan
from tariffsim.calibration.makers import (
    base_chips,
    make_declarations,
    make_flows,
    make_importers,
    make_makers,
    with_own_versions,
)
from tariffsim.calibration.shares import (
    LineKinds,
    china_unit_shares,
    foundry_shares,
    make_line_kinds,
)
from tariffsim.calibration.strata import Plan
from tariffsim.calibration.suppliers import draw_suppliers, make_slots
from tariffsim.calibration.tariff_schedule import make_expectations, make_tariff_schedule
from tariffsim.errors import CalibrationError, Problem
from tariffsim.kernels.sums import by_class, by_supplier, sum_by
from tariffsim.law.declarations import Declarations
from tariffsim.law.duty_tables import TariffSchedule
from tariffsim.law.expectations import DutyExpectations
from tariffsim.law.policy_of_month import base_imports
from tariffsim.scenario import Scenario
from tariffsim.state.constants import Constants
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.snapshot import copies, size
from tariffsim.tables import Tables
from tariffsim.typing import Float

MOST_REMEMBERED = 2**26
"""Bytes of an economy that is kept for the next scenario with the same seed."""
MOST_BUILT = 5000
"""Makers, so that checking a scenario takes a second and little memory, whatever its size."""
TOTALS_TOLERANCE = 1e-9
"""Relative miss of any (device, country, market) total above which the model refuses to run."""


def compiled_law(scenario: Scenario) -> tuple[TariffSchedule, DutyExpectations, Declarations]:
    """The law of a scenario, as the economies of all seeds have it."""
    return _prepared(scenario, scenario.tables())[1:]


@lru_cache(maxsize=4)
def _prepared(
    scenario: Scenario, tables: Tables
) -> tuple[Constants, TariffSchedule, DutyExpectations, Declarations]:
    """What does not depend on the seed."""
    constants = make_constants(scenario, tables)
    schedule = make_tariff_schedule(scenario, tables, constants)
    expectations = make_expectations(scenario, schedule, constants)
    return constants, schedule, expectations, make_declarations(scenario, schedule, constants)


def build_economy(scenario: Scenario, seed: int, draws: Draws | None = None) -> Economy:
    """The economy in its base year.

    Args:
        scenario: what is assumed.
        seed: names the draws of this replication.
        draws: draws to use instead of those of the seed (tests permute them).

    Raises:
        CalibrationError: the scenario allows no base year, or it misses a total of the data.
    """
    tables, draws = scenario.tables(), Draws(seed) if draws is None else draws
    if type(draws) is not Draws:  # others are not known by their seed
        return _built(scenario, tables, draws)
    _, schedule, *_ = _prepared(scenario, tables)
    without = scenario.model_copy(update={"policies": {}}).content_hash
    key = without, draws.seed, schedule.base_product.tobytes(), schedule.base_bare.tobytes()
    if key not in _base_years:
        economy = _built(scenario, tables, draws)
        if size(economy) > MOST_REMEMBERED:
            return economy
        _base_years.clear()
        _base_years[key] = economy
    return _under_law_of(_base_years[key], scenario, tables, draws)


_base_years: dict[tuple[str, int, bytes, bytes], Economy] = {}
"""The last economy in its base year, by what it depends on; it stays as it is."""


def _under_law_of(built: Economy, scenario: Scenario, tables: Tables, draws: Draws) -> Economy:
    """A copy of an economy in its base year, with the law of a scenario that differs in no more."""
    constants, schedule, expectations, declarations = _prepared(scenario, tables)
    n_lines = built.makers.n_lines
    economy = replace(
        built, scenario=scenario, constants=constants, tariff_schedule=schedule,
        expectations=expectations, declarations=declarations, instrument_duty={}, duty_paid={},
        chip_origins=make_chip_origins(scenario, tables, constants, schedule, n_lines, draws),
        **copies(built),
    )  # fmt: skip
    economy.imports = base_imports(economy)
    return economy


def _built(scenario: Scenario, tables: Tables, draws: Draws) -> Economy:
    """The economy in its base year, from the tables and draws."""
    constants, schedule, expectations, declarations = _prepared(scenario, tables)
    fabs = make_fabs(tables)
    lines = make_lines(constants, scenario.agents, line_plan(scenario, constants), draws)
    rows = make_line_kinds(lines, len(constants.codes.origins))
    chinese = constants.is_china[fabs.region]
    china = china_unit_shares(
        scenario, tables, constants, rows, lines.trade, _duty_on_chinese_chips(schedule, constants)
    )
    shares = foundry_shares(constants, china, fabs.region, fabs.size, fabs.table)
    slots = make_slots(scenario, constants, lines, shares, rows.of_line, draws)
    supplier = draw_suppliers(
        shares, rows.of_line, constants.slot_class, lines, slots.is_pin_compatible, chinese, draws
    )
    chips = lines.value.sum(axis=1) / constants.unit_value[lines.device]
    by_part = chips[:, None] * constants.chips_per_part[lines.device]
    ordered = by_supplier(by_part, supplier, constants.slot_class, len(fabs.name))
    expected = _expected_orders(rows, by_class(by_part, constants.slot_class), shares)
    foundries = make_foundries(scenario, tables, constants, fabs, ordered, expected)
    devices, assembly = tables.devices, scenario.assembly
    footprint = footprints(constants, devices.texts("sector"), assembly.sector_footprint)
    footloose = np.array(devices.numbers("footloose_share"))
    plants = draw_plants(footprint, footloose, assembly, lines, draws)
    origins = make_chip_origins(scenario, tables, constants, schedule, len(lines.device), draws)
    makers = make_makers(
        scenario, constants, schedule, lines, rows, shares, slots, supplier, foundries, plants,
        origins, draws,
    )  # fmt: skip
    flows, cells = make_flows(scenario, constants, schedule, lines, plants, footprint, draws)
    importers = make_importers(scenario, constants, flows, draws)
    makers.importer[flows.maker, flows.market] = flows.importer
    in_focus = np.array([m in scenario.agents.focus for m in constants.codes.markets])
    makers = with_own_versions(makers, in_focus)
    economy = Economy(
        scenario, constants, shares, foundries,
        make_investment(scenario, constants, foundries), makers, importers, flows, cells,
        base_chips(constants, makers, flows), schedule, expectations, declarations,
        origins,
        np.ones(len(constants.codes.markets)),
    )  # fmt: skip
    economy.imports = base_imports(economy)
    check_base_year(economy, lines.trade)
    return economy


def line_plan(scenario: Scenario, constants: Constants) -> Plan:
    """How many lines stand for each part of trade."""
    global_share = np.array(scenario.tables().devices.numbers("global_platform_share"))
    return plan(constants, scenario.agents, global_share)


def _duty_on_chinese_chips(schedule: TariffSchedule, constants: Constants) -> Float:
    """(O, K) duty of the base year on Chinese chips that enter unmounted; zero without China."""
    by_region = schedule.base_bare[:, :, : len(constants.is_china)]
    return np.asarray(by_region @ constants.is_china)


def require_base_year(scenario: Scenario) -> Economy:
    """The economy of the first seed, with at most MOST_BUILT makers.

    It refuses what `run` would refuse after all values have been found valid each by itself.

    Raises:
        CalibrationError: the scenario allows no base year.
    """
    makers = min(scenario.agents.makers, MOST_BUILT)
    agents = scenario.agents.model_copy(update={"makers": makers})
    return build_economy(scenario.model_copy(update={"agents": agents}), scenario.run.seed)


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
    missed = np.argwhere(np.abs(model - trade) > TOTALS_TOLERANCE * trade)
    if len(missed):
        names = [
            f"{codes.devices[d]} from {codes.origins[o]} into {codes.markets[m]}: model "
            f"{12 * model[d, o, m] / 1e6:.3f}, data {12 * trade[d, o, m] / 1e6:.3f} m USD a year"
            for d, o, m in missed[:10]
        ]
        message = "misses totals of the base year: " + "; ".join(names)
        raise CalibrationError([Problem(economy.scenario.name, message=message)])

"""The law of a scenario: duties of the base year, the tariff calendar, and its own policies."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from tariffsim.calibration.base_duties import BaseDuties, base_duties
from tariffsim.calibration.tariff_calendar import TariffCalendar
from tariffsim.kernels.duties import horizon_weights
from tariffsim.law.duty_tables import Answers, Law, Regime, TariffSchedule, arranged, laws_of
from tariffsim.law.expectations import DutyExpectations, Horizon
from tariffsim.policy.shipments import Codes
from tariffsim.scenario import Scenario
from tariffsim.state.constants import Constants
from tariffsim.tables import CalendarRow, ImportRow, Tables
from tariffsim.typing import Float, Int

CENTRAL = Scenario()
OF_LAW = ("tariffs_in_force", "base_duties", "expected_persistence")
"""Fields of `trade` that laws depend on; of the last, on whether it is below one."""
YEARS = np.arange(4.0)
"""Dates of the life of a supplier or a plant at which duties are foreseen, from delivery on."""
SHIFT_MONTHS = np.array([0.0, 6.0, 12.0, 12.0])
SHIFT_WEIGHTS = np.array([1.0, 1.0, 1.0, 0.0]) / 3
"""Dates and weights for orders shifted among plants, which may be shifted back."""


def make_tariff_schedule(
    scenario: Scenario, tables: Tables, constants: Constants
) -> TariffSchedule:
    """The compiled law: base duties, the calendar, and the scenario's own policies."""
    codes, trade = constants.codes, scenario.trade
    may_lapse = trade.expected_persistence < 1
    of_law = trade.model_copy(update={"expected_persistence": 0.5 if may_lapse else 1.0})
    kept = {name: getattr(of_law, name) for name in OF_LAW}
    basis = CENTRAL.model_copy(
        update={
            "trade": CENTRAL.trade.model_copy(update=kept),
            "run": CENTRAL.run.model_copy(update={"start": scenario.run.start}),
            "policies": scenario.policies,
        }
    )
    sectors = tables.devices.texts("sector")
    of_tables = LawTables(tables.imports, tables.calendar, sectors, tables)
    duties, laws, asked = _laws(basis, of_tables, codes)
    return TariffSchedule(codes, laws, duties.product, duties.bare, trade.markup, asked)


@dataclass(frozen=True)
class LawTables:
    """What the law of a scenario depends on in its tables."""

    imports: tuple[ImportRow, ...]
    calendar: tuple[CalendarRow, ...]
    sectors: tuple[str, ...]
    tables: Tables = field(compare=False)


@lru_cache(maxsize=8)
def _laws(
    basis: Scenario, law: LawTables, codes: Codes
) -> tuple[BaseDuties, list[Law], dict[Regime, Answers]]:
    """Duties of the base year, all laws and their answers: whatever other parameters are drawn."""
    duties = base_duties(basis, law.tables, codes)
    calendar = TariffCalendar(basis, law.calendar, duties)
    by_name = sorted(basis.dated_policies.items())  # of equal duties in a group the first is due
    policies = laws_of(codes, by_name, calendar.ordinary_by_cell())
    return duties, arranged(codes, [*calendar.laws(), *policies]), {}


def make_expectations(
    scenario: Scenario, schedule: TariffSchedule, constants: Constants
) -> DutyExpectations:
    """The schedule as agents foresee it, by the leads and hazards of their choices."""
    sourcing, assembly = scenario.sourcing, scenario.assembly
    same = np.ones(len(constants.codes.devices))

    def over_years(lead: Float | Int, hazard: Float) -> tuple[Float, Float]:
        """Dates a year apart over the life of a choice (dates, D), and their weights."""
        weights = horizon_weights(hazard, sourcing.discount_rate, YEARS)
        return lead + 12 * YEARS[:, None], weights

    lead = sourcing.pin_compatible_requalification_months * same
    by_kind = [
        over_years(constants.requalification_months, constants.design_hazard),
        over_years(lead, constants.pin_compatible_hazard * same),
        (assembly.shift_months + SHIFT_MONTHS[:, None] * same, SHIFT_WEIGHTS[:, None] * same),
        over_years(assembly.plant_months * same, assembly.plant_hazard * same),
    ]
    months, weights = (np.stack(parts, axis=1) for parts in zip(*by_kind, strict=True))
    return DutyExpectations(
        schedule,
        sourcing.foresight,
        Horizon(months.astype(np.intp), weights, scenario.trade.expected_persistence),
        scenario.run.start,
        scenario.run.end,
    )

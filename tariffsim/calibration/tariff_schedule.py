"""The law of a scenario: duties of the base year, the tariff calendar, and its own policies."""

from __future__ import annotations

import numpy as np

from tariffsim.calibration.base_duties import base_duties
from tariffsim.calibration.tariff_calendar import TariffCalendar
from tariffsim.law.duty_tables import TariffSchedule, laws_of
from tariffsim.law.expectations import DutyExpectations
from tariffsim.scenario import Scenario
from tariffsim.state.constants import Constants
from tariffsim.tables import Tables


def make_tariff_schedule(
    scenario: Scenario, tables: Tables, constants: Constants
) -> TariffSchedule:
    """The compiled law: base duties, the calendar, and the scenario's own policies."""
    codes = constants.codes
    duties = base_duties(scenario, tables, codes)
    calendar = TariffCalendar(scenario, tables.calendar, duties)
    policies = laws_of(codes, scenario.dated_policies.items(), calendar.ordinary_by_cell())
    laws = [*calendar.laws(), *policies]
    return TariffSchedule(codes, laws, duties.product, duties.bare, scenario.trade.markup)


def make_expectations(
    scenario: Scenario, schedule: TariffSchedule, constants: Constants
) -> DutyExpectations:
    """The schedule as agents foresee it, by the leads and hazards of their choices."""
    sourcing, assembly = scenario.sourcing, scenario.assembly
    same = np.ones(len(constants.codes.devices))
    leads = [
        constants.requalification_months,
        sourcing.pin_compatible_requalification_months * same,
        assembly.lead_months * same,
    ]
    hazards = [
        constants.design_hazard,
        constants.pin_compatible_hazard * same,
        assembly.hazard * same,
    ]
    return DutyExpectations(
        schedule,
        sourcing.foresight,
        np.stack(leads).astype(np.intp),
        np.stack(hazards),
        sourcing.discount_rate,
        scenario.run.start,
        scenario.run.end,
    )

"""Duties of the base year, and the tariff calendar as instruments (MODEL 4.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tariffsim.calibration.constants import DATA_MARKET
from tariffsim.law.duty_tables import TariffSchedule
from tariffsim.law.expectations import DutyExpectations
from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.policy.shipments import CHINA, Codes
from tariffsim.scenario import Scenario
from tariffsim.state.constants import Constants
from tariffsim.tables import BARE_CHIPS, CalendarRow, ImportRow, Tables
from tariffsim.typing import Float, format_month, parse_month

REGION_OF_ORIGIN = {"TH": "SEA", "MY": "SEA"}
"""Foundry regions of countries whose code is not itself a region; all else is OTHER."""
DISCRETES = "D"


def make_tariff_schedule(
    scenario: Scenario, tables: Tables, constants: Constants
) -> TariffSchedule:
    """The compiled law: base duties, the calendar, and the scenario's own policies."""
    codes, rows = constants.codes, _base_rows(scenario, tables)
    calendar = (
        list(calendar_instruments(tables, scenario, codes))
        if scenario.trade.tariffs_in_force
        else []
    )
    return TariffSchedule(
        codes,
        [*calendar, *scenario.dated_policies.items()],
        _base_product(rows, codes),
        _base_bare(rows, codes),
        scenario.trade.markup,
    )


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


def _base_rows(scenario: Scenario, tables: Tables) -> tuple[ImportRow, ...]:
    """Imports with their duties; before Section 301, China's owe at the rate of Japan's."""
    if scenario.trade.base_duties == "observed":
        return tables.imports
    rate = {
        row.device: row.calculated_duty_usd / row.customs_value_usd
        for row in tables.imports
        if row.origin == "JP" and row.customs_value_usd > 0
    }
    rows = []
    for row in tables.imports:
        duty = row.customs_value_usd * rate.get(row.device, 0.0)
        is_china = row.origin == CHINA
        rows.append(row.model_copy(update={"calculated_duty_usd": duty}) if is_china else row)
    return tuple(rows)


def _base_product(imports: tuple[ImportRow, ...], codes: Codes) -> Float:
    """(cells, 1) calculated duty over customs value of 2024, in the data market only."""
    value = np.zeros(codes.n_cells)
    duty = np.zeros(codes.n_cells)
    if DATA_MARKET not in codes.markets:
        return duty[:, None]
    market = codes.markets.index(DATA_MARKET)
    for row in imports:
        if row.device in codes.devices:
            cell = codes.cell(
                codes.devices.index(row.device), codes.origins.index(row.origin), market
            )
            value[cell] += row.customs_value_usd
            duty[cell] += row.calculated_duty_usd
    return np.asarray(duty / np.where(value > 0, value, 1.0))[:, None]


def region_of(origin: str, codes: Codes) -> str:
    """Foundry region whose unmounted chips come from a country."""
    return origin if origin in codes.regions else REGION_OF_ORIGIN.get(origin, "OTHER")


def _base_bare(imports: tuple[ImportRow, ...], codes: Codes) -> Float:
    """(O, K, R) base duty on unmounted chips where products are assembled in the data market."""
    value = np.zeros((2, len(codes.regions)))
    duty = np.zeros_like(value)
    for row in imports:
        if row.device in BARE_CHIPS and region_of(row.origin, codes) in codes.regions:
            place = BARE_CHIPS.index(row.device), codes.regions.index(region_of(row.origin, codes))
            value[place] += row.customs_value_usd
            duty[place] += row.calculated_duty_usd
    rates = duty / np.where(value > 0, value, 1.0)
    kind = [int(k == DISCRETES) for k in codes.classes]
    levied = np.array([codes.markets[m] == DATA_MARKET for m in codes.home_market])
    foreign = np.asarray(codes.region_market)[None, :] != np.asarray(codes.home_market)[:, None]
    return np.asarray(levied[:, None, None] * foreign[:, None, :] * rates[kind][None])


def calendar_instruments(
    tables: Tables, scenario: Scenario, codes: Codes
) -> Iterator[tuple[str, Instrument]]:
    """Rows of the tariff calendar as instruments, as level less what is in the base duties.

    Each row is news on its date, and agents do not know its end in advance.
    """
    rows = [row for row in tables.calendar if row.in_baseline and row.rate is not None]
    if scenario.trade.base_duties != "observed":
        rows = [row.model_copy(update={"in_2024_base": False}) for row in rows]
    for number, row in enumerate(rows):
        end = _end(row, rows)
        if row.in_2024_base or (end is not None and end < scenario.run.start):
            continue
        base = max(
            (r.rate or 0.0 for r in rows if r.in_2024_base and _same_scope(r, row)), default=0.0
        )
        common: dict[str, Any] = {
            "rate": row.rate - base if row.rate is not None else 0.0,
            "start": row.date,
            "end": None if end is None else format_month(end),
            "end_known": False,
            "markets": (row.levied_by,),
        }
        name = f"{row.instrument}, {row.date}, row {number + 1}"
        if products := tuple(d for d in row.devices if d not in BARE_CHIPS):
            scope = {"devices": products, "assembly_countries": row.against}
            yield name, _instrument("product_tariff", common | scope)
        if any(d in BARE_CHIPS for d in row.devices):
            regions = tuple(dict.fromkeys(region_of(origin, codes) for origin in row.against))
            yield (
                f"{name}, unmounted chips",
                _instrument("bare_chip_tariff", common | {"chip_regions": regions}),
            )


def _instrument(kind: str, fields: dict[str, Any]) -> Instrument:
    return INSTRUMENTS[kind].model_validate({"kind": kind} | fields)


def _same_scope(one: CalendarRow, other: CalendarRow) -> bool:
    """Whether two rows are of one instrument and name a common code and device."""
    return (
        one.instrument == other.instrument
        and one.levied_by == other.levied_by
        and bool(set(one.against) & set(other.against))
        and bool(set(one.devices) & set(other.devices))
    )


def _end(row: CalendarRow, rows: list[CalendarRow]) -> int | None:
    """Last month of a row: before its stated end, or before a later row replaces it."""
    ends = [parse_month(row.ends) - 1] if row.ends else []
    ends += [
        parse_month(later.date) - 1
        for later in rows
        if later.date > row.date and _same_scope(later, row)
    ]
    return min(ends, default=None)

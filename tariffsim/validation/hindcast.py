"""The months of a run from 2017, as US customs would have counted them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tariffsim.kernels.sums import sum_by
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.simulation import Simulation
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, Int, parse_month
from tariffsim.validation.chip_moments import MARKET, chinese_suppliers, keep_rate

CHINA = "CN"
DISCRETES, CIRCUITS = ("D",), ("A", "B", "C")
"""Node classes that stand for discretes and for integrated circuits."""
NOBODY_REACTS = {
    "sourcing__opening_factor": 1e-9,
    "assembly__shift_hazard": 0.0,
    "assembly__plant_hazard": 0.0,
}
"""No switch of suppliers, no split, no shift and no plant; demand and prices respond."""


@dataclass(frozen=True)
class Months:
    """What entered the United States, by month (T)."""

    first: int
    """Month of the first row."""
    devices: tuple[str, ...]
    origins: tuple[str, ...]
    imports: Float
    """(T, D, O) USD of devices assembled abroad."""
    duty: Float
    """(T, D, O) USD of duty declared on them."""
    chips: Float
    """(T, K) Chinese chips that entered unmounted for assembly there, by node class."""
    chip_price: Float
    """(T, K) mean price of these before duty, USD; NaN where none entered."""
    classes: tuple[str, ...]
    kept: float
    """Of the parts with a Chinese supplier, the share that has the same one after the first year.
    """
    unmounted: Float
    """(T, 2) USD of chips of all origins that entered unmounted for assembly there, and of duty."""

    def rows(self, first: str, last: str) -> slice:
        """Rows from one month to another, both included."""
        return slice(parse_month(first) - self.first, parse_month(last) - self.first + 1)

    def year(self, year: int) -> slice:
        """The rows of a year."""
        return self.rows(f"{year}-01", f"{year}-12")


def hindcast(name: str = "hindcast_2017", reacts: bool = True, **changes: object) -> Scenario:
    """The scenario, in which nobody reacts or everybody does, with changes."""
    return replace(load_scenario(name), **({} if reacts else NOBODY_REACTS), **changes)


def months_of(scenario: Scenario, seed: int) -> Months:
    """Run a scenario with one seed and count what entered."""
    simulation = Simulation(scenario, seed)
    return count_months(simulation, simulation.advance)


def count_months(simulation: Simulation, month: Callable[[], None]) -> Months:
    """Run a simulation to its last month and count what entered.

    Args:
        simulation: at its base year.
        month: its step, with or without a record.
    """
    codes = simulation.economy.constants.codes
    imports, duty, chips, value, unmounted = [], [], [], [], []
    before, kept = chinese_suppliers(simulation.economy), np.nan
    while simulation.economy.month < simulation.n_months - 1:
        month()
        of_month = _products(simulation.economy)
        imports.append(of_month[0])
        duty.append(of_month[1])
        of_chips = _chips(simulation.economy)
        chips.append(of_chips[0])
        value.append(of_chips[1])
        if simulation.economy.month == 11:
            kept = keep_rate(before, chinese_suppliers(simulation.economy))
        unmounted.append(_unmounted(simulation.economy))
    number = np.array(chips)
    with np.errstate(invalid="ignore", divide="ignore"):
        price = np.array(value) / number
    return Months(
        first=simulation.scenario.run.start, devices=codes.devices, origins=codes.origins,
        imports=np.array(imports), duty=np.array(duty), chips=number, chip_price=price,
        classes=codes.classes, kept=kept, unmounted=np.array(unmounted),
    )  # fmt: skip


def _cells(economy: Economy, flow: Int) -> Int:
    codes, makers, flows = economy.constants.codes, economy.makers, economy.flows
    return np.asarray(makers.device[flows.maker[flow]] * len(codes.origins) + flows.origin[flow])


def _products(economy: Economy) -> tuple[Float, Float]:
    """(D, O) USD of imports of the month into the United States, and of duty on them."""
    codes, flows = economy.constants.codes, economy.flows
    here = flows.market == codes.markets.index(MARKET)
    flow = np.flatnonzero(here & economy.is_imported)
    shape = len(codes.devices), len(codes.origins)
    cell, units = _cells(economy, flow), flows.units[flow]
    each = flows.customs_value[flow], flows.base_duty[flow] + flows.new_duty[flow]
    value, duty = (sum_by(cell, units * per_unit, shape[0] * shape[1]) for per_unit in each)
    return value.reshape(shape), duty.reshape(shape)


def _chips(economy: Economy) -> tuple[Float, Float]:
    """(K,) Chinese chips in what was assembled in the United States, and their USD."""
    codes, flows, makers = economy.constants.codes, economy.flows, economy.makers
    flow = _assembled_here(economy)
    maker, units = flows.maker[flow], flows.units[flow, None]
    is_chinese = makers.chip_region[maker] == codes.regions.index(CHINA)
    count = units * makers.chips[maker] * is_chinese
    value = units * makers.chip_value[maker] * is_chinese
    n = len(codes.classes)
    number, worth = (
        sum_by(np.tile(makers.slot_class, len(flow)), each.ravel(), n) for each in (count, value)
    )
    return number, worth


def _unmounted(economy: Economy) -> tuple[float, float]:
    """USD of chips made abroad in what was assembled in the United States, and of duty on them."""
    codes, flows, makers = economy.constants.codes, economy.flows, economy.makers
    flow = _assembled_here(economy)
    maker, units = flows.maker[flow], flows.units[flow]
    is_foreign = makers.chip_region[maker] != codes.regions.index(MARKET)
    value = units[:, None] * makers.chip_value[maker] * is_foreign
    return float(value.sum()), float((units * flows.bare_duty[flow]).sum())


def _assembled_here(economy: Economy) -> Int:
    """Flows of products that are assembled in the United States."""
    codes = economy.constants.codes
    home = [o for o, m in enumerate(codes.home_market) if codes.markets[m] == MARKET]
    return np.flatnonzero(np.isin(economy.flows.origin, home))

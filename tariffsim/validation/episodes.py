"""Episodes of history as runs: one seed, in which makers react or nobody does.

Each run is made when a figure first needs it, and kept. What sets an episode up is published or
law; no value is chosen for what comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as with_fields
from functools import cached_property
from typing import Any

import numpy as np

from tariffsim.experiments.assembly_moments import MOMENTS
from tariffsim.experiments.runs import context_of
from tariffsim.record.history import History as Record
from tariffsim.record.metrics import Context, welfare
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.simulation import Simulation
from tariffsim.typing import Float, parse_month
from tariffsim.validation.chip_moments import MARKET, users_of_legacy_chips
from tariffsim.validation.estimated import estimated_parameters, moving
from tariffsim.validation.hindcast import (
    CHINA,
    NOBODY_REACTS,
    Months,
    count_months,
    hindcast,
)

CARS = ("combustion_car", "electric_car")
PHONES_AND_LAPTOPS = ("smartphone", "laptop")
EVASION_RATE = 0.175
"""Average tariff of V14."""
STUDY_YEAR = ("2019-01", "2019-12")
STOCKS_FELL = (40 - 5) / 365
"""Part of a year's use by which users' stocks of chips fell in the shortage of 2021: the median of
40 days in 2019 to 5 (S22)."""
TEN_YEARS = {"run__start": "2025-01", "run__end": "2034-12"}
DUTIES_OF_2025 = {"run__end": "2025-11"}
ANALOG = ("C", "D")
"""Node classes that stand for analog chips: 90 nm and older."""


@dataclass(frozen=True, eq=False)
class Run:
    """One run: what was recorded, and what entered the United States."""

    record: Record
    months: Months
    context: Context

    def cells(self, column: str, devices: tuple[str, ...], first: str, last: str) -> Float:
        """(M,) sums over some devices and months of a column."""
        known = self.months.devices
        values = self.record.cells[column][self.months.rows(first, last)].sum(axis=0)
        return np.asarray(values[:, [known.index(name) for name in devices]].sum(axis=1))

    def in_market(self, column: str, device: str, first: str, last: str) -> float:
        """The same for one device in the United States."""
        return float(self.cells(column, (device,), first, last)[self.market])

    @property
    def market(self) -> int:
        """The place of the United States among markets."""
        return self.context.codes.markets.index(MARKET)

    def foundries_of(self, region: str) -> Float:
        """(F,) whether a foundry is in a region."""
        return np.asarray(self.record.foundry_region == self.context.codes.regions.index(region))


def run_of(scenario: Scenario, seed: int) -> Run:
    """A run to its last month."""
    simulation = Simulation(scenario, seed)
    months = count_months(simulation, simulation.step)
    record = simulation.recorder.history(seed, scenario.run.start)
    return Run(record, months, context_of(simulation.economy))


@dataclass(frozen=True, eq=False)
class Episodes:
    """All episodes with one seed."""

    seed: int
    reacts: bool = True

    def _run(self, scenario: Scenario, **changes: Any) -> Run:
        return run_of(self._set(scenario, **changes), self.seed)

    def _set(self, scenario: Scenario, **changes: Any) -> Scenario:
        return replace(scenario, **(changes if self.reacts else NOBODY_REACTS | changes))

    @cached_property
    def with_301(self) -> Run:
        """2017 to 2024 as it was."""
        return self._run(hindcast())

    @cached_property
    def without_301(self) -> Run:
        """The same without Section 301."""
        return self._run(hindcast("hindcast_2017_no_301"))

    @cached_property
    def assembly(self) -> dict[str, list[float]]:
        """V5, V6, V8 and V10 by part: small markets with the model's choice of places."""
        moves = moving({each.key: each.default for each in estimated_parameters()})
        if not self.reacts:
            stands = {"shift_hazard": 0.0, "plant_hazard": 0.0}
            moves = with_fields(moves, rules=moves.rules.model_copy(update=stands))
        return {name: moment(moves, self.seed) for name, moment in MOMENTS.items()}

    @cached_property
    def survey(self) -> list[float]:
        """V13: products with a Chinese chip, and those verified free of them, by part."""
        return users_of_legacy_chips(load_scenario("baseline"), self.seed)

    @cached_property
    def evasion(self) -> float:
        """V14: share of imports from China that were not declared as such, by value, in 2020.

        With one rate on all of them, it is the share of the duty that was evaded.
        """
        run = self._run(
            hindcast("hindcast_2017_no_301"), run__end="2020-12",
            policies={"tariff": _tariff_on_china({"2018-07": EVASION_RATE})},
        )  # fmt: skip
        evaded, paid = (
            run.cells(column, run.months.devices, "2020-01", "2020-12")[run.market]
            for column in ("evaded_value", "new_duty_value")
        )
        return float(evaded / (evaded + paid))

    @cached_property
    def study_scenarios(self) -> tuple[Scenario, Scenario]:
        """V15: 25 % on Chinese phones and laptops from January 2019, and the same without."""
        tariff = _tariff_on_china({STUDY_YEAR[0]: 0.25}, devices=list(PHONES_AND_LAPTOPS))
        base = self._set(hindcast("hindcast_2017_no_301"), run__end=STUDY_YEAR[1])
        return replace(base, policies={"tariff": tariff}), base

    @cached_property
    def study(self) -> tuple[Run, Run]:
        """Both runs of V15."""
        with_tariff, without = (run_of(each, self.seed) for each in self.study_scenarios)
        return with_tariff, without

    @cached_property
    def shortage(self) -> float:
        """V11: cars not sold in the world in 2021, millions.

        All foundries of a region lose so much of their capacity in 2021 that what is left is
        short of what was ordered from them by as much as users' stocks fell.
        """
        usual, policies = self.with_301, {}
        record, year = usual.record, usual.months.year(2021)
        wafers = {
            name: (record.foundries[name][year] / record.chips_per_kwpm).sum(axis=(0, 2))
            for name in ("orders", "capacity")
        }
        for region in usual.context.codes.regions:
            own = usual.foundries_of(region)
            busy = wafers["orders"][own].sum() / wafers["capacity"][own].sum()
            lost = float(np.clip(1 - busy * (1 - STOCKS_FELL), 0, 1))
            policies[f"shortage_{region.lower()}"] = {
                "kind": "capacity_loss", "regions": [region], "share": {"2021-01": lost},
            }  # fmt: skip
        run = self._run(hindcast(), run__end="2021-12", policies=policies)
        return float(run.cells("lost_units", CARS, "2021-01", "2021-12").sum() / 1e6)

    @cached_property
    def chip_tariffs(self) -> tuple[float, float]:
        """V16: buyers' cost of 25 % on all chips, and of 25 % on Chinese ones, ten years."""
        base = self._set(load_scenario("baseline"), **TEN_YEARS)
        without = run_of(base, self.seed)
        costs = []
        for regions in ("all", [CHINA]):
            tariff = {
                "kind": "bare_chip_tariff", "markets": [MARKET], "chip_regions": regions,
                "rate": {"2025-01": 0.25},
            }  # fmt: skip
            run = run_of(replace(base, policies={"tariff": tariff}), self.seed)
            change = welfare(run.record, without.record, run.context)[:, run.market]
            costs.append(-float(change[:, [0, -1]].sum()))
        return costs[0], costs[1]

    @cached_property
    def analog(self) -> tuple[float, float]:
        """V18: change of price and volume of US analog chips in what China buys, 2024 over 2022.

        Laspeyres indices over classes.
        """
        run, codes = self.with_301, self.with_301.context.codes
        region, market = codes.regions.index(MARKET), codes.markets.index(CHINA)
        classes = [codes.classes.index(name) for name in ANALOG]
        chips = run.record.sourcing[:, market, :, :, region].sum(axis=1)[:, classes]
        price = run.record.chip_price[:, classes, region]
        years = [run.months.year(year) for year in (2022, 2024)]
        number = [chips[year].sum(axis=0) for year in years]
        each = [price[year].mean(axis=0) for year in years]
        before = each[0] @ number[0]
        return float(each[1] @ number[0] / before - 1), float(each[0] @ number[1] / before - 1)

    @cached_property
    def border_2018(self) -> Float:
        """(T, 3) what `pass_through` counts from 2017 to 2018."""
        pair = [
            self._set(hindcast(name), run__end="2018-12")
            for name in ("hindcast_2017", "hindcast_2017_no_301")
        ]
        return pass_through(pair, self.seed)

    @cached_property
    def border_2025(self) -> Float:
        """(T, 3) what `pass_through` counts from January to November 2025."""
        base = load_scenario("baseline")
        pair = [
            self._set(base, trade__tariffs_in_force=is_on, **DUTIES_OF_2025)
            for is_on in (True, False)
        ]
        return pass_through(pair, self.seed)

    @cached_property
    def shelf(self) -> Float:
        """(T, 3) what `pass_through` counts from 2017 to six months into the tariff of V15."""
        pair = [replace(each, run__end="2019-07") for each in self.study_scenarios]
        return pass_through(pair, self.seed)


def _tariff_on_china(rate: dict[str, float], **scope: Any) -> dict[str, Any]:
    return {
        "kind": "product_tariff", "rate": rate, "markets": [MARKET],
        "assembly_countries": [CHINA], **scope,
    }  # fmt: skip


def pass_through(scenarios: Sequence[Scenario], seed: int) -> Float:
    """(T, 3) USD: duty above that of a run without it, fall of prices before duty, rise of retail.

    Of imports into the United States that come from the same country with the duty, in the first
    of two scenarios, as without, in the second; at the units of the first. What makers rebate is
    a fall of price.
    """
    pair = [Simulation(scenario, seed) for scenario in scenarios]
    rebated, found = 1 - scenarios[0].trade.border_pass_through, []
    while pair[0].economy.month < pair[0].n_months - 1:
        for simulation in pair:
            simulation.step()
        flows, before = (simulation.economy.flows for simulation in pair)
        here = flows.market == pair[0].economy.constants.codes.markets.index(MARKET)
        same = here & pair[0].economy.is_imported & (flows.origin == before.origin)
        duty = flows.new_duty - before.new_duty
        fall = before.customs_value - flows.customs_value + rebated * duty
        each = np.stack([duty, fall, flows.price - before.price], axis=1)
        found.append((flows.units * same) @ each)
    return np.array(found)


def rows_since(start: str, first: str, last: str) -> slice:
    """Rows of months in arrays that begin at `start`."""
    begin = parse_month(start)
    return slice(parse_month(first) - begin, parse_month(last) - begin + 1)

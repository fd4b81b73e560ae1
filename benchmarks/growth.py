"""What a run costs as a scenario grows, and beside a simple market in Mesa.

Each figure is a ratio of processor seconds a month (medians) of runs of one process, which take
turns month by month: 5 and 20 instruments to one, 300 foundries to 29, the last quarter of 600
months to the first. The toy has as many agents as the model has product lines; a buyer takes the
cheapest of three sellers it meets, a seller moves its price by its sales. It has no trade, duties,
stocks or accounts, so the ratio says what a full month costs, not which program is better. Last,
the seconds of paired runs until the interval of the change of the Chinese share reaches 0.2
percentage points to either side: the spread is that of a few seeds, and the number of seeds
follows from it, at central parameters.
`--quick`: fewer months and seeds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from math import ceil
from statistics import median, stdev

import mesa

from tariffsim.experiments.comparison import run_seed
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.simulation import Simulation

MAKERS = 1_200
POINTS = 0.2
"""Half of the interval that is asked for, percentage points."""
STUDENT = 1.96
LONG = 600


def with_instruments(n: int) -> Scenario:
    """Component tariffs of rates of their own, in force from the first month."""
    policies = {
        f"p{i}": {"kind": "component_tariff", "rate": 0.01 + 0.001 * i, "start": "2025-01"}
        for i in range(n)
    }
    return replace(load_scenario("baseline"), agents__makers=MAKERS, policies=policies)


def with_foundries(factor: float) -> Scenario:
    """The baseline's regions with so many times their foundries."""
    scenario = replace(load_scenario("component_50"), agents__makers=MAKERS)
    regions = scenario.tables().foundry_regions
    for code in regions.codes:
        n = max(1, round(factor * regions.number(code, "foundries")))
        scenario = replace(scenario, **{f"figures__foundry_regions__{code}__foundries": n})
    return scenario


class Seller(mesa.Agent):
    """Moves its price by its sales."""

    price, sold = 1.0, 0

    def step(self) -> None:
        """A month."""
        self.price *= 1.01 if self.sold > 2 else 0.99
        self.sold = 0


class Buyer(mesa.Agent):
    """Takes the cheapest of three sellers that it meets."""

    def step(self) -> None:
        """A month."""
        met = self.random.sample(self.model.sellers, 3)
        min(met, key=lambda seller: seller.price).sold += 1


class Market(mesa.Model):
    """Buyers and a third as many sellers."""

    def __init__(self, agents: int) -> None:
        super().__init__(rng=0)
        self.sellers = list(Seller.create_agents(self, agents // 4))
        Buyer.create_agents(self, agents - len(self.sellers))

    def step(self) -> None:
        """A month."""
        self.agents_by_type[Buyer].shuffle_do("step")
        self.agents_by_type[Seller].do("step")


def months(runs: Mapping[str, Callable[[], object]], n: int) -> dict[str, float]:
    """Median processor seconds of a month of each, in turns, after a first one."""
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(n + 1):
        for name, step in runs.items():
            began = time.process_time()
            step()
            spent[name].append(time.process_time() - began)
    return {name: median(seconds[1:]) for name, seconds in spent.items()}


def late_to_early(n: int) -> float:
    """The last months of a long run to its first."""
    size = {"agents__makers": 300, "run__end": f"{2024 + n // 12}-12"}
    run = Simulation(replace(load_scenario("component_50"), **size), 0)
    spent = []
    for _ in range(n):
        began = time.process_time()
        run.step()
        spent.append(time.process_time() - began)
    return median(spent[-n // 4 :]) / median(spent[1 : n // 4])


def seconds_to_precision(seeds: int) -> float:
    """Processor seconds of as many pairs of runs as the precision takes, at central parameters."""
    named = {name: load_scenario(name) for name in ("baseline", "component_50")}
    began, changes = time.process_time(), []
    for seed in range(seeds):
        base, other = (run.summary["cn_share"] for run in run_seed(named, seed).runs.values())
        changes.append(other - base)
    pair = (time.process_time() - began) / seeds
    return pair * max(2, ceil((STUDENT * stdev(changes) / POINTS) ** 2))


def main() -> None:
    """Print the figures."""
    is_quick = "--quick" in sys.argv
    n = 6 if is_quick else 36
    scenarios = {f"{k} instruments": with_instruments(k) for k in (1, 5, 20)}
    scenarios |= {"29 foundries": with_foundries(1), "300 foundries": with_foundries(300 / 29)}
    runs: dict[str, Callable[[], object]] = {
        name: Simulation(scenario, 0).step for name, scenario in scenarios.items()
    }
    found = months(runs | {"toy": Market(MAKERS).step}, n)
    for k in (5, 20):
        print(f"month with {k} instruments to one = "
              f"{found[f'{k} instruments'] / found['1 instruments']:.3g}")  # fmt: skip
    print(f"month with 300 foundries to 29 = {found['300 foundries'] / found['29 foundries']:.3g}")
    print(f"full month to a month of a toy market in Mesa, {MAKERS:,} agents = "
          f"{found['29 foundries'] / found['toy']:.3g}")  # fmt: skip
    long = 72 if is_quick else LONG
    print(f"last months of {long} to the first = {late_to_early(long):.3g}")
    seconds = seconds_to_precision(2 if is_quick else 10)
    print(f"seconds to {POINTS} pp to either side, component_50 = {seconds:.3g}")


if __name__ == "__main__":
    main()

"""The model as Mesa knows it: a clock, agents to look at, a data collector. No economics here."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from inspect import Signature, signature
from numbers import Integral
from typing import Any, NoReturn
from uuid import uuid4

from tariffsim.agents import Census, DeviceMaker, Foundry, Importer, Population
from tariffsim.agents.rows import DataCollector, Model
from tariffsim.record.history import History
from tariffsim.scenario import Scenario, load_scenario
from tariffsim.simulation import Simulation
from tariffsim.state.economy import Economy
from tariffsim.typing import format_month


def chips_from_china(model: TariffModel) -> float:
    """Chinese share of the chips in what device makers deliver in the month, a fraction."""
    makers, foundries = model.economy.makers, model.economy.foundries
    chips = makers.chips * makers.units[:, None]
    return float((chips * foundries.is_chinese[makers.supplier]).sum() / max(chips.sum(), 1e-300))


def duty_paid(model: TariffModel) -> float:
    """Duty on products that importers of all markets pay in the month, USD."""
    return float(model.economy.importers.duty.sum())


REPORTERS = {
    "seed": "seed",
    "date": "date",
    "chips_from_china": chips_from_china,
    "duty_paid": duty_paid,
}
"""What a collector reports if none is given."""


class TariffModel(Model):  # type: ignore[misc]
    """One run of one scenario as a Mesa model, for looking at agents while it runs.

    The agents are windows on the economy's tables, created lazily: looking changes nothing,
    and a run gives the same as `tariffsim.simulation.simulate`, bit for bit.

    Args:
        scenario: what is assumed, as an object, a file or the name of a shipped scenario.
        seed: names the draws of this replication; one that no other model is likely to have if
            None, as in Mesa.
        datacollector: collects after every month, for this model alone: a collector, or a function
            that makes one. If None, one that reports `REPORTERS`.
        rng: Mesa's name for `seed`, which is a whole number here.

    Raises:
        ScenarioError: the scenario is refused.
        TypeError: the scenario or seed is not of these kinds.
        ValueError: `seed` and `rng` are given, or a collector that collects for another model.
    """

    running: bool
    """Whether months are left."""

    def __init__(
        self,
        scenario: Scenario | os.PathLike[str] | str = "baseline",
        seed: int | None = None,
        datacollector: DataCollector | Callable[[], DataCollector] | None = None,
        rng: int | None = None,
    ) -> None:
        seed = _one_seed(seed, rng)
        super().__init__(rng=seed)
        if not isinstance(scenario, (Scenario, str, os.PathLike)):
            raise TypeError(
                f"scenario must be a scenario, a file or a name, not {type(scenario).__name__}; "
                'in a batch give a list, even of one: {"scenario": [scenario]}'
            )
        if not isinstance(scenario, Scenario):
            scenario = load_scenario(scenario)
        self.simulation = Simulation(scenario, seed)
        self._own = str(uuid4())
        self.datacollector = datacollector
        economy = self.simulation.economy
        self.census = Census(
            {
                Foundry: len(economy.foundries),
                DeviceMaker: economy.makers.n_lines,
                Importer: len(economy.importers),
            }
        )

    @property
    def scenario(self) -> Scenario:
        """What is assumed."""
        return self.simulation.scenario

    @scenario.setter
    def scenario(self, scenario: object) -> None:
        # Mesa 3.5 and newer give each model a scenario of their own while it is constructed.
        if "simulation" in vars(self):
            raise AttributeError("a model keeps its scenario: make another TariffModel")

    @property
    def seed(self) -> int:
        """It names the draws of this run: with it the run can be made again."""
        return self.simulation.seed

    @property
    def datacollector(self) -> DataCollector:
        """What collects after every month."""
        return self._datacollector

    @datacollector.setter
    def datacollector(self, collector: DataCollector | Callable[[], DataCollector] | None) -> None:
        # Rows of two models in one collector would be taken for those of either.
        found = collector() if callable(collector) else collector or DataCollector(REPORTERS)
        if vars(found).setdefault("_collects_for", self._own) != self._own:
            raise ValueError(
                "this DataCollector collects for another model: give each model its own, or a "
                "function that makes one"
            )
        self._datacollector = found

    @property
    def economy(self) -> Economy:
        """The tables of the run."""
        return self.simulation.economy

    @property
    def month(self) -> int:
        """Months since the start; -1 before the first."""
        return self.economy.month

    @property
    def date(self) -> str:
        """The month simulated last, such as 2025-07."""
        return format_month(self.economy.date)

    def step(self) -> None:
        """Simulate one month.

        Raises:
            RuntimeError: the last month has been simulated.
        """
        if not self.running:
            raise RuntimeError(f"the run ended in {self.date}, the last month of its scenario")
        self.simulation.step()
        self.running = self.month < self.simulation.n_months - 1
        self.datacollector.collect(self)

    def run_model(self) -> History:
        """Simulate to the last month and return what was recorded."""
        while self.running:
            self.step()
        return self.history

    @property
    def history(self) -> History:
        """What was recorded so far."""
        if self.month < 0:
            raise RuntimeError("no month has been simulated yet")
        return self.simulation.recorder.history(self.simulation.seed, self.scenario.run.start)

    @property
    def agents(self) -> Population:
        """All agents. Going through them makes each: over many, prefer columns by type."""
        return Population.everyone(self)

    @property
    def agents_by_type(self) -> dict[type, Population]:
        """Agents by kind: `Foundry`, `DeviceMaker`, `Importer`."""
        return {kind: Population.of(self, kind) for kind in self.census.counts}

    @property
    def agent_types(self) -> list[type]:
        """The kinds of agents."""
        return list(self.census.counts)

    def register_agent(self, agent: Any) -> NoReturn:
        """Refused: the agents of this model are the rows of its tables."""
        raise TypeError("agents cannot be added: set their number in the scenario (agents)")


def _one_seed(seed: object, rng: object) -> int:
    """The seed under either of its names, or a fresh one."""
    if seed is not None and rng is not None:
        raise ValueError("give seed or rng, not both: they are the same")
    given = rng if seed is None else seed
    if given is None:
        return secrets.randbelow(2**31)
    if isinstance(given, bool) or not isinstance(given, Integral) or given < 0:
        raise TypeError(f"seed must be a whole number, 0 or more, or None (is {given!r})")
    return int(given)


def _without_seed(whole: Signature) -> Signature:
    return whole.replace(parameters=[p for n, p in whole.parameters.items() if n != "seed"])


# Mesa 3.5's `batch_run` writes its own seeds over those of `parameters={"seed": [1, 2]}` in a class
# that shows a parameter of that name; it leaves them alone, and uses `rng`, in one that does not.
TariffModel.__signature__ = _without_seed(signature(TariffModel))

"""The model as Mesa knows it: a clock, agents to look at, a data collector. No economics here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from tariffsim.agents import Census, DeviceMaker, Foundry, Importer, Population
from tariffsim.agents.rows import DataCollector, Model
from tariffsim.record.history import History
from tariffsim.scenario import Scenario, load_scenario
from tariffsim.simulation import Simulation
from tariffsim.state.economy import Economy
from tariffsim.typing import format_month


class TariffModel(Model):  # type: ignore[misc]
    """One run of one scenario as a Mesa model, for looking at agents while it runs.

    The agents are windows on the economy's tables, created lazily: looking changes nothing,
    and a run gives the same as `tariffsim.simulation.simulate`, bit for bit.

    Args:
        scenario: what is assumed, as an object, a file or the name of a shipped scenario.
        seed: names the draws of this replication.
        datacollector: collects after every month.
    """

    running: bool
    """Whether months are left."""

    def __init__(
        self,
        scenario: Scenario | Path | str = "baseline",
        seed: int = 0,
        datacollector: DataCollector | None = None,
    ) -> None:
        super().__init__(rng=seed)
        if not isinstance(scenario, Scenario):
            scenario = load_scenario(scenario)
        self.simulation = Simulation(scenario, seed)
        self.datacollector = datacollector
        economy = self.simulation.economy
        self.census = Census(
            {
                Foundry: len(economy.foundries),
                DeviceMaker: len(economy.makers),
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
        if self.datacollector is not None:
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

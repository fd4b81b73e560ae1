"""One run: an economy, its draws and its recorder, month by month. It runs without Mesa."""

from __future__ import annotations

from tariffsim.calibration import build_economy
from tariffsim.month import PHASES
from tariffsim.record.history import History
from tariffsim.record.recorder import Recorder
from tariffsim.scenario import Scenario
from tariffsim.state.draws import Draws
from tariffsim.state.ledger import check_accounting_identities


class Simulation:
    """A run of one scenario with one seed.

    Args:
        scenario: what is assumed.
        seed: names the draws of this replication.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self.seed = scenario, seed
        self.draws = Draws(seed)
        self.economy = build_economy(scenario, seed, self.draws)
        self.n_months = scenario.run.end - scenario.run.start + 1
        self.recorder = Recorder(self.economy, self.n_months)

    def step(self) -> None:
        """One month: every phase in order, accounting identities checked, the month recorded."""
        self.advance()
        self.recorder.record(self.economy)

    def advance(self) -> None:
        """The same without a record of it."""
        for phase in PHASES:
            phase(self.economy, self.draws)
        check_accounting_identities(self.economy)

    def run(self) -> History:
        """Run to the last month and return what was recorded."""
        while self.economy.month < self.n_months - 1:
            self.step()
        return self.recorder.history(self.seed, self.scenario.run.start)


def simulate(scenario: Scenario, seed: int) -> History:
    """Run one scenario with one seed and return what was recorded."""
    return Simulation(scenario, seed).run()

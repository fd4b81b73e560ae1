"""One run: an economy, its draws and its recorder, month by month. It runs without Mesa."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tariffsim.calibration import build_economy
from tariffsim.month import PHASES
from tariffsim.record.history import History
from tariffsim.record.recorder import Recorder
from tariffsim.scenario import Scenario
from tariffsim.state import snapshot
from tariffsim.state.draws import Draws
from tariffsim.state.ledger import check_accounting_identities
from tariffsim.state.snapshot import Snapshot
from tariffsim.typing import Float

MOST_KEPT = 2**29
"""Bytes of the snapshots that a run keeps; one takes at most 6 kB a line."""


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

    def snapshots(self, at: Collection[int]) -> dict[int, Snapshot]:
        """The states after so many months each, run to the last of these; none yet simulated.

        As many of them, earliest first, as `MOST_KEPT` allows.
        """
        largest = snapshot.size(self.economy)
        kept = sorted(at)[: MOST_KEPT // largest]
        start = snapshot.digests(self.economy) if kept else {}
        found = {}
        for months in kept:
            while self.economy.month < months - 1:
                self.step()
            found[months] = snapshot.taken(self.economy, start)
        return found

    def go_on(self, state: Snapshot, past: History, policy_duty: Float) -> None:
        """Take over the months before a snapshot from another run; none yet simulated.

        Args:
            state: of the other run, with numbers of laws as they are here.
            past: what the other run recorded.
            policy_duty: (months, laws) USD of duty in these months by the laws of this run.
        """
        schedule, start = self.economy.tariff_schedule, self.scenario.run.start
        rates = [schedule.rates_in_force(start + month) for month in range(state.months)]
        self.recorder.begin_with(past, np.array(rates), policy_duty)
        snapshot.restore(self.economy, state)


def simulate(scenario: Scenario, seed: int) -> History:
    """Run one scenario with one seed and return what was recorded."""
    return Simulation(scenario, seed).run()

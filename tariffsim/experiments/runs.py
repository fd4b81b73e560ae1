"""The unit of all experiments: one replication, a scenario and its baseline with the same seed."""

from __future__ import annotations

import hashlib
import json
import traceback
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tariffsim import simulation
from tariffsim.experiments.common_past import common_past, months_to_keep
from tariffsim.experiments.parameter_draws import Draw, draws_of, with_draw
from tariffsim.experiments.store import is_stored, run_key, write_run
from tariffsim.record.history import History
from tariffsim.record.metrics import Context, summarise, welfare
from tariffsim.record.result_tables import RunRecord, record_of
from tariffsim.scenario import Scenario
from tariffsim.state.economy import Economy
from tariffsim.state.snapshot import Snapshot, digests
from tariffsim.typing import Float

CACHED_BASELINES = 2
"""Runs of the baseline that a process keeps for further replications; some 8 MB, and states."""


@dataclass(frozen=True)
class Failure:
    """A run that failed: the phase of the month it was in, and the error; seed -1: all seeds."""

    scenario: str
    seed: int
    phase: str
    message: str

    def __str__(self) -> str:
        where = self.scenario if self.seed < 0 else f"{self.scenario}, seed {self.seed}"
        return f"{where}: {self.phase or 'run'}: {self.message}"


@dataclass(frozen=True, eq=False)
class Replication:
    """One run of a scenario, and the baseline that its metrics are differences from."""

    name: str
    scenario: Scenario
    baseline: Scenario
    hashes: tuple[str, str]
    """Of the scenario and of the baseline, with what is drawn; see `run_hash`."""
    seed: int
    market: str
    is_full: bool
    """Whether all tables are kept, or the metrics only."""
    draw: Draw | None = None
    """Parameters of both; None: central ones."""
    kept: tuple[int, ...] = ()
    """Months after which the baseline's run keeps its state, for all replications of the group."""

    @cached_property
    def key(self) -> str:
        """Name in a store: a hash of everything the record depends on."""
        return run_key(*self.hashes, self.seed, self.market, self.is_full)

    @property
    def group(self) -> tuple[str, int]:
        """The run of the baseline, which all replications of a group share."""
        return self.hashes[1], self.seed

    @property
    def labels(self) -> dict[str, Any]:
        """What the file of the run says about it."""
        return {"scenario": self.name, "seed": self.seed, "market": self.market}


@dataclass(frozen=True, eq=False)
class SimulatedRun:
    """A run, and states of it from which runs that begin alike go on."""

    history: History
    context: Context
    policy_duty: Float
    """(T, laws) USD a month by law."""
    snapshots: Mapping[int, Snapshot]
    """By months simulated."""


Outcome = RunRecord | Failure
_baselines: OrderedDict[tuple[str, int], SimulatedRun] = OrderedDict()


def replications_of(
    named: Mapping[str, Scenario], seeds: Sequence[int], market: str, is_full: bool,
    is_drawn: bool = False,
) -> list[Replication]:  # fmt: skip
    """All replications, seed by seed; the first scenario is the baseline."""
    base = next(iter(named.values()))
    hashes = {name: run_hash(scenario) for name, scenario in named.items()}
    draws = draws_of(seeds) if is_drawn else {}
    kept = months_to_keep(base, named.values())
    found = []
    for seed in map(int, seeds):
        draw = draws.get(seed)
        own = {name: _hash_with(digest, draw) for name, digest in hashes.items()}
        base_hash = next(iter(own.values()))
        found += [
            Replication(
                name, scenario, base, (own[name], base_hash), seed, market, is_full, draw, kept
            )
            for name, scenario in named.items()
        ]
    return found


def _hash_with(digest: str, draw: Draw | None) -> str:
    """Hash of what one run depends on, if its parameters are drawn."""
    if draw is None:
        return digest
    return hashlib.sha256(f"{digest}\n{json.dumps(draw)}".encode()).hexdigest()


def run_hash(scenario: Scenario) -> str:
    """Hash of what one run depends on: the number of replications is left out."""
    run = scenario.run.model_copy(update={"seed": 0, "seeds": 1})
    return scenario.model_copy(update={"run": run}).content_hash


def asked_of(scenarios: Sequence[Scenario], market: str, question: object) -> str:
    """Hash of what a command is asked about scenarios, whatever the number of seeds."""
    parts = (*((each.name, run_hash(each)) for each in scenarios), market, question)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def outcome_of(replication: Replication, baseline: SimulatedRun | None = None) -> Outcome:
    """The record of a run, or how it failed; the baseline is simulated here if it is not given."""
    try:
        return record_of_run(replication, baseline)
    except Exception as error:
        return failure_of(replication, error)


def failure_of(replication: Replication, error: BaseException) -> Failure:
    """The failure that an error means."""
    message = f"{type(error).__name__}: {error}"
    return Failure(replication.name, replication.seed, _phase(error), message)


def run_into_store(store: Path, replication: Replication) -> Failure | None:
    """Run and write the record into a store; None on success.

    A run that is there was written by a worker that ended before it could say so.
    """
    if is_stored(store, replication.key):
        return None
    outcome = outcome_of(replication)
    if isinstance(outcome, Failure):
        return outcome
    write_run(store, replication.key, outcome, replication.labels)
    return None


def record_of_run(replication: Replication, baseline: SimulatedRun | None = None) -> RunRecord:
    """Simulate a scenario, and the baseline unless its run is given, and reduce the histories."""
    baseline = baseline or _cached_baseline(replication)
    own_hash, base_hash = replication.hashes
    is_baseline = own_hash == base_hash
    run = baseline if is_baseline else with_past(replication, baseline)
    history, context = run.history, run.context
    if replication.is_full:
        return record_of(history, baseline.history, context, replication.market)
    change = welfare(history, baseline.history, context)
    metrics = summarise(history, baseline.history, context, replication.market, change)
    return RunRecord(metrics, {}, {})


def _cached_baseline(replication: Replication) -> SimulatedRun:
    """The baseline's run, kept in memory for the other scenarios of the seed."""
    key = replication.group
    if key not in _baselines:
        _baselines[key] = simulated_baseline(replication)
        while len(_baselines) > CACHED_BASELINES:
            _baselines.popitem(last=False)
    return _baselines[key]


def simulated_baseline(replication: Replication) -> SimulatedRun:
    """The run of a replication's baseline, with the states that scenarios may go on from."""
    baseline = _drawn(replication.baseline, replication.draw)
    return simulated(baseline, replication.seed, replication.kept)


def simulated(scenario: Scenario, seed: int, kept: Collection[int] = ()) -> SimulatedRun:
    """One simulation from the first month to the last, with its states after some months."""
    run = simulation.Simulation(scenario, seed)
    return _finished(run, run.snapshots(kept))


def _finished(run: simulation.Simulation, snapshots: Mapping[int, Snapshot]) -> SimulatedRun:
    history = run.run()
    return SimulatedRun(history, context_of(run.economy), run.recorder.duty_by_law, snapshots)


def _drawn(scenario: Scenario, draw: Draw | None) -> Scenario:
    """A scenario with central parameters or drawn ones."""
    return scenario if draw is None else with_draw(scenario, draw)


def with_past(replication: Replication, baseline: SimulatedRun) -> SimulatedRun:
    """The run of a scenario; from the last state of its baseline before they differ, if any."""
    scenario, base = (
        _drawn(one, replication.draw) for one in (replication.scenario, replication.baseline)
    )
    run = simulation.Simulation(scenario, replication.seed)
    past = common_past(scenario, base) if baseline.snapshots else ()
    months = max((m for m in baseline.snapshots if m <= len(past)), default=0)
    if months and baseline.snapshots[months].start == digests(run.economy):
        state = baseline.snapshots[months]
        policy_duty = np.zeros((months, len(run.economy.tariff_schedule.laws)))
        for month in range(months):
            for its, own in past[month].items():
                policy_duty[month, own] = baseline.policy_duty[month, its]
        paid = {
            replace(each, law=past[each.month - scenario.run.start][each.law]): share
            for each, share in state.duty_paid.items()
        }
        run.go_on(replace(state, duty_paid=paid), baseline.history, policy_duty)
    return _finished(run, {})


def context_of(economy: Economy) -> Context:
    """What metrics need besides the history: sets and elasticities."""
    constants, scenario = economy.constants, economy.scenario
    return Context(
        constants.codes,
        constants.demand_elasticity,
        scenario.sourcing.elasticity,
        scenario.other_buyers.demand_elasticity,
    )


def _phase(error: BaseException) -> str:
    """The function that the simulation had called: a phase, the calibration; else `metrics`."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    called = [
        code.co_name
        for caller, code in pairwise(codes)
        if caller.co_filename == simulation.__file__ != code.co_filename
    ]
    return called[0] if called else "metrics"

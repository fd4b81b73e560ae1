"""The unit of all experiments: one run, paired with the baseline's run of the same seed."""

from __future__ import annotations

import traceback
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from tariffsim import simulation
from tariffsim.experiments.store import run_key, write_run
from tariffsim.record.history import History
from tariffsim.record.metrics import Context, summarise, welfare
from tariffsim.record.result_tables import RunRecord, record_of
from tariffsim.scenario import Scenario
from tariffsim.state.economy import Economy

KEPT_BASELINES = 2
"""Histories of the baseline that a process keeps for the pairs to come; some 8 MB each."""


@dataclass(frozen=True)
class Failure:
    """A run that failed: the phase of the month it was in, and what was said; -1: any seed."""

    scenario: str
    seed: int
    phase: str
    message: str

    def __str__(self) -> str:
        where = self.scenario if self.seed < 0 else f"{self.scenario}, seed {self.seed}"
        return f"{where}: {self.phase or 'run'}: {self.message}"


@dataclass(frozen=True, eq=False)
class Pair:
    """One run of a scenario, and the baseline's of the same seed that it is ensemble against."""

    name: str
    scenario: Scenario
    baseline: Scenario
    hashes: tuple[str, str]
    seed: int
    market: str
    is_full: bool
    """Whether all tables are kept, or the measures alone."""

    @cached_property
    def key(self) -> str:
        """Name in a store: a hash of all that the record depends on."""
        return run_key(*self.hashes, self.seed, self.market, self.is_full)

    @property
    def group(self) -> tuple[str, int]:
        """The baseline's run, which all pairs of a group share."""
        return self.hashes[1], self.seed

    @property
    def about(self) -> dict[str, Any]:
        """What is said of the run in its file."""
        return {"scenario": self.name, "seed": self.seed, "market": self.market}


Outcome = RunRecord | Failure
Ran = tuple[History, Context]
_baselines: OrderedDict[tuple[str, int], Ran] = OrderedDict()


def pairs_of(
    named: Mapping[str, Scenario], seeds: Sequence[int], market: str, is_full: bool
) -> list[Pair]:
    """All runs, seed by seed; the first scenario is the baseline."""
    base = next(iter(named.values()))
    hashes = {name: run_hash(scenario) for name, scenario in named.items()}
    first = next(iter(hashes.values()))
    return [
        Pair(name, scenario, base, (hashes[name], first), seed, market, is_full)
        for seed in seeds
        for name, scenario in named.items()
    ]


def run_hash(scenario: Scenario) -> str:
    """Hash of what one run depends on: not of how many there are."""
    run = scenario.run.model_copy(update={"seed": 0, "seeds": 1})
    return scenario.model_copy(update={"run": run}).content_hash


def outcome_of(pair: Pair, baseline: Ran | None = None) -> Outcome:
    """The record of a run, or how it failed; the baseline is run here if it is not given."""
    try:
        return record_of_pair(pair, baseline)
    except Exception as error:
        return failure_of(pair, error)


def failure_of(pair: Pair, error: BaseException) -> Failure:
    """What is kept of an error."""
    return Failure(pair.name, pair.seed, _phase(error), f"{type(error).__name__}: {error}")


def kept_outcome(store: Path, pair: Pair) -> Failure | None:
    """Make a run and keep its record; None if that went well."""
    outcome = outcome_of(pair)
    if isinstance(outcome, Failure):
        return outcome
    write_run(store, pair.key, outcome, pair.about)
    return None


def record_of_pair(pair: Pair, baseline: Ran | None = None) -> RunRecord:
    """Run a scenario, and the baseline if its run is not at hand, and reduce them."""
    baseline = baseline or _baseline(pair)
    is_baseline = pair.hashes[0] == pair.hashes[1]
    history, context = baseline if is_baseline else ran(pair.scenario, pair.seed)
    if pair.is_full:
        return record_of(history, baseline[0], context, pair.market)
    change = welfare(history, baseline[0], context)
    return RunRecord(summarise(history, baseline[0], context, pair.market, change), {}, {})


def _baseline(pair: Pair) -> Ran:
    """The baseline's run, kept for the other scenarios of the seed."""
    key = pair.group
    if key not in _baselines:
        _baselines[key] = ran(pair.baseline, pair.seed)
        while len(_baselines) > KEPT_BASELINES:
            _baselines.popitem(last=False)
    return _baselines[key]


def ran(scenario: Scenario, seed: int) -> Ran:
    """A run by itself."""
    run = simulation.Simulation(scenario, seed)
    return run.run(), context_of(run.economy)


def context_of(economy: Economy) -> Context:
    """What measures need to know besides the history."""
    figures, scenario = economy.constants, economy.scenario
    return Context(
        figures.codes,
        figures.demand_elasticity,
        scenario.sourcing.elasticity,
        scenario.assembly.elasticity,
    )


def _phase(error: BaseException) -> str:
    """The function that the simulation was in: a phase, the calibration, the books; or measures."""
    codes = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    called = [
        code.co_name
        for caller, code in pairwise(codes)
        if caller.co_filename == simulation.__file__ != code.co_filename
    ]
    return called[0] if called else "metrics"

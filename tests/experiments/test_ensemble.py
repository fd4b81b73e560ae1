"""Ensembles: order, failures, workers that end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import BrokenExecutor, Future, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tariffsim import month, simulation
from tariffsim.errors import NotFiniteError, StorageError
from tariffsim.experiments import (
    EnsembleResult,
    Failure,
    Settings,
    compare,
    engines,
    run_ensemble,
    store,
)
from tariffsim.experiments.engines import Worker, on_this_machine
from tariffsim.experiments.runs import Outcome, Replication, outcome_of, replications_of
from tariffsim.experiments.store import opened, read_run, write_run
from tariffsim.record.metrics import METRICS
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tests.processes import needs_signals, wait_for

SEEDS = (3, 1, 2)


def small(name: str) -> Scenario:
    return replace(load_scenario(name), agents__makers=60, run__end="2025-06")


BASE = small("baseline")
SCENARIOS = {name: small(name) for name in ("component_50", "no_expansion")}


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_rows_are_in_the_order_of_scenarios_and_seeds() -> None:
    seen: list[tuple[int, int]] = []
    ensemble = run_ensemble(SCENARIOS, BASE, SEEDS, progress=lambda *done: seen.append(done))
    keys = list(ensemble.table[["scenario", "seed"]].itertuples(index=False, name=None))
    assert keys == [(n, s) for n in ("baseline", "component_50", "no_expansion") for s in SEEDS]
    assert list(ensemble.table.columns[2:]) == [m.name for m in METRICS]
    assert seen == [(done, 9) for done in range(1, 10)]
    assert ensemble.failures == ()


def test_metrics_are_those_of_a_comparison() -> None:
    ensemble = run_ensemble(SCENARIOS, BASE, range(2)).table
    compared = compare(
        list(SCENARIOS.values()), BASE, seeds=2, seed=0, fixed_parameters=True
    ).tables["summary"]
    same(ensemble, compared[ensemble.columns])


def test_two_workers_share_the_scenarios_of_one_seed() -> None:
    """More seeds on two workers are in the tests of killed workers below."""
    shared = run_ensemble(SCENARIOS, BASE, [1], settings=Settings(jobs=2))
    same(shared.table, run_ensemble(SCENARIOS, BASE, [1]).table)


def test_a_scenario_may_not_take_the_name_of_the_baseline() -> None:
    with pytest.raises(ValueError, match="name of the baseline"):
        run_ensemble({"baseline": SCENARIOS["component_50"]}, BASE, [1])


# The store


def stored(folder: Path, **more: Any) -> EnsembleResult:
    return run_ensemble(SCENARIOS, BASE, SEEDS, settings=Settings(store=folder), **more)


def test_stored_runs_are_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stored(tmp_path)
    same(first.table, run_ensemble(SCENARIOS, BASE, SEEDS).table)
    monkeypatch.setattr(simulation, "Simulation", None)  # so that a run would fail
    again = stored(tmp_path)
    assert not again.failures
    same(first.table, again.table)
    assert run_ensemble(SCENARIOS, BASE, [4], settings=Settings(store=tmp_path)).failures


def test_a_stored_comparison_has_the_same_bits(tmp_path: Path) -> None:
    expected = compare(list(SCENARIOS.values()), BASE, seeds=2)
    for _ in range(2):
        found = compare(list(SCENARIOS.values()), BASE, seeds=2, store=tmp_path)
        for name, table in expected.tables.items():
            same(table, found.tables[name])


@pytest.mark.parametrize("damage", ["flip", "cut", "head"])
def test_a_damaged_file_is_named_and_its_run_repeated(damage: str, tmp_path: Path) -> None:
    expected = stored(tmp_path).table
    (file,) = tmp_path.glob("*.sqlite")
    data = bytearray(file.read_bytes())
    data[data.rindex(b"NUMPY") + 130] ^= 1  # a number
    file.write_bytes({"flip": data, "cut": data[: len(data) // 2], "head": data[100:]}[damage])
    with pytest.warns(RuntimeWarning, match=rf"{file.name}.* is damaged .* repeated"):
        found = stored(tmp_path)
    same(expected, found.table)
    same(expected, stored(tmp_path).table)


def test_every_bit_of_a_file_counts(tmp_path: Path) -> None:
    """Any flipped bit is found, or makes no difference to what is read."""
    record = outcome_of(replications_of({"baseline": BASE}, [0], "US", is_full=False)[0])
    write_run(tmp_path, "run", record, {})
    (file,) = tmp_path.glob("*.sqlite")
    data = file.read_bytes()
    for place in range(0, len(data), 29):
        flipped = bytes([data[place] ^ 4])
        file.write_bytes(data[:place] + flipped + data[place + 1 :])
        with suppress(StorageError):
            assert read_run(tmp_path, "run") == record


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "runs"), pytest.raises(StorageError, match="is busy"):
        stored(tmp_path / "runs")
    stored(tmp_path / "runs")


def test_a_full_disk_loses_nothing_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, opened_file = [4], store._opened_file

    def full(path: Path, is_new: bool = False) -> Any:
        left[0] -= is_new
        if is_new and left[0] < 0:
            raise sqlite3.OperationalError("database or disk is full")
        return opened_file(path, is_new)

    monkeypatch.setattr(store, "_opened_file", full)
    with pytest.raises(StorageError, match="disk is full; finished runs are unchanged"):
        stored(tmp_path)
    assert len(store.listed(tmp_path)) == 4
    assert len(list(tmp_path.iterdir())) == 2  # a file and the lock
    monkeypatch.undo()
    same(stored(tmp_path).table, run_ensemble(SCENARIOS, BASE, SEEDS).table)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(StorageError, match="holds something else than runs"):
        stored(tmp_path)
    with pytest.raises(StorageError, match="cannot store runs"):
        stored(tmp_path / "letter.txt")
    if sys.platform == "linux":  # a folder that nobody can write
        with pytest.raises(StorageError, match="/proc/runs: cannot store runs"):
            stored(Path("/proc/runs"))


# Failures


def test_a_failed_run_is_a_record_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = run_ensemble(SCENARIOS, BASE, SEEDS).table
    first = month.PHASES[0]

    def policy(economy: Economy, draws: Draws) -> None:
        if draws.seed == 1 and economy.scenario.name == "component_50" and economy.month == 4:
            raise NotFiniteError("price became NaN")
        first(economy, draws)

    monkeypatch.setattr(simulation, "PHASES", (policy, *month.PHASES[1:]))
    ensemble = run_ensemble(SCENARIOS, BASE, SEEDS)
    failure = Failure("component_50", 1, "policy", "NotFiniteError: price became NaN")
    assert ensemble.failures == (failure,)
    rest = expected[(expected["scenario"] != "component_50") | (expected["seed"] != 1)]
    same(ensemble.table, rest.reset_index(drop=True))


# Workers that are killed


@needs_signals
def test_a_killed_worker_costs_the_run_it_was_on(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        if done in (3, 12):
            worker = multiprocessing.active_children()[done % 2]
            killed.append(worker.pid or 0)
            os.kill(killed[-1], signal.SIGKILL)

    settings = Settings(jobs=2, store=tmp_path)
    found = run_ensemble(SCENARIOS, BASE, range(5), settings=settings, progress=kill)
    assert not found.failures
    same(found.table, run_ensemble(SCENARIOS, BASE, range(5)).table)
    assert len(set(killed)) == 2


@needs_signals
def test_a_run_that_ends_its_worker_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "MAX_DEATHS", 1)
    runs = replications_of({"baseline": BASE, **SCENARIOS}, range(3), "US", is_full=False)
    ended = dict(on_this_machine(runs, killing_itself, jobs=2))
    failures = [outcome for outcome in ended.values() if isinstance(outcome, Failure)]
    assert len(ended) == len(runs)
    assert [(f.scenario, f.seed) for f in failures] == [("component_50", 1)]
    assert "most likely for lack of memory" in failures[0].message


def killing_itself(one: Replication) -> Outcome:
    if (one.name, one.seed) == ("component_50", 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return outcome_of(one)


def test_workers_that_never_live_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pools: list[DeadPool] = []

    class DeadPool:
        """A pool whose process dies at once."""

        def __init__(self, *_: object, **__: object) -> None:
            self.is_shut = False
            pools.append(self)

        def submit(self, *_: object) -> Future[None]:
            future: Future[None] = Future()
            future.set_exception(BrokenExecutor())
            return future

        def shutdown(self, **_: object) -> None:
            self.is_shut = True

    monkeypatch.setattr(engines, "ProcessPoolExecutor", DeadPool)
    runs = replications_of({"baseline": BASE, **SCENARIOS}, range(3), "US", is_full=False)
    with pytest.raises(BrokenExecutor, match="long enough"):
        list(on_this_machine(runs, outcome_of, jobs=2))
    assert len(pools) > 2
    assert all(pool.is_shut for pool in pools)


def nothing(one: Replication) -> None:
    """Work that is done at once."""


def test_a_worker_killed_between_two_runs_is_replaced() -> None:
    """It was idle, so that no run is lost or counts as killed."""
    before = set(multiprocessing.active_children())
    worker = Worker(nothing)
    first, second = replications_of({"baseline": BASE}, range(2), "US", is_full=False)
    worker.waiting.append(first)
    worker.submit()
    wait([future for future, _ in worker.submitted])
    assert list(worker.ended()) == [(first, None, False)]
    (process,) = set(multiprocessing.active_children()) - before
    process.kill()
    wait_for(lambda: worker.pool._broken)
    worker.waiting.append(second)
    worker.submit()
    wait([future for future, _ in worker.submitted])
    assert list(worker.ended()) == [(second, None, False)]
    worker.pool.shutdown()


def interrupted_while_starting(found: list[str]) -> None:
    """Start a process that says whether it can be interrupted, and be interrupted."""
    mask = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
    with engines.interrupts_held():
        found.append(subprocess.run([sys.executable, "-c", mask], stdout=-1, text=True).stdout)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # no other thread takes it


@needs_signals
def test_an_interrupt_while_a_worker_starts_is_not_lost() -> None:
    found: list[str] = []
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # jobs in the background: none
    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted_while_starting(found)
    finally:
        signal.signal(signal.SIGINT, before)
    assert found == ["True\n"]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

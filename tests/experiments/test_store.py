"""Files of runs: exchanged, packed or of another kind, they are noticed and the runs repeated."""

from __future__ import annotations

import io
import os
import sqlite3
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from tariffsim.errors import StorageError
from tariffsim.experiments import store as store_of_runs
from tariffsim.experiments.runs import replications_of, run_into_store
from tariffsim.experiments.store import finished, listed, opened, prune, read_run, write_run
from tariffsim.record.result_tables import RunRecord
from tariffsim.scenario import load_scenario, replace
from tests.cli.calling import call, small
from tests.processes import needs_signals

KEYS = ["0" * 64, "1" * 64]
LABELS = {"scenario": "baseline", "seed": 0, "market": "US"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Two runs."""
    with opened(tmp_path / "store") as folder:
        for number, key in enumerate(KEYS):
            record = RunRecord({"m": number}, {"t": {"c": np.full(3, number)}}, {"month": []})
            write_run(folder, key, record, LABELS)
    return folder


def change(store: Path, statement: str, *values: object) -> None:
    """Change the only file of a store."""
    (file,) = store.glob("*.sqlite")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(statement, values)


def exchange(store: Path, one: str, other: str) -> None:
    (file,) = store.glob("*.sqlite")
    with closing(sqlite3.connect(file)) as database, database:
        for key, new in ((one, "spare"), (other, one), ("spare", other)):
            database.execute("UPDATE runs SET key = ? WHERE key = ?", (new, key))


def test_exchanged_runs_are_noticed(store: Path) -> None:
    assert finished(store, KEYS) == set(KEYS)
    exchange(store, *KEYS)
    with pytest.raises(StorageError, match="checksum differs"):
        read_run(store, KEYS[0])
    assert all("checksum differs" in run.problem for run in listed(store))
    with pytest.warns(RuntimeWarning, match="that run is repeated"):
        assert finished(store, KEYS) == set()


def test_a_sweep_with_exchanged_runs_gives_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["sweep", "whole_product_china", "--vary", "sourcing.elasticity=2,4,6",
             *small(makers=40, end="2025-02"), "--store", "st"]  # fmt: skip
    assert call(*words, "-o", "a")[0] == 0
    exchange(Path("st"), *(run.key for run in listed(Path("st"))[:2]))
    with warnings.catch_warnings():
        warnings.simplefilter("always")  # as for users
        code, _, err = call(*words, "-o", "b")
    assert (code, err.count("that run is repeated")) == (0, 2)
    for name in ("sweep", "point_runs"):
        assert Path(f"a/{name}.csv").read_bytes() == Path(f"b/{name}.csv").read_bytes()


@pytest.mark.parametrize("has_new", [False, True])
def test_runs_are_listed_after_a_kill_that_left_them_hidden(store: Path, has_new: bool) -> None:
    """The kill came before the new folder had its name, or before the runs were moved into it."""
    out, old = store.with_name("out"), store.with_name(".out.tariffsim-old")
    old.mkdir()
    store.rename(old / "runs")
    if has_new:
        out.mkdir()
    code, _, err = call("runs", out)
    assert (code, err) == (0, "")
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert {run.key for run in listed(out / "runs")} == set(KEYS)


@needs_signals
def test_what_is_no_plain_file_is_no_run(store: Path) -> None:
    (file,) = store.glob("*.sqlite")
    file.unlink()
    os.mkfifo(store / "pipe.sqlite")
    (store / "zero.sqlite").symlink_to("/dev/zero")
    assert ["pipe" in run.problem or "link" in run.problem for run in listed(store)] == [True, True]
    assert len(prune(store)) == 2
    (store / "folder.sqlite").mkdir()
    with pytest.raises(StorageError, match="cannot be removed"):
        prune(store)


def test_a_run_that_is_stored_is_not_made_twice(store: Path) -> None:
    """As when its worker is killed after it has written the file and before it says so."""
    base = replace(load_scenario("baseline"), agents__makers=40, run__end="2025-01")
    (one,) = replications_of({"baseline": base}, [0], "US", is_full=False)
    assert run_into_store(store, one) is None
    before = [path.read_bytes() for path in store.glob("*.sqlite")]
    assert run_into_store(store, one) is None
    assert [path.read_bytes() for path in store.glob("*.sqlite")] == before


def test_a_small_file_does_not_become_large(store: Path) -> None:
    """An archive that unpacks to much more than it is."""
    inner = io.BytesIO()
    np.save(inner, np.zeros(10**6))
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("facts.npy", inner.getvalue())
    change(store, "UPDATE runs SET run = ? WHERE key = ?", whole.getvalue(), KEYS[0])
    with pytest.raises(StorageError, match="it is compressed"):
        read_run(store, KEYS[0])


def test_a_run_says_what_it_is_of(store: Path) -> None:
    write_run(store, KEYS[0], RunRecord({}, {}, {}), {"scenario": "baseline"})
    problems = {run.key: run.problem for run in listed(store)}
    assert "does not say its market" in problems[KEYS[0]]
    assert problems[KEYS[1]] == ""


def test_a_process_begins_another_file_when_its_own_is_large(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tariffsim.experiments.store.LARGE", 1)
    write_run(store, "2" * 64, RunRecord({}, {}, {}), LABELS)
    assert len(list(store.glob("*.sqlite"))) == 2
    assert finished(store, [*KEYS, "2" * 64]) == {*KEYS, "2" * 64}


def test_a_torn_transaction_is_taken_back(store: Path) -> None:
    """As a process leaves it that is killed while it writes a run larger than the cache."""
    child = os.fork() if hasattr(os, "fork") else pytest.skip("needs fork")
    (file,) = store.glob("*.sqlite")
    if not child:
        database = sqlite3.connect(file)
        database.execute("PRAGMA cache_size = 1")
        database.execute("UPDATE runs SET run = zeroblob(1000000)")
        database.execute("INSERT INTO runs VALUES ('torn', 0, zeroblob(1000000))")
        os._exit(0)
    os.waitpid(child, 0)
    assert Path(f"{file}-journal").exists()
    assert finished(store, [*KEYS, "torn"]) == set(KEYS)
    assert not Path(f"{file}-journal").exists()


def test_a_database_of_something_else_is_no_store_of_runs(store: Path) -> None:
    change(store, "DROP TABLE runs")
    change(store, "CREATE VIEW runs AS WITH RECURSIVE n(key) AS (SELECT 1 UNION ALL SELECT 1 "
                  "FROM n) SELECT key, 0 AS written, 0 AS run FROM n")  # fmt: skip
    with pytest.warns(RuntimeWarning, match="is no file of runs: its runs are repeated"):
        assert finished(store, KEYS) == set()
    assert listed(store) == []


def test_a_store_of_an_earlier_version_is_refused(store: Path) -> None:
    (store / f"{KEYS[0]}.npz").touch()
    with pytest.raises(StorageError, match="has runs of an earlier version"):
        listed(store)


def test_a_file_that_several_find_new_is_made_once(tmp_path: Path) -> None:
    """A process may look into the file of another that has just begun it."""
    for number in range(40):
        start = Barrier(4)

        def look(path: Path, start: Barrier = start) -> int:
            start.wait()
            with store_of_runs._opened_file(path, is_new=True) as file:
                return len(file.execute("SELECT key FROM runs").fetchall())

        with ThreadPoolExecutor(4) as pool:
            assert [*pool.map(look, [tmp_path / f"{number}.sqlite"] * 4)] == [0] * 4

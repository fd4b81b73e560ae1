"""Files of runs: exchanged, packed or of another kind, they are noticed and the runs repeated."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tariffsim.errors import StorageError
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


def exchange(one: Path, other: Path) -> None:
    spare = one.with_name("spare")
    one.rename(spare)
    other.rename(one)
    spare.rename(other)


def test_exchanged_runs_are_noticed(store: Path) -> None:
    assert finished(store, KEYS) == set(KEYS)
    exchange(*(store / f"{key}.npz" for key in KEYS))
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
    files = sorted(Path("st").glob("*.npz"))
    exchange(*files[:2])
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
    assert {path.stem for path in (out / "runs").glob("*.npz")} == set(KEYS)


@needs_signals
def test_what_is_no_plain_file_is_no_run(store: Path) -> None:
    for key, make in zip(KEYS, (os.mkfifo, lambda path: path.symlink_to("/dev/zero")), strict=True):
        (store / f"{key}.npz").unlink()
        make(store / f"{key}.npz")
    assert ["pipe" in run.problem or "link" in run.problem for run in listed(store)] == [True, True]
    assert len(prune(store)) == 2
    (store / f"{KEYS[0]}.npz").mkdir()
    with pytest.raises(StorageError, match="cannot be removed"):
        prune(store)


def test_a_run_that_is_stored_is_not_made_twice(store: Path) -> None:
    """As when its worker is killed after it has written the file and before it says so."""
    base = replace(load_scenario("baseline"), agents__makers=40, run__end="2025-01")
    (one,) = replications_of({"baseline": base}, [0], "US", is_full=False)
    assert run_into_store(store, one) is None
    before = (store / f"{one.key}.npz").stat()
    assert run_into_store(store, one) is None
    after = (store / f"{one.key}.npz").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_small_file_does_not_become_large(store: Path) -> None:
    """An archive that unpacks to much more than it is."""
    inner = io.BytesIO()
    np.save(inner, np.zeros(10**6))
    with zipfile.ZipFile(store / f"{KEYS[0]}.npz", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("facts.npy", inner.getvalue())
    with pytest.raises(StorageError, match="it is compressed"):
        read_run(store, KEYS[0])


def test_a_run_says_what_it_is_of(store: Path) -> None:
    write_run(store, KEYS[0], RunRecord({}, {}, {}), {"scenario": "baseline"})
    (first, _) = listed(store)
    assert "does not say its market" in first.problem

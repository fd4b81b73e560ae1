"""Locks and files: two writers at once, a killed holder, folders that vanish or are read-only."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from contextlib import nullcontext
from pathlib import Path
from threading import Thread

import pytest
from filelock import FileLock

from tariffsim.errors import StorageError
from tariffsim.record.disk import held, locked, settle, write_folder, write_new_folder
from tariffsim.record.results import writing_to
from tests.processes import needs_signals, started

HOLDER = (
    "import sys, time\nfrom pathlib import Path\nfrom tariffsim.record.disk import locked\n"
    "with locked(Path(sys.argv[1]), Path('.')):\n    print('held', flush=True)\n"
    "    time.sleep(3600)"
)


@needs_signals
def test_a_lock_is_free_after_its_holder_was_killed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with started([sys.executable, "-c", HOLDER, lock]) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match="is busy"), locked(lock, tmp_path):
            pass
        holder.kill()
        holder.wait()
        with locked(lock, tmp_path):
            pass


def test_only_one_of_many_writers_holds_a_folder(tmp_path: Path) -> None:
    """Also while the lock files of the others are removed."""
    held: list[bool] = []
    mark = tmp_path / "mark"

    def work() -> None:
        for _ in range(500):
            try:
                with writing_to(tmp_path / "out"):
                    os.close(os.open(mark, os.O_CREAT | os.O_EXCL))  # fails if there are two
                    mark.unlink()
                    held.append(True)
            except StorageError as error:
                if "is busy" not in str(error):
                    held.append(False)
                    raise

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert held
    assert all(held)
    assert not mark.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_vanishes_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with locked(tmp_path / "runs" / "lock", tmp_path):
        (tmp_path / "runs" / "lock").unlink()
        (tmp_path / "runs").rmdir()


@pytest.mark.skipif(sys.platform != "linux", reason="a folder that nobody can write")
def test_a_read_only_folder_is_an_error() -> None:
    with pytest.raises(OSError, match="Permission denied"), locked(Path("/sys/lock"), Path("/sys")):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="a folder in which nothing can be created")
def test_a_folder_where_nothing_can_be_created_is_not_busy() -> None:
    with pytest.raises(StorageError, match="nothing can be created here"), writing_to("/proc/out"):
        pass


STEPS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree", "open")
OLD, NEW, RUN = {"a": b"old", "b/c": b"old"}, {"a": b"new", "b/c": b"new"}, {"runs/r": b"run"}


def killed_at(step: int, target: Path, has_old: bool) -> bool:
    """Write a folder in a process that ends before a step on files; whether it got that far."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child uses no threads
        child = os.fork()
    if not child:
        steps = [step]

        def hook(event: str, arguments: object) -> None:
            steps[0] -= event in STEPS
            if not steps[0]:
                os._exit(9)

        sys.addaudithook(hook)
        if has_old:
            with held(target, kept="runs"):
                write_folder(target, ((name, [data]) for name, data in NEW.items()), kept="runs")
        else:
            write_new_folder(target, NEW)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@needs_signals
@pytest.mark.parametrize("is_read", [True, False], ids=["read next", "written next"])
def test_a_kill_at_any_step_of_replacing_loses_nothing(tmp_path: Path, is_read: bool) -> None:
    found = []
    for step in range(1, 1000):
        target = tmp_path / f"{step}" / "out"
        write_new_folder(target, OLD | RUN)
        if not killed_at(step, target, has_old=True):
            break
        if is_read:
            settle(target, kept="runs")
        else:
            with held(target, kept="runs"):
                pass
        there = contents(target)
        assert there.items() >= RUN.items()
        assert {name: data for name, data in there.items() if name not in RUN} in (OLD, NEW)
        assert [path.name for path in target.parent.iterdir()] == ["out"], step
        found.append(there["a"])
    assert found[0] == b"old"
    assert found[-1] == b"new"
    assert len(found) > 15


@needs_signals
def test_a_kill_at_any_step_of_writing_leaves_nothing_hidden(tmp_path: Path) -> None:
    for step in range(1, 1000):
        target = tmp_path / f"{step}" / "out"
        target.parent.mkdir()
        if not killed_at(step, target, has_old=False):
            break
        settle(target)
        assert contents(target) in ({}, NEW)
        assert {path.name for path in target.parent.iterdir()} <= {"out"}, step
    assert step > 10


@needs_signals
def test_what_is_hidden_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").touch()
    for kind in ("old", "new"):
        (tmp_path / f".out.tariffsim-{kind}").symlink_to("mine")
    with held(tmp_path / "out"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine" / "thesis").exists()


@pytest.mark.parametrize(
    ("code", "is_held"), [(errno.ENOLCK, True), (errno.EOPNOTSUPP, True), (errno.EIO, False)]
)
def test_drives_without_locks_are_written_without(
    code: int, is_held: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(lock: FileLock, *_: object, **__: object) -> None:
        raise OSError(code, "no locks")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    entered = []
    expected = nullcontext() if is_held else pytest.raises(OSError, match="no locks")
    with expected, locked(tmp_path / "lock", tmp_path):
        entered.append(True)
    assert bool(entered) == is_held


def test_a_new_folder_is_written_completely_and_never_over_something(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(StorageError, match="exists, and is not overwritten"):
        write_new_folder(tmp_path / "there", {"a": b""})
    with pytest.raises(TypeError):
        write_new_folder(tmp_path / "new", {"a": b"", "b/c": None})  # type: ignore[dict-item]
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    write_new_folder(tmp_path / "new", {"a": b"1", "b/c": b"2"})
    assert (tmp_path / "new/b/c").read_bytes() == b"2"

"""Finished runs in a folder, each checksummed and named by a hash of all it depends on.

A process appends its runs to an SQLite database of its own, and begins another when that is large:
few files, a writer each, and a run is there whole or not at all, however its process ends.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import secrets
import sqlite3
import time
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy

import tariffsim
from tariffsim.errors import StorageError
from tariffsim.record.disk import UNFINISHED, locked, settle
from tariffsim.record.result_tables import RunRecord
from tariffsim.record.results import RUNS
from tariffsim.tables.csv_files import Refused, open_plain

LOCK = ".runs.lock"
"""Held by the process that writes; its presence makes a folder a store."""
SUFFIX = ".sqlite"
OLD_SUFFIX = ".npz"
"""Of stores of earlier versions, with a file for each run."""
TABLE = "CREATE TABLE runs (key TEXT PRIMARY KEY, written REAL NOT NULL, run BLOB NOT NULL)"
LARGE = 256_000_000
"""Bytes from which a process begins another file."""
PATIENCE = 60
"""Seconds to wait for the writer of a file, or for its readers."""
DAY = 86_400
MEGABYTES = 1_000
"""Most of a run; all tables of one are some ten."""
FACTS = {"scenario", "seed", "market", "code", "summary", "labels"}
"""What is kept of a run beside its arrays."""
_own: dict[tuple[int, Path], Path] = {}
"""The file that a process, by its number, appends to in a store."""


@dataclass(frozen=True)
class StoredRun:
    """A run of a store, or a file of it (without `key`) that cannot be read.

    `problem` says why it is unusable, if it is; `size` is in bytes, `days` its age.
    """

    file: str
    key: str
    scenario: str
    seed: int | None
    market: str
    is_full: bool
    size: int
    days: float
    problem: str
    is_damaged: bool = False


@cache
def code_digest() -> str:
    """Hash of what numbers depend on besides scenario and seed: this package, numpy and scipy."""
    digest = hashlib.sha256()
    for version in (tariffsim.__version__, np.__version__, scipy.__version__):
        digest.update(version.encode())
    home = Path(tariffsim.__file__).parent
    for path in sorted(home.rglob("*.py")):
        if path.relative_to(home).parts[0] not in ("charts", "cli", "report"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def run_key(*facts: object) -> str:
    """Name of a run: a hash of the facts it depends on, and of the code."""
    return hashlib.sha256("\n".join([code_digest(), *map(str, facts)]).encode()).hexdigest()


@contextmanager
def opened(folder: Path) -> Iterator[Path]:
    """Hold a store for writing; files that a killed process left unfinished are removed.

    Raises:
        StorageError: the folder cannot be written, holds something else, or is busy.
    """
    try:
        if folder.is_dir() and not _is_store(folder) and any(folder.iterdir()):
            raise StorageError(f"{folder}: holds something else than runs; name another folder")
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / LOCK, folder):
            for part in folder.glob(f"*{UNFINISHED}"):
                part.unlink()
            yield folder
    except OSError as error:
        raise StorageError(f"{folder}: cannot store runs: {error.strerror}") from error


@contextmanager
def marked(folder: Path) -> Iterator[Path]:
    """A file in a store, so that a worker that finds it knows that it sees the folder."""
    mark = folder.absolute() / f".{secrets.token_hex(8)}{UNFINISHED}"
    mark.touch()
    try:
        yield mark
    finally:
        mark.unlink(missing_ok=True)


def _is_store(folder: Path) -> bool:
    return (folder / LOCK).is_file()


def write_run(folder: Path, key: str, record: RunRecord, labels: dict[str, Any]) -> None:
    """Store a finished run.

    Raises:
        StorageError: it cannot be written; runs that are in the store stay.
    """
    arrays: dict[str, Any] = {
        f"{table}/{column}": values
        for table, columns in record.arrays.items()
        for column, values in columns.items()
    }
    about = labels | {"code": code_digest(), "summary": record.summary, "labels": record.labels}
    facts = np.array(json.dumps(about))
    whole = io.BytesIO()
    np.savez(whole, facts=facts, checksum=_checksum(key, facts, arrays), **arrays)
    try:
        with _opened_file(_file_to_write(folder), is_new=True) as file:
            row = (key, time.time(), whole.getvalue())
            file.execute("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", row)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        text = f"{folder}: cannot store a run: {reason}; finished runs are unchanged"
        raise StorageError(text) from error


def _file_to_write(folder: Path) -> Path:
    """The file of this process, or another one if that is large or gone."""
    path = _own.get((os.getpid(), folder))
    if path is None or not path.is_file() or path.stat().st_size >= LARGE:
        path = _own[os.getpid(), folder] = folder / f"{secrets.token_hex(8)}{SUFFIX}"
    return path


@contextmanager
def _opened_file(path: Path, is_new: bool = False) -> Iterator[sqlite3.Connection]:
    """A file of runs, of which what a killed process left unfinished is taken back.

    Raises:
        StorageError: it is something else.
        sqlite3.Error: it is damaged.
    """
    if not is_new:
        with open_plain(path):
            pass
    mode = "rwc" if is_new else "rw"  # readers too take back what was left unfinished
    place = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(place, uri=True, timeout=PATIENCE)) as file, file:
        there = file.execute("SELECT sql FROM sqlite_schema").fetchall()
        if not there:  # new, or its process was killed before it had a run
            file.execute(TABLE.replace("TABLE", "TABLE IF NOT EXISTS"))  # or another was quicker
        elif there[:1] != [(TABLE,)]:  # a view might never end
            raise StorageError(f"{path}: is no file of runs")
        yield file


def _files(folder: Path) -> list[Path]:
    """All files of runs.

    Raises:
        StorageError: the store is of an earlier version.
    """
    if any(folder.glob(f"*{OLD_SUFFIX}")):
        text = f"{folder}: has runs of an earlier version, a file each: remove them, or the folder"
        raise StorageError(text)
    return sorted(folder.glob(f"*{SUFFIX}"))


def _run(file: sqlite3.Connection, key: str) -> bytes | None:
    """What is stored of a run, if it is there."""
    size = file.execute("SELECT length(run) FROM runs WHERE key = ?", [key]).fetchone()
    if size is None:
        return None
    if not size[0] <= MEGABYTES * 1e6:
        raise ValueError(f"it has more than {MEGABYTES} MB")
    return bytes(file.execute("SELECT run FROM runs WHERE key = ?", [key]).fetchone()[0])


def _checksum(key: str, facts: Any, arrays: dict[str, Any]) -> Any:
    """Of the contents and of the name: a file under another's name is noticed."""
    digest = hashlib.sha256(f"{key}\n{facts}".encode())
    for name, values in arrays.items():
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
    return np.array(digest.hexdigest())


def read_run(folder: Path, key: str) -> RunRecord:
    """A finished run.

    Raises:
        StorageError: it is missing or damaged.
    """
    for path in _files(folder):
        with _noting_damage(path), _opened_file(path) as file:
            if data := _run(file, key):
                break
    else:
        raise StorageError(f"{folder}: has no run {key}")
    facts, arrays = _read(path, key, data)
    tables: dict[str, dict[str, Any]] = {}
    for name, values in arrays.items():
        table, _, column = name.partition("/")
        tables.setdefault(table, {})[column] = values
    return RunRecord(facts["summary"], tables, facts["labels"])


@contextmanager
def _noting_damage(path: Path, key: str = "") -> Iterator[None]:
    """Whatever goes wrong inside is that a file, or a run in it, is damaged."""
    where = f"{path}, run {key[:12]}" if key else str(path)
    try:
        yield
    except StorageError:
        raise
    except Refused as error:
        raise StorageError(f"{where}: is damaged ({error.message})") from error
    except Exception as error:  # damaged bytes can raise anything
        raise StorageError(f"{where}: is damaged ({error})") from error


def _read(path: Path, key: str, data: bytes | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Facts and arrays of a run.

    Raises:
        StorageError: it is damaged.
    """
    with _noting_damage(path, key):
        whole = io.BytesIO(data or b"")
        with zipfile.ZipFile(whole) as members:
            if sum(member.file_size for member in members.infolist()) > len(whole.getbuffer()):
                raise ValueError("it is compressed")
        with np.load(whole, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts, checksum = arrays.pop("facts"), arrays.pop("checksum")
        if str(checksum) != str(_checksum(key, facts, arrays)):
            raise ValueError("checksum differs")
        about = json.loads(str(facts))
        if lacking := FACTS - about.keys():
            raise ValueError(f"it does not say its {min(lacking)}")
    return about, arrays


def is_stored(folder: Path, key: str) -> bool:
    """Whether a run is complete, in a store whose damaged runs were removed."""
    for path in _files(folder):
        with _noting_damage(path), _opened_file(path) as file:
            if file.execute("SELECT 1 FROM runs WHERE key = ?", [key]).fetchone():
                return True
    return False


def finished(folder: Path, keys: Iterable[str]) -> set[str]:
    """Which runs are complete; those that are damaged are named in a warning and removed."""
    wanted, found = set(keys), set()
    for path in _files(folder):
        there = _runs_of(path, wanted)
        damaged = {run.key for run in there if run.is_damaged}
        for run in there:
            if run.is_damaged:
                which = "that run is" if run.key else "its runs are"
                text = f"{run.problem}: {which} repeated"
                warnings.warn(text, RuntimeWarning, stacklevel=2)
        if damaged:
            _remove(path, damaged)
        found |= {run.key for run in there} - damaged
    return found


def _remove(path: Path, keys: Collection[str]) -> None:
    """Remove runs from a file, and what of it cannot be read; without runs it goes itself.

    Raises:
        StorageError: it is a folder, or cannot be written.
    """
    part = path.with_name(f"{path.name}{UNFINISHED}")
    try:
        with _opened_file(part, is_new=True) as new:
            kept = 0
            for row in _rows(path):
                if row[0] not in keys:
                    new.execute("INSERT INTO runs VALUES (?, ?, ?)", row)
                    kept += 1
        if kept:
            part.replace(path)
        else:
            part.unlink()
            path.unlink()
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        text = f"{path}: is no file of runs, and cannot be removed: {reason}"
        raise StorageError(text) from error


def _rows(path: Path) -> Iterator[tuple[Any, ...]]:
    """What of a file can be read."""
    with suppress(StorageError), _noting_damage(path), _opened_file(path) as file:
        for (key,) in file.execute("SELECT key FROM runs ORDER BY rowid").fetchall():
            row = None
            with suppress(sqlite3.Error):
                row = file.execute("SELECT * FROM runs WHERE key = ?", [key]).fetchone()
            if row is not None:
                yield row


def store_of(folder: Path) -> Path:
    """The store that a folder is, or that an experiment has in it.

    Raises:
        StorageError: there is none.
    """
    settle(Path(os.path.abspath(folder)), kept=RUNS)
    for store in (folder, folder / RUNS):
        if _is_store(store):
            return store
    raise StorageError(f"{folder}: has no stored runs")


def listed(store: Path) -> list[StoredRun]:
    """Every run of a store, checked, and every file that cannot be read."""
    return [run for path in _files(store) for run in _runs_of(path)]


def prune(store: Path, older_than: float = math.inf) -> list[StoredRun]:
    """Remove unusable runs, and those older than so many days; returns what was removed."""
    removed = []
    with opened(store):
        for path in _files(store):
            there = _runs_of(path)
            gone = [run for run in there if run.problem or run.days >= older_than]
            if gone or not there:
                _remove(path, {run.key for run in gone})
            removed += gone
    return removed


def _runs_of(path: Path, wanted: Collection[str] | None = None) -> list[StoredRun]:
    """The runs of a file, or some of them, checked one by one, and the file if it is damaged."""
    found: list[StoredRun] = []
    try:
        with _noting_damage(path), _opened_file(path) as file:
            rows = file.execute("SELECT key, written, length(run) FROM runs ORDER BY rowid")
            for key, written, size in rows.fetchall():
                if wanted is not None and key not in wanted:
                    continue
                days = (time.time() - float(written)) / DAY
                try:
                    with _noting_damage(path, key):
                        data = _run(file, key)
                    facts, arrays = _read(path, key, data)
                except StorageError as error:
                    known = ("", None, "", False, size, days, str(error), True)
                    found.append(StoredRun(path.name, key, *known))
                    continue
                is_of_this = facts["code"] == code_digest()
                problem = "" if is_of_this else "is of another version of the package"
                labels = (facts["scenario"], facts["seed"], facts["market"], bool(arrays))
                found.append(StoredRun(path.name, key, *labels, size, days, problem))
    except StorageError as error:
        status = path.lstat()
        days = (time.time() - status.st_mtime) / DAY
        known = ("", None, "", False, status.st_size, days, str(error), True)
        found.append(StoredRun(path.name, "", *known))
    return found


def discard(store: Path) -> None:
    """Remove a store whose runs are part of saved results."""
    with opened(store):
        for path in store.glob(f"*{SUFFIX}*"):  # and what SQLite puts beside them
            path.unlink()
        (store / LOCK).unlink()
    with suppress(OSError):  # what somebody else put there stays
        store.rmdir()

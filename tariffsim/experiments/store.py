"""Finished runs in a folder: one checksummed file a run, named after all it depends on."""

from __future__ import annotations

import hashlib
import io
import json
import math
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import tariffsim
from tariffsim.errors import StorageError
from tariffsim.record.disk import UNFINISHED, locked, write_whole
from tariffsim.record.result_tables import RunRecord
from tariffsim.record.results import RUNS

LOCK = ".runs.lock"
"""Held by the process that writes; what makes a folder a store."""
SUFFIX = ".npz"
DAY = 86_400


@dataclass(frozen=True)
class Kept:
    """A file of a store; `problem` says why it is of no use, if it is not."""

    file: str
    scenario: str
    seed: int | None
    market: str
    is_full: bool
    size: int
    days: float
    problem: str


@cache
def code_digest() -> str:
    """What numbers depend on besides scenario and seed: this package as it is, numpy and scipy."""
    digest = hashlib.sha256()
    for name in ("tariffsim", "numpy", "scipy"):
        digest.update(metadata.version(name).encode())
    home = Path(tariffsim.__file__).parent
    for path in sorted(home.rglob("*.py")):
        if path.relative_to(home).parts[0] not in ("charts", "cli"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def run_key(*facts: object) -> str:
    """Name of a run: a hash of the facts it depends on, and of the code."""
    return hashlib.sha256("\n".join([code_digest(), *map(str, facts)]).encode()).hexdigest()


@contextmanager
def opened(folder: Path) -> Iterator[Path]:
    """Hold a store for writing; what was half-written when a process was killed is removed.

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
        raise StorageError(f"{folder}: cannot keep runs: {error.strerror}") from error


def _is_store(folder: Path) -> bool:
    return (folder / LOCK).is_file()


def write_run(folder: Path, key: str, record: RunRecord, about: dict[str, Any]) -> None:
    """Keep a finished run.

    Raises:
        StorageError: it cannot be written; runs that are there stay.
    """
    arrays: dict[str, Any] = {
        f"{table}/{column}": values
        for table, columns in record.arrays.items()
        for column, values in columns.items()
    }
    said = about | {"code": code_digest(), "summary": record.summary, "labels": record.labels}
    facts = np.array(json.dumps(said))
    whole = io.BytesIO()
    np.savez(whole, facts=facts, checksum=_checksum(facts, arrays), **arrays)
    try:
        write_whole(folder / f"{key}{SUFFIX}", whole.getvalue())
    except OSError as error:
        text = f"{folder}: cannot keep a run: {error.strerror}; finished runs are as they were"
        raise StorageError(text) from error


def _checksum(facts: Any, arrays: dict[str, Any]) -> Any:
    digest = hashlib.sha256(str(facts).encode())
    for name, values in arrays.items():
        digest.update(f"{name} {values.dtype.str} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values).data)
    return np.array(digest.hexdigest())


def read_run(folder: Path, key: str) -> RunRecord:
    """A finished run.

    Raises:
        StorageError: the file is not there or damaged.
    """
    facts, arrays = _read(folder / f"{key}{SUFFIX}")
    tables: dict[str, dict[str, Any]] = {}
    for name, values in arrays.items():
        table, _, column = name.partition("/")
        tables.setdefault(table, {})[column] = values
    return RunRecord(facts["summary"], tables, facts["labels"])


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts, checksum = arrays.pop("facts"), arrays.pop("checksum")
        if str(checksum) != str(_checksum(facts, arrays)):
            raise ValueError("checksum differs")
        return json.loads(str(facts)), arrays
    except Exception as error:  # bytes that are not what they were can mean anything
        raise StorageError(f"{path}: is damaged ({error})") from error


def finished(folder: Path, keys: Iterable[str]) -> set[str]:
    """Which runs are there whole; a damaged file is named in a warning and removed."""
    there = {path.stem for path in folder.glob(f"*{SUFFIX}")}.intersection(keys)
    for key in sorted(there):
        try:
            read_run(folder, key)
        except StorageError as error:
            warnings.warn(f"{error}: that run is made again", RuntimeWarning, stacklevel=2)
            there.discard(key)
            (folder / f"{key}{SUFFIX}").unlink()
    return there


def store_of(folder: Path) -> Path:
    """The store that a folder is, or that an experiment has in it.

    Raises:
        StorageError: there is none.
    """
    for store in (folder, folder / RUNS):
        if _is_store(store):
            return store
    raise StorageError(f"{folder}: keeps no runs")


def listed(store: Path) -> list[Kept]:
    """Every file of a store, checked."""
    return [_kept(path) for path in sorted(store.glob(f"*{SUFFIX}"))]


def prune(store: Path, older_than: float = math.inf) -> list[Kept]:
    """Remove what is of no use, or older than so many days; returns what was removed."""
    with opened(store):
        gone = [kept for kept in listed(store) if kept.problem or kept.days >= older_than]
        for kept in gone:
            (store / kept.file).unlink()
    return gone


def _kept(path: Path) -> Kept:
    status = path.stat()
    days = (time.time() - status.st_mtime) / DAY
    try:
        facts, arrays = _read(path)
    except StorageError as error:
        return Kept(path.name, "", None, "", False, status.st_size, days, str(error))
    problem = "" if facts["code"] == code_digest() else "of another version of the package"
    about = (facts["scenario"], facts["seed"], facts["market"], bool(arrays))
    return Kept(path.name, *about, status.st_size, days, problem)


def discard(store: Path) -> None:
    """Remove a store whose runs have gone into results."""
    with opened(store):
        for path in store.glob(f"*{SUFFIX}"):
            path.unlink()
        (store / LOCK).unlink()
    with suppress(OSError):  # what somebody else put there stays
        store.rmdir()

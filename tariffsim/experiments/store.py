"""Finished runs in a folder: one checksummed file a run, named by a hash of all it depends on."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import time
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy

import tariffsim
from tariffsim.errors import StorageError
from tariffsim.record.disk import UNFINISHED, locked, settle, write_whole
from tariffsim.record.result_tables import RunRecord
from tariffsim.record.results import RUNS
from tariffsim.tables.csv_files import read_bytes

LOCK = ".runs.lock"
"""Held by the process that writes; its presence makes a folder a store."""
SUFFIX = ".npz"
DAY = 86_400
MEGABYTES = 1_000
"""Most of a run; all tables of one are some ten."""
FACTS = {"scenario", "seed", "market", "code", "summary", "labels"}
"""What a file says about its run."""


@dataclass(frozen=True)
class StoredRun:
    """A file of a store; `problem` says why it is unusable, if it is."""

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
        write_whole(folder / f"{key}{SUFFIX}", whole.getvalue())
    except OSError as error:
        text = f"{folder}: cannot store a run: {error.strerror}; finished runs are unchanged"
        raise StorageError(text) from error


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
        StorageError: the file is missing or damaged.
    """
    facts, arrays = _read(folder / f"{key}{SUFFIX}")
    tables: dict[str, dict[str, Any]] = {}
    for name, values in arrays.items():
        table, _, column = name.partition("/")
        tables.setdefault(table, {})[column] = values
    return RunRecord(facts["summary"], tables, facts["labels"])


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        data = io.BytesIO(read_bytes(path, MEGABYTES))
        with zipfile.ZipFile(data) as members:
            if sum(member.file_size for member in members.infolist()) > len(data.getbuffer()):
                raise ValueError("it is compressed")
        with np.load(data, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts, checksum = arrays.pop("facts"), arrays.pop("checksum")
        if str(checksum) != str(_checksum(path.stem, facts, arrays)):
            raise ValueError("checksum differs")
        about = json.loads(str(facts))
        if lacking := FACTS - about.keys():
            raise ValueError(f"it does not say its {min(lacking)}")
        return about, arrays
    except Exception as error:  # damaged bytes can raise anything
        raise StorageError(f"{path}: is damaged ({error})") from error


def is_stored(folder: Path, key: str) -> bool:
    """Whether a run is complete, in a store whose damaged files were removed."""
    return (folder / f"{key}{SUFFIX}").is_file()


def finished(folder: Path, keys: Iterable[str]) -> set[str]:
    """Which runs are complete; a damaged file is named in a warning and removed."""
    found = {path.stem for path in folder.glob(f"*{SUFFIX}")}.intersection(keys)
    for key in sorted(found):
        try:
            read_run(folder, key)
        except StorageError as error:
            warnings.warn(f"{error}: that run is repeated", RuntimeWarning, stacklevel=2)
            found.discard(key)
            _remove(folder / f"{key}{SUFFIX}")
    return found


def _remove(path: Path) -> None:
    """Remove an unusable file.

    Raises:
        StorageError: it is a folder, or cannot be removed.
    """
    try:
        path.unlink()
    except OSError as error:
        text = f"{path}: is no run, and cannot be removed: {error.strerror}"
        raise StorageError(text) from error


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
    """Every file of a store, checked."""
    return [_stored_run(path) for path in sorted(store.glob(f"*{SUFFIX}"))]


def prune(store: Path, older_than: float = math.inf) -> list[StoredRun]:
    """Remove unusable files, and those older than so many days; returns what was removed."""
    with opened(store):
        removed = [run for run in listed(store) if run.problem or run.days >= older_than]
        for run in removed:
            _remove(store / run.file)
    return removed


def _stored_run(path: Path) -> StoredRun:
    status = path.lstat()
    days = (time.time() - status.st_mtime) / DAY
    try:
        facts, arrays = _read(path)
    except StorageError as error:
        return StoredRun(path.name, "", None, "", False, status.st_size, days, str(error))
    problem = "" if facts["code"] == code_digest() else "is of another version of the package"
    labels = (facts["scenario"], facts["seed"], facts["market"], bool(arrays))
    return StoredRun(path.name, *labels, status.st_size, days, problem)


def discard(store: Path) -> None:
    """Remove a store whose runs are part of saved results."""
    with opened(store):
        for path in store.glob(f"*{SUFFIX}"):
            path.unlink()
        (store / LOCK).unlink()
    with suppress(OSError):  # what somebody else put there stays
        store.rmdir()

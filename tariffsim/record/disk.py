"""Writing that a kill, a full disk or a second writer cannot corrupt."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tariffsim.errors import StorageError

UNFINISHED = ".part"
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""Errors of drives that have no locks: some network drives."""


def write_file(path: Path, data: bytes) -> None:
    """Write a file, with fsync before returning."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there complete or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        write_file(part, data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside the target to write files to; removed unless it is renamed.

    Raises:
        StorageError: an operation on a file failed.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            fresh.chmod(0o755)
            yield fresh
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise StorageError(f"{target}: cannot write: {error.strerror}") from error


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by path, with the folders they need."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_file(folder / path, data)


def write_new_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write files by path into a folder that is there complete or not at all.

    Raises:
        StorageError: it exists, or cannot be written.
    """
    with new_folder(target) as fresh:
        if target.exists() or target.is_symlink():
            raise StorageError(f"{target}: exists, and is not overwritten")
        write_files(fresh, files)
        fresh.rename(target)


@contextmanager
def locked(lock: Path, folder: Path) -> Iterator[None]:
    """Hold a lock file; the system releases it when this process ends, however it ends.

    Raises:
        StorageError: another process holds it.
        OSError: the file cannot be created.
    """
    held = FileLock(lock, timeout=0, fallback_to_soft=False)
    try:
        held.acquire()
    except Timeout as error:
        raise StorageError(f"{folder}: is busy: another command writes there") from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    try:
        yield
    finally:
        held.release()

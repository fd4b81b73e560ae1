"""Writing that a kill, a full disk or a second writer cannot spoil."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tariffsim.errors import StorageError

UNFINISHED = ".part"


def write_file(path: Path, data: bytes) -> None:
    """Write a file; it is on the disk when this returns."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        write_file(part, data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_new_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write files by path into a folder that is there whole or not at all.

    Raises:
        StorageError: it is there already, or cannot be written.
    """
    try:
        if target.exists() or target.is_symlink():
            raise StorageError(f"{target}: is there already, and is not overwritten")
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            fresh.chmod(0o755)
            for path, data in files.items():
                (fresh / path).parent.mkdir(parents=True, exist_ok=True)
                write_file(fresh / path, data)
            fresh.rename(target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise StorageError(f"{target}: cannot be written: {error.strerror}") from error


@contextmanager
def locked(lock: Path, folder: Path) -> Iterator[None]:
    """Hold a lock file; it is free again when this process ends, however it ends.

    Raises:
        StorageError: another process holds it.
        OSError: the file cannot be made.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    """Keep other processes out until the descriptor is closed, where the system can."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StorageError(f"{folder}: is busy: another command writes there") from error
    except OSError:
        return  # some network drives have no locks

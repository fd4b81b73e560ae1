"""Writing that a kill, a full disk or a second writer cannot corrupt, and that stays in its folder.

A folder is replaced by renaming: the new one is complete before the old one is moved away. Both
have hidden names beside it that follow from its own, so that whoever holds the folder next finds
what a killed process left.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from filelock import FileLock, Timeout

from tariffsim.errors import StorageError, escaped

UNFINISHED = ".part"
WORKING = re.compile(r"\.tariffsim-.+|\..+\.(tariffsim-new|tariffsim-old|lock)", re.DOTALL)
"""Hidden names of what is being written, replaced or held."""
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""Errors of drives that have no locks: some network drives."""
UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that no name of a file has, since lists of files have one a line, as UTF-8."""


def is_inside(name: str) -> bool:
    """Whether a name with `/` between folders is one of a file inside its folder, everywhere."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    is_plain = posix.as_posix() == name != "." and not UNWRITABLE.search(name)
    return is_plain and not windows.anchor and ".." not in windows.parts


Contents = Iterable[bytes]
"""What is written into a file, part after part."""


def write_file(path: Path, parts: Contents) -> None:
    """Write a file, with fsync before returning."""
    with path.open("wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there complete or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        write_file(part, [data])
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder written to the disk, where the system can do that."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with suppress(OSError):  # drives that cannot
                os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_files(folder: Path, files: Iterable[tuple[str, Contents]]) -> None:
    """Write files by path, with the folders they need.

    Raises:
        StorageError: a path is not one of a file inside the folder.
    """
    inner = {folder}
    for path, parts in files:
        if not is_inside(path):
            raise StorageError(f"{folder}: {escaped(path)!r} is not the path of a file in a folder")
        inner.add((folder / path).parent)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_file(folder / path, parts)
    for one in inner:
        _sync_folder(one)


def _new(target: Path) -> Path:
    """Where a folder is written before it gets its name."""
    return target.with_name(f".{target.name}.tariffsim-new")


def _old(target: Path) -> Path:
    """Where a folder is that is being replaced."""
    return target.with_name(f".{target.name}.tariffsim-old")


def is_working(name: str) -> bool:
    """Whether a file or folder of this name is one of those hidden ones."""
    return bool(WORKING.fullmatch(name))


def _lock(target: Path) -> Path:
    """What is locked while a folder is held."""
    return target.with_name(f".{target.name}.lock")


def write_folder(target: Path, files: Iterable[tuple[str, Contents]], kept: str = "") -> None:
    """Write a folder that is there complete or not at all; an older one stays until then.

    The caller holds it. The folder `kept` moves from the old one to the new one.

    Raises:
        StorageError: it cannot be written.
    """
    new, old = _new(target), _old(target)
    try:
        new.mkdir()
        write_files(new, files)
        if not target.exists():
            new.rename(target)
            _sync_folder(target.parent)
            return
        target.rename(old)
        try:
            new.rename(target)
        except OSError:
            old.rename(target)
            raise
        _sync_folder(target.parent)
        _finish(target, kept)
    except OSError as error:
        raise StorageError(f"{target}: cannot write: {error.strerror}") from error
    finally:
        _remove(new)


def _finish(target: Path, kept: str) -> None:
    """Remove the old folder of one that was replaced, but for what is kept."""
    old = _old(target)
    if kept and (old / kept).is_dir() and not os.path.lexists(target / kept):
        (old / kept).rename(target / kept)
        _sync_folder(target)
    _remove(old)


def _remove(path: Path) -> None:
    """Remove a folder, if it is there, or whatever else has its name."""
    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink()


@contextmanager
def held(target: Path, kept: str = "") -> Iterator[None]:
    """Hold a folder, which need not exist, so that nobody else writes it.

    What a process that was killed left of replacing it is put right first: the old folder is put
    back if the new one did not get its name; what is hidden is removed.

    Raises:
        StorageError: another command holds it.
        OSError: nothing can be created beside it.
    """
    lock = _lock(target)
    with locked(lock, target):
        try:
            old = _old(target)
            if old.is_dir() and not old.is_symlink() and not os.path.lexists(target):
                old.rename(target)
                _sync_folder(target.parent)
            _finish(target, kept)
            _remove(_new(target))
            yield
        finally:
            with suppress(OSError):
                lock.unlink()


def settle(target: Path, kept: str = "") -> None:
    """Put right what a killed process left of replacing a folder, before the folder is read."""
    with suppress(OSError, StorageError, ValueError):  # who can only read reads what is there
        if any(map(os.path.lexists, (_old(target), _new(target), _lock(target)))):
            with held(target, kept):
                pass


def write_new_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write files by path into a folder that is there complete or not at all.

    Raises:
        StorageError: it exists, or cannot be written.
    """
    target = Path(os.path.abspath(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with held(target):
            if os.path.lexists(target):
                raise StorageError(f"{target}: exists, and is not overwritten")
            write_folder(target, ((path, [data]) for path, data in files.items()))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageError(f"{target}: cannot write: {reason}") from error


def _refuse_unwritable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StorageError(f"{folder}: nothing can be created here: {error.strerror}") from error


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
        if not lock.exists():  # it was only just released, or cannot be there at all
            _refuse_unwritable(lock.parent)
        raise StorageError(f"{folder}: is busy: another command writes there") from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    try:
        yield
    finally:
        held.release()

"""Reading scenario files: only plain files of a sensible size, only inside their folder tree."""

from __future__ import annotations

import os
import stat
from functools import lru_cache
from pathlib import Path, PurePosixPath

from tariffsim.scenario.text import nearest

MAX_BYTES = 1_000_000
_KINDS = {
    stat.S_IFLNK: "is a symbolic link",
    stat.S_IFDIR: "is a folder",
    stat.S_IFIFO: "is a pipe",
    stat.S_IFSOCK: "is a socket",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Refused(Exception):
    """A file cannot be used: what is wrong, what was given, and a hint."""

    def __init__(self, message: str, given: str = "", hint: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message, self.given, self.hint, self.line = message, given, hint, line
        self.is_missing = False


@lru_cache(maxsize=1)
def shipped_folder() -> Path:
    """Where the shipped scenarios are: inside the installed package, or beside it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "scenarios"
    return inside if inside.is_dir() else package.parent / "scenarios"


def shipped_names() -> tuple[str, ...]:
    """Names of the shipped scenarios, the baseline first."""
    names = sorted(path.stem for path in shipped_folder().glob("*.yaml"))
    return tuple(sorted(names, key=lambda name: name != "baseline"))


def is_name(text: str) -> bool:
    """Whether this is the name of a shipped scenario, not a path."""
    return not any(mark in text for mark in "/\\.:") and bool(text)


def shipped_path(name: str) -> Path:
    """Path of a shipped scenario.

    Raises:
        Refused: there is none of that name.
    """
    if name in shipped_names():
        return shipped_folder() / f"{name}.yaml"
    hint = nearest(name, shipped_names())
    raise Refused("there is no shipped scenario of this name", name, hint)


def inside(root: Path, folder: Path, given: str) -> Path:
    """Path of a file given relative to a folder, which must stay inside the root.

    Raises:
        Refused: it leaves the root, or goes through a symbolic link.
    """
    steps = PurePosixPath(given.replace("\\", "/"))
    hint = "write it relative to this file, in the same folder or below that of the first file"
    if steps.is_absolute() or ":" in given or given.startswith("~"):
        raise Refused("must be inside the folder of the scenario", given, hint)
    path = Path(os.path.normpath(folder / steps))
    if not path.is_relative_to(root) or path == root:
        raise Refused("must be inside the folder of the scenario", given, hint)
    for parent in path.parents:
        if parent == root:
            break
        if os.path.islink(parent):  # False for names too long to be any
            raise Refused("goes through a symbolic link", given)
    return path


def read_text(path: Path) -> str:
    """Text of a plain file of at most 1 MB in UTF-8, with line feeds only.

    Raises:
        Refused: it is no such file.
    """
    raw = _read_bytes(path)
    if len(raw) > MAX_BYTES:
        raise Refused("is larger than 1 MB")
    if raw.startswith(_UTF16):
        raise Refused("is not UTF-8 text (it looks like UTF-16)", hint="save it as UTF-8")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        given = f"byte {raw[error.start]:#04x}"
        raise Refused("is not UTF-8 text", given, "save it as UTF-8", line) from None


def _read_bytes(path: Path) -> bytes:
    try:
        info = path.lstat()
        kind = stat.S_IFMT(info.st_mode)
        if kind != stat.S_IFREG:
            raise Refused(f"{_KINDS.get(kind, 'is a device')}, not a plain file")
        if info.st_size > MAX_BYTES:
            raise Refused("is larger than 1 MB")
        # no following of links and no waiting for a writer, should the file change meanwhile
        flags = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC")
        how = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in flags)
        with open(os.open(path, how), "rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        missing = Refused("there is no such file")
        missing.is_missing = True
        raise missing from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refused(f"cannot be read: {reason}") from None

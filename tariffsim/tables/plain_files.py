"""Reading files that users name: only plain files of a limited size, in UTF-8."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MEGABYTE = 1_000_000
_KINDS = {
    stat.S_IFLNK: "is a symbolic link",
    stat.S_IFDIR: "is a folder",
    stat.S_IFIFO: "is a pipe",
    stat.S_IFSOCK: "is a socket",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Refused(Exception):
    """A file cannot be used: what is wrong, what was given, a hint, and the line if there is one.

    Where `given` is empty, the name of the file says it.
    """

    def __init__(self, message: str, given: str = "", hint: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.message, self.given, self.hint, self.line = message, given, hint, line


def read_text(path: Path, megabytes: int, form: str = "UTF-8") -> str:
    """Text of a plain file of at most so many megabytes; a byte order mark is removed.

    `form` is what hints say that the file should be saved as.

    Raises:
        Refused: it is not such a file.
    """
    raw = _read_bytes(path, megabytes)
    if raw.startswith(_UTF16):
        raise Refused("is not UTF-8 text (it looks like UTF-16)", hint=f"save it as {form}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        given = f"byte {raw[error.start]:#04x}"
        raise Refused("is not UTF-8 text", given, f"save it as {form}", line) from None


def _read_bytes(path: Path, megabytes: int) -> bytes:
    most = megabytes * MEGABYTE
    try:
        kind = stat.S_IFMT(path.lstat().st_mode)
        if kind != stat.S_IFREG:
            raise Refused(f"{_KINDS.get(kind, 'is a device')}, not a plain file")
        # No following of links and no waiting for a writer, should the file change meanwhile.
        flags = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC")
        how = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in flags)
        with open(os.open(path, how), "rb") as stream:
            raw = stream.read(most + 1)
    except FileNotFoundError:
        raise Refused("there is no such file") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refused(f"cannot be read: {reason}") from None
    if len(raw) > most:
        raise Refused(f"is larger than {megabytes} MB")
    return raw

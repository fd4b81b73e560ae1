"""Folders that list their files with checksums. They may come from a stranger.

Whatever such a list says, nothing outside its folder is read, and nothing but plain files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import from_json

from tariffsim.errors import StorageError, escaped
from tariffsim.record.disk import is_inside, is_working
from tariffsim.tables.csv_files import NO_FILE, Refused, open_plain, read_bytes

MEGABYTES = 10
"""Most of a list: some hundred thousand files."""
LARGEST = 4_000_000_000
"""Bytes of a listed file; the largest table of a thousand seeds of ten scenarios has half of it."""
LONGEST_SHOWN = 300
"""Characters of a name in a message."""
MOST_NAMED = 5
"""Files that a message names."""
MOST_SEEDS = 100_000
"""Of one command, as many as the command line takes."""

OF_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")
"""Files that systems put into folders which are looked at."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Seed = Annotated[int, Field(ge=0, le=2**32)]


class FailedRun(BaseModel):
    """A run that failed, as it is told."""

    model_config = ConfigDict(strict=True, extra="forbid")

    scenario: str
    seed: int
    phase: str
    message: str


class Precision(BaseModel):
    """The precision that was wanted, in percentage points, and whether it was reached.

    `half_width` is what was reached, with so many `seeds`.
    """

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    wanted: float
    is_reached: bool
    seeds: int | None = None
    half_width: float | None = None


RESULTS_VERSION = 1
"""Of the form of results folders; raised by a change that an older reader would misunderstand."""


class Manifest(BaseModel):
    """What is read of the manifest of a folder of results; other facts are kept as they are."""

    model_config = ConfigDict(strict=True)

    market: str
    titles: Annotated[dict[str, str], Field(min_length=1)]
    outputs: dict[str, Digest]
    seeds: Annotated[list[Seed], Field(min_length=2, max_length=2)]
    tariffsim: str = ""
    python: str = ""
    machine: dict[str, str] = {}
    versions: dict[str, str] = {}
    scenario_hashes: dict[str, str] = {}
    data_hash: str = ""
    wall_seconds: float = 0.0
    experiment: str = ""
    asked: str = ""
    """Hash of what the command was asked to run, whatever the number of seeds."""
    failures: list[FailedRun] = []
    precision: Precision | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        first, last = self.seeds
        if not first <= last < first + MOST_SEEDS:
            raise ValueError("seeds must be the first and the last of at most 100,000")
        if lacking := [
            name for name in self.titles if f"scenarios/{name}.yaml" not in self.outputs
        ]:
            raise ValueError(f"scenario {escaped(lacking[0])} is not among the outputs")
        return self


def read_manifest(path: Path) -> tuple[bytes, Manifest]:
    """The contents of a manifest, and what is needed of it, checked.

    Raises:
        StorageError: it cannot be read, or is not one of results.
    """
    try:
        data = read_bytes(path, MEGABYTES)
        tree = from_json(data)
        _refuse_newer(path, tree)
        return data, Manifest.model_validate(tree)
    except Refused as error:
        text = f"{error.message}; {path.parent} is not a complete results folder"
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(escaped(str(step)) for step in first["loc"])
        message = first["msg"].removeprefix("Value error, ").replace("Input", "it")
        text = f"is not a manifest of results: {key + ': ' if key else ''}{message}"
    except ValueError as error:
        text = f"is not JSON: {error}"
    raise StorageError(f"{path}: {text}")


def _refuse_newer(path: Path, tree: object) -> None:
    """Refuse the manifest of a form that this version does not know, with what to do."""
    given = tree.get("schema_version", 1) if isinstance(tree, dict) else 1
    if isinstance(given, int) and given > RESULTS_VERSION:
        text = f"was written by a newer version (results schema {given}, here {RESULTS_VERSION})"
        raise StorageError(f"{path.parent}: {text}; install that version of tariffsim")


def read_checksums(path: Path) -> dict[str, str]:
    """Checksums by name of file, from a list as `sha256sum` writes it.

    Raises:
        StorageError: it cannot be read, or is not such a list.
    """
    try:
        lines = read_bytes(path, MEGABYTES).decode().splitlines()
    except Refused as error:
        raise StorageError(f"{path}: {error.message}") from None
    except UnicodeDecodeError:
        raise StorageError(f"{path}: is not a list of checksums, but something binary") from None
    found = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    if not all(len(digest) == 64 for digest in found.values()) or len(found) != len(lines):
        raise StorageError(f"{path}: is not a list of one checksum and name a line")
    return found


def unlisted(folder: Path, listed: Collection[str]) -> list[str]:
    """Files and folders inside a folder that a list of files does not name; folders end in `/`.

    What a killed process left hidden, and what systems put into folders, does not count.
    """
    inside = {parent.as_posix() for name in listed for parent in PurePosixPath(name).parents}
    found = []
    for here, folders, files in os.walk(folder):
        place = Path(here).relative_to(folder)
        paths = {name: (place / name).as_posix() for name in (*folders, *files)}
        others = [name for name in folders if paths[name] not in inside]
        found += [f"{paths[name]}/" for name in others if not is_working(name)]
        others = [name for name in files if paths[name] not in listed and name not in OF_SYSTEMS]
        found += [paths[name] for name in others if not is_working(name)]
        folders[:] = [name for name in folders if paths[name] in inside]
    return sorted(found)


def some_of(names: Sequence[str]) -> str:
    """The first of many names, for a message."""
    shown = ", ".join(map(escaped, names[:MOST_NAMED]))
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown


def listed_files(
    path: Path, digests: Mapping[str, str], what: str, changed: str
) -> Iterator[tuple[str, bytes]]:
    """Name and contents of every file that a list names, in the folder of the list.

    Args:
        path: of the list.
        digests: SHA-256 by name of file, as hexadecimal digits.
        what: the folder is, for messages.
        changed: what is said of a file with another checksum.

    Raises:
        StorageError: a name is not of a plain file inside the folder, or a file is not as listed.
    """
    folder = path.parent
    for name in digests:
        if not is_inside(name):
            text = f"{path}: names a file outside its folder, or none: {escaped(name)!r}"
            raise StorageError(text)
    for name, digest in digests.items():
        yield name, _contents(folder, name, digest, what, changed)


def _contents(folder: Path, name: str, digest: str, what: str, changed: str) -> bytes:
    path = folder / name
    try:
        for parent in Path(name).parents:
            if os.path.islink(folder / parent) and parent.name:
                raise Refused(f"is reached through the symbolic link {escaped(str(parent))}")
        with open_plain(path) as stream:
            return _checked(stream, digest, changed)
    except Refused as error:
        text = error.message
        if text == NO_FILE:
            text = f"is missing; {folder} is not a complete {what}"
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
    shown = name if len(name) <= LONGEST_SHOWN else escaped(name)
    raise StorageError(f"{folder / shown}: {text}")


def _checked(stream: BufferedReader, digest: str, changed: str) -> bytes:
    """The contents of an open file, which are read only if they have the checksum."""
    if os.fstat(stream.fileno()).st_size > LARGEST:
        raise Refused(f"is larger than {LARGEST / 1e9:.0f} GB")
    if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
        raise Refused(f"{changed} (checksum differs)")
    stream.seek(0)
    return stream.read()

"""Where scenario files may be: shipped ones by name, others inside the folder of the first file."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path, PurePosixPath

from tariffsim.tables.plain_files import Refused, read_text
from tariffsim.tables.renamed import name_hint

MEGABYTES = 1


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
    hint = name_hint("scenario", name, shipped_names())
    raise Refused("there is no shipped scenario of this name", name, hint)


def path_inside(root: Path, folder: Path, given: str) -> Path:
    """Path of a file given relative to a folder, which must stay inside the root.

    Raises:
        Refused: it leaves the root, or goes through a symbolic link.
    """
    steps = PurePosixPath(given.replace("\\", "/"))
    path = Path(os.path.normpath(folder / steps))
    is_relative = not (steps.is_absolute() or ":" in given or given.startswith("~"))
    if not is_relative or not path.is_relative_to(root) or path == root:
        hint = "write it relative to this file, in the same folder or below that of the first file"
        raise Refused("must be inside the folder of the scenario", given, hint)
    for parent in path.parents:
        if parent == root:
            break
        if os.path.islink(parent):  # False for names too long to be any
            raise Refused("goes through a symbolic link", given)
    return path


def read_scenario(path: Path) -> str:
    """Text of a scenario file, with line feeds only.

    Raises:
        Refused: it is not a plain UTF-8 file of at most 1 MB.
    """
    return read_text(path, MEGABYTES).replace("\r\n", "\n")

"""Scenario files: where they may be, and one tree of values from a file and those it builds on.

Shipped scenarios are found by name, other files inside the folder of the first file. `extends` and
`combine` are flattened to a list of files in the order in which they are merged, each file once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from tariffsim.errors import FORMULA, Problem, closest, escaped, escaped_path
from tariffsim.policy.fields import BAD_CHARACTER
from tariffsim.scenario.nodes import Node, Position, merge, parse
from tariffsim.tables.csv_files import Refused, read_text
from tariffsim.tables.renamed import name_hint, new_name

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


def name_problem(name: str) -> str:
    """Why a text cannot be the name of a scenario, which tables and files repeat; else empty."""
    if name.startswith(FORMULA):
        return f"begins with {name[0]}, which spreadsheets take for a formula"
    if bad := BAD_CHARACTER.search(name) or re.search(r"[\n\t/\\]", name):
        return f"has the character U+{ord(bad.group()):04X}"
    return ""


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


MAX_DEPTH = 8
MAX_FILES = 50
BUILDS_ON = ("extends", "combine")
WORDS = ("title", "label", "description")


@lru_cache(maxsize=100)
def _shipped(path: Path, modified: int, size: int) -> tuple[Node | None, list[Problem]]:
    """A shipped file, parsed once while it does not change."""
    return parse(read_scenario(path), path.name)


@dataclass
class Layers:
    """The files of one scenario, in the order in which they are merged."""

    root: Path
    """Folder of the first file: nothing outside is read, except for shipped scenarios."""
    problems: list[Problem] = field(default_factory=list)
    trees: list[Node] = field(default_factory=list)
    tables: dict[str, Path] = field(default_factory=dict)
    """Files that replace data tables."""
    is_whole: bool = True
    """Whether every file could be read, or one like it."""
    _open: list[Path] = field(default_factory=list)
    _seen: set[Path] = field(default_factory=set)

    def add(self, path: Path, shown: str, at: Position, key: str = "", given: str = "") -> None:
        """Add a file after those it builds on; `at`, `key` and `given` are what asked for it."""
        if path in self._open:
            names = " -> ".join(p.name for p in [*self._open[self._open.index(path) :], path])
            self._refuse(at, "builds on itself", names, key=key)
        elif len(self._open) >= MAX_DEPTH:
            self._refuse(at, f"builds on more than {MAX_DEPTH} files in a row", key=key)
        elif path not in self._seen:
            self._seen.add(path)
            if len(self._seen) > MAX_FILES:
                self._refuse(at, f"builds on more than {MAX_FILES} files", key=key)
                return
            self._open.append(path)
            try:
                self._add_tree(path, shown, self._read(path, shown))
            except Refused as error:
                if path.stem in shipped_names() and not os.path.exists(path):
                    error.hint = f"the shipped scenario is called {path.stem}"
                if error.line:
                    at, key = Position(shown, error.line, error.column), ""
                self._refuse(at, error.message, error.given or given, error.hint, key)
                self.is_whole = False
            self._open.pop()

    def _read(self, path: Path, shown: str) -> Node | None:
        """The tree of one file."""
        if path.parent == shipped_folder() and os.path.exists(path):
            info = path.lstat()
            node, problems = _shipped(path, info.st_mtime_ns, info.st_size)
        else:
            node, problems = parse(read_scenario(path), shown)
        self.problems.extend(problems)
        return node

    def _add_tree(self, path: Path, shown: str, node: Node | None) -> None:
        if node is None:
            self.is_whole = False
            return
        for key, base in self._bases(node):
            self._add_base(path, shown, base, key)
        own = {key: child for key, child in node.items.items() if key not in BUILDS_ON}
        if "data" in own:
            self._note_tables(path, own["data"])
        self.trees.append(replace(node, value=own))

    def _bases(self, node: Node) -> Iterator[tuple[str, Node]]:
        """What a file builds on: texts naming scenarios or files."""
        extends, combine = (
            None if base is None or base.is_bad or base.value is None else base
            for base in map(node.items.get, BUILDS_ON)
        )
        if extends and isinstance(extends.value, str):
            yield "extends", extends
        elif extends:
            hint = "for several use `combine: [a, b]`"
            self._refuse(extends.at, "must be one name or path", "", hint, "extends")
        entries = combine.value if combine and isinstance(combine.value, tuple) else ()
        if combine and not entries:
            self._refuse(combine.at, "must be a list of names or paths", key="combine")
        for index, entry in enumerate(entries):
            key = f"combine[{index}]"
            if isinstance(entry.value, str):
                yield key, entry
            elif not entry.is_bad:
                self._refuse(entry.at, "must be a name or path", entry.text, key=key)

    def _add_base(self, path: Path, shown: str, base: Node, key: str) -> None:
        given = str(base.value)
        try:
            if is_name(given):
                found = shipped_path(given)
                base_shown = found.name
            else:
                found = self._inside(path, given)
                base_shown = escaped_path((Path(shown).parent / given).as_posix())
        except Refused as error:
            self._refuse(base.at, error.message, error.given, error.hint, key)
            # what is left is checked on top of the scenario that is probably meant
            near = new_name("scenario", given) or closest(given, shipped_names())
            if is_name(given) and near:
                self.add(shipped_path(near), f"{near}.yaml", base.at, key, near)
            else:
                self.is_whole = False
        else:
            self.add(found, base_shown, base.at, key, given)

    def _inside(self, path: Path, given: str) -> Path:
        """Path of a file that another one names."""
        root = path.parent if path.parent == shipped_folder() else self.root
        return path_inside(root, path.parent, given)

    def _note_tables(self, path: Path, data: Node) -> None:
        """Where the files are that replace data tables."""
        if data.value is None:
            self.tables.clear()
        for table, node in data.items.items():
            if node.value is None:
                self.tables.pop(table, None)
            elif isinstance(node.value, str) and not node.is_bad:
                try:
                    self.tables[table] = self._inside(path, node.value)
                except Refused as error:
                    key = f"data.{escaped(table)}"
                    self._refuse(node.at, error.message, error.given, error.hint, key)

    def merged(self) -> Node:
        """All files as one tree. Title, label and description belong to the last file alone."""
        at = Position("scenario")
        tree = Node({}, at, at, (at,))
        for node in self.trees[:-1]:
            kept = {key: child for key, child in node.items.items() if key not in WORDS}
            tree = merge(tree, replace(node, value=kept))
        return merge(tree, self.trees[-1]) if self.trees else tree

    def _refuse(
        self, at: Position, message: str, given: str = "", hint: str = "", key: str = ""
    ) -> None:
        self.problems.append(at.problem(message, escaped(given), hint, key))

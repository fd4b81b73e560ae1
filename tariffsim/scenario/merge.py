"""From a file and the files it builds on to one tree of values.

`extends` and `combine` are flattened to a list of files in the order they are laid over each
other, each file once; then the files are merged one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tariffsim.errors import Problem
from tariffsim.scenario.files import (
    Refused,
    inside,
    is_name,
    read_text,
    shipped_folder,
    shipped_names,
    shipped_path,
)
from tariffsim.scenario.nodes import Node, Position, merge
from tariffsim.scenario.text import escaped
from tariffsim.scenario.yaml import parse

MAX_DEPTH = 8
MAX_FILES = 50
_OWN = ("extends", "combine")
_WORDS = ("title", "description")

_shipped: dict[tuple[Path, int, int], tuple[Node | None, list[Problem]]] = {}


@dataclass
class Stack:
    """The files of one scenario on their way to be one tree."""

    root: Path
    """Folder of the first file: nothing outside is read, but for shipped scenarios."""
    problems: list[Problem] = field(default_factory=list)
    layers: list[tuple[Path, Node]] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    """Data tables to replace."""
    _open: list[Path] = field(default_factory=list)
    _seen: set[Path] = field(default_factory=set)

    def lay(self, path: Path, shown: str, asked: Node | None = None, key: str = "") -> None:
        """Lay a file, after those it builds on, over what is there."""
        at = asked.at if asked else Position(shown)
        if path in self._open:
            names = " -> ".join(p.name for p in [*self._open[self._open.index(path) :], path])
            self.problem(at, "builds on itself", escaped(names), key=key)
        elif len(self._open) >= MAX_DEPTH:
            self.problem(at, f"builds on more than {MAX_DEPTH} files in a row", key=key)
        elif path not in self._seen:
            self._seen.add(path)
            if len(self._seen) > MAX_FILES:
                self.problem(at, f"builds on more than {MAX_FILES} files", key=key)
                return
            self._open.append(path)
            self._lay_new(path, shown, asked, key)
            self._open.pop()

    def _lay_new(self, path: Path, shown: str, asked: Node | None, key: str) -> None:
        try:
            node = self._read(path, shown)
        except Refused as error:
            if error.is_missing and path.stem in shipped_names():
                error.hint = f"the shipped scenario is called {path.stem}"
            if asked and not error.line:
                self.problem(asked.at, error.message, escaped(asked.text), error.hint, key)
            else:
                at = Position(shown, error.line)
                self.problem(at, error.message, escaped(error.given), error.hint)
            return
        if node is None:
            return
        for key, base in self._bases(node):
            self._lay_base(path, shown, base, key)
        own = {k: n for k, n in node.items.items() if k not in _OWN}
        self._note_tables(path, own.get("data"))
        self.layers.append((path, replace(node, value=own)))

    def _read(self, path: Path, shown: str) -> Node | None:
        """The tree of one file; shipped files are parsed once while they do not change."""
        if path.parent != shipped_folder():
            node, problems = parse(read_text(path), shown)
        else:
            try:
                info = path.lstat()
            except OSError:
                raise Refused("there is no such file") from None
            key = (path, info.st_mtime_ns, info.st_size)
            if key not in _shipped:
                _shipped[key] = parse(read_text(path), path.name)
            node, problems = _shipped[key]
        self.problems.extend(problems)
        return node

    def _bases(self, node: Node) -> Iterator[tuple[str, Node]]:
        """What a file builds on: texts naming scenarios or files."""
        extends, combine = node.items.get("extends"), node.items.get("combine")
        if extends and not extends.is_bad and extends.value is not None:
            if isinstance(extends.value, str):
                yield "extends", extends
            else:
                hint = "for several use `combine: [a, b]`"
                self.problem(extends.at, "must be one name or path", "", hint, "extends")
        if combine and not combine.is_bad and combine.value is not None:
            entries = combine.value if isinstance(combine.value, tuple) else ()
            if not entries:
                self.problem(combine.at, "must be a list of names or paths", key="combine")
            for index, entry in enumerate(entries):
                key = f"combine[{index}]"
                if isinstance(entry.value, str):
                    yield key, entry
                elif not entry.is_bad:
                    self.problem(entry.at, "must be a name or path", escaped(entry.text), key=key)

    def _lay_base(self, path: Path, shown: str, asked: Node, key: str) -> None:
        given = str(asked.value)
        try:
            if is_name(given):
                base = shipped_path(given)
                self.lay(base, base.name, asked, key)
                return
            is_shipped = path.parent == shipped_folder()
            base = inside(path.parent if is_shipped else self.root, path.parent, given)
            base_shown = (Path(shown).parent / given).as_posix()
            self.lay(base, escaped(base_shown), asked, key)
        except Refused as error:
            self.problem(asked.at, error.message, escaped(error.given), error.hint, key)

    def _note_tables(self, path: Path, data: Node | None) -> None:
        """Where the files are that a layer puts in place of data tables."""
        if data is None:
            return
        if data.value is None:
            self.files.clear()
        for table, node in data.items.items():
            if node.value is None:
                self.files.pop(table, None)
            elif isinstance(node.value, str) and not node.is_bad:
                try:
                    root = path.parent if path.parent == shipped_folder() else self.root
                    self.files[table] = inside(root, path.parent, node.value)
                except Refused as error:
                    key = f"data.{escaped(table)}"
                    self.problem(node.at, error.message, escaped(error.given), error.hint, key)

    def merged(self) -> Node:
        """All layers as one tree. Title and description belong to the last file alone."""
        tree: Node | None = None
        for number, (_, node) in enumerate(self.layers, 1):
            if number < len(self.layers):
                node = replace(node, value={k: n for k, n in node.items.items() if k not in _WORDS})
            tree = merge(tree, node)
        at = Position("scenario")
        return tree or Node({}, at, at, (at,))

    def problem(
        self, at: Position, message: str, given: str = "", hint: str = "", key: str = ""
    ) -> None:
        """Note one problem."""
        self.problems.append(Problem(at.file, at.line, at.column, key, message, given, hint))

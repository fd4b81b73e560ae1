"""Values with the place each came from: read from YAML, made from Python, merged, made plain.

Of YAML 1.2 scenario files use one mapping of text keys, lists and scalars: no anchors, aliases,
tags or second document. Numbers, true, false and null follow the core schema, so that `NO` and
0101 are text. The reader takes PyYAML's events one by one and stops at the first that makes a file
too large or too deep, so that nothing is built of a hostile file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import yaml
from pydantic import BaseModel

from tariffsim.errors import Problem, escaped
from tariffsim.policy.fields import BAD_CHARACTER
from tariffsim.tables.csv_text import comma_hint

Scalar = str | int | float | bool | None
MAX_DEPTH = 20
MAX_NODES = 5_000
MAX_PROBLEMS = 100  # of one file
DATED = re.compile(r"\d{4}(-\d.*|Q.*)?|interpolate")
# Leading zeros make a code, not a number. Thirty digits are more than any figure needs.
INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,29})|0o[0-7]{1,30}|0x[0-9a-fA-F]{1,25}", re.ASCII)
FLOAT = re.compile(
    r"[-+]?(\.[0-9]{1,60}|(0|[1-9][0-9]{0,29})(\.[0-9]{0,60})?)([eE][-+]?[0-9]{1,4})?", re.ASCII
)
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
WORDS: dict[str, Scalar] = dict.fromkeys(("null", "Null", "NULL", "~", ""))
WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
SYNTAX = (
    (r"cannot start any token", "a character that needs quotes", "put the text in quotes"),
    (r"mapping values are not allowed", "unexpected colon", "put the text in quotes"),
    (r"end of stream|end of the stream|<stream end>", "the file ends too early", ""),
    (r"could not find expected ':'|simple key", "a line without a colon", "write `key: value`"),
    (r"expected ',' or", "a comma or closing bracket is missing", ""),
    (r"expected <block end>|block collection|block mapping", "wrong indentation", ""),
    (r"escape", "an unknown escape in double quotes", "use single quotes for a plain \\"),
)
DIGITS = re.compile(r"\d+", re.ASCII)
NOT_A_KEY = "is not a known key"
BAD_TEXT = "contains a character that is not allowed"
Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file, or the name of what else set a value."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    def problem(self, message: str, given: str = "", hint: str = "", key: str = "") -> Problem:
        """A problem at this place."""
        return Problem(self.file, self.line, self.column, key, message, given, hint)


@dataclass(frozen=True)
class Node:
    """A value with its place; `trail` lists the places of the values it replaced and its own."""

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    at: Position
    key_at: Position
    trail: tuple[Position, ...]
    text: str = ""
    """A scalar as written."""
    is_bad: bool = False
    """Reported already: nothing more is said about this value."""

    @property
    def items(self) -> dict[str, Node]:
        """Entries of a mapping; none of anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def has_bad(self) -> bool:
        """Whether an entry of this mapping was reported already."""
        return any(node.is_bad for node in self.items.values())

    @property
    def is_dated(self) -> bool:
        """Whether this is a mapping of dates, which is replaced whole."""
        return bool(self.items) and all(DATED.fullmatch(key) for key in self.items)


def node_of(value: object, at: Position) -> Node:
    """A node from Python values: mappings, sequences, arrays, numbers, texts, None."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if hasattr(value, "tolist"):  # a number or an array of numpy
        value = value.tolist()
    if isinstance(value, Mapping):
        inner: object = {str(k): node_of(v, at) for k, v in value.items()}
    elif isinstance(value, (list, tuple, range)):
        inner = tuple(node_of(v, at) for v in value)
    else:
        inner = value
    return Node(inner, at, at, (at,), str(inner))  # type: ignore[arg-type]


def under(keys: Iterable[str], node: Node) -> Node:
    """The node in mappings of one key each."""
    for key in reversed(list(keys)):
        node = Node({key: node}, node.at, node.at, node.trail)
    return node


def moved(node: Node, at: Position) -> Node:
    """The node as if all of it stood at one place, for values that are in no file."""
    value = node.value
    if isinstance(value, dict):
        value = {key: moved(child, at) for key, child in value.items()}
    elif isinstance(value, tuple):
        value = tuple(moved(child, at) for child in value)
    return replace(node, value=value, at=at, key_at=at, trail=(at,))


def merge(base: Node | None, over: Node) -> Node:
    """RFC 7396: mappings merge, all else replaces; None stays as the mark of a default."""
    if base is None:
        return over
    if not (isinstance(over.value, dict) and isinstance(base.value, dict)):
        return replace(over, trail=base.trail + over.trail)
    if base.is_dated or over.is_dated:
        return replace(over, trail=base.trail + over.trail)
    merged = base.items | {key: merge(base.items.get(key), n) for key, n in over.items.items()}
    return replace(base, value=merged, at=over.at, key_at=over.key_at)


def plain(node: Node) -> object:
    """The bare values; entries that are None, or reported already, are left out."""
    if isinstance(node.value, dict):
        kept = {k: n for k, n in node.value.items() if not n.is_bad}
        if not node.is_dated:
            kept = {k: n for k, n in kept.items() if n.value is not None}
        return {key: plain(child) for key, child in kept.items()}
    if isinstance(node.value, tuple):
        return tuple(plain(child) for child in node.value if not child.is_bad)
    return node.value


def node_at(node: Node | None, keys: Iterable[str | int]) -> Node | None:
    """The node under a path of keys, None where there is none."""
    for key in keys:
        if node is None:
            return None
        if isinstance(node.value, tuple):
            index = int(key) if str(key).isdecimal() else -1
            node = node.value[index] if 0 <= index < len(node.value) else None
        else:
            node = node.items.get(str(key))
    return node


def resolve(text: str) -> Scalar:
    """The value of a scalar without quotes by the core schema."""
    if text in WORDS:
        return WORDS[text]
    if INT.fullmatch(text):
        return int(text, 0)
    if FLOAT.fullmatch(text):
        return float(text)
    return math.nan if NOT_FINITE.fullmatch(text) else text


def parse(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The mapping a file holds, and all that is wrong with it; None when there is no mapping."""
    problems = list(islice(_bad_characters(text, file), MAX_PROBLEMS))
    if problems:
        return None, problems
    reader = _Reader(file)
    node = None
    try:
        node = reader.document(yaml.parse(text, Loader=Loader))
    except _Stop:
        pass
    except yaml.YAMLError as error:
        reader.problems.append(_syntax_problem(error, text, file))
    return node, reader.problems[:MAX_PROBLEMS]


def _bad_characters(text: str, file: str) -> Iterator[Problem]:
    """Control characters and invisible marks, the first of each line."""
    for number, line in enumerate(text.split("\n"), 1):
        if bad := BAD_CHARACTER.search(line):
            at = Position(file, number, bad.start() + 1)
            yield at.problem(BAD_TEXT, escaped(bad.group()))


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """Where the file stops being YAML, in plain words."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    at = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
    lines = text.split("\n")
    if mark and mark.line < len(lines) and lines[mark.line][mark.column :].startswith("\t"):
        return at.problem("is not valid YAML: a tab cannot indent", hint="use spaces")
    said = f"{getattr(error, 'problem', None) or ''} {getattr(error, 'context', None) or ''}"
    for pattern, meaning, hint in SYNTAX:
        if re.search(pattern, said):
            return at.problem(f"is not valid YAML: {meaning}", hint=hint)
    return at.problem(f"is not valid YAML: {escaped(said.strip()) or 'cannot be read'}")


def _is_rest(name: str, node: Node, number: Node) -> bool:
    """Whether a key without a value is what a comma cut off the number before it."""
    is_number = isinstance(number.value, (int, float)) and not isinstance(number.value, bool)
    is_empty = node.value is None and not node.text
    return (
        is_empty and is_number and bool(DIGITS.fullmatch(name))
        and number.at.line == node.key_at.line
    )  # fmt: skip


class _Stop(Exception):
    """Nothing more can be read of this file."""


class _Reader:
    """Turns the events of one file into nodes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.events: Iterator[Any] = iter(())
        self.count = 0

    def document(self, events: Iterator[Any]) -> Node | None:
        """The one document of a file."""
        self.events = events
        next(events)  # start of the stream
        start = next(events)
        if isinstance(start, yaml.StreamEndEvent):
            self.refuse(Position(self.file), "is empty", hint="start with `schema_version: 1`")
            return None
        if start.tags:
            self.refuse(self.place(start), "tags are not allowed", "%TAG")
        first = next(events)
        node = self.node(first, self.place(first), "", 1)
        next(events)  # end of the document
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            self.refuse(self.place(after), "starts a second document; a file holds one")
        if not isinstance(node.value, dict) and not node.is_bad:
            self.refuse(node.at, "must be a mapping of keys and values", escaped(node.text))
            return None
        return node

    def node(self, event: Any, key_at: Position, key: str, depth: int) -> Node:
        """The value that starts with this event."""
        at = self.place(event)
        self.count += 1
        if self.count > MAX_NODES:
            self.refuse(at, f"has more than {MAX_NODES} values")
            raise _Stop
        is_bad = self.is_refused(event, at, key)
        if isinstance(event, yaml.AliasEvent):
            return Node(None, at, key_at, (at,), "", True)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, at, key_at, key, is_bad)
        if depth > MAX_DEPTH:
            self.refuse(at, f"is nested deeper than {MAX_DEPTH} levels", key=key)
            raise _Stop
        is_list = isinstance(event, yaml.SequenceStartEvent)
        value: Any = self.entries(key, depth) if is_list else self.mapping(key, depth)
        return Node(value, at, key_at, (at,), "", is_bad)

    def entries(self, key: str, depth: int) -> tuple[Node, ...]:
        """Entries of a list."""
        found: list[Node] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self.node(event, self.place(event), f"{key}[{len(found)}]", depth + 1))
        return tuple(found)

    def mapping(self, key: str, depth: int) -> dict[str, Node]:
        """Entries of a mapping; a key given twice keeps its first value.

        Between braces YAML reads `{a: 3,5}` as a: 3 and a key 5 without a value.
        """
        found: dict[str, Node] = {}
        last, rest = "", ""
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            at = self.place(event)
            if not isinstance(event, yaml.ScalarEvent):
                self.refuse(at, "a key must be a plain text", key=key)
                raise _Stop
            name = event.value
            path = f"{key}.{escaped(name)}" if key else escaped(name)
            self.is_refused(event, at, path)
            node = self.node(next(self.events), at, path, depth + 1)
            is_sound = last in found and (bool(rest) or not found[last].is_bad)
            if is_sound and _is_rest(name, node, found[last]):
                rest += f",{name}"
                found[last] = self.cut_short(found[last], at, path, rest)
                continue
            last, rest = name, ""
            if not name or BAD_CHARACTER.search(name) or len(name) > 100:
                self.refuse(at, "is not a valid name for a key", escaped(name) or "empty", key=key)
                node = replace(node, is_bad=True)
            if name in found:
                given = f"first on line {found[name].key_at.line}"
                self.refuse(at, "is given twice", given, key=path)
            else:
                found[name] = node
        return found

    def cut_short(self, number: Node, at: Position, path: str, rest: str) -> Node:
        """Report a number that a comma cuts, once however many commas it has."""
        hint = comma_hint(f"{number.text}{rest}")
        if path.startswith("experiment.vary."):
            hint += f"; several values are a list: [{number.text}{rest}]"
        if number.is_bad:
            self.problems[-1] = replace(self.problems[-1], hint=hint)
        else:
            self.refuse(at, NOT_A_KEY, "", hint, path)
        return replace(number, is_bad=True)

    def scalar(self, event: Any, at: Position, key_at: Position, key: str, is_bad: bool) -> Node:
        """A number, text, true, false or null."""
        text = event.value
        value = text if event.style or is_bad else resolve(text)
        if isinstance(value, float) and not math.isfinite(value):
            self.refuse(at, "must be a finite number", text[:40], key=key)
            is_bad = True
        if bad := BAD_CHARACTER.search(text):
            self.refuse(at, BAD_TEXT, escaped(bad.group()), key=key)
            is_bad = True
        return Node(value, at, key_at, (at,), text, is_bad)

    def is_refused(self, event: Any, at: Position, key: str) -> bool:
        """Report what YAML has and scenarios do not: aliases, anchors, tags."""
        anchor, tag = event.anchor, getattr(event, "tag", None)
        if anchor is not None:
            is_alias = isinstance(event, yaml.AliasEvent)
            what, mark = ("aliases", "*") if is_alias else ("anchors", "&")
            given, hint = f"{mark}{escaped(anchor)}", "write the value out"
            self.refuse(at, f"{what} are not allowed", given, hint, key)
        if tag is not None:
            self.refuse(at, "tags are not allowed", escaped(tag), key=key)
        return anchor is not None or tag is not None

    def refuse(
        self, at: Position, message: str, given: str = "", hint: str = "", key: str = ""
    ) -> None:
        """Note one problem; give up on a file that has very many."""
        self.problems.append(at.problem(message, given, hint, key))
        if len(self.problems) > MAX_PROBLEMS:
            raise _Stop

    def place(self, event: Any) -> Position:
        """Where an event starts."""
        return Position(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

"""A small loader for the part of YAML 1.2 that scenario files use, keeping every place.

One mapping of text keys; no anchors, aliases, tags or second document; numbers, true, false and
null as in the core schema of YAML 1.2, so that `NO` and 0101 are text. Built on PyYAML's events:
nothing is made of a file before its size and depth are known to be small.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import yaml

from tariffsim.errors import Problem
from tariffsim.policy.fields import BAD_CHARACTER
from tariffsim.scenario.nodes import Node, Position, Scalar
from tariffsim.scenario.text import escaped

MAX_DEPTH = 20
MAX_NODES = 5_000
MAX_PROBLEMS = 100  # of one file
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
    (r"mapping values are not allowed", "a colon where none can be", "put the text in quotes"),
    (r"end of stream|end of the stream|<stream end>", "the file ends too early", ""),
    (r"could not find expected ':'|simple key", "a line without a colon", "write `key: value`"),
    (r"expected ',' or", "a comma or closing bracket is missing", ""),
    (r"expected <block end>|block collection|block mapping", "wrong indentation", ""),
    (r"escape", "an unknown escape in double quotes", "use single quotes for a plain \\"),
)
Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Stop(Exception):
    """Nothing more can be read from this file."""


def parse(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The mapping a file holds, and all that is wrong with it; None when there is no mapping."""
    reader = _Reader(file)
    reader.check_characters(text)
    if reader.problems:
        return None, reader.problems
    try:
        node = reader.document(text)
    except _Stop:
        node = None
    except yaml.YAMLError as error:
        reader.syntax_error(error, text)
        node = None
    return node, reader.problems[:MAX_PROBLEMS]


class _Reader:
    """Turns the events of one file into nodes."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.events: Iterator[Any] = iter(())
        self.count = 0

    def check_characters(self, text: str) -> None:
        """Refuse control characters and invisible marks."""
        for number, line in enumerate(text.split("\n"), 1):
            if bad := BAD_CHARACTER.search(line):
                at = Position(self.file, number, bad.start() + 1)
                self.problem(at, "has a character that is not text", escaped(bad.group()))
            if len(self.problems) >= MAX_PROBLEMS:
                return

    def document(self, text: str) -> Node | None:
        """The one document of a file."""
        parser = Parser(text)
        self.events = iter(parser.get_event, None)
        next(self.events)  # start of the stream
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            self.problem(Position(self.file), "is empty", hint="start with `schema_version: 1`")
            return None
        if start.tags:
            self.problem(self.place(start), "tags are not allowed here", "%TAG")
        first = next(self.events)
        node = self.node(first, self.place(first), "", 1)
        next(self.events)  # end of the document
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            self.problem(self.place(after), "starts a second document; a file holds one")
        if not isinstance(node.value, dict) and not node.is_bad:
            self.problem(node.at, "must be a mapping of keys and values", escaped(node.text))
            return None
        return node

    def node(self, event: Any, key_at: Position, key: str, depth: int) -> Node:
        """The value that starts with this event."""
        self.count += 1
        if self.count > MAX_NODES:
            self.problem(self.place(event), f"has more than {MAX_NODES} values")
            raise _Stop
        at = self.place(event)
        is_bad = self.refused(event, at, key)
        if isinstance(event, yaml.AliasEvent):
            return Node(None, at, key_at, (at,), "", True)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, at, key_at, key, is_bad)
        if depth > MAX_DEPTH:
            self.problem(at, f"is nested deeper than {MAX_DEPTH} levels", key=key)
            raise _Stop
        value: Any
        if isinstance(event, yaml.SequenceStartEvent):
            value = tuple(self.entries(key, depth))
        else:
            value = self.mapping(key, depth)
        return Node(value, at, key_at, (at,), "", is_bad)

    def entries(self, key: str, depth: int) -> Iterator[Node]:
        """Entries of a list."""
        index = 0
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            yield self.node(event, self.place(event), f"{key}[{index}]", depth + 1)
            index += 1

    def mapping(self, key: str, depth: int) -> dict[str, Node]:
        """Entries of a mapping; a key given twice keeps its first value."""
        found: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            at = self.place(event)
            if not isinstance(event, yaml.ScalarEvent):
                self.problem(at, "a key must be a plain text", key=key)
                raise _Stop
            name = event.value
            path = f"{key}.{escaped(name)}" if key else escaped(name)
            self.refused(event, at, path)
            node = self.node(next(self.events), at, path, depth + 1)
            if not name or BAD_CHARACTER.search(name) or len(name) > 100:
                self.problem(at, "is no name for a key", escaped(name[:100]) or "empty", key=key)
                node = replace(node, is_bad=True)
            if name in found:
                first = found[name].key_at
                given = f"first on line {first.line}"
                self.problem(at, "is there twice", given, key=path)
            else:
                found[name] = node
        return found

    def scalar(self, event: Any, at: Position, key_at: Position, key: str, is_bad: bool) -> Node:
        """A number, text, true, false or null."""
        text = event.value
        value: Scalar = text
        if not event.style and not is_bad:
            value = resolve(text)
            if isinstance(value, float) and not math.isfinite(value):
                self.problem(at, "must be a finite number", text[:40], key=key)
                is_bad = True
        if bad := BAD_CHARACTER.search(text):
            self.problem(at, "has a character that is not text", escaped(bad.group()), key=key)
            is_bad = True
        return Node(value, at, key_at, (at,), text, is_bad)

    def refused(self, event: Any, at: Position, key: str) -> bool:
        """Report what YAML has and scenarios have not: aliases, anchors, tags."""
        if isinstance(event, yaml.AliasEvent):
            given = f"*{escaped(event.anchor or '')}"
            self.problem(at, "aliases are not allowed", given, "write the value out", key)
            return True
        if event.anchor is not None:
            given = f"&{escaped(event.anchor or '')}"
            self.problem(at, "anchors are not allowed", given, "write the value out", key)
        if event.tag is not None:
            self.problem(at, "tags are not allowed", escaped(event.tag), key=key)
        return event.anchor is not None or event.tag is not None

    def syntax_error(self, error: yaml.YAMLError, text: str) -> None:
        """Say in plain words where the file stops being YAML."""
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        at = Position(self.file, mark.line + 1, mark.column + 1) if mark else Position(self.file)
        lines = text.split("\n")
        if mark and mark.line < len(lines) and lines[mark.line][mark.column :].startswith("\t"):
            self.problem(at, "is not valid YAML: a tab cannot indent", hint="use spaces")
            return
        said = f"{getattr(error, 'problem', None) or ''} {getattr(error, 'context', None) or ''}"
        for pattern, meaning, hint in SYNTAX:
            if re.search(pattern, said):
                self.problem(at, f"is not valid YAML: {meaning}", hint=hint)
                return
        self.problem(at, f"is not valid YAML: {escaped(said.strip()) or 'cannot be read'}")

    def problem(
        self, at: Position, message: str, given: str = "", hint: str = "", key: str = ""
    ) -> None:
        """Note one problem; give up on a file that has very many."""
        self.problems.append(Problem(at.file, at.line, at.column, key, message, given, hint))
        if len(self.problems) > MAX_PROBLEMS:
            raise _Stop

    def place(self, event: Any) -> Position:
        """Where an event starts."""
        return Position(self.file, event.start_mark.line + 1, event.start_mark.column + 1)


def resolve(text: str) -> Scalar:
    """The value of a plain scalar by the core schema."""
    if text in WORDS:
        return WORDS[text]
    if INT.fullmatch(text):
        return int(text, 0)
    if FLOAT.fullmatch(text):
        return float(text)
    return math.nan if NOT_FINITE.fullmatch(text) else text

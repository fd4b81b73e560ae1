"""What a scenario file holds: values with the place each came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pydantic import BaseModel

Scalar = str | int | float | bool | None
_DATED = re.compile(r"\d{4}(-\d.*|Q.*)?|interpolate")


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file, or the name of what else set a value."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


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
    """Already reported: nothing more is said about this value."""

    @property
    def items(self) -> dict[str, Node]:
        """Entries of a mapping; none of anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def is_dated(self) -> bool:
        """Whether this is a mapping of dates, which is replaced whole."""
        return bool(self.items) and all(_DATED.fullmatch(key) for key in self.items)


def node_of(value: object, at: Position) -> Node:
    """A node from Python values: mappings, sequences, numbers, texts, None."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    if isinstance(value, Mapping):
        inner: object = {str(k): node_of(v, at) for k, v in value.items()}
    elif isinstance(value, (list, tuple)):
        inner = tuple(node_of(v, at) for v in value)
    else:
        inner = value
    return Node(inner, at, at, (at,), str(inner))  # type: ignore[arg-type]


def merge(base: Node | None, over: Node) -> Node:
    """RFC 7396: mappings merge, all else replaces; None stays as the mark of a default."""
    if base is None or not isinstance(over.value, dict):
        trail = (*(base.trail if base else ()), *over.trail)
        return replace(over, trail=trail)
    if not isinstance(base.value, dict) or base.is_dated or over.is_dated:
        return replace(over, trail=base.trail + over.trail)
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = merge(merged.get(key), node)
    return replace(base, value=merged, at=over.at, key_at=over.key_at)


def plain(node: Node) -> object:
    """The bare values; entries that are None, or already reported, are left out."""
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

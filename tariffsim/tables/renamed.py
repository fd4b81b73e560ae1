"""Names that were changed before the first release, so that a refusal can tell the new one."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from tariffsim.errors import nearest

TABLE = Path(__file__).resolve().parent.parent / "data" / "renamed.csv"


@lru_cache(maxsize=1)
def _new_names() -> dict[tuple[str, str], str]:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {(row["kind"], row["old"]): row["new"] for row in csv.DictReader(stream)}


def new_name(kind: str, old: str) -> str:
    """The new name of what was called `old`; empty if nothing was.

    Args:
        kind: `key`, `instrument`, `scenario` or another kind of the table.
        old: the old name; of a key its whole path, where `*` in the table is any policy.
    """
    names = _new_names()
    if new := names.get((kind, old)):
        return new
    first, _, rest = old.partition(".")
    name, _, field = rest.partition(".")
    return names.get((kind, f"{first}.*.{field}"), "").replace("*", name)


def now_called(new: str) -> str:
    """The hint that tells a new name."""
    return f"is now called `{new}`"


def name_hint(kind: str, given: str, allowed: Iterable[str]) -> str:
    """A hint on an unknown name: what it is called now, or the nearest name that is allowed."""
    allowed, new = set(allowed), new_name(kind, given)
    return now_called(new) if new in allowed else nearest(given, allowed)

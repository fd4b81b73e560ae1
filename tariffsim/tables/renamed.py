"""Names that were changed before the first release, so that a refusal can tell the new one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from tariffsim.errors import nearest
from tariffsim.tables.csv_files import shipped_rows


@lru_cache(maxsize=1)
def _new_names() -> dict[tuple[str, str], str]:
    return {(row["kind"], row["old"]): row["new"] for row in shipped_rows("renamed")}


def new_name(kind: str, old: str) -> str:
    """The new name of what was called `old`, or several with blanks; empty if nothing was.

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


def new_names(word: str) -> dict[str, str]:
    """New names, by the old one, of everything whose name was or ended in a word."""
    return {old: new for (_, old), new in _new_names().items() if old.rpartition(".")[2] == word}


def now_called(new: str) -> str:
    """The hint that tells a new name, or several."""
    return "is now called " + " and ".join(f"`{name}`" for name in new.split())


def no_attribute(owner: str, kind: str, name: str) -> AttributeError:
    """The error for an attribute that an owner does not have, with its new name if it had one."""
    new = new_name(kind, name)
    hint = f": it {now_called(new)}" if new else ""
    return AttributeError(f"{owner} has no attribute {name!r}{hint}")


def name_hint(kind: str, given: str, allowed: Iterable[str]) -> str:
    """A hint on an unknown name: what it is called now, or the nearest name that is allowed."""
    allowed, new = tuple(allowed), new_name(kind, given)
    is_allowed = new and set(new.split()) <= set(allowed)
    return now_called(new) if is_allowed else nearest(given, allowed)

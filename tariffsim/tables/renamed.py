"""Names that have been replaced: what was called so, and what it is called now."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources


@cache
def _renamed() -> dict[tuple[str, str], str]:
    text = resources.files("tariffsim").joinpath("data/renamed.csv").read_text("utf-8")
    return {(row["kind"], row["old"]): row["new"] for row in csv.DictReader(text.splitlines())}


def new_name(kind: str, old: str) -> str | None:
    """The new name of what had an old one; None if it was never called so.

    Args:
        kind: key, instrument, scenario, metric, table, column, phase or python.
        old: the name as it was.
    """
    return _renamed().get((kind, old))

"""Numbers as tables print them: changes that can be told from none, with their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isnan
from typing import Any

NONE, UNKNOWN, IN_WORDS = "-", "n.d.", "not distinguishable"


def change_of(row: Mapping[str, Any], decimals: int) -> str:
    """Change, if it can be told from none; after a single seed nobody can say."""
    if row["n"] < 2 or row["low"] == row["high"] == 0:
        return number_of(row["difference"], decimals, "+")
    is_known = row["is_significant"] and not isnan(row["difference"])
    return number_of(row["difference"], decimals, "+") if is_known else UNKNOWN


def with_interval(change: str, row: Mapping[str, Any], decimals: int, gap: str = " ") -> str:
    """A change with its interval, if there is one."""
    if isnan(row["low"]):
        return change
    low, high = (number_of(row[end], decimals, "+") for end in ("low", "high"))
    return f"{change}{gap}[{low}, {high}]"


def decimals_of(values: Iterable[float]) -> int:
    """Decimals that leave two or three digits that mean something."""
    most = max((abs(value) for value in values if not isnan(value)), default=0.0)
    return 0 if most >= 1000 else 1 if most >= 10 else 2 if most >= 1 else 3


def number_of(value: float, decimals: int, sign: str = "") -> str:
    """A rounded number as text; nothing where there is none."""
    rounded = round(value, decimals) + 0.0  # no minus zero
    return NONE if isnan(value) else f"{rounded:{sign if rounded else ''},.{decimals}f}"

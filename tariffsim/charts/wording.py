"""How charts and report write numbers, periods and lists."""

from __future__ import annotations

import calendar
import textwrap
from collections.abc import Iterable

import pandas as pd

CHIPS = "legacy chips (20 nm and older)"
"""What the model is about: where a chart shows their share, it says so once."""


def number(value: float, decimals: int = 1, sign: bool = False) -> str:
    """A number with a true minus, and no minus before a zero."""
    text = f"{abs(value):,.{decimals}f}"
    if not float(text.replace(",", "")):
        return text
    return ("\u2212" if value < 0 else "+" if sign else "") + text


def precise(value: float, decimals: int = 1, sign: bool = False) -> str:
    """A number with more decimals where it would be shown as zero."""
    while decimals < 6 and value and abs(value) < 0.5 * 10.0**-decimals:
        decimals += 1
    return number(value, decimals, sign)


def signed_tick(value: float, _: object = None) -> str:
    """A change on an axis, with its sign and as many digits as it has."""
    sign = "\u2212" if value < 0 else "+" if value > 0 else ""
    return f"{sign}{abs(value):g}"


def plain_tick(value: float, _: object = None) -> str:
    """A level on an axis."""
    return signed_tick(value).lstrip("+")


def percent_tick(value: float, _: object = None) -> str:
    """A level in per cent on an axis."""
    return f"{value:g} %"


def one_line(text: str) -> str:
    """The text without line breaks and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def cut(title: str, most: int = 64) -> str:
    """The title, cut between words where it is long; inside one if that leaves too little."""
    kept = textwrap.shorten(title, most, placeholder="…")
    return kept if len(kept) > most // 2 or len(title) <= most else f"{title[: most - 1]}…"


def period(months: Iterable[str]) -> str:
    """Months in words: 2030, or January 2025 to June 2026."""
    first, last = min(months), max(months)
    if first[:4] == last[:4] and first[5:] == "01" and last[5:] == "12":
        return first[:4]
    if first == last:
        return _month(first)
    return f"{_month(first)} to {_month(last)}"


def _month(month: str) -> str:
    return f"{calendar.month_name[int(month[5:7])]} {month[:4]}"


def capitalised(text: str) -> str:
    """The text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def sentences(parts: Iterable[str]) -> str:
    """Parts joined to one title."""
    return capitalised("; ".join(parts))


def listed(
    data: pd.DataFrame, columns: Iterable[str], decimals: int = 2, *, unit: str = "",
    sign: bool = False, by: str = "label",
) -> str:  # fmt: skip
    """The numbers of a table in words, for alternative texts."""
    return "; ".join(
        f"{name}: " + ", ".join(precise(value, decimals, sign) + unit for value in values)
        for name, *values in data.set_index(by)[list(columns)].itertuples()
    )

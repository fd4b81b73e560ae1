"""The style of charts: colours with fixed meanings, and how numbers, periods and lists read."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from tariffsim.record.statements import precise

CHIPS = "legacy chips (20 nm and older)"
"""What the model is about: where a chart shows their share, it says so once."""
TEXT, QUIET, FAINT = "#262626", "#4A4A4A", "#8C8C8C"
LOSS, GAIN, LEVEL = "#BD1F01", "#12436D", "#3D3D3D"
"""Bars of changes for the worse or upwards, for the better or downwards, and of levels."""
MOST_IN_COLOUR = 4
GREY = "#A6A6A6"


@dataclass(frozen=True)
class SeriesStyle:
    """How everything of one scenario is drawn."""

    colour: str
    text: str
    """The colour of text: darker where the other is too light."""
    marker: str
    dash: Any
    fill: str
    """The inside of markers."""
    width: float = 2.0

    @property
    def is_muted(self) -> bool:
        """Whether the scenario is grey because there are too many."""
        return self.width < 2


FAMILIES: dict[str, tuple[str, str, str, Any]] = {
    "no policy": ("#3D3D3D", "#3D3D3D", "d", "-"),
    "component": ("#12436D", "#12436D", "o", (0, (9, 1.5))),
    "whole-product": ("#F46A25", "#B04A10", "s", (0, (4, 1.2))),
    "unmounted chip": ("#009988", "#00756A", "^", (0, (6, 1.5, 1.2, 1.5))),
    "several": ("#BD1F01", "#BD1F01", "X", (0, (2, 1))),
    "other": ("#A285D1", "#6B4BA3", "v", (0, (1, 1))),
}
"""Kinds of scenario: colour, colour of text, marker, dash."""


def family_style(family: str, is_first: bool = True) -> SeriesStyle:
    """The style of a kind of scenario; marks of others than the first of a kind are pale."""
    colour, text, marker, dash = FAMILIES[family]
    return SeriesStyle(colour, text, marker, dash, colour if is_first else pale(colour))


def pale(colour: str) -> str:
    """Half way to white, which itself is for what is not statistically significant."""
    return "#" + "".join(f"{(255 + int(colour[i : i + 2], 16)) // 2:02X}" for i in (1, 3, 5))


def swatch(colour: str, text: str = TEXT) -> SeriesStyle:
    """A square of one colour, for legends of bars."""
    return SeriesStyle(colour, text, "s", "-", colour)


def series_styles(
    families: Mapping[str, str], most: int | None = MOST_IN_COLOUR
) -> dict[str, SeriesStyle]:
    """A style for every scenario: one of each family in colour first, then others up to `most`."""
    rank: dict[str, int] = {}
    seen: dict[str, int] = {}
    for scenario, family in families.items():
        rank[scenario] = seen[family] = seen.get(family, -1) + 1
    policies = [s for s, family in families.items() if family != "no policy"]
    grey = sorted(policies, key=rank.__getitem__)[most:] if most is not None else []
    found = {}
    for scenario, family in families.items():
        style = family_style(family, is_first=rank[scenario] == 0)
        if family == "no policy" and rank[scenario]:
            style = replace(style, dash=(0, (1.2, 1.2)))
        if scenario in grey:
            style = replace(style, colour=GREY, text="#6A6A6A", fill=pale(GREY), width=1.2)
        found[scenario] = style
    return found


def styles_by(
    data: pd.DataFrame, column: str, most: int | None = MOST_IN_COLOUR
) -> dict[str, SeriesStyle]:
    """Styles by the scenarios in a column of a table that has their `family` beside it."""
    named = data.drop_duplicates(column)
    return series_styles(dict(zip(named[column], named["family"], strict=True)), most)


def styles_by_number(data: pd.DataFrame, prefix: str = "") -> dict[str, SeriesStyle]:
    """Styles by number of scenario, of a table with columns `family_1` and so on.

    Args:
        data: the table.
        prefix: what precedes the number in the names returned, such as `rise_`.
    """
    families = data.filter(regex=r"^family_\d$").iloc[0]
    return series_styles({f"{prefix}{str(name)[7:]}": family for name, family in families.items()})


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

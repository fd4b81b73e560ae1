"""Colours with fixed meanings, markers and dashes of scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

TEXT, QUIET, FAINT = "#262626", "#4A4A4A", "#8C8C8C"
LOSS, GAIN, LEVEL = "#BD1F01", "#12436D", "#3D3D3D"
"""Bars of changes for the worse or upwards, for the better or downwards, and of levels."""
MOST_IN_COLOUR = 4


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
    "bare chip": ("#009988", "#00756A", "^", (0, (6, 1.5, 1.2, 1.5))),
    "several": ("#BD1F01", "#BD1F01", "X", (0, (2, 1))),
    "other": ("#A285D1", "#6B4BA3", "v", (0, (1, 1))),
}
"""Kinds of scenario: colour, colour of text, marker, dash."""


def family_style(family: str, is_hollow: bool = False) -> SeriesStyle:
    """The style of a kind of scenario."""
    colour, text, marker, dash = FAMILIES[family]
    return SeriesStyle(colour, text, marker, dash, "white" if is_hollow else colour)


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
        style = family_style(family, is_hollow=rank[scenario] > 0)
        if family == "no policy" and rank[scenario]:
            style = replace(style, dash=(0, (1.2, 1.2)))
        if scenario in grey:
            style = replace(style, colour="#A6A6A6", text="#6A6A6A", fill="white", width=1.2)
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

"""Whether a line gives some markets a version of their own, and why (MODEL 4.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.behaviour.platforms import markets_apart
from tariffsim.state.economy import Economy
from tariffsim.typing import format_month


@dataclass(frozen=True)
class Version:
    """What a line sells in some of its markets, with suppliers of its own."""

    row: int
    """In the table of makers."""
    markets: tuple[str, ...]
    share: float
    """Of the line's units, in the base year."""
    is_own: bool
    """The version of markets set apart; the other is the common one."""


@dataclass(frozen=True)
class SplitChoice:
    """What a line weighed when its design last opened while a law asked for the origin of chips."""

    is_split: bool
    """Some markets have a version of their own now."""
    apart: tuple[str, ...]
    """Markets in focus, of those it is sold in, with such a law expected now."""
    weighed: str | None
    """Month in which versions were weighed last; None if they never were."""
    gain: float
    """USD a unit of the line that suppliers for each version would then have been worth."""
    overhead: float
    """USD a unit of the line that the version would have cost."""


def versions_of_line(economy: Economy, line: int) -> tuple[Version, ...]:
    """The versions that a line sells: the common one, then its own if it has any."""
    makers, flows, codes = economy.makers, economy.flows, economy.constants.codes
    found = []
    for row in (line, int(makers.own_version[line])):
        if row >= 0 and makers.is_made[row]:
            sold = np.sort(flows.market[flows.maker == row])
            markets = tuple(codes.markets[m] for m in sold)
            found.append(Version(row, markets, float(makers.share[row]), row != line))
    return tuple(found)


def explain_split(economy: Economy, line: int) -> SplitChoice | None:
    """What a line last weighed; None if it cannot give any market a version of its own."""
    makers, codes = economy.makers, economy.constants.codes
    if makers.own_version[line] < 0:
        return None
    sold = makers.line_weights[line] > 0
    apart = markets_apart(economy)[makers.device[line]] & sold
    month = int(makers.weighed_month[line])
    return SplitChoice(
        is_split=bool(makers.is_split[line]),
        apart=tuple(codes.markets[m] for m in np.flatnonzero(apart)),
        weighed=format_month(economy.scenario.run.start + month) if month >= 0 else None,
        gain=float(makers.split_gain[line]),
        overhead=float(makers.split_cost[line]),
    )

"""What may be said of a result: one place decides, for titles, reports and screens alike.

A change is stated as an effect where its 95 % interval excludes zero, and nowhere else; a largest
is named where the intervals leave no doubt which it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from scipy.special import stdtrit

from tariffsim.record.results import Results

Key = TypeVar("Key")
MOST_SEEDS = 10_000
"""More seeds than anybody runs."""
DRAWS = 4 / 5
"""Draws of parameters a seed: one in four repeats the draw before it."""


class Verdict(Enum):
    """What is known of a change."""

    CERTAIN = "statistically significant"
    """The interval excludes zero."""
    UNCHANGED = "the same in every run"
    UNCERTAIN = "not statistically significant"
    """The interval covers zero."""
    UNTESTED = "one run, no test"
    UNDEFINED = "not defined"
    """Such as a cost per percentage point where the share does not fall significantly."""


class Estimate(NamedTuple):
    """One measure of one scenario, and its difference from the baseline with its 95 % interval."""

    level: float
    difference: float
    low: float
    high: float
    is_significant: bool
    n: int
    sd_seeds: float = math.nan
    sd_parameters: float = math.nan

    @classmethod
    def of_row(cls, row: Mapping[Any, Any]) -> Estimate:
        """That of a row of a headline table; parts of the variance if parameters are drawn."""
        return cls(*(row.get(name, math.nan) for name in cls._fields))

    @property
    def verdict(self) -> Verdict:
        """What is known of the difference."""
        if math.isnan(self.difference):
            return Verdict.UNDEFINED
        if self.n < 2 or math.isnan(self.low):
            return Verdict.UNTESTED
        if self.low == self.high == 0:
            return Verdict.UNCHANGED
        return Verdict.CERTAIN if self.is_significant else Verdict.UNCERTAIN

    @property
    def is_certain(self) -> bool:
        """Whether the difference may be stated as an effect."""
        return self.verdict is Verdict.CERTAIN


def estimates(results: Results, metric: str) -> dict[str, Estimate]:
    """One headline metric by scenario."""
    table = results.tables["headline"]
    rows = table[table["metric"] == metric].to_dict("records")
    return {str(row["scenario"]): Estimate.of_row(row) for row in rows}


def effect(
    found: Estimate, what: str, unit: str, decimals: int = 1,
    verbs: tuple[str, str] = ("raises", "reduces"),
) -> str:  # fmt: skip
    """What a scenario does to something, as the rest of a sentence about it.

    Args:
        found: the difference from the baseline.
        what: is raised or reduced, such as `the Chinese share`.
        unit: of the difference, such as `pp`.
        decimals: of the numbers; more where they would be shown as zero.
        verbs: for a rise and for a fall.

    Returns:
        `reduces the Chinese share by 2.3 pp (1.9 to 2.7)`, or that nothing is known of the sign.
    """
    decimals = decimals_for(found.difference, decimals)
    if found.verdict is Verdict.CERTAIN:
        verb = verbs[found.difference < 0]
        size = number(abs(found.difference), decimals)
        low, high = sorted((abs(found.low), abs(found.high)))
        return (
            f"{verb} {what} by {size} {unit} "
            f"({precise(low, decimals)} to {precise(high, decimals)})"
        )
    if found.verdict is Verdict.UNCHANGED:
        return f"does not change {what}"
    if found.verdict is Verdict.UNDEFINED:
        return f"has no defined effect on {what}"
    if found.verdict is Verdict.UNTESTED:
        size = precise(found.difference, decimals, sign=True)
        return f"changes {what} by {size} {unit} in a single run, without a test of significance"
    low_, high_ = (precise(end, decimals, sign=True) for end in (found.low, found.high))
    return f"has no statistically significant effect on {what} ({low_} to {high_} {unit})"


def clear_largest(found: Mapping[Key, Estimate]) -> Key | None:
    """What has the largest difference, in absolute size, if its interval lies beyond all others.

    Among all of them, significant or not: one whose interval is wide may be the largest. None if
    there is only one, or if the intervals overlap.
    """
    certain = {key: one for key, one in found.items() if one.is_certain}
    if len(found) < 2 or not certain:
        return None
    key = max(certain, key=lambda k: abs(certain[k].difference))
    least = min(abs(certain[key].low), abs(certain[key].high))
    others = (_reach(one) for other, one in found.items() if other != key)
    return key if all(reach < least for reach in others) else None


def _reach(one: Estimate) -> float:
    """The largest absolute size that an interval allows; any where there is no interval."""
    if one.verdict is Verdict.UNDEFINED:
        return 0.0
    return math.inf if math.isnan(one.low) else max(abs(one.low), abs(one.high))


def seeds_to_settle(found: Estimate) -> int | None:
    """About how many seeds would make a difference of this size statistically significant.

    From the variance by seeds and by parameters, as if the mean stayed where it is:
    `t sqrt(v_parameters + (v_parameters + v_seeds) / n) < |difference|`. None where no number
    would (parameters alone leave the sign open), or where both parts are not known.
    """
    if found.verdict is not Verdict.UNCERTAIN or found.difference == 0:
        return None
    parameters = found.sd_parameters
    if math.isnan(parameters):  # fixed: the interval is that of Student
        parameters = 0.0
        half = (found.high - found.low) / 2
        seeds = half / float(stdtrit(found.n - 1, 0.975)) * math.sqrt(found.n)
    else:
        seeds = found.sd_seeds
    if math.isnan(seeds):
        return None
    share = DRAWS if parameters else 1.0
    for n in range(found.n + 1, MOST_SEEDS):
        freedom = max(1, round(share * n) - 1)
        scale = math.sqrt(parameters**2 + (parameters**2 + seeds**2) / n)
        if float(stdtrit(freedom, 0.975)) * scale < abs(found.difference):
            return n
    return None


def number(value: float, decimals: int = 1, sign: bool = False) -> str:
    """A number with a true minus, and no minus before a zero."""
    text = f"{abs(value):,.{decimals}f}"
    if not float(text.replace(",", "")):
        return text
    return ("\u2212" if value < 0 else "+" if sign else "") + text


def precise(value: float, decimals: int = 1, sign: bool = False) -> str:
    """A number with more decimals where it would be shown as zero."""
    return number(value, decimals_for(value, decimals), sign)


def decimals_for(value: float, decimals: int = 1) -> int:
    """At least so many decimals, and more where the value would be shown as zero."""
    while decimals < 6 and value and abs(value) < 0.5 * 10.0**-decimals:
        decimals += 1
    return decimals

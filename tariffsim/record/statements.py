"""What may be said of a result: one place decides, for titles, reports and screens alike.

A change is stated as an effect where its 95 % interval excludes zero, and nowhere else; a largest
is named where the intervals leave no doubt which it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import pandas as pd
from scipy.special import stdtrit

from tariffsim.record import uncertainty
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

    @classmethod
    def of_columns(cls, row: Mapping[Any, Any], name: str, n: int) -> Estimate:
        """That of a row of a chart's table which has the columns of `columns`."""
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return cls(math.nan, row[name], low, high, bool(row[f"is_{name}_significant"]), n)

    def columns(self, name: str) -> dict[str, float | bool]:
        """The difference in columns `NAME`, `NAME_low`, `NAME_high` and `is_NAME_significant`."""
        return {
            name: self.difference, f"{name}_low": self.low, f"{name}_high": self.high,
            f"is_{name}_significant": self.is_significant,
        }  # fmt: skip

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


def paired(results: Results, by_seed: pd.DataFrame) -> dict[str, Estimate]:
    """A quantity by scenario, with its paired difference from the baseline.

    Args:
        results: whose seeds and draws of parameters they are.
        by_seed: the quantity, one row a seed and one column a scenario.
    """
    interval_of, found = uncertainty.interval_of(results), {}
    for name, values in by_seed.sort_index().items():
        change = interval_of((values - by_seed[results.baseline].sort_index()).tolist())
        found[str(name)] = Estimate(
            float(values.mean()), change.mean, change.low, change.high, change.is_significant,
            change.n, change.sd_seeds, change.sd_parameters,
        )  # fmt: skip
    return found


def effect(
    found: Estimate, what: str, unit: str, decimals: int = 1,
    verbs: tuple[str, str] = ("raises", "reduces"), *, has_interval: bool = True,
) -> str:  # fmt: skip
    """What a scenario does to something, as the rest of a sentence about it.

    Args:
        found: the difference from the baseline.
        what: is raised or reduced, such as `the Chinese share`.
        unit: of the difference, such as `pp`.
        decimals: of the numbers; more where they would be shown as zero.
        verbs: for a rise and for a fall.
        has_interval: says the interval too; a title whose picture shows it need not.

    Returns:
        `reduces the Chinese share by 2.3 pp (1.9 to 2.7)`, or that nothing is known of the sign.
    """
    decimals = decimals_for(found.difference, decimals)
    low, high = (precise(end, decimals, sign=True) for end in (found.low, found.high))
    interval = f" ({low} to {high} {unit})" if has_interval else ""
    significant = "statistically significant" if has_interval else "significant"
    size = number(abs(found.difference), decimals)
    if found.verdict is Verdict.CERTAIN:
        ends = sorted((abs(found.low), abs(found.high)))
        interval = f" ({' to '.join(precise(end, decimals) for end in ends)})" * has_interval
        return f"{verbs[found.difference < 0]} {what} by {size} {unit}{interval}"
    return {
        Verdict.UNCERTAIN: f"has no {significant} effect on {what}{interval}",
        Verdict.UNCHANGED: f"does not change {what}",
        Verdict.UNDEFINED: f"has no defined effect on {what}",
        Verdict.UNTESTED: (
            f"changes {what} by {number(found.difference, decimals, sign=True)} {unit} in a single "
            "run, without a test of significance"
        ),
    }[found.verdict]


def summary(what: str, unit: str, found: Mapping[str, Estimate], decimals: int = 1) -> str:
    """What several scenarios do to one thing, in a sentence; empty if nothing was tested.

    Args:
        what: rises or falls, such as `The Chinese share`.
        unit: of the differences.
        found: differences from the baseline by what scenarios are called.
        decimals: of the numbers.
    """
    moves: dict[str, list[str]] = {"falls": [], "rises": []}
    open_: list[str] = []
    for name, one in found.items():
        digits = decimals_for(one.difference, decimals)
        ends = [number(end, digits, sign=True) for end in (one.low, one.high)]
        if one.is_certain:
            size = f"{number(abs(one.difference), digits)} {unit} ({ends[0]} to {ends[1]})"
            moves["falls" if one.difference < 0 else "rises"].append(f"with {name} by {size}")
        elif one.verdict is Verdict.UNCERTAIN:
            open_.append(f"{name} ({ends[0]} to {ends[1]} {unit})")
    same = [name for name, one in found.items() if one.verdict is Verdict.UNCHANGED]
    parts = [f"{verb} {_listed(each)}" for verb, each in moves.items() if each]
    told = [" and ".join(parts)] if parts else []
    told += [f"does not change with {_listed(same)}"] if same else []
    if open_:
        told.append(f"{'; it' if told else ''} has no statistically significant change with "
                    f"{_listed(open_)}".strip())  # fmt: skip
    return f"{what} {', '.join(told).replace(', ; it', '; it')}." if told else ""


def _listed(parts: Sequence[str]) -> str:
    """Parts of a sentence: a, b and c."""
    *most, last = parts or [""]
    return f"{', '.join(most)} and {last}" if most else last


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

"""How strong a measure is in a month, and with what weight agents count it (MODEL 4.2)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Self

Chance = tuple[tuple[float, float], ...]
"""A probability by the month in which agents think of it: from which month on, and how much.

None is before the first month.
"""
ALWAYS: Chance = ((-inf, 1.0),)


class Strength(float):
    """Strength of a measure in a month, mean over its days, and the part of them it is in force.

    What is due is the mean; whether a false declaration pays is decided on days in force.
    """

    part: float

    def __new__(cls, value: float, part: float = 1.0) -> Self:
        """A strength; the part is that of a whole month if left out."""
        new = super().__new__(cls, value)
        new.part = part
        return new

    def __eq__(self, other: object) -> bool:
        same_part = not isinstance(other, Strength) or self.part == other.part
        return same_part and float(self) == other

    __hash__ = float.__hash__


def part_of(rate: float) -> float:
    """Part of the month in which a measure of this strength is in force; one for plain numbers."""
    return rate.part if isinstance(rate, Strength) else 1.0


def weighted(rate: float, chance: float) -> float:
    """The strength that agents expect of a measure that comes into force with a probability.

    As for a part of the month: whether a false declaration would pay is decided as if in force.
    """
    if chance == 1.0:
        return rate
    return Strength(chance * rate, chance * part_of(rate)) if chance else Strength(0.0)


@dataclass(frozen=True)
class PartOfMonths:
    """One part of each month, where duties of a stacking group come or go within months."""

    dates: Mapping[int, tuple[float, ...]]
    """Moments that divide a month, from its beginning to its end; other months are one part."""
    number: int

    def within(self, month: int) -> tuple[float, float]:
        """The moments between which it is; the same moment twice where there is no such part."""
        dates = (*self.dates.get(month, (month,)), month + 1)
        is_there = self.number + 1 < len(dates)
        return (dates[self.number], dates[self.number + 1]) if is_there else (month, month)


def chance_of(
    known_from: float, belief: float, starts: float | None, withdrawn: float | None
) -> Chance:
    """Probability that agents give to a measure: belief, then what became of it.

    One from the month in which it starts, zero from that in which it is withdrawn; a threat does
    neither if both are None.
    """
    steps = {known_from: belief}
    if withdrawn is not None:
        steps[int(withdrawn)] = 0.0
    elif starts is not None:
        steps[int(starts)] = 1.0
    return tuple(sorted(steps.items()))


def chance_in(chance: Chance, month: float) -> float:
    """The probability in a month."""
    number = bisect_right(chance, month, key=lambda step: step[0])
    return chance[number - 1][1] if number else 0.0


def both(one: Chance, other: Chance) -> Chance:
    """Probability that two independent things happen."""
    months = sorted({month for month, _ in (*one, *other)})
    return _steps({m: chance_in(one, m) * chance_in(other, m) for m in months})


def neither(chance: Chance) -> Chance:
    """Probability that a thing does not happen."""
    return _steps({month: 1.0 - chance_in(chance, month) for month in (-inf, *dict(chance))})


def _steps(found: Mapping[float, float]) -> Chance:
    """Steps without those that change nothing."""
    steps: list[tuple[float, float]] = []
    for month, chance in found.items():
        if chance != (steps[-1][1] if steps else 0.0):
            steps.append((month, chance))
    return tuple(steps)

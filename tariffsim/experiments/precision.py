"""How many seeds a comparison takes: until chance moves its headline by little.

The headline is the change of the Chinese share of every scenario. Its interval has a part that is
due to seeds, which more seeds make smaller, and one that is due to drawn parameters, which they do
not. Seeds are added until the first part, `record.intervals.half_width_by_seeds`, is at most the
precision for every scenario.

A rule that stops when an interval is narrow stops early where the variance is underestimated, so
that its intervals cover the true value less often than they say (Chow and Robbins 1965; Starr
1966 computed by how much for small numbers). Looking after every seed from the fifth on, 95 %
intervals would cover 91.9 % where that is worst. So the rule looks after FEWEST seeds, asks for
half the precision there, and looks again after every seed from FEW on. That leaves 93 % or more
(20,000 sequences of normal draws at each of 14 standard deviations; half a per cent less with
drawn parameters that have no effect). The changes of runs are skewed: drawn again from those of 40
seeds, intervals cover 91.6 % or more, and 93.5 % where five seeds are always enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from tariffsim.record.intervals import half_width_by_seeds
from tariffsim.record.result_tables import SeedRecord

PRECISION = 0.2
"""Percentage points that the headline may be off by chance."""
FEWEST, MOST = 5, 40
"""Seeds that a precision takes at least and at most."""
FEW = 10
"""Seeds from which every one may be the last."""
DrawOf = Callable[[int], int]
"""What names the draw of a seed; seeds with one draw differ by chance alone."""


def is_precise(changes: Sequence[float], draws: Sequence[int] | None, precision: float) -> bool:
    """Whether seeds are enough: their paired differences, and their draws if there are any."""
    n = len(changes)
    if n < FEW and n != FEWEST:
        return False
    return half_width_by_seeds(changes, draws) <= (precision if n >= FEW else precision / 2)


def until_precise(
    records: Iterable[SeedRecord], precision: float | None, draw_of: DrawOf | None
) -> Iterator[SeedRecord]:
    """Seeds in order until the changes of the Chinese share are precise; all if None is asked.

    Seeds count one by one, so that the result does not depend on how many run at a time.
    """
    changes: dict[str, list[float]] = {}
    draws: list[int] = []
    for record in records:
        yield record
        if precision is None:
            continue
        shares = {name: run.summary["cn_share"] for name, run in record.runs.items()}
        base = next(iter(shares.values()))
        for name, share in shares.items():
            changes.setdefault(name, []).append(share - base)
        if draw_of is not None:
            draws.append(draw_of(record.seed))
        if all(is_precise(each, draws or None, precision) for each in changes.values()):
            return


def reached(summary: pd.DataFrame, precision: float, draw_of: DrawOf | None) -> dict[str, Any]:
    """What results say about a precision: what was wanted, whether and how far it was reached.

    Args:
        summary: metrics by scenario, the baseline first, and seed.
        precision: that was wanted, percentage points.
        draw_of: None if parameters were fixed.
    """
    shares = summary.pivot(index="seed", columns="scenario", values="cn_share")
    changes = shares.sub(shares[summary["scenario"].iloc[0]], axis=0)
    draws = None if draw_of is None else [draw_of(int(seed)) for seed in shares.index]
    widest = max(half_width_by_seeds(changes[name].tolist(), draws) for name in changes)
    return {
        "wanted": precision, "is_reached": widest <= precision, "seeds": len(shares),
        "half_width": widest if math.isfinite(widest) else None,
    }  # fmt: skip

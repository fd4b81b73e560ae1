"""Scores of the model against published outcomes, row by row and by outcome."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from itertools import takewhile
from typing import Any

import numpy as np
import pandas as pd

from tariffsim.scenario import load_scenario
from tariffsim.tables import SHIPPED, History, OutcomeRow, load_history
from tariffsim.validation.about import TOUCHES
from tariffsim.validation.figures import figures as figures_of

STORED = "validation_scores.csv"
STORED_SEEDS = range(8)
SCENARIOS = ("baseline", "hindcast_2017", "hindcast_2017_no_301")
USES = {"calibration": "calibrated", "test": "untouched"}
PASSED = 2 / 3
"""Share of an outcome's rows that have to be inside their ranges."""
INTERVAL = (0.05, 0.95)
"""Quantiles of the seeds."""
DIGITS = 6
"""Significant digits that are stored."""


def scored_ids(history: History) -> list[str]:
    """Outcomes with rows that are scored, in order."""
    return list(dict.fromkeys(row.id for row in history.outcomes if row.is_scored))


def validate(history: History, ids: Sequence[str], seeds: Sequence[int]) -> pd.DataFrame:
    """Run what some outcomes need, with and without reaction, and score their rows."""
    with_reaction, without = (figures_of(history, ids, seeds, reacts) for reacts in (True, False))
    return score(history, ids, with_reaction, without)


def score(
    history: History,
    ids: Sequence[str],
    figures: Mapping[str, Sequence[float]],
    nobody: Mapping[str, Sequence[float]],
) -> pd.DataFrame:
    """One line for each scored row of some outcomes.

    A row that passes whether anybody reacts or not is not informative.

    Args:
        history: the published outcomes.
        ids: numbers of the outcomes.
        figures: the model's figures by row, one for each seed.
        nobody: the same where nobody reacts.
    """
    rows = [row for row in history.outcomes if row.is_scored and row.id in ids]
    return pd.DataFrame(
        [_scored(row, figures.get(row.name, ()), nobody.get(row.name, ())) for row in rows]
    )


def _scored(row: OutcomeRow, figures: Sequence[float], nobody: Sequence[float]) -> dict[str, Any]:
    value, passive = (float(np.mean(each)) if len(each) else np.nan for each in (figures, nobody))
    low, high = np.quantile(figures, INTERVAL) if len(figures) else (np.nan, np.nan)
    why = ""
    if np.isnan(value):
        why = "no run has such imports" if len(figures) else "nothing computes it"
    return {
        "id": row.id, "part": row.part, "use": USES[row.use], "case": row.case,
        "quantity": row.quantity, "place": row.place, "period": row.period, "unit": row.unit,
        "value": _number(row.value), "low": _number(row.low), "high": _number(row.high),
        "model": value, "model_low": float(low), "model_high": float(high),
        "nobody_reacts": passive, "holds": row.holds(value),
        "informative": not (row.holds(value) and row.holds(passive)),
        "distance": distance(value, row.low, row.high), "why_not": why,
    }  # fmt: skip


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def distance(value: float, low: float | None, high: float | None) -> float:
    """How far a figure is outside its range, in half-widths of the range; 0 inside.

    Where a bound is open, in units of the other one. Infinite for what is not a number.
    """
    if np.isnan(value):
        return np.inf
    outside = max((low or 0) - value if low is not None else 0.0,
                  value - (high or 0) if high is not None else 0.0, 0.0)  # fmt: skip
    if low is not None and high is not None:
        unit = (high - low) / 2
    else:
        unit = abs(next(bound for bound in (low, high) if bound is not None))
    return float(outside / unit)


def by_id(rows: pd.DataFrame) -> pd.DataFrame:
    """One line for each outcome: rows inside, and whether it passes, of all and of informative.

    An outcome none of whose rows is informative has no verdict on those (`passes_informative`
    is None).
    """
    found = []
    for name, of in rows.groupby("id", sort=False):
        told = of[of["informative"]]
        outside = of.loc[~of["holds"], "distance"]
        found.append(
            {
                "id": name, "use": of["use"].iloc[0], "case": _in_common(list(of["case"].unique())),
                "rows": len(of), "inside": int(of["holds"].sum()),
                "passes": bool(of["holds"].mean() >= PASSED),
                "informative": len(told), "informative_inside": int(told["holds"].sum()),
                "passes_informative": bool(told["holds"].mean() >= PASSED) if len(told) else None,
                "distance": float(outside.mean()) if len(outside) else 0.0,
                "touches": TOUCHES.get(str(name), ""),
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def _in_common(cases: Sequence[str]) -> str:
    """What the cases of an outcome begin with, without the sector of each."""
    if len(cases) == 1:
        return cases[0]
    words = zip(*(case.split() for case in cases), strict=False)
    shared = " ".join(each[0] for each in takewhile(lambda each: len(set(each)) == 1, words))
    return shared.removesuffix("NAICS").rstrip(" :,")


def failures(summary: pd.DataFrame) -> pd.DataFrame:
    """Outcomes that fail, the farthest first: by the mean distance of rows outside their ranges."""
    failed = summary[~summary["passes"].astype(bool)]
    return failed.sort_values("distance", ascending=False, kind="stable").reset_index(drop=True)


def counts(summary: pd.DataFrame) -> dict[str, dict[str, int]]:
    """How many outcomes pass of how many, by use, with all rows and with informative ones."""
    found = {}
    for use in USES.values():
        of = summary[summary["use"] == use]
        told = of["passes_informative"].dropna()
        found[use] = {
            "ids": len(of), "passed": int(of["passes"].sum()),
            "ids_informative": len(told), "passed_informative": int(told.astype(bool).sum()),
        }  # fmt: skip
    return found


# Stored scores


@dataclass(frozen=True)
class Stored:
    """Scores as they were stored, and of what."""

    rows: pd.DataFrame
    seeds: int
    """Seeds of each run, from 0."""
    digest: str
    """Of the scenarios and tables they were made with."""


def inputs_digest() -> str:
    """Hash of all that scores depend on besides the code: scenarios, with their tables."""
    digest = hashlib.sha256()
    for name in SCENARIOS:
        digest.update(load_scenario(name).content_hash.encode())
    for table in ("validation_public", "assembly_cases"):
        digest.update((SHIPPED / f"{table}.csv").read_bytes())
    return digest.hexdigest()


def to_text(rows: pd.DataFrame, seeds: int) -> str:
    """A file of scores: a line of provenance, then a table."""
    head = f"# seeds 0 to {seeds - 1}, {seeds} in all; inputs {inputs_digest()}\n"
    return head + rows.to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")


@lru_cache(maxsize=1)
def stored_scores() -> Stored:
    """The scores that come with the package."""
    head, _, table = (SHIPPED / STORED).read_text(encoding="utf-8").partition("\n")
    rows = pd.read_csv(StringIO(table), keep_default_na=False, na_values={
        name: [""] for name in ("value", "low", "high", "model", "model_low", "model_high",
                                "nobody_reacts", "distance")
    })  # fmt: skip
    words = head.split()
    return Stored(rows, int(words[words.index("in") - 1]), words[-1])


def store() -> None:
    """Compute all scores and write them where the package reads them; takes minutes."""
    history = load_history()
    rows = validate(history, scored_ids(history), STORED_SEEDS)
    text = to_text(rows, len(STORED_SEEDS))
    (SHIPPED / STORED).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    store()

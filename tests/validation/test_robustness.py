"""The table of conclusions under other assumptions: its verdicts, its page, two rows again."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import pandas as pd
import pytest

from tariffsim.record.intervals import paired_interval
from tariffsim.validation.robustness import (
    CENTRAL,
    CONCLUSIONS,
    FAILS,
    HOLDS,
    UNCERTAIN,
    VARIANTS,
    rows_of,
    verdict,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"
TABLE = pd.read_csv(DOCS / "robustness.csv", comment="#")


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ([1.0, 1.2, 0.9], HOLDS),
        ([-1.0, -1.2, -0.9], FAILS),
        ([1.0, -1.2, 0.9], UNCERTAIN),
        ([1.0], UNCERTAIN),
    ],
)
def test_verdicts(gaps: list[float], expected: str) -> None:
    assert verdict(paired_interval(gaps)) == expected


def test_the_stored_table_has_every_conclusion_under_every_variant() -> None:
    pairs = [(v.name, c.name) for v in VARIANTS for c in CONCLUSIONS]
    assert list(zip(TABLE["variant"], TABLE["conclusion"], strict=True)) == pairs
    for row in TABLE.to_dict("records"):
        assert row["n"] > 2
        assert row["low"] < row["gap"] < row["high"]
        above, below = row["low"] > 0, row["high"] < 0
        assert row["verdict"] == (HOLDS if above else FAILS if below else UNCERTAIN)


def test_the_page_is_that_of_the_table() -> None:
    spec = importlib.util.spec_from_file_location("maker", DOCS / "make_robustness_page.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert (DOCS / "robustness.md").read_text(encoding="utf-8") == maker.page()


def test_every_variant_moves_results() -> None:
    gaps = TABLE.pivot(index="variant", columns="conclusion", values="gap")
    central = gaps.loc[CENTRAL.name]
    assert not [v.name for v in VARIANTS[1:] if (gaps.loc[v.name] == central).all()]


def test_two_rows_again() -> None:
    """The ranking of the two tariffs by share and by assembly, with two seeds of the stored runs.

    The half width of six seeds over Student's 2.57, times sqrt(6), is one seed's standard
    deviation; four times that over sqrt(2), and the interval itself, are more than chance gives.
    """
    variant, rankings = VARIANTS[1], [CONCLUSIONS[1], CONCLUSIONS[5]]
    of_variant = TABLE[TABLE["variant"] == variant.name].set_index("conclusion")
    for row in rows_of(variant, range(2), rankings):
        stored = of_variant.loc[row["conclusion"]]
        half = (stored["high"] - stored["low"]) / 2
        assert abs(row["gap"] - stored["gap"]) < half + 4 * half / 2.57 * math.sqrt(6 / 2)
        assert stored["verdict"] == HOLDS
        assert row["gap"] > 0

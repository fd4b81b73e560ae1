"""Sensitivity: design, evaluation and indices against known results."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from tariffsim.experiments.designs import DesignPoint
from tariffsim.experiments.sensitivity import morris, sobol, tornado
from tariffsim.scenario.factors import Factor
from tariffsim.typing import Float

ANGLES = [Factor(f"x{i}", low=-pi, high=pi) for i in (1, 2, 3)]
LINE = [Factor("a", low=0, high=1), Factor("b", low=-1, high=1), Factor("n", low=1, high=4,
                                                                        is_whole=True)]  # fmt: skip
NOISE = np.array([[0.0, 0.3, -0.3]])
"""Seed noise; the same at all points, as with common random numbers."""


def ishigami(points: list[DesignPoint]) -> Float:
    """Ishigami and Homma (1990) with a = 7, b = 0.1, in three seeds."""
    x1, x2, x3 = (np.array([p[f.key] for p in points], float) for f in ANGLES)
    value = np.sin(x1) + 7 * np.sin(x2) ** 2 + 0.1 * x3**4 * np.sin(x1)
    return np.asarray(value[:, None] + NOISE)


def line(points: list[DesignPoint]) -> Float:
    """3 a - b, and nothing of n; as things are: a = 0.25, b = 0."""
    value = [3 * float(p.get("a", 0.25)) - float(p.get("b", 0.0)) for p in points]
    return np.asarray(np.array(value)[:, None] + NOISE)


def test_sobol_indices_of_ishigami() -> None:
    """First 0.3139, 0.4424, 0 and total 0.5576, 0.4424, 0.2437 (Saltelli et al. 2008)."""
    table = sobol(ANGLES, ishigami, 4096).set_index("factor")
    assert table.index[0] == "x1"
    for column, exact in (
        ("first_order", (0.3139, 0.4424, 0)),
        ("total_order", (0.5576, 0.4424, 0.2437)),
    ):
        known = np.array(exact)
        found = table.loc[["x1", "x2", "x3"], column].to_numpy(float)
        assert found == pytest.approx(known, abs=0.02)  # sampling error at 4,096 points
        low, high = (table.loc[["x1", "x2", "x3"], f"{column}_{e}"] for e in ("low", "high"))
        assert ((low <= found) & (found <= high)).all()
        assert ((low <= known) & (known <= high)).all()


def test_morris_screens_ishigami() -> None:
    """x2 is symmetric: it moves the answer much and on average not at all; x3 only with x1."""
    table = morris(ANGLES, ishigami, 200).set_index("factor")
    assert abs(table.loc["x3", "mu"]) < 0.2 * table.loc["x3", "mu_star"]  # type: ignore[arg-type, operator]
    assert (table["sigma"] > 0.5 * table["mu_star"]).all()


def test_morris_of_a_line_is_its_slopes() -> None:
    table = morris(LINE, line, 6, seed=1).set_index("factor")
    assert table.index.tolist() == ["a", "b", "n"]
    assert table["mu"].to_numpy() == pytest.approx([3, -2, 0], abs=1e-12)
    assert table["mu_star"].to_numpy() == pytest.approx([3, 2, 0], abs=1e-12)
    assert table["sigma"].to_numpy() == pytest.approx(0, abs=1e-12)


def test_a_tornado_of_a_line() -> None:
    """Ends and swings are those of the line; noise that all points share is in no swing."""
    table = tornado(LINE, line).set_index("factor")
    assert table.index.tolist() == ["a", "b", "n"]
    assert table["central"].to_numpy() == pytest.approx(0.75)
    assert table["at_low"].to_numpy() == pytest.approx([0, 1.75, 0.75])
    assert table["at_high"].to_numpy() == pytest.approx([3, -0.25, 0.75])
    assert table["swing"].to_numpy() == pytest.approx([3, -2, 0], abs=1e-12)
    assert table["swing_low"].to_numpy() == pytest.approx([3, -2, 0], abs=1e-12)
    assert table["is_significant"].tolist() == [True, True, False]
    assert table.loc["n", ["low_end", "high_end"]].tolist() == [1, 4]


def test_indices_depend_on_the_seed_alone() -> None:
    once, again = (sobol(ANGLES, ishigami, 64, seed=3) for _ in range(2))
    assert once.equals(again)
    assert not once.equals(sobol(ANGLES, ishigami, 64, seed=4))

"""How many seeds a comparison takes, and that its intervals still cover what they should."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from tariffsim import compare
from tariffsim.experiments import precision
from tariffsim.experiments.parameter_draws import draw_number
from tariffsim.experiments.precision import FEW, FEWEST, MOST, is_precise, until_precise
from tariffsim.record.intervals import half_width_by_seeds
from tariffsim.record.result_tables import RunRecord, SeedRecord
from tariffsim.scenario import Scenario, load_scenario, replace, to_yaml, written_seeds
from tariffsim.typing import Float

DRAWS = [draw_number(seed) for seed in range(MOST)]
SEQUENCES = 1000
COVERED = 0.93 - 2 * 0.008
"""Less two standard errors of a coverage of 93 % in so many sequences."""
REAL = (
    -9.3, -8.4, -9.7, -8.9, -9.9, -8.1, -8.0, -8.3, -8.5, -9.1, -9.1, -10.1, -8.8, -7.2, -8.0,
    -7.8, -7.4, -7.4, -8.7, -7.2,
)  # fmt: skip
"""Changes of the Chinese share by `component_50`, 300 lines, central parameters, seeds 0 to 19."""


def ended(values: Float, draws: list[int] | None, wanted: float) -> int:
    """The number of seeds that the rule takes."""
    for n in range(1, MOST):
        if is_precise(values[:n].tolist(), draws and draws[:n], wanted):
            return n
    return MOST


def coverage(chance: Float, of_parameters: Float | None, wanted: float = 1.0) -> float:
    """Part of the sequences whose mean chance is within its interval at the end.

    Args:
        chance: (sequences, MOST) with mean zero.
        of_parameters: (sequences, MOST) effects of draws; None with fixed parameters.
    """
    covered, draws = 0, None if of_parameters is None else DRAWS
    for i, own in enumerate(chance):
        values = own if of_parameters is None else own + of_parameters[i][DRAWS]
        n = ended(values, draws, wanted)
        half = half_width_by_seeds(values[:n].tolist(), draws and draws[:n])
        covered += abs(float(own[:n].mean())) <= half
    return covered / len(chance)


@pytest.mark.parametrize("sd", [0.3, 0.8, 1.8, 2.5])
def test_intervals_cover_after_a_stop_with_fixed_parameters(sd: float) -> None:
    chance = sd * np.random.default_rng(1).standard_normal((SEQUENCES, MOST))
    assert COVERED < coverage(chance, None) < 0.98


@pytest.mark.parametrize(("sd", "by_parameters"), [(0.8, 0.5), (1.8, 4.0), (2.2, 2.2), (2.5, 9.0)])
def test_intervals_cover_after_a_stop_with_drawn_parameters(
    sd: float, by_parameters: float
) -> None:
    rng = np.random.default_rng(2)
    chance = sd * rng.standard_normal((SEQUENCES, MOST))
    assert coverage(chance, by_parameters * rng.standard_normal((SEQUENCES, MOST))) > COVERED


@pytest.mark.parametrize("wanted", [0.3, 0.5, 1.0])
def test_intervals_cover_resampled_changes_of_runs(wanted: float) -> None:
    found = np.random.default_rng(3).choice(REAL, (SEQUENCES, MOST)) - np.mean(REAL)
    assert coverage(found, None, wanted) > COVERED


def test_a_look_after_every_seed_would_cover_less(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = 1.8 * np.random.default_rng(4).standard_normal((SEQUENCES, MOST))
    as_it_is = coverage(chance, None)
    monkeypatch.setattr(precision, "FEW", FEWEST)
    assert coverage(chance, None) < as_it_is


def test_the_number_of_seeds_follows_from_the_standard_deviation() -> None:
    rng = np.random.default_rng(5)

    def mean(sd: float) -> float:
        return float(np.mean([ended(sd * rng.standard_normal(MOST), None, 1.0) for _ in range(99)]))

    assert mean(0.1) == FEWEST
    assert FEW <= mean(1.2) < 12
    assert mean(2.0) == pytest.approx(2.09**2 * 2.0**2, abs=2)  # (t sd / precision)^2
    assert mean(9.0) == MOST


def records(shares: Iterable[float]) -> Iterable[SeedRecord]:
    for seed, share in enumerate(shares):
        runs = {"base": 0.0, "same": 0.0, "other": share}
        yield SeedRecord(seed, {n: RunRecord({"cn_share": s}, {}, {}) for n, s in runs.items()})


def test_seeds_end_when_every_scenario_is_precise() -> None:
    shares = (0.5 * np.random.default_rng(6).standard_normal(MOST)).tolist()
    for draw_of in (None, draw_number):
        draws = None if draw_of is None else DRAWS
        taken = list(until_precise(records(shares), 0.3, draw_of))
        assert len(taken) == ended(np.array(shares), draws, 0.3)
        assert FEW < len(taken) < MOST
    assert len(list(until_precise(records(shares), None, None))) == MOST
    assert len(list(until_precise(records([0.0] * MOST), 0.3, None))) == FEWEST


# `compare`


def small(name: str, **changes: object) -> Scenario:
    own = {"agents__makers": 60, "run__end": "2025-02"}
    return replace(load_scenario(name), **own | changes)


BASE, OTHER = small("baseline"), small("component_50")
"""The tariff has no effect in the months that are run."""


def seeds_in(*given: object, **options: object) -> int:
    results = compare(*given, **options)  # type: ignore[arg-type]
    return int(results.tables["summary"]["seed"].nunique())


def test_without_a_number_seeds_are_added_to_a_precision() -> None:
    results = compare(OTHER, BASE, fixed_parameters=True)
    assert results.provenance["seeds"] == [0, FEWEST - 1]
    assert results.provenance["precision"] == {
        "wanted": 0.2, "is_reached": True, "seeds": FEWEST, "half_width": 0.0,
    }  # fmt: skip


def test_a_number_of_seeds_is_fixed_where_one_is_given_or_written() -> None:
    assert seeds_in(OTHER, BASE, seeds=2) == 2
    assert seeds_in(replace(OTHER, run__seeds=3), replace(BASE, run__seeds=1)) == 3
    assert seeds_in(replace(OTHER, run__seeds=3), BASE, seeds=1) == 1
    assert seeds_in(replace(OTHER, run__seeds=3), BASE, precision=0.1) == FEWEST
    assert "precision" not in {k for k, v in compare(OTHER, BASE, seeds=1).provenance.items() if v}


def test_shipped_scenarios_do_not_write_a_number_of_seeds() -> None:
    assert written_seeds([BASE, OTHER]) is None
    assert written_seeds([replace(BASE, run__seeds=20), OTHER]) == 20  # also if it is the default
    assert "seeds" not in to_yaml(BASE).partition("agents:")[0]
    assert "seeds: 20" in to_yaml(replace(BASE, run__seeds=20))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 3, "precision": 0.1}, "not both"),
        ({"precision": 0.0}, "between 0 and 100 percentage points"),
        ({"precision": float("nan")}, "between 0 and 100 percentage points"),
    ],
)
def test_a_bad_precision_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare(OTHER, BASE, **options)  # type: ignore[arg-type]

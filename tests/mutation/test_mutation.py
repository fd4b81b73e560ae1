"""The mutation campaign draws and judges as it says, and its list of equivalents is up to date."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.mutation.campaign import EQUIVALENT, equivalents, passes, prepare
from tests.mutation.mutants import ROOT, Mutant, mutants

FOLDERS = ("kernels", "behaviour", "law")
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="systems that fork")


def mutant(folder: str, function: str, change: str) -> Mutant:
    """The one mutant of a function with this change."""
    (found,) = (it for it in mutants(folder) if (it.function, it.change) == (function, change))
    return found


@pytest.fixture(scope="module", params=FOLDERS)
def drawn_from(request: pytest.FixtureRequest) -> list[Mutant]:
    return mutants(request.param)


def test_a_mutant_is_a_module_of_its_own(drawn_from: list[Mutant]) -> None:
    """It compiles, differs from the module it is made of, and has a name that no other has."""
    for it in drawn_from[::10]:
        compile(it.source, it.path, "exec", dont_inherit=True)
        assert it.source != (ROOT / it.path).read_text(encoding="utf-8")
    assert len({it.key for it in drawn_from}) == len(drawn_from) > 300


def test_what_counts_as_equivalent_is_a_mutant_of_today() -> None:
    known = {it.key for folder in FOLDERS for it in mutants(folder)}
    assert sorted(equivalents().keys() - known) == [], f"bring {EQUIVALENT.name} up to date"


def test_the_kinds_of_change() -> None:
    found = {it.change for it in mutants("kernels") if it.function == "tracing_cost_rate"}
    size = "size = np.where(relative_size > 0, relative_size, 1.0) ->"
    assert found >= {
        f"{size} size = np.where(relative_size > 1, relative_size, 1.0)",
        f"{size} size = np.where(relative_size >= 0, relative_size, 1.0)",
        f"{size} size = np.where(relative_size < 0, relative_size, 1.0)",
        f"{size} size = np.where(relative_size > 0, 1.0, relative_size)",
        f"{size} size = np.where(relative_size > 0, relative_size, 0.5)",
    }


@pytest.mark.slow
@needs_fork
def test_known_mutants_are_killed_and_an_equivalent_one_lives() -> None:
    """In a process of its own, as the campaign has to load modules before tariffsim."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(judged).result() == [True, False, False, True]


def judged() -> list[bool]:
    """Whether the tests pass without a change, with two faults, and with an equivalent change."""
    prepare()
    size = "size = np.where(relative_size > {}, relative_size, 1.0)"
    found = "return np.asarray({} - (1 - monthly) ** lookback_months)"
    changes = [
        None,
        mutant("kernels", "tracing_cost_rate", f"{size.format(0)} -> {size.format(1)}"),
        mutant("kernels", "detection_probability", f"{found.format(1)} -> {found.format(2)}"),
        next(it for it in mutants("kernels") if it.key in equivalents()),
    ]
    return [passes(["tests/kernels"], change) for change in changes]

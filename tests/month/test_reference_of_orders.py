"""The array code runs the same months as plain objects do: declarations, orders, lines, beliefs.

See `tests.reference.comparison`.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.economies import run, scenario
from tests.reference.comparison import compare, run_both
from tests.reference.scenarios import LAW, LINES, SCENARIOS, SMALL, lines_of, months_of


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in LAW])
def test_same_months(name: str) -> None:
    compare(name)


def test_assembly_moves_and_returns() -> None:
    """In the runs compared flows move, some back, at a cost, and plants are built."""
    name, away, paid, built = "assembly abroad and back", set(), 0.0, False
    for economy in run(scenario(SMALL, SCENARIOS[name], makers=lines_of(name)), 1, months_of(name)):
        flows, makers = economy.flows, economy.makers
        moved = set(np.flatnonzero(flows.origin != makers.base_origin[flows.maker]).tolist())
        assert all(flows.second_best_place[list(moved)] != 0)
        returned = away - moved
        away |= moved
        paid += flows.relocation.sum()
        built |= bool((makers.plant_month > 0).any())
    assert len(away) >= 4
    assert len(returned) >= 2
    assert paid > 0
    assert built


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name.startswith("versions")])
def test_lines_split_and_merge(name: str) -> None:
    """In the runs compared lines get versions, some keep them and some give them up."""
    begun, kept, ended, before = 0, 0, 0, np.zeros(0, dtype=bool)
    for economy in run(scenario(SMALL, SCENARIOS[name], makers=lines_of(name)), 1, months_of(name)):
        now = economy.makers.is_split.copy()
        if len(before):
            begun, kept = begun + (now & ~before).sum(), kept + (now & before).sum()
            ended += (before & ~now).sum()
        before = now
    assert begun > 1
    assert kept > 1
    assert ended > 0


def test_declarations_are_made() -> None:
    """In the runs compared importers trace, do not trace, hide and are caught."""
    case = SCENARIOS["declarations, full_content"]
    world = run_both(scenario(SMALL, case, makers=LINES), seed=2, months=8)
    assert any(importer.is_traced for importer in world.importers)
    assert any(not importer.knows_origin for importer in world.importers)
    assert any(importer.penalty > 0 for importer in world.importers)
    assert any(flow.evaded_duty > 0 and flow.new_duty > 0 for flow in world.flows)

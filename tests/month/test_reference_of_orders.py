"""The array code runs the same months as plain objects do: orders, lines and expectations.

See `tests.reference.comparison`.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.economies import run, scenario
from tests.reference import Flow
from tests.reference.comparison import compare, months_of_both
from tests.reference.scenarios import LAW, SCENARIOS, SMALL, lines_of


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in LAW])
def test_same_months(name: str) -> None:
    compare(name)


def test_assembly_moves_and_returns() -> None:
    """In the runs compared flows move, some back, at a cost, and plants are built."""
    name = "assembly abroad and back"
    case = scenario(SMALL, SCENARIOS[name], makers=lines_of(name))
    away: set[Flow] = set()
    returned: set[Flow] = set()
    relocation, built = 0.0, False
    for world in months_of_both(case, 1, months=16):
        moved = {flow for flow in world.flows if flow.origin != flow.maker.base_origin}
        assert all(flow.second_best_place != 0 for flow in moved)
        returned = away - moved
        away |= moved
        relocation = max(flow.relocation for flow in world.flows) or relocation
        built |= any(line.plant_month > 0 or len(line.plants) > 1 for line in world.lines)
    assert len(away) >= 4
    assert len(returned) >= 2
    assert relocation > 0
    assert built


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name.startswith("versions")])
def test_lines_split_and_merge(name: str) -> None:
    """In the runs compared lines get versions, some keep them and some give them up."""
    begun, kept, ended, before = 0, 0, 0, np.zeros(0, dtype=bool)
    for economy in run(scenario(SMALL, SCENARIOS[name], makers=lines_of(name)), 1, months=16):
        now = economy.makers.is_split.copy()
        if len(before):
            begun, kept = begun + (now & ~before).sum(), kept + (now & before).sum()
            ended += (before & ~now).sum()
        before = now
    assert begun > 1
    assert kept > 1
    assert ended > 0

"""At the ends of what a scenario may say it runs and balances, or it is refused with a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariffsim.calibration import build_economy, require_base_year
from tariffsim.errors import CalibrationError, ConservationError, ProblemsError
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.simulation import simulate
from tariffsim.state.ledger import TOLERANCE, check_accounting_identities
from tests.cli.calling import call
from tests.economies import REGIONS, last, merged, scenario
from tests.month.extremes import PARAMETERS, ends, extremes

BASELINE = load_scenario("baseline")
YEARS = {"run": {"start": "2025-01", "end": "2030-12"}}
GROWING_FAST: dict[str, dict[str, Any]] = {
    "content doubles every year": {
        "trade": {"chip_content_growth": 1.0},
    },
    "demand explodes": {
        "trade": {"growth_factor": 8.40015093413044},
        "policies": {
            "dearer": {"kind": "price_cut", "points": -1, "start": "2025-01"},
            "liked": {"kind": "preference_shift", "log_odds": 5, "start": "2025-01",
                      "chip_regions": ["CN"]},
            "wanted": {"kind": "demand_shift", "change": 5, "start": "2025-01",
                       "markets": ["US", "EU"]},
        },
    },
}  # fmt: skip
"""Stocks of tens of thousand million chips beside deliveries of nearly none."""


@pytest.mark.parametrize("changes", GROWING_FAST.values(), ids=GROWING_FAST)
@pytest.mark.parametrize("seed", [0, 1])
def test_chips_balance_however_large_the_stocks(changes: dict[str, Any], seed: int) -> None:
    rules = merged(YEARS, changes, {"orders": {"allocation": "contract_first"}})
    history = simulate(scenario(rules, makers=1), seed)
    assert len(history.months) == 72


@pytest.mark.parametrize("denied", [1, 1 - 1e-9, 1 - 1e-15])
def test_chips_balance_where_next_to_nothing_is_delivered(denied: float) -> None:
    """A line alone in its class: its stock is used up, and what is left of orders is rounding."""
    changes = {
        "agents": {"makers": 1, "size_pareto": 10.0},
        "trade": {"chip_content_growth": 0.0},
        "run": {"start": "2025-01", "end": "2026-12"},
        "policies": {
            "cut": {"kind": "chip_cutoff", "denied": denied, "start": "2025-03",
                    "markets": ["US", "EU", "JK"]},
        },
    }  # fmt: skip
    history = simulate(replace(BASELINE, **changes), 0)
    delivered = history.cells["units"].sum(axis=1)
    assert delivered.min() < 1e-3 * delivered.max()


def test_chips_that_get_lost_in_a_large_stock_are_noticed() -> None:
    """The balance of stocks and flows is as strict as that of flows alone."""
    economy = last(scenario(makers=30), seed=0, months=3)
    stock = economy.makers.stock
    used = economy.makers.units @ economy.makers.chips
    assert (stock.sum(axis=0) < 3 * used).all()  # months of use, so that both are of one size
    economy.makers.stock = stock * (1 - 10 * TOLERANCE)
    with pytest.raises(ConservationError, match="used and stocked of class A"):
        check_accounting_identities(economy)


@given(changes=extremes(), seed=st.integers(0, 3))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_extreme_scenarios_run_or_are_refused(changes: dict[str, Any], seed: int) -> None:
    try:
        world = replace(BASELINE, **merged(changes, {"run": {"seed": seed}}))
        require_base_year(world)
    except ProblemsError as refused:
        if not all(problem.key and problem.file for problem in refused.problems):
            raise
        return
    history = simulate(world, seed)  # raises where accounts or chips do not balance to 1e-9
    for name, values in vars(history).items():
        for column, numbers in values.items() if isinstance(values, dict) else [(name, values)]:
            if isinstance(numbers, np.ndarray) and numbers.dtype.kind == "f":
                assert np.isfinite(numbers).all(), column
    assert (history.cells["units"] >= 0).all()
    made, capacity = (history.foundries[name].sum(axis=1) for name in ("output", "capacity"))
    assert (made <= capacity * (1 + TOLERANCE)).all()


def test_all_parameters_are_drawn() -> None:
    """Every block, with more than one value each; a new parameter is there by itself."""
    assert len(PARAMETERS) >= 55
    for key, parameter in PARAMETERS.items():
        assert len(set(ends(parameter))) >= 2, key


# What a run refuses, `validate` refuses

FEW = {"foundry_regions": {code: {"foundries": int(code in ("CN", "TW"))} for code in REGIONS}}
"""Two foundries: large shares, which long waits do not allow."""
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "designs": (
        "figures.devices.laptop.requalification_months",
        {
            "sourcing": {"opening_factor": 2.0, "switching_cost_cap": 0.0},
            "figures": {
                "devices": {"laptop": {"design_cycle_months": 12, "requalification_months": 11}},
                **FEW,
            },
        },
    ),
    "pin-compatible parts": (
        "sourcing.pin_compatible_requalification_months",
        {
            "sourcing": {
                "pin_compatible_hazard": 1.0,
                "pin_compatible_requalification_months": 60,
                "switching_cost_cap": 0.0,
            },
            "figures": FEW,
        },
    ),
    "chips": (
        "figures.devices.laptop.chip_content",
        {"figures": {"devices": {"laptop": {"chip_content": 1.0, "foundational_share": 1.0}}}},
    ),
}


@pytest.mark.parametrize(("key", "changes"), REFUSED.values(), ids=REFUSED)
def test_what_a_run_refuses_is_found_before(key: str, changes: dict[str, Any]) -> None:
    world: Scenario = replace(BASELINE, **merged({"agents": {"makers": 300}}, changes))
    found = []
    for refuse in (require_base_year, lambda one: build_economy(one, one.run.seed)):
        with pytest.raises(CalibrationError) as refused:
            refuse(world)
        found.append(refused.value.problems)
    assert found[0] == found[1]
    (problem,) = found[0]
    assert problem.key == key
    assert problem.given
    assert problem.hint


STEADY = """\
schema_version: 1
extends: baseline
run: {start: 2026-01, end: 2026-01, seeds: 1}
agents: {makers: 20}
figures: {devices: {laptop: {chip_content: 1.0, foundational_share: 1.0}}}
"""


@pytest.mark.parametrize("command", ["validate", "run"])
def test_commands_refuse_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """File, line and key, and the exit code of bad input."""
    monkeypatch.chdir(tmp_path)
    Path("steady.yaml").write_text(STEADY, encoding="utf-8")
    status, _, said = call(command, "steady.yaml")
    assert status == 3
    assert "steady.yaml:5:44: figures.devices.laptop.chip_content: makes the chips of" in said


def test_the_changed_value_is_blamed() -> None:
    """Of two values that do not fit together, the one that was set last."""
    names = ("pin_compatible_hazard", "pin_compatible_requalification_months")
    few = merged({"agents": {"makers": 300}, "sourcing": {"switching_cost_cap": 0.0}},
                 {"figures": FEW})  # fmt: skip
    slow = replace(BASELINE, **few, sourcing__pin_compatible_hazard=1e-4)
    slow = replace(slow, sourcing__pin_compatible_requalification_months=60)
    require_base_year(slow)
    quick = replace(slow, sourcing__pin_compatible_requalification_months=2)
    for name, world in (
        (names[0], replace(slow, sourcing__pin_compatible_hazard=1.0)),
        (names[1], replace(replace(quick, sourcing__pin_compatible_hazard=1.0),
                           sourcing__pin_compatible_requalification_months=60)),
    ):  # fmt: skip
        with pytest.raises(CalibrationError, match=rf"sourcing\.{name}: leaves no steady state"):
            require_base_year(world)

"""Economies for tests of the economics: parameters switched off until theory has a closed form."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tariffsim.behaviour.sourcing import among_candidates, choice_set, choice_weights
from tariffsim.calibration import build_economy
from tariffsim.month import PHASES
from tariffsim.scenario import Scenario
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.makers import SlotRows
from tariffsim.tables import SHIPPED, load_tables
from tariffsim.typing import Float

REGIONS = load_tables().foundry_regions.codes
DEVICES = load_tables().devices.codes
CLASSES = load_tables().node_classes.codes

COMPLIANT: dict[str, Any] = {"compliance": {"behaviour": "compliant"}}
"""All importers know the origin of their chips and declare the truth."""

NO_STOCKS: dict[str, Any] = {
    "stock_factor": 0.0,
    "second_source_factor": 0.0,
    "backlog_share": 0.0,
    "restart_weeks": 0.0,
    "resume_months": 0,
}
CORE: dict[str, Any] = COMPLIANT | {
    "supply": {"investment": "planned"},
    "trade": {"ai_chip_uplift": 0.0, "front_loading_months": 0.0},
    "orders": NO_STOCKS,
}
"""Every mechanism beyond the core model switched off: what was there before them."""

STILL: dict[str, Any] = COMPLIANT | {
    "supply": {
        "china_capacity_share": 0.3,
        "china_price_discount": 0.2,
        "capacity_growth_factor": 0.0,
        "investment": "planned",
        "learning": 0.0,
        "utilisation_price_response": 0.0,
        "scarcity_elasticity": 0.0,
    },
    "sourcing": {"version_overhead": 1e6},
    "assembly": {"shift_hazard": 0.0, "plant_hazard": 0.0},
    "trade": {
        "tariffs_in_force": False,
        "growth_factor": 0.0,
        "chip_content_growth": 0.0,
        "ai_chip_uplift": 0.0,
        "maker_pass_through_months": 1.0,
    },
}
"""No growth, learning, change of discount, scarcity, calendar, relocation or second version.

Ex-works prices follow costs at once.

Lines that move to or from China take other odds, so that shares by line would not stay put.
"""

AT_ONCE = {"order_adjustment": 1.0, "pass_through": 1.0, "pass_through_months": 1.0}
COMPETITIVE = {
    "markup": 0.0,
    "freight": 0.0,
    "retail_margin": 0.0,
    "importer_profit": 0.0,
    "border_pass_through": 1.0,
}
"""Prices are costs."""


def each_device(**figures: float) -> dict[str, dict[str, float]]:
    return {code: dict(figures) for code in DEVICES}


def each_region(**figures: float) -> dict[str, dict[str, float]]:
    return {code: dict(figures) for code in REGIONS}


ALL_OPEN: dict[str, Any] = {
    "sourcing": {"opening_factor": 2.0},
    "figures": {
        "devices": each_device(
            design_cycle_months=2, requalification_months=1, requalification_cost_usd=0
        ),
        "node_classes": {code: {"commodity_share": 0.0} for code in CLASSES},
    },
}
"""Every design opens every month, delivers the next, and switching costs nothing."""

HELD: dict[str, Any] = {"sourcing": {"opening_factor": 1e-9}}
"""Suppliers in place stay: an opening in 1e9 cycles."""


def merged(*changes: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for change in changes:
        for key, value in change.items():
            both = isinstance(value, Mapping) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result


def scenario(*changes: Mapping[str, Any], makers: int = 600) -> Scenario:
    return Scenario.model_validate(merged({"agents": {"makers": makers}}, *changes))


def component(rate: Any, **fields: Any) -> dict[str, Any]:
    tariff = {"kind": "component_tariff", "rate": rate, "start": "2025-01", **fields}
    return {"policies": {"component": tariff}}


def product(rate: Any, **fields: Any) -> dict[str, Any]:
    tariff = {"kind": "product_tariff", "rate": rate, "start": "2025-01", **fields}
    return {"policies": {"product": tariff}}


@lru_cache(maxsize=1)
def free_trade() -> dict[str, Any]:
    """US imports without the duties of the base year, so that closed forms stay short."""
    folder = Path(tempfile.mkdtemp())
    with (SHIPPED / "us_imports_2024.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    path = folder / "us_imports_2024.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(row | {"calculated_duty_musd": "0"} for row in rows)
    return {"data": {"us_imports_2024": str(path)}}


def run(scenario: Scenario, seed: int, months: int) -> Iterator[Economy]:
    """The economy after each month; the same object every time."""
    economy, draws = build_economy(scenario, seed), Draws(seed)
    for _ in range(months):
        for phase in PHASES:
            phase(economy, draws)
        yield economy


def last(scenario: Scenario, seed: int, months: int) -> Economy:
    """The economy after so many months."""
    *_, economy = run(scenario, seed, months)
    return economy


def slot_rows(economy: Economy, maker: Any, part: Any) -> SlotRows:
    """Slots of some lines (rows,) for some parts (one, or rows,)."""
    maker, part = np.broadcast_arrays(np.atleast_1d(maker), part)
    return economy.makers.slots(maker * economy.makers.supplier.shape[1] + part)


def odds_of_all(economy: Economy, maker: Any, part: Any) -> Float:
    """(rows, F) odds of all foundries, whatever supply is denied; before inertia."""
    return choice_weights(choice_set(economy), slot_rows(economy, maker, part))


def odds_of_candidates(economy: Economy, maker: Any, part: Any) -> Float:
    """(rows, F) odds of the foundries that may deliver; before inertia."""
    choices, slots = choice_set(economy), slot_rows(economy, maker, part)
    return among_candidates(choices, slots, choice_weights(choices, slots))

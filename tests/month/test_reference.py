"""The array code runs the same months as plain objects do (MODEL 6, E12).

Every month: who supplies every slot and where every line is assembled, exactly; prices, units,
duty by instrument, Chinese shares and the ledger, to 1e-9.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tariffsim.calibration import build_economy
from tariffsim.month import PHASES
from tariffsim.scenario import Scenario
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.ledger import PAYMENTS, sectors
from tariffsim.tables import SHIPPED
from tests.economies import COMPLIANT, each_device, each_region, merged, run, scenario
from tests.reference import Maker, Reference, Slot

TOLERANCE = 1e-9
SMALL = COMPLIANT | {"agents": {"importers_min": 1, "importers_max": 3}}
STEP = {"2025-06": 0.25, "2026-03": 0.5}


def policies(**instruments: dict[str, Any]) -> dict[str, Any]:
    return {"policies": instruments}


def product(**fields: Any) -> dict[str, Any]:
    return {"kind": "product_tariff", "announced": "2025-03", "rate": STEP} | fields


def component(**fields: Any) -> dict[str, Any]:
    return {"kind": "component_tariff", "announced": "2025-03", "rate": STEP} | fields


def bare(**fields: Any) -> dict[str, Any]:
    return {"kind": "bare_chip_tariff", "announced": "2025-03", "rate": STEP} | fields


REST = {"kind": "rest_of_value_tariff", "rate": STEP, "chip_regions": ["CN", "TW"]}
CONTENT = product(only_with_chips_from=["CN"])
LINEAR = {"2025-04": 0.0, "2027-01": 0.3, "interpolate": "linear"}
CHIPS_SHIFT = {"kind": "demand_shift", "of": "chips", "change": STEP, "node_classes": ["A", "C"]}
UNITS_SHIFT = {
    "kind": "demand_shift", "change": STEP, "markets": ["US", "CN"], "devices": ["smartphone"],
    "end": "2025-12",
}  # fmt: skip
HOME_CHIPS = {"kind": "preference_shift", "log_odds": {"2025-05": 0.7}, "markets": ["CN"]}
PUBLIC = {"kind": "procurement_ban", "share": {"2025-07": 0.6}, "announced": "2025-03",
          "devices": ["laptop", "smartphone", "television"]}  # fmt: skip
QUICK = {
    "supply": {"investment": "responsive", "closure_months": 2},
    "figures": {"foundry_regions": each_region(build_lag_months=3)},
}
"""Capacity that is decided on arrives within the months compared."""
WAR = {"kind": "price_cut", "points": {"2025-02": 0.5, "2025-10": -0.1}}
GRANT = {"kind": "capacity_grant", "budget_per_year": {"2025-02": 6e9, "2025-10": 1e9}}
SCENARIOS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "without calendar": {"trade": {"tariffs_in_force": False}},
    "repealed": {
        "policies": {
            "ruling": {"kind": "repeal", "share": 1.0, "start": "2025-03", "announced": "2025-02"},
            "deal": {
                "kind": "product_tariff",
                "rate": {"2025-01": 0.15, "2025-04-11": 0.02},
                "all_in": True,
                "assembly_countries": ["JP", "EU"],
                "coverage": 0.7,
            },
        },
    },
    "several bases": {
        "policies": {
            "v": {
                "kind": "component_tariff",
                "rate": 0.3,
                "start": "2025-01-16",
                "stacking_group": "more",
            },
            "s": {
                "kind": "component_tariff",
                "rate": 0.05,
                "per": "chip",
                "start": "2025-03",
                "stacking_group": "More ",
            },
            "whole": {
                "kind": "product_tariff",
                "rate": 0.05,
                "start": "2025-02",
                "assembly_countries": ["CN"],
                "stacking_group": "other",
            },
            "part": {
                "kind": "component_tariff",
                "rate": 0.4,
                "start": "2025-02",
                "stacking_group": "other",
            },
        },
    },
    "product": policies(
        a=product(assembly_countries=["CN", "VN"]),
        b=product(markets=["EU"], exempt_assembly_countries=["MX"], exempt_devices=["server"]),
    ),
    "product by content": policies(a=CONTENT),
    "two triggers": policies(
        a=CONTENT, b=product(only_with_chips_from=["TW", "CN"], markets=["EU", "JK"])
    ),
    "component": policies(a=component()),
    "component per chip": policies(
        a=component(per="chip", node_classes=["A", "B"], covers_home_assembly=False)
    ),
    "component with a threshold": policies(a=component(threshold=0.02, rate={"2025-06": 2.0})),
    "component per chip with a threshold": policies(a=component(threshold=0.01, per="chip")),
    "component on all chips": policies(a=component(chip_regions="all")),
    "coalition": policies(a=component(markets=["US", "EU", "JK"])),
    "coalition that grows": policies(
        a=component(markets=["US", "EU", "JK"], joins={"JK": "2025-09", "EU": "2026-01"}),
        b=bare(
            markets=["US", "ROW", "EU"],
            joins={"ROW": "2025-06"},
            announced="2025-01",
            stacking_group="g",
        ),
        c={
            "kind": "tariff_rate_quota",
            "rate": STEP,
            "quota": 3e7,
            "markets": ["EU", "US"],
            "joins": {"EU": "2025-10"},
            "assembly_countries": ["CN"],
        },
    ),
    "refunds": merged(
        policies(
            a=component(end="2025-09"),
            b=bare(markets=["US", "ROW"]),
            c=product(devices=["laptop"]),
            r={
                "kind": "duty_refund",
                "refunds": ["a", "B", "IEEPA  reciprocal"],
                "share": {"2025-08": 0.25, "2025-12": 1.0},
                "paid_since": "2025-05",
            },
            s={"kind": "duty_refund", "refunds": ["a"], "share": 0.5, "start": "2025-11"},
        ),
        {"compliance": {"behaviour": "full"}},
    ),
    "capacity lost": merged(
        {"supply": {"investment": "responsive"}},
        policies(
            a={
                "kind": "capacity_loss",
                "share": {"2025-02": 0.2, "2025-06": 0.0},
                "regions": ["TW"],
            },
            b={"kind": "capacity_loss", "share": 0.1, "start": "2025-03-10", "node_classes": ["D"]},
            c=component(free_chips_per_chip=0.1, capacity_counted="standing", chip_regions=["CN"]),
        ),
    ),
    "allowance and credit": merged(
        {"supply": {"investment": "responsive"}},
        policies(
            a=component(free_chips_per_chip=1.0, owned_share=0.3, node_classes=["A", "C"]),
            b=component(credit_per_usd=0.0004, markets=["EU", "US"], threshold=0.01),
            c=bare(credit_per_usd=0.04, markets=["US", "ROW"], chip_regions=["CN", "TW"]),
            d=bare(free_chips_per_chip=1.0, start="2024-06", rate=0.2, chip_regions="all"),
            e=component(
                free_chips_per_chip={"2025-01": 0.02, "2025-05": 0.01},
                capacity_counted="standing",
                pledged_kwpm=40.0,
                chip_regions=["TW", "KR"],
            ),
        ),
    ),
    "content and rest": policies(
        a=component(), b=REST, c=REST | {"rate": 0.2, "stacking_group": "g", "markets": ["EU"]}
    ),
    "unmounted chips": policies(
        a=bare(markets=["US", "ROW", "EU"], chip_regions=["CN", "TW"]),
        b=product(rate={"2026-06": 0.5}),
    ),
    "stacking groups": policies(
        a=product(rate={"2025-06": 0.2}, stacking_group="g"),
        b=product(
            rate={"2025-08": 0.4, "2025-12": 0.1}, stacking_group="g", devices=["television"]
        ),
        c=product(only_with_chips_from=["CN"], stacking_group="g"),
        d=component(rate={"2025-06": 0.3}, stacking_group="h"),
        e=component(stacking_group="h"),
        f=bare(stacking_group="i", markets=["US", "ROW"]),
        g=bare(rate={"2025-07": 0.3}, stacking_group="i", markets=["ROW"], chip_regions="all"),
    ),
    "quotas": policies(
        a={
            "kind": "tariff_rate_quota",
            "announced": "2025-03",
            "rate": STEP,
            "quota": 3e7,
            "in_quota_rate": 0.02,
            "assembly_countries": ["CN", "VN"],
        },
        b={
            "kind": "tariff_rate_quota",
            "start": "2024-10",
            "rate": 0.3,
            "quota": 2e9,
            "quota_in": "value",
            "devices": ["laptop", "television"],
            "markets": ["US", "EU"],
        },
    ),
    "end unknown": policies(a=component(end="2025-12", end_known=False)),
    "linear path": policies(a=component(rate=LINEAR)),
    "price offset": policies(
        a=component(markets=["US", "EU"]),
        b=component(rate={"2025-09": 0.1}, per="chip", node_classes=["D"]),
        c=CONTENT,
        d={"kind": "counter_subsidy", "share": 0.7, "when": "a in force for 2 months"},
    ),
    "retaliation": policies(
        a=component(), b={"kind": "retaliatory_tariff", "rate": 0.3, "when": "a in force"}
    ),
    "origin by packaging": merged(
        policies(
            a=component(threshold=0.01), b=CONTENT, c=bare(markets=["US", "ROW"]), d=component()
        ),
        {"trade": {"origin_rule": "packaging"}},
        {"figures": {"origin_rules": {"TW": {"chinese_if_by_packaging": 0.6}}}},
    ),
    "price cut": policies(a={"kind": "price_cut", "points": {"2025-06": 0.1, "2026-01": -0.1}}),
    "capacity plan": policies(a={"kind": "capacity_plan", "points": {"2025-06": 0.1}}),
    "others build what China does not": policies(
        a={"kind": "capacity_plan", "points": {"2025-01": 0.0, "2025-06": -0.15}, "total": "world"},
        b={"kind": "capacity_plan", "points": {"2025-04": 0.05}},
    ),
    "plan slowed by idle lines": merged(
        policies(a={"kind": "capacity_plan", "points": {"2025-03": 0.2, "2026-02": -0.1}}),
        {"supply": {"plan_response": 0.9}},
    ),
    "responsive investment": merged(QUICK, policies(a=WAR)),
    "grants and credits": merged(
        QUICK,
        policies(
            a=GRANT,
            b=GRANT | {"regions": ["JP", "CN", "KR"], "end": "2025-07", "additionality": 0.9},
            c={"kind": "investment_credit", "credit": {"2025-03": 0.4}, "regions": ["US", "EU"]},
            d={"kind": "price_cut", "points": {"2025-02": 0.4, "2025-12": -0.1}},
        ),
    ),
    "demand and preferences": policies(a=CHIPS_SHIFT, b=UNITS_SHIFT, c=HOME_CHIPS),
    "public buyers": policies(
        a=PUBLIC,
        b=PUBLIC
        | {
            "share": {"2025-03": 0.2, "2025-09": 0.5},
            "markets": ["EU", "CN"],
            "chip_regions": ["CN", "TW"],
            "exempt_devices": ["laptop"],
        },
    ),
    "without foresight": merged(
        policies(a=component(), b=CONTENT), {"sourcing": {"foresight": "none"}}
    ),
    "scarce capacity": policies(a={"kind": "demand_shift", "change": {"2025-06": 1.0}}),
    "everything": policies(
        a=component(),
        b=CONTENT,
        c=bare(markets=["US", "ROW"]),
        d=HOME_CHIPS,
        e=CHIPS_SHIFT,
        f={"kind": "price_cut", "points": {"2025-06": 0.05}},
        g=product(rate=LINEAR),
        h=GRANT,
    ),
}
FULL = {
    "compliance": {
        "behaviour": "full", "audit_rate": 3.0, "lookback_months": 5, "penalty_multiple": 0.2,
        "evasion_cost": 0.2,
    }
}  # fmt: skip
"""Importers who hide, trace and are caught, often enough for a short run."""
RULES = ("exempt", "deemed_share", "full_content", "full_value")
SCENARIOS |= {
    f"declarations, {rule}": merged(
        FULL,
        policies(
            a=component(unknown_origin_rule=rule, deemed_share=0.2, rate={"2025-04": 1.5}),
            b=product(only_with_chips_from=["CN"], unknown_origin_rule=rule, markets=["EU", "US"]),
            c=product(assembly_countries=["CN", "VN"]),
            d=component(per="chip", unknown_origin_rule=rule, node_classes=["A", "D"]),
            e=component(threshold=0.02, unknown_origin_rule=rule, markets=["JK"]),
            f=REST | {"unknown_origin_rule": rule, "deemed_share": 0.2},
        ),
    )
    for rule in RULES
} | {
    "declarations, baseline": FULL,
    "declarations, groups and answers": merged(
        FULL,
        policies(
            a=component(stacking_group="g", covers_home_assembly=False),
            b=component(stacking_group="g", rate={"2025-05": 0.4}, covers_home_assembly=False),
            c=product(stacking_group="h", assembly_countries=["CN"]),
            d=product(stacking_group="h", rate={"2025-05": 0.35, "2025-10": 0.1}),
            e={"kind": "counter_subsidy", "share": {"2025-06": 0.5}},
            f={
                "kind": "disclosure",
                "share": {"2025-04": 0.5, "2025-11": 1.0},
                "devices": ["smartphone"],
            },
            g={"kind": "audit_programme", "audits": {"2025-09": 6.0}, "detection": 0.9},
        ),
    ),
    "declarations without foresight": merged(
        FULL,
        policies(a=component(unknown_origin_rule="full_value"), b=CONTENT),
        {"sourcing": {"foresight": "none"}},
    ),
}
SCENARIOS["quotas without foresight"] = merged(
    SCENARIOS["quotas"], {"sourcing": {"foresight": "none"}, "run": {"start": "2025-06"}}
)
ORDERS = {
    "orders": {"stock_factor": 0.5, "second_source_factor": 1.5, "backlog_share": 0.25},
    "trade": {"front_loading_months": 3.0},
}
CUT = {
    "kind": "chip_cutoff", "denied": 1.0, "first_day": "2025-03-20", "days": 75,
    "markets": ["US", "EU"], "exempt_assembly_countries": ["CN"], "node_classes": ["A", "B", "D"],
}  # fmt: skip
SLOW_WALK = {
    "kind": "licensing", "denied": {"2025-02": 0.6, "2025-09": 0.05}, "chip_regions": ["TW", "KR"],
    "markets": ["CN", "ROW"], "devices": ["smartphone", "combustion_car", "small_appliance"],
}  # fmt: skip
BAN = {"kind": "import_ban", "denied": 1.0, "start": "2025-04", "announced": "2025-02",
       "grace_months": 3}  # fmt: skip
SCARCE = {"kind": "demand_shift", "change": {"2025-03": 1.0, "2025-08": 0.1}}
SCENARIOS |= {
    "cut-off without stocks": policies(a=CUT),
    "cut-off of nobody knows how many days": policies(a=CUT | {"end_known": False}),
    "cut-off": merged(policies(a=CUT, b=component(announced="2025-01")), ORDERS),
    "licences and a ban": merged(policies(a=SLOW_WALK, b=BAN), ORDERS),
    "second sources without stocks": merged(
        policies(a=CUT, b=SLOW_WALK, c=SCARCE), {"orders": {"second_source_factor": 1.5}}
    ),
    "scarce for those abroad": merged(
        policies(a=SCARCE), ORDERS, {"orders": {"allocation": "domestic_first"}}
    ),
    "scarce for those who are new": merged(
        policies(a=SCARCE, b=BAN), {"orders": {"allocation": "contract_first"}}
    ),
    "buying ahead": merged(
        policies(a=product(rate=STEP), b=component(rate={"2025-08": 0.5}), c=SCARCE), ORDERS
    ),
    "cut-offs by origin": merged(
        policies(
            a=CUT | {"by": ["packaging", "owner"], "share": 0.7, "exempt_assembly_countries": []},
            b=CUT | {"by": "packaging", "chip_regions": ["TW", "OTHER"], "first_day": "2025-05-10"},
            c=BAN | {"by": ["owner"], "chip_regions": ["CN", "KR"], "share": 0.5},
        ),
        ORDERS,
        {"orders": {"resume_months": 2, "restart_weeks": 3.0}},
    ),
    "origin by owner, with a cut-off": merged(
        policies(
            a=component(),
            b=CONTENT,
            c=CUT | {"by": ["owner"]},
            d={"kind": "counter_subsidy", "share": 0.5, "start": "2025-06"},
        ),
        {"trade": {"origin_rule": "owner"}},
        {"figures": {"origin_rules": {"TW": {"chinese_if_by_owner": 0.4}}}},
        ORDERS,
    ),
    "a ban with triggers": merged(policies(a=BAN, b=CONTENT, c=SLOW_WALK), ORDERS),
}
SCENARIOS["duties and exchange rates"] = merged(
    FULL, ORDERS,
    {"trade": {"currency_offset": 0.3, "maker_pass_through_months": 2.0}},
    policies(
        a=product(markets=["US", "EU"]), b=component(), c=CONTENT, d=PUBLIC,
        e={"kind": "counter_subsidy", "share": {"2025-06": 0.5}},
    ),
)  # fmt: skip
"""Duty on all that is imported, which moves currencies; chips on standby and in stock."""
SCENARIOS["declarations with stocks"] = merged(
    FULL,
    ORDERS,
    policies(
        a=component(unknown_origin_rule="full_content"),
        b=product(assembly_countries=["CN"], rate={"2025-06": 0.4}),
        c=CUT,
    ),
)
SCENARIOS["everything with stocks"] = merged(
    SCENARIOS["everything"], policies(cut=CUT, slow=SLOW_WALK, ban=BAN, scarce=SCARCE), ORDERS
)
VERSIONS = {
    "sourcing": {"version_overhead": 0.0005},
    "agents": {"focus": ["US", "EU", "JK"], "trade_tail": 0.3},
    "figures": {
        "devices": each_device(
            global_platform_share=1.0, requalification_months=2, requalification_cost_usd=20_000,
            design_cycle_months=3,
        )
    },
}  # fmt: skip
"""Lines sold everywhere, whose designs open often, cheaply qualified; versions cost little."""
SUDDEN = {"kind": "component_tariff", "end": "2025-08", "end_known": False}
SCENARIOS |= {
    "versions": merged(
        VERSIONS,
        policies(
            a=SUDDEN | {"rate": 3.0, "start": "2025-01"},
            b=SUDDEN | {"rate": 2.0, "start": "2025-05", "markets": ["EU"]},
        ),
    ),
    "versions with triggers": merged(
        VERSIONS,
        policies(
            a=component(rate={"2025-02": 2.0, "2025-09": 0.05}, announced="2025-01"),
            b=CONTENT | {"rate": {"2025-03": 0.1}, "markets": ["US"]},
            c=product(only_with_chips_from=["TW"], rate={"2025-03": 0.05}, markets=["ROW", "EU"]),
        ),
    ),
    "versions with bans": merged(
        VERSIONS,
        ORDERS,
        policies(
            a=component(rate={"2025-02": 2.0, "2025-07": 0.05}, announced="2025-01"),
            b=BAN | {"markets": ["JK"]},
            c=CUT | {"markets": ["EU"]},
            d=SCARCE,
        ),
    ),
}
MOVES = product(
    assembly_countries=["CN"], markets=["US", "EU", "JK", "ROW"], announced="2025-02",
    rate={"2025-03": 0.6, "2025-11": 0.0},
)  # fmt: skip
SCENARIOS["assembly abroad and back"] = merged(
    policies(
        a=MOVES,
        b=component(assembly_countries=["CN", "VN"]),
        c={"kind": "counter_subsidy", "share": 0.5, "start": "2025-04"},
    ),
    {
        "assembly": {
            "shift_hazard": 0.7, "shift_months": 1, "shift_cost": 0.03,
            "plant_hazard": 0.3, "plant_months": 4, "plant_cost": 0.05,
        },
        "figures": {"devices": each_device(footloose_share=0.8)},
    },
)  # fmt: skip
LASTING = {"trade": {"expected_persistence": 0.8}}
THREAT = {
    "kind": "product_tariff", "rate": 0.6, "enacted": False, "belief": 0.3,
    "announced": "2025-02", "withdrawn": "2025-09", "assembly_countries": ["CN", "VN"],
}  # fmt: skip
DROPPED = {
    "kind": "component_tariff", "rate": 0.4, "belief": 0.7, "start": "2026-01",
    "announced": "2025-02", "withdrawn": "2025-11",
}  # fmt: skip
HALF_A_RULING = {
    "kind": "repeal", "share": 1.0, "start": "2025-07-09", "announced": "2025-02", "belief": 0.5,
}  # fmt: skip
DOUBTED_QUOTA = {
    "kind": "tariff_rate_quota", "rate": 0.3, "quota": 1e7, "announced": "2025-01",
    "start": "2025-08", "belief": 0.4,
}  # fmt: skip
SCENARIOS |= {
    "duties that may not last": merged(
        LASTING, policies(a=component(), b=product(end="2026-02"), c=bare(markets=["US", "ROW"]))
    ),
    "believed, threatened and withdrawn": merged(
        policies(
            a=component(belief=0.4), b=THREAT, c=DROPPED, d=HALF_A_RULING, e=DOUBTED_QUOTA,
            f=BAN | {"belief": 0.6}, g=CONTENT | {"belief": 0.5, "stacking_group": "g"},
            h=DOUBTED_QUOTA | {"enacted": False, "start": None, "markets": ["EU"]},
        ),
        ORDERS,
        LASTING,
    ),
    "declarations under threat": merged(
        FULL,
        policies(
            a=component(unknown_origin_rule="full_content", belief=0.5),
            b=THREAT,
            c=DROPPED,
            d=component(enacted=False, rate=0.5, belief=0.6, withdrawn="2025-08"),
        ),
        LASTING,
    ),
}  # fmt: skip
FOUNDRY_COLUMNS = (
    "price", "capacity", "planned_capacity", "orders", "output", "sales", "line_sales",
    "utilisation", "unit_cost", "experience", "subsidy", "revenue", "cost",
)  # fmt: skip
LONG = {"baseline", "everything"}


def run_both(scenario: Scenario, seed: int, months: int) -> Reference:
    economy, draws = build_economy(scenario, seed), Draws(seed)
    world = Reference(build_economy(scenario, seed), Draws(seed))
    for _ in range(months):
        for phase in PHASES:
            phase(economy, draws)
        world.month()
        assert_same_choices(economy, world)
        assert_same_knowledge(economy, world)
        assert_same_quantities(economy, world)
        assert_same_accounts(economy, world)
    return world


def assert_same_knowledge(economy: Economy, world: Reference) -> None:
    assert economy.importers.knows_origin.tolist() == [
        importer.knows_origin for importer in world.importers
    ]


def slots(economy: Economy, world: Reference) -> Iterator[tuple[Maker, tuple[int, int], Slot]]:
    """Every slot with its line and its place in the arrays."""
    for i, maker in enumerate(world.makers):
        assert set(maker.slots) == set(np.flatnonzero(economy.makers.has_slot[i]).tolist())
        for p, slot in maker.slots.items():
            yield maker, (i, p), slot


def assert_same_choices(economy: Economy, world: Reference) -> None:
    makers, codes = economy.makers, economy.constants.codes
    name = economy.foundries.name
    assert makers.is_made.tolist() == [maker.is_made for maker in world.makers]
    for i, maker in enumerate(world.lines):
        assert maker.is_split == makers.is_split[i]
        has_plant = np.flatnonzero(makers.plants[i])
        assert maker.plants == {codes.origins[o] for o in has_plant}
        assert maker.plant_month == makers.plant_month[i]
    for row, flow in enumerate(world.flows):
        assert flow.maker is world.makers[economy.flows.maker[row]]
        assert flow.origin == codes.origins[economy.flows.origin[row]]
        assert flow.arrival_month == economy.flows.arrival_month[row]
    for _, at, slot in slots(economy, world):
        assert slot.supplier.name == name[makers.supplier[at]]
        assert slot.second_source.name == name[makers.second_source[at]]
        assert (slot.waiting is not None) == (makers.switch_month[at] >= 0)
        if slot.waiting is not None:
            assert slot.waiting.name == name[makers.next_supplier[at]]
            assert slot.take_over_month == makers.switch_month[at]


def assert_same_quantities(economy: Economy, world: Reference) -> None:
    foundries, flows = economy.foundries, economy.flows
    for column in FOUNDRY_COLUMNS:
        plain = [[getattr(f, column)[k] for k in world.classes] for f in world.foundries]
        scale = foundries.capacity if column in ("sales", "line_sales", "output") else 0.0
        close(getattr(foundries, column), plain, column, np.maximum(np.abs(plain), scale))
    for column in (
        "orders", "price", "base_duty", "new_duty", "passed_on", "evaded_duty",
        "penalty_cost", "compliance_cost", "customs_value", "ex_works", "exchange",
        "relocation", "second_best_place", "bare_duty",
    ):  # fmt: skip
        close(getattr(flows, column), [getattr(f, column) for f in world.flows], column)
    values = [maker.customs_value for maker in world.makers]
    close(economy.makers.customs_value, values, "customs_value of lines")
    close(economy.makers.fill_rate, [m.fill_rate for m in world.makers], "fill", scale=1.0)
    wanted = np.bincount(flows.maker, flows.wanted, len(economy.makers))
    close(economy.makers.units, [m.units for m in world.makers], "units of lines", scale=wanted)
    for column in ("purchases", "units", "sold", "stock", "lost", "backlog"):
        plain = [getattr(f, column) for f in world.flows]
        close(getattr(flows, column), plain, column, scale=flows.wanted)
    held = list(slots(economy, world))
    at = tuple(np.transpose([place for _, place, _ in held]))
    for column, plain in (
        ("chips", [slot.chips for *_, slot in held]),
        ("chip_value", [slot.chip_value for *_, slot in held]),
        ("amortised", [slot.amortised for *_, slot in held]),
        ("compliance_distortion", [slot.sacrifice for *_, slot in held]),
    ):
        bill = np.array([maker.chip_bill() for maker, *_ in held])
        close(getattr(economy.makers, column)[at], plain, column, scale=bill)
    used = np.array([slot.chips * sum(f.wanted for f in maker.flows) for maker, _, slot in held])
    close(economy.makers.stock[at], [slot.stock for *_, slot in held], "stock", scale=used)
    worth = sum(importer.customs_value for importer in world.importers)
    for column in ("customs_value", "duty", "profit", "back_duty", "penalty", "refund"):
        plain = [getattr(importer, column) for importer in world.importers]
        close(getattr(economy.importers, column), plain, column, scale=worth)
    chinese, total = chips_bought(economy)
    for m, market in enumerate(world.markets):
        plain_chinese, plain_total = plain_chips_bought(world, market)
        assert total[m] == pytest.approx(plain_total, rel=TOLERANCE)
        if plain_total:
            share = plain_chinese / plain_total
            assert chinese[m] / total[m] == pytest.approx(share, rel=TOLERANCE)


def chips_bought(economy: Economy) -> tuple[np.ndarray, np.ndarray]:
    """Chinese and all chips in what each market buys."""
    makers, flows, foundries = economy.makers, economy.flows, economy.foundries
    chips = makers.chips * makers.has_slot
    chinese = chips * foundries.is_chinese[makers.supplier]
    by_line = [chinese.sum(axis=1)[flows.maker], chips.sum(axis=1)[flows.maker]]
    n = len(economy.constants.codes.markets)
    ours, every = (np.bincount(flows.market, count * flows.units, n) for count in by_line)
    return ours, every


def plain_chips_bought(world: Reference, market: str) -> tuple[float, float]:
    chinese = total = 0.0
    for flow in world.flows:
        if flow.market == market:
            for slot in flow.maker.slots.values():
                total += flow.units * slot.chips
                chinese += flow.units * slot.chips * slot.supplier.is_chinese
    return chinese, total


def assert_same_accounts(economy: Economy, world: Reference) -> None:
    names = [law.name for law in economy.tariff_schedule.laws]
    duty = [world.books.duty_by_instrument[i] for i in range(len(names))]
    # units that a cut-off leaves are rounding of those ordered: 1e-15 of all duty
    least = 1e-6 * np.abs(duty).sum()
    close(economy.policy_duty, duty, "duty by instrument", np.maximum(np.abs(duty), least))
    entries = world.books.entries
    plain = np.array([[entries[p, s] for s in sectors(world.markets)] for p in PAYMENTS])
    scale = np.abs(plain).max(axis=1, keepdims=True)
    least = scale[PAYMENTS.index("chips for devices")]  # overflow is a difference of sales
    close(economy.ledger, plain, "transaction_flows", scale=np.maximum(scale, least))


def close(ours: Any, plain: Any, what: str, scale: Any = None) -> None:
    """Equal to 1e-9, relative to each number, or to a scale where differences are booked."""
    ours, plain = np.asarray(ours), np.asarray(plain)
    scale = np.abs(plain) if scale is None else scale
    worst = (np.abs(ours - plain) - TOLERANCE * scale).max(initial=-1.0)
    assert worst <= 1e-300, f"{what} differs by {worst}"


@pytest.mark.parametrize("name", SCENARIOS)
def test_same_months(name: str) -> None:
    months = 36 if name in LONG else 16
    world = run_both(scenario(SMALL, SCENARIOS[name], makers=48), seed=1, months=months)
    assert world.month_number == months - 1


@pytest.mark.parametrize("makers", [1, 3, 150])
def test_same_months_at_any_size(makers: int) -> None:
    small = scenario(SMALL, SCENARIOS["everything"], makers=makers)
    run_both(small, seed=2, months=8 if makers > 100 else 30)


@pytest.mark.parametrize("seed", [3, 4])
def test_same_months_of_a_toy(tmp_path: Path, seed: int) -> None:
    """Two foundries, three makers and one importer of each."""
    shares = {"CN": "0.3", "TW": "0.7"}
    for name, column in (("foundry_regions", "region"), ("origin_rules", "fab_region")):
        with (SHIPPED / f"{name}.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row[column] in shares]
        for row in rows:
            if row["parameter"] == "foundries":
                row["value"] = "1"
            if row["parameter"].startswith("share_"):
                row["value"] = shares[row[column]]
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    files = {name: str(tmp_path / f"{name}.csv") for name in ("foundry_regions", "origin_rules")}
    toy = merged(SMALL, {"data": files})
    toy["agents"] = {"importers_min": 1, "importers_max": 1}
    world = run_both(scenario(toy, SCENARIOS["everything"], makers=3), seed, months=30)
    assert len(world.foundries) == 2
    assert len(world.makers) == 3


def test_choices_are_made() -> None:
    """The runs compared are not idle: suppliers change, lines move, triggers are avoided."""
    before = Reference(build_economy(scenario(SMALL, makers=48), 1), Draws(1))
    after = run_both(scenario(SMALL, SCENARIOS["product by content"], makers=48), 1, months=24)
    pairs = list(zip(before.makers, after.makers, strict=True))
    changed = sum(
        a.slots[k].supplier.name != b.slots[k].supplier.name for a, b in pairs for k in a.slots
    )
    assert changed > 20
    assert any(flow.new_duties for flow in after.flows)
    case = scenario(SMALL, SCENARIOS["assembly abroad and back"], makers=60)
    away, back = (run_both(case, 1, months).flows for months in (10, 16))
    moved = [flow.origin != flow.maker.base_origin for flow in away]
    assert sum(moved) >= 4
    assert all(flow.second_best_place != 0 for flow, has in zip(away, moved, strict=True) if has)
    assert any(flow.relocation > 0 for flow in away)
    assert any(flow.maker.plant_month > 0 or len(flow.maker.plants) > 1 for flow in away)
    returned = (has and flow.origin == flow.maker.base_origin
                for has, flow in zip(moved, back, strict=True))  # fmt: skip
    assert sum(returned) >= 2


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name.startswith("versions")])
def test_lines_split_and_merge(name: str) -> None:
    """In the runs compared lines get versions, some keep them and some give them up."""
    begun, kept, ended, before = 0, 0, 0, np.zeros(0, dtype=bool)
    for economy in run(scenario(SMALL, SCENARIOS[name], makers=48), 1, months=16):
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
    world = run_both(scenario(SMALL, case, makers=48), seed=2, months=8)
    assert any(importer.is_traced for importer in world.importers)
    assert any(not importer.knows_origin for importer in world.importers)
    assert any(importer.penalty > 0 for importer in world.importers)
    assert any(flow.evaded_duty > 0 and flow.new_duty > 0 for flow in world.flows)

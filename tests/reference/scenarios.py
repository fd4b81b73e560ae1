"""Scenarios in which the array code and the plain objects are compared (MODEL 6, E12)."""

from __future__ import annotations

from typing import Any

from tests.economies import COMPLIANT, each_device, each_region, merged

SMALL = COMPLIANT | {"agents": {"importers_min": 1, "importers_max": 3}}
STEP = {"2025-06": 0.25, "2025-11": 0.5}


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
LINEAR = {"2025-04": 0.0, "2026-02": 0.3, "interpolate": "linear"}
CHIPS_SHIFT = {"kind": "demand_shift", "of": "chips", "change": STEP, "node_classes": ["A", "C"]}
UNITS_SHIFT = {
    "kind": "demand_shift", "change": STEP, "markets": ["US", "CN"], "devices": ["smartphone"],
    "end": "2025-10",
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
                "share": {"2025-08": 0.25, "2025-11": 1.0},
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
            b={
                "kind": "capacity_loss",
                "share": {"2025-03-10": 0.1, "2025-04": 1.0, "2025-05": 0.1},
                "node_classes": ["D"],
            },
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
            rate={"2025-08": 0.4, "2025-11": 0.1}, stacking_group="g", devices=["television"]
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
    "end unknown": policies(a=component(end="2025-11", end_known=False)),
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
    "price cut": policies(a={"kind": "price_cut", "points": {"2025-06": 0.1, "2025-11": -0.1}}),
    "capacity plan": policies(a={"kind": "capacity_plan", "points": {"2025-06": 0.1}}),
    "others build what China does not": policies(
        a={"kind": "capacity_plan", "points": {"2025-01": 0.0, "2025-06": -0.15}, "total": "world"},
        b={"kind": "capacity_plan", "points": {"2025-04": 0.05}},
    ),
    "plan slowed by idle lines": merged(
        policies(a={"kind": "capacity_plan", "points": {"2025-03": 0.2, "2025-10": -0.1}}),
        {"supply": {"plan_response": 0.9}},
    ),
    "responsive investment": merged(QUICK, policies(a=WAR)),
    "grants and credits": merged(
        QUICK,
        policies(
            a=GRANT,
            b=GRANT | {"regions": ["JP", "CN", "KR"], "end": "2025-07", "additionality": 0.9},
            c={"kind": "investment_credit", "credit": {"2025-03": 0.4}, "regions": ["US", "EU"]},
            d={"kind": "price_cut", "points": {"2025-02": 0.4, "2025-11": -0.1}},
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
LAW = tuple(SCENARIOS)
"""Scenarios of duties and supply; the others are of declarations, orders, lines and beliefs."""
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
    "kind": "component_tariff", "rate": 0.4, "belief": 0.7, "start": "2025-12",
    "announced": "2025-02", "withdrawn": "2025-10",
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
        LASTING, policies(a=component(), b=product(end="2025-11"), c=bare(markets=["US", "ROW"]))
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
SCENARIOS["nests and mark-ups"] = merged(
    {"trade": {"nesting": 0.4, "markup_elasticity": 0.6, "maker_pass_through_months": 2.0}},
    policies(a=product(assembly_countries=["CN", "VN"], rate=1.5), b=component()),
)
"""A duty on some countries alone, high enough that mark-ups reach zero."""
MONTHS = 12
LONG = {
    "baseline": 15,
    "coalition that grows": 15,
    "everything": 15,
    "linear path": 15,
    "quotas": 15,
    "quotas without foresight": 15,
}
"""Run into a second year: quotas begin again, and the linear path has ended."""
LINES = 40
"""The least with which no instrument loses the duty that it levies with more lines."""


def lines_of(name: str) -> int:
    """Lines to compare: more where what the scenario is for is rare."""
    if name == "versions":
        return 80  # with 60 no line keeps a version longer than a month
    if name.startswith("assembly"):
        return 60
    return 48 if name.startswith("versions") else LINES


def months_of(name: str) -> int:
    """Months to compare."""
    return LONG.get(name, MONTHS)

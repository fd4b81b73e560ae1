"""Who does not know the origin of the chips pays as the law deems them (MODEL 4.5, 6: E9)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tariffsim.scenario import load_scenario
from tariffsim.state.economy import Economy
from tests.economies import component, each_device, free_trade, last, product, scenario

HALF = {
    "compliance": {
        "behaviour": "full", "evasion_cost": 1e9, "tracing_cost_usd": 1e12,
        "unknown_origin_share": 0.5,
    },
}  # fmt: skip
"""Half of the importers do not know the origin, nobody can find out, and nobody evades."""
ALL_CHIP: dict[str, Any] = {
    "supply": {"china_price_discount": 0.0},
    "trade": {"markup": 0.0, "tariffs_in_force": False, "maker_pass_through_months": 1.0},
    "orders": {"standby_cost": 0.0, "chip_carrying_cost": 0.0},
    "figures": {
        "devices": each_device(
            chip_content=1 - 1e-12, foundational_share=1.0, requalification_cost_usd=0
        )
    },
}


def due_of(economy: Economy, name: str) -> np.ndarray:
    laws = enumerate(economy.tariff_schedule.laws)
    return next(economy.instrument_duty[i] for i, law in laws if law.name == name)


def reached(economy: Economy) -> np.ndarray:
    us = economy.constants.codes.markets.index("US")
    return (economy.flows.market == us) & economy.is_imported


def test_a_content_trigger_nests_for_importers_who_know() -> None:
    """E9: they pay on products with a Chinese chip; the others pay on every product."""
    law = product(0.3, only_with_chips_from=["CN"])
    economy = last(scenario(HALF, law, makers=300), 0, 3)
    makers, flows = economy.makers, economy.flows
    has = (economy.foundries.is_chinese[makers.supplier] & makers.has_slot).any(axis=1)[flows.maker]
    knows = economy.importers.knows_origin[flows.importer]
    here = reached(economy)
    pays = here & (has | ~knows)
    np.testing.assert_allclose(due_of(economy, "product"), 0.3 * flows.customs_value * pays)
    assert (here & knows & ~has).any()
    assert (here & ~knows & ~has).any()


def test_a_component_tariff_nests_for_importers_who_know() -> None:
    """E9: on Chinese chips if they know, on all chips if they do not."""
    economy = last(scenario(HALF, component(0.5), makers=300), 0, 3)
    makers, flows = economy.makers, economy.flows
    china = economy.constants.codes.regions.index("CN")
    chinese, every = (
        (makers.chip_value * part).sum(axis=1)[flows.maker]
        for part in (makers.chip_region == china, makers.has_slot)
    )
    knows = economy.importers.knows_origin[flows.importer]
    us = flows.market == economy.constants.codes.markets.index("US")
    due = 0.5 * np.where(knows, chinese, every) * us
    np.testing.assert_allclose(due_of(economy, "component"), due, rtol=1e-12)


def test_on_a_product_that_is_all_chip_it_is_a_product_tariff_whoever_knows() -> None:
    """E9: every chip covered, no other inputs and no mark-up, with unknown origin taxed in full."""
    worlds = [
        last(scenario(HALF, ALL_CHIP, free_trade(), law, makers=200), 3, 12)
        for law in (
            component({"2025-03": 0.4}, chip_regions="all", covers_home_assembly=False),
            product({"2025-03": 0.4}),
        )
    ]
    one, other = worlds
    np.testing.assert_array_equal(one.makers.supplier, other.makers.supplier)
    for column in ("price", "units", "new_duty", "passed_on"):
        ours, plain = (getattr(e.flows, column) for e in worlds)
        np.testing.assert_allclose(ours, plain, rtol=1e-9, atol=1e-6, err_msg=column)
    assert one.policy_duty.sum() > 0


@pytest.mark.parametrize(
    ("name", "rule", "share"),
    [
        ("component_50", "full_content", 1.0),
        ("component_unknown_exempt", "exempt", 0.0),
        ("component_unknown_deemed", "deemed_share", 0.33),
        ("component_allied", "full_content", 1.0),
        ("whole_product_content", "full_content", 1.0),
    ],
)
def test_shipped_scenarios_say_who_has_the_burden_of_proof(
    name: str, rule: str, share: float
) -> None:
    laws = [p for p in load_scenario(name).policies.values() if hasattr(p, "unknown_origin_rule")]
    assert laws
    for law in laws:
        assert law.unknown_origin_rule == rule
        assert law.unknown_share == pytest.approx(share)


def test_a_weak_law_is_paid_by_those_who_know_alone() -> None:
    """Exempt: nobody traces for the duty, fewer pay. In full: nearly all imports are traced."""
    exempt, full = (
        last(load_scenario(name), 1, 26) for name in ("component_unknown_exempt", "component_50")
    )
    assert not exempt.importers.is_traced.any()
    importers = full.importers
    blind = (importers.market == 0) & ~importers.knows_without_tracing
    value = importers.customs_value * blind
    assert (value * importers.is_traced).sum() > 0.9 * value.sum()
    number = [law.name for law in full.tariff_schedule.laws].index("component_tariff")
    assert full.policy_duty[number] > 1.05 * exempt.policy_duty[number]

"""What makes a chip Chinese: its fab, its packaging, or its owner."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tariffsim.tables import load_tables
from tests.economies import REGIONS, STILL, component, last, merged, product, scenario


def under(rule: str, *changes: dict[str, Any]) -> Any:
    return last(scenario(STILL, {"trade": {"origin_rule": rule}}, *changes, makers=200), 0, 1)


def table(rule: str) -> np.ndarray:
    rules = load_tables().origin_rules
    return np.array([rules.number(region, f"chinese_if_by_{rule}") for region in REGIONS])


@pytest.mark.parametrize("rule", ["fab", "packaging", "owner"])
def test_duty_is_on_the_part_that_counts_as_chinese(rule: str) -> None:
    world = under(rule, component(0.5))
    makers, flows = world.makers, world.flows
    part = table(rule)[world.foundries.region[makers.supplier]]
    due = 0.5 * (makers.chip_value * part).sum(axis=1)[flows.maker]
    here = flows.market == world.constants.codes.markets.index("US")
    np.testing.assert_allclose(flows.new_duty, due * here, rtol=1e-12)


def test_every_chip_counts_as_of_some_region() -> None:
    """Duties on each region alone add up to the duty on all of them."""
    whole = under("owner", component(0.5, chip_regions="all")).flows.new_duty
    each = [
        under("owner", component(0.5, chip_regions=[region])).flows.new_duty for region in REGIONS
    ]
    np.testing.assert_allclose(sum(each), whole, rtol=1e-12)


def test_rule_without_difference_is_the_place_of_the_fab() -> None:
    """Shares of one for China and zero elsewhere: the same run, to rounding."""
    plain = {r: {"chinese_if_by_owner": float(r == "CN")} for r in REGIONS}
    one, other = (
        under(rule, component(0.5), {"figures": {"origin_rules": plain}})
        for rule in ("fab", "owner")
    )
    np.testing.assert_array_equal(one.makers.supplier, other.makers.supplier)
    np.testing.assert_allclose(one.flows.new_duty, other.flows.new_duty, rtol=1e-15)


def test_trigger_goes_by_what_most_chips_of_a_supplier_count_as() -> None:
    content = product(0.25, only_with_chips_from=["CN"])
    mostly = {"figures": {"origin_rules": {"TW": {"chinese_if_by_packaging": 0.6}}}}
    few, more = under("packaging", content), under("packaging", merged(content, mostly))
    taiwan = few.foundries.region[few.makers.supplier] == REGIONS.index("TW")
    has_one = (taiwan & few.makers.has_slot).any(axis=1)[few.flows.maker]
    newly = (few.flows.new_duty == 0) & (more.flows.new_duty > 0)
    assert newly.any()
    assert has_one[newly].all()


def test_more_counts_more_is_moved() -> None:
    """By packaging a fifth of Taiwan's chips is Chinese: taxed as well, China loses less to it."""
    shares = {}
    for rule in ("fab", "packaging"):
        world = last(
            scenario(STILL, component(1.0), {"trade": {"origin_rule": rule}}, makers=400), 1, 36
        )
        makers = world.makers
        chips = makers.chips * makers.units[:, None]
        shares[rule] = (chips * world.foundries.is_chinese[makers.supplier]).sum() / chips.sum()
    assert shares["packaging"] > shares["fab"]

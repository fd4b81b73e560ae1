"""What makes a chip Chinese: its fab, its packaging, or its owner."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim.calibration import build_economy
from tariffsim.explain.duty import duty
from tariffsim.scenario import load_scenario, replace
from tariffsim.state.chip_origins import regions_in_law
from tariffsim.state.economy import Economy
from tariffsim.tables import load_tables
from tests.economies import REGIONS, STILL, component, last, merged, product, scenario

RULES = load_tables().origin_rules
CHINA = REGIONS.index("CN")
IF_OWNED = "chinese_packaging_if_chinese_owner"


def under(rule: str, *changes: dict[str, Any]) -> Economy:
    return last(scenario(STILL, {"trade": {"origin_rule": rule}}, *changes, makers=200), 0, 1)


def table(rule: str) -> np.ndarray:
    return np.array([RULES.number(region, f"chinese_if_by_{rule}") for region in REGIONS])


def counts_as_chinese(economy: Economy) -> np.ndarray:
    """(N, P) whether tariffs count the chips in place as Chinese."""
    makers = economy.makers
    if economy.scenario.trade.origin_rule == "fab":
        return np.asarray(makers.chip_region == CHINA)
    return np.asarray(makers.chip_origin >= len(REGIONS))


@pytest.mark.parametrize("rule", ["fab", "packaging", "owner"])
def test_duty_is_on_the_chips_that_count_as_chinese(rule: str) -> None:
    world = under(rule, component(0.5))
    makers, flows = world.makers, world.flows
    due = 0.5 * (makers.chip_value * counts_as_chinese(world)).sum(axis=1)[flows.maker]
    here = flows.market == world.constants.codes.markets.index("US")
    np.testing.assert_allclose(flows.new_duty, due * here, rtol=1e-12)


@pytest.mark.parametrize("rule", ["packaging", "owner"])
def test_as_many_chips_of_a_region_count_as_chinese_as_the_table_says(rule: str) -> None:
    rules = {"trade": {"origin_rule": rule}}
    economy = build_economy(scenario(rules, makers=3000), 5)
    chinese = economy.chip_origins.of_duties >= len(REGIONS)
    share, n = chinese.mean(axis=(0, 1)), chinese[:, :, 0].size
    error = np.sqrt(table(rule) * (1 - table(rule)) / n)
    assert (np.abs(share - table(rule)) <= 4.5 * error).all()
    makers = economy.makers
    line, part = np.arange(len(makers))[:, None], np.arange(makers.supplier.shape[1])
    own = chinese[makers.line[line], part, makers.chip_region]
    np.testing.assert_array_equal(own, makers.chip_origin >= len(REGIONS))


shares = st.floats(0, 1)


@given(shares, shares, shares)
def test_packaging_keeps_its_share_whatever_owners_do(
    owned: float, packaged: float, if_owned: float
) -> None:
    """Over all draws the share packaged in China is the table's, as far as owners allow it."""
    codes = build_economy(scenario(makers=40), 0).constants.codes
    grid = (np.arange(200) + 0.5) / 200
    draws = {"owner": np.repeat(grid[:, None], 200, 1), "packaging": np.repeat(grid[None], 200, 0)}
    full = np.ones(len(REGIONS))
    found = regions_in_law(
        codes, {"owner": owned * full, "packaging": packaged * full}, if_owned * full, draws
    )
    is_owned, is_packaged = (found[name][:, :, CHINA] == CHINA for name in ("owner", "packaging"))
    assert is_owned.mean() == pytest.approx(owned, abs=0.01)
    both = is_owned & is_packaged
    assert both.mean() == pytest.approx(owned * if_owned, abs=0.02)
    least, most = owned * if_owned, 1 - owned * (1 - if_owned)
    assert is_packaged.mean() == pytest.approx(np.clip(packaged, least, most), abs=0.02)
    elsewhere = REGIONS.index("OTHER")
    assert set(np.unique(found["packaging"][:, :, CHINA])) <= {CHINA, elsewhere}
    assert set(np.unique(found["packaging"][:, :, 1])) <= {CHINA, 1}


def test_what_chinese_owners_make_abroad_is_mostly_packaged_in_china() -> None:
    """The table's share of the chips of Chinese owners in Europe, and of all others the rest."""
    rules = {"trade": {"origin_rule": "owner"}}
    origins = build_economy(scenario(rules, makers=6000), 2).chip_origins
    europe = REGIONS.index("EU")
    owned, packaged = (
        origins.regions[name][:, :, europe] == CHINA for name in ("owner", "packaging")
    )
    expected = RULES.number("EU", IF_OWNED)
    error = np.sqrt(expected * (1 - expected) / owned.sum())
    assert packaged[owned].mean() == pytest.approx(expected, abs=4 * error)
    assert packaged.mean() == pytest.approx(table("packaging")[europe], abs=0.01)


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


def test_a_trigger_goes_by_what_each_chip_counts_as() -> None:
    """A product with a chip packaged in China pays, wherever its fab; one without does not."""
    economy = under("packaging", product(0.25, only_with_chips_from=["CN"]))
    makers, flows, codes = economy.makers, economy.flows, economy.constants.codes
    has_one = (counts_as_chinese(economy) & makers.has_slot).any(axis=1)[flows.maker]
    here = (flows.market == codes.markets.index("US")) & economy.is_imported
    np.testing.assert_array_equal(flows.new_duty > 0, here & has_one)
    made = ((makers.chip_region == CHINA) & makers.has_slot).any(axis=1)[flows.maker]
    assert (here & has_one & ~made).any()
    assert (here & ~has_one).any()


def test_more_counts_more_is_moved() -> None:
    """By packaging a fifth of Taiwan's chips is Chinese: taxed as well, China loses less to it."""
    found = {}
    for rule in ("fab", "packaging"):
        world = last(
            scenario(STILL, component(1.0), {"trade": {"origin_rule": rule}}, makers=400), 1, 36
        )
        makers = world.makers
        chips = makers.chips * makers.units[:, None]
        found[rule] = (chips * world.foundries.is_chinese[makers.supplier]).sum() / chips.sum()
    assert found["packaging"] > found["fab"]


def test_the_attributes_of_a_line_are_those_of_its_versions() -> None:
    """Draws are keyed by line and part: the same whatever the focus, and for both versions."""
    wide = {"agents": {"focus": ["US", "EU"]}}
    rule = {"trade": {"origin_rule": "packaging"}}
    law = merged(component(1.0), {"compliance": {"behaviour": "compliant"}})
    economy = last(scenario(rule, law, makers=150), 0, 24)
    other = build_economy(scenario(rule, makers=150), 0)
    np.testing.assert_array_equal(economy.chip_origins.of_duties, other.chip_origins.of_duties)
    makers = economy.makers
    assert makers.is_split.any()
    own = makers.own_version[makers.is_split]
    line = makers.line[own][:, None]
    part = np.arange(makers.supplier.shape[1])
    expected = economy.chip_origins.of_duties[line, part, makers.chip_region[own]]
    np.testing.assert_array_equal(makers.chip_origin[own], expected)
    focused = build_economy(scenario(rule, wide, makers=150), 0)
    assert focused.chip_origins.of_duties.shape == other.chip_origins.of_duties.shape


def test_the_duty_of_a_statute_on_chinese_chips_is_the_same_by_any_rule() -> None:
    """Another rule of origin says which chips pay it, not how much."""
    one, other = (
        duty(
            replace(load_scenario("bare_chip_2027"), trade__origin_rule=rule, agents__makers=200),
            "smartphone",
            "CN",
            month="2028-01",
        )
        for rule in ("fab", "packaging")
    )
    assert one.chips == other.chips
    assert one.total_on_chips == other.total_on_chips
    assert max(one.total_on_chips.values()) > 0.5

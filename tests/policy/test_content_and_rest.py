"""A duty on the chips inside and one on the rest of the value: nothing is taxed twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tariffsim.behaviour.sourcing import choice_set
from tariffsim.behaviour.sourcing import slot_cost as cost_of_slots
from tariffsim.policy import INSTRUMENTS
from tariffsim.record.choice_set_prices import ChoiceSetPrices
from tests.economies import COMPLIANT, component, merged, product, run, scenario
from tests.policy.test_instruments import sample

RATE = 0.3
CHIPS: list[dict[str, Any]] = [
    {},
    {"chip_regions": "all"},
    {"chip_regions": ["CN", "TW"], "node_classes": ["A", "C"]},
]
RULES: list[dict[str, Any]] = [
    {"unknown_origin_rule": "exempt"},
    {"unknown_origin_rule": "deemed_share", "deemed_share": 0.4},
    {"unknown_origin_rule": "full_content"},
    {"unknown_origin_rule": "full_value"},
]
PLAIN = {"markets": ["US", "EU"]}
ROUNDING = 1e-11
"""Sums of a part and the rest, relative to the whole."""


def rest(rate: Any, **fields: Any) -> dict[str, Any]:
    return {"policies": {"rest": rest_policy(rate, **fields)}}


def rest_policy(rate: Any, **fields: Any) -> dict[str, Any]:
    return {"kind": "rest_of_value_tariff", "rate": rate, "start": "2025-01", **fields}


def content(rate: Any, **fields: Any) -> dict[str, Any]:
    """On imports alone, as the rest is."""
    return component(rate, covers_home_assembly=False, **fields)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("chips", CHIPS)
def test_content_and_rest_at_one_rate_are_that_rate_on_the_value(
    chips: dict[str, Any], rule: dict[str, Any]
) -> None:
    """Whatever the chips, and whether or not the importer knows where they are from."""
    shipments = sample(200)
    inside, outside = (
        INSTRUMENTS[policy["kind"]].model_validate(policy | chips | rule)
        for policy in (content(RATE)["policies"]["component"], rest_policy(RATE))
    )
    whole = RATE * shipments.customs_value * shipments.crosses_border
    known = inside.duty(shipments, RATE) + outside.duty(shipments, RATE)
    np.testing.assert_allclose(known, whole, rtol=ROUNDING)
    unknown = inside.unknown_duty(shipments, RATE) + outside.unknown_duty(shipments, RATE)
    np.testing.assert_allclose(unknown, whole, rtol=ROUNDING)


@pytest.mark.parametrize("chips", CHIPS)
def test_an_economy_with_both_is_that_with_a_plain_product_tariff(chips: dict[str, Any]) -> None:
    """Prices, choices, match loss and accounts: all but which instrument has the duty.

    Lines have one version: only a law that asks where chips are from makes them look at others.
    """
    one_version = {"agents": {"focus": []}}
    split = merged(content(RATE, **PLAIN, **chips), rest(RATE, **PLAIN, **chips))
    one, other = (
        [*run(scenario(COMPLIANT, one_version, law, makers=150), 3, 14)][-1]
        for law in (split, product(RATE, **PLAIN))
    )
    assert (one.makers.supplier == other.makers.supplier).all()
    assert (one.makers.origin == other.makers.origin).all()
    np.testing.assert_allclose(one.flows.price, other.flows.price, rtol=ROUNDING)
    np.testing.assert_allclose(one.flows.new_duty, other.flows.new_duty, rtol=1e-9, atol=1e-12)
    scale = np.abs(other.ledger).max()
    np.testing.assert_allclose(one.ledger, other.ledger, rtol=0, atol=ROUNDING * scale)


def test_makers_expect_of_both_what_they_expect_of_the_plain_tariff() -> None:
    """A chip that leaves the rest saves nothing if the content pays as much, for every foundry."""
    costs = []
    for law in (merged(content(RATE), rest(RATE)), product(RATE)):
        (economy,) = run(scenario(COMPLIANT, law, makers=100), 0, 1)
        slots = economy.makers.slots(np.flatnonzero(economy.makers.has_slot.ravel()))
        costs.append(cost_of_slots(choice_set(economy), slots))
    np.testing.assert_allclose(*costs, rtol=ROUNDING)


@pytest.mark.parametrize("compliance", ["compliant", "full"])
def test_the_match_loss_sees_the_duty_of_the_plain_tariff(compliance: str) -> None:
    """Expected prices of chips and countries; those who do not know pay on the whole value."""
    never = {"evasion_cost": 1e6, "tracing_cost_usd": 1e12}
    rules = {"compliance": {"behaviour": compliance, **never}}
    found = []
    for law in (merged(content(RATE), rest(RATE)), product(RATE)):
        (economy,) = run(scenario(rules, law, makers=100), 0, 1)
        found.append(ChoiceSetPrices(economy).of_month(economy))
    for one, other in zip(found[0].values(), found[1].values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


def test_a_rest_alone_makes_the_chips_it_leaves_out_cheaper_to_use() -> None:
    """By the rate on their price, as far as the line is sold where the duty is levied."""
    costs = []
    plenty = {"supply": {"scarcity_elasticity": 0.0}}
    for law in ({}, rest(RATE)):
        (economy,) = run(scenario(COMPLIANT, plenty, law, makers=100), 0, 1)
        slots = economy.makers.slots(np.flatnonzero(economy.makers.has_slot.ravel()))
        costs.append(cost_of_slots(choice_set(economy), slots))
    added, price = costs[1] - costs[0], economy.foundries.price.T[slots.node_class]
    chinese = economy.foundries.is_chinese
    relative = added / price
    apart = relative[:, ~chinese].mean(axis=1) - relative[:, chinese].mean(axis=1)
    us = economy.constants.codes.markets.index("US")
    border = economy.constants.origin_market[economy.makers.origin[slots.maker, us]] != us
    exposed = economy.makers.weights[slots.maker, us] * border
    np.testing.assert_allclose(apart, RATE * exposed, atol=1e-9)


def test_no_counter_subsidy_for_chips_that_lower_a_duty() -> None:
    """China rebates what the duty on the content is above that on the rest, and never less."""
    counter = {"policies": {"c": {"kind": "counter_subsidy", "share": 1.0, "start": "2025-01"}}}
    for law in (rest(RATE), merged(content(RATE), rest(RATE)), merged(content(0.1), rest(RATE))):
        (economy,) = run(scenario(COMPLIANT, law, counter, makers=100), 0, 1)
        np.testing.assert_allclose(economy.makers.chip_counter_subsidy, 0.0, atol=1e-15)
    (economy,) = run(
        scenario(COMPLIANT, merged(content(0.4), rest(0.3)), counter, makers=100), 0, 1
    )
    assert (economy.makers.chip_counter_subsidy > 0).any()


def test_tracing_pays_where_chips_known_leave_the_rest() -> None:
    """Without knowing the origin the rest is the whole value; a rest alone makes tracing pay."""
    free = {"tracing_cost_usd": 0.0, "tracing_value_share": 0.0, "unknown_origin_slope": 0.0}
    blind = {"compliance": {"behaviour": "full", "unknown_origin_share": 1.0} | free}
    untraced = rest(1.0, chip_regions="all", unknown_origin_rule="exempt")
    (economy,) = run(scenario(blind, untraced, makers=150), 0, 1)
    flows, importers = economy.flows, economy.importers
    us = importers.market == economy.constants.codes.markets.index("US")
    abroad, at_home = (
        np.bincount(flows.importer, where * flows.units, len(importers))
        for where in (economy.is_imported, ~economy.is_imported)
    )
    assert importers.is_traced[us & (abroad > 0) & (at_home == 0)].all()
    assert not importers.is_traced[~us].any()


@pytest.mark.parametrize("rule", RULES)
def test_who_does_not_know_never_pays_on_more_than_the_value(rule: dict[str, Any]) -> None:
    """In a run with importers who do not know: new duty is the rate on all imports."""
    blind = {
        "compliance": {
            "behaviour": "full", "unknown_origin_share": 1.0, "evasion_cost": 1e6,
            "tracing_cost_usd": 1e12,
        }
    }  # fmt: skip
    calendar = {"trade": {"tariffs_in_force": False}}
    law = merged(content(RATE, **rule), rest(RATE, **rule))
    (economy,) = run(scenario(blind, calendar, law, makers=100), 0, 1)
    assert not economy.importers.knows_origin.any()
    us = economy.flows.market == economy.constants.codes.markets.index("US")
    value = economy.makers.customs_value[economy.flows.maker] * economy.is_imported * us
    np.testing.assert_allclose(economy.flows.new_duty, RATE * value, rtol=1e-9)


def test_two_of_them_in_a_stacking_group_are_the_higher() -> None:
    group = {"stacking_group": "g"}
    both = {"policies": {"a": rest_policy(0.1, **group), "b": rest_policy(0.2, **group)}}
    one, other = (
        [*run(scenario(COMPLIANT, law, makers=100), 1, 6)][-1].ledger
        for law in (both, rest(0.2, **group))
    )
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-3)

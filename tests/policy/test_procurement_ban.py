"""Public buyers that avoid chips of some regions: odds fall, nothing is refused (MODEL 4.2)."""

from __future__ import annotations

import numpy as np
import pytest

from tariffsim.calibration import build_economy
from tariffsim.month import announce_policy
from tariffsim.scenario import Scenario
from tariffsim.scenario.loader import load_scenario
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tests.economies import STILL, last, odds_of_candidates, scenario

ROUNDING = 1e-9
"""Relative: a few roundings of 1e-16 in odds that are products of a dozen factors."""


def ban(share: object = 0.3, **fields: object) -> dict[str, object]:
    law = {"kind": "procurement_ban", "share": share, "start": "2025-01", **fields}
    return {"policies": {"ban": law}}


def in_month(rules: Scenario, month: int = 0) -> Economy:
    economy = build_economy(rules, 0)
    economy.month = month - 1
    announce_policy(economy, Draws(0))
    return economy


def odds(economy: Economy) -> np.ndarray:
    maker, part = np.nonzero(economy.makers.has_slot)
    return odds_of_candidates(economy, maker, part)


def test_odds_of_the_named_suppliers_fall_in_lines_sold_there() -> None:
    devices = ["laptop", "smartphone"]
    before = in_month(scenario(STILL, makers=520))
    after = in_month(scenario(STILL, ban(devices=devices), makers=520))
    makers, codes = after.makers, after.constants.codes
    maker, _ = np.nonzero(makers.has_slot)
    bound = np.isin(makers.device[maker], [codes.devices.index(d) for d in devices])
    weight = makers.weights[maker, codes.markets.index("US")] * bound
    factor = np.where(after.foundries.is_chinese, 0.7 ** weight[:, None], 1.0)
    np.testing.assert_allclose(odds(after), odds(before) * factor, rtol=ROUNDING)
    assert (weight == 1).any()
    assert (weight == 0).any()
    assert ((weight > 0) & (weight < 1)).any()


def test_it_is_foreseen_by_the_part_of_a_choices_life_that_it_covers() -> None:
    rules = scenario(STILL, ban({"2027-12-23": 0.3}, start="2027-12-23", announced="2024-12"),
                     makers=520)  # fmt: skip
    first, later = in_month(rules).policy.procurement, in_month(rules, 40).policy.procurement
    us, cn = (in_month(rules).constants.codes.markets.index(m) for m in ("US", "CN"))
    china = rules.tables().foundry_regions.codes.index("CN")
    np.testing.assert_allclose(later[:, :, us, china], np.log(0.7))
    assert (first[:, :, us, china] < 0).all()
    assert (first[:, :, us, china] > np.log(0.7)).all()
    assert not first[:, :, cn].any()
    surprise = scenario(STILL, ban({"2027-12-23": 0.3}, start="2027-12-23"), makers=520)
    assert not in_month(surprise).policy.procurement.any()


@pytest.mark.parametrize("share", [0.05, 0.9])
def test_nothing_is_refused_and_nobody_switches_in_an_emergency(share: float) -> None:
    """Not even where public buyers are nearly all: no delivery is denied, no duty due."""
    economy = last(scenario(STILL, ban(share), makers=520), 0, 4)
    limits = economy.policy.limits
    assert (limits.supply, limits.now, limits.expected) == (None, None, None)
    assert (economy.flows.denied_share == 0).all()
    assert economy.policy_duty.sum() == 0


def test_a_share_of_zero_is_the_baseline_to_the_last_bit() -> None:
    with_it, without = (last(scenario(rules, makers=520), 0, 6) for rules in (ban(0.0), {}))
    for column in ("supplier", "next_supplier", "second_source"):
        np.testing.assert_array_equal(
            getattr(with_it.makers, column), getattr(without.makers, column)
        )
    np.testing.assert_array_equal(with_it.flows.price, without.flows.price)


def test_the_shipped_scenario_binds_computing_more_than_the_rest() -> None:
    rules = load_scenario("procurement_ban_5949")
    rules = rules.model_copy(update={"agents": rules.agents.model_copy(update={"makers": 520})})
    economy = in_month(rules, 40)
    codes = economy.constants.codes
    us, china = codes.markets.index("US"), codes.regions.index("CN")
    share = -np.expm1(economy.policy.procurement[0, :, us, china])
    expected = [0.03 if d in ("laptop", "server", "network_gear") else 0.01 for d in codes.devices]
    np.testing.assert_allclose(share, expected)

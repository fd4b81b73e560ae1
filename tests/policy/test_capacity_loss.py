"""Capacity that is lost: where, how much, and that it comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tariffsim.explain.remarks import remarks
from tariffsim.scenario import load_scenario, replace
from tests.economies import STILL, run, scenario
from tests.policy.test_instruments import HELD

PLAIN = {"supply": {"investment": "planned"}}


def capacity(*losses: dict[str, Any], n: int = 6) -> list[np.ndarray]:
    """(F, K) capacity by month."""
    laws = {f"loss_{i}": {"kind": "capacity_loss"} | loss for i, loss in enumerate(losses)}
    rules = scenario(HELD, PLAIN, {"policies": laws}, makers=150)
    return [economy.foundries.capacity.copy() for economy in run(rules, 1, n)]


def is_in(rules: Any, region: str) -> np.ndarray:
    (economy,) = run(rules, 1, 1)
    foundries = economy.foundries
    return np.asarray(foundries.region == economy.constants.codes.regions.index(region))


def test_a_share_is_lost_while_it_lasts_where_it_is_said() -> None:
    plain = capacity()
    lost = capacity({"share": 0.2, "start": "2025-03", "end": "2025-04", "regions": ["TW"],
                     "node_classes": ["C", "D"]})  # fmt: skip
    taiwan = is_in(scenario(HELD, PLAIN, makers=150), "TW")
    for month, (before, after) in enumerate(zip(plain, lost, strict=True)):
        left = np.ones_like(before)
        if month in (2, 3):
            left[np.ix_(taiwan, [2, 3])] = 0.8
        assert (after == before * left).all()


def test_what_several_leave_is_multiplied() -> None:
    plain = capacity(n=2)
    both = capacity({"share": 0.5, "start": "2025-01"}, {"share": 0.2, "start": "2025-01"}, n=2)
    np.testing.assert_allclose(both[1], 0.4 * plain[1], rtol=1e-12)


def test_nothing_is_left_of_all() -> None:
    (*_, last) = capacity({"share": 1.0, "start": "2025-01", "regions": ["KR"]}, n=2)
    (*_, plain) = capacity(n=2)
    korea = is_in(scenario(HELD, PLAIN, makers=150), "KR")
    assert not last[korea].any()
    assert (last[~korea] == plain[~korea]).all()


def test_scarcity_raises_prices_where_orders_exceed_capacity() -> None:
    laws = {"loss": {"kind": "capacity_loss", "share": 0.5, "start": "2025-03"}}
    elastic = {"supply": {"scarcity_elasticity": 2.0}}
    found = [
        economy.foundries.scarcity.copy()
        for economy in run(scenario(STILL, elastic, {"policies": laws}, makers=150), 2, 8)
    ]
    assert all((scarcity == 1.0).all() for scarcity in found[:2])  # set for the next month
    assert (found[-1] > 1.2).all()


@pytest.mark.parametrize(("share", "n"), [(0.2, 0), (0.0, 1)])
def test_only_a_loss_of_nothing_is_remarked_on(share: float, n: int) -> None:
    loss = {"kind": "capacity_loss", "share": share, "start": "2026-01"}
    rules = replace(load_scenario("baseline"), agents__makers=60, policies={"loss": loss})
    assert len([said for said in remarks(rules) if "policies.loss does nothing" in said]) == n


def test_makers_choose_as_before_where_all_capacity_of_a_class_is_lost() -> None:
    """Not the first foundry of the table, for want of any other weight."""
    shares = []
    for lost in (0.99999, 1.0):
        law = {"kind": "capacity_loss", "share": lost, "start": "2025-03", "node_classes": ["C"]}
        calm = {"supply": {"scarcity_elasticity": 0.0, "utilisation_price_response": 0.0}}
        for economy in run(scenario(calm, {"policies": {"loss": law}}, makers=150), 0, 8):
            makers, china = economy.makers, economy.foundries.is_chinese
        shares.append(china[makers.supplier[makers.has_slot]].mean())
    assert shares[0] == pytest.approx(shares[1], abs=0.005)

"""How far ahead those who choose can see, and what the audits of a programme add to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tariffsim.kernels.duties import horizon_weights
from tariffsim.law.expected_burden import ExpectedBurden
from tariffsim.policy import INSTRUMENTS
from tariffsim.state.constants import DESIGN
from tariffsim.state.economy import Economy
from tariffsim.typing import format_month, parse_month
from tests.economies import STILL, last, product, scenario

LAST = 5
"""Number of the last month simulated."""


def at_the_end(measure: dict[str, Any]) -> Economy:
    """The last month of a run of half a year, with a measure announced before it."""
    months = {"run": {"start": "2025-01", "end": "2025-06"}}
    policy = {"policies": {"late": measure | {"announced": "2025-01"}}}
    return last(scenario(STILL, months, policy, makers=30), 0, LAST + 1)


@pytest.mark.parametrize(("years", "counts"), [(0, 4), (1, 3), (3, 1), (4, 0)])
def test_the_whole_life_of_a_choice_counts_in_the_last_month_too(years: int, counts: int) -> None:
    """A duty from so many years after delivery weighs what is left of the four dates of a life."""
    duty = {"kind": "component_tariff", "rate": 0.5}
    economy = at_the_end(duty | {"start": "2050-01"})
    lead = economy.constants.requalification_months
    device = int(lead.argmax())
    start = format_month(economy.date + int(lead[device]) + 12 * years)
    economy = at_the_end(duty | {"start": start})
    found = sum(
        future.weight[DESIGN, device] for future in economy.policy.expected.futures if future.regime
    )
    hazard = economy.constants.design_hazard[[device]]
    rate = economy.scenario.sourcing.discount_rate
    weights = horizon_weights(hazard, rate, np.arange(4))[:, 0]
    assert found == pytest.approx(weights[4 - counts :].sum(), rel=1e-12)


def test_what_is_beyond_all_lives_is_as_at_their_end() -> None:
    economy = last(scenario(STILL, product({"2025-01": 0.1, "2026-01": 0.3}), makers=30), 0, 1)
    ahead = [economy.regime_ahead(months) for months in (11, 12, 100_000)]
    assert [[rate for _, rate in regime] for regime in ahead] == [[0.1], [0.3], [0.3]]


def test_an_importer_is_audited_once_a_month_at_most() -> None:
    """Twelve audits a year are one a month; twelve more of a programme in the US add none."""
    rules = {"behaviour": "full", "audit_rate": 12.0, "detection": 0.5, "lookback_months": 1}
    programme = {"kind": "audit_programme", "audits": 12.0, "start": "2025-01", "markets": ["US"]}
    policy = {"policies": {"more": programme}}
    economy = last(
        scenario({"compliance": rules | {"penalty_multiple": 1.0}}, policy, makers=12), 0, 1
    )
    exposure = economy.declarations.enforcement(economy.policy.regime).exposure
    np.testing.assert_allclose(exposure, 0.5 * 2.0, rtol=1e-12)


def test_duties_on_products_are_known_market_by_market() -> None:
    laws = {
        "us": {"kind": "product_tariff", "rate": 0.1, "start": "2025-01", "markets": ["US"]},
        "eu": {"kind": "component_tariff", "rate": 0.1, "start": "2025-01", "markets": ["EU"]},
    }
    rules = scenario({"trade": {"tariffs_in_force": False}}, {"policies": laws}, makers=12)
    economy = last(rules, 0, 1)
    markets = economy.constants.codes.markets
    found = economy.declarations.markets(economy.policy.regime)
    assert {markets[m] for m in found} == {"US", "EU"}


def test_makers_know_the_audits_of_every_market_they_sell_in() -> None:
    """More audits in the EU make evasion dearer there, in the eyes of makers, and nowhere else."""
    programme = {"kind": "audit_programme", "audits": 6.0, "start": "2025-01", "markets": ["EU"]}
    rules = {"compliance": {"behaviour": "full"}}
    economy = last(scenario(rules, {"policies": {"more": programme}}, makers=60), 0, 1)
    burden, codes = ExpectedBurden.of(economy), economy.constants.codes
    markets = np.arange(len(codes.markets))
    importers = economy.makers.importer[:, markets]
    found = burden.beliefs(economy.policy.regime, importers, markets).exposure
    exposure = economy.declarations.enforcement(economy.policy.regime).exposure
    eu = codes.markets.index("EU")
    assert exposure[eu] > 2 * np.delete(exposure, eu).max()
    np.testing.assert_array_equal(found, exposure)


def test_the_dearer_penalty_and_the_better_detection_hold() -> None:
    """A programme's own where they are higher than the rule, and the rule's where not."""
    rules = {"behaviour": "full", "detection": 0.5, "penalty_multiple": 1.0, "lookback_months": 1}
    for detection, penalty in ((0.8, 3.0), (0.2, 0.5)):
        programme = {"kind": "audit_programme", "audits": 1.0, "start": "2025-01"}
        programme |= {"detection": detection, "penalty_multiple": penalty}
        policy = {"policies": {"more": programme}}
        economy = last(scenario({"compliance": rules}, policy, makers=12), 0, 1)
        found = economy.declarations.enforcement(economy.policy.regime)
        us = economy.constants.codes.markets.index("US")
        assert found.detection[us] == max(detection, 0.5)
        assert found.penalty[us] == max(penalty, 1.0)


# Months in which laws begin and end


def chips_law(**fields: Any) -> dict[str, Any]:
    return {"kind": "component_tariff", "rate": 0.5, "start": "2025-03"} | fields


TO, FROM = {"end": "2025-06-15"}, {"start": "2025-06-16", "announced": "2025-03"}
IN_A_GROUP = {"stacking_group": "z"}
ONE_LAW_IN_PARTS = {
    "handed over": {"a": chips_law(**TO), "b": chips_law(**FROM)},
    "handed over in a group": {
        "a": chips_law(**TO, **IN_A_GROUP), "b": chips_law(**FROM, **IN_A_GROUP)
    },
    "in a group alone": {"a": chips_law(**IN_A_GROUP)},
    "beside one that never binds": {
        "a": chips_law(**IN_A_GROUP), "b": chips_law(rate=1e-5, end="2025-06-20", **IN_A_GROUP)
    },
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_LAW_IN_PARTS)
def test_a_law_in_parts_is_one_law(name: str) -> None:
    """The same is due every day, so that importers buy, declare and evade the same."""
    size = {"agents": {"makers": 60}}
    (whole, parts) = (
        last(scenario(size, {"policies": policies}), 1, 8)
        for policies in ({"a": chips_law()}, ONE_LAW_IN_PARTS[name])
    )
    assert whole.flows.evaded_duty.any()
    for column in ("purchases", "new_duty", "evaded_duty", "price"):
        expected = getattr(whole.flows, column)
        np.testing.assert_allclose(getattr(parts.flows, column), expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(parts.importers.evaded, whole.importers.evaded, rtol=1e-11)


@pytest.mark.parametrize("announced", ["2025-04-16", None])
def test_nobody_buys_ahead_of_what_is_not_known(announced: str | None) -> None:
    """A duty of the 16th that becomes known in its month is no cheap fortnight to buy in."""
    levy = product(0.5, start="2025-04-16", assembly_countries=["CN"], announced=announced)
    known = product(0.5, start="2025-04-16", assembly_countries=["CN"], announced="2025-03")
    rules = {"trade": {"tariffs_in_force": False}}
    for months, bought in ((3, [False, True]), (4, [False, False])):  # in March, all at once
        economies = [last(scenario(rules, law, makers=60), 1, months) for law in (levy, known)]
        ahead = [(e.flows.purchases > e.flows.wanted * (1 + 1e-9)).any() for e in economies]
        assert ahead == bought


def test_a_straight_line_is_the_same_in_parts_of_a_month() -> None:
    line = {"2027-01": 0.0, "2027-12": 0.22, "interpolate": "linear"}
    whole, first, second = (
        INSTRUMENTS["product_tariff"].model_validate(
            {"kind": "product_tariff", "rate": line} | fields
        )
        for fields in ({}, {"end": "2027-06-15"}, {"start": "2027-06-16"})
    )
    june = parse_month("2027-06")
    assert whole.rate_in_force(june) == pytest.approx(0.1)
    halves = first.rate_in_force(june) + second.rate_in_force(june)
    assert halves == pytest.approx(whole.rate_in_force(june), rel=1e-12)

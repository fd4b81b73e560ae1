"""What importers know, declare and hide, in runs (MODEL 4.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tariffsim.behaviour.compliance import duties_ahead, is_time_to_trace
from tariffsim.behaviour.sourcing import choice_set, price_at_delivery, slot_cost
from tariffsim.policy.component_tariff import ComponentTariff
from tariffsim.policy.shipments import Shipments
from tariffsim.scenario import Scenario
from tariffsim.scenario.blocks import Compliance
from tariffsim.state.economy import Economy
from tariffsim.typing import format_month
from tests.economies import (
    HELD,
    STILL,
    component,
    free_trade,
    merged,
    product,
    run,
    scenario,
    slot_rows,
)

MANY = {"agents": {"importers_min": 150, "importers_max": 150}}
"""So many importers that most have one flow: sampling error is small."""
US = 0
RULES = Compliance()


def full(**rules: Any) -> dict[str, Any]:
    return {"compliance": {"behaviour": "full", **rules}}


def after(rules: Scenario, months: int, seed: int = 1) -> Economy:
    *_, economy = run(rules, seed, months)
    return economy


def evaded_and_paid(economy: Economy) -> tuple[float, float]:
    flows = economy.flows
    return float(flows.evaded_duty @ flows.units), float(flows.new_duty @ flows.units)


# Calibration and monotone responses


def test_a_tariff_of_17_5_percent_loses_12_percent_of_value() -> None:
    """The data gap of 2020 (Clark and Wong 2021): 12 %, by a false country of assembly."""
    tariff = product(0.175, assembly_countries=["CN"])
    rules = scenario(STILL, MANY, full(), tariff, makers=1500)
    shares = []
    for seed in range(30):
        evaded, paid = evaded_and_paid(after(rules, 1, seed))
        shares.append(evaded / (evaded + paid))
    error = stats.sem(shares)
    assert error < 0.012
    assert np.mean(shares) == pytest.approx(0.12, abs=3 * error)


def evaded_share_of(rate: float = 1.0, **rules: Any) -> float:
    """Part of the duty of a component tariff that is hidden in its first month."""
    all_know = full(unknown_origin_share=0.0) | {}
    tariff = component(rate)
    evaded, paid = evaded_and_paid(
        after(scenario(STILL, MANY, merged(all_know, full(**rules)), tariff, makers=300), 1)
    )
    return evaded / (evaded + paid)


def test_less_is_hidden_where_more_is_to_be_feared() -> None:
    by_penalty = [evaded_share_of(penalty_multiple=m, audit_rate=1.0) for m in (0.0, 0.3, 0.6, 3.0)]
    assert by_penalty == sorted(by_penalty, reverse=True)
    assert by_penalty[0] > by_penalty[1] > by_penalty[-1] == 0.0  # 0.46 x 4 exceeds one
    by_evasion_cost = [evaded_share_of(evasion_cost=h) for h in (0.0, 0.5, 2.0, 1e9)]
    assert by_evasion_cost == sorted(by_evasion_cost, reverse=True)
    assert by_evasion_cost[0] == 1.0
    assert by_evasion_cost[-1] == 0.0


def test_revenue_peaks_at_a_rate_that_is_a_result() -> None:
    """Suppliers held, all know: revenue is `r exp(-r (1 - P (1 + m)) / h)`, so 1.37."""
    rates = np.array([0.4, 1.37, 4.0])
    rules = [
        scenario(STILL, HELD, MANY, full(unknown_origin_share=0.0), component(float(r)), makers=300)
        for r in rates
    ]
    revenue = np.array([[evaded_and_paid(after(r, 1, s))[1] for r in rules] for s in range(40)])
    revenue /= revenue.mean(axis=0)[1]
    low, peak, high = revenue.mean(axis=0)
    assert low < peak > high
    theory = rates * np.exp(-rates * 0.976 / RULES.evasion_cost)
    for i in (0, 2):  # against the peak, seed by seed
        misses = revenue[:, i] - revenue[:, 1] * theory[i] / theory[1]
        assert stats.sem(misses) < 0.06
        assert misses.mean() == pytest.approx(0.0, abs=3 * stats.sem(misses))


# Limits


BUSY = merged(
    component({"2025-06": 0.5}, announced="2025-02"),
    product({"2025-05": 0.2}, only_with_chips_from=["CN"], markets=["EU", "US"]),
    {"policies": {"each": {"kind": "component_tariff", "per": "chip", "rate": {"2025-07": 0.05},
                           "markets": ["JK"]}}},
)  # fmt: skip


@pytest.mark.parametrize(
    "rules",
    [
        {"evasion_cost": 1e9},
        {"evasion_cost": 0.0, "audit_rate": 12.0, "detection": 1.0, "penalty_multiple": 0.0},
    ],
)
def test_importers_that_never_evade_or_are_always_found_comply(
    rules: dict[str, float],
) -> None:
    all_know = full(unknown_origin_share=0.0, **rules)
    one, other = (after(scenario(BUSY, r, makers=150), 18) for r in (all_know, {
        "compliance": {"behaviour": "compliant"}
    }))  # fmt: skip
    np.testing.assert_array_equal(one.makers.supplier, other.makers.supplier)
    np.testing.assert_array_equal(one.makers.origin, other.makers.origin)
    for column in ("price", "new_duty", "units"):  # sums in another order differ by rounding
        ours, plain = getattr(one.flows, column), getattr(other.flows, column)
        np.testing.assert_allclose(ours, plain, rtol=1e-12, err_msg=column)
    assert not one.flows.evaded_duty.any()


def test_exempt_and_ignorant_is_untaxed() -> None:
    """If nobody can tell and who cannot is exempt, a component tariff does nothing.

    Lines have one version here: that a law might reach chips is a reason to look at versions, which
    duties on unmounted chips may then make worth their cost.
    """
    nobody = full(unknown_origin_share=1.0) | {"agents": {"focus": []}}
    tariff = component({"2025-04": 1.0}, announced="2025-01", unknown_origin_rule="exempt")
    one, other = (after(scenario(nobody, p, makers=150), 18) for p in (tariff, {}))
    np.testing.assert_array_equal(one.makers.supplier, other.makers.supplier)
    np.testing.assert_allclose(one.flows.price, other.flows.price, rtol=1e-12)
    assert not one.importers.is_traced.any()
    assert one.policy_duty[[law.name for law in one.tariff_schedule.laws].index("component")] == 0


# Tracing


def traced(rule: str, **fields: Any) -> tuple[Economy, np.ndarray]:
    rules = scenario(full(), component(0.5, unknown_origin_rule=rule, **fields), makers=600)
    economy = after(rules, 2)
    importers = economy.importers
    return economy, (importers.market == US) & ~importers.knows_without_tracing & (
        importers.customs_value > 0
    )


def test_who_owes_on_all_chips_finds_out() -> None:
    for rule in ("full_content", "full_value"):
        economy, blind = traced(rule)
        importers = economy.importers
        value = importers.customs_value * blind
        assert (value * importers.is_traced).sum() > 0.9 * value.sum()
        assert not importers.is_traced[importers.market != US].any()  # no law there
    assert not traced("exempt")[0].importers.is_traced.any()
    assert not traced("deemed_share", deemed_share=0.0)[0].importers.is_traced.any()


def test_tracing_is_decided_by_what_it_avoids() -> None:
    """A higher deemed share, a lower cost and a longer horizon make more importers trace."""
    counts = [int(traced("deemed_share", deemed_share=s)[0].importers.is_traced.sum())
              for s in (0.05, 0.1, 0.2, 0.5, 1.0)]  # fmt: skip
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    dear = full(tracing_cost_usd=1e9)
    tariff = component(0.5, unknown_origin_rule="full_content")
    assert not after(scenario(dear, tariff, makers=150), 2).importers.is_traced.any()


def test_disclosure_obliges_the_largest_first_and_costs() -> None:
    """Everything an obliged importer pays for tracing is booked, and in its prices."""
    must = {"policies": {"d": {"kind": "disclosure", "share": 0.5, "start": "2025-01"}}}
    blind = full(unknown_origin_slope=0.0)  # the largest do not know more often than the others
    economy, free = (after(scenario(blind, p, makers=300), 1) for p in (must, {}))
    importers = economy.importers
    assert importers.is_traced.any()
    assert importers.size_rank[importers.is_traced].max() < 0.5
    assert (importers.market[importers.is_traced] == US).all()
    paid = importers.tracing_rate * importers.customs_value * importers.is_traced
    booked = economy.flows.compliance_cost @ economy.flows.units
    np.testing.assert_allclose(booked, paid.sum(), rtol=1e-12)
    added = economy.flows.compliance_cost > 0
    dearer = economy.flows.price - free.flows.price
    np.testing.assert_allclose(dearer[added], economy.flows.compliance_cost[added], rtol=1e-9)


def test_cost_of_disclosure_does_not_hang_on_the_number_of_importers() -> None:
    """Agents are resolution: with four times as many the same firms pay about the same.

    Cells differ in size more than importers within them, and a firm's cost goes by the root of its
    size, so that what splitting a cell takes away in unequal sizes moves the sum by some per cent.
    """
    costs = []
    must = {"policies": {"d": {"kind": "disclosure", "share": 1.0, "start": "2025-01"}}}
    for n in (10, 40):
        agents = {"agents": {"importers_min": n, "importers_max": n}}
        rules = scenario(agents, full(unknown_origin_share=1.0), must, makers=3000)
        economy = after(rules, 1)
        costs.append(economy.flows.compliance_cost @ economy.flows.units)
    assert costs[1] == pytest.approx(costs[0], rel=0.25)


# What makers count with


def test_a_maker_has_no_reason_to_move_for_an_importer_that_does_not_know_the_origin() -> None:
    """Declared unknown, every foundry pays alike: relative costs are those of no tariff."""
    nobody = full(unknown_origin_share=1.0, tracing_cost_usd=1e12)
    tariff = component(0.5, unknown_origin_rule="deemed_share", deemed_share=0.4)
    economy = after(scenario(STILL, free_trade(), nobody, tariff, makers=150), 1)
    maker = np.flatnonzero(economy.makers.market == US)
    for part in range(economy.makers.supplier.shape[1]):
        slots, choices = slot_rows(economy, maker, part), choice_set(economy)
        ratio = slot_cost(choices, slots) / price_at_delivery(choices, slots)
        np.testing.assert_allclose(ratio, 1 + 0.4 * 1.1 * 0.5)


def test_a_maker_counts_with_what_its_importer_bears() -> None:
    """`min(r, P (1 + m) r + h)` on Chinese chips, nothing on others."""
    rules = full(unknown_origin_share=0.0)
    economy = after(scenario(STILL, free_trade(), rules, component(0.5), makers=150), 1)
    makers, importers, claims = economy.makers, economy.importers, economy.declarations
    exposure = claims.enforcement(economy.policy.regime).exposure[US]
    maker = np.flatnonzero(makers.market == US)
    evasion_cost = importers.evasion_cost[makers.importer[maker, US]]
    borne = np.minimum(0.5, exposure * 0.5 + evasion_cost)
    assert (borne < 0.5).any()
    assert (borne == 0.5).any()
    cost = slot_cost(choice_set(economy), slot_rows(economy, maker, 0))
    chinese = economy.foundries.is_chinese
    rate = cost / economy.foundries.price[:, 0] - 1
    np.testing.assert_allclose(rate[:, chinese], np.repeat(borne[:, None], chinese.sum(), axis=1))
    np.testing.assert_allclose(rate[:, ~chinese], 0.0, atol=1e-12)


# Transshipment and audits


def test_a_false_country_is_the_one_that_pays_least() -> None:
    """What is declared is paid; a tariff on every country alike cannot be evaded so."""
    tariff = merged(
        product({"2025-01": 0.4}, assembly_countries=["CN", "VN", "MX", "TW"]),
        {"policies": {"all": {"kind": "product_tariff", "rate": 0.1, "start": "2025-01"}}},
    )
    economy = after(scenario(STILL, full(evasion_cost=0.0), tariff, makers=150), 1)
    flows = economy.flows
    value, into_us = flows.customs_value, flows.market == US
    home = economy.constants.origin_market[flows.origin] == US
    due = flows.new_duty / value
    np.testing.assert_allclose(due[into_us & ~home], 0.1)  # nobody minds, all pay the least
    np.testing.assert_allclose(due[home | ~into_us], 0.0)
    taxed = np.isin(np.array(economy.constants.codes.origins)[flows.origin],
                    ["CN", "VN", "MX", "TW"])  # fmt: skip
    np.testing.assert_allclose((flows.evaded_duty / value)[into_us & taxed], 0.4)
    assert not flows.evaded_duty[into_us & ~taxed].any()


def test_audits_find_in_the_mean_what_importers_reckon_with() -> None:
    """Back duties and penalties come to `P (1 + m)` of what is evaded; nothing is found twice."""
    often = full(audit_rate=6.0, detection=0.5, lookback_months=4, penalty_multiple=0.2,
                 evasion_cost=0.05, unknown_origin_share=0.0)  # fmt: skip
    rules = scenario(STILL, HELD, MANY, often, component(0.5), makers=300)
    found, evaded, pool = [], [], 0.0
    for economy in run(rules, 3, 60):
        importers = economy.importers
        new = float(economy.flows.evaded_duty @ economy.flows.units)
        caught = float(importers.back_duty.sum())
        assert caught <= pool + new + 1e-6 * new
        pool = float(importers.evaded.sum())
        found.append(caught + float(importers.penalty.sum()))
        evaded.append(new)
        assert economy.declarations is not None
        exposure = float(economy.declarations.enforcement(economy.policy.regime).exposure[US])
    assert exposure == pytest.approx((1 - 0.75**4) * 1.2)
    ratio = np.array(found[4:]) / np.array(evaded[4:])  # the first months have less to look back on
    assert ratio.mean() == pytest.approx(exposure, abs=3 * stats.sem(ratio))


def test_rules_for_unknown_origin_by_hand() -> None:
    """A phone of 500 USD with chips for 20 USD, a quarter of them Chinese, at 50 %."""
    economy = after(scenario(full(), makers=60), 1)
    codes = economy.constants.codes
    phone = Shipments(
        codes, np.array([500.0]), np.array([True]), np.array([[5.0, 15.0]]),
        np.array([[10.0, 10.0]]), np.array([[codes.regions.index(r) for r in ("CN", "TW")]]),
        np.array([0, 1]),
    )  # fmt: skip
    owed = {}
    for rule in ("exempt", "deemed_share", "full_content", "full_value"):
        law = ComponentTariff.model_validate(
            {"kind": "component_tariff", "rate": 0.5, "start": "2025-01",
             "unknown_origin_rule": rule, "deemed_share": 0.4}
        )  # fmt: skip
        owed[rule] = float(law.unknown_duty(phone, 0.5)[0])
        assert float(law.duty(phone, 0.5)[0]) == 2.5
        assert law.part_duties(phone, 0.5).tolist() == [[2.5, 0.0]]
    assert owed == {"exempt": 0.0, "deemed_share": 4.4, "full_content": 10.0, "full_value": 250.0}


def test_nobody_traces_chips_for_a_duty_on_those_of_any_origin() -> None:
    """Full content is due on all of them, known or not."""
    law: dict[str, Any] = {"kind": "component_tariff", "rate": 2.0, "start": "2025-01"}

    def traced(**fields: Any) -> int:
        rules = scenario({"policies": {"levy": law | fields}}, makers=300)
        return max(int(economy.importers.is_traced.sum()) for economy in run(rules, 1, 3))

    assert traced() > 0
    assert traced(chip_regions="all") == 0
    assert traced(chip_regions="all", unknown_origin_rule="full_value") > 0


@given(st.floats(0, 1), st.floats(0, 0.3))
def test_a_mark_up_on_the_deemed_share(share: float, markup: float) -> None:
    """`min(1, share (1 + markup))` of all chips is deemed covered; other rules know no share."""
    fields = {"kind": "component_tariff", "rate": 0.5, "start": "2025-01", "deemed_share": share,
              "deemed_markup": markup}  # fmt: skip
    deemed = ComponentTariff.model_validate(fields | {"unknown_origin_rule": "deemed_share"})
    assert deemed.unknown_share == pytest.approx(min(1.0, share * (1 + markup)))
    assert ComponentTariff.model_validate(fields).unknown_share == 1.0  # the default: all of them
    exempt = ComponentTariff.model_validate(fields | {"unknown_origin_rule": "exempt"})
    assert exempt.unknown_share == 0.0


STEPS = {"2025-06": 0.5, "2026-05": 0.7}
FIRST_AND_JANUARY = ["2025-02", "2026-01"]


@pytest.mark.parametrize(
    ("policy", "others"),
    [
        ({"kind": "component_tariff", "rate": STEPS, "announced": "2025-04"},
         ["2025-04", "2025-06", "2026-05"]),
        ({"kind": "component_tariff", "rate": STEPS}, ["2025-06", "2026-05"]),
        ({"kind": "disclosure", "share": STEPS}, ["2025-06", "2026-05"]),
        ({"kind": "product_tariff", "rate": STEPS, "announced": "2025-04"}, []),
        ({"kind": "component_tariff", "rate": {"2025-06": 0.0}, "announced": "2025-04"}, []),
    ],
    ids=["announced", "sudden", "disclosure", "not of content", "of nothing"],
)  # fmt: skip
def test_tracing_is_decided_on_when_what_it_avoids_changes(
    policy: dict[str, Any], others: list[str]
) -> None:
    """In the first month, whichever that is, every January, and when a measure on content moves."""
    start = {"run": {"start": "2025-02", "end": "2026-07"}}
    rules = scenario(start, full(), {"policies": {"measure": policy}}, makers=12)
    decided = [
        format_month(economy.date) for economy in run(rules, 0, 18) if is_time_to_trace(economy)
    ]
    assert decided == sorted([*FIRST_AND_JANUARY, *others])


def test_who_traces_knows_its_own_duty_and_others_expect_the_mean() -> None:
    """In a device and market both add up to the same: nobody is wrong on average."""
    rules = scenario(full(), MANY, component(0.5, unknown_origin_rule="full_content"), makers=600)
    economy = after(rules, 1)
    importers, codes = economy.importers, economy.constants.codes
    importers.is_traced[:] = True
    blind, own = duties_ahead(economy)
    importers.is_traced[:] = False
    _, mean = duties_ahead(economy)
    cell = codes.market_device(importers.market, importers.device)
    np.testing.assert_allclose(np.bincount(cell, own), np.bincount(cell, mean), rtol=1e-12)
    assert (np.abs(own - mean) > 0.1 * mean)[mean > 0].any()
    assert (blind >= own * (1 - 1e-12)).all()  # all of the content, or the Chinese part of it
    importers.is_traced[::2] = True
    np.testing.assert_array_equal(
        duties_ahead(economy)[1], np.where(importers.is_traced, own, mean)
    )

"""Policies against closed forms and identities of trade economics (MODEL 6: E4, E9, E10, E11)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariffsim.calibration import build_economy
from tariffsim.calibration.build import base_totals
from tariffsim.kernels.sourcing import choice_probabilities, odds_from_scale, with_inertia
from tariffsim.kernels.welfare import rule_of_half, surplus_change
from tariffsim.month import announce_policy
from tariffsim.scenario import Scenario, load_scenario
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.theory import (
    MeanField,
    consumers_loss,
    exact_hat,
    harberger_triangle,
    shifted_shares,
)
from tests.economies import (
    ALL_OPEN,
    AT_ONCE,
    COMPETITIVE,
    COMPLIANT,
    DEVICES,
    HELD,
    STILL,
    component,
    each_device,
    each_region,
    free_trade,
    last,
    merged,
    odds_of_candidates,
    product,
    run,
    scenario,
)

ROUNDING = 1e-9
"""Relative: sums over thousands of flows, each with roundings of 1e-16, in another order."""


def us(economy: Economy) -> int:
    return economy.constants.codes.markets.index("US")


# E4: exact hat algebra, logit shares, Harberger's triangle


@pytest.mark.parametrize("rate", [0.1, 0.25, 1.0])
def test_product_tariff_is_exact_hat_algebra(rate: float) -> None:
    """E4: no frictions, pass-through at once, suppliers and countries in place."""
    rules = scenario(
        STILL, HELD, free_trade(), {"trade": AT_ONCE | {"border_pass_through": 1.0}},
        product(rate, assembly_countries=["CN"]), makers=900,
    )  # fmt: skip
    economy = last(rules, 0, 1)
    figures, flows, makers = economy.constants, economy.flows, economy.makers
    m, china = us(economy), figures.codes.origins.index("CN")
    trade_0 = base_totals(economy)[:, :, m]
    # retail price: landed cost x 1.4, on which the duty on the ex-works value comes
    ratio = np.ones(trade_0.shape[1])
    ratio[china] += rate / (1.03 * 1.4)
    for d in range(len(DEVICES)):
        epsilon = figures.substitution_elasticity[d]
        eta = figures.demand_elasticity[d]
        theory = exact_hat(trade_0[d] / trade_0[d].sum(), ratio, epsilon, eta)
        here = (flows.market == m) & (makers.device[flows.maker] == d)
        origin, spent = flows.origin[here], (flows.price * flows.units)[here]
        by_origin = np.bincount(origin, spent, len(ratio))
        np.testing.assert_allclose(by_origin / by_origin.sum(), theory.shares, rtol=ROUNDING)
        cell = m * len(DEVICES) + d
        index, spending = economy.cells.price_index[cell], economy.cells.base_expenditure[cell]
        assert index == pytest.approx(theory.price_index, rel=ROUNDING)
        units = np.bincount(origin, flows.units[here], len(ratio))
        base = trade_0[d] / figures.unit_value[d]
        np.testing.assert_allclose(units, base * theory.units, rtol=ROUNDING)
        loss = -surplus_change(np.array([spending]), np.array([index]), np.array([eta]))
        expected = consumers_loss(spending, theory.price_index, eta)
        # small index: 1 - P loses digits; none of a device comes from China
        assert loss[0] == pytest.approx(expected, rel=1e-7, abs=1e-14 * spending)


ONE_FAB = {"figures": {"foundry_regions": each_region(foundries=1)}}


def test_chip_shares_follow_prices_with_elasticity_sigma() -> None:
    """E4: one foundry a region, all designs open: units proportional to `exp(delta) p^-sigma`."""
    dumping = {"dumping": {"kind": "price_cut", "points": 0.2, "start": "2025-01"}}
    rules = scenario(
        STILL, ALL_OPEN, ONE_FAB, {"supply": {"price_adjustment": 1.0}, "policies": dumping},
        makers=1000,
    )  # fmt: skip
    months = run(rules, 2, 31)
    economy = next(months)
    makers, foundries = economy.makers, economy.foundries
    maker, part = np.nonzero(makers.has_slot)
    shares = economy.base_shares[makers.odds_row[maker], makers.slot_class[part]]
    ratio = np.where(foundries.is_chinese, 0.6 / 0.8, 1.0)
    expected = shifted_shares(shares, ratio, rules.sourcing.elasticity)
    np.testing.assert_allclose(
        choice_probabilities(odds_of_candidates(economy, maker, part)), expected, rtol=ROUNDING
    )
    gaps = np.array(
        [
            (np.eye(len(foundries))[economy.makers.supplier[maker, part]] - expected).mean(axis=0)
            for economy in months
        ]
    )
    sd = np.sqrt((expected * (1 - expected)).sum(axis=0)) / len(part)
    # means of 30 independent months, eight regions: four standard errors
    assert (np.abs(gaps.mean(axis=0)) < 4 * sd / np.sqrt(30)).all()


TRIANGLE = merged(
    STILL, ALL_OPEN, ONE_FAB,
    {
        "supply": {
            "china_price_discount": 0.0, "variable_cost_share": 1.0,
            "discount_cost_share": 1.0, "discount_subsidy_share": 0.0, "price_adjustment": 0.0,
        },
        "trade": AT_ONCE | COMPETITIVE,
        "figures": {
            "foundry_regions": each_region(gross_margin=0.0, utilisation=0.5),
        },
    },
)  # fmt: skip
"""Price is marginal cost everywhere, chips cost the same everywhere, capacity is plenty."""


def chips_by_region(economy: Economy, market: int, given: bool = False) -> np.ndarray:
    """(D, K, R) chips a month in what a market buys, or would at the base year's units."""
    flows, makers, codes = economy.flows, economy.makers, economy.constants.codes
    here = flows.market == market
    maker = flows.maker[here]
    region = economy.foundries.region[makers.supplier[maker]]
    units = flows.base_units if given else flows.units
    chips = makers.chips[maker] * units[here, None]
    total = np.zeros((len(codes.devices), len(codes.classes), len(codes.regions)))
    np.add.at(total, (makers.device[maker, None], makers.slot_class, region), chips)
    return total


def loss_and_triangle(rate: float, seed: int) -> tuple[float, float]:
    """World loss from a component tariff, fit included, and Harberger's triangle; USD a month."""
    months = 4  # the second month brings the new suppliers, the third what is ordered of them
    free = scenario(TRIANGLE, free_trade(), makers=4000)
    # foreseen duties are duties due, as the tariff stays
    taxed = scenario(TRIANGLE, free_trade(), component(rate), makers=4000)
    before, after = last(free, seed, months), last(taxed, seed, months)
    m, china = us(before), before.constants.codes.regions.index("CN")
    chips_0, chips = chips_by_region(before, m), chips_by_region(after, m)
    price_0 = np.broadcast_to(before.constants.chip_price[:, None], chips.shape[1:])
    price = price_0 * (1 + rate * (np.arange(price_0.shape[1]) == china))
    cells = after.cells
    at = m * len(DEVICES) + np.arange(len(DEVICES))
    eta = after.constants.demand_elasticity
    surplus = surplus_change(cells.base_expenditure[at], cells.price_index[at], eta).sum()
    surplus -= surplus_change(cells.base_expenditure[at], before.cells.price_index[at], eta).sum()
    revenue = float(after.policy_duty.sum())
    # fit is what makers give up: suppliers change, not how much of which line is bought, which
    # the price index has counted already
    total = chips.sum(axis=2, keepdims=True)
    mix_0, mix = chips_by_region(before, m, given=True), chips_by_region(after, m, given=True)
    given_0, given = (x / x.sum(axis=2, keepdims=True) * total for x in (mix_0, mix))
    fit = float(rule_of_half(price_0, price, given_0, given).sum())
    fall = (chips_0 - chips)[:, :, china]
    triangle = harberger_triangle(rate * price_0[:, china], fall).sum()
    return float(fit - surplus - revenue), float(triangle)


def test_small_component_tariff_costs_harbergers_triangle() -> None:
    """E4: no margins and mark-ups; what is left is of third order in the rate."""
    for rate in (0.01, 0.04, 0.08):
        loss, triangle = loss_and_triangle(rate, 0)
        assert triangle > 0
        # the next term of the series is smaller by the rate x the weight of covered chips in the
        # product (0.02 at most) x its elasticity (4)
        assert abs(loss / triangle - 1) < rate * 0.02 * 4


# E9: nesting


def same(one: Economy, other: Economy) -> None:
    """Everything that prices and quantities are made of is equal, to rounding."""
    for table, columns in (
        ("makers", ("customs_value", "units", "chip_value")),
        ("flows", ("price", "units", "new_duty", "passed_on")),
        ("foundries", ("price", "sales", "output")),
        ("cells", ("price_index",)),
    ):
        for column in columns:
            a, b = (getattr(getattr(e, table), column) for e in (one, other))
            np.testing.assert_allclose(a, b, rtol=ROUNDING, atol=1e-6, err_msg=column)
    for table, column in (
        ("makers", "supplier"), ("makers", "next_supplier"),
        ("flows", "origin"), ("flows", "next_origin"),
    ):  # fmt: skip
        a, b = (getattr(getattr(e, table), column) for e in (one, other))
        np.testing.assert_array_equal(a, b, err_msg=column)


ALL_CHIP: dict[str, Any] = {
    "supply": {"china_price_discount": 0.0},
    "trade": {"markup": 0.0, "tariffs_in_force": False, "maker_pass_through_months": 1.0},
    "orders": {"standby_cost": 0.0, "chip_carrying_cost": 0.0},
    "figures": {
        "devices": each_device(chip_content=1.0, foundational_share=1.0, requalification_cost_usd=0)
    },
}


def test_component_tariff_on_a_product_that_is_all_chip_is_a_product_tariff() -> None:
    """E9: no other inputs, no mark-up, every chip covered, price is cost in every month."""
    rate = {"2025-01": 0.2, "2025-09": 0.6}
    worlds = [
        last(scenario(COMPLIANT, ALL_CHIP, free_trade(), law, makers=400), 3, 15)
        for law in (
            component(rate, chip_regions="all", covers_home_assembly=False),
            product(rate),
        )
    ]
    same(*worlds)
    assert worlds[0].policy_duty.sum() > 0


def test_content_trigger_is_silent_without_covered_chips() -> None:
    """E9: lines without a Chinese chip pay nothing, others pay on the whole product."""
    law = product(0.3, only_with_chips_from=["CN"])
    for economy in run(scenario(COMPLIANT, law, makers=300), 0, 6):
        makers, flows = economy.makers, economy.flows
        has = (economy.foundries.is_chinese[makers.supplier] & makers.has_slot).any(axis=1)
        due = next(iter(
            economy.instrument_duty[i]
            for i, law in enumerate(economy.tariff_schedule.laws) if law.name == "product"
        ))  # fmt: skip
        pays = has[flows.maker] & (flows.market == us(economy)) & economy.is_imported
        assert (due[~pays] == 0).all()
        np.testing.assert_allclose(due[pays], 0.3 * flows.customs_value[pays])
        assert pays.any()
        assert not pays.all()


def test_component_tariff_on_all_regions_moves_no_foundry() -> None:
    """E9: relative prices of foundries are unchanged, so every open slot chooses the same.

    Prices that answer what is asked of foundries are held: the duty lowers demand for devices, and
    a bloc that is less short of chips would be cheaper, or learn less.
    """
    fixed = {"utilisation_price_response": 0.0, "scarcity_elasticity": 0.0, "learning": 0.0}
    chips = {"trade": {"tariffs_in_force": False}, "supply": fixed}
    base = {"assembly": {"shift_hazard": 0.0, "plant_hazard": 0.0}}
    before = last(scenario(chips, base, free_trade(), makers=500), 1, 20)
    after = last(
        scenario(chips, base, free_trade(), component(0.8, chip_regions="all"), makers=500), 1, 20
    )
    np.testing.assert_array_equal(before.makers.supplier, after.makers.supplier)
    np.testing.assert_array_equal(before.makers.next_supplier, after.makers.next_supplier)
    assert after.policy_duty.sum() > 0


# E10: monotone


def covered_probability(rules: Scenario, incumbents: np.ndarray, seed: int) -> np.ndarray:
    """(slots,) probability that an open slot takes a Chinese foundry, given its incumbent."""
    economy = build_economy(rules, seed)
    announce_policy(economy, Draws(seed))
    makers = economy.makers
    maker, part = np.nonzero(makers.has_slot)
    weights = odds_of_candidates(economy, maker, part)
    incumbent = incumbents % len(economy.foundries)
    weights = with_inertia(weights, np.resize(incumbent, len(part)), makers.inertia[maker, part])
    chinese = economy.foundries.is_chinese
    return np.asarray(choice_probabilities(weights)[:, chinese].sum(axis=1))


RATES = st.lists(st.floats(0, 5), min_size=2, max_size=3)


@settings(max_examples=15)  # three economies each
@given(RATES, st.sampled_from(["value", "chip"]), st.integers(0, 2**31), st.booleans())
def test_higher_component_tariff_never_draws_an_open_slot_to_china(
    rates: list[float], per: str, seed: int, allied: bool
) -> None:
    """E10: prices fixed, no threshold, given the incumbent, for all slots of those who know.

    Who does not know the origin owes the duty on all chips: that makes other duties on Chinese
    chips matter less.
    """
    incumbents = np.random.default_rng(seed).integers(0, 1000, 997)
    markets = ["US", "EU", "JK"] if allied else ["US"]
    laws = [component(rate, per=per, markets=markets) for rate in sorted(rates)]
    chosen = [
        covered_probability(scenario(COMPLIANT, law, makers=120), incumbents, seed % 7)
        for law in laws
    ]
    for lower, higher in pairwise(chosen):
        assert (higher <= lower + 1e-12).all()  # probabilities round to 1e-16, summed over 29


def test_higher_component_tariff_never_raises_the_mean_field() -> None:
    """E10: no maker's expected Chinese share is higher in any month under a higher rate."""
    paths = []
    for rate in (0.0, 0.1, 0.5, 2.0):
        economy = build_economy(scenario(STILL, component(rate), makers=300), 0)
        announce_policy(economy, Draws(0))
        makers, figures, sourcing = economy.makers, economy.constants, economy.scenario.sourcing
        maker, part = np.nonzero(makers.has_slot)
        pin_compatible = makers.is_pin_compatible[maker, part]
        odds = odds_from_scale(
            economy.base_shares[makers.odds_row[maker], makers.slot_class[part]],
            makers.curvature[maker, part, None],
            makers.odds_scale[maker, part, None],
        )
        device = makers.device[maker]
        alone = sourcing.pin_compatible_hazard * sourcing.opening_factor
        field = MeanField(
            odds,
            makers.inertia[maker, part],
            np.where(pin_compatible, alone, figures.design_hazard[device]),
            np.where(
                pin_compatible,
                sourcing.pin_compatible_requalification_months,
                figures.requalification_months[device],
            ),
        )
        now = odds_of_candidates(economy, maker, part)
        path = []
        for _ in range(72):
            path.append(field.supply[:, economy.foundries.is_chinese].sum(axis=1))
            field.choose(now)
        paths.append(np.array(path))
    for lower, higher in pairwise(paths):
        assert (higher <= lower + 1e-12).all()
    assert paths[-1][-1].mean() < paths[0][-1].mean()


# E11: incidence


def burden(before: Economy, after: Economy, trade: Any) -> dict[str, np.ndarray]:
    """Who bears a duty, USD a unit of every flow: changes of what each is left without."""
    result = {}
    sides = []
    for economy in (before, after):
        flows, makers = economy.flows, economy.makers
        duty = flows.base_duty + flows.new_duty
        given_back = (1 - trade.border_pass_through) * flows.new_duty
        gate = flows.customs_value
        distribution = (trade.retail_margin - trade.importer_profit) * flows.base_landed
        importer = flows.price - distribution - gate * (1 + trade.freight) - duty + given_back
        importer = importer - flows.compliance_cost
        chips = makers.chip_value.sum(axis=1)[flows.maker]
        # what makers pay besides chips and duty, and what abroad is cheaper in the market's money
        relative = economy.constants.relative_cost[makers.base_origin[flows.maker], flows.origin]
        inputs = makers.other_inputs[flows.maker] * relative
        kept = makers.amortised_cost(economy.month) + makers.standby_cost + makers.carrying_cost
        paid = inputs + (kept + economy.version_overhead())[flows.maker]
        cheaper = (1 - flows.exchange) * inputs
        profit = gate - given_back - chips - flows.bare_duty - paid + cheaper
        sides.append(
            {
                "consumers": flows.price,
                "importers": -importer,
                "makers": -profit,
                "foundries": -chips,
                "abroad": cheaper,
                "duty": duty + flows.bare_duty,
                "resources": trade.freight * gate + paid + flows.compliance_cost,
            }
        )
    for key in sides[0]:
        result[key] = sides[1][key] - sides[0][key]
    return result


TAXES = [
    component(0.5),
    component(0.05, per="chip", chip_regions="all"),
    product(0.25, assembly_countries=["CN"]),
    {"policies": {"bare": {"kind": "bare_chip_tariff", "rate": 0.5, "start": "2025-01"}}},
]


@pytest.mark.parametrize("law", TAXES)
def test_incidence_sums_to_one_with_suppliers_held(law: dict[str, Any]) -> None:
    """E11: chip prices and suppliers in place: consumers, importers, makers bear all of it."""
    held = merged(STILL, HELD)
    before, after = (
        last(scenario(held, makers=300), 4, 8),
        last(scenario(held, law, makers=300), 4, 8),
    )
    got = burden(before, after, before.scenario.trade)
    borne = got["consumers"] + got["importers"] + got["makers"]
    scale = before.flows.base_price
    assert np.abs(got["foundries"] / scale).max() < ROUNDING
    bare = np.abs(got["resources"]) / scale
    if "bare" in law["policies"]:  # freight is paid on the dearer product as well
        borne = borne - got["resources"]
    else:
        assert bare.max() < ROUNDING
    np.testing.assert_allclose(borne / scale, got["duty"] / scale, atol=ROUNDING)
    taxed = got["duty"] > 1e-9 * scale
    assert taxed.any()
    assert (got["makers"][taxed] >= -ROUNDING * scale[taxed]).all() or "bare" in law["policies"]


@pytest.mark.parametrize("law", TAXES)
def test_incidence_and_resource_costs_sum_to_one_in_a_full_run(law: dict[str, Any]) -> None:
    """E11: resource costs (other inputs, switching, standby, stocks, freight) close the sum.

    With all mechanisms on, and with currencies that move: then those whom foreign makers pay in
    their own money bear a part.
    """
    moving = {"trade": {"currency_offset": 0.3}}
    before, after = (last(scenario(moving, one, makers=300), 4, 30) for one in ({}, law))
    trade = before.scenario.trade
    got = burden(before, after, trade)
    borne = got["consumers"] + got["importers"] + got["makers"] + got["foundries"] + got["abroad"]
    scale = before.flows.base_price
    np.testing.assert_allclose(
        (borne - got["resources"]) / scale, got["duty"] / scale, atol=ROUNDING
    )
    # the same importers' profit as is booked
    for economy in (before, after):
        flows, gate = economy.flows, economy.flows.customs_value
        profit = flows.price - gate * (1 + trade.freight) - flows.base_duty - flows.new_duty
        profit -= (trade.retail_margin - trade.importer_profit) * flows.base_landed
        profit += (1 - trade.border_pass_through) * flows.new_duty - flows.compliance_cost
        booked = np.bincount(flows.importer, profit * flows.units, len(economy.importers))
        booked -= economy.importers.back_duty + economy.importers.penalty
        np.testing.assert_allclose(economy.importers.profit, booked, rtol=1e-6, atol=1.0)


# Signs that theory supports (MODEL 9)


def chinese_share(economy: Economy) -> float:
    """Chinese share of the chips in what the United States buys, in units."""
    chips = chips_by_region(economy, us(economy))
    china = economy.constants.codes.regions.index("CN")
    return float(chips[:, :, china].sum() / chips.sum())


def basket(economy: Economy) -> float:
    """Price index of the base-year basket of the United States."""
    at = us(economy) * len(DEVICES) + np.arange(len(DEVICES))
    weight = economy.cells.base_expenditure[at]
    return float(economy.cells.price_index[at] @ weight / weight.sum())


@pytest.mark.slow
def test_signs() -> None:
    """Price and capacity draw chips to China, duties on chips drive them away at little cost."""
    seeds, months = range(4), 72
    ends = {
        name: [(chinese_share(e), basket(e)) for e in (last(rules, s, months) for s in seeds)]
        for name in (
            "baseline",
            "component_50",
            "component_unknown_exempt",
            "component_late",
            "whole_product_china",
        )
        for rules in [load_scenario(name)]
    }
    start = np.array([chinese_share(last(load_scenario("baseline"), s, 1)) for s in seeds])
    share, price = (
        {name: np.array([end[i] for end in pairs]) for name, pairs in ends.items()} for i in (0, 1)
    )
    base = "baseline"
    # cheaper chips and more capacity with an elasticity of four: several points in every draw
    assert (share[base] > start + 0.02).all()
    # a duty of 50 % divides the odds of an open slot by 1.5^4 = 5, of one that is stuck by one
    assert (share["component_50"] < 0.75 * share[base]).all()
    # nearly half of the importers do not know the origin: a law that exempts them reaches less
    assert (share["component_50"] < share["component_unknown_exempt"]).all()
    assert (share["component_unknown_exempt"] < share[base]).all()
    # acting three years later leaves part of the fall undone; one line of 1,200 is up to 0.001
    assert share["component_50"].mean() < share["component_late"].mean()
    assert (share["component_50"] < share["component_late"] + 0.001).all()
    assert (share["component_late"] < share[base]).all()
    # chips are a few per cent of what products cost: the duty is tenths of a per cent of the basket
    cost = price["component_50"] / price[base] - 1
    assert ((cost > 0) & (cost < 0.01)).all()
    whole = price["whole_product_china"] / price[base] - 1
    assert (whole > cost).all()
    # a duty on assembly in China moves chips less than one on the chips, at a higher price
    assert (share["whole_product_china"] > share["component_50"]).all()
    avoided = share[base] - share["component_50"], share[base] - share["whole_product_china"]
    assert (cost / avoided[0] < whole / np.maximum(avoided[1], 1e-6)).all()

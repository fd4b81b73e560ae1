"""Shortages, stocks and buying ahead: limits, identities and signs (MODEL 4.4, 4.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tariffsim.behaviour.delivery import deliveries
from tariffsim.behaviour.emergency import bring_forward
from tariffsim.behaviour.sourcing import lead_months
from tariffsim.calibration import build_economy
from tariffsim.experiments.runs import context_of
from tariffsim.kernels.sourcing import choice_probabilities
from tariffsim.kernels.sums import by_supplier
from tariffsim.month import PHASES, choose_foundries
from tariffsim.record.history import History
from tariffsim.record.metrics import days_to_stop, lost_share, recovery_months, welfare
from tariffsim.scenario import Scenario
from tariffsim.simulation import Simulation, simulate
from tariffsim.state.economy import Economy
from tests.economies import (
    ALL_OPEN,
    CORE,
    HELD,
    NO_STOCKS,
    STILL,
    each_device,
    merged,
    odds_of_all,
    odds_of_candidates,
    product,
    scenario,
)

US = 0
NOBODY_SWITCHES = {"orders": {"emergency_months_factor": 1.0, "emergency_share": 1.0}}
FIRST = 2
"""Months before the cut-off, which starts in March."""
ROUNDING = 1e-9
"""Relative: sums of thousands of numbers."""


def cutoff(denied: float = 1.0, **fields: Any) -> dict[str, Any]:
    cut = {"kind": "chip_cutoff", "denied": denied, "start": "2025-03", **fields}
    return {"policies": {"cut": cut}}


def world(*changes: Mapping[str, Any], months: int = 8, makers: int = 400) -> Scenario:
    """Suppliers stay in place, and nothing moves but by the shortage."""
    last = {"run": {"start": "2025-01", "end": f"2025-{months:02d}"}}
    return scenario(STILL, HELD, {"orders": NO_STOCKS}, last, *changes, makers=makers)


def advanced(rules: Scenario, months: int, seed: int = 3) -> Economy:
    run = Simulation(rules, seed)
    for _ in range(months):
        run.step()
    return run.economy


def needs_china(economy: Economy) -> np.ndarray:
    """(N,) lines with a slot that a Chinese foundry supplies."""
    makers = economy.makers
    return (economy.foundries.is_chinese[makers.supplier] & makers.has_slot).any(axis=1)


@pytest.mark.parametrize("denied", [0.3, 1.0])
def test_a_line_lacks_the_scarcest_of_its_chips(denied: float) -> None:
    """Leontief: lines with a Chinese chip for the market cut off lose just the part denied.

    Nobody else loses anything, however many of its chips are Chinese.
    """
    economy = advanced(world(cutoff(denied), NOBODY_SWITCHES), FIRST + 1)
    flows = economy.flows
    hit = needs_china(economy)[flows.maker] & (flows.market == US)
    lost = flows.lost / flows.wanted
    np.testing.assert_allclose(lost[hit], denied, rtol=ROUNDING)
    np.testing.assert_allclose(lost[~hit], 0.0, atol=ROUNDING)
    assert hit.any()
    assert not hit.all()


@pytest.mark.parametrize(("first_day", "days", "parts"), [
    ("2025-03-01", 31, [1.0, 0.0]),
    ("2025-03-17", 15, [15 / 31, 0.0]),
    ("2025-03-22", 25, [10 / 31, 15 / 30]),
    ("2025-03-31", 0, [0.0, 0.0]),
])  # fmt: skip
def test_months_cut_in_part_count_by_days(first_day: str, days: int, parts: list[float]) -> None:
    rules = world(cutoff(start=None, first_day=first_day, days=days), NOBODY_SWITCHES)
    whole = lost_share(simulate(world(cutoff(), NOBODY_SWITCHES), 3), US)
    lost = lost_share(simulate(rules, 3), US)
    # retail prices that move with duties in the base year weigh lines a little differently by month
    np.testing.assert_allclose(lost[FIRST : FIRST + 2], parts * whole[FIRST : FIRST + 2], rtol=1e-3)
    np.testing.assert_allclose(lost[:FIRST], 0.0, atol=ROUNDING)


@pytest.mark.parametrize("factor", [0.25, 0.5])
def test_lines_stand_still_when_their_stock_is_used_up(factor: float) -> None:
    """Without any delivery a stock of so many days lasts so many days, and restocking none."""
    stocks = {"orders": {"stock_factor": factor}}
    rules = world(cutoff(), NOBODY_SWITCHES, stocks)
    usual, cut = (simulate(r, 3) for r in (world(NOBODY_SWITCHES, stocks), rules))
    economy = advanced(rules, FIRST)
    hit = needs_china(economy) & (economy.makers.weights[:, US] > 0)
    least = economy.makers.stock_months[hit].min() * 365 / 12
    assert days_to_stop(cut, usual, US) == pytest.approx(least, abs=0.5)  # months have 28-31 days
    lost, without = (
        lost_share(cut, US),
        lost_share(simulate(world(cutoff(), NOBODY_SWITCHES), 3), US),
    )
    assert lost.sum() < without.sum()


def losses(*changes: Mapping[str, Any], months: int = 12) -> float:
    """Part of a year's sales lost in a cut-off of half a year."""
    rules = world(cutoff(end="2025-08"), *changes, months=months)
    return float(lost_share(simulate(rules, 3), US).sum())


def test_stocks_lose_less() -> None:
    some, more, most = (losses({"orders": {"stock_factor": f}}) for f in (0.0, 1.0, 3.0))
    assert some > more > most


def test_second_sources_lose_less() -> None:
    none, some, many = (losses({"orders": {"second_source_factor": f}}) for f in (0.0, 1.0, 3.0))
    assert none > some > many


def test_second_sources_get_no_orders_in_normal_months() -> None:
    """Until somebody lacks a chip they change nothing, to the last bit."""
    one, other = (
        simulate(world({"orders": {"second_source_factor": factor, "standby_cost": 0.0}}), 3)
        for factor in (0.0, 3.0)
    )
    for name, column in one.cells.items():
        np.testing.assert_array_equal(column, other.cells[name], err_msg=name)


def test_who_is_cut_off_requalifies_and_recovers() -> None:
    """Sooner with fewer months of requalification, so that less is lost.

    A product with many parts is whole again only with the last of them: not in this run at half or
    all of the usual months.
    """
    free = {"figures": {"devices": each_device(requalification_cost_usd=0)}}
    months, lost = [], []
    for factor in (0.0, 0.5, 1.0):
        speed = {"orders": {"emergency_months_factor": factor}}
        usual, cut = (simulate(world(free, speed, law, months=12), 3) for law in ({}, cutoff()))
        months.append(recovery_months(cut, usual, US))
        lost.append(cut.cells["lost_value"][:, US].sum())
    assert months == sorted(months)
    assert months[0] == 1.0  # who chooses in March delivers in April
    assert months[1] > 1.0
    assert lost[0] < lost[1] < lost[2]


def switched(rules: Scenario) -> np.ndarray:
    """(N, K) slots that chose another supplier in the first month of a cut-off."""
    makers = advanced(rules, FIRST + 1).makers
    return makers.switch_month >= 0


def test_a_supplier_that_is_lost_had_been_the_best() -> None:
    """Who is cut off gives up `-ln(1 - P) / (P sigma)` of its chip bill, P: odds of those cut off.

    Of all slots P has them, so that all together give up the logit's `-ln(1 - P) / sigma`.
    """
    free = {"figures": {"devices": each_device(requalification_cost_usd=0)}}
    economy = advanced(world(free, cutoff(end_known=False), makers=1200), FIRST + 1)
    makers, foundries = economy.makers, economy.foundries
    usual = switched(world(free, makers=1200))
    place = np.flatnonzero((makers.switch_month >= 0) & ~usual)
    maker, k = np.divmod(place, makers.supplier.shape[1])
    left = choice_probabilities(odds_of_all(economy, maker, k))[:, ~foundries.is_chinese]
    left = left.sum(axis=1)
    price = foundries.price[makers.supplier.take(place), makers.slot_class[k]]
    part = makers.compliance_distortion.take(place) / (makers.chips.take(place) * price)
    error = economy.scenario.sourcing.elasticity * part + np.log(left) / (1 - left)
    # mean of hundreds of independent draws: four standard errors
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(len(place))
    assert len(place) > 300
    assert (part > 0).all()


def test_who_would_lose_less_than_a_switch_costs_waits() -> None:
    """Slots switch where the markup on what is denied exceeds the cost of all of them, a unit."""
    dear = {"figures": {"devices": each_device(requalification_cost_usd=2e7)}}
    rules = world(dear, cutoff(0.3))
    before, after = (switched(r) for r in (world(dear), rules))
    economy = advanced(rules, FIRST)
    makers, markup = economy.makers, rules.trade.markup
    only_us = makers.weights[:, US] == 1.0
    denied = economy.foundries.is_chinese[makers.supplier] & makers.has_slot
    china = denied & ~before
    profit = makers.customs_value * markup / (1 + markup)
    cost = (makers.requalification_per_unit * denied).sum(axis=1)
    worth = np.broadcast_to((0.3 * profit > cost)[:, None], denied.shape)
    mine = china & only_us[:, None]
    np.testing.assert_array_equal(after[mine], worth[mine])
    assert (mine & worth).any()
    assert (mine & ~worth).any()
    assert not (after & ~before & ~china).any()


@pytest.mark.parametrize("denied", [0.1, 0.3, 0.7])
def test_just_as_much_as_sets_makers_in_motion_does(denied: float) -> None:
    """1 - (1 - 0.1) is less than 0.1 in floating point."""
    just = {"orders": {"emergency_share": denied}}
    more = {"orders": {"emergency_share": denied * 1.001}}
    free = {"figures": {"devices": each_device(requalification_cost_usd=0)}}
    before = switched(world(free))
    assert (switched(world(free, just, cutoff(denied))) & ~before).any()
    assert not (switched(world(free, more, cutoff(denied))) & ~before).any()


def test_nobody_chooses_a_supplier_to_leave_it_at_once() -> None:
    """With a fifth denied for good nobody chooses it who would lose more than a switch costs."""
    slow = {"kind": "licensing", "denied": 0.2, "start": "2025-03"}
    churn = {"sourcing": {"opening_factor": 5.0}}
    rules = world(churn, {"policies": {"slow": slow}}, months=12)
    before, economy = advanced(rules, 11), advanced(rules, 12)
    makers, markup = economy.makers, rules.trade.markup
    place = np.flatnonzero((makers.switch_month >= 0) & (before.makers.switch_month < 0))
    maker = place // makers.supplier.shape[1]
    profit = before.makers.customs_value[maker] * markup / (1 + markup)
    old = before.makers
    denied = before.foundries.is_chinese[old.supplier] & old.has_slot
    others = np.where(denied, old.requalification_per_unit, 0.0)
    others = others.sum(axis=1)[maker] - others.take(place)
    cost = old.requalification_per_unit.take(place) + others
    loses = 0.2 * profit * makers.weights[maker, US] > cost
    chinese = economy.foundries.is_chinese[makers.next_supplier.take(place)]
    assert not (chinese & loses).any()
    assert loses.any()
    assert chinese.any()  # of those whom it costs less than a switch


@pytest.mark.parametrize("end_known", [True, False])
def test_who_knows_that_it_is_over_before_another_could_deliver_waits(end_known: bool) -> None:
    """A month's cut-off sets nobody in motion, as no other delivers before it is over."""
    cut = cutoff(start=None, first_day="2025-03-01", days=31, end_known=end_known)
    chosen = switched(world(cut)) & ~switched(world())
    assert chosen.any() != end_known


@pytest.mark.parametrize("part", [0.0, 0.25, 1.0])
def test_a_part_of_lost_sales_comes_back(part: float) -> None:
    """Units wanted are orders and the backlog; what is missed is lost or comes back."""
    rules = world(cutoff(0.5), NOBODY_SWITCHES, {"orders": {"backlog_share": part}})
    run = Simulation(rules, 3)
    backlog = np.zeros(len(run.economy.flows))
    for _ in range(FIRST + 3):
        run.step()
        flows = run.economy.flows
        np.testing.assert_allclose(flows.wanted, flows.orders + backlog, rtol=ROUNDING)
        missed = flows.wanted - flows.sold
        np.testing.assert_allclose(flows.backlog, part * missed, rtol=ROUNDING, atol=ROUNDING)
        np.testing.assert_allclose(flows.lost, (1 - part) * missed, rtol=ROUNDING, atol=ROUNDING)
        backlog = flows.backlog.copy()
    assert missed.sum() > 0


def test_a_ban_shuts_out_of_assembly_and_of_sales() -> None:
    """After grace no banned chip is delivered for what is sold or assembled in the market."""
    ban = {"kind": "import_ban", "denied": 1.0, "start": "2025-03", "grace_months": 3}
    rules = world({"policies": {"ban": ban}}, months=8)
    codes = Simulation(rules, 3).economy.constants.codes
    usa, china = codes.regions.index("US"), codes.markets.index("CN")
    for months, is_shut in ((FIRST + 3, False), (FIRST + 4, True)):
        economy = advanced(rules, months)
        makers, flows = economy.makers, economy.flows
        from_usa = (economy.foundries.region[makers.supplier] == usa) & makers.has_slot
        home = flows.origin == codes.origins.index("CN")
        meant = from_usa.any(axis=1)[flows.maker] & (home | (flows.market == china))
        assert meant.any()
        assert (flows.units[meant] == 0).all() == is_shut
        assert (flows.units[~meant] > 0).all()


def bought(history: History) -> np.ndarray:
    """(T,) units that importers of the market bring in."""
    return np.asarray(history.cells["units"][:, US].sum(axis=1))


DUTY = product({"2025-07": 0.5}, announced="2025-01", start=None)
AHEAD: dict[str, Any] = {"trade": {"front_loading_months": 3.0}}
RISE = 6
"""Months before the duty rises."""


def test_importers_buy_ahead_of_a_duty_and_less_after() -> None:
    """Three months of it, and what is bought ahead is missing afterwards: nothing is lost."""
    late, early = (
        simulate(world(DUTY, {"trade": {"front_loading_months": m}}, months=12), 3)
        for m in (0.0, 3.0)
    )
    more = bought(early) - bought(late)
    before = slice(RISE - 3, RISE)
    np.testing.assert_allclose(more[: RISE - 3], 0.0, atol=ROUNDING * bought(late)[0])
    assert (more[before] > 0.5 * bought(late)[before]).all()
    assert (more[RISE : RISE + 2] < 0).all()
    stock = early.cells["stock_units"][:, US].sum(axis=1)
    built = np.diff(stock, prepend=0.0)
    sold = early.cells["sold_units"][:, US].sum(axis=1)
    np.testing.assert_allclose(bought(early), sold + built, rtol=ROUNDING)
    assert stock[-1] < 0.01 * stock.max()


def test_goods_bought_ahead_are_not_lost() -> None:
    """At the end of a run that ends before the duty rises, what is held is worth its landed cost.

    What is lost is the cost of carrying it: a few per cent of its value.
    """
    usual, early = (simulate(world(law, months=RISE), 3) for law in ({}, DUTY))
    held = (early.stock_value - usual.stock_value)[-1, US]
    context = context_of(build_economy(world(DUTY, months=RISE), 3))
    change = welfare(early, usual, context)[:, US].sum()
    assert held > 0
    assert abs(change) < 0.1 * held


@pytest.mark.parametrize("reason", ["nobody knew", "holding costs more", "it falls"])
def test_nobody_buys_ahead_without_a_reason(reason: str) -> None:
    tariff = {
        "nobody knew": product({"2025-07": 0.5}, start=None),
        "holding costs more": product({"2025-07": 0.5}, announced="2025-01", start=None),
        "it falls": product({"2025-01": 0.5, "2025-07": 0.1}, start=None),
    }[reason]
    cost = {"trade": {"carrying_cost": 1.0}} if reason == "holding costs more" else {}
    early = simulate(world(tariff, AHEAD, cost, months=9), 3)
    stock = early.cells["stock_units"][:, US].sum(axis=1)
    if reason == "holding costs more":  # a saving of half a dollar pays for half a month's holding
        assert 0 < stock.max() < 0.6 * bought(early)[0]
    else:
        np.testing.assert_array_equal(stock, 0.0)


def test_without_a_shortage_stocks_cost_nothing() -> None:
    """In a world that stands still stocks stay at their target and every measure at its base."""
    rules = world({"orders": {"stock_factor": 1.0}}, months=6)
    economy = advanced(rules, 6)
    makers = economy.makers
    target = makers.stock_months[:, None] * makers.need
    held = makers.stock[makers.has_slot]
    # orders follow prices of the year before with a lag, so use moves by a few parts in a thousand
    np.testing.assert_allclose(held, target[makers.has_slot], rtol=0.02)
    np.testing.assert_allclose(lost_share(simulate(rules, 3), US), 0.0, atol=ROUNDING)


def test_fit_is_the_logit_loss_of_the_suppliers_shut_out() -> None:
    """Who chooses anew without some suppliers gives up `-ln(1 - P) / sigma` of its chip bill.

    P: odds of those shut out (McFadden 1978). Every slot opens, switching costs nothing and all
    chips cost the same. A hair less than all is denied, so that nobody hurries before.
    """
    ban = {
        "kind": "licensing",
        "denied": 1 - 1e-6,
        "start": "2025-01",
        "markets": ["US", "EU", "JK", "ROW"],
    }
    still = {"supply": {"china_price_discount": 0.0}}
    rules = scenario(
        STILL,
        ALL_OPEN,
        {"orders": NO_STOCKS | {"emergency_share": 1.0}},
        still,
        {"policies": {"ban": ban}},
        makers=3000,
    )
    run = Simulation(rules, 3)
    for phase in PHASES[: PHASES.index(choose_foundries) + 1]:
        phase(run.economy, run.draws)
    economy, makers = run.economy, run.economy.makers
    place = np.flatnonzero(makers.has_slot)
    maker, part = np.divmod(place, makers.supplier.shape[1])
    chances = choice_probabilities(odds_of_all(economy, maker, part))
    shut_out = chances[:, economy.foundries.is_chinese].sum(axis=1)
    is_meant = makers.weights[maker, economy.constants.codes.markets.index("CN")] < 1
    bill = (
        makers.chips.take(place)
        * economy.foundries.price[0, makers.slot_class[part]]
        / rules.sourcing.elasticity
    )
    given_up = makers.compliance_distortion.take(place) / bill
    np.testing.assert_array_equal(given_up[~is_meant], 0.0)
    loss = given_up[is_meant] + np.log(1 - shut_out[is_meant])
    assert abs(loss.mean()) < 4 * loss.std() / np.sqrt(len(loss))  # four standard errors
    assert given_up[is_meant].mean() > 0.05


def test_core_has_none_of_it() -> None:
    """What switches the mechanisms off leaves no stock and no second source anywhere."""
    economy = advanced(scenario(CORE, product(0.3, announced="2024-12"), makers=200), 4)
    assert not economy.makers.stock.any()
    assert not economy.makers.has_second_source.any()
    assert not economy.flows.stock.any()
    assert merged(CORE)["orders"] == NO_STOCKS


def test_contracts_of_a_year_come_first() -> None:
    """With chips for other buyers and for slots supplied for twelve months, the rest get none."""
    economy = advanced(world({"orders": {"allocation": "contract_first"}}, makers=60), 1)
    makers, foundries = economy.makers, economy.foundries
    makers.supplied_since[:] = economy.month - 11
    makers.supplied_since[::2] = economy.month - 12
    year = np.where((np.arange(len(makers)) % 2 == 0)[:, None], makers.chip_orders, 0.0)
    foundries.capacity = foundries.other_orders + by_supplier(
        year, makers.supplier, makers.slot_class, len(foundries)
    )
    _, _, met = deliveries(economy)
    served = makers.has_slot & (makers.chip_orders > 0)
    np.testing.assert_allclose(met[::2][served[::2]], 1.0, rtol=ROUNDING)
    np.testing.assert_allclose(met[1::2][served[1::2]], 0.0, atol=ROUNDING)


@pytest.mark.parametrize(
    "measure",
    [
        {"kind": "chip_cutoff", "denied": 1.0, "start": "2025-03"},
        {"kind": "product_tariff", "rate": 0.2, "start": "2025-03", "only_with_chips_from": ["CN"]},
    ],
    ids=["cut-off", "trigger"],
)
def test_without_an_elasticity_a_match_has_no_worth_in_money(measure: dict[str, Any]) -> None:
    """Nobody loses a dollar's worth of match, though those who are cut off look for others."""
    cheap = {"sourcing": {"elasticity": 0.0}}
    months = {"run": {"start": "2025-01", "end": "2025-08"}}
    economy = advanced(scenario(cheap, months, {"policies": {"it": measure}}, makers=60), 8)
    assert (economy.makers.switch_month >= 0).any()
    assert not economy.makers.compliance_distortion.any()


def test_who_has_no_alternative_keeps_its_supplier() -> None:
    """All chips for phones sold in the US are denied, and no others: lines do not mix."""
    phones = cutoff(devices=["smartphone"], chip_regions="all", start="2025-01")
    economy = advanced(world(phones, months=1, makers=120), 1)
    makers, codes = economy.makers, economy.constants.codes
    slots = makers.slots(np.flatnonzero(makers.has_slot))
    weights = odds_of_candidates(economy, slots.maker, slots.part)
    is_phone = makers.device[slots.maker] == codes.devices.index("smartphone")
    is_phone &= makers.weights[slots.maker, US] > 0
    stays = np.arange(weights.shape[1]) == makers.supplier.take(slots.place)[:, None]
    assert is_phone.any()
    np.testing.assert_array_equal(weights[is_phone], stays[is_phone])
    np.testing.assert_array_equal(
        weights[~is_phone], odds_of_all(economy, slots.maker, slots.part)[~is_phone]
    )


@pytest.mark.parametrize("factor", [0.25, 1.0])
def test_an_emergency_brings_a_qualification_forward(factor: float) -> None:
    """To the months that it takes in an emergency, from now on; one that is due before stays."""
    rules = {"orders": {"emergency_months_factor": factor}}
    economy = advanced(scenario(STILL, HELD, rules, makers=30), 2)
    makers, place = economy.makers, np.flatnonzero(economy.makers.has_slot)
    normal = lead_months(economy, place)
    soonest = economy.month + np.ceil(factor * normal)
    for planned in (economy.month + 1, economy.month + 2 * normal):
        makers.switch_month.put(place, planned)
        bring_forward(economy, place)
        expected = np.minimum(np.broadcast_to(planned, place.shape), soonest)
        np.testing.assert_array_equal(makers.switch_month.take(place), expected)


def test_chips_for_units_not_built_are_not_delivered_without_stocks() -> None:
    """Of three quarters of the scarcest chip, three quarters of all chips are used and paid."""
    economy = advanced(world(cutoff(0.25, start="2025-02"), months=3, makers=60), 3)
    makers, foundries = economy.makers, economy.foundries
    assert (makers.fill_rate < 1).any()
    used = (makers.units[:, None] * makers.chips).sum(axis=0)
    by_class = np.bincount(makers.slot_class, used)
    np.testing.assert_allclose(foundries.line_sales.sum(axis=0), by_class, rtol=ROUNDING)
    assert not makers.stock.any()

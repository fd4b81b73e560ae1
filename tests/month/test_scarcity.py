"""Scarcity has a price: invoices rise while a bloc is asked for more than it makes (MODEL 4.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tariffsim import kernels as k
from tariffsim.behaviour.sourcing import choice_set, price_at_delivery
from tariffsim.calibration import build_economy
from tariffsim.experiments.runs import context_of
from tariffsim.month import PHASES
from tariffsim.record.metrics import deadweight_loss, other_buyers_surplus, welfare
from tariffsim.scenario import Scenario
from tariffsim.simulation import Simulation
from tariffsim.state.constants import DESIGN, PIN_COMPATIBLE
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.ledger import PAYMENTS
from tariffsim.typing import Float
from tests.economies import HELD, NO_STOCKS, STILL, last, merged, run, scenario

MARKETS = ["US", "EU", "JK", "CN", "ROW"]
PRICED = {"supply": {"scarcity_elasticity": 2.0}}
PRO_RATA = {"orders": NO_STOCKS | {"allocation": "pro_rata"}}


def more_chips(change: float, **buyers: float) -> dict[str, Any]:
    """So many more chips in every device from the start, and how other buyers respond."""
    shift = {"kind": "demand_shift", "of": "chips", "change": change, "start": "2025-01"}
    return {"policies": {"more": shift | {"markets": MARKETS}}, "other_buyers": buyers}


def short(change: float, demand_elasticity: float, **supply: float) -> Scenario:
    """A world where nothing moves but that more chips are wanted than can be made."""
    wanted = more_chips(change, demand_elasticity=demand_elasticity)
    changed = PRICED, {"supply": supply}
    return scenario(STILL, HELD, PRO_RATA, wanted, *changed, makers=150)


def asked(economy: Economy) -> Float:
    """(B, K) orders over capacity by bloc."""
    foundries = economy.foundries
    return (foundries.bloc @ foundries.orders) / (foundries.bloc @ foundries.capacity)


def by_bloc(economy: Economy, values: Float) -> Float:
    """(B, K) what all foundries of a bloc have in common."""
    return values[[int(np.flatnonzero(row)[0]) for row in economy.foundries.bloc]]


def everything(economy: Economy) -> list[np.ndarray]:
    flows, foundries, makers = economy.flows, economy.foundries, economy.makers
    return [
        np.array(values)
        for values in (
            economy.ledger, flows.units, flows.price, foundries.price, foundries.sales,
            foundries.capacity, makers.supplier, makers.stock,
        )
    ]  # fmt: skip


# E18


def test_without_shortage_scarcity_changes_nothing_to_the_last_bit() -> None:
    """Up to the first month in which a bloc is asked, or booked, for more than it has."""
    pair = [
        run(scenario({"supply": {"scarcity_elasticity": x}}, makers=150), 2, 40) for x in (0.0, 3.0)
    ]
    months = 0
    for without, with_it in zip(*pair, strict=True):
        assert all(map(np.array_equal, everything(without), everything(with_it)))
        months += 1
        if (asked(without) > 1).any() or (without.foundries.booked_utilisation > 1).any():
            break
        assert (with_it.foundries.scarcity == 1.0).all()
    assert months > 6, "a shortage from the start tests nothing"
    assert (with_it.foundries.scarcity > 1).any() == (asked(without) > 1).any()


def test_a_lasting_shortage_ends_where_orders_are_what_can_be_made() -> None:
    economy = last(short(0.25, demand_elasticity=2.0), seed=1, months=60)
    foundries = economy.foundries
    scarcity = by_bloc(economy, foundries.scarcity)
    of_others = (foundries.bloc @ foundries.other_orders) / (foundries.bloc @ foundries.orders)
    clears = (scarcity > 1) & (of_others > 0.05)
    assert clears.sum() >= 3
    np.testing.assert_allclose(asked(economy)[clears], 1.0, atol=0.01)
    assert (scarcity[clears] < 3).all()
    assert by_bloc(economy, foundries.fill_rate)[clears] == pytest.approx(1.0, abs=0.01)


def test_without_elastic_buyers_scarcity_goes_to_its_cap_and_chips_are_rationed() -> None:
    economy = last(short(0.4, demand_elasticity=0.0), seed=1, months=48)
    foundries = economy.foundries
    over = asked(economy) > 1.02
    assert over.sum() >= 4
    assert by_bloc(economy, foundries.scarcity)[over] == pytest.approx(3.0)
    rationed = 1 / np.maximum(asked(economy), 1.0)
    np.testing.assert_allclose(by_bloc(economy, foundries.fill_rate), rationed, rtol=1e-12)


def test_a_cap_of_one_is_rationing_without_a_price() -> None:
    months = zip(
        run(short(0.4, 0.0, scarcity_cap=1.0), 2, 12),
        run(short(0.4, 0.0, scarcity_elasticity=0.0), 2, 12),
        strict=True,
    )
    for capped, unpriced in months:
        assert all(map(np.array_equal, everything(capped), everything(unpriced)))
    assert (capped.foundries.fill_rate < 1).any()


# What it is part of


@pytest.fixture(scope="module")
def scarce() -> Economy:
    return last(short(0.4, demand_elasticity=0.5), seed=1, months=12)


def test_it_is_revenue_of_foundries_and_not_of_the_subsidy(scarce: Economy) -> None:
    foundries = scarce.foundries
    in_force = foundries.price / foundries.posted_price
    assert (in_force > 1.5).any()
    np.testing.assert_allclose(foundries.revenue.sum(), (foundries.price * foundries.sales).sum())
    share, discount = scarce.scenario.supply.discount_subsidy_share, scarce.policy.discount
    expected = np.where(foundries.is_chinese[:, None], share * discount, 0.0)
    np.testing.assert_allclose(foundries.subsidy, expected * foundries.parity_price)


def test_it_is_in_the_value_of_chips_and_in_unit_cost(scarce: Economy) -> None:
    makers, foundries = scarce.makers, scarce.foundries
    value = makers.chips * foundries.price[makers.supplier, makers.slot_class]
    np.testing.assert_allclose(makers.chip_value, value)
    bill = scarce.flows.unit_cost - k.over_slots(value)[scarce.flows.maker]
    at_posted = foundries.posted_price[makers.supplier, makers.slot_class]
    assert (k.over_slots(value) > 1.2 * k.over_slots(makers.chips * at_posted)).any()
    inputs = makers.other_inputs[scarce.flows.maker]
    still = scarce.flows.origin == makers.base_origin[scarce.flows.maker]
    rest = bill - inputs - scarce.flows.bare_duty
    rest -= makers.amortised_cost(scarce.month)[scarce.flows.maker]
    np.testing.assert_allclose(rest[still], 0.0, atol=1e-9 * scarce.flows.unit_cost.max())


def test_it_is_in_force_in_the_month_after() -> None:
    before = np.ones(())
    for economy in run(short(0.4, 0.5), 1, 4):
        foundries = economy.foundries
        np.testing.assert_array_equal(foundries.price, foundries.posted_price * before)
        before = foundries.scarcity.copy()
    assert (before > 1).any()


def test_margins_see_it() -> None:
    """Foundries outside China earn more in a shortage with a price than in one without."""
    margins = [
        last(short(0.4, 0.5, scarcity_elasticity=x), 1, 12).investment.margins[:, -1]
        for x in (0.0, 2.0)
    ]
    has_fabs = margins[0] > -1
    assert (margins[1][has_fabs] > margins[0][has_fabs] + 0.01).all()


def test_choices_count_it_as_it_will_be_when_they_deliver(scarce: Economy) -> None:
    choices, makers, foundries = choice_set(scarce), scarce.makers, scarce.foundries
    slots = makers.slots(np.flatnonzero(makers.has_slot))
    price = price_at_delivery(choices, slots)
    posted, scarcity, booked = (
        of.T for of in (foundries.posted_price, foundries.scarcity, foundries.booked_utilisation)
    )
    assert (booked > 1).any()
    for kind, lead in (
        (PIN_COMPATIBLE, np.full(len(slots), 2)),
        (DESIGN, scarce.constants.requalification_months[makers.device[slots.maker]]),
    ):
        rows = np.flatnonzero(slots.kind == kind)[:50]
        of_class, months = slots.node_class[rows], lead[rows, None].clip(max=3)
        busy = np.log(booked[of_class])
        moved = np.log(scarcity[of_class]) + months * np.where(busy > 0, 1 / 2, 1 / 4) * 2 * busy
        ahead = np.exp(moved.clip(0, np.log(3)))
        np.testing.assert_allclose(price[rows], posted[of_class] * ahead)


def test_the_order_book_holds_what_is_decided_and_not_yet_supplied() -> None:
    """A switch counts from the month it is decided in; orders move when it is supplied."""
    economy = last(scenario(PRICED, makers=150), 1, 6)
    foundries, makers = economy.foundries, economy.makers
    before = foundries.booked_utilisation.copy()
    chinese = int(np.flatnonzero(foundries.is_chinese)[0])
    busy = asked(economy)[:, makers.slot_class]
    free = makers.has_slot & (makers.switch_month < 0) & ~foundries.is_chinese[makers.supplier]
    makers.next_supplier[free], makers.switch_month[free] = chinese, economy.month + 20
    for phase in PHASES:
        phase(economy, Draws(1))
    after, orders = economy.foundries.booked_utilisation, asked(economy)[:, makers.slot_class]
    of_china = economy.foundries.is_chinese
    assert (after[of_china] > 1.05 * before[of_china]).all()
    assert (after[~of_china] < before[~of_china]).all()
    np.testing.assert_allclose(orders, busy, rtol=0.1)


def test_shares_do_not_swing_where_demand_reaches_capacity() -> None:
    """Makers see what others have decided; without that, shares went up and down by ten points.

    Half a year's mean beside the next: two points are left to the lumps of 1,200 lines.
    """
    cut = {"kind": "price_cut", "points": 0.2, "start": "2025-01"}
    wanted = {"policies": {"war": cut}, "sourcing": {"elasticity": 8.0, "opening_factor": 2.0}}
    shares = []
    for economy in run(scenario(PRICED, wanted, makers=1200), 1, 72):
        makers, chinese = economy.makers, economy.foundries.is_chinese
        value = makers.chip_value * makers.units[:, None]
        shares.append(float((value * chinese[makers.supplier]).sum() / value.sum()))
    half_years = np.reshape(shares[24:], (-1, 6)).mean(axis=1)
    assert by_bloc(economy, economy.foundries.scarcity).max() > 1.1, "nothing is scarce"
    assert np.diff(half_years).min() > -0.02


# Other end uses


def test_learning_alone_does_not_make_other_buyers_grow() -> None:
    """Their demand follows their price over the learning index."""
    settings = {"supply": {"learning": 0.2, "price_adjustment": 1.0}}
    first, *_, then = [
        e.foundries.other_orders.sum(axis=0).copy()
        for e in run(scenario(STILL, HELD, settings, makers=150), 1, 36)
    ]
    np.testing.assert_allclose(then, first, rtol=0.002)


@pytest.mark.parametrize("elasticity", [0.2, 0.5, 1.0])
def test_other_buyers_respond_to_their_mean_price(elasticity: float) -> None:
    economy = build_economy(short(0.0, elasticity), 1)
    twice = build_economy(short(0.0, elasticity), 1)
    twice.foundries.scarcity *= 2.0
    for one in (economy, twice):
        for phase in PHASES:
            phase(one, Draws(1))
    ratio = twice.foundries.other_orders.sum(axis=0) / economy.foundries.other_orders.sum(axis=0)
    np.testing.assert_allclose(ratio, 2.0**-elasticity)


@pytest.fixture(scope="module")
def histories() -> tuple[Any, Any, Any]:
    wanted = merged(more_chips(0.4), {"run": {"end": "2025-12"}})
    simulations = [
        Simulation(scenario(STILL, HELD, PRO_RATA, PRICED, change, makers=150), 1)
        for change in ({"run": {"end": "2025-12"}}, wanted)
    ]
    context = context_of(simulations[0].economy)
    base, policy = (simulation.run() for simulation in simulations)
    return base, policy, context


def test_what_other_buyers_pay_more_is_no_loss_to_the_world(
    histories: tuple[Any, Any, Any],
) -> None:
    """Their surplus, what they pay and what they miss add up by the rule of a half.

    What the ledger books as paid by them, plus the change of their surplus, is the change of
    chips at their mean price less the surplus on chips missed: the price itself is a transfer.
    """
    base, policy, context = histories
    row = PAYMENTS.index("chips for other buyers")
    paid, paid_0 = (h.ledger[:, row].clip(min=0).sum(axis=1) for h in (policy, base))
    price, price_0 = (h.foundries["price"] for h in (policy, base))
    orders, orders_0 = (h.foundries["other_orders"] for h in (policy, base))
    chips = policy.foundries["other_chips"]
    assert (base.foundries["other_chips"] == orders_0).all()
    more = (0.5 * (price + price_0) * (orders - orders_0)).sum(axis=(1, 2))
    missing = np.where(orders > 0, 1 - chips / np.where(orders > 0, orders, 1.0), 0.0)
    lost = k.undelivered_surplus(price * orders, missing, np.asarray(0.5)).sum(axis=(1, 2))
    unpaid = (price * (orders - chips)).sum(axis=(1, 2))
    surplus = other_buyers_surplus(policy, base, context)
    assert (surplus < 0).all()
    np.testing.assert_allclose(paid - paid_0 + surplus, more - lost - unpaid, rtol=1e-9)
    assert (lost[-6:] > 0).all()


def test_their_surplus_is_in_the_worlds_welfare(histories: tuple[Any, Any, Any]) -> None:
    base, policy, context = histories
    change = welfare(policy, base, context)
    world = change.sum(axis=(1, 2)) + other_buyers_surplus(policy, base, context)
    np.testing.assert_allclose(deadweight_loss(change, policy, base, context), -world)

"""Foundries: order books, planned capacity, what margins decide, grants and credits (MODEL 4.1)."""

from __future__ import annotations

import numpy as np

from tariffsim import kernels as k
from tariffsim.scenario.blocks import Supply
from tariffsim.state.economy import Economy, Foundries, Investment
from tariffsim.typing import Float, Int


def by_region(economy: Economy, values: Float) -> Float:
    """(R,) sums over the foundries of each region."""
    return k.sum_by(economy.foundries.region, values, len(economy.constants.codes.regions))


def standing_wafers(economy: Economy, capacity: Float) -> Float:
    """(R,) thousand wafers a month of a capacity (F, K) in chips a month."""
    return by_region(economy, k.wafers(capacity, economy.investment.chips_per_kwpm))


def booked_utilisation(economy: Economy, deliverable: Float) -> Float:
    """(F, K) a bloc's orders over its capacity once all that is under qualification is supplied.

    `deliverable` (N, P) are the chips that lines may be sent by the suppliers they have.
    """
    makers, foundries = economy.makers, economy.foundries
    chips = np.where(makers.switch_month >= 0, makers.need, deliverable)
    for_lines = k.by_supplier(chips, makers.booked_supplier(), makers.slot_class, len(foundries))
    book = k.total(for_lines, foundries.other_orders)
    return k.bloc_utilisation(book, foundries.capacity, foundries.bloc)


def price_ahead(foundries: Foundries, supply: Supply, months: Int | int) -> Float:
    """(..., F, K) USD a chip so many months (...) ahead: posted, and scarce as orders make it.

    The order book decides how scarce (MODEL 4.1).
    """
    ahead = np.asarray(np.minimum(months, supply.order_book_months))[..., None, None]
    scarcity = k.scarcity_after(
        foundries.scarcity, foundries.booked_utilisation, ahead,
        supply.scarcity_elasticity, supply.scarcity_cap,
    )  # fmt: skip
    return k.times(foundries.posted_price, scarcity)


def planned_capacity(economy: Economy, growth: Float) -> Float:
    """(F, K) chips a month without any response to margins; China's follows from the others'.

    Of points that others make up for, they build what China does not.
    """
    foundries, policy = economy.foundries, economy.policy
    planned = k.grown_capacity(foundries.base_capacity, growth, economy.years)
    chinese, base = foundries.is_chinese, foundries.base_capacity
    base_others = base[~chinese].sum(axis=0)
    if not chinese.any() or not base_others.all():
        return planned
    base_odds = k.ratio(base[chinese].sum(axis=0), base_others)
    start = economy.scenario.supply.china_capacity_share.at(economy.scenario.run.start)
    share, before = policy.capacity_share, policy.share_before
    if share != before:
        others = planned[~chinese].sum(axis=0)
        factor = k.made_up_by_others(others, base_odds, share, before, start)
        planned[~chinese] = k.times(planned[~chinese], factor)
    of_china = k.china_capacity(planned[~chinese].sum(axis=0), base_odds, share, start)
    planned[chinese] = k.times(k.shares(base[chinese]), of_china)
    return planned


def china_plan_gap(economy: Economy, before: Float) -> Float:
    """(K,) share of China's plan that idle lines have kept from being built.

    `before` (F, K) is last month's planned capacity.
    """
    foundries, investment = economy.foundries, economy.investment
    old, plan = (
        of[foundries.is_chinese].sum(axis=0) for of in (before, foundries.planned_capacity)
    )
    slowing = k.plan_slowing(
        economy.scenario.supply.plan_response,
        investment.china_base_utilisation,
        float(investment.china_utilisation.mean()),
    )
    return k.plan_gap(investment.plan_gap, old, plan, slowing)


def come_due(investment: Investment) -> Float:
    """Growth and payments of the month come due; (R,) kwpm of capacity that grants have built."""
    growth, investment.growth_due = k.month_on(investment.growth_due)
    investment.growth_ahead = k.total(investment.growth_ahead, growth)
    investment.grants, investment.grants_due = k.month_on(investment.grants_due)
    investment.credits, investment.credits_due = k.month_on(investment.credits_due)
    arrived, investment.granted_due = k.month_on(investment.granted_due)
    return arrived


def look_back(economy: Economy) -> None:
    """The month's margins and China's utilisation join those of the year."""
    foundries, investment = economy.foundries, economy.investment
    revenue = by_region(economy, foundries.revenue.sum(axis=1))
    subsidy = by_region(economy, k.times(foundries.subsidy, foundries.output).sum(axis=1))
    cost = by_region(economy, foundries.cost.sum(axis=1))
    margin = k.operating_margin(k.left_over(k.total(revenue, subsidy), cost), revenue)
    investment.margins = k.last_year(investment.margins, margin)
    orders, capacity = (
        k.wafers(values[foundries.is_chinese], investment.chips_per_kwpm).sum()
        for values in (foundries.orders, foundries.capacity)
    )
    base = np.asarray(investment.china_base_utilisation)
    newest = k.utilisation_of(orders, capacity, base)
    investment.china_utilisation = k.last_year(investment.china_utilisation, newest)


def decided_growth(economy: Economy) -> Float:
    """(R,) growth decided today relative to planned growth: one as planned."""
    foundries, investment, supply = economy.foundries, economy.investment, economy.scenario.supply
    if supply.investment == "planned":
        return np.ones(len(investment.base_margin))
    cost, price = (
        by_region(economy, k.times(values, foundries.capacity).sum(axis=1))
        for values in (foundries.unit_cost, foundries.price)
    )
    credit = economy.policy.funds.credit
    credited = k.credit_in_margin(credit, supply.capital_cost_share, cost, price)
    margin = k.total(investment.margins.mean(axis=1), credited)
    decided = k.growth_response(margin, investment.base_margin, supply.investment_hurdle)
    responds = ~economy.constants.is_china & (economy.constants.region_growth > 0)
    return np.where(responds, decided, 1.0)


def award(economy: Economy, added: Float) -> None:
    """Grants build capacity; credits are a share of the capital cost of all that is `added`."""
    investment, funds, constants = economy.investment, economy.policy.funds, economy.constants
    if not (funds.grants.any() or funds.credit.any()):
        return
    lag, capital_cost = constants.build_lag, constants.capital_cost
    granted = k.ratio(funds.granted_investment, capital_cost)
    investment.granted_due = k.at_month(investment.granted_due, granted, lag)
    investment.grants_due = k.evenly(investment.grants_due, funds.grants, lag)
    credit = k.credit_paid(funds.credit, capital_cost, added, granted)
    investment.credits_due = k.evenly(investment.credits_due, credit, lag)

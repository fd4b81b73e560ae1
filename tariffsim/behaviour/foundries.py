"""Foundries: capacity, cost, posted prices, what is built, closed and paid for (MODEL 4.1)."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.investment import (
    at_month,
    credit_in_margin,
    evenly,
    growth_response,
    last_year,
    month_on,
    operating_margin,
    plan_gap,
    plan_slowing,
    wafers,
)
from tariffsim.kernels.sums import sum_by
from tariffsim.kernels.supply import (
    china_capacity,
    grown_capacity,
    learning_index,
    parity_price,
    posted_price,
)
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy, Investment
from tariffsim.typing import Float


def add_capacity(economy: Economy, draws: Draws) -> None:
    """Foundries: what was decided arrives; China's capacity follows its plan given the others'."""
    foundries, investment = economy.foundries, economy.investment
    growth = economy.constants.region_growth[foundries.region][:, None]
    before = foundries.planned_capacity
    foundries.planned_capacity = _planned(economy, growth)
    arrived = _come_due(investment)
    ahead = investment.growth_ahead[foundries.region][:, None]
    own = grown_capacity(foundries.planned_capacity, growth, ahead / 12)
    own[foundries.is_chinese] *= 1 - _plan_gap(economy, before)
    standing = of_regions(economy, wafers(own, investment.chips_per_kwpm))
    granted = arrived / np.where(standing > 0, standing, np.inf)
    investment.granted = investment.granted + granted
    foundries.capacity = own * (1 + investment.granted[foundries.region][:, None])


def _planned(economy: Economy, growth: Float) -> Float:
    """(F, K) chips a month if nobody responds to anything."""
    foundries = economy.foundries
    planned = grown_capacity(foundries.base_capacity, growth, economy.month / 12)
    chinese = foundries.is_chinese
    base = foundries.base_capacity
    base_others = base[~chinese].sum(axis=0)
    if not chinese.any() or not base_others.all():
        return planned
    total = china_capacity(
        planned[~chinese].sum(axis=0),
        base[chinese].sum(axis=0) / base_others,
        economy.policy.capacity_share,
        economy.scenario.supply.china_capacity_share.at(economy.scenario.run.start),
    )
    own = base[chinese]
    planned[chinese] = own / np.maximum(own.sum(axis=0), 1e-300) * total
    return planned


def _come_due(investment: Investment) -> Float:
    """Growth and payments of the month come due; (R,) kwpm of capacity that grants have built."""
    growth, investment.growth_due = month_on(investment.growth_due)
    investment.growth_ahead = investment.growth_ahead + growth
    investment.grants, investment.grants_due = month_on(investment.grants_due)
    investment.credits, investment.credits_due = month_on(investment.credits_due)
    arrived, investment.granted_due = month_on(investment.granted_due)
    return arrived


def _plan_gap(economy: Economy, before: Float) -> Float:
    """(K,) part of China's plan that idle lines have kept from being built."""
    foundries, investment = economy.foundries, economy.investment
    old, plan = (
        of[foundries.is_chinese].sum(axis=0) for of in (before, foundries.planned_capacity)
    )
    slowing = plan_slowing(
        economy.scenario.supply.plan_response,
        investment.china_base_utilisation,
        float(investment.china_utilisation.mean()),
    )
    investment.plan_gap = plan_gap(investment.plan_gap, old, plan, slowing)
    return investment.plan_gap


def post_prices(economy: Economy, draws: Draws) -> None:
    """Foundries: unit cost falls with learning; prices are posted."""
    foundries, supply = economy.foundries, economy.scenario.supply
    price_0 = economy.constants.chip_price
    chinese = foundries.is_chinese[:, None]
    learned = learning_index(foundries.experience, foundries.base_experience, supply.learning)
    discount = np.where(chinese, economy.policy.discount, 0.0)
    advantage = supply.discount_cost_share * discount * price_0
    foundries.unit_cost = (foundries.base_cost - advantage) * learned
    foundries.parity_price = parity_price(
        price_0,
        learned,
        foundries.utilisation,
        foundries.base_utilisation,
        supply.utilisation_price_response,
    )
    target = (1 - discount) * foundries.parity_price
    foundries.price = posted_price(foundries.price, target, supply.price_adjustment)
    foundries.subsidy = supply.discount_subsidy_share * discount * foundries.parity_price


def invest(economy: Economy, draws: Draws) -> None:
    """Foundries: the year's margin decides what is built or closed; grants are awarded."""
    investment, supply = economy.investment, economy.scenario.supply
    foundries, chips_per_kwpm = economy.foundries, economy.investment.chips_per_kwpm
    _look_back(economy)
    decided = _decided_growth(economy)
    lag = economy.constants.build_lag
    closing = np.full_like(lag, supply.closure_months)
    due = at_month(investment.growth_due, np.maximum(decided, 0.0) - 1, lag)
    investment.growth_due = at_month(due, np.minimum(decided, 0.0), closing)
    standing = of_regions(economy, wafers(foundries.capacity, chips_per_kwpm))
    growth = np.where(economy.constants.is_china, 0.0, economy.constants.region_growth)
    added = grown_capacity(standing, growth, np.maximum(decided, 0.0) / 12) - standing
    _award(economy, np.maximum(added, 0.0))


def of_regions(economy: Economy, values: Float) -> Float:
    """(R,) sums over the foundries of each region."""
    return sum_by(economy.foundries.region, values, len(economy.constants.codes.regions))


def _look_back(economy: Economy) -> None:
    """The month's margins and China's utilisation join those of the year."""
    foundries, investment = economy.foundries, economy.investment
    revenue = of_regions(economy, foundries.revenue.sum(axis=1))
    subsidy = of_regions(economy, (foundries.subsidy * foundries.output).sum(axis=1))
    profit = revenue + subsidy - of_regions(economy, foundries.cost.sum(axis=1))
    investment.margins = last_year(investment.margins, operating_margin(profit, revenue))
    chinese = foundries.is_chinese
    orders, capacity = (
        wafers(values[chinese], investment.chips_per_kwpm).sum()
        for values in (foundries.orders, foundries.capacity)
    )
    utilisation = orders / capacity if capacity > 0 else investment.china_base_utilisation
    newest = np.asarray(utilisation)
    investment.china_utilisation = last_year(investment.china_utilisation, newest)


def _decided_growth(economy: Economy) -> Float:
    """(R,) growth decided today relative to planned growth: one as planned."""
    foundries, investment, supply = economy.foundries, economy.investment, economy.scenario.supply
    if supply.investment == "planned":
        return np.ones(len(investment.base_margin))
    cost, price = (
        of_regions(economy, (values * foundries.capacity).sum(axis=1))
        for values in (foundries.unit_cost, foundries.price)
    )
    margin = investment.margins.mean(axis=1) + credit_in_margin(
        economy.policy.funds.credit, supply.capital_cost_share, cost, price
    )
    decided = growth_response(margin, investment.base_margin, supply.investment_hurdle)
    responds = ~economy.constants.is_china & (economy.constants.region_growth > 0)
    return np.where(responds, decided, 1.0)


def _award(economy: Economy, added: Float) -> None:
    """Grants build capacity; credits are a part of the capital cost of all that is `added`."""
    investment, funds, constants = economy.investment, economy.policy.funds, economy.constants
    if not (funds.grants.any() or funds.credit.any()):
        return
    lag, capital_cost = constants.build_lag, constants.capital_cost
    granted = funds.granted_investment / capital_cost
    investment.granted_due = at_month(investment.granted_due, granted, lag)
    investment.grants_due = evenly(investment.grants_due, funds.grants, lag)
    credit = funds.credit * capital_cost * (added + granted)
    investment.credits_due = evenly(investment.credits_due, credit, lag)

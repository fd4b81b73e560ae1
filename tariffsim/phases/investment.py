"""Foundries decide what to build and close; grants and credits are awarded (MODEL 4.1)."""

from __future__ import annotations

import numpy as np

from tariffsim.draws import Draws
from tariffsim.economy import Economy
from tariffsim.kernels.investment import (
    at_month,
    credit_in_margin,
    evenly,
    growth_response,
    last_year,
    operating_margin,
    wafers,
)
from tariffsim.kernels.sums import sum_by
from tariffsim.kernels.supply import grown_capacity
from tariffsim.typing import Float


def invest(economy: Economy, draws: Draws) -> None:
    """Foundries: the year's margin decides what is built or closed; grants are awarded."""
    investment, supply = economy.investment, economy.scenario.supply
    foundries, chips_per_kwpm = economy.foundries, economy.investment.chips_per_kwpm
    _look_back(economy)
    decided = _decided_growth(economy)
    lag = economy.figures.build_lag
    closing = np.full_like(lag, supply.closure_months)
    due = at_month(investment.growth_due, np.maximum(decided, 0.0) - 1, lag)
    investment.growth_due = at_month(due, np.minimum(decided, 0.0), closing)
    standing = of_regions(economy, wafers(foundries.capacity, chips_per_kwpm))
    growth = np.where(economy.figures.is_china, 0.0, economy.figures.region_growth)
    added = grown_capacity(standing, growth, np.maximum(decided, 0.0) / 12) - standing
    _award(economy, np.maximum(added, 0.0))


def of_regions(economy: Economy, values: Float) -> Float:
    """(R,) sums over the foundries of each region."""
    return sum_by(economy.foundries.region, values, len(economy.figures.codes.regions))


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
        economy.law.funds.credit, supply.capital_cost_share, cost, price
    )
    decided = growth_response(margin, investment.base_margin, supply.investment_hurdle)
    responds = ~economy.figures.is_china & (economy.figures.region_growth > 0)
    return np.where(responds, decided, 1.0)


def _award(economy: Economy, added: Float) -> None:
    """Grants build capacity; credits are a part of the capital cost of all that is `added`."""
    investment, funds, figures = economy.investment, economy.law.funds, economy.figures
    if not (funds.grants.any() or funds.credit.any()):
        return
    lag, capital_cost = figures.build_lag, figures.capital_cost
    granted = funds.granted_investment / capital_cost
    investment.granted_due = at_month(investment.granted_due, granted, lag)
    investment.grants_due = evenly(investment.grants_due, funds.grants, lag)
    credit = funds.credit * capital_cost * (added + granted)
    investment.credits_due = evenly(investment.credits_due, credit, lag)

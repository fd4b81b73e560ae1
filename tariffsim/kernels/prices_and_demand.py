"""Prices from chips to the shop, and what consumers buy: CES within a device (MODEL 4.4)."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.sums import over_slots, sum_by
from tariffsim.typing import Bool, Float, Int


def unit_cost(other_inputs: Float, cost_factor: Float, chip_bill: Float, extra: Float) -> Float:
    """Unit cost, USD: other inputs at the country's cost, chips, and what is alike everywhere.

    `extra` is switching cost written off and the overhead of a version of its own.
    """
    return np.asarray(other_inputs * cost_factor + chip_bill + extra)


def relative_cost(cost_factor: Float) -> Float:
    """(O, O) cost of assembly relative to the base country (first axis) at each country."""
    return np.asarray(cost_factor / cost_factor[:, None])


def written_off(amortised: Float, months_left: Int, new: Float, life_months: Int) -> Float:
    """USD a unit written off after a switch: the new cost, and the old one's rest over its life."""
    return np.asarray(new + amortised * months_left / life_months)


def responsive_markup(markup: float, relative_price: Float, elasticity: float) -> Float:
    """(L,) mark-up of products at a price relative to their market's: `(1 + mu) (p/P)^-Gamma - 1`.

    Never below zero: nobody sells below cost for long (MODEL 4.4).
    """
    return np.asarray(np.maximum((1 + markup) * relative_price**-elasticity - 1, 0.0))


def ex_works_price(cost: Float, markup: Float | float) -> Float:
    """Price at the maker's gate that unit cost asks for, USD a unit."""
    return np.asarray((1 + markup) * cost)


def following(price: Float, target: Float, months: float) -> Float:
    """Price closing on its target at `1 / months`, USD a unit (MODEL 4.4)."""
    return np.asarray(price + (target - price) / months)


def standby_cost(chip_value: Float, has_second_source: Bool, share: float) -> Float:
    """(N,) USD a unit of keeping second sources: a share of the bill of the slots that have one."""
    return np.asarray(share * over_slots(chip_value * has_second_source))


def chip_carrying_cost(chip_value: Float, stock_months: Float, cost: float) -> Float:
    """(N,) USD a unit of holding the usual stock of chips, at a cost a month of its value."""
    return np.asarray(cost * stock_months * over_slots(chip_value))


LEAST_EXCHANGE = 0.1
"""Floor under the factor on foreign prices, far below anything that is plausible."""


def exchange_factor(offset: float, covered_share: Float, rise: Float) -> Float:
    """Foreign makers' prices in the market's money relative to the base year (MODEL 4.4).

    `1 - offset x covered share of imports x rise of the mean duty`, by market.
    """
    return np.maximum(1 - offset * covered_share * rise, LEAST_EXCHANGE)


def mean_rate(duty: Float, value: Float, weight: Float, market: Int, n_markets: int) -> Float:
    """(M,) mean over flows (L,) of duty over value, with fixed weights (L,); zero without any."""
    total = sum_by(market, weight, n_markets)
    rate = sum_by(market, weight * duty / value, n_markets)
    return np.asarray(rate / np.where(total > 0, total, 1.0))


def rebate(new_duty: Float, border_pass_through: float) -> Float:
    """Part of a new duty that the maker absorbs and pays back to the importer, USD a unit."""
    return np.asarray((1 - border_pass_through) * new_duty)


def passed_on_duty(
    passed_on: Float, new_duty: Float, long_run_share: float, months: float
) -> Float:
    """Duty passed on to consumers, USD a unit, closing on its long-run share at `1 / months`."""
    return np.asarray(passed_on + (long_run_share * new_duty - passed_on) / months)


def landed_cost(customs_value: Float, freight: float, base_duty: Float) -> Float:
    """Importer's cost before new duty, USD a unit: ex-works price, freight and base duty."""
    return np.asarray(customs_value * (1 + freight) + base_duty)


def retail_price(landed: Float, base_landed: Float, margin: float, passed_on: Float) -> Float:
    """Retail price, USD a unit: landed cost, a margin fixed in dollars, and duty passed on."""
    return np.asarray(landed + margin * base_landed + passed_on)


def distribution_cost(margin: float, profit: float, base_landed: Float, sold: Float) -> Float:
    """Cost of retailing: the margin on base landed cost without importers' profit, USD a month."""
    return np.asarray((margin - profit) * base_landed * sold)


# Demand.


def ces_price_index(
    price_ratio_power: Float, base_share: Float, cell: Int, n_cells: int, elasticity: Float
) -> Float:
    """Price index of each (market, device) cell, base year 1 (MODEL 4.4).

    `price_ratio_power` is `(p / p_0)^(1 - eps)` by line; `elasticity` is `eps` by cell. An
    elasticity of one is the Cobb-Douglas limit, excluded at the door.
    """
    total = sum_by(cell, base_share * price_ratio_power, n_cells)
    return np.asarray(np.where(total > 0, total, 1.0) ** (1 / (1 - elasticity)))


def units_demanded(
    base_units: Float, price_ratio: Float, price_ratio_power: Float, cell_demand: Float
) -> Float:
    """Units a month of each line: `q_0 (p/p_0)^-eps P^(eps - eta) g`, the last two by cell."""
    return np.asarray(base_units * (price_ratio_power / price_ratio) * cell_demand)


def cell_demand(index: Float, elasticity: Float, demand_elasticity: Float, growth: Float) -> Float:
    """What scales every line of a cell: `P^(eps - eta) g`."""
    return np.asarray(index ** (elasticity - demand_elasticity) * growth)


def ai_content(adoption: Float, base_adoption: Float, uplift: float) -> Float:
    """Chips in a unit relative to the base year: `(1 + u a) / (1 + u a_0)` (MODEL 4.4).

    `adoption` is the share of AI-enabled units, `u` their additional chips.
    """
    return np.asarray((1 + uplift * adoption) / (1 + uplift * base_adoption))


def adjusted_orders(orders: Float, desired: Float, speed: float) -> Float:
    """Orders closing on desired orders by a part of the distance a month."""
    return np.asarray(orders + speed * (desired - orders))


def chip_content(base: Float, growth: float, years: float, shift: Float) -> Float:
    """(N, K) chips in a unit: base year x growth a year x shift."""
    return np.asarray(base * (1 + growth) ** years * shift)


def ces_power(ratio: Float, elasticity: Float) -> Float:
    """`(p / p_0)^(1 - eps)` by line."""
    return np.asarray(ratio ** (1 - elasticity))


def nested_power(power: Float, base_share: Float, nest: Int, nesting: float) -> Float:
    """(L,) `(p_i / p_i0)^(1 - eps) P_n^(eps - theta)`, with `P_n` the index of the line's nest.

    What stands for `ces_power` where elasticity is `eps` within nests and, between them,
    `theta = 1 + nesting (eps - 1)`.
    """
    n = int(nest.max(initial=-1)) + 1
    weight = sum_by(nest, base_share, n)
    mean = sum_by(nest, base_share * power, n) / np.where(weight > 0, weight, 1.0)
    return np.asarray(power * mean[nest] ** (nesting - 1))


def between_nests(elasticity: Float, nesting: float) -> Float:
    """Elasticity between nests, `1 + nesting (eps - 1)`."""
    return np.asarray(1 + nesting * (elasticity - 1))


def demand_growth(growth: Float, years: float, extra: Float | float, factor: Float) -> Float:
    """Demand relative to the start: growth at a rate a year, that of devices, exogenous shifts."""
    return np.asarray((1 + growth) ** years * extra * factor)


def device_growth(dates: Int, rates: Float, start: int, now: int) -> Float:
    """(D,) units bought relative to the start, on top of what markets grow.

    The rates a year (D, dates) are linear between their dates and flat outside; each month since
    the start adds its own.
    """
    months = np.arange(start, now)
    by_month = np.array([np.interp(months, dates, path) for path in rates])
    return np.asarray(np.prod((1 + by_month) ** (1 / 12), axis=1))


def other_growth(market_growth: Float, content_growth: float, years: float, chips: Float) -> Float:
    """(K,) growth of other buyers' demand: that of the chips (M, K) in devices at base prices.

    Of a class that is in no device nobody makes any.
    """
    devices, total = (1 + market_growth) ** years @ chips, chips.sum(axis=0)
    of_devices = devices / np.where(total > 0, total, 1.0)
    return np.asarray(of_devices * (1 + content_growth) ** years)

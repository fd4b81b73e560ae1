"""From chip prices to retail prices (MODEL 4.4)."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.sums import over_slots
from tariffsim.typing import Float, Int


def unit_cost(other_inputs: Float, cost_factor: Float, chip_bill: Float, amortised: Float) -> Float:
    """Unit cost of a line, USD: other inputs at the country's cost, chips, amortised switching."""
    return np.asarray(other_inputs * cost_factor + chip_bill + amortised)


def invoice_value(chips: Float, price: Float, rebate: Float | float) -> Float:
    """USD a unit that chips are invoiced at, where a share of their price is rebated."""
    return np.asarray(chips * price * (1 - rebate))


def chip_bill(chip_value: Float, bare_rate: Float) -> Float:
    """USD a unit of chips and the duty on them where they enter unmounted; over the last axis."""
    return over_slots(chip_value * (1 + bare_rate))


def relative_cost(cost_factor: Float) -> Float:
    """(O, O) cost of assembly relative to the base country (first axis) at each country."""
    return np.asarray(cost_factor / cost_factor[:, None])


def relocation_payment(
    relocation_cost: float, customs_value: Float, units: Float, hazard: float, discount_rate: float
) -> Float:
    """USD for moving a line: a fraction of its value over the life of the choice."""
    lifetime_value = customs_value * units / (hazard + discount_rate / 12)
    return np.asarray(relocation_cost * lifetime_value)


def written_off(amortised: Float, months_left: Int, new: Float, life_months: Int) -> Float:
    """USD a unit written off after a switch: the new cost, and the old one's rest over its life."""
    return np.asarray(new + amortised * months_left / life_months)


def ex_works_price(cost: Float, markup: float) -> Float:
    """Price at the maker's gate, USD a unit; it is the customs value."""
    return np.asarray((1 + markup) * cost)


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

"""Duties as linear tables, so that one law serves customs and makers forming expectations."""

from __future__ import annotations

import numpy as np

from tariffsim.typing import Float


def slot_duty_rate(
    product_rate: Float, markup: float, bare_rate: Float, chip_rate: Float | float
) -> Float:
    """Duty bill caused by a dollar of chips in a slot: the bill with them less the bill without.

    Duty on the unmounted chip, product duty on the customs value that chip and duty add, and
    component duty on the chip itself (MODEL 4.2, `tau`).
    """
    return np.asarray(bare_rate + product_rate * (1 + markup) * (1 + bare_rate) + chip_rate)


def ad_valorem(rate: Float, value: Float) -> Float:
    """USD of a duty that is a fraction of a value."""
    return np.asarray(rate * value)


def slot_burden(
    price: Float, product_rate: Float, markup: float, bare_rate: Float, on_chip: Float
) -> Float:
    """USD a chip that declared duties cost: on the product that has it, and on the chip itself."""
    on_product = product_rate * (1 + markup) * (1 + bare_rate)
    return np.asarray(price * on_product + on_chip)


def duty_on_chip(by_value: Float, by_count: Float, price: Float) -> Float:
    """USD a chip of a duty on its value and one on its number."""
    return np.asarray(by_value * price + by_count)


def chip_duty_rate(by_value: Float, by_count: Float, price: Float) -> Float:
    """The same as a fraction of the price."""
    return np.asarray(by_value + by_count / price)


def cost_with_duty(price: Float, rate: Float, burden: Float | float) -> Float:
    """USD a chip with the duty it causes: at a rate on its price, and the burden of others."""
    return np.asarray(price * (1 + rate) + burden)


def horizon_weights(hazard: Float, discount_rate: float, years: Float) -> Float:
    """Weights of the duty so many years into a design's life: survival x discounting (MODEL 4.2).

    `hazard` (n,) a month, `years` (m,); returns (m, n) summing to one over the years.
    """
    months = 12 * years[:, None]
    weights = (1 - hazard) ** months * (1 + discount_rate) ** (-months / 12)
    return np.asarray(weights / weights.sum(axis=0))


def due_of_each(duties: list[tuple[str | None, Float]]) -> list[Float]:
    """Duties with all but the highest of each stacking group set to zero, USD a unit.

    Of equally high ones the first is due. What chips take off a duty is highest where it is most.
    """
    due = [duty for _, duty in duties]
    for group in dict.fromkeys(name for name, _ in duties if name is not None):
        members = [i for i, (name, _) in enumerate(duties) if name == group]
        highest = np.abs(np.broadcast_arrays(*(due[i] for i in members))).argmax(axis=0)
        for rank, i in enumerate(members):
            due[i] = np.where(highest == rank, due[i], 0.0)
    return due


def stacked(duties: list[tuple[str | None, Float]]) -> Float | float:
    """Sum of duties, taking only the highest of each stacking group."""
    return sum(due_of_each(duties), start=0.0)


def at_least_none(base: Float, duties: list[Float]) -> list[Float]:
    """Duties, of which some are negative, as far as together with a base they are not below zero.

    The negative ones are cut in proportion, so that nobody is paid for importing.
    """
    if not any((duty < 0).any() for duty in duties):
        return duties
    added = base + sum((np.maximum(duty, 0.0) for duty in duties), start=0.0 * base)
    taken = sum((np.minimum(duty, 0.0) for duty in duties), start=0.0 * base)
    kept = np.minimum(1.0, np.maximum(added, 0.0) / np.where(taken < 0, -taken, 1.0))
    return [np.where(duty < 0, duty * kept, duty) for duty in duties]

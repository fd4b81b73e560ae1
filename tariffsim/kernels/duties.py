"""Duties as linear tables, so that one law serves customs and makers thinking ahead."""

from __future__ import annotations

import numpy as np

from tariffsim.typing import Float


def slot_duty_rate(product_rate: Float, markup: float, bare_rate: Float, chip_rate: Float) -> Float:
    """Duty bill caused by a dollar of chips in a slot: the bill with them less the bill without.

    Bare-chip duty on the chip, product duty on the customs value that chip and duty add, and
    component duty on the chip itself (MODEL 4.2, `tau`).
    """
    return np.asarray(bare_rate + product_rate * (1 + markup) * (1 + bare_rate) + chip_rate)


def horizon_weights(hazard: Float, discount_rate: float, years: Float) -> Float:
    """Weights of the duty so many years into a design's life: survival x discounting (MODEL 4.2).

    `hazard` (n,) a month, `years` (m,); returns (m, n) summing to one over the years.
    """
    months = 12 * years[:, None]
    weights = (1 - hazard) ** months * (1 + discount_rate) ** (-months / 12)
    return np.asarray(weights / weights.sum(axis=0))


def stacked(duties: list[tuple[str | None, Float]]) -> Float | float:
    """Sum of duties, taking only the highest of each stacking group."""
    total: Float | float = 0.0
    groups: dict[str, Float] = {}
    for group, duty in duties:
        if group is None:
            total = total + duty
        else:
            groups[group] = np.maximum(groups[group], duty) if group in groups else duty
    for duty in groups.values():
        total = total + duty
    return total

"""How much of a duty is at the border and in the shops, by the age of the duty (MODEL 4.4)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tariffsim.typing import Float


def pass_through(columns: Mapping[str, Float]) -> dict[str, Float]:
    """(T, M) shares of new duty that makers do not absorb, and that is in retail prices; its age.

    `columns` are sums over the products of a market.
    """
    duty = columns["new_duty_value"]
    due = np.where(duty > 0, duty, 1.0)
    return {
        "border_pass_through": np.where(duty > 0, 1 - columns["rebate_value"] / due, 0.0),
        "retail_pass_through": columns["passed_on_value"] / due * (duty > 0),
        "duty_age": duty_age(columns),
    }


def duty_age(columns: Mapping[str, Float]) -> Float:
    """(T, M) mean age of new duty, months: each rise of its rate is as old as the time since."""
    rate = columns["new_duty_value"] / np.maximum(columns["customs_value"], 1e-300)
    age = np.zeros_like(rate)
    for t in range(1, len(rate)):
        kept = np.minimum(rate[t - 1] / np.where(rate[t] > 0, rate[t], 1.0), 1.0)
        age[t] = np.where(rate[t] > 0, kept * (age[t - 1] + 1), 0.0)
    return age

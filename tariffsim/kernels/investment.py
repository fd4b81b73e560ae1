"""What foundries build, close and are paid for (MODEL 4.1).

A *schedule* (rows, H) holds what is due in each of the coming months; its first column is next
month's.
"""

from __future__ import annotations

import numpy as np

from tariffsim.typing import Float, Int

LEAST_DISTANCE = 0.05
"""Least distance of a base margin from the hurdle that growth is measured by."""


def operating_margin(profit: Float, revenue: Float) -> Float:
    """Profit over revenue; -1 without revenue."""
    return np.where(revenue > 0, profit / np.where(revenue > 0, revenue, 1.0), -1.0)


def growth_response(margin: Float, base_margin: Float, hurdle: float) -> Float:
    """Growth decided relative to planned growth, -1 to 2.

    `(margin - hurdle) / (margin_0 - hurdle)`, written as one plus the change of the margin so that
    it is one at the base margin wherever that stands.
    """
    distance = np.maximum(base_margin - hurdle, LEAST_DISTANCE)
    return np.clip(1 + (margin - base_margin) / distance, -1.0, 2.0)


def credit_in_margin(credit: Float, capital_share: float, cost: Float, price: Float) -> Float:
    """Margin (fraction of price) that an investment credit adds: `0.45 z cost / price`."""
    return np.asarray(credit * capital_share * cost / np.where(price > 0, price, 1.0))


def at_month(schedule: Float, amount: Float, months: Int) -> Float:
    """The schedule with an amount a row added so many months from now."""
    ahead = np.arange(1, schedule.shape[1] + 1) == months[:, None]
    return np.asarray(schedule + ahead * amount[:, None])


def evenly(schedule: Float, amount: Float, months: Int) -> Float:
    """The schedule with an amount a row spread evenly over the coming months."""
    ahead = np.arange(1, schedule.shape[1] + 1) <= months[:, None]
    return np.asarray(schedule + ahead * (amount / months)[:, None])


def month_on(schedule: Float) -> tuple[Float, Float]:
    """What comes due, and the schedule from the month after."""
    return schedule[:, 0], np.concatenate([schedule[:, 1:], np.zeros((len(schedule), 1))], axis=1)


def last_year(window: Float, newest: Float) -> Float:
    """(..., 12) figures of the last twelve months when another one has passed."""
    return np.concatenate([window[..., 1:], newest[..., None]], axis=-1)


def plan_gap(gap: Float, before: Float, plan: Float, slowing: float) -> Float:
    """(K,) part of China's plan that is not built.

    `slowing` is the part of this month's planned addition that is left out; a fall of the plan is
    followed in proportion.
    """
    before = np.minimum(before, plan)
    safe = np.where(plan > 0, plan, 1.0)
    return np.asarray(gap * before / safe + slowing * (plan - before) / safe)


def plan_slowing(response: float, base_utilisation: float, utilisation: float) -> float:
    """Part of a planned addition left out: `response clip((ubar - u) / 0.2, 0, 1)`."""
    return response * float(np.clip((base_utilisation - utilisation) / 0.2, 0.0, 1.0))


def wafers(capacity: Float, chips_per_kwpm: Float) -> Float:
    """(rows,) thousand wafers a month of chips a month by class; in wafers classes add up."""
    return np.asarray((capacity / chips_per_kwpm).sum(axis=-1))


def capacity_after(capacity: Float, growth: Float, months: Float, gap: Float) -> Float:
    """(F, K) chips a month: planned capacity, months of growth ahead of it, less what is not built.

    `growth` is a rate a year, `gap` the share of the plan that is not built.
    """
    return np.asarray(capacity * (1 + growth) ** (months / 12) * (1 - gap))


def granted_share(arrived: Float, standing: Float) -> Float:
    """(R,) capacity built with grants relative to what stands without; zero where nothing does."""
    return np.asarray(arrived / np.where(standing > 0, standing, np.inf))


def with_grants(capacity: Float, granted: Float) -> Float:
    """(F, K) capacity with that built with grants, chips a month."""
    return np.asarray(capacity * (1 + granted))


def growth_above_plan(decided: Float) -> Float:
    """(R,) months of planned growth added to the plan, by growth relative to it (1 as planned)."""
    return np.asarray(np.maximum(decided, 0.0) - 1)


def capacity_added(standing: Float, growth: Float, decided: Float) -> Float:
    """(R,) thousand wafers a month that a month's decided growth adds."""
    grown = standing * (1 + growth) ** (np.maximum(decided, 0.0) / 12)
    return np.asarray(np.maximum(grown - standing, 0.0))


def credit_paid(credit: Float, capital_cost: Float, added: Float, granted: Float) -> Float:
    """(R,) USD of investment credits on all capacity that is decided."""
    return np.asarray(credit * capital_cost * (added + granted))

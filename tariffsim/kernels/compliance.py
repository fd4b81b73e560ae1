"""What importers know, hide and pay for it (MODEL 4.5)."""

from __future__ import annotations

import numpy as np

from tariffsim.typing import Bool, Float


def detection_probability(audit_rate: Float, detection: Float, lookback_months: int) -> Float:
    """Probability that duty evaded in a month is found by one of the audits that look back on it.

    `1 - (1 - a d / 12)^n` for audits `a` a year that find a part `d`, over `n` months.
    """
    monthly = np.minimum(audit_rate / 12, 1.0) * detection
    return np.asarray(1 - (1 - monthly) ** lookback_months)


def evades(duty: Float, value: Float | float, evasion_cost: Float, exposure: Float) -> Bool:
    """Whether hiding pays: `duty (1 - P (1 + m)) > honesty cost`.

    `exposure` is `P (1 + m)`: back duty and penalty expected for a dollar evaded; `honesty` is the
    cost of hiding a dollar of `value`, which is not money.
    """
    return np.asarray(duty * (1 - exposure) > evasion_cost * value)


def duty_burden(duty: Float, value: Float | float, evasion_cost: Float, exposure: Float) -> Float:
    """Cost of a duty to an importer that may hide it: `min(duty, P (1 + m) duty + honesty)`."""
    return np.asarray(np.minimum(duty, exposure * duty + evasion_cost * value))


def evasion_threshold(evasion_cost: Float, exposure: Float) -> Float:
    """Rate of a duty above which hiding costs less than paying; infinite if it never does."""
    kept = np.maximum(1 - exposure, 1e-300)
    return np.where(exposure < 1, evasion_cost / kept, np.inf)


def tracing_cost_rate(
    relative_size: Float, turnover: float, cost: float, value_share: float
) -> Float:
    """Cost of tracing as a fraction of customs value, for a firm of that size over the mean.

    `cost sqrt(T / turnover) / T + value_share` at `T = relative_size x turnover`, the firm's
    turnover: an agent stands for as many firms as its own turnover makes.
    """
    size = np.where(relative_size > 0, relative_size, 1.0)
    return np.asarray(cost / (turnover * np.sqrt(size)) + value_share)


def tracing_pays(due_unknown: Float, due_known: Float, cost: Float) -> Bool:
    """Whether the duty that knowing the origin avoids exceeds what it costs, USD."""
    return np.asarray(due_unknown - due_known > cost)

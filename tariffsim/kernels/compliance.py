"""Evasion, audits and tracing (MODEL 4.5)."""

from __future__ import annotations

import numpy as np

from tariffsim.typing import Bool, Float

NEVER_EVADES = 1e300
"""Evasion cost of importers who never evade; finite, so that it is nothing on no value."""


def detection_probability(audit_rate: Float, detection: Float, lookback_months: int) -> Float:
    """Probability that duty evaded in a month is found by one of the audits that look back on it.

    `1 - (1 - a d / 12)^n` for audits `a` a year that find a part `d`, over `n` months.
    """
    monthly = np.minimum(audit_rate / 12, 1.0) * detection
    return np.asarray(1 - (1 - monthly) ** lookback_months)


def evades(duty: Float, value: Float | float, evasion_cost: Float, exposure: Float) -> Bool:
    """Whether evasion pays: `duty (1 - P (1 + m)) > h value`.

    `exposure` is `P (1 + m)`: back duty and penalty expected for a dollar evaded; `h`, the
    evasion cost, is the non-monetary cost of evasion for a dollar of `value`.
    """
    return np.asarray(duty * (1 - exposure) > evasion_cost * value)


def duty_burden(duty: Float, value: Float | float, evasion_cost: Float, exposure: Float) -> Float:
    """Cost of a duty to an importer that may evade it: `min(duty, P (1 + m) duty + h value)`."""
    return np.asarray(np.minimum(duty, exposure * duty + evasion_cost * value))


def origin_burden(rate: Float, gain: Float, burden_of_gain: Float) -> Float:
    """Duty on a dollar of product where a false country of assembly would save the `gain`."""
    return np.asarray(rate - gain + burden_of_gain)


def evasion_threshold(evasion_cost: Float, exposure: Float) -> Float:
    """Rate of a duty above which evasion costs less than paying; infinite if it never does."""
    kept = np.maximum(1 - exposure, 1e-300)
    may = (exposure < 1) & (evasion_cost < NEVER_EVADES)
    return np.where(may, evasion_cost / kept, np.inf)


def unknown_chance(share: float, slope: float, place: Float) -> Float:
    """Chance of an importer not to know the origin of its chips: more often the smaller it is.

    `share (1 + slope (2 place - 1))` with its place among the importers of its market from the
    largest to the smallest, in (0, 1) (MODEL 4.5). The slope is at most that at which the smallest
    never know, so that the mean over importers is the share.
    """
    most = (1 - share) / share if share > 0 else slope
    return np.asarray(share * (1 + min(slope, most) * (2 * place - 1)))


def tracing_cost_rate(
    relative_size: Float, turnover: float, cost: float, value_share: float
) -> Float:
    """Cost of tracing as a fraction of customs value, for a firm of that size over the mean.

    `cost sqrt(T / turnover) / T + value_share` at `T = relative_size x turnover`, the firm's
    turnover: an agent represents as many firms as its own turnover makes.
    """
    size = np.where(relative_size > 0, relative_size, 1.0)
    return np.asarray(cost / (turnover * np.sqrt(size)) + value_share)


def tracing_pays(due_unknown: Float, due_known: Float, cost: Float) -> Bool:
    """Whether the duty that knowing the origin avoids exceeds what it costs, USD."""
    return np.asarray(due_unknown - due_known > cost)


def duty_evaded(due: Float, not_declared: Float) -> tuple[Float, Float]:
    """What remains of a duty due, and what is evaded of it, USD; nothing where none is due."""
    evaded = np.where(due > 0, not_declared, 0.0)
    return np.asarray(due - evaded), evaded


def refundable(duty: Float) -> Float:
    """Duty that may be paid back; a law that takes duty of the base year back has taken none."""
    return np.maximum(duty, 0.0)


def refund(share: float, so_far: float, paid: Float) -> Float:
    """What is paid back of duty paid: up to a share of it, less what was paid back before."""
    return np.asarray(max(share - so_far, 0.0) * paid)


def audit_chance(audits: Float) -> Float:
    """Probability of an audit in a month, of so many a year."""
    return np.asarray(audits / 12)


def evaded_lately(evaded: Float, newest: Float, month: int) -> Float:
    """(J, months) duty evaded in the months that audits look back on, the newest in its place."""
    lately = evaded.copy()
    lately[:, month % evaded.shape[1]] = newest
    return lately

"""Supply disruption: losses and their timing, in one market and one run (MODEL 4.6)."""

from __future__ import annotations

import numpy as np

from tariffsim.record.history import History
from tariffsim.typing import Float

DAYS_A_MONTH = 365 / 12
LEAST_STOP = 1e-6
"""Part of a month that counts as a stop: less is rounding."""
RECOVERED = 0.01
"""Output is back when so small a part of sales is lost."""


def lost_share(history: History, market: int) -> Float:
    """(T,) share of sales lost for lack of a chip."""
    lost = history.cells["lost_value"][:, market].sum(axis=1)
    sales = history.cells["retail_value"][:, market].sum(axis=1) + lost
    return np.asarray(lost / np.where(sales > 0, sales, 1.0))


def cutoff_loss(history: History, market: int) -> float:
    """Retail value of products not delivered for lack of a chip, USD, sum over the run."""
    return float(history.cells["lost_value"][:, market].sum())


def stopped_share(history: History, market: int) -> float:
    """Part of all line-months of the run in which lines stand still."""
    stopped, lines = (history.cells[name][:, market].sum() for name in ("stopped_lines", "lines"))
    return float(stopped / max(lines, 1.0))


def days_to_stop(history: History, baseline: History, market: int) -> float:
    """Days from the first cut-off to the first line that stops; the rest of the run if none does.

    Within a month a line works for the part of it that it has chips for. Stops that the baseline
    has as well do not count. Without a cut-off it is zero.
    """
    months = len(history.months)
    if not history.cut_from < months:
        return 0.0
    longest, usual = (h.cells["longest_stop"][:, market].max(axis=1) for h in (history, baseline))
    stops = np.flatnonzero(longest > usual + LEAST_STOP)
    stops = stops[stops >= int(history.cut_from)]
    moment = stops[0] + 1 - longest[stops[0]] if len(stops) else months
    return max(float(moment - history.cut_from), 0.0) * DAYS_A_MONTH


def recovery_months(history: History, baseline: History, market: int) -> float:
    """Months from the first cut-off until lost sales stay within 1 % of those of the baseline.

    Zero if they never leave it, or without a cut-off; the rest of the run if they stay out.
    """
    if not history.cut_from < len(history.months):
        return 0.0
    excess = lost_share(history, market) - lost_share(baseline, market)
    out = np.flatnonzero(excess > RECOVERED)
    out = out[out >= int(history.cut_from)]
    return float(out[-1] + 1 - history.cut_from) if len(out) else 0.0

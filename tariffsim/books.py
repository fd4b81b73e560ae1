"""Identities that must hold in every month of every run (MODEL 4.7, checks E5)."""

from __future__ import annotations

import numpy as np

from tariffsim.economy import Economy
from tariffsim.errors import ConservationError
from tariffsim.ledger import PAYMENTS, sectors
from tariffsim.typing import Float, format_month

TOLERANCE = 1e-9
"""Relative to the largest payment of the month: sums over a million flows round to less."""


def check_books(economy: Economy) -> None:
    """Check this month's identities.

    Raises:
        ConservationError: naming month, identity and residual.
    """
    residuals = _residuals(economy)
    wrong = np.flatnonzero(~(np.abs(residuals) <= TOLERANCE))
    if len(wrong):
        identity = _identities(economy)[wrong[0]]
        raise ConservationError(format_month(economy.date), identity, float(residuals[wrong[0]]))


def _identities(economy: Economy) -> list[str]:
    """Names of the identities, in the order of the residuals."""
    codes = economy.figures.codes
    return [
        *(f"payment '{payment}'" for payment in PAYMENTS),
        *(f"sector '{sector}'" for sector in sectors(codes.markets)),
        "duty by instrument",
        *(f"chips made and sold of class {name}" for name in codes.classes),
        *(f"chips sold for devices, used and stocked of class {name}" for name in codes.classes),
    ]


def _residuals(economy: Economy) -> Float:
    """What identities miss, relative to the largest payment of the month, or to the chips."""
    ledger, foundries, makers = economy.ledger, economy.foundries, economy.makers
    largest = max(float(np.abs(ledger).max()), 1e-300)
    made, for_lines = foundries.output.sum(axis=0), foundries.line_sales.sum(axis=0)
    sold, used = foundries.sales.sum(axis=0), makers.units @ makers.chips
    stocked = (makers.stock - makers.opening_stock).sum(axis=0)
    return np.concatenate(
        [
            ledger.sum(axis=1) / largest,
            ledger.sum(axis=0) / largest,
            [_unbooked_duty(economy) / largest],
            (made - sold) / np.maximum(made, 1.0),
            (for_lines - used - stocked) / np.maximum(np.maximum(for_lines, used), 1.0),
        ]
    )


def _unbooked_duty(economy: Economy) -> float:
    """What governments receive less duty of the base year and by instrument, USD."""
    base = float(economy.flows.base_duty @ economy.flows.units)
    base_bare = float((economy.tariffs.base_bare * economy.chips_entered).sum())
    rows = [PAYMENTS.index(name) for name in ("duties on products", "duties on bare chips")]
    received = float(np.maximum(economy.ledger[rows], 0.0).sum())
    return received - base - base_bare - float(economy.policy_duty.sum())

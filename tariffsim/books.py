"""Identities that must hold in every month of every run (MODEL 4.7, checks E5)."""

from __future__ import annotations

import numpy as np

from tariffsim.economy import Economy
from tariffsim.errors import ConservationError
from tariffsim.kernels.sums import over_slots
from tariffsim.ledger import PAYMENTS
from tariffsim.typing import Float, format_month

TOLERANCE = 1e-9
"""Relative to the largest payment of the month: sums over a million flows round to less."""


def check_books(economy: Economy) -> None:
    """Check this month's identities.

    Raises:
        ConservationError: naming month, identity and residual.
    """
    month = format_month(economy.date)
    largest = float(np.abs(economy.ledger).max())
    for payment, residual in zip(PAYMENTS, economy.ledger.sum(axis=1), strict=True):
        _check(month, f"payment '{payment}'", float(residual), largest)
    for sector, residual in enumerate(economy.ledger.sum(axis=0)):
        _check(month, f"sector {sector}", float(residual), largest)
    _check_chips(economy, month)
    _check_duty(economy, month, largest)


def _check_chips(economy: Economy, month: str) -> None:
    """Chips made equal chips sold, and chips sold for devices equal chips in devices."""
    foundries, makers = economy.foundries, economy.makers
    made, sold = foundries.output.sum(axis=0), foundries.sales.sum(axis=0)
    used = (makers.chips * makers.units[:, None]).sum(axis=0)
    for_lines = foundries.line_sales.sum(axis=0)
    for identity, left, right in (
        ("chips made and sold", made, sold),
        ("chips sold for devices and used", for_lines, used),
    ):
        _check(month, identity, _worst(left, right), 1.0)


def _check_duty(economy: Economy, month: str, largest: float) -> None:
    """Duty by instrument and of the base year adds up to what governments receive."""
    flows, makers = economy.flows, economy.makers
    base = float((flows.base_duty * flows.units).sum())
    classes = np.arange(makers.supplier.shape[1])
    region = economy.foundries.region[makers.supplier]
    rate = economy.tariffs.base_bare[makers.origin[:, None], classes, region]
    base_bare = float((over_slots(makers.chip_value * rate) * makers.units).sum())
    rows = [PAYMENTS.index(name) for name in ("duties on products", "duties on bare chips")]
    received = float(np.maximum(economy.ledger[rows], 0.0).sum())
    booked = base + base_bare + float(economy.policy_duty.sum())
    _check(month, "duty by instrument", received - booked, largest)


def _worst(left: Float, right: Float) -> float:
    return float((np.abs(left - right) / np.maximum(np.abs(left), 1.0)).max())


def _check(month: str, identity: str, residual: float, scale: float) -> None:
    if not abs(residual) <= TOLERANCE * scale:
        raise ConservationError(month, identity, residual)

"""The transaction-flow matrix, and identities that must hold in every month (MODEL 4.7, E5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.errors import ConservationError
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, format_month

PAYMENTS = (
    "retail sales",
    "retail distribution",
    "ex-works sales",
    "duty rebates",
    "freight",
    "carrying of stocks",
    "duties on products",
    "duties on unmounted chips",
    "back duties",
    "penalties",
    "duty refunds",
    "compliance",
    "chips for devices",
    "counter-subsidies",
    "chips for other buyers",
    "overflow between foundries",
    "other inputs",
    "switching of suppliers",
    "relocation",
    "foundry costs",
    "subsidies",
    "capacity grants",
    "investment credits",
    "net income",
)
"""Rows of the transaction-flow matrix; the last one closes every sector."""

BY_MARKET = ("consumers", "importers", "device makers", "foundries", "government")
WORLD = ("other suppliers", "other chip buyers", "rest")


def sectors(markets: tuple[str, ...]) -> list[str]:
    """Columns of the transaction-flow matrix."""
    return [f"{sector} {market}" for sector in BY_MARKET for market in markets] + list(WORLD)


@dataclass
class Ledger:
    """The matrix being filled; what a sector pays is negative."""

    values: Float
    n_markets: int

    def book(self, payment: str, payer: str, paid: Float, receiver: str, received: Float) -> None:
        """Book one kind of payment; amounts are by market, or single for the world's sectors."""
        row = PAYMENTS.index(payment)
        self.values[row, self._columns(payer)] -= paid
        self.values[row, self._columns(receiver)] += received

    def _columns(self, sector: str) -> slice:
        if sector in BY_MARKET:
            first = BY_MARKET.index(sector) * self.n_markets
            return slice(first, first + self.n_markets)
        first = len(BY_MARKET) * self.n_markets + WORLD.index(sector)
        return slice(first, first + 1)

    def close(self) -> None:
        """What each sector has left over goes to the rest of the economy, or comes from it."""
        left = self.values.sum(axis=0)
        self.values[-1] = -left
        self.values[-1, self._columns("rest")] = left.sum() - left[self._columns("rest")]


TOLERANCE = 1e-9
"""Relative to the largest payment of the month: sums over a million flows round to less."""


def new_ledger(n_markets: int) -> Ledger:
    """An empty matrix."""
    columns = len(BY_MARKET) * n_markets + len(WORLD)
    return Ledger(np.zeros((len(PAYMENTS), columns)), n_markets)


def check_accounting_identities(economy: Economy) -> None:
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
    codes = economy.constants.codes
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
    base_bare = float((economy.tariff_schedule.base_bare * economy.chips_entered).sum())
    rows = [PAYMENTS.index(name) for name in ("duties on products", "duties on unmounted chips")]
    received = float(np.maximum(economy.ledger[rows], 0.0).sum())
    return received - base - base_bare - float(economy.policy_duty.sum())

"""The transaction-flow matrix, and identities that must hold in every month (MODEL 4.7, E5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tariffsim.errors import ConservationError, NotFiniteError
from tariffsim.kernels.sums import by_class
from tariffsim.state.economy import Economy
from tariffsim.typing import Float, format_month

PAYMENTS = (
    "retail sales",
    "retail distribution",
    "ex-works sales",
    "exchange",
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
    "standby of second sources",
    "switching of suppliers",
    "versions of products",
    "relocation",
    "foundry costs",
    "subsidies",
    "capacity grants",
    "investment credits",
    "net income",
)
"""Rows of the transaction-flow matrix; the last one is what is left of all others."""

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

    def close(self, incomes: Mapping[str, Float]) -> None:
        """What sectors earn on balance goes to the rest of the economy, or comes from it.

        `incomes` are not read off the payments: a sector's column adds up to zero only if its
        payments are what its agents bought, made and sold (see `incomes.net_incomes`).
        """
        for sector, income in incomes.items():
            self.book("net income", sector, income, "rest", income.sum(keepdims=True))


TOLERANCE = 1e-9
"""Relative to the largest payment of the month: sums over a million flows round to less.

Chips are compared relative to all chips of their class, made or in stock.
"""


def new_ledger(n_markets: int) -> Ledger:
    """An empty matrix."""
    columns = len(BY_MARKET) * n_markets + len(WORLD)
    return Ledger(np.zeros((len(PAYMENTS), columns)), n_markets)


def check_accounting_identities(economy: Economy) -> None:
    """Check this month's identities.

    Raises:
        ConservationError: naming month, identity and residual.
        NotFiniteError: a payment or a number of chips became NaN or infinite.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        residuals = _residuals(economy)
    wrong = np.flatnonzero(~(np.abs(residuals) <= TOLERANCE))
    if len(wrong):
        identity, month = _identities(economy)[wrong[0]], format_month(economy.date)
        if not np.isfinite(residuals[wrong[0]]):
            raise NotFiniteError(f"{identity} became NaN or infinite in {month}")
        raise ConservationError(month, identity, float(residuals[wrong[0]]))


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
    opening, left, used = (
        by_class(of_lines, makers.slot_class)
        for of_lines in (makers.opening_stock.sum(axis=0), makers.stock.sum(axis=0),
                         makers.units @ makers.chips)
    )  # fmt: skip
    held = opening + foundries.line_sales.sum(axis=0)
    return np.concatenate(
        [
            ledger.sum(axis=1) / largest,
            ledger.sum(axis=0) / largest,
            [_unbooked_duty(economy) / largest],
            _missing(foundries.output.sum(axis=0), foundries.sales.sum(axis=0)),
            _missing(held, used + left),
        ]
    )


def _missing(here: Float, there: Float) -> Float:
    """What two sums of the same chips differ by, relative to the larger.

    Both are sums of what is never negative, so that they round in proportion to themselves; a
    difference of stocks would round in proportion to the stocks, however few chips came or went.
    """
    return np.asarray((here - there) / np.maximum(np.maximum(here, there), 1e-300))


def _unbooked_duty(economy: Economy) -> float:
    """What governments receive less duty of the base year and by instrument, USD."""
    base = float(economy.flows.base_duty @ economy.flows.units)
    base_bare = float((economy.tariff_schedule.base_bare * economy.chips_entered).sum())
    rows = [PAYMENTS.index(name) for name in ("duties on products", "duties on unmounted chips")]
    received = float(np.maximum(economy.ledger[rows], 0.0).sum())
    return received - base - base_bare - float(economy.policy_duty.sum())

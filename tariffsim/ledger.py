"""The transaction-flow matrix: kinds of payment by sectors (MODEL 4.7)."""

from __future__ import annotations

from dataclasses import dataclass

from tariffsim.typing import Float

PAYMENTS = (
    "retail sales",
    "retail distribution",
    "ex-works sales",
    "duty rebates",
    "freight",
    "carrying of stocks",
    "duties on products",
    "duties on bare chips",
    "back duties",
    "penalties",
    "compliance",
    "chips for devices",
    "price offsets",
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

"""What is kept of a run: arrays by month."""

from __future__ import annotations

from dataclasses import dataclass

from tariffsim.typing import Float, Int


@dataclass(frozen=True)
class History:
    """One run by month. Letters as in `economy`; T months."""

    seed: int
    months: list[str]
    cells: dict[str, Float]
    """(T, M, D) by column: sums over flows, sums over importers, and what the cell itself has."""
    origin_value: Float
    """(T, M, O) USD a month ex works."""
    flows: Float
    """(years, R, O, M) chips a month from fab region over country of assembly to market."""
    sourcing: Float
    """(T, M, D, K, R) chips a month in what the market buys."""
    base_sourcing: Float
    """(T, M, D, K, R) the same if every line sold what it did in the base year."""
    chip_price: Float
    """(T, K, R) mean price of a chip, invoiced, USD."""
    slot_price: Float
    """(T, K, R) mean price of a chip that choices count, with scarcity ahead, USD."""
    slot_duty: Float
    """(T, M, D, K, R) duty that a chip is expected to cause at a slot, USD."""
    foundries: dict[str, Float]
    """(T, F, K) by column."""
    policy_rate: Float
    """(T, laws)"""
    policy_duty: Float
    """(T, laws) USD a month."""
    ledger: Float
    """(T, payments, sectors) USD a month."""
    stock_value: Float
    """(T, M) chips of home makers and products of importers in stock, at base prices, USD."""
    foundry_region: Int
    """(F,) region of each foundry."""
    foundry_names: list[str]
    chips_per_kwpm: Float
    """(K,) chips a month from a thousand 300 mm wafers a month."""
    policy_names: list[str]
    flow_months: list[str]
    """Months of `flows`: the first, each December, the last."""
    cut_from: float
    """Months from the start to the first day of the first cut-off or ban; infinite without one."""

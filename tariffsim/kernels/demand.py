"""What consumers buy: CES between the lines of a device in a market, isoelastic in its price."""

from __future__ import annotations

import numpy as np

from tariffsim.kernels.sums import sum_by
from tariffsim.typing import Float, Int


def ces_price_index(
    price_ratio_power: Float, base_share: Float, cell: Int, n_cells: int, elasticity: Float
) -> Float:
    """Price index of each (market, device) cell, base year 1 (MODEL 4.4).

    `price_ratio_power` is `(p / p_0)^(1 - eps)` by line; `elasticity` is `eps` by cell. An
    elasticity of one is the Cobb-Douglas limit, excluded at the door.
    """
    total = sum_by(cell, base_share * price_ratio_power, n_cells)
    return np.asarray(np.where(total > 0, total, 1.0) ** (1 / (1 - elasticity)))


def units_demanded(
    base_units: Float, price_ratio: Float, price_ratio_power: Float, cell_demand: Float
) -> Float:
    """Units a month of each line: `q_0 (p/p_0)^-eps P^(eps - eta) g`, the last two by cell."""
    return np.asarray(base_units * (price_ratio_power / price_ratio) * cell_demand)


def cell_demand(index: Float, elasticity: Float, demand_elasticity: Float, growth: Float) -> Float:
    """What scales every line of a cell: `P^(eps - eta) g`."""
    return np.asarray(index ** (elasticity - demand_elasticity) * growth)


def ai_content(adoption: Float, base_adoption: Float, uplift: float) -> Float:
    """Chips in a unit relative to the base year: `(1 + u a) / (1 + u a_0)` (MODEL 4.4).

    `adoption` is the share of AI-enabled units, `u` their additional chips.
    """
    return np.asarray((1 + uplift * adoption) / (1 + uplift * base_adoption))


def adjusted_orders(orders: Float, desired: Float, speed: float) -> Float:
    """Orders closing on desired orders by a part of the distance a month."""
    return np.asarray(orders + speed * (desired - orders))


def chip_content(base: Float, growth: float, years: float, shift: Float) -> Float:
    """(N, K) chips in a unit: base year x growth a year x shift."""
    return np.asarray(base * (1 + growth) ** years * shift)


def ces_power(ratio: Float, elasticity: Float) -> Float:
    """`(p / p_0)^(1 - eps)` by line."""
    return np.asarray(ratio ** (1 - elasticity))


def demand_growth(growth: Float, years: float, factor: Float) -> Float:
    """Demand relative to the start: growth at a rate a year, and exogenous shifts."""
    return np.asarray((1 + growth) ** years * factor)


def other_growth(market_growth: Float, content_growth: float, years: float, chips: Float) -> Float:
    """(K,) growth of other buyers' demand: that of the chips (M, K) in devices at base prices."""
    devices = (1 + market_growth) ** years @ chips
    return np.asarray(devices / chips.sum(axis=0) * (1 + content_growth) ** years)

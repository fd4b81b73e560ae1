"""The duty from which a line would leave a region, given who imports it (MODEL 4.2, 4.5)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from tariffsim.economy import Economy
from tariffsim.kernels.compliance import hides_from
from tariffsim.tariffs import Tariffs

if TYPE_CHECKING:
    import pandas as pd


def cost_to_leave(economy: Economy, table: pd.DataFrame, region: str) -> float:
    """Rise of the cost of a region's chips, over their price, at which half the openings leave.

    With odds `W` of staying in the region, cost there has to rise by `W^(1/sigma)`: a logit with
    `cost^-sigma`. Per dollar of price, as the duty is on the price and not on the duties.
    """
    probability, is_home = table["probability"], table["region"] == region
    stays, leaves = float(probability[is_home].sum()), float(probability[~is_home].sum())
    sigma = economy.scenario.sourcing.elasticity
    if leaves == 0.0 or sigma == 0.0:
        return math.inf
    at = table[table["in_place"]].iloc[0]
    of_price = (at["price"] + at["expected_duty"]) / at["price"]
    return float(of_price * ((stays / leaves) ** (1 / sigma) - 1))


def importers_of(economy: Economy, maker: int, k: int) -> pd.DataFrame:
    """Who would bear a further component duty: a row a market of the line and future.

    Columns: market; weight, the part of the mean over markets and futures, zero where the importer
    cannot tell and so would owe nothing; honesty, the cost of hiding a dollar of chips; exposure,
    back duty and penalty expected for a dollar hidden.
    """
    import pandas as pd

    makers, kind, claims = economy.makers, kind_of_choice(economy, maker, k), economy.claims
    rows = []
    for future in economy.law.expected.of_kind(kind):
        for market in np.flatnonzero(makers.weights[maker]):
            weight = future.weight[kind, makers.device[maker]] * makers.weights[maker, market]
            honesty, exposure = math.inf, 0.0
            if claims is not None:
                importer = makers.importer[maker, market]
                weight = weight * economy.importers.knows[importer]
                honesty = economy.importers.honesty[importer]
                exposure = claims.enforcement(future.regime).exposure[market]
            rows.append((int(market), float(weight), float(honesty), float(exposure)))
    return pd.DataFrame(rows, columns=["market", "weight", "honesty", "exposure"])


def rate_of_cost(rise: float, importers: pd.DataFrame) -> float:
    """Rate of a duty that costs importers a part of the value, on average; infinite if none does.

    Each bears `min(r, exposure r + honesty)`, so that the mean is straight between the rates from
    which they hide, and hardly rises beyond the last.
    """
    if rise <= 0 or math.isinf(rise):
        return rise
    weight, honesty, exposure = (importers[c].to_numpy() for c in ("weight", "honesty", "exposure"))
    from_rate = hides_from(honesty, exposure)
    bends = np.unique(from_rate[np.isfinite(from_rate)])
    low, cost = 0.0, 0.0
    for high in (*bends, math.inf):
        slope = float((weight * np.where(from_rate > low, 1.0, exposure)).sum())
        if slope > 0 and cost + slope * (high - low) >= rise:
            return float(low + (rise - cost) / slope)
        low, cost = float(high), cost + slope * (high - low) if slope else cost
    return math.inf


def kind_of_choice(economy: Economy, maker: int, k: int) -> int:
    """Whose horizon a slot has: that of a drop-in part or that of a design."""
    return Tariffs.DROP_IN if economy.makers.is_drop_in[maker, k] else Tariffs.DESIGN

"""Three models of others, each in a few lines, written from their papers alone.

Hallren and Riker (2017), An introduction to partial equilibrium modeling of trade policy, USITC
Working Paper 2017-07-B: CES between sources, isoelastic demand and supplies.
Dekle, Eaton and Kortum (2008), Global rebalancing with gravity: Armington by exact-hat algebra.
Hallegatte (2014), Modeling the role of inventories and heterogeneity in the assessment of the
economic costs of natural disasters: the adaptive regional input-output model (ARIO).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import root

from tariffsim.typing import Float

RESIDUAL = 1e-12
"""Excess demand, as a part of incomes, at a solution: some thousand roundings. Whether a search
calls its last step a success at that depth depends on the processor."""


@dataclass(frozen=True)
class Hats:
    """Ratios to the base."""

    producer_price: Float
    units: Float
    index: float


def ces_partial_equilibrium(
    shares: Float, duty: Float, substitution: float, demand: float, supply: float
) -> Hats:
    """Duties (O,) on sources with base shares (O,) whose supplies have one elasticity.

    Solves `p^supply = (p (1 + t))^-sigma P^(sigma - eta)` for the producer prices of all sources.
    """

    def units(log_price: Float) -> tuple[Float, float]:
        consumer = np.exp(log_price) * (1 + duty)
        index = (shares @ consumer ** (1 - substitution)) ** (1 / (1 - substitution))
        return consumer**-substitution * index ** (substitution - demand), float(index)

    def excess(log_price: Float) -> Float:
        return np.asarray(supply * log_price - np.log(units(log_price)[0]))

    found = root(excess, np.zeros(len(shares)), tol=1e-13)
    assert np.abs(excess(found.x)).max() < RESIDUAL, found.message
    return Hats(np.exp(found.x), *units(found.x))


@dataclass(frozen=True)
class World:
    """Countries that trade one good that is taxed and one that is not; all (O, ...) by origin."""

    good: Float
    """(O, M) base expenditure of markets on the taxed good by origin."""
    rest: Float
    """(O, M) the same on everything else, without duties."""


def armington(
    world: World, duty: Float, substitution: float, rest: float = 4.0
) -> tuple[Float, Float]:
    """Wages (O,), and units (O, M) of the good, relative to the base, after duties (O, M).

    One factor a country, Cobb-Douglas between the goods, CES between origins, duties returned to
    consumers, trade deficits fixed in money; the sum of incomes is the numeraire.
    """
    goods, elasticities = (world.good, world.rest), (substitution, rest)
    income = sum(good.sum(axis=1) for good in goods)
    spending = sum(good.sum(axis=0) for good in goods)
    weights = [good.sum(axis=0) / spending for good in goods]
    costs = 1 + duty, np.ones_like(duty)

    def outcome(log_wage: Float) -> tuple[list[Float], list[Float]]:
        wage = np.exp(log_wage)
        prices = [wage[:, None] * cost for cost in costs]
        shares = []
        for good, price, sigma in zip(goods, prices, elasticities, strict=True):
            power = good / good.sum(axis=0) * price ** (1 - sigma)
            shares.append(power / power.sum(axis=0))
        net = spending - income + wage * income
        to_treasury = sum(
            w * (s * (1 - 1 / c)).sum(axis=0)
            for w, s, c in zip(weights, shares, costs, strict=True)
        )
        total = net / (1 - to_treasury)  # revenue is spent as well
        return [s * w * total for s, w in zip(shares, weights, strict=True)], prices

    def excess(log_wage: Float) -> Float:
        values, _ = outcome(log_wage)
        earned = sum((v / c).sum(axis=1) for v, c in zip(values, costs, strict=True))
        gap = earned / income - np.exp(log_wage)
        gap[-1] = np.exp(log_wage) @ income / income.sum() - 1  # Walras: one market is left out
        return np.asarray(gap)

    found = root(excess, np.zeros(len(income)), tol=1e-13)
    assert np.abs(excess(found.x)).max() < RESIDUAL, found.message
    values, prices = outcome(found.x)
    base = np.where(goods[0] > 0, goods[0], 1.0)
    return np.exp(found.x), np.where(goods[0] > 0, values[0] / prices[0] / base, 1.0)


def ario_cut_off(
    share_cut: float, stock: float, months: int, threshold: float, steps: int = 1
) -> Float:
    """(months,) production of a sector relative to normal while part of an input does not come.

    The input is one pool of stocks, `stock` months of use at the start. A step's production falls
    in proportion once stocks are below `threshold` of what they should be; orders refill them
    at once, as far as the suppliers that are left can deliver, which is what they did before.
    """
    held, made = stock, np.zeros(months * steps)
    for step in range(len(made)):
        arrives = (1 - share_cut) / steps
        here = held + arrives
        limit = min(1.0, here / (threshold * stock)) if threshold * stock > 0 else 1.0
        made[step] = min(limit, here * steps)
        held = here - made[step] / steps
    return np.asarray(made.reshape(months, steps).mean(axis=1))

"""Where products are assembled: a race of places, costs of moving, second-best ones (MODEL 4.3)."""

from __future__ import annotations

import numpy as np

from tariffsim.typing import Bool, Float, Int


def landed_factor(landed: Float, base_landed: Float, elasticity: float) -> Float:
    """`r = ((v + T) / (v_0 + T_0))^eps`: by how much a place has lost since the base year."""
    return np.asarray((landed / base_landed) ** elasticity)


def moving_factor(cost: float, elasticity: float) -> float:
    """`(1 + S)^eps`: by how much a place must win for a cost of moving, of a year's value."""
    return float((1 + cost) ** elasticity)


def shifts_to(
    race: Float, factor: Float, is_open: Bool, here: Int, hurdle: float
) -> tuple[Int, Bool]:
    """(rows,) best other plant of the maker, and whether orders shift there.

    `race` and `factor` (rows, O) are race times `e` and landed factors `r`, `is_open` whether the
    maker has a plant; the least `e r` wins, if it beats the country (rows,) in place by the hurdle.
    """
    score = race * factor
    rows = np.arange(len(here))
    others = np.where(is_open, score, np.inf)
    others[rows, here] = np.inf
    best = others.argmin(axis=1)
    return best, others[rows, best] * hurdle < score[rows, here]


def builds_in(
    race: Float, factor: Float, is_open: Bool, here: Int, hurdle: float, building: float
) -> tuple[Int, Bool]:
    """(rows,) best country without a plant, and whether one is built there.

    It must beat, by the factor `building`, both the country in place and the best other plant,
    which costs the `hurdle`.
    """
    score = race * factor
    rows = np.arange(len(here))
    new = np.where(is_open, np.inf, score)
    best = new.argmin(axis=1)
    other = np.where(is_open, score, np.inf)
    other[rows, here] = np.inf
    to_beat = np.minimum(score[rows, here], hurdle * other.min(axis=1))
    return best, new[rows, best] * building < to_beat


def cost_of_place(factor: Float, elasticity: float) -> Float:
    """`r^(1/eps) - 1`: what a place costs more than in the base year, as a fraction."""
    return np.asarray(factor ** (1 / elasticity) - 1)


def moving_payment(cost: Float, customs_value: Float, units: Float) -> Float:
    """(L,) USD for shifts and plants: a fraction of a year's customs value, at the month's pace."""
    return np.asarray(cost * 12 * customs_value * units)


def second_best_place(
    landed: Float, race: Float, home_race: Float, base_landed: Float, home_base: Float,
    elasticity: float,
) -> Float:  # fmt: skip
    """USD a unit that a flow gives up away from its base country: `(v + T)(b - 1)` (MODEL 4.7).

    `b = (e / e_home)^(1/eps) (v_0 + T_0)_home / (v_0 + T_0)`.
    """
    worth = (race / home_race) ** (1 / elasticity) * (home_base / base_landed)
    return np.asarray(landed * (worth - 1))


def duty_to_shift(
    race: Float, other: Float, ratio: Float, hurdle: float, elasticity: float
) -> Float:
    """Further duty over landed cost at which a flow would shift: `(e' r' K / (e r))^(1/eps) - 1`.

    `ratio` is `r' / r`.
    """
    return np.asarray((other / race * ratio * hurdle) ** (1 / elasticity) - 1)

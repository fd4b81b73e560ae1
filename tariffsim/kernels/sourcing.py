"""Choice with inertia: foundries for a slot, countries for a line (MODEL 4.2, 4.3)."""

from __future__ import annotations

import numpy as np

from tariffsim.typing import Bool, Float, Int

ROUNDING = 1e-9
"""Share of deliveries by which one less the delivered share may miss the denied share."""
LEAST_SQUARE = 1e-12
"""Least value under a square root: where it binds there is no solution."""


def inertia_curvature(inertia: Float, hazard: Float, lead_months: Float) -> Float:
    """Curvature `kappa` of the steady state: `(K - a) / (1 + a)`, `a = h (R - 1)` (MODEL 5.4).

    `inertia` is the factor `(1 + S)^sigma` on the incumbent's odds, so that `K` is one less.
    """
    pipeline = hazard * (lead_months - 1)
    return np.asarray((inertia - 1 - pipeline) / (1 + pipeline))


def odds_from_scale(shares: Float, curvature: Float, scale: Float) -> Float:
    """Odds `x = 2 c pi / (1 + sqrt(1 + 4 kappa c pi))` for a known scalar `c` (MODEL 5.4)."""
    scaled = scale * shares
    return np.asarray(2 * scaled / (1 + np.sqrt(1 + 4 * curvature * scaled)))


def steady_state_scale(shares: Float, curvature: Float) -> Float:
    """The scalar `c` (rows, 1) for which the odds of a steady state sum to one (MODEL 5.4).

    `shares` (rows, alternatives) sum to one, `curvature` is (rows, 1). Newton's method from where
    it is monotone: in `c` or, with negative curvature, in the largest of the odds, which keeps the
    square roots real. NaN where no odds solve it: below a curvature of -1/2 most slots always wait
    for a supplier, and large shares may be out of reach.
    """
    roots = np.sqrt(shares).sum(axis=1, keepdims=True)
    largest = shares.max(axis=1, keepdims=True)
    bend = np.minimum(curvature, 0.0)
    c = np.where(curvature > 0, np.maximum(1.0, curvature / roots**2), 1 + bend * largest)
    for _ in range(60):
        root = np.sqrt(np.maximum(1 + 4 * curvature * c * shares, LEAST_SQUARE))
        excess = (2 * c * shares / (1 + root)).sum(axis=1, keepdims=True) - 1
        if np.all(np.abs(excess) < 4e-15):
            break
        step = excess / (shares / root).sum(axis=1, keepdims=True)
        c = c - step + bend * step**2 * largest / root.min(axis=1, keepdims=True) ** 2
    return np.where(np.abs(excess) < 1e-9, c, np.nan)


def steady_state_shares(odds: Float, curvature: Float) -> Float:
    """Shares supplied in the steady state, proportional to `x (1 + kappa x)` (MODEL 5.4)."""
    shares = odds * (1 + curvature * odds)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def leaving_probability(odds: Float, inertia: Float) -> Float:
    """Probability that an opening leaves the incumbent whose odds are `x`: `(1 - x)/(1 + K x)`."""
    return np.asarray((1 - odds) / (1 + (inertia - 1) * odds))


def switching_cost(
    requalification_cost: Float,
    chip_bill: Float,
    design_units: Float,
    hazard: Float,
    discount_rate: float,
    cap: float,
) -> Float:
    """Switching cost as a fraction of one design's lifetime chip bill in the class (MODEL 4.2).

    `chip_bill` is USD a unit at base prices, `design_units` units a month of one real design.
    """
    with np.errstate(divide="ignore"):
        lifetime_bill = chip_bill * design_units / (hazard + discount_rate / 12)
        return np.asarray(np.minimum(requalification_cost / lifetime_bill, cap))


def cost_odds(cost: Float, base_cost: Float, elasticity: float) -> Float:
    """Factor on the odds of an alternative whose cost has moved: `(cost / base)^-sigma`."""
    return np.asarray((base_cost / cost) ** elasticity)


def inertia_factor(switching_cost: Float | float, elasticity: float) -> Float:
    """Factor on the odds of what is in place: `(1 + S)^sigma`."""
    return np.asarray((1 + switching_cost) ** elasticity)


def with_inertia(weights: Float, incumbent: Int, inertia: Float) -> Float:
    """Choice weights with the incumbent's multiplied by its inertia factor `(1 + S)^sigma`."""
    result = weights.copy()
    result[np.arange(len(weights)), incumbent] *= inertia
    return result


def draw_choice(weights: Float, exponentials: Float) -> Int:
    """Winner of each row: the least `E / w`, which is the Gumbel maximum of `ln w + noise`.

    `exponentials` are unit exponential draws; an alternative of weight zero never wins.
    """
    with np.errstate(divide="ignore"):
        return np.asarray((exponentials / weights).argmin(axis=1))


def choice_probabilities(weights: Float) -> Float:
    """Probability that each alternative wins: weights scaled to sum to one (closed-form logit)."""
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def utility(weights: Float, exponentials: Float, choice: Int) -> Float:
    """Utility, noise included, of the alternative chosen in each row: `ln w - ln E`."""
    rows = np.arange(len(choice))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(weights[rows, choice] / exponentials[rows, choice]))


def utility_of_all(weights: Float, exponentials: Float) -> Float:
    """(rows, F) utility of all alternatives, noise included: `ln w - ln E`; -inf at weight zero."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(weights) - np.log(exponentials))


def switching_utility(cost: Float, part: Float, cap: float, elasticity: float) -> Float:
    """Utility a unit of a line that a supplier costs which is new to a part of the units.

    `w sigma ln(1 + min(S / w, cap))` for a cost S of the whole line and a part w: the same switch
    is spread over fewer units (MODEL 4.2). Zero where the supplier is new to none.
    """
    of_part = np.minimum(cost / np.where(part > 0, part, 1.0), cap)
    return np.asarray(part * elasticity * np.log1p(of_part))


def share_of_bill(share: Float | float, chips: Float, price: Float) -> Float:
    """(rows,) USD a unit: a share of what the chips of a unit (rows, P) cost at prices (P,)."""
    return np.asarray(share * np.einsum("np,p->n", chips, price))


def lead_of_winner(weights: Float, exponentials: Float, winner: Int, other: Int) -> Float:
    """Utility, noise included, of the alternative known to have won each row less another's.

    The first arrival is at `T = E / sum(w)`, whichever it is, the other's at `T + E' / w'` as an
    exponential has no memory: `ln(1 + E' / (w' T))`. Its mean against the best of some alternatives
    with a part q of all weights is `-ln q / (1 - q)`.
    """
    rows = np.arange(len(winner))
    moment = exponentials[rows, winner] / weights.sum(axis=1)
    behind = exponentials[rows, other] / weights[rows, other]
    return np.asarray(np.log1p(behind / moment))


def drawn_elsewhere(
    shares: Float, region: Int, supplier: Int, following: Int, exponentials: Float
) -> Int:
    """Second sources drawn from shares (rows, F) outside the regions of two suppliers (rows,).

    A row without any stays with its supplier alone.
    """
    near = region == region[:, None]
    is_near = near.take(supplier, axis=0) | near.take(following, axis=0)
    weights = np.where(is_near, 0.0, shares)
    return np.where(weights.any(axis=1), draw_choice(weights, exponentials), supplier)


def shortened(months: Int, factor: float) -> Int:
    """Whole months of an emergency requalification, rounded up, at least one."""
    return np.asarray(np.maximum(np.ceil(months * factor), 1), dtype=np.intp)


def choice_odds(
    odds: Float, size: Float | float, preference: Float | float, cost_factor: Float
) -> Float:
    """Odds of each alternative: base odds x size x preference x factor of its cost."""
    return np.asarray(odds * (size * preference) * cost_factor)


def size_factor(capacity: Float, base_capacity: Float, power: float) -> Float:
    """Factor on the odds of a foundry that has grown: `(capacity / base)^power`.

    One where all (first axis) have lost all: they have shrunk alike.
    """
    factor = (capacity / np.where(base_capacity > 0, base_capacity, 1.0)) ** power
    return np.asarray(np.where(capacity.any(axis=0), factor, 1.0))


def assembly_preference(odds: float, follows: float, now: Float, base: Float) -> Float:
    """Factor on the odds of Chinese foundries for a line that moved: `odds^(lambda (a - a_0))`.

    `now` and `base` are the shares of its units assembled in China, `follows` the part of the odds
    that is place and not the maker's own (MODEL 4.2).
    """
    return np.asarray(odds ** (follows * (now - base)))


def utility_value(chips: Float, price: Float, elasticity: float) -> Float:
    """USD a unit of one unit of utility: `n p / sigma` for n chips at a price p."""
    return np.asarray(chips * price / elasticity)


def utility_loss(
    weights: Float, exponentials: Float, best: Int, choice: Int, value: Float
) -> Float:
    """(rows,) USD a unit lost with a choice in place of the best; zero where they are the same."""
    with np.errstate(invalid="ignore"):
        gap = utility(weights, exponentials, best) - utility(weights, exponentials, choice)
        return np.where(choice == best, 0.0, value * gap)


def lead_of_incumbent(
    weights: Float, exponentials: Float, incumbent: Int, other: Int, inertia: Float, value: Float
) -> Float:
    """(rows,) USD a unit by which an incumbent that had been chosen is better than another.

    Without the switching cost that is paid besides: see `lead_of_winner`.
    """
    with_cost = with_inertia(weights, incumbent, inertia)
    gap = lead_of_winner(with_cost, exponentials, incumbent, other) - np.log(inertia)
    return np.asarray(value * gap)


def plan_distortion(before: Float, lost: Float, is_open: Bool) -> Float:
    """(rows,) USD a unit of match loss of slots that follow their design's plan.

    An open slot adds to its earlier loss; one that only joins had no choice, and gains
    nothing by joining.
    """
    return np.where(is_open, before, 0.0) + np.where(is_open, lost, np.maximum(lost, 0.0))


def is_cut_off(delivered_share: Float, emergency_share: float) -> Bool:
    """Whether so much is denied that a maker looks for another supplier at once."""
    return np.asarray(1 - delivered_share >= emergency_share - ROUNDING)


def switch_pays(
    delivered_share: Float, customs_value: Float, markup: float, requalification: Float
) -> Bool:
    """Whether a line would lose more profit on units not made than a switch costs.

    Both USD a unit over the life of a choice, as if the denied share stayed.
    """
    profit = customs_value * markup / (1 + markup)
    return np.asarray((1 - delivered_share) * profit > requalification)


def months_later(month: Int | int, months: Int | int) -> Int:
    """The month so many months after another."""
    return np.asarray(month + months)


def months_left(until: Int, month: int) -> Int:
    """Months from now until a month; none if it is past."""
    return np.asarray(np.maximum(until - month, 0))

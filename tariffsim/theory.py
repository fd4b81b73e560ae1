"""Closed forms that the model must agree with where its frictions are switched off.

They know nothing of the simulation: they serve its tests, and a reader who wants the expected
path of a share without running it.

References:
    McFadden (1974), Conditional logit analysis of qualitative choice behavior.
    McFadden (1978), Modelling the choice of residential location.
    Dekle, Eaton and Kortum (2008), Global rebalancing with gravity, IMF Staff Papers 55.
    Harberger (1964), The measurement of waste, American Economic Review 54.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tariffsim.kernels.sourcing import inertia_curvature, steady_state_shares
from tariffsim.typing import Float, Int


def logit_shares(utility: Float) -> Float:
    """Probability of each alternative: `exp(V_f) / sum_g exp(V_g)` over the last axis.

    The expected choice where noise is Gumbel (McFadden 1974).
    """
    odds = np.exp(utility - utility.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def shifted_shares(base_shares: Float, cost_ratio: Float, elasticity: float) -> Float:
    """Logit shares in units after costs moved: `s_f c_f^-sigma / sum_g s_g c_g^-sigma`.

    Utility `delta - sigma ln(cost)` makes shares proportional to `exp(delta) cost^-sigma`; the
    unobserved `delta` drops out in changes (Dekle, Eaton and Kortum 2008).
    """
    shares = base_shares * cost_ratio**-elasticity
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True))


def exposed_share(share: Float | float, parts: Int | int) -> Float:
    """Share of products with at least one part of a kind: `1 - (1 - s)^n`.

    Parts are sourced one by one. `share` is that of each of `parts` of the kind: Chinese, say, for
    products with a Chinese chip, or cut off, for lines that stop at the first bite of a cut-off.
    The last axis holds classes of parts with shares of their own: `1 - prod_k (1 - s_k)^(n_k)`.
    """
    return np.asarray(1.0 - np.prod(np.atleast_1d((1.0 - np.asarray(share)) ** parts), axis=-1))


@dataclass(frozen=True)
class ExactHat:
    """What a change of prices does to a CES market, relative to the base."""

    shares: Float
    """Shares of expenditure afterwards."""
    price_index: float
    units: Float
    """Units of each variety relative to its base."""


def exact_hat(
    base_shares: Float, price_ratio: Float, elasticity: float, demand_elasticity: float
) -> ExactHat:
    """CES between varieties, isoelastic demand for all (Dekle, Eaton and Kortum 2008).

    `P = (sum_i s_i p_i^(1-eps))^(1/(1-eps))`, `s_i' = s_i p_i^(1-eps) / P^(1-eps)` and
    `q_i = p_i^-eps P^(eps-eta)`, all prices relative to their base.
    """
    power = base_shares * price_ratio ** (1 - elasticity)
    index = float(power.sum() ** (1 / (1 - elasticity)))
    units = price_ratio**-elasticity * index ** (elasticity - demand_elasticity)
    return ExactHat(power / power.sum(), index, units)


def consumers_loss(expenditure: float, price_ratio: float, demand_elasticity: float) -> float:
    """Surplus lost when the price of a good with isoelastic demand moves, USD.

    `E (P^(1-eta) - 1) / (1 - eta)`, or `E ln P` with unit elasticity.
    """
    if demand_elasticity == 1:
        return float(expenditure * np.log(price_ratio))
    power = 1 - demand_elasticity
    return float(expenditure * (price_ratio**power - 1) / power)


def harberger_triangle(duty: Float, quantity_fall: Float) -> Float:
    """Deadweight loss of a small duty where price is marginal cost: `1/2 duty x fall`, USD."""
    return np.asarray(0.5 * duty * quantity_fall)


def staying_probability(plants: Float, at_home: Float, factor: Float, hurdle: float) -> Float:
    """Share of orders that stay in a country in which alone assembly has become more expensive.

    Of makers with n plants, `at_home` = c of them there, whose orders may shift among these plants
    and have been there so far: `n / (n + (n - c) max(r / K - 1, 0))`. `factor` is `r`, landed cost
    over that of the base year to the power `eps`; `hurdle` is `K = (1 + S)^eps`. Race times are
    exponential: the least of the country's is `E / n`, that of the other plants is longer by
    `E' / (n - c)`, and orders leave where `r E / n > K (E / n + E' / (n - c))` (MODEL 4.3, E15).

    Args:
        plants: number of plants n of each maker, at least one.
        at_home: how many of them are in the country, one to n.
        factor: r at the country, of each maker; one elsewhere.
        hurdle: by how much a place must win, at least one.
    """
    lost = np.maximum(factor / hurdle - 1, 0.0)
    return np.asarray(plants / (plants + (plants - at_home) * lost))


def gone_by(months: Int, hazard: float, lead: int) -> Float:
    """Share of the orders that leave which have left so many months after the duty became known.

    `1 - (1 - h)^(t - L + 1)` for t >= L, zero before: each month orders are looked at with the
    hazard h a month, and what is decided is delivered `lead` = L months later (MODEL 4.3, E15).
    """
    looks = np.maximum(months - lead + 1, 0)
    return np.asarray(1 - (1 - hazard) ** looks)


def gain_of_switch(lead: Float, cost: Float, elasticity: float, part: Float | float = 1.0) -> Float:
    """Utility a unit of a line that a better supplier is worth to a part of its units.

    `w max(0, D - sigma ln(1 + S / w))` for a lead D over the supplier in place and a cost S of the
    switch for the whole line: nobody else shares the cost. With the same lead for all units no part
    gains more alone than the whole line does together, so that no line gives markets a version of
    their own without a cause (MODEL 4.2).
    """
    return np.asarray(part * np.maximum(lead - elasticity * np.log1p(cost / part), 0.0))


def versions_part(own: Float, common: Float) -> Float:
    """Probability that two versions of a line with the same noise choose different suppliers.

    Both choose f if no other g is drawn before it by the weights of either: the least `E / w` wins,
    so that `P(f for both) = 1 / sum_g max(a_g / a_f, b_g / b_f)` for weights a and b (rows, F).
    With no supplier in place that it costs to leave, and no overhead (MODEL 4.2).
    """
    own, common = (w / w.sum(axis=-1, keepdims=True) for w in (own, common))
    with np.errstate(divide="ignore", invalid="ignore"):
        worst = np.maximum(
            own[:, None] / own[:, :, None], common[:, None] / common[:, :, None]
        ).sum(axis=-1)
    both = np.where((own > 0) & (common > 0), 1 / worst, 0.0)
    return np.asarray(1 - both.sum(axis=-1))


class MeanField:
    """Expected shares of suppliers, month by month, with inertia and a delay of delivery.

    One row a kind of slot. A slot free to open does so with probability `h`, and then stays with
    its supplier f with probability `T_ff = (1 + K) x_f / (1 + K x_f)` or leaves for g with
    `T_fg = x_g / (1 + K x_f)`, where `x` are the odds scaled to sum to one and `1 + K` is the
    inertia. A slot that leaves keeps its old supplier until `R` months later and does not open
    meanwhile. With `A` the slots free to open and `T0` the matrix without its diagonal,

        A(t) = A(t-1) - h A(t-1) (1 - diag T) + h A(t-R) T0,

    and what f supplies is `A_f` plus the slots on their way from f (MODEL 5.4, 6 E3). Exact in
    expectation where the odds do not depend on the draws.
    """

    def __init__(
        self, odds: Float, inertia: Float, hazard: Float, lead: Int, supply: Float | None = None
    ) -> None:
        """Start with steady flows under way.

        Args:
            odds: (rows, alternatives), not necessarily scaled.
            inertia: (rows,) factor on the incumbent's odds.
            hazard: (rows,) probability of opening a month.
            lead: (rows,) months from a choice to its delivery, at least one.
            supply: (rows, alternatives) shares to start from; the steady state if left out.
        """
        self.extra = inertia[:, None] - 1
        self.hazard, self.lead = hazard[:, None], lead
        odds = odds / odds.sum(axis=1, keepdims=True)
        if supply is None:
            supply = steady_state_shares(
                odds, inertia_curvature(inertia, hazard, lead.astype(float))[:, None]
            )
        leaving = self.hazard * (1 - odds) / (1 + self.extra * odds)
        self.free = supply / (1 + leaving * (lead[:, None] - 1))
        leaves, arrives = self._flows(odds)
        self.month = 0
        self._size = int(lead.max()) + 1
        months = np.arange(self._size)[:, None, None]
        is_under_way = (months >= 1) & (months < lead[:, None])
        self._leaving = np.where(is_under_way, leaves, 0.0)
        self._arriving = np.where(is_under_way, arrives, 0.0)

    def _flows(self, odds: Float) -> tuple[Float, Float]:
        """Slots that decide to leave each supplier this month, and for whom they decide."""
        opening = self.hazard * self.free / (1 + self.extra * odds)
        return opening * (1 - odds), odds * (opening.sum(axis=1, keepdims=True) - opening)

    @property
    def supply(self) -> Float:
        """(rows, alternatives) expected share that each supplies this month."""
        return np.asarray(self.free + self._leaving.sum(axis=0))

    def choose(self, odds: Float) -> None:
        """Open slots choose by this month's odds; then a month passes and deliveries change."""
        odds = odds / odds.sum(axis=1, keepdims=True)
        leaves, arrives = self._flows(odds)
        rows = np.arange(len(self.free))
        at = (self.month + self.lead) % self._size
        self._leaving[at, rows], self._arriving[at, rows] = leaves, arrives
        self.month += 1
        now = self.month % self._size
        self.free = self.free - leaves + self._arriving[now]
        self._leaving[now] = self._arriving[now] = 0.0

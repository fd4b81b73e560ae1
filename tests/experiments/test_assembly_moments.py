"""Assembly against history: the small markets of V5, V6, V8 and V10."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tariffsim.experiments import assembly_moments as moments
from tariffsim.experiments.assembly_moments import (
    Duty,
    Moving,
    imports_from_china,
)
from tariffsim.scenario.blocks import Assembly, Trade
from tariffsim.theory import exact_hat, gone_by, staying_probability

FIRST = Moving(
    Assembly(
        plants=9.0, elasticity=8.0, shift_hazard=0.2, shift_cost=0.06, plant_hazard=1 / 48,
        plant_cost=0.15,
    ),
    0.45, 0.95,
)  # fmt: skip
"""Values before calibration."""
FAST = Moving(
    Assembly(
        plants=12.0, elasticity=12.5, shift_hazard=0.39, shift_months=1, shift_cost=0.03,
        plant_hazard=1 / 27, plant_months=9, plant_cost=0.05,
    ),
    0.58, 1.0,
)  # fmt: skip
SLOW = Moving(
    Assembly(
        plants=7.0, elasticity=6.0, shift_hazard=0.14, shift_months=3, shift_cost=0.15,
        plant_hazard=1 / 72, plant_months=18, plant_cost=0.32,
    ),
    0.34, 0.78,
)  # fmt: skip
STILL = Moving(Assembly(shift_hazard=0.0, plant_hazard=0.0), 0.45, 0.95)
"""Nobody moves: what demand alone does."""
PROTOTYPE = {
    ("V5", 1): -1.58, ("V5", 2): -2.61, ("V5", 3): -3.33, ("V6", 1): -0.69, ("V6", 2): -1.71,
    ("V8", 1): -0.42, ("V8", 2): -0.85, ("V10", 1): -0.33,
}  # fmt: skip
"""What another program gave with the same set-ups and values."""


@cache
def of(moving: Moving) -> dict[tuple[str, int], float]:
    return moments.assembly_moments(moving)


def market(substitution: float = 3.5, footloose: float = 1.0) -> moments.Market:
    imports = moments._shares("V5", "imports")[3]
    return moments._market(imports, imports, footloose, substitution, 0.7, 0.0)


def test_two_programs_agree() -> None:
    for key, value in of(FIRST).items():
        assert value == pytest.approx(PROTOTYPE[key], abs=0.15), key


def test_faster_parameters_move_more() -> None:
    """Moments are falls of imports from China; a duty below the cost of a shift moves nobody."""
    for key in PROTOTYPE:
        values = [of(moving)[key] for moving in (FAST, FIRST, SLOW, STILL)]
        assert values == sorted(values), key
        assert (values[0] < values[-1]) == (key[0] != "V6")


def test_where_nobody_moves_it_is_the_ces_market() -> None:
    """A lasting duty of 3 %, long after: `exact_hat` at the retail price of imports from China."""
    trade, one = Trade(), market()
    path = imports_from_china(one, Duty({"2018-01": 0.03}, "2018-01"), STILL, "2018-01", "2057-12")
    base = (1 + trade.retail_margin) * (1 + trade.freight)
    china = moments.origins().index("CN")
    price = np.where(np.arange(len(one.imports)) == china, 1 + trade.pass_through * 0.03 / base, 1)
    assert path[-1] == pytest.approx(exact_hat(one.imports, price, 3.5, 0.7).units[china], rel=1e-6)


def test_share_that_leaves_and_its_speed_are_those_of_theory() -> None:
    """Demand that minds no price, nobody builds: `staying_probability` and `gone_by`."""
    rules = Assembly(plant_hazard=0.0)
    one = moments.Market(market().imports, market().footprint, 1.0, 1e-9, 1e-9)
    duty = Duty({"2018-01": 0.25}, "2018-01")
    paths = [
        imports_from_china(one, duty, Moving(rules, 0.45, 0.95), "2018-01", "2023-12", seed)
        for seed in range(4)
    ]
    china = moments.origins().index("CN")
    stay = []
    for seed in range(4):
        lines = moments._lines(one, rules, np.random.default_rng(seed))
        plants = lines.plants[lines.origin == china]
        factor = np.full(len(plants), 1.25**rules.elasticity)
        hurdle = (1 + rules.shift_cost) ** rules.elasticity
        stay.append(staying_probability(plants.sum(axis=1), plants[:, china], factor, hurdle))
    expected, n = np.mean([s.mean() for s in stay]), sum(len(s) for s in stay)
    error = np.sqrt(sum((s * (1 - s)).sum() for s in stay)) / n
    mean = np.mean(paths, axis=0)
    assert abs(mean[-1] - expected) < 4 * error
    gone = 1 - (1 - mean[-1]) * gone_by(
        np.arange(len(mean)), rules.shift_hazard, rules.shift_months
    )
    assert np.abs(mean - gone).max() < 4 * np.sqrt(0.25 / n)


def test_nothing_happens_before_a_duty_is_known() -> None:
    path = imports_from_china(
        market(), Duty({"2018-07": 0.5}, "2018-07"), FAST, "2018-01", "2018-12"
    )
    np.testing.assert_allclose(path[:6], 1.0, rtol=1e-12)
    assert path[-1] < 0.8

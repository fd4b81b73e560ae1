"""A slice of the campaign on the number of lines and on a constant world (docs/campaigns.md)."""

from __future__ import annotations

import numpy as np
import pytest

from tests.economies import run
from tests.month.resolution_campaign import (
    chinese_shares,
    compare_lines,
    constant_world,
    drift,
    effect,
    interval,
    outcomes,
)

POINTS = 0.35
"""Half an interval of the drift of so few seeds, and a drift that no interval could hide."""


@pytest.mark.slow
def test_a_constant_world_stays_put() -> None:
    """Six years with every mechanism on: the share by number and by value is the one of 2024."""
    seeds = 12
    found = np.array([drift(constant_world(1200), 72, seed)[0, :2] for seed in range(seeds)])
    mean, half = interval(found)
    assert (half < 0.6).all()
    assert (np.abs(mean) <= np.maximum(POINTS, half)).all()


@pytest.mark.slow
def test_two_numbers_of_lines_have_one_mean_effect() -> None:
    seeds = range(6)
    few, many = (
        np.array([effect(makers, 48, seed)[1, 0] for seed in seeds]) for makers in (600, 1200)
    )
    gap = abs(few.mean() - many.mean())
    error = np.hypot(few.std(ddof=1), many.std(ddof=1)) / np.sqrt(len(seeds))
    # Student's t with five degrees of freedom exceeds 4 once in a hundred
    assert gap <= min(4 * error, 0.6)
    assert max(few.mean(), many.mean()) < -0.5


@pytest.mark.slow
def test_the_table_of_the_campaign(capsys: pytest.CaptureFixture[str]) -> None:
    compare_lines([600, 700], [2, 2], 2, 1)
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4
    assert said[2].split("|")[-2] == said[3].split("|")[-2]  # the same value in global lines


def test_shares_are_those_of_orders() -> None:
    """Counted line by line, in the first month of the constant world."""
    economy = next(run(constant_world(600), 0, 1))
    makers, flows, foundries = economy.makers, economy.flows, economy.foundries
    chinese = np.zeros(3)
    total = np.zeros(3)
    for flow in np.flatnonzero(flows.market == 0):
        for part, node_class in enumerate(makers.slot_class):
            maker = flows.maker[flow]
            supplier = makers.supplier[maker, part]
            chips = flows.orders[flow] * makers.chips[maker, part]
            weights = chips * np.array(
                [
                    1,
                    foundries.base_price[supplier, node_class],
                    foundries.price[supplier, node_class],
                ]
            )
            total += weights
            chinese += weights * foundries.is_chinese[supplier]
    np.testing.assert_allclose(chinese_shares(economy), 100 * chinese / total)
    assert outcomes(lambda seed: seed, range(3), 1).tolist() == [0, 1, 2]

"""Chips in AI-enabled devices: the kernel, and its path in a run."""

from __future__ import annotations

import numpy as np
import pytest

from tariffsim.kernels.prices_and_demand import (
    ai_content,
    between_nests,
    cell_demand,
    ces_power,
    ces_price_index,
    chip_content,
    demand_growth,
    device_growth,
    nested_power,
    other_growth,
    responsive_markup,
    units_demanded,
)
from tariffsim.kernels.sums import ratio
from tests.economies import STILL, last, merged, scenario


def test_ai_content_is_relative_to_the_start() -> None:
    assert ai_content(np.array([0.2, 0.7]), np.array([0.2, 0.2]), 0.15) == pytest.approx(
        [1.0, (1 + 0.15 * 0.7) / (1 + 0.15 * 0.2)], rel=1e-15
    )


def test_chips_in_devices_follow_adoption_by_market() -> None:
    """Half-way between December 2027 and December 2030 adoption is the mean of the two."""
    uplift = merged(STILL, {"trade": {"ai_chip_uplift": 0.4}})
    figures = {"figures": {"markets": {"CN": {"ai_2025": 0.2, "ai_2027": 0.7, "ai_2030": 0.9}}}}
    run = {"run": {"start": "2025-01", "end": "2030-12"}}
    world = last(scenario(uplift, figures, run, makers=60), 0, 12 * 4 + 6)
    makers, codes = world.makers, world.constants.codes
    home = makers.market == codes.markets.index("CN")
    base = world.constants.chips_per_part[makers.device]
    content = np.where(base > 0, makers.chips, 1.0) / np.where(base > 0, base, 1.0)
    able = world.constants.is_ai_capable[makers.device]
    assert home[able].any()
    assert home[~able].any()
    expected = (1 + 0.4 * 0.8) / (1 + 0.4 * 0.2)
    grown = np.where(base > 0, expected, 1.0)
    np.testing.assert_allclose(content[home & able], grown[home & able], rtol=1e-12)
    np.testing.assert_allclose(
        content[~able], 1.0, rtol=1e-15
    )  # a line's weights sum to one, rounded


def test_growth_of_content_and_demand() -> None:
    base = np.array([[10.0, 4.0]])
    np.testing.assert_array_equal(chip_content(base, 0.1, 0.0, np.ones(2)), base)
    np.testing.assert_allclose(chip_content(base, 0.1, 2.0, np.array([1.0, 0.5])), [[12.1, 2.42]])
    np.testing.assert_allclose(demand_growth(np.array([0.02]), 1.0, 1.5, np.array([2.0])), [3.06])
    assert demand_growth(np.array([0.02]), 0.0, 1.0, np.array([1.0])) == 1


def test_growth_of_a_device_adds_up_month_by_month() -> None:
    """12 % a year for a year, then on a line to none in six months."""
    dates, rates = np.array([112, 118]), np.array([[0.12, 0.0], [0.0, 0.0]])
    assert (device_growth(dates, rates, 100, 100) == 1).all()
    np.testing.assert_allclose(device_growth(dates, rates, 100, 112), [1.12, 1])
    product = 1.12
    for month in range(6):
        product *= (1 + 0.12 * (6 - month) / 6) ** (1 / 12)
    np.testing.assert_allclose(device_growth(dates, rates, 100, 118), [product, 1])
    np.testing.assert_allclose(device_growth(dates, rates, 100, 160), [product, 1])


def test_other_buyers_grow_like_the_chips_in_devices() -> None:
    chips = np.array([[10.0, 0.0], [10.0, 5.0]])  # (markets, classes)
    growth = other_growth(np.array([0.0, 0.1]), 0.02, 1.0, chips)
    np.testing.assert_allclose(growth, [1.05 * 1.02, 1.1 * 1.02])
    np.testing.assert_array_equal(other_growth(np.array([0.0, 0.1]), 0.02, 0.0, chips), [1, 1])


def test_relative_prices() -> None:
    relative = ratio(np.array([12.0, 10.0]), np.array([10.0, 10.0]))
    np.testing.assert_allclose(relative, [1.2, 1.0])
    np.testing.assert_allclose(ces_power(relative, np.array(3.0)), [1.2**-2, 1.0])


def test_other_buyers_of_a_class_in_no_device() -> None:
    """Nobody makes such chips: their growth is a number all the same."""
    chips = np.array([[1.0, 0.0], [3.0, 0.0]])
    grown = other_growth(np.array([0.1, 0.2]), 0.0, 1.0, chips)
    np.testing.assert_allclose(grown, [(1.1 + 3 * 1.2) / 4, 0.0])


def test_nested_demand_is_ces_of_ces() -> None:
    """Two nests by hand: CES with 4 within, with 1 + 0.5 x 3 between; demand elasticity 1.3."""
    price, share = np.array([1.4, 1.1, 0.9]), np.array([0.3, 0.2, 0.5])
    nest, cell, epsilon, theta, eta = np.array([0, 0, 2]), np.zeros(3, np.intp), 4.0, 2.5, 1.3
    within = (0.6 * price[0] ** -3 + 0.4 * price[1] ** -3) ** (-1 / 3), price[2]
    index = (0.5 * within[0] ** -1.5 + 0.5 * within[1] ** -1.5) ** (-1 / 1.5)
    of_nest = np.array([within[0], within[0], within[1]])
    expected = price**-epsilon * of_nest ** (epsilon - theta) * index ** (theta - eta)
    elasticity = between_nests(np.array([epsilon]), 0.5)
    assert elasticity == pytest.approx(theta)
    power = nested_power(ces_power(price, np.full(3, epsilon)), share, nest, 0.5)
    found = ces_price_index(power, share, cell, 1, elasticity)
    assert found == pytest.approx(index, rel=1e-14)
    demand = cell_demand(found, elasticity, np.array([eta]), np.ones(1))[cell]
    np.testing.assert_allclose(units_demanded(np.ones(3), price, power, demand), expected)


def test_markup_falls_with_the_price_relative_to_others() -> None:
    found = responsive_markup(0.15, np.array([1.0, 1.1, 2.0, 0.5]), 0.5)
    np.testing.assert_allclose(found, [0.15, 1.15 * 1.1**-0.5 - 1, 0.0, 1.15 * 2**0.5 - 1])

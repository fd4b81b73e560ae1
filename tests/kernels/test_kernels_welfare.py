"""What is given up between two prices: the area under an isoelastic curve, bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from tariffsim.kernels.welfare import diversion_loss, diversion_price, rule_of_half

prices = st.floats(0.01, 100.0)
elasticities = st.floats(0.2, 8.0)


@given(prices, st.floats(1.01, 50.0), elasticities)
def test_mean_price_is_the_area_under_the_curve(
    price: float, factor: float, elasticity: float
) -> None:
    """`int P dQ / (Q_0 - Q_1)` along `Q = P^-sigma`."""
    top = price * factor
    area, _ = quad(lambda p: p * elasticity * p ** (-elasticity - 1), price, top, epsabs=0)
    expected = area / (price**-elasticity - top**-elasticity)
    found = diversion_price(np.array([price]), np.array([top]), elasticity)
    # Quadrature is good to 1e-8; next to an elasticity of one the kernel keeps 1e-6 away from it.
    assert found[0] == pytest.approx(expected, rel=2e-6)


@given(prices, st.floats(-1e-4, 1e-4), elasticities)
def test_small_changes_have_the_mean_of_the_prices(
    price: float, change: float, elasticity: float
) -> None:
    other = price * (1 + change)
    found = diversion_price(np.array([price]), np.array([other]), elasticity)
    # The mean differs from the middle by less than sigma x change^2.
    assert found[0] == pytest.approx(0.5 * (price + other), rel=1e-7)


@given(prices, prices, elasticities)
def test_it_lies_between_and_does_not_depend_on_the_order(
    one: float, other: float, elasticity: float
) -> None:
    there = diversion_price(np.array([one]), np.array([other]), elasticity)[0]
    back = diversion_price(np.array([other]), np.array([one]), elasticity)[0]
    # Rounding of differences of powers near equal prices.
    assert there == pytest.approx(back, rel=1e-8)
    assert min(one, other) * (1 - 1e-8) <= there <= max(one, other) * (1 + 1e-8)


def test_no_duty_is_so_high_that_more_is_given_up() -> None:
    """The chips of one region are worth at most `sigma / (sigma - 1)` of their price."""
    duties = np.array([1.0, 10.0, 1e3, 1e6])
    found = diversion_price(np.ones(4), 1 + duties, 4.0)
    assert (np.diff(found) > 0).all()
    assert found[-1] == pytest.approx(4 / 3)


def test_nothing_diverted_nothing_lost() -> None:
    price, chips = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    assert diversion_loss(price, 2 * price, chips, chips, 4.0) == 0
    moved = diversion_loss(price, 2 * price, chips, chips + np.array([[-1.0, 1.0]]), 4.0)
    assert moved == pytest.approx(-diversion_price(np.array([1.0]), np.array([2.0]), 4.0)[0])


def test_two_limits_of_the_elasticity() -> None:
    """At one, `P_0 ln f / (1 - 1/f)` for prices that rise by f; at none, the logarithmic mean."""
    low, factor = np.array([3.0, 3.0]), np.array([1.4, 8.0])
    unit = diversion_price(low, low * factor, 1.0)
    none = diversion_price(low, low * factor, 0.0)
    # the kernel keeps 1e-6 away from both
    np.testing.assert_allclose(unit, 3 * np.log(factor) / (1 - 1 / factor), rtol=3e-6)
    np.testing.assert_allclose(none, 3 * (factor - 1) / np.log(factor), rtol=3e-6)


def test_regions_are_added_up_and_nothing_else() -> None:
    """Chips worth 1 and 2 USD, of two regions, in two lines of two classes each."""
    before = np.array([[[4.0, 1.0], [0.0, 3.0]], [[2.0, 2.0], [5.0, 0.0]]])
    after = np.zeros_like(before)
    worth = np.broadcast_to([1.0, 2.0], before.shape)
    expected = [[6.0, 6.0], [6.0, 5.0]]
    np.testing.assert_allclose(diversion_loss(worth, worth, before, after, 4.0), expected)
    np.testing.assert_allclose(rule_of_half(worth, worth, before, after), expected)
    np.testing.assert_allclose(
        rule_of_half(worth, 3 * worth, before, after), np.double(expected) * 2
    )

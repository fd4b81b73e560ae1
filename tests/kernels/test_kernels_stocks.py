"""Stocks and ranks: identities and limits (MODEL 4.4, 4.6)."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tariffsim.kernels.inventory import (
    adding_up_to,
    blend,
    cancelled,
    coverage,
    delivered,
    denied_share,
    duty_rise,
    fill_rate,
    fill_rates_by_rank,
    is_short,
    left_after_restart,
    mean_over_flows,
    months_in_reach,
    months_worth_holding,
    purchases,
    refill_orders,
    sold_from_stock,
    stock_target,
    units_short,
)
from tariffsim.kernels.sourcing import draw_choice, drawn_elsewhere, lead_of_winner, shortened

BLOC = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 1.0]])
ROUNDING = 1e-9
"""Relative: a handful of roundings of 1e-16, in differences of equals."""


def numbers(low: float, high: float, *shape: int) -> st.SearchStrategy[np.ndarray]:
    """To nine decimals: nobody orders less, and products of less vanish."""
    return arrays(float, shape, elements=st.floats(low, high).map(lambda x: round(x, 9)))


@given(st.lists(numbers(0, 1e6, 5, 2), min_size=1, max_size=4), numbers(0, 1e6, 5, 2))
def test_ranks_share_what_is_left(orders: list[np.ndarray], capacity: np.ndarray) -> None:
    """A rank gets something only when all before it got everything; nothing is left unasked."""
    fill_rates = fill_rates_by_rank(orders, capacity, BLOC)
    filled = sum(
        BLOC @ (fill_rate * order) for fill_rate, order in zip(fill_rates, orders, strict=True)
    )
    wanted, can = sum(BLOC @ order for order in orders), BLOC @ capacity
    np.testing.assert_allclose(filled, np.minimum(wanted, can), rtol=ROUNDING, atol=1e-3)
    for before, rate, order in zip(fill_rates[:-1], fill_rates[1:], orders[1:], strict=True):
        assert ((rate >= 0) & (rate <= 1)).all()
        rest = (before < 1 - ROUNDING) & (BLOC.T @ (BLOC @ order) > 0)
        assert (rate[rest] < 1e-3).all() or (BLOC.T @ (BLOC @ order))[rest].max() < 1


@given(numbers(0, 1e6, 4, 3), numbers(0, 1e6, 4, 3), numbers(0, 3, 4, 1))
def test_orders_refill_the_stock(use: np.ndarray, stock: np.ndarray, months: np.ndarray) -> None:
    """After this month's use the stock is at its target, or above with nothing ordered."""
    past = np.stack([use, use], axis=1)
    target = stock_target(use, past, months)
    np.testing.assert_allclose(target, months * use, rtol=ROUNDING)
    ordered = refill_orders(use, stock, target)
    left = stock + ordered - use
    np.testing.assert_allclose(left[ordered > 0], target[ordered > 0], rtol=ROUNDING, atol=1e-6)
    assert (left >= target - 1e-6).all()


@given(numbers(0, 1e6, 6), numbers(0, 1, 6), st.floats(0, 1))
def test_flows_of_a_line_share_what_is_missing(
    ordered: np.ndarray, blocked: np.ndarray, short: float
) -> None:
    total = ordered.sum()
    mean = (ordered * blocked).sum() / total if total > 0 else 0.0
    missing = units_short(ordered, blocked, np.float64(short), np.float64(mean))
    np.testing.assert_allclose(missing.sum(), short * total, rtol=1e-6, atol=1e-6 * total)
    assert (missing >= 0).all()
    assert (missing <= ordered).all()
    if short <= mean:  # whose chips are let through goes without nothing
        assert (missing[blocked == 0] == 0).all()
    np.testing.assert_allclose(
        units_short(ordered, np.full(6, short), np.float64(short), np.float64(short)),
        short * ordered,
        rtol=ROUNDING,
    )


def test_flows_add_up_to_the_line_however_little_is_left() -> None:
    """What is left of a million units rounds to 1e-10; lines that are right stay as they are."""
    maker = np.array([0, 0, 1, 1, 2, 3])
    units = np.array([1e-10, 3e-10, 0.1, 0.2, 0.0, 5.0])
    total = np.array([2e-10, 0.1 + 0.2, 1e-10, 0.0])
    wanted = [0.5e-10, 1.5e-10, 0.1, 0.2, 0.0, 0.0]
    np.testing.assert_allclose(adding_up_to(total, units, maker), wanted, rtol=1e-15)
    nearly = total * (1 + 1e-14)
    np.testing.assert_array_equal(adding_up_to(nearly, units, maker)[2:4], units[2:4])


def test_months_worth_holding() -> None:
    """At 2 % a month a rise of 5 % of value is worth two and a half months of sales."""
    saved = np.array([0.05, 0.0, -0.2, 10.0])
    months = months_worth_holding(100 * saved, np.full(4, 100.0), 0.02, 3.0)
    np.testing.assert_allclose(months, [2.5, 0.0, 0.0, 3.0])


def test_second_sources_are_drawn_from_the_shares_elsewhere() -> None:
    shares = np.tile([0.4, 0.2, 0.3, 0.1], (40_000, 1))
    region = np.array([0, 0, 1, 2])
    first = np.zeros(len(shares), dtype=np.intp)
    noise = np.random.default_rng(1).standard_exponential(shares.shape)
    drawn = drawn_elsewhere(shares, region, first, first, noise)
    share = np.bincount(drawn, minlength=4) / len(drawn)
    np.testing.assert_allclose(share, [0, 0, 0.75, 0.25], atol=4 * np.sqrt(0.19 / len(drawn)))
    following = np.full(len(first), 2)
    assert (drawn_elsewhere(shares, region, first, following, noise) == 3).all()
    alone = np.tile([0.6, 0.4, 0.0, 0.0], (3, 1))
    assert (drawn_elsewhere(alone, region, first[:3], first[:3], noise[:3]) == 0).all()


def test_a_winner_leads_as_if_the_race_had_been_watched() -> None:
    """Same mean as in races that alternative 0 did win, and `-ln q / (1 - q)` in closed form."""
    weights = np.tile([2.0, 0.5, 1.5], (200_000, 1))
    watched, drawn = np.random.default_rng(2).standard_exponential((2, *weights.shape))
    times = watched / weights
    won = times.argmin(axis=1) == 0
    seen = np.log(times[won, 1:].min(axis=1) / times[won, 0])
    best = draw_choice(weights * [0.0, 1.0, 1.0], drawn)
    led = lead_of_winner(weights, drawn, np.zeros(len(weights), dtype=np.intp), best)
    for sample in (seen, led):  # four standard errors
        error = 4 * sample.std() / np.sqrt(len(sample))
        assert abs(sample.mean() + np.log(0.5) / 0.5) < error
    assert (led > 0).all()


def test_emergency_months_are_rounded_up() -> None:
    months = np.array([1, 2, 5, 18])
    np.testing.assert_array_equal(shortened(months, 0.5), [1, 1, 3, 9])
    np.testing.assert_array_equal(shortened(months, 1.0), months)


units = arrays(float, 5, elements=st.floats(0, 1e6))


@given(units, units, units, st.floats(0, 1))
def test_what_is_wanted_is_sold_waited_for_or_lost(
    wanted: np.ndarray, stock: np.ndarray, made: np.ndarray, share: float
) -> None:
    sold, left, backlog, lost = sold_from_stock(wanted, stock, made, share)
    np.testing.assert_allclose(sold + backlog + lost, wanted, rtol=1e-12, atol=1e-6)
    np.testing.assert_allclose(sold + left, stock + made, rtol=1e-12, atol=1e-6)
    assert (np.minimum(left, wanted - sold) <= 1e-9).all()  # nothing is kept while somebody waits


@given(units, units, st.floats(0, 12))
def test_purchases_reach_the_stock_in_the_months_left(
    wanted: np.ndarray, stock: np.ndarray, months: float
) -> None:
    held = months * wanted
    ordered = purchases(wanted, stock, np.full(5, months), np.ones(5))
    assert (ordered >= -1e-9).all()
    grown = stock + ordered - wanted
    short = stock < held
    np.testing.assert_allclose(grown[short], held[short], rtol=1e-9, atol=1e-6)
    slowly = purchases(wanted, stock, np.full(5, months), np.full(5, 4.0))
    np.testing.assert_allclose((slowly - wanted)[short], (ordered - wanted)[short] / 4, atol=1e-6)


def test_a_rise_of_duty_is_more_than_rounding() -> None:
    now, value = np.array([1.0, 1.0, 1.0]), np.full(3, 100.0)
    rise = duty_rise(now, now + np.array([0.5, 1e-12, -1.0]), value)
    np.testing.assert_allclose(rise, [0.5, 0.0, 0.0])
    assert list(months_in_reach(2.5)) == [1, 2, 3]
    assert list(months_in_reach(0.0)) == []


def test_flows_count_by_what_they_buy() -> None:
    maker, bought = np.array([0, 0, 1]), np.array([3.0, 1.0, 0.0])
    denied = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(mean_over_flows(denied, bought, maker, 2), [[0.75, 0], [0, 0]])
    np.testing.assert_allclose(mean_over_flows(denied[:, 0], bought, maker, 2), [0.75, 0])
    np.testing.assert_allclose(denied_share(denied_share(denied)), denied)


def test_orders_and_deliveries_of_a_slot() -> None:
    need, ordered = np.array([[10.0, 10.0]]), np.array([[4.0, 15.0]])
    met = np.array([[0.5, 1.0]])
    lacking = delivered(ordered, denied_share(met))
    np.testing.assert_array_equal(lacking, [[2, 0]])
    np.testing.assert_array_equal(is_short(lacking, need), [[True, False]])
    sent = np.array([[2.0, 12.0]])
    np.testing.assert_array_equal(coverage(sent, need), [[0.2, 1.2]])
    np.testing.assert_array_equal(fill_rate(sent, need), [[0.2, 1.0]])


def test_without_stocks_only_what_is_used_is_delivered() -> None:
    sent, second = np.array([3.0, 3.0, 5.0]), np.array([2.0, 2.0, 0.0])
    used = np.array([4.0, 2.0, 1.0])
    first, rest = cancelled(sent, second, used)
    np.testing.assert_array_equal(first, [3, 2, 1])
    np.testing.assert_array_equal(rest, [1, 0, 0])
    np.testing.assert_array_equal(first + rest, used)


@given(units, units, units, st.floats(0, 1))
def test_nobody_sells_what_there_is_not(
    wanted: np.ndarray, stock: np.ndarray, made: np.ndarray, share: float
) -> None:
    """Each of the four amounts is there or is nothing; a backlog is a part of what is missed."""
    amounts = sold_from_stock(wanted, stock, made, share)
    assert all((amount >= 0).all() for amount in amounts)
    sold, _, backlog, _ = amounts
    assert (sold <= stock + made).all()
    np.testing.assert_allclose(backlog, share * (wanted - sold), rtol=1e-12)


def test_a_small_fall_of_duty_is_not_worth_holding_for() -> None:
    months = months_worth_holding(np.array([-0.5, 0.0, 0.5]), np.full(3, 100.0), 0.02, 3.0)
    np.testing.assert_allclose(months, [0.0, 0.0, 0.25])
    assert months_worth_holding(np.zeros(1), np.zeros(1), 0.02, 3.0) == 0  # nothing saved, no value


def test_a_blend_lies_between_its_parts() -> None:
    share = np.array([0.0, 0.25, 1.0])
    np.testing.assert_allclose(blend(share, np.full(3, 8.0), np.zeros(3)), [0.0, 2.0, 8.0])


def test_a_line_that_stood_all_month_loses_the_weeks_of_a_restart() -> None:
    """Two of the four weeks of February, half of them after half a month; at most all of it."""
    had = np.array([0.0, 0.5, 1.0])
    np.testing.assert_allclose(left_after_restart(had, 2.0, 28), [0.5, 0.75, 1.0])
    np.testing.assert_allclose(left_after_restart(had, 9.0, 28), had)
    assert (left_after_restart(had, 0.0, 28) == 1).all()

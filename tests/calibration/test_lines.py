"""Lines of equal value: how many stand for each part of trade, and what they carry (MODEL 5.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tariffsim.calibration import build_economy
from tariffsim.calibration.base_year import base_year_rows
from tariffsim.calibration.build import base_totals, line_plan
from tariffsim.calibration.constants import make_constants
from tariffsim.calibration.lines import evenly, size_by_value
from tariffsim.calibration.strata import Plan, Weights, plan_lines, spread, without_tail
from tariffsim.explain.remarks import remarks
from tariffsim.state.draws import Draws
from tariffsim.state.makers import GLOBAL
from tests.economies import scenario

N_DEVICES, N_ORIGINS, N_MARKETS, CHINA = 4, 5, 3, 2


def plan_of(makers: int, **agents: Any) -> Plan:
    rules = scenario({"agents": agents}, makers=makers)
    return line_plan(rules, make_constants(rules, rules.tables()))


def carried(plan: Plan) -> np.ndarray:
    """(D, O, M) that the lines of a plan carry."""
    return np.einsum("dos,dosm->dom", plan.count, plan.value)


def in_both(trade: np.ndarray, china: int) -> np.ndarray:
    """(D, O, M) what a country sells in a market abroad, where it sells in another one too."""
    abroad = trade > 0
    abroad[:, :, china] = False
    return abroad & (abroad.sum(axis=2, keepdims=True) > 1)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[np.ndarray, Weights]:
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    trade = rng.lognormal(0, 2, (N_DEVICES, N_ORIGINS, N_MARKETS))
    trade[rng.random(trade.shape) < draw(st.floats(0, 0.5))] = 0.0
    trade[:, 0] += 1.0
    market = np.array([1.0, draw(st.floats(0.05, 1)), draw(st.floats(0.05, 1))])
    share = rng.choice([0.0, 0.2, 0.5, 0.8, 1.0], N_DEVICES)
    return trade, Weights(rng.uniform(0.2, 2, N_DEVICES), market, share, CHINA)


@settings(max_examples=150, deadline=None)
@given(worlds(), st.integers(60, 2000), st.sampled_from([0.0, 0.01, 0.1]))
def test_totals_and_global_shares_are_exact(
    world: tuple[np.ndarray, Weights], lines: int, tail: float
) -> None:
    """At any number of lines above what must be there; and every line is sold somewhere."""
    trade, weights = world
    plan = plan_lines(trade, weights, lines, tail, 0)
    assert plan.count.sum() == lines
    np.testing.assert_allclose(carried(plan), plan.trade, rtol=1e-12)
    np.testing.assert_allclose(plan.trade.sum(axis=1), trade.sum(axis=1), rtol=1e-12)
    if plan.wanted > lines:
        return
    assert plan.tail == tail
    np.testing.assert_array_equal(plan.trade, without_tail(trade, tail))
    is_line = plan.count > 0
    assert (plan.value.sum(axis=3)[is_line] > 0).all()
    both = in_both(plan.trade, CHINA)
    of_world = plan.count[:, :, 0, None] * plan.value[:, :, 0]
    assert not of_world[~both].any()
    for d, wanted in enumerate(weights.global_share):
        for m in range(N_MARKETS):
            whole = plan.trade[d, :, m][both[d, :, m]].sum()
            assert of_world[d, :, m].sum() == pytest.approx(wanted * whole, rel=1e-9, abs=1e-12)


def test_trade_and_global_share_do_not_depend_on_the_number_of_lines() -> None:
    plans = [plan_of(makers) for makers in (600, 1200, 4800)]
    for plan in plans[1:]:
        np.testing.assert_array_equal(plan.trade, plans[0].trade)
    wanted = np.array(scenario().tables().devices.numbers("global_platform_share"))
    china = 3
    for plan in plans:
        both = in_both(plan.trade, china)
        of_world = plan.count[:, :, 0, None] * plan.value[:, :, 0]
        share = (of_world * both).sum(axis=(1, 2)) / (plan.trade * both).sum(axis=(1, 2))
        np.testing.assert_allclose(share, wanted, rtol=1e-12)


def test_lines_are_of_equal_value() -> None:
    """By the value that counts: chips, and less outside the market in focus."""
    plan = plan_of(20_000)
    in_us = plan.count[:, :, 1] > 0
    value = plan.value[:, :, 1, 0]
    for d in range(len(value)):
        own = np.repeat(value[d][in_us[d]], plan.count[d, :, 1][in_us[d]])
        # half a line up or down of those that a stratum has by weight
        assert own.max() < 1.5 * np.median(own)


def test_too_few_lines_drop_lines_of_one_market_then_countries_then_devices() -> None:
    full = plan_of(600)
    assert full.wanted == 511
    single = plan_of(400)  # (i): the same trade, lines of one market of least value go
    np.testing.assert_array_equal(single.trade, full.trade)
    gone = (single.count[:, :, 1:] == 0) & (full.count[:, :, 1:] > 0)
    assert gone.any()
    assert (
        full.trade[gone].max()
        <= full.trade[(single.count[:, :, 1:] > 0) & in_both(full.trade, 3)].max()
    )
    shorter = plan_of(120)  # (ii): a longer tail, every device kept
    assert shorter.tail > 0.01 == single.tail
    assert (shorter.trade.sum(axis=(1, 2)) > 0).all()
    np.testing.assert_array_equal(
        shorter.trade, without_tail(plan_of(600, trade_tail=0).trade, shorter.tail)
    )
    few = plan_of(30)  # (iii): the devices of largest weight
    kept = few.trade.sum(axis=(1, 2)) > 0
    assert 0 < kept.sum() < 17
    for plan, makers in ((single, 400), (shorter, 120), (few, 30)):
        assert plan.count.sum() == makers
        np.testing.assert_allclose(carried(plan), plan.trade, rtol=1e-12)


def test_devices_kept_have_more_weight_than_those_left_out() -> None:
    trade = np.ones((N_DEVICES, N_ORIGINS, N_MARKETS))
    chips = np.array([1.0, 4.0, 2.0, 3.0])
    weights = Weights(chips, np.ones(N_MARKETS), np.zeros(N_DEVICES), None)
    for lines in range(3, 13):
        plan = plan_lines(trade, weights, lines, 0.01, 0)
        kept = plan.trade.sum(axis=(1, 2)) > 0
        assert kept[np.argsort(-chips)].tolist() == sorted(kept.tolist(), reverse=True)


def test_a_floor_by_device_in_markets_in_focus() -> None:
    plan = plan_of(2400, least_lines=24)
    in_focus = plan.count[:, :, 0].sum(axis=1) + plan.count[:, :, 1].sum(axis=1)
    without = plan_of(2400)
    assert in_focus.min() >= 24 > without.count[:, :, :2].sum(axis=(1, 2)).min()
    np.testing.assert_array_equal(plan.trade, without.trade)
    assert plan.count.sum() == 2400
    np.testing.assert_allclose(carried(plan), plan.trade, rtol=1e-12)


@given(
    st.lists(st.sampled_from([0.0, 0.1, 1.0, 1.0, 3.0, 7.5]), min_size=1, max_size=12),
    st.integers(0, 60),
)
def test_numbers_in_proportion_sum_to_the_total(weights: list[float], more: int) -> None:
    weight = np.array([*weights, 2.0])
    least = np.where(weight > 2.5, 1, 0)
    total = int(least.sum()) + more
    found = spread(weight, least, total)
    assert found.sum() == total
    assert (found >= least).all()
    assert not found[weight == 0].any()
    by_weight = found[np.argsort(weight, kind="stable")]
    assert (np.diff(by_weight) >= -1).all()  # ties may differ by one, more weight has no fewer


@pytest.mark.parametrize(("alpha", "mean"), [(1.6, 8.50), (1.0, 99 / np.log(100)), (2.0, None)])
def test_size_of_the_maker_of_a_dollar_of_trade(alpha: float, mean: float | None) -> None:
    """The mean over trade is one, the smallest one over the mean firm of a dollar."""
    u = (np.arange(1_000_000) + 0.5) / 1_000_000
    size = size_by_value(u, alpha, 100.0)
    assert size.mean() == pytest.approx(1, abs=1e-4)
    expected = mean if mean is not None else np.log(100) / (1 - 1 / 100)
    assert 1 / size_by_value(np.zeros(1), alpha, 100.0)[0] == pytest.approx(expected, rel=1e-3)
    assert size_by_value(np.ones(1), alpha, 100.0)[0] * expected == pytest.approx(100, rel=1e-3)
    near = size_by_value(u, alpha + 1e-7, 100.0)
    np.testing.assert_allclose(near, size, rtol=1e-4)


def test_even_draws_have_their_chance_and_spread() -> None:
    """Exactly as often as said; in any run of rows as many as expected, to one."""
    n, seeds = 60, 400
    rng = np.random.default_rng(0)
    of, by = np.repeat([0, 1], n // 2), rng.integers(0, 3, n)
    chance = rng.uniform(0, 1, (n, 2))
    chance[:3] = [[0, 1], [1, 0], [1, 1]]
    size, count = rng.uniform(1, 9, n), np.zeros((n, 2))
    for seed in range(seeds):
        drawn = evenly(chance, of, [by], size, Draws(seed), "test")
        count += drawn
        for device in (0, 1):
            for key in (0, 1, 2):
                rows = (of == device) & (by == key)
                gap = drawn[rows].sum(axis=0) - chance[rows].sum(axis=0)
                assert (np.abs(gap) < 1).all()
    assert (count[chance == 1] == seeds).all()
    assert not count[chance == 0].any()
    error = np.sqrt(chance * (1 - chance) / seeds)
    assert (np.abs(count / seeds - chance) <= 4.5 * error).all()


class Recorded(Draws):
    """Draws that note the shapes they are asked for."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.shapes: dict[str, tuple[int, ...]] = {}

    def uniform(self, stream: str, month: int, *shape: int) -> Any:
        self.shapes[stream] = shape
        return super().uniform(stream, month, *shape)

    def exponential(self, stream: str, month: int, *shape: int) -> Any:
        self.shapes[stream] = shape
        return super().exponential(stream, month, *shape)

    def exponential_float32(self, stream: str, month: int, *shape: int) -> Any:
        self.shapes[stream] = shape
        return super().exponential_float32(stream, month, *shape)


BY_OTHERS = {"importer size", "honesty", "importer can tell among like sizes",
             "second source at start"}  # fmt: skip
"""Keyed by importers, or by the parts that have a second source."""


def test_shapes_of_streams_do_not_depend_on_focus() -> None:
    """Lines, parts and markets fix them: neither flows nor rows of versions."""
    found = []
    for focus in (["US"], ["US", "EU", "JK"], ["CN"]):
        draws = Recorded(0)
        economy = build_economy(scenario({"agents": {"focus": focus}}, makers=600), 0, draws)
        found.append({k: v for k, v in draws.shapes.items() if k not in BY_OTHERS})
        assert economy.makers.n_lines == 600
    assert found[0] == found[1] == found[2]
    assert len(found[0]) > 12
    assert {600, len(economy.makers.slot_class)} <= {
        n for shape in found[0].values() for n in shape
    }


def test_the_base_year_table_says_what_is_left_out() -> None:
    def table(makers: int) -> dict[str, list[dict[str, Any]]]:
        rules = scenario(makers=makers)
        rows = base_year_rows(build_economy(rules, 0))
        return {
            name: [r for r in rows if r["total"] == name] for name in {r["total"] for r in rows}
        }

    whole, few = table(1200), table(100)
    for name in ("imports", "trade_tail", "devices", "trade_moved", "china_share",
                 "china_share_expected", "global_share"):  # fmt: skip
        for row in whole[name]:
            assert abs(row["model"] - row["data"]) <= row["tolerance"], row
    assert len(whole["china_share"]) == len(whole["china_share_expected"]) == 340
    assert whole["lines"][0]["model"] == 1200 > whole["lines"][0]["data"] == 511
    moved = whole["trade_moved"][0]["model"]
    assert 0 < moved < 0.01
    assert few["trade_tail"][0]["model"] > 0.1
    us = next(row for row in few["trade_moved"] if row["market"] == "US")
    assert us["model"] > 0.05
    economy = build_economy(scenario(makers=100), 0)
    shipped = build_economy(scenario({"agents": {"trade_tail": 0}}, makers=1200), 0)
    model, data = (base_totals(each)[:, :, 0] for each in (economy, shipped))
    assert us["model"] == pytest.approx(0.5 * np.abs(model - data).sum() / data.sum(), rel=1e-9)
    unknown = [row["model"] for row in whole["unknown_origin_value"]]
    assert all(0 < share < 0.44 for share in unknown)  # those that do not know are small
    assert (economy.makers.market == GLOBAL).any()


def test_too_few_lines_get_a_remark() -> None:
    (said,) = (text for text in remarks(scenario(makers=100)) if "its trade differs" in text)
    assert "511 lines carry that of the tables, and 100 do not" in said
    assert "of 17 device groups are kept" in said
    assert "% of US" in said
    assert not [text for text in remarks(scenario(makers=511)) if "its trade differs" in text]

"""Parts of a product, each sourced by itself (MODEL 6: E17)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tariffsim.calibration import build_economy
from tariffsim.month import PHASES
from tariffsim.scenario import Scenario
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.theory import exposed_share
from tests.economies import CLASSES, NO_STOCKS, STILL, component, last, scenario

ALONE = {"orders": NO_STOCKS, "agents": {"focus": []}}
"""Without second sources and stocks, and one version of every line."""


def parts(number: int) -> dict[str, Any]:
    classes = {k: {"parts": number} for k in CLASSES}
    return {"figures": {"node_classes": classes}}


class Twins(Draws):
    """The draws of one part a class, given to both of two parts."""

    def uniform(self, stream: str, month: int, *shape: int) -> Any:
        return self._twice(super().uniform, stream, month, shape)

    def exponential(self, stream: str, month: int, *shape: int) -> Any:
        return self._twice(super().exponential, stream, month, shape)

    def _twice(self, draw: Any, stream: str, month: int, shape: tuple[int, ...]) -> Any:
        axis = self._axis(stream, shape)
        if axis is None:
            return draw(stream, month, *shape)
        half = tuple(n // 2 if a == axis else n for a, n in enumerate(shape))
        return np.repeat(draw(stream, month, *half), 2, axis=axis)

    def _axis(self, stream: str, shape: tuple[int, ...]) -> int | None:
        if stream in ("foundry noise", "pipeline"):  # slots, those of a line one after the other
            return 0
        two = 2 * len(CLASSES)
        return next((a for a, n in enumerate(shape) if n == two), None)


def months(rules: Scenario, draws: Draws, number: int) -> Economy:
    economy = build_economy(rules, 1, draws)
    for _ in range(number):
        for phase in PHASES:
            phase(economy, draws)
    return economy


def test_two_parts_with_the_same_draws_are_one() -> None:
    """E17: a class of two equal parts that are drawn alike is the class without parts."""
    law = component({"2025-04": 0.8}, announced="2025-02")
    one, two = (
        months(scenario(ALONE, law, parts(n), makers=60), draws, 30)
        for n, draws in ((1, Draws(1)), (2, Twins(1)))
    )
    assert two.makers.supplier.shape[1] == 2 * one.makers.supplier.shape[1]
    np.testing.assert_array_equal(two.makers.supplier, np.repeat(one.makers.supplier, 2, axis=1))
    np.testing.assert_array_equal(two.flows.origin, one.flows.origin)
    start = build_economy(scenario(ALONE, law, parts(1), makers=60), 1).makers.supplier
    assert (one.makers.supplier != start).mean() > 0.2
    for table, column in (("flows", "price"), ("flows", "units"), ("foundries", "price"),
                          ("foundries", "output"), ("cells", "price_index")):  # fmt: skip
        ours, plain = (getattr(getattr(e, table), column) for e in (two, one))
        np.testing.assert_allclose(ours, plain, rtol=1e-9, err_msg=column)
    np.testing.assert_allclose(two.policy_duty, one.policy_duty, rtol=1e-9)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3])
def test_a_cut_off_stops_the_lines_with_any_part_that_it_finds(share: float) -> None:
    """E17: at its first bite a cut-off of the share s of parts stops `1 - (1 - s)^n` of lines."""
    cut = {"kind": "chip_cutoff", "denied": 1.0, "start": "2025-02", "share": share,
           "chip_regions": "all", "node_classes": ["C", "D"],
           "markets": ["US", "EU", "JK", "CN", "ROW"]}  # fmt: skip
    rules = scenario(STILL, ALONE, {"policies": {"cut": cut}}, makers=2000)
    economy = last(rules, 3, 2)
    makers = economy.makers
    denied = makers.most_denied > 0
    stopped = makers.fill_rate < 0.5
    np.testing.assert_array_equal(stopped, denied.any(axis=1))
    number = np.isin(makers.slot_class, [2, 3])[None] & makers.has_slot
    expected = exposed_share(share, number.sum(axis=1)[:, None])
    error = np.sqrt((expected * (1 - expected)).sum())
    assert stopped.sum() == pytest.approx(expected.sum(), abs=4 * error)


def test_products_with_a_chinese_chip_follow_the_shares_of_their_parts() -> None:
    """Parts are drawn one by one, so that products without a Chinese chip are as rare as that."""
    misses = []
    for seed in range(8):
        economy = build_economy(scenario(makers=800), seed)
        makers, n = economy.makers, economy.makers.n_lines
        chinese = economy.foundries.is_chinese
        share = economy.base_shares[:, :, chinese].sum(axis=2)[makers.odds_row[:n]]
        by_part = share[:, makers.slot_class] * makers.has_slot[:n]
        expected = exposed_share(by_part, np.ones(by_part.shape, dtype=int))
        found = (chinese[makers.supplier] & makers.has_slot)[:n].any(axis=1)
        misses.append(found.mean() - expected.mean())
    assert np.mean(misses) == pytest.approx(0.0, abs=4 * stats.sem(misses) + 1e-3)


def test_the_closed_form_of_exposure() -> None:
    assert exposed_share(0.05, 6) == pytest.approx(1 - 0.95**6)
    assert exposed_share(np.array([0.1, 0.2]), np.array([1, 2])) == pytest.approx(1 - 0.9 * 0.64)
    assert exposed_share(0.0, 39) == 0.0
    assert exposed_share(0.11, 39) == pytest.approx(0.99, abs=0.005)

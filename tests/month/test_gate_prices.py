"""Prices at the factory gate: they follow costs, and the currency of the market (MODEL 4.4)."""

from __future__ import annotations

import numpy as np
import pytest

from tariffsim.calibration import build_economy
from tariffsim.state.economy import Economy
from tests.economies import HELD, STILL, free_trade, last, merged, product, run, scenario

ROUNDING = 1e-9
"""Relative: a few roundings of 1e-16 a month, in prices that add up thousands of chips."""
BARE = {"policies": {"bare": {"kind": "bare_chip_tariff", "rate": 0.5, "start": "2025-01"}}}


def us(economy: Economy) -> int:
    return economy.constants.codes.markets.index("US")


def test_a_duty_on_chips_is_in_ex_works_prices_month_by_month() -> None:
    """Suppliers in place: of the duty `1 - (1 - 1/N)^t` is in the price after t months."""
    slow = merged(STILL, HELD, {"trade": {"maker_pass_through_months": 6.0}})
    pairs = zip(
        run(scenario(slow, makers=520), 2, 8), run(scenario(slow, BARE, makers=520), 2, 8),
        strict=True,
    )  # fmt: skip
    for month, (before, after) in enumerate(pairs, 1):
        duty = after.flows.bare_duty - before.flows.bare_duty
        rise = after.flows.customs_value - before.flows.customs_value
        part = (1 - (5 / 6) ** month) * 1.15
        scale = before.flows.base_price
        np.testing.assert_allclose(rise / scale, part * duty / scale, atol=ROUNDING)
        assert (duty > 0).any()
        # until then the maker bears it
        profit = [e.flows.customs_value - e.flows.unit_cost for e in (before, after)]
        lost = profit[0] - profit[1]
        np.testing.assert_allclose(lost / scale, (duty - rise) / scale, atol=ROUNDING)
        assert (lost[duty > 0] > 0).all() or month > 6


def test_a_currency_makes_up_for_part_of_a_duty_on_all_imports() -> None:
    """25 % on all imports into the US: foreign prices there fall by offset x 0.22 x 25 %."""
    rules = [STILL, HELD, free_trade(), product(0.25), {"trade": {"currency_offset": 0.3}}]
    months = run(scenario(*rules, makers=520), 1, 3)
    economy = next(months)
    assert (economy.flows.exchange == 1).all()  # nobody had paid the duty the month before
    economy = next(months)
    flows, share = economy.flows, economy.constants.covered_import_share[us(economy)]
    assert share == 0.22
    foreign = economy.is_imported & (flows.market == us(economy))
    np.testing.assert_allclose(flows.exchange[foreign], 1 - 0.3 * 0.22 * 0.25, rtol=ROUNDING)
    assert (flows.exchange[~foreign] == 1).all()
    np.testing.assert_allclose(flows.customs_value, flows.ex_works * flows.exchange)
    np.testing.assert_allclose(
        flows.new_duty[foreign], 0.25 * flows.customs_value[foreign], rtol=ROUNDING
    )


@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_without_new_duties_no_currency_moves(offset: float) -> None:
    economy = last(scenario(STILL, {"trade": {"currency_offset": offset}}, makers=520), 1, 3)
    assert (economy.exchange == 1).all()
    np.testing.assert_array_equal(economy.flows.customs_value, economy.flows.ex_works)


def test_standby_and_stocks_of_chips_are_in_the_costs_of_the_base_year() -> None:
    """Other inputs are net of them, so that a product costs what it cost; later they grow."""
    kept = {"orders": {"standby_cost": 0.02, "chip_carrying_cost": 0.02}}
    free = {"orders": {"standby_cost": 0.0, "chip_carrying_cost": 0.0}}
    dear, cheap = (build_economy(scenario(one, makers=520), 3) for one in (kept, free))
    makers = dear.makers
    upkeep = makers.standby_cost + makers.carrying_cost
    np.testing.assert_allclose(makers.other_inputs + upkeep, cheap.makers.other_inputs)
    assert (cheap.makers.standby_cost + cheap.makers.carrying_cost == 0).all()
    bill = makers.chip_value
    second = (bill * makers.has_second_source).sum(axis=1)
    np.testing.assert_allclose(makers.standby_cost, 0.02 * second)
    held = makers.stock_months * bill.sum(axis=1)
    np.testing.assert_allclose(makers.carrying_cost, 0.02 * held)
    assert second.any()
    economy = last(scenario(STILL, HELD, kept, makers=520), 3, 3)
    base = economy.constants.unit_value[economy.makers.device[economy.flows.maker]]
    np.testing.assert_allclose(economy.flows.customs_value, base, rtol=ROUNDING)

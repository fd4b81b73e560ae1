"""Small cases in which this model must agree with three of others, and where it differs."""

from __future__ import annotations

import numpy as np
import pytest

from tariffsim.calibration import build_economy
from tariffsim.state.economy import Economy
from tariffsim.theory import exposed_share
from tests.behaviour.test_cut_offs import EVERYWHERE
from tests.economies import (
    AT_ONCE,
    COMPETITIVE,
    HELD,
    STILL,
    free_trade,
    last,
    merged,
    product,
    run,
    scenario,
)
from tests.other_models.solvers import World, ario_cut_off, armington, ces_partial_equilibrium

DUTY = 0.3
TAXED = product(DUTY, markets=["US"], assembly_countries=["CN"])
PRICES_ARE_COSTS = merged(STILL, HELD, free_trade(), {"trade": COMPETITIVE | AT_ONCE})


def by_origin(economy: Economy, device: str, home: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """(O, M) base expenditure on a device by origin, country or market, and units over the base."""
    flows, codes, constants = economy.flows, economy.constants.codes, economy.constants
    rows = economy.makers.device[flows.maker] == codes.devices.index(device)
    origin = economy.makers.base_origin[flows.maker]
    at = (constants.origin_market[origin] if home else origin), flows.market
    shape = (len(codes.markets) if home else len(codes.origins)), len(codes.markets)
    sums = []
    for units in (flows.base_units, flows.sold):
        sums.append(np.zeros(shape))
        np.add.at(sums[-1], tuple(a[rows] for a in at), (units * flows.base_price)[rows])
    before, after = sums
    return before, np.where(before > 0, after / np.where(before > 0, before, 1.0), 1.0)


# CES partial equilibrium in the manner of the USITC


@pytest.mark.parametrize("device", ["laptop", "smartphone", "television"])
def test_ces_partial_equilibrium(device: str) -> None:
    """With supplies that take any quantity at cost the two are one model.

    The elasticity 1e7 stands for such supplies: producers' prices move by less than 1e-6.
    """
    economy = last(scenario(PRICES_ARE_COSTS, TAXED), 0, 3)
    codes, constants = economy.constants.codes, economy.constants
    d, us = codes.devices.index(device), codes.markets.index("US")
    spent, units = (each[:, us] for each in by_origin(economy, device))
    duty = np.where(np.array(codes.origins) == "CN", DUTY, 0.0)
    sigma, eta = constants.substitution_elasticity[d], constants.demand_elasticity[d]
    shares, sold = spent / spent.sum(), spent > 0
    found = ces_partial_equilibrium(shares, duty, sigma, eta, supply=1e7)
    np.testing.assert_allclose(units[sold], found.units[sold], rtol=1e-5)
    index = economy.cells.price_index[us * len(codes.devices) + d]
    assert index == pytest.approx(found.index, rel=1e-6)
    # By design: supply at constant cost. With a supply elasticity of 10 China's producers bear a
    # part of the duty, and its sales fall by a smaller part: 10 / (10 + sigma) of it or more.
    china = codes.origins.index("CN")
    upward = ces_partial_equilibrium(shares, duty, sigma, eta, supply=10.0)
    part = np.log(upward.units[china]) / np.log(found.units[china])
    assert 10 / (10 + sigma) < part < 1
    assert upward.index < found.index
    assert 1 - DUTY / (1 + DUTY) < upward.producer_price[china] < 1


# Armington with many countries


def world_of(economy: Economy, device: str, weight: float) -> World:
    """Five countries: the device as it is traded, and everything else, nine tenths of it at home.

    `weight` is that of the device in all spending.
    """
    good, _ = by_origin(economy, device, home=True)
    n, spending = len(good), good.sum(axis=0) / weight - good.sum(axis=0)
    rest = np.where(np.eye(n) == 1, 0.9, 0.1 / (n - 1)) * spending
    return World(good, rest)


def test_armington_with_many_countries() -> None:
    """Where the device is a millionth of spending wages stay, and the two are one model."""
    unit = {"figures": {"devices": {"laptop": {"demand_elasticity": 1.0}}}}
    economy = last(scenario(PRICES_ARE_COSTS, TAXED, unit), 0, 3)
    codes = economy.constants.codes
    sigma = economy.constants.substitution_elasticity[codes.devices.index("laptop")]
    _, units = by_origin(economy, "laptop", home=True)
    china, us = codes.markets.index("CN"), codes.markets.index("US")
    duty = np.zeros((len(codes.markets),) * 2)
    duty[china, us] = DUTY
    wage, hats = armington(world_of(economy, "laptop", 1e-6), duty, sigma)
    np.testing.assert_allclose(wage, 1, atol=1e-6)  # of the order of the weight
    np.testing.assert_allclose(hats, units, rtol=1e-5)
    # By design: wages are fixed here. Were the device a fiftieth of spending (an assumption, more
    # than any is), wages in China would fall and imports from it fall less, by 3 %.
    wage, hats = armington(world_of(economy, "laptop", 0.02), duty, sigma)
    assert wage[china] < wage[us]
    assert units[china, us] < hats[china, us] < 1.05 * units[china, us]
    # and the difference is of the order of the weight
    _, half = armington(world_of(economy, "laptop", 0.01), duty, sigma)
    gaps = [np.log(h[china, us] / units[china, us]) for h in (half, hats)]
    assert gaps[1] / gaps[0] == pytest.approx(2, rel=0.1)


# ARIO for a cut-off


LOST = 0.999
"""Of deliveries: who gets nothing at all looks for another supplier, which ARIO does not have."""
CUT = {
    "kind": "chip_cutoff", "denied": LOST, "start": "2025-02", "chip_regions": ["CN"],
    "markets": EVERYWHERE,
}  # fmt: skip
ALONE = {
    "second_source_factor": 0.0, "emergency_share": 1.0, "backlog_share": 0.0, "restart_weeks": 0.0,
}  # fmt: skip
MONTHS = 10


def test_ario_for_a_cut_off() -> None:
    """Line by line: a sector with stocks that stops when they are used up.

    ARIO's production falls with stocks once these are below a part of their target; it is the
    model's where that part is one month's use.
    """
    still = merged(STILL, HELD, free_trade(), {"orders": ALONE})
    plain, rules = scenario(still), scenario(still, {"policies": {"cut": CUT}})
    base = build_economy(rules, 0)
    makers = base.makers
    chinese = base.foundries.is_chinese[makers.supplier] & makers.has_slot
    lines = np.flatnonzero(makers.is_made)
    with_cut, without = (
        np.array([e.makers.units[lines] for e in run(one, 0, MONTHS + 1)][1:])
        for one in (rules, plain)
    )
    made = with_cut / without
    exposed = chinese[lines].any(axis=1)
    np.testing.assert_allclose(made[:, ~exposed], 1, rtol=1e-9)
    stocks = makers.stock_months[lines]
    for stock in np.unique(stocks[exposed]):
        same = exposed & (stocks == stock)
        expected = ario_cut_off(LOST, stock, MONTHS, threshold=1 / stock)
        # here a thousandth comes of what is ordered to refill stocks, too
        within = (1 - LOST) * stock + 1e-9
        np.testing.assert_allclose(made[:, same].T, [expected] * same.sum(), rtol=0, atol=within)
    # By design: ARIO has one pool of chips for a sector, and loses the share that is cut; here a
    # line stops for want of one part, so that 1 - (1 - s)^n of them do.
    share = chinese[lines].sum() / makers.has_slot[lines].sum()
    pooled = ario_cut_off(share, stocks.mean(), 60, threshold=1 / stocks.mean())
    assert pooled[-1] == pytest.approx(1 - share)
    parts = makers.has_slot[lines].sum(axis=1)
    stopped = np.mean([exposed_share(share, int(n)) for n in parts])
    # shares differ by class, device and country: the mean line is stopped less often than this
    assert 0.7 * stopped < exposed.mean() < stopped
    # three lines in ten go on, where ARIO has eight tenths of production
    assert 0.2 < 1 - exposed.mean() < 0.4 < 0.7 < pooled[-1]


def test_ario_slows_down_earlier() -> None:
    """By design: in ARIO production falls with stocks below 80 % of their target, here at the end.

    As much is made of the same stock; only the months differ. Days are steps of a thirtieth.
    """
    at_end = ario_cut_off(1.0, 3.0, 36, threshold=1 / 3, steps=1)
    slowing = ario_cut_off(1.0, 3.0, 36, threshold=0.8, steps=30)
    assert list(at_end[:4]) == [1, 1, 1, 0]
    assert slowing[1] < 0.9
    assert slowing[3] > 0.1
    assert slowing.sum() == pytest.approx(at_end.sum(), rel=1e-5)  # stocks halve every two months

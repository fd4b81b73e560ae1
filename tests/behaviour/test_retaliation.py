"""What China does back: counter-subsidies and tariffs of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tariffsim.kernels.supply import counter_subsidy_share
from tariffsim.state.ledger import PAYMENTS, sectors
from tests.economies import (
    COMPETITIVE,
    NO_STOCKS,
    STILL,
    component,
    free_trade,
    last,
    merged,
    run,
    scenario,
)

OFFSET = {"kind": "counter_subsidy", "start": "2025-01"}


def offset(part: float) -> dict[str, Any]:
    return {"policies": {"offset": OFFSET | {"share": part}}}


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0, 3.0])
def test_price_after_a_duty_made_good_is_the_price_before(rate: float) -> None:
    part = counter_subsidy_share(np.array([rate]), 1.0)
    assert (1 - part) * (1 + rate) == pytest.approx([1.0], rel=1e-15)
    assert counter_subsidy_share(np.array([rate]), 0.0) == 0.0


def test_duty_made_good_moves_nobody() -> None:
    """All of it given back, chips cost what they did (no other duty) and suppliers are the same."""
    alone = merged(STILL, free_trade())
    free = scenario(alone, makers=200)
    answered = scenario(alone, component(1.0), offset(1.0), makers=200)
    taxed = scenario(alone, component(1.0), makers=200)
    before, after, without = (last(s, 0, 24).makers for s in (free, answered, taxed))
    sold = before.is_made  # of versions that no market has the rows mean nothing
    for other in (after, without):
        np.testing.assert_array_equal(other.is_made, sold)
    np.testing.assert_array_equal(after.supplier[sold], before.supplier[sold])
    assert (without.supplier != before.supplier)[sold].any()


def test_china_pays_what_the_importer_owes() -> None:
    """On lines sold in the levying market alone, offset one: outlay is the duty, month by month."""
    world = scenario(
        STILL, component(0.5, markets=["US", "EU", "JK", "CN", "ROW"]), offset(1.0), makers=200
    )
    for economy in run(world, 0, 6):
        flows, makers = economy.flows, economy.makers
        given = (makers.chip_counter_subsidy * makers.units[:, None]).sum()
        assert given == pytest.approx((flows.new_duty * flows.units).sum(), rel=1e-12)


def test_only_exposed_makers_get_it() -> None:
    world = last(scenario(STILL, component(0.5), offset(0.5), makers=200), 0, 12)
    makers, codes, sold = world.makers, world.constants.codes, world.makers.is_made
    exposed = makers.weights[sold, codes.markets.index("US")] > 0
    chinese = (world.foundries.is_chinese[makers.supplier] & makers.has_slot)[sold]
    given = makers.chip_counter_subsidy[sold]
    assert not exposed.all()
    assert (given[~exposed] == 0).all()
    assert (given[~chinese] == 0).all()
    assert (given[exposed[:, None] & chinese] > 0).all()


def test_more_is_given_back_the_more_chips_stay() -> None:
    """The share of Chinese chips never falls as the offset rises (prices fixed, same draws)."""
    shares = []
    for part in (0.0, 0.3, 0.6, 1.0):
        world = last(
            scenario(STILL, {"trade": COMPETITIVE}, component(0.8), offset(part), makers=400), 1, 36
        )
        makers = world.makers
        chips = makers.chips * makers.units[:, None]
        shares.append((chips * world.foundries.is_chinese[makers.supplier]).sum() / chips.sum())
    assert shares == sorted(shares)
    assert shares[0] < shares[-1]


def test_retaliation_falls_on_american_chips_where_china_assembles() -> None:
    answer = {"kind": "retaliatory_tariff", "rate": 0.25, "start": "2025-01"}
    world = last(scenario(merged(STILL, {"policies": {"answer": answer}}), makers=400), 0, 1)
    makers, flows, codes = world.makers, world.flows, world.constants.codes
    american = world.foundries.region[makers.supplier] == codes.regions.index("US")
    of_makers = 0.25 * (makers.chip_value * (american & makers.has_slot)).sum(axis=1)
    in_china = (flows.origin == codes.origins.index("CN")) & makers.is_made[flows.maker]
    expected = of_makers[flows.maker][in_china]
    # 1e-12: the parts of a product are added up in another order
    np.testing.assert_allclose(flows.bare_duty[in_china], expected, rtol=1e-12)
    assert expected.any()
    assert (expected == 0).any()


def test_what_is_made_good_is_paid_by_the_treasury_of_china() -> None:
    """Without stocks makers are billed for the chips they use, less the rebate on each of them."""
    rules = scenario(STILL, {"orders": NO_STOCKS}, component(0.5), offset(0.5), makers=60)
    world = last(rules, 0, 3)
    makers, foundries = world.makers, world.foundries
    given = (makers.chip_counter_subsidy * makers.units[:, None]).sum()
    assert given > 0
    paid = world.ledger[PAYMENTS.index("counter-subsidies")]
    columns = sectors(world.constants.codes.markets)
    assert paid[columns.index("government CN")] == pytest.approx(-given, rel=1e-12)
    assert paid[columns.index("foundries CN")] == pytest.approx(given, rel=1e-12)
    price = foundries.price[makers.supplier, makers.slot_class]
    bill = (makers.chips * price * makers.units[:, None]).sum() - given
    booked = world.ledger[PAYMENTS.index("chips for devices")]
    assert booked[booked > 0].sum() == pytest.approx(bill, rel=1e-12)


def test_a_duty_by_the_chip_is_made_good_too() -> None:
    """Two cents a chip in all markets are `r = 0.02 / p` of the price, rebated as any rate is."""
    everywhere = component(0.02, per="chip", markets=["US", "EU", "JK", "CN", "ROW"])
    world = last(scenario(STILL, everywhere, offset(0.5), makers=60), 0, 2)
    makers, foundries = world.makers, world.foundries
    price = foundries.price[makers.supplier, makers.slot_class]
    rate = 0.02 / price
    is_chinese = foundries.is_chinese[makers.supplier] & makers.has_slot
    given = np.where(is_chinese, 0.5 * rate / (1 + rate) * price * makers.chips, 0.0)
    assert given.any()
    sold = makers.is_made
    np.testing.assert_allclose(makers.chip_counter_subsidy[sold], given[sold], rtol=1e-12)

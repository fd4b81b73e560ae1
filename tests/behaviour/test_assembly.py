"""Counterfactual products: a line as it is has its own cost, chips and customs value."""

from __future__ import annotations

import numpy as np

from tariffsim.behaviour.assembly import counterfactual_product, country_weights, expected_duty
from tariffsim.law.expectations import Future
from tests.economies import STILL, free_trade, last, product, scenario

ROUNDING = 1e-12  # of a sum of ten products


def test_a_line_as_it_is_has_its_own_cost_and_chips() -> None:
    duty = {"kind": "component_tariff", "rate": 0.5, "start": "2025-01"}
    rebate = {"kind": "counter_subsidy", "share": 0.5, "start": "2025-01"}
    bare = {"kind": "bare_chip_tariff", "rate": 0.3, "start": "2025-02", "markets": ["EU"]}
    policies = {"duty": duty, "rebate": rebate, "bare": bare}
    economy = last(scenario({"policies": policies}, makers=120), 0, 6)
    makers, regime = economy.makers, economy.policy.regime
    assert makers.chip_counter_subsidy.any()
    assert makers.bare_duty.any()
    future = Future(regime, economy.tariff_schedule.tables(regime), np.ones((1, 1)))
    found = counterfactual_product(
        economy, np.arange(120), makers.supplier, makers.origin[:, None],
        economy.foundries.price, future,
    )  # fmt: skip
    np.testing.assert_allclose(found.cost[:, 0], makers.unit_cost, rtol=ROUNDING)
    value = found.shipments.chip_value[:, 0, 0]
    np.testing.assert_allclose(value, makers.chip_value, rtol=ROUNDING)
    at_customs = found.shipments.customs_value[:, 0, 0]
    np.testing.assert_allclose(at_customs, makers.customs_value, rtol=ROUNDING)


def test_odds_of_countries_follow_cost_and_duty() -> None:
    """`odds (c_0 / c)^sigma` by hand, of lines that pay for no switch, and for one of 2 USD.

    `c` has the duty of a quarter on what is assembled in China for the US, and the instalments of
    the switch, wherever the line is; `c_0`, the cost of the base year, has neither.
    """
    tariff = product(0.25, assembly_countries=["CN"], markets=["US"])
    economy = last(scenario(STILL, free_trade(), tariff, makers=60), 0, 1)
    makers, codes = economy.makers, economy.constants.codes
    makers.amortised[:] = 0.0
    makers.amortised[::2, 0], makers.amortised_until[::2, 0] = 2.0, 99
    instalment = np.where(np.arange(60) % 2 == 0, 2.0, 0.0)[:, None]
    other = makers.other_inputs[:, None] * economy.constants.relative_cost[makers.base_origin]

    def with_chips(price: np.ndarray) -> np.ndarray:
        of_supplier = price[makers.supplier, np.arange(price.shape[1])]
        return other + (makers.chips * of_supplier).sum(axis=1)[:, None]

    cost = with_chips(economy.foundries.price) + instalment
    in_us = makers.weights[:, codes.markets.index("US")]
    rate = np.outer(in_us, 0.25 * (np.array(codes.origins) == "CN"))
    landed = cost * (1 + rate * (1 + economy.scenario.trade.markup))
    ratio = with_chips(economy.foundries.base_price) / landed
    odds = economy.origin_odds[makers.odds_row] * ratio**economy.scenario.assembly.elasticity
    assert (rate > 0.1).any()
    np.testing.assert_allclose(country_weights(economy, np.arange(60)), odds, rtol=ROUNDING)


def test_what_triggers_take_is_none_of_what_chips_owe_anyhow() -> None:
    """A plan of suppliers that avoids triggers weighs their duty, and no component duty."""
    laws = {
        "chips": {"kind": "component_tariff", "rate": 0.5, "start": "2025-01"},
        "whole": {"kind": "product_tariff", "rate": 0.1, "start": "2025-01",
                  "only_with_chips_from": ["CN"]},
    }  # fmt: skip
    found = {}
    for names in (("chips",), ("whole",), ("chips", "whole")):
        policies = {"policies": {name: laws[name] for name in names}}
        economy = last(scenario(STILL, policies, makers=60), 0, 1)
        makers, regime = economy.makers, economy.policy.regime
        law_of_month = Future(regime, economy.tariff_schedule.tables(regime), np.ones((1, 1)))
        lines = np.arange(60)
        product = counterfactual_product(
            economy, lines, makers.supplier, makers.origin[:, None],
            economy.foundries.price, law_of_month,
        )  # fmt: skip
        found[names] = expected_duty(economy, lines, product, law_of_month, triggers_only=True)
    assert not found["chips",].any()
    assert found["whole",].any()
    np.testing.assert_allclose(found["chips", "whole"], found["whole",], rtol=ROUNDING)

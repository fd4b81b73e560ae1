"""Counterfactual products: a line as it is has its own cost, chips and customs value."""

from __future__ import annotations

import numpy as np

from tariffsim.behaviour.assembly import counterfactual_product
from tariffsim.law.expectations import Future
from tests.economies import last, scenario

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

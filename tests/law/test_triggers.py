"""Triggers: a threshold that is not reached is no tariff, and clean lines stay clean."""

from __future__ import annotations

from typing import Any

import numpy as np

from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.simulation import Simulation
from tariffsim.state.economy import Economy

START = {"rate": 0.5, "start": "2025-03"}


def with_policy(**policy: Any) -> Scenario:
    small = {"agents__makers": 200, "run__end": "2026-12", "policies__it": START | policy}
    small["compliance__behaviour"] = "compliant"  # every importer pays
    return replace(load_scenario("baseline"), **small)


def last_month(scenario: Scenario) -> Economy:
    simulation = Simulation(scenario, 0)
    simulation.run()
    return simulation.economy


def covered_lines(economy: Economy) -> np.ndarray:
    """Flows to the US with a Chinese chip inside."""
    makers, flows = economy.makers, economy.flows
    in_us = flows.market == economy.constants.codes.markets.index("US")
    return in_us & economy.foundries.is_chinese[makers.supplier].any(axis=1)[flows.maker]


def test_a_threshold_out_of_reach_is_no_tariff() -> None:
    policy = {"kind": "component_tariff", "threshold": 1.0}
    with_it = last_month(with_policy(**policy))
    without = last_month(with_policy(**policy, markets=["CN"], chip_regions=["US"]))
    in_use = np.unique(with_it.flows.maker)  # other rows are versions that nobody makes
    assert (in_use == np.unique(without.flows.maker)).all()
    assert (with_it.makers.supplier[in_use] == without.makers.supplier[in_use]).all()
    assert (with_it.flows.origin == without.flows.origin).all()
    # The same duties are averaged over one legal regime more, which rounds to 1e-15.
    np.testing.assert_allclose(with_it.flows.units, without.flows.units, rtol=1e-12)


def test_a_threshold_weakens_a_tariff() -> None:
    """The higher the threshold, the more lines keep a Chinese chip."""
    policy = {"kind": "component_tariff"}
    kept = [
        covered_lines(last_month(with_policy(**policy, threshold=threshold))).sum()
        for threshold in (0.0, 0.02, 1.0)
    ]
    assert kept[0] < kept[2]
    assert kept[1] <= kept[2]


def test_a_content_trigger_empties_lines_of_covered_chips() -> None:
    """A quarter of the product's value is at stake: lines that can leave the covered chip do."""
    policy = {"kind": "product_tariff", "only_with_chips_from": ["CN"]}
    with_it = covered_lines(last_month(with_policy(**policy, rate=0.25))).sum()
    without = covered_lines(last_month(with_policy(**policy, rate=0.0))).sum()
    assert with_it < 0.8 * without

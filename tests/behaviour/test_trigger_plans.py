"""Plans of designs, where one chip taxes the whole product: the cheapest is taken (MODEL 4.2)."""

from __future__ import annotations

import numpy as np
import pytest

from tariffsim.behaviour.decisions import avoid_triggers
from tariffsim.behaviour.sourcing import OpenSlots, choice_set
from tariffsim.state.economy import Economy
from tests.economies import HELD, STILL, last, scenario

RATE = 5.0
LASTING = 1e6
"""Factor on the odds of what is in place: nobody leaves a supplier for a better match alone."""


def china_for_all() -> Economy:
    """Chinese chips everywhere; they tax products in the US, chips from Taiwan those in the EU."""
    trigger = {"kind": "product_tariff", "rate": RATE, "start": "2025-01"}
    laws = {
        "china": trigger | {"markets": ["US"], "only_with_chips_from": ["CN"]},
        "taiwan": trigger | {"markets": ["EU"], "only_with_chips_from": ["TW"]},
    }
    economy = last(scenario(STILL, HELD, {"policies": laws}, makers=600), 0, 1)
    makers = economy.makers
    makers.supplier[:] = makers.next_supplier[:] = foundry(economy, "CN")
    makers.switch_month[:], makers.inertia[:] = -1, LASTING
    return economy


def foundry(economy: Economy, region: str) -> int:
    """The first foundry of a region."""
    number = economy.constants.codes.regions.index(region)
    return int(np.flatnonzero(economy.foundries.region == number)[0])


def lines_for_the_us(economy: Economy) -> np.ndarray:
    """Lines of several chips, assembled abroad, sold in the US and not in the EU."""
    makers, codes = economy.makers, economy.constants.codes
    us, eu = (makers.weights[:, codes.markets.index(market)] for market in ("US", "EU"))
    is_abroad = makers.base_origin != codes.origins.index("US")
    lines = np.flatnonzero((us > 0.2) & (eu == 0) & is_abroad & (makers.has_slot.sum(axis=1) > 1))
    assert len(lines) > 5
    return lines


def opened(economy: Economy, lines: np.ndarray) -> OpenSlots:
    """All slots of lines open, but those that wait; the best match but for what is there is TW."""
    makers = economy.makers
    is_of_lines = np.isin(np.arange(len(makers)), lines)[:, None]
    rows = makers.slots(np.flatnonzero(makers.has_slot & is_of_lines))
    noise = np.ones((len(rows), len(economy.foundries)))
    noise[:, foundry(economy, "TW")] = 1e-4
    opens = np.ones(len(rows), dtype=bool)
    return OpenSlots(
        rows, makers.switch_month.take(rows.place) < 0, opens, opens, np.arange(len(noise)), noise
    )


@pytest.mark.parametrize("follows", ["TW", "CN"])
def test_a_supplier_under_way_counts_as_if_it_delivered(follows: str) -> None:
    """One class of chips waits for a supplier from Taiwan or, another one, from China.

    With the first, leaving China frees the product of the duty in the US, and as nothing is sold in
    the EU the other chips come from Taiwan too; with the second it would free it of nothing.
    """
    economy = china_for_all()
    makers, lines = economy.makers, lines_for_the_us(economy)
    waiting = makers.has_slot[lines].argmax(axis=1)
    makers.switch_month[lines, waiting] = economy.month + 6
    makers.next_supplier[lines, waiting] = foundry(economy, follows)
    slots = opened(economy, lines)
    in_place = makers.supplier.take(slots.rows.place)
    none = np.zeros(len(slots.rows))
    chosen, _ = avoid_triggers(choice_set(economy), economy, slots, in_place, none)
    assert (chosen[slots.is_free] == foundry(economy, follows)).all()
    assert (chosen[~slots.is_free] == foundry(economy, "CN")).all()


def test_a_plan_that_costs_more_than_it_saves_does_not_stand_in_the_way() -> None:
    """Plan A avoids the duty at the worst of matches, plan B at a good one: B it is."""
    economy = china_for_all()
    makers, codes = economy.makers, economy.constants.codes
    lines = lines_for_the_us(economy)
    in_us = makers.weights[lines, codes.markets.index("US")]
    duty = RATE * in_us * makers.customs_value[lines] / makers.chip_value[lines].sum(axis=1)
    sigma = economy.scenario.sourcing.elasticity
    worst = np.log(LASTING * 1e300) / sigma  # match loss of plan A, in chip bills: ln / sigma
    lines = lines[(duty > 5) & (duty < 0.5 * worst)]
    assert len(lines) > 3
    slots = opened(economy, lines)
    slots.draws[:, foundry(economy, "JP")] = 1e300
    plan_a = np.full(len(slots.rows), foundry(economy, "JP"))
    none = np.zeros(len(slots.rows))
    chosen, _ = avoid_triggers(choice_set(economy), economy, slots, plan_a, none)
    assert (chosen == foundry(economy, "TW")).all()

"""Lines that give markets a version of their own: when they split, and what it costs (E16)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffsim import theory
from tariffsim.behaviour import platforms
from tariffsim.behaviour.sourcing import choice_set, choice_weights
from tariffsim.experiments.ensemble import run_ensemble
from tariffsim.kernels.sourcing import choice_probabilities, switching_utility
from tariffsim.record.result_tables import headline
from tariffsim.state.economy import Economy
from tariffsim.state.ledger import PAYMENTS, check_accounting_identities
from tariffsim.state.makers import SlotRows
from tests.economies import (
    ALL_OPEN,
    COMPLIANT,
    STILL,
    component,
    each_device,
    last,
    merged,
    run,
    scenario,
)

NEVER = 1e6
"""Overhead, in chip bills, that no gain is worth."""
QUICK: dict[str, Any] = {
    "figures": {"devices": each_device(design_cycle_months=4, requalification_months=2)}
}
ONE_FOR_ALL = {"sourcing": {"version_overhead": NEVER}}
STAYING = {"assembly": {"shift_hazard": 0.0, "plant_hazard": 0.0}}
US, WEST = ["US"], ["US", "EU", "JK"]
DUTY = component(0.5)


def focus(*markets: str, **fields: Any) -> dict[str, Any]:
    return {"agents": {"focus": list(markets), **fields}}


# Without a cause no line splits.


@given(
    lead=st.floats(0, 1e3),
    cost=st.floats(0, 1e3),
    part=st.floats(1e-3, 1),
    sigma=st.floats(0.1, 10),
)
def test_no_part_of_a_line_gains_more_alone(
    lead: float, cost: float, part: float, sigma: float
) -> None:
    alone = theory.gain_of_switch(np.array(lead), np.array(cost), sigma, part)
    together = theory.gain_of_switch(np.array(lead), np.array(cost), sigma)
    assert alone <= together + 1e-9 * max(lead, 1)


@given(cost=st.floats(0, 1e4), part=st.floats(0.01, 1), sigma=st.floats(0.1, 10))
def test_one_switch_costs_less_for_the_whole_line_than_for_its_parts(
    cost: float, part: float, sigma: float
) -> None:
    each = [
        float(switching_utility(np.array(cost), np.array(w), np.inf, sigma))
        for w in (part, 1 - part, 1.0)
    ]
    assert each[2] <= each[0] + each[1] + 1e-9 * (1 + each[2])
    assert each[0] <= each[2] + 1e-9 * (1 + each[2])


def test_lines_do_not_split_without_a_duty_that_some_markets_do_not_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even if they weigh it, and a version costs nothing: markets differ in nothing that counts."""
    free = {"sourcing": {"version_overhead": 0.0}}
    monkeypatch.setattr(platforms, "markets_apart", _us_alone)
    economy = last(scenario(STILL, STAYING, QUICK, free, makers=700), 0, 24)
    weighed = economy.makers.weighed_month >= 0
    assert weighed.sum() > 40
    assert not economy.makers.is_split.any()
    assert (economy.makers.split_gain <= 0).all()


def _us_alone(economy: Economy) -> np.ndarray:
    codes = economy.constants.codes
    is_us = np.array([market == "US" for market in codes.markets])
    return np.repeat(is_us[None], len(codes.devices), axis=0)


@pytest.mark.parametrize(
    "law",
    [
        component(0.0),
        component(0.5, start="2031-01", announced="2031-01"),
        component(0.5, markets=["US", "EU", "JK", "ROW"]),
        component(0.5, markets=["EU"]),
        component(0.5, chip_regions="all"),
        {"policies": {"p": {"kind": "product_tariff", "rate": 0.5, "start": "2025-01"}}},
        {
            "policies": {
                "b": {"kind": "bare_chip_tariff", "rate": 0.5, "start": "2025-01"},
            }
        },
    ],
    ids=["zero", "later", "all", "elsewhere", "any origin", "product", "unmounted"],
)
def test_no_line_weighs_versions_where_no_market_apart_asks_for_the_origin_of_chips(
    law: dict[str, Any],
) -> None:
    tariff = law["policies"].get("component", {})
    markets = tariff["markets"] if "ROW" in tariff.get("markets", ()) else US
    economy = last(scenario(COMPLIANT, QUICK, focus(*markets), law, makers=700), 0, 6)
    assert (economy.makers.own_version >= 0).any()
    assert (economy.makers.weighed_month < 0).all()


# With an overhead that nothing is worth, and with none.


def test_infinite_overhead_is_one_choice_for_all_markets_bit_for_bit_at_any_focus() -> None:
    laws = merged(
        DUTY,
        {"policies": {"t": {"kind": "product_tariff", "rate": 0.1, "start": "2025-03",
                            "only_with_chips_from": ["TW"], "markets": ["EU"]}}},
    )  # fmt: skip
    found = []
    for markets in (US, WEST, ["CN"]):
        case = scenario(QUICK, ONE_FOR_ALL, focus(*markets, other_markets_weight=1.0), laws,
                        makers=700)  # fmt: skip
        found.append(last(case, 3, 8))
    weighed = [(economy.makers.weighed_month >= 0).sum() for economy in found]
    assert weighed[0] > 10
    assert weighed[1] > weighed[0]
    assert weighed[2] == 0  # what is sold in China is sold nowhere else
    for other in found[1:]:
        n = other.makers.n_lines
        for name in ("supplier", "switch_month", "second_source", "amortised", "stock",
                     "compliance_distortion"):  # fmt: skip
            ours, its = (getattr(e.makers, name)[:n] for e in (found[0], other))
            assert (ours == its).all(), name
        for name in ("price", "units", "new_duty", "origin"):
            assert (getattr(found[0].flows, name) == getattr(other.flows, name)).all(), name
        assert (found[0].ledger == other.ledger).all()


def test_without_costs_versions_choose_like_lines_for_one_market() -> None:
    """What is sold in the US comes from China as often as a logit for the US alone has it."""
    free = {"sourcing": {"version_overhead": 0.0}}
    economy = last(scenario(STILL, STAYING, ALL_OPEN, free, DUTY, makers=2000), 0, 1)
    makers, choices = economy.makers, choice_set(economy)
    lines = np.flatnonzero(makers.own_version >= 0)
    assert makers.is_split[lines].mean() > 0.3
    is_us = np.array([market == "US" for market in economy.constants.codes.markets])
    slots = _slots_of(economy, lines)
    weights = makers.line_weights[slots.maker]
    own = choice_weights(choices, slots.for_markets(np.where(is_us, 1.0, 0.0 * weights)))
    rest = np.where(is_us, 0.0, weights)
    common = choice_weights(choices, slots.for_markets(rest / rest.sum(axis=1, keepdims=True)))
    is_split = makers.is_split[slots.maker]
    row = np.where(is_split, makers.own_version[slots.maker], slots.maker)
    bought = [_taken(economy, of, slots.part) for of in (row, slots.maker)]
    chinese = economy.foundries.is_chinese
    for taken, of in zip(bought, (own, common), strict=True):
        p = choice_probabilities(of)[:, chinese].sum(axis=1)
        error = np.sqrt((p * (1 - p)).sum())
        assert abs(chinese[taken].sum() - p.sum()) < 4 * error
    assert chinese[bought[0]].mean() < 0.8 * chinese[bought[1]].mean()
    part = theory.versions_part(own, common)
    error = np.sqrt((part * (1 - part)).sum())
    assert abs((bought[0] != bought[1]).sum() - part.sum()) < 4 * error


def _slots_of(economy: Economy, lines: np.ndarray) -> SlotRows:
    makers = economy.makers
    line, part = np.nonzero(makers.has_slot[lines])
    return makers.slots(lines[line] * len(makers.slot_class) + part)


def _taken(economy: Economy, rows: np.ndarray, part: np.ndarray) -> np.ndarray:
    makers = economy.makers
    waits = makers.switch_month[rows, part] >= 0
    return np.where(waits, makers.next_supplier[rows, part], makers.supplier[rows, part])


# What versions cost, and whose they are.


def test_versions_of_products_are_paid_for_by_their_makers() -> None:
    cheap = {"sourcing": {"version_overhead": 0.001}}
    for economy in run(scenario(COMPLIANT, QUICK, cheap, DUTY, makers=700), 0, 8):
        check_accounting_identities(economy)
    makers, flows = economy.makers, economy.flows
    own = (flows.maker != flows.line) & makers.is_split[flows.line]
    assert own.sum() > 3
    price = economy.constants.chip_price[makers.slot_class]
    each = 0.001 * (makers.chips[flows.maker] * price).sum(axis=1) * own
    paid = -np.minimum(economy.ledger[PAYMENTS.index("versions of products")], 0).sum()
    assert paid == pytest.approx((each * flows.units).sum())
    markets = economy.constants.codes.markets
    assert {markets[m] for m in flows.market[own]} == {"US"}
    units = np.bincount(flows.maker, flows.base_units, len(makers))
    share = units / np.bincount(flows.line, flows.base_units)[makers.line]
    assert makers.share[makers.is_made] == pytest.approx(share[makers.is_made])


def test_a_version_that_is_weighed_but_not_made_lacks_nothing() -> None:
    """Lines that stood still for want of chips weigh a version: it does not restart with them."""
    short = {"policies": {"cut": {"kind": "chip_cutoff", "denied": 0.5, "start": "2025-02"}}}
    no_stocks = {"orders": {"stock_factor": 0.0}}
    stood = 0
    for economy in run(scenario(COMPLIANT, QUICK, ONE_FOR_ALL, DUTY, short, no_stocks), 0, 4):
        makers = economy.makers
        weighs = makers.weighed_month == economy.month
        stood += (weighs & (makers.fill_rate < 1)).sum()
        assert (makers.fill_rate[~makers.is_made] == 1).all()
    assert stood > 20


def test_a_split_leaves_what_is_under_way_and_shares_out_the_stock() -> None:
    case = scenario(COMPLIANT, QUICK, DUTY, makers=700)
    before: dict[str, np.ndarray] = {}
    found = 0
    for economy in run(case, 0, 10):
        makers = economy.makers
        new = makers.is_split & (makers.weighed_month == economy.month)
        new = new & ~before["has_two"] if before else np.zeros_like(new)
        for line in np.flatnonzero(new):
            own = makers.own_version[line]
            waits = (before["switch_month"][line] > economy.month) & makers.has_slot[line]
            found += waits.sum()
            for name in ("next_supplier", "switch_month"):
                held = before[name][line][waits]
                assert (getattr(makers, name)[line][waits] == held).all()
                assert (getattr(makers, name)[own][waits] == held).all()
            held = makers.opening_stock[[line, own]].sum(axis=0)
            assert held == pytest.approx(before["stock"][line])
        before = {
            name: getattr(makers, name).copy()
            for name in ("switch_month", "next_supplier", "stock")
        }
        before["has_two"] = makers.is_made[makers.own_version]
    assert found > 0


def test_lines_merge_when_the_duty_goes_and_are_one_again_in_the_end() -> None:
    sudden = component(1.0, end="2026-01", end_known=False)
    split, united = [], 0
    for economy in run(scenario(COMPLIANT, QUICK, sudden, makers=700), 0, 48):
        makers = economy.makers
        split.append(int(makers.is_split.sum()))
        united = int((~makers.is_split & (makers.own_version >= 0)).sum())
        made = makers.is_made[makers.own_version[makers.own_version >= 0]].sum()
    assert max(split) > 10
    assert split[-1] < 0.2 * max(split)
    assert made < 0.5 * max(split)
    assert united > 0


def test_metrics_say_how_much_is_sold_in_versions_and_what_turns_up_elsewhere() -> None:
    short = {"run": {"start": "2025-01", "end": "2025-08"}}
    cheap = {"sourcing": {"version_overhead": 0.0}}
    base, own = (scenario(COMPLIANT, QUICK, cheap, short, law, makers=700) for law in ({}, DUTY))
    table = run_ensemble({"duty": own}, base, [0], name="base").table.set_index("scenario")
    assert table.loc["base", "own_version_share"] == 0
    assert 1 < table.loc["duty", "own_version_share"] < 100
    change = table.loc["duty"] - table.loc["base"]
    assert change["cn_chips"] < 0
    summaries = {name: [table.loc[name].to_dict()] * 2 for name in table.index}
    (found,) = (
        row
        for row in headline(summaries, "base")
        if (row["scenario"], row["metric"]) == ("duty", "resource_shuffling")
    )
    part = -100 * change["cn_chips_elsewhere"] / change["cn_chips"]
    assert found["level"] == pytest.approx(part)

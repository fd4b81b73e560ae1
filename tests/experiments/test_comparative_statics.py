"""The static limit: against closed forms, and as that to which the simulation comes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tariffsim.calibration import build_economy
from tariffsim.experiments.comparative_statics import METRICS, compare_static, steady_state
from tariffsim.scenario import replace
from tariffsim.state.economy import Economy
from tariffsim.theory import exact_hat, shifted_shares
from tests.cli.calling import call, json_of
from tests.economies import (
    ALL_OPEN,
    AT_ONCE,
    COMPETITIVE,
    STILL,
    component,
    free_trade,
    last,
    merged,
    product,
    run,
    scenario,
)

RUN = {"run": {"start": "2025-01", "end": "2027-12"}}
DUTY = component(0.5, markets=["US", "EU", "JK"])


def test_without_a_cause_the_static_limit_is_the_base_year() -> None:
    state = steady_state(scenario(STILL, RUN), 1)
    economy = state.economy
    makers, (maker, part) = economy.makers, np.divmod(state.place, economy.makers.supplier.shape[1])
    base = economy.base_shares[makers.odds_row[maker], makers.slot_class[part]]
    np.testing.assert_allclose(state.shares, base, atol=1e-12)  # roundings of a few hundred terms
    assert (economy.flows.origin == makers.base_origin[economy.flows.maker]).all()


def test_suppliers_have_logit_shares_at_prices_and_duties_in_full() -> None:
    """No base duties, no inertia: `s c^-sigma`, with a price cut of 10 points and a duty of half.

    The duty begins late and was announced early; the law of the last month is what counts.
    """
    policies = merged(
        component({"2027-06": 0.5}, markets=["US", "EU", "JK"], announced="2025-01"),
        {"policies": {"cut": {"kind": "price_cut", "points": 0.1, "start": "2025-01"}}},
    )
    state = steady_state(scenario(STILL, ALL_OPEN, free_trade(), RUN, policies), 0)
    economy = state.economy
    makers, (maker, part) = economy.makers, np.divmod(state.place, economy.makers.supplier.shape[1])
    markets = economy.constants.codes.markets
    levied = makers.weights[:, [markets.index(m) for m in ("US", "EU", "JK")]].sum(axis=1)
    chinese = economy.foundries.is_chinese
    ratio = np.where(chinese, (1 - 0.3) / (1 - 0.2), 1.0) * (
        1 + 0.5 * levied[maker, None] * chinese
    )
    base = economy.base_shares[makers.odds_row[maker], makers.slot_class[part]]
    expected = shifted_shares(base, ratio, economy.scenario.sourcing.elasticity)
    np.testing.assert_allclose(state.shares, expected, atol=1e-12)


def test_prices_and_demand_are_those_of_exact_hat_algebra() -> None:
    """Prices are costs, and a duty of 30 % on what comes from China is passed on in full."""
    rules = scenario(
        STILL, RUN, free_trade(), {"trade": COMPETITIVE | AT_ONCE},
        product(0.3, markets=["US"], assembly_countries=["CN"]),
    )  # fmt: skip
    economy = steady_state(rules, 0).economy
    flows, constants = economy.flows, economy.constants
    for device in range(len(constants.codes.devices)):
        cell = constants.codes.markets.index("US") * len(constants.codes.devices) + device
        rows = flows.cell == cell
        hat = exact_hat(
            flows.base_share[rows], (flows.price / flows.base_price)[rows],
            constants.substitution_elasticity[device], constants.demand_elasticity[device],
        )  # fmt: skip
        growth = economy.cells.growth[cell]
        np.testing.assert_allclose(flows.orders[rows], flows.base_units[rows] * hat.units * growth)
        assert economy.cells.price_index[cell] == pytest.approx(hat.price_index)
    taxed = (flows.market == constants.codes.markets.index("US")) & (
        flows.origin == constants.codes.origins.index("CN")
    )
    np.testing.assert_allclose(flows.price[taxed] / flows.customs_value[taxed], 1.3)


def measured(economy: Economy) -> list[float]:
    """Chinese share, price of the basket and duty revenue of the United States in a month."""
    flows, makers, codes = economy.flows, economy.makers, economy.constants.codes
    us, n = codes.markets.index("US"), len(codes.devices)
    units = flows.sold * (flows.market == us)
    chips = makers.chips * economy.foundries.is_chinese[makers.supplier]
    chinese, of_all = (units @ each.sum(axis=1)[flows.maker] for each in (chips, makers.chips))
    cells = slice(us * n, (us + 1) * n)
    weight = economy.cells.base_expenditure[cells]
    basket = weight @ economy.cells.price_index[cells] / weight.sum()
    revenue = units @ (flows.base_duty + flows.new_duty)
    revenue += (flows.units * flows.bare_duty)[economy.home == us].sum()
    return [100 * chinese / of_all, 100 * basket, 12e-9 * revenue]


def test_the_simulation_comes_to_the_static_limit() -> None:
    """Frictionless months: share, prices and revenue, each within the noise of its seeds.

    Student's t with 7 degrees of freedom exceeds 6 in 0.05 % of cases; three are compared.
    """
    rules = scenario(STILL, ALL_OPEN, free_trade(), RUN, {"trade": AT_ONCE}, DUTY)
    metrics, gaps = ["cn_share", "basket_price", "duty_revenue"], []
    for seed in range(8):
        at_rest = compare_static(rules, rules, 1, seed).set_index("metric")["level"][metrics]
        months = [measured(e) for e in run(rules, seed, 10) if e.month > 1]
        gaps.append(np.mean(months, axis=0) - at_rest.to_numpy())
    error = np.std(gaps, axis=0, ddof=1) / np.sqrt(len(gaps))
    assert (np.abs(np.mean(gaps, axis=0)) < 6 * error).all()
    assert error[0] < 0.1  # percentage points: the comparison has teeth


def test_assembly_rests_where_the_simulation_leaves_it() -> None:
    """A duty by country moves the same flows to the same places, however many months they take."""
    rules = scenario(
        STILL, free_trade(), RUN,
        {"assembly": {"shift_hazard": 0.9, "plant_hazard": 0.9, "plant_months": 1}},
        product(0.4, markets=["US"], assembly_countries=["CN"]),
        {"sourcing": {"odds_follow": 0.0, "opening_factor": 1e-9, "pin_compatible_hazard": 0.0}},
    )  # fmt: skip
    static, simulated = steady_state(rules, 2).economy, last(rules, 2, 36)
    base = build_economy(rules, 2)
    moved = simulated.flows.origin != base.flows.origin
    assert moved.mean() > 0.02
    np.testing.assert_array_equal(static.flows.origin, simulated.flows.origin)


def test_compare_static_is_a_headline_table_of_paired_differences() -> None:
    base = scenario(RUN, makers=520)
    policy = scenario(RUN, DUTY, makers=520)
    table = compare_static({"duty": policy}, base, seeds=2)
    assert list(table["metric"]) == [*METRICS, *METRICS]
    first, second = (table[table["scenario"] == name] for name in table["scenario"].unique())
    assert (first["difference"] == 0).all()
    share = second.set_index("metric").loc["cn_share"]
    assert share["difference"] < -2
    assert share["low"] < share["difference"] < share["high"]
    level = first.set_index("metric").loc["cn_share", "level"]
    assert share["level"] == pytest.approx(level + share["difference"])
    assert second.set_index("metric").loc["consumer_surplus_loss", "difference"] > 0


def test_content_and_country_together_come_to_rest() -> None:
    """A duty by country on what has Chinese chips: suppliers and places chase each other."""
    economy = steady_state(replace("whole_product_content", agents__makers=520), 0).economy
    taxed = economy.flows.new_duty > 0
    assert taxed.any()


def test_one_scenario_may_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("schema_version: 1\nextends: component_50\n", encoding="utf-8")
    assert set(compare_static(path, seeds=1)["scenario"]) == {"baseline", "mine"}


def test_compare_static_on_the_command_line() -> None:
    words = ["compare", "component_50", "--static", "--seeds", 2, "--set", "agents.makers=520"]
    code, shown, _ = call(*words)
    assert code == 0
    assert "Left out: the way there" in shown
    assert json_of(*words)["headline"]["component_50"]["cn_share"]["difference"] < 0
    code, _, refused = call("compare", "component_50", "--static", "--precision", 0.1, "--out", "x")
    assert code == 2
    assert "leave out --precision, --out" in refused

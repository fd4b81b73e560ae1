"""A product priced by its bill of materials owes what the same product owes in a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tariffsim.errors import ScenarioError
from tariffsim.product import Chip, Product, price, read_products, typical_product
from tariffsim.product.bill import shipped_examples
from tariffsim.product.pricing import break_even_share
from tariffsim.product.words import findings, remarks
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.simulation import Simulation
from tariffsim.state.economy import Economy
from tests.cli.calling import call, json_of

SMALL = {
    "agents__makers": 200, "run__end": "2027-03", "compliance__behaviour": "compliant",
    "trade__pass_through_months": 1.0,
}  # fmt: skip
"""Everybody knows the origin of chips and declares the truth, as a priced product does, and passes
duty on at once as far as it will be in the long run."""


def small(name: str) -> Scenario:
    return replace(load_scenario(name), **SMALL)


def of_flow(economy: Economy, flow: int) -> Product:
    """What a flow of a run is, as a file would say it."""
    makers, codes = economy.makers, economy.constants.codes
    maker = economy.flows.maker[flow]
    chips = tuple(
        Chip(
            codes.classes[makers.slot_class[part]],
            float(makers.chip_value[maker, part] / makers.chips[maker, part]),
            float(makers.chips[maker, part]),
            codes.regions[economy.foundries.region[makers.supplier[maker, part]]],
        )
        for part in np.flatnonzero(makers.has_slot[maker])
    )
    return Product(
        "line", "A line of a run", codes.devices[makers.device[maker]],
        float(economy.flows.customs_value[flow]), codes.origins[economy.flows.origin[flow]],
        codes.markets[economy.flows.market[flow]], 1.0, chips,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["component_50", "whole_product_china", "whole_product_content", "specific_per_chip"]
)
def test_a_line_of_a_run_priced_as_a_product_owes_the_same(name: str) -> None:
    scenario = small(name)
    run = Simulation(scenario, 3)
    run.run()
    economy = run.economy
    flows, trade = economy.flows, scenario.trade
    here = economy.is_imported & (flows.market == 0)
    rows = np.flatnonzero(here & (flows.units > 0))
    owing = rows[np.argsort(-flows.new_duty[rows] / flows.customs_value[rows], kind="stable")]
    tried = [*owing[:4], *rows[:: max(1, len(rows) // 8)]]
    assert flows.new_duty[tried].any()
    for flow in tried:
        found = price(of_flow(economy, flow), scenario, "2027-03")
        assert found.due.new == pytest.approx(flows.new_duty[flow], rel=1e-9, abs=1e-9)
        all_of_it = flows.base_duty[flow] + flows.new_duty[flow]
        assert found.due.total == pytest.approx(all_of_it, rel=1e-9, abs=1e-9)
        landed = flows.customs_value[flow] * (1 + trade.freight) + all_of_it
        assert found.landed == pytest.approx(landed, rel=1e-9)
        assert sum(line.amount for line in found.audit) == pytest.approx(all_of_it, abs=1e-9)
        assert found.retail_rise == pytest.approx(flows.passed_on[flow], rel=1e-9, abs=1e-9)
        since_base = found.landed - found.due.new - flows.base_landed[flow]
        at_base_margin = found.retail - trade.retail_margin * since_base
        of_run = flows.price[flow] - flows.compliance_cost[flow]
        assert at_base_margin == pytest.approx(of_run, rel=1e-9)


@pytest.mark.parametrize("name", ["component_50", "component_unknown_deemed"])
def test_a_line_whose_importer_does_not_know_owes_by_the_rule_for_unknown_origin(name: str) -> None:
    """Of importers that do not evade a duty on the country either."""
    scenario = replace(small(name), compliance__behaviour="full")
    run = Simulation(scenario, 3)
    run.run()
    flows, importers = run.economy.flows, run.economy.importers
    rows = np.flatnonzero(
        run.economy.is_imported & (flows.market == 0) & (flows.units > 0)
        & ~importers.knows_origin[flows.importer] & (flows.evaded_duty == 0)
    )  # fmt: skip
    assert len(rows) > 3
    for flow in rows[:: max(1, len(rows) // 4)]:
        found = price(of_flow(run.economy, flow), scenario, "2027-03").due
        assert found.unknown_origin > found.total - found.new
        owed = flows.base_duty[flow] + flows.new_duty[flow]
        assert found.unknown_origin == pytest.approx(owed, rel=1e-9)


def product(*chips: Chip, value: float = 100.0, made_in: str = "VN") -> Product:
    return Product("p", "P", "network_gear", value, made_in, "US", 1000.0, chips)


CHINESE, TAIWANESE = Chip("C", 0.5, 10, "CN"), Chip("C", 0.6, 10, "TW")


def test_a_component_tariff_is_on_the_chinese_chips_alone() -> None:
    scenario = load_scenario("component_50")
    found = price(product(CHINESE, TAIWANESE), scenario, "2028-06")
    assert found.due.by_law == pytest.approx({"component_tariff": 0.5 * 5.0})
    assert found.due.low == found.due.high == found.due.total
    assert price(product(TAIWANESE), scenario, "2028-06").due.new == 0
    assert [step.month for step in found.steps] == ["2025-01", "2026-01", "2027-01"]
    assert found.steps[1].due.new == pytest.approx(0.25 * 5.0)


def test_chips_of_unknown_region_make_a_range() -> None:
    unknown = Chip("C", 0.5, 10)
    found = price(product(unknown, TAIWANESE), load_scenario("component_50"), "2028-06")
    assert found.due.total == found.due.low == pytest.approx(0.0)
    assert found.due.high == pytest.approx(2.5)
    assert not found.alternatives


def test_who_does_not_know_owes_by_the_rule_for_unknown_origin() -> None:
    """Full content: all chips count; deemed share: 30 % of them with a mark-up of 10 %; or none."""
    for name, share in (
        ("component_50", 1.0), ("component_unknown_deemed", 0.3 * 1.1),
        ("component_unknown_exempt", 0.0),
    ):  # fmt: skip
        found = price(product(CHINESE, TAIWANESE), load_scenario(name), "2028-06")
        assert found.due.unknown_origin == pytest.approx(0.5 * 11.0 * share), name


def test_where_chips_cost_as_much_as_the_whole_product() -> None:
    """The share of the value at which both duties are equal."""
    whole = price(product(CHINESE, made_in="CN"), load_scenario("whole_product_china"), "2028-06")
    content = price(product(CHINESE, made_in="CN"), load_scenario("component_50"), "2028-06")
    share = break_even_share(whole, content)
    assert share is not None
    assert share == pytest.approx(whole.due.new / 100.0 / 0.5)
    equal = product(Chip("C", share * 100.0, 1.0, "CN"), made_in="CN")
    at_share = price(equal, load_scenario("component_50"), "2028-06")
    assert at_share.due.by_law["component_tariff"] == pytest.approx(whole.due.new)
    assert break_even_share(content, whole) is None


def test_a_duty_that_a_product_does_not_bear_has_no_break_even() -> None:
    """On a car from Mexico a duty on Chinese goods is nothing, whatever other laws there are."""
    (car,) = read_products("car", load_scenario("baseline").tables())
    base, whole, content = (
        price(car, load_scenario(name), "2028-06")
        for name in ("baseline", "whole_product_china", "component_50")
    )
    assert whole.due.new == pytest.approx(base.due.new)
    assert whole.due.new > 0
    assert break_even_share(whole, content) is None
    first, *said = findings([base, whole, content])
    assert "does not change the duty" in first
    assert not any("whole_product_china" in each for each in [*said, *remarks([base, content])])


def test_a_finding_on_chips_of_unknown_region_has_both_ends_of_the_range() -> None:
    one = product(CHINESE, Chip("C", 0.5, 10), made_in="VN")
    found = [price(one, load_scenario(name), "2028-06") for name in ("baseline", "component_50")]
    (said,) = findings(found)
    assert "adds 2.50 USD a unit (2.5 % of its value, 2,500 USD a year)" in said
    assert "adds 5.00 USD a unit (5 % of its value, 5,000 USD a year)" in said


def test_an_alternative_pays_from_the_break_even_rate_on() -> None:
    scenario = load_scenario("component_50")
    (one,) = price(product(CHINESE), scenario, "2028-06").alternatives
    rate = one.break_even_rate
    assert rate == pytest.approx(1 / 0.8 - 1, abs=0.01)  # China sells 20 % cheaper in 2024
    policy = {"policies__component_tariff__rate": {"2026-01": rate}}
    (at_rate,) = price(product(CHINESE), replace(scenario, **policy), "2028-06").alternatives
    assert at_rate.saving == pytest.approx(0.0, abs=1e-9)
    assert one.saving == pytest.approx((0.5 - rate) * CHINESE.value)


def test_the_typical_product_has_the_value_of_the_tables() -> None:
    scenario = load_scenario("baseline")
    found = typical_product(scenario, "smartphone", "CN")
    value = scenario.tables().devices.figures["smartphone", "unit_value_usd"].value
    assert found.customs_value == pytest.approx(value)
    assert {chip.region for chip in found.chips} <= set(scenario.tables().foundry_regions.codes)
    assert typical_product(scenario, "network_gear").assembled_in != "US"


@pytest.mark.parametrize("name", shipped_examples())
def test_examples_are_sound(name: str) -> None:
    tables = load_scenario("baseline").tables()
    (one,) = read_products(name, tables)
    assert one.name == name
    assert 0 < one.chip_value < one.customs_value / 2


def test_all_that_is_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "schema_version: 1\nproducts:\n  a:\n    device: phone\n    customs_value: -3\n"
        "    assembled_in: VN\n    colour: red\n    chips:\n"
        "      - {node_class: C, price: cheap, count: 2, region: Chin}\n"
    )
    with pytest.raises(ScenarioError) as refused:
        read_products(path, load_scenario("baseline").tables())
    found = {(p.line, p.key.rsplit(".", 1)[-1]) for p in refused.value.problems}
    assert found == {
        (4, "device"), (5, "customs_value"), (7, "colour"), (9, "price"), (9, "region"),
    }  # fmt: skip
    assert "bad.yaml:4:" in str(refused.value)


def test_the_command(tmp_path: Path) -> None:
    page = tmp_path / "router.html"
    found = json_of("product", "router", "--scenarios", "whole_product_china", "component_50",
                    "--month", "2028-06", "--out", page)  # fmt: skip
    (one,) = found["products"]
    assert [p["scenario"] for p in one["priced"]] == [
        "baseline", "whole_product_china", "component_50",
    ]  # fmt: skip
    assert one["priced"][2]["due"]["total"] == pytest.approx(0.5 * (2.56 + 1.92 + 1.68))
    text = page.read_text()
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")
    code, out, _ = call("product", "router", "phone", "--month", "2028-06")
    assert code == 0
    assert "component_50 adds 3.08 USD a unit" in out
    assert out.index("Home router") < out.index("Smartphone")
    code, _, err = call("product", "rooter")
    assert code == 3
    assert "did you mean router?" in err
    assert call("product", "--device", "network_gear", "--origin", "VN")[0] == 0
    assert call("product")[0] == 2
    assert json.dumps(found)

"""docs/model.md names functions that exist and gives the defaults that hold."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

from tariffsim.calibration import build_economy
from tariffsim.calibration.build import line_plan
from tariffsim.law import duty_tables, policy_state
from tariffsim.month import PHASES
from tariffsim.scenario import load_scenario
from tariffsim.scenario.catalogue import blocks
from tariffsim.state import constants, economy, makers
from tariffsim.tables import FIGURE_TABLES, load_tables

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "model.md").read_text(encoding="utf-8")
MODULES = "kernels|month|behaviour|law|calibration|record|state|policy|scenario"
FUNCTIONS = sorted(set(re.findall(rf"`((?:{MODULES})\.[\w.]+)`", PAGE)))
COLUMNS = sorted(
    set(
        re.findall(
            r"`((?:Foundries|DeviceMakers|Flows|Cells|Constants|Economy|PolicyState|DutyTables)\.\w+)`",
            PAGE,
        )
    )
)
DEFAULTS = re.findall(r"`([a-z_]+\.[a-z_]+)`\s+=\s+([0-9./]*[0-9])", PAGE)
KEYS = sorted(
    set(re.findall(rf"`((?:{'|'.join({k.split('.')[0] for k in blocks()})})\.\w+)`", PAGE))
)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_exist(name: str) -> None:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            module = import_module(".".join(["tariffsim", *parts[:cut]]))
        except ModuleNotFoundError:
            continue
        assert reduce(getattr, parts[cut:], module) is not None
        return
    pytest.fail(f"{name} is in no module")


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_exist(name: str) -> None:
    table, column = name.split(".")
    (owner,) = (
        vars(m)[table]
        for m in (economy, makers, constants, policy_state, duty_tables)
        if getattr(vars(m).get(table), "__module__", "") == m.__name__
    )
    assert column in owner.__dataclass_fields__


def test_defaults_are_those_of_the_scenario() -> None:
    assert len(DEFAULTS) > 30
    for key, written in DEFAULTS:
        assert blocks()[key].default == pytest.approx(float(Fraction(written))), key


@pytest.mark.parametrize("key", KEYS)
def test_keys_exist(key: str) -> None:
    assert key in blocks()


def test_columns_of_the_tables_exist() -> None:
    tables = load_tables()
    for table in FIGURE_TABLES:
        known = {parameter for _, parameter in getattr(tables, table).figures}
        for parameter in re.findall(rf"`{table}\.(\w+)`", PAGE):
            assert parameter in known | {"csv"}, f"{table}.{parameter}"


def test_sets_have_the_size_of_the_shipped_data() -> None:
    scenario, tables = load_scenario("baseline"), load_tables()
    economy = build_economy(scenario, 0)
    sizes = dict(re.findall(r"^\| \$(\w)\$ \| [^|]+ \| ([\d,]+)\b", PAGE, re.MULTILINE))
    assert int(sizes["f"]) == len(economy.foundries)
    assert int(sizes["d"]) == len(tables.devices.codes)
    assert int(sizes["i"].replace(",", "")) == scenario.agents.makers
    parts = re.search(r"`node_classes\.parts`: ([\d, ]+) for\s+A to D", PAGE)
    assert parts is not None
    given = [tables.node_classes.number(code, "parts") for code in tables.node_classes.codes]
    assert [float(word) for word in parts[1].split(",")] == given
    (least,) = set(re.findall(r"\((\d+) with the defaults", PAGE))
    assert int(least) == line_plan(scenario, economy.constants).wanted


def test_the_mix_of_node_classes_is_that_of_the_base_year() -> None:
    """By number and at base prices, in what the United States buys (section 10)."""
    economy = build_economy(load_scenario("baseline"), 0)
    flows, makers, codes = economy.flows, economy.makers, economy.constants.codes
    is_us = flows.market == codes.markets.index("US")
    chips = makers.chips[flows.maker[is_us]] * flows.base_units[is_us][:, None]
    base_price = economy.foundries.base_price.max(axis=0)
    found = []
    for amount in (chips, chips * base_price[makers.slot_class]):
        parts = [amount[:, makers.slot_class == k].sum() for k in range(len(codes.classes))]
        found.append([100 * part / amount.sum() for part in parts])
    in_units, in_value = found
    words = re.search(r"(\d+) % of them are class D .* and (\d+) % class A; by value the", PAGE)
    assert words is not None
    assert [float(words[2]), float(words[1])] == pytest.approx([in_units[0], in_units[3]], abs=0.6)
    by_value = re.search(r"by value the classes are (\d+), (\d+), (\d+)\s+and (\d+) %", PAGE)
    assert by_value is not None
    assert [float(share) for share in by_value.groups()] == pytest.approx(in_value, abs=0.6)


def test_phases_are_in_order() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE.split("## 4.")[0], re.MULTILINE)
    assert listed == [phase.__name__ for phase in PHASES]


def test_limits_quote_the_defaults_and_the_data() -> None:
    """What docs/limits.md says in figures of assumptions is what is assumed."""
    page = " ".join((DOCS / "limits.md").read_text(encoding="utf-8").split())
    devices, regions = load_tables().devices, load_tables().foundry_regions
    known = {key: parameter.default for key, parameter in blocks().items()}
    months = known["trade.front_loading_months"]
    growth = [regions.figures[region, "growth_per_year"].value for region in regions.codes]
    rates = [100 * rate for rate in growth if isinstance(rate, float)]
    quoted = {
        r"carrying cost of ([\d.]+) % a month": 100 * known["trade.carrying_cost"],
        r"an expected rise of ([\d.]+) %": 100 * known["trade.carrying_cost"] * months,
        r"that ([\d.]+) % of firms do not know": 100 * known["compliance.unknown_origin_share"],
        r"The rebate of ([\d.]+) %": 100 * (1 - known["trade.border_pass_through"]),
        r"duties at the border reach ([\d.]+) %": 100 * known["trade.pass_through"],
        r"elasticity (\d) \(0\.5-3\)": known["supply.scarcity_elasticity"],
        r"and cap (\d) are": known["supply.scarcity_cap"],
        r"`sourcing\.size_term` ([\d.]+);": known["sourcing.size_term"],
        r"chip bill,\*\* not a fixed amount a design; ([\d.]+) %": (
            100 * known["sourcing.version_overhead"]
        ),
        r"half of those of phones, ([\d.]+) % of those of cars": (
            100 * devices.number("electric_car", "dual_sourced_share")
        ),
        r"`foundry_regions\.growth_per_year`, ([\d.]+) to": min(rates),
        r"`foundry_regions\.growth_per_year`, [\d.]+ to ([\d.]+) %": max(rates),
    }
    for pattern, value in quoted.items():
        found = re.search(pattern, page)
        assert found is not None, pattern
        assert float(found[1]) == pytest.approx(value), pattern
    assert devices.number("smartphone", "dual_sourced_share") == 0.5

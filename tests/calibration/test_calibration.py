"""The base year against the tables, toy economies, parameters all over their ranges (MODEL 5)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tariffsim.calibration import build_economy
from tariffsim.calibration.build import base_totals, check_base_year
from tariffsim.calibration.capacity import MOST_WORLD_CAPACITY, world_capacity
from tariffsim.calibration.shares import china_table_shares, in_units
from tariffsim.errors import CalibrationError, DataError
from tariffsim.kernels.sourcing import leaving_probability, odds_from_scale
from tariffsim.policy.shipments import Codes
from tariffsim.scenario import Scenario
from tariffsim.state.economy import Economy
from tariffsim.state.ledger import check_accounting_identities
from tariffsim.state.makers import GLOBAL
from tariffsim.tables import FIGURE_TABLES, SHIPPED, load_tables
from tests.economies import (
    CLASSES,
    DEVICES,
    REGIONS,
    STILL,
    component,
    merged,
    product,
    run,
    scenario,
)

TABLES = load_tables()
TOTALS = 1e-9
"""Relative (MODEL 5.3): lines carry the totals exactly, so that only rounding is left."""


@pytest.fixture(scope="module")
def economy() -> Economy:
    return build_economy(Scenario(), 0)


@pytest.fixture(scope="module")
def whole_trade() -> Economy:
    """With the smallest countries too."""
    return build_economy(scenario({"agents": {"trade_tail": 0.0}}, makers=1200), 0)


# Totals


def us_imports() -> np.ndarray:
    """(D, O) USD a month, straight from the table."""
    origins = TABLES.origins.codes
    imports = np.zeros((len(DEVICES), len(origins)))
    for row in TABLES.imports:
        if row.device in DEVICES:
            place = DEVICES.index(row.device), origins.index(row.origin)
            imports[place] += row.customs_value_usd / 12
    return imports


def test_us_purchases_are_the_imports_and_a_home_part(whole_trade: Economy) -> None:
    codes = whole_trade.constants.codes
    bought, imports = base_totals(whole_trade)[:, :, codes.markets.index("US")], us_imports()
    home = np.array(TABLES.devices.numbers("us_home_assembly_share"))
    from_home = bought[:, codes.origins.index("US")]
    np.testing.assert_allclose(bought.sum(axis=1), imports.sum(axis=1) / (1 - home), rtol=TOTALS)
    np.testing.assert_allclose(from_home, home * bought.sum(axis=1), rtol=TOTALS)
    abroad = np.array([origin != "US" for origin in codes.origins])
    part = imports[:, abroad] / imports[:, abroad].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        bought[:, abroad], part * (bought.sum(axis=1) - from_home)[:, None], rtol=TOTALS
    )


def test_other_markets_follow_by_size(whole_trade: Economy) -> None:
    codes, totals = whole_trade.constants.codes, base_totals(whole_trade)
    size = np.array(TABLES.markets.numbers("size_relative_to_us"))
    us = totals[:, :, codes.markets.index("US")].sum(axis=1)
    np.testing.assert_allclose(totals.sum(axis=1), us[:, None] * size, rtol=TOTALS)
    for m, market in enumerate(codes.markets):
        if market != "US":
            homes = TABLES.markets.text(market, "home_origins").split()
            at_home = totals[:, [codes.origins.index(o) for o in homes], m].sum(axis=1)
            share = TABLES.markets.number(market, "home_assembly_share")
            np.testing.assert_allclose(at_home, share * totals[:, :, m].sum(axis=1), rtol=TOTALS)


@pytest.mark.parametrize("makers", [1, 3, 50, 300, 3000])
def test_totals_hold_at_any_number_of_makers(makers: int) -> None:
    small = build_economy(scenario(makers=makers), 0)
    assert small.makers.n_lines == makers
    kept = base_totals(small).sum(axis=1)
    full = small.constants.trade.sum(axis=1)
    # a device and market has its total, or no line at all
    np.testing.assert_allclose(kept, np.where(kept > 0, full, 0.0), rtol=TOTALS)
    assert kept.any()


def test_the_smallest_countries_are_left_out(economy: Economy, whole_trade: Economy) -> None:
    """At most a hundredth of each device and market; the others are scaled up to its total."""
    whole, kept = base_totals(whole_trade), base_totals(economy)
    for d in range(whole.shape[0]):
        for m in range(whole.shape[2]):
            rest, tail, total = sorted(whole[d, :, m]), 0.0, whole[d, :, m].sum()
            while tail + rest[0] <= 0.01 * total:
                tail += rest.pop(0)
            expected = np.where(
                whole[d, :, m] >= rest[0], whole[d, :, m] * total / (total - tail), 0
            )
            np.testing.assert_allclose(kept[d, :, m], expected, rtol=TOTALS)
    assert (kept > 0).sum() < 0.7 * (whole > 0).sum()


def test_a_missed_total_is_refused(economy: Economy) -> None:
    wrong = base_totals(economy).copy()
    wrong[0, 0, 0] *= 1.001
    with pytest.raises(CalibrationError, match="smartphone from CN into US"):
        check_base_year(economy, wrong)


def test_base_year_prices_and_bills(economy: Economy) -> None:
    figures, makers, flows = economy.constants, economy.makers, economy.flows
    content = np.array(TABLES.devices.numbers("chip_content"))
    content = content * np.array(TABLES.devices.numbers("foundational_share"))
    # one price for all: chips in a unit are those that the content buys outside China
    np.testing.assert_allclose(
        figures.chips_per_unit @ figures.chip_price, content * figures.unit_value
    )
    np.testing.assert_allclose(1.15 * flows.unit_cost, flows.customs_value)
    assert (makers.other_inputs > 0).all()
    duty = flows.base_duty / flows.customs_value
    assert ((duty >= 0) & (duty < 0.5)).all()
    np.testing.assert_allclose(flows.base_landed, 1.03 * flows.customs_value + flows.base_duty)
    np.testing.assert_allclose(makers.line_weights.sum(axis=1), 1)


def test_a_country_without_imports_owes_what_is_alike(tmp_path: Path) -> None:
    """The mean of the device without China's; China that of its sector; none at home."""
    gone = {("laptop", "VN"), ("laptop", "CN"), ("drone", "KR")}
    with (SHIPPED / "us_imports_2024.csv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if (r["device"], r["origin"]) not in gone]
    path = tmp_path / "us_imports_2024.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)

    def mean(devices: set[str], chinese: bool) -> float:
        alike = [r for r in rows if r["device"] in devices and (r["origin"] == "CN") == chinese]
        duty, value = (
            sum(float(r[f"{column}_musd"]) for r in alike)
            for column in ("calculated_duty", "customs_value")
        )
        return duty / value

    for base in ("observed", "before_301"):
        rules = scenario({"data": {"us_imports_2024": str(path)}, "trade": {"base_duties": base}})
        found = build_economy(rules, 0).tariff_schedule
        codes, duty = found.codes, found.base_product[:, 0]
        us = codes.markets.index("US")

        def owed(device: str, origin: str, codes: Codes = codes, duty: Any = duty,
                 us: int = us) -> float:  # fmt: skip
            return float(
                duty[codes.cell(codes.devices.index(device), codes.origins.index(origin), us)]
            )

        computing = {d for d in DEVICES if TABLES.devices.text(d, "sector") == "computing"}
        assert {"laptop", "server"} <= computing
        assert owed("laptop", "VN") == pytest.approx(mean({"laptop"}, chinese=False), abs=1e-12)
        assert owed("drone", "KR") == pytest.approx(mean({"drone"}, chinese=False), abs=1e-12)
        if base == "observed":
            assert owed("laptop", "CN") == pytest.approx(mean(computing, chinese=True), abs=1e-12)
        else:
            assert owed("laptop", "CN") == owed("laptop", "JP")
        assert not any(owed(device, "US") for device in DEVICES)


# Chinese shares


def chinese_chance(drawn: Economy) -> np.ndarray:
    """(N, K) probability that a line has Chinese chips."""
    shares = drawn.base_shares[:, :, drawn.foundries.is_chinese].sum(axis=2)
    return shares[drawn.makers.odds_row]


def base_value(drawn: Economy) -> np.ndarray:
    """(L,) USD a month of each flow, ex works."""
    return (
        drawn.flows.base_units * drawn.constants.unit_value[drawn.makers.device[drawn.flows.maker]]
    )


def by_cell(drawn: Economy, values: np.ndarray) -> np.ndarray:
    """(cells,) of values (L,)."""
    return np.bincount(drawn.flows.cell, values, len(DEVICES) * len(drawn.constants.codes.markets))


def test_chinese_chips_are_drawn_as_often_as_expected() -> None:
    """Over 40 seeds: no bias, by part; in any one, each share is met to within two lines."""
    seeds, gaps, of_market, alone = 40, [], [], []
    for seed in range(seeds):
        drawn = build_economy(Scenario(), seed)
        makers, flows = drawn.makers, drawn.flows
        value, markets = base_value(drawn), len(drawn.constants.codes.markets)
        total, largest = by_cell(drawn, value), np.zeros(len(DEVICES) * markets)
        np.maximum.at(largest, flows.cell, value)
        chance = chinese_chance(drawn)[flows.maker][:, makers.slot_class]
        missed = drawn.foundries.is_chinese[makers.supplier][flows.maker] - chance
        gap = np.stack([by_cell(drawn, value * part) for part in missed.T])
        assert (np.abs(gap) <= 2 * largest).all()
        gaps.append(gap / total)
        variance = np.zeros_like(gap)
        for column, part in zip(variance, (chance * (1 - chance)).T, strict=True):
            np.maximum.at(column, flows.cell, value**2 * part)
        alone.append(variance / total**2)
        units = flows.base_units[:, None] * makers.chips[flows.maker]
        of_market.append(
            [np.sum((units * missed)[flows.market == m]) / np.sum(units[flows.market == m])
             for m in range(markets)]
        )  # fmt: skip
    # Where a large line has a small chance it may be Chinese in none of the seeds, and then the
    # gaps spread by far too little: their variance is at least that of one line of the cell alone.
    least = np.mean(alone, axis=0)
    for found, of_one, at_most in ((np.array(of_market), 0.0, 4.0), (np.array(gaps), least, 6.0)):
        # Student's t with 39 degrees of freedom: above four 3e-4, above six 5e-7 of the time
        error = np.sqrt(np.maximum(found.var(axis=0, ddof=1), of_one) / seeds)
        assert (np.abs(found.mean(axis=0)) <= at_most * error + 1e-12).all()
    spread = np.std(of_market, axis=0, ddof=1)
    assert spread[0] < 0.002  # by units in the market in focus; the others have fewer lines
    assert spread.max() < 0.01


def test_expected_chinese_share_is_that_of_the_tables(economy: Economy) -> None:
    """Of each class, though a country that levies a duty on Chinese chips has fewer of them."""
    flows, value = economy.flows, base_value(economy)
    target = in_units(china_table_shares(TABLES), 0.2).T.ravel()
    for chance in chinese_chance(economy)[flows.maker].T:
        expected = by_cell(economy, value * chance) / by_cell(economy, value)
        np.testing.assert_allclose(expected, target, atol=1e-12)


@pytest.mark.parametrize("odds_ratio", [1.0, 3.0, 8.0])
def test_lines_have_the_odds_of_their_country(odds_ratio: float) -> None:
    """Of assembly in China, and of the duty that Chinese chips pay when they enter unmounted."""
    drawn = build_economy(scenario({"sourcing": {"assembly_odds": odds_ratio}}, makers=1200), 0)
    codes, makers = drawn.constants.codes, drawn.makers
    chance = chinese_chance(drawn)
    china, us = codes.origins.index("CN"), codes.origins.index("US")
    duty = np.zeros((len(codes.origins), len(CLASSES)))
    region = codes.regions.index("CN")
    chinese = [r for r in TABLES.imports if r.origin == "CN"]
    bare = {r.device: r.calculated_duty_usd / r.customs_value_usd for r in chinese}
    duty[us] = [bare["bare_ic"]] * 3 + [bare["bare_discrete"]]
    np.testing.assert_allclose(drawn.tariff_schedule.base_bare[:, :, region], duty, atol=1e-12)
    assert duty[us, 0] == pytest.approx(0.21, abs=0.005)
    assert duty[us, 3] == pytest.approx(0.247, abs=0.005)
    factor = (1 + duty) ** -drawn.scenario.sourcing.elasticity
    factor[china] *= odds_ratio
    base = chance / (1 - chance) / factor[makers.base_origin]
    compared = 0
    for device in range(len(DEVICES)):
        for market in range(len(codes.markets)):
            here = base[(makers.device == device) & (makers.market == market)]
            if len(here) > 1:
                np.testing.assert_allclose(here, here[[0]].repeat(len(here), axis=0), rtol=1e-9)
                compared += 1
    assert compared > 40
    assert (makers.market == GLOBAL).any()


# Capacity


def test_world_capacity_is_the_least_without_negative_residuals() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        table = rng.dirichlet(np.ones(5), 3).T
        expected, usage = rng.uniform(0.1, 1, (5, 3)), rng.uniform(0.5, 1, 5)
        world = world_capacity(expected, usage, table)
        residual = usage[:, None] * table * world - expected
        capped = world >= MOST_WORLD_CAPACITY * expected.sum(axis=0) * (1 - 1e-12)
        assert (residual.min(axis=0) >= -1e-12)[~capped].all()
        np.testing.assert_allclose(residual.min(axis=0)[~capped], 0, atol=1e-12)


def test_base_orders_close_on_base_capacity(economy: Economy) -> None:
    foundries, makers = economy.foundries, economy.makers
    chips = makers.units[:, None] * makers.chips
    ordered = np.zeros_like(foundries.base_capacity)
    np.add.at(ordered, (makers.supplier, makers.slot_class), chips)
    assert (foundries.other_base >= 0).all()
    np.testing.assert_allclose(
        ordered + foundries.other_base,
        foundries.base_utilisation * foundries.base_capacity,
        rtol=1e-9,
    )


def test_expected_residual_demand_is_not_negative(economy: Economy) -> None:
    """At the capacity shares of the table; the draw itself is lumpy."""
    foundries, makers, codes = economy.foundries, economy.makers, economy.constants.codes
    chips = makers.units[:, None] * economy.constants.chips_per_unit[makers.device]
    expected = np.einsum("nk,nkf->fk", chips, economy.base_shares[makers.odds_row])
    member = np.eye(len(codes.regions))[:, foundries.region]
    by_region = member @ expected
    usage = np.array(TABLES.foundry_regions.numbers("utilisation"))
    table = np.array([TABLES.foundry_regions.numbers(f"share_{k.lower()}") for k in CLASSES]).T
    world = world_capacity(by_region, usage, table)
    slack = usage[:, None] * table * world - by_region
    assert (slack >= -1e-9 * by_region).all()
    # no region has less than its part of the table, but for rounding
    assert (member @ foundries.base_capacity >= table * world * (1 - 1e-9)).all()


def test_capacity_shares_approach_the_table_as_lines_grow_in_number() -> None:
    table = np.array([TABLES.foundry_regions.numbers(f"share_{k.lower()}") for k in CLASSES]).T
    gaps = []
    for makers in (300, 20_000):
        drawn = build_economy(scenario(makers=makers), 0)
        member = np.eye(len(REGIONS))[:, drawn.foundries.region]
        capacity = member @ drawn.foundries.base_capacity
        gaps.append(np.abs(capacity / capacity.sum(axis=0) - table).max())
    # lumps of lines fall with their number
    assert gaps[1] < 0.5 * gaps[0]
    assert gaps[1] < 0.02


# Steady state: switches under way in month 0


def test_pipeline_of_the_base_year_is_that_of_the_steady_state() -> None:
    """How many slots wait, for how long, and for whom: means over seeds within sampling error."""
    seeds = 30
    waiting, months_left, chinese = np.zeros(seeds), np.zeros((seeds, 3)), np.zeros(seeds)
    for seed in range(seeds):
        drawn = build_economy(scenario(STILL, makers=600), seed)
        makers, figures, sourcing = drawn.makers, drawn.constants, drawn.scenario.sourcing
        maker, part = np.nonzero(makers.has_slot)
        k = makers.slot_class[part]
        pin_compatible, device = makers.is_pin_compatible[maker, part], makers.device[maker]
        alone = sourcing.pin_compatible_hazard * sourcing.opening_factor
        hazard = np.where(pin_compatible, alone, figures.design_hazard[device])
        lead = np.where(
            pin_compatible,
            sourcing.pin_compatible_requalification_months,
            figures.requalification_months[device],
        )
        shares = drawn.base_shares[makers.odds_row[maker], k]
        x = odds_from_scale(
            shares, makers.curvature[maker, part, None], makers.odds_scale[maker, part, None]
        )
        leaving = leaving_probability(x, makers.inertia[maker, part, None])
        a = (hazard * (lead - 1))[:, None] * leaving
        under_way = shares * a / (1 + a)
        month, following = makers.switch_month[maker, part], makers.next_supplier[maker, part]
        waits = month >= 0
        waiting[seed] = waits.sum() - under_way.sum()
        assert ((month >= 1) & (month <= lead - 1))[waits].all()
        assert (following != makers.supplier[maker, part])[waits].all()
        # uniform on 1 .. lead - 1: a lead of 13 or 19 months has thirds of whole months
        whole = waits & (lead % 3 == 1)
        third = (month[whole] - 1) * 3 // (lead[whole] - 1)
        months_left[seed] = np.bincount(third, minlength=3) / whole.sum() - 1 / 3
        is_cn = drawn.foundries.is_chinese
        to_cn = under_way[:, :, None] * x[:, None, :] / (1 - x[:, :, None])
        to_cn[:, np.arange(len(is_cn)), np.arange(len(is_cn))] = 0
        chinese[seed] = is_cn[following[waits]].sum() - to_cn[:, :, is_cn].sum()
    for values in (waiting, chinese, *months_left.T):
        # Student's t with 29 degrees of freedom exceeds four 4e-4 of the time
        assert abs(values.mean()) < 4 * values.std(ddof=1) / np.sqrt(seeds)


# Toys


def without(*regions: str) -> dict[str, Any]:
    return {code: {"foundries": 0} for code in REGIONS if code not in regions} | {
        code: {"foundries": 1} for code in regions
    }


def arrays_of(thing: Any) -> Iterator[np.ndarray]:
    for f in fields(thing):
        value = getattr(thing, f.name)
        if isinstance(value, np.ndarray):
            yield value
        elif is_dataclass(value) and not isinstance(value, (type, BaseModel)):
            yield from arrays_of(value)


def sound(rules: Scenario, months: int, seed: int = 0) -> Economy:
    """Run: finite numbers, nothing negative that must not be, balanced books."""
    for economy in run(rules, seed, months):
        check_accounting_identities(economy)
        for table in (
            economy.foundries, economy.makers, economy.flows, economy.cells, economy.importers
        ):  # fmt: skip
            for array in arrays_of(table):
                if array.dtype.kind == "f" and array is not economy.flows.race:
                    assert np.isfinite(array).all()
        assert (economy.flows.race > 0).all()  # infinite where nobody has plants
        assert (economy.flows.units >= 0).all()
        assert (economy.flows.price > 0).all()
        assert (economy.foundries.price > 0).all()
        assert (economy.foundries.output <= economy.foundries.capacity * (1 + 1e-9)).all()
    return economy


TOY: dict[str, Any] = {
    "agents": {"makers": 3, "importers_min": 1, "importers_max": 1},
    "figures": {"foundry_regions": without("CN", "TW")},
}


@pytest.mark.parametrize("law", [{}, component(0.5), product(0.25, only_with_chips_from=["CN"])])
def test_two_foundries_three_makers_one_importer(law: dict[str, Any]) -> None:
    economy = sound(scenario(TOY, law, makers=3), 24)
    assert len(economy.foundries) == 2
    assert len(economy.makers) == 3
    assert len(set(zip(economy.importers.device, economy.importers.market, strict=True))) == len(
        economy.importers
    )


@pytest.mark.parametrize("regions", [("CN",), ("TW",), ("TW", "KR")])
def test_worlds_without_china_or_without_others(regions: tuple[str, ...]) -> None:
    rules = scenario(TOY, {"figures": {"foundry_regions": without(*regions)}}, component(0.5))
    economy = sound(rules, 12)
    share = economy.foundries.is_chinese[economy.makers.supplier].mean()
    assert share == (1.0 if regions == ("CN",) else 0.0)


def test_every_node_class_needs_a_foundry() -> None:
    nobody = {"figures": {"foundry_regions": {code: {"foundries": 0} for code in REGIONS}}}
    with pytest.raises(DataError, match="no region with a foundry has any share_a"):
        build_economy(scenario(nobody), 0)


def test_designs_open_once_a_month_at_most() -> None:
    often = {"figures": {"devices": {"smartphone": {"design_cycle_months": 2}}}}
    lead = {"figures": {"devices": {"smartphone": {"requalification_months": 1}}}}
    rules = scenario(often, lead, {"sourcing": {"opening_factor": 5.0}}, makers=60)
    assert build_economy(rules, 0).constants.design_hazard.max() == 1.0


# Parameters all over their ranges


def ranges() -> dict[tuple[str, str], tuple[float, float, bool]]:
    """Every uncertain field of a scenario: low, high, and whether it is whole."""
    found = {}
    for block, outer in Scenario.model_fields.items():
        if isinstance(outer.annotation, type) and issubclass(outer.annotation, BaseModel):
            for name, field in outer.annotation.model_fields.items():
                extra: Any = field.json_schema_extra or {}
                if "low" in extra:
                    whole = field.annotation is int
                    found[block, name] = float(extra["low"]), float(extra["high"]), whole
    return found


def figure_ranges() -> dict[tuple[str, str, str], tuple[float, float]]:
    tables = (TABLES.devices, TABLES.node_classes, TABLES.foundry_regions, TABLES.markets)
    return {
        (table.name, code, parameter): (figure.low, figure.high)
        for table in tables
        for (code, parameter), figure in table.figures.items()
        if figure.low is not None and figure.high is not None and parameter != "build_lag_months"
    }


@st.composite
def parameters(draw: Any) -> dict[str, Any]:
    """A scenario with every uncertain field and figure somewhere between low and high."""
    where = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))
    result: dict[str, Any] = {}
    for (block, name), (low, high, whole) in ranges().items():
        value = low + draw(where) * (high - low)
        result.setdefault(block, {})[name] = round(value) if whole else value
    supply = result["supply"]  # parts of one discount
    total = supply["discount_cost_share"] + supply["discount_subsidy_share"]
    if total > 1:
        for part in ("discount_cost_share", "discount_subsidy_share"):
            supply[part] /= total * (1 + 1e-9)
    part = draw(where)
    figures: dict[str, Any] = {}
    for (table, code, parameter), (low, high) in figure_ranges().items():
        value = low + part * (high - low)
        value = round(value) if FIGURE_TABLES[table].parameters[parameter].whole else value
        figures.setdefault(table, {}).setdefault(code, {})[parameter] = value
    laws = st.sampled_from(
        [{}, component(0.5), component(2.0, per="chip"), product(1.0, only_with_chips_from=["CN"])]
    )
    return merged(result, {"figures": figures}, draw(laws))


def test_there_are_ranges() -> None:
    assert len(ranges()) > 25
    assert len(figure_ranges()) > 30


@settings(max_examples=60)
@given(parameters(), st.integers(0, 1000))
def test_any_parameters_in_range_give_sound_runs(changes: dict[str, Any], seed: int) -> None:
    sound(scenario(changes, makers=100), 6, seed)


def bounds() -> list[tuple[str, str, float]]:
    """Every number of a scenario at its least and at its greatest allowed value."""
    found = []
    for block in ("supply", "sourcing", "assembly", "trade", "other_buyers"):
        for name, field in Scenario.model_fields[block].annotation.model_fields.items():  # type: ignore[union-attr]
            if field.annotation not in (int, float):
                continue
            above = max((getattr(limit, "gt", -np.inf) for limit in field.metadata), default=0)
            for limit in field.metadata:
                value = getattr(limit, "ge", getattr(limit, "le", None))
                if value == above:
                    continue
                if value is None:
                    value = getattr(limit, "gt", 0) + 1e-3
                found.append((block, name, field.annotation(value)))
    return found


@pytest.mark.parametrize(("block", "name", "value"), bounds())
def test_bounds_of_every_field_give_sound_runs(block: str, name: str, value: float) -> None:
    law = component(0.5)
    extra: dict[str, Any] = {}
    if name.startswith("discount_") and name.endswith("_share"):  # parts of one discount
        extra = {"supply": {"discount_cost_share": 0.0, "discount_subsidy_share": 0.0}}
    rules = scenario(law, extra, {block: {name: value}}, makers=100)
    sound(rules, 6)

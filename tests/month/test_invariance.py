"""What must not change, or must change in proportion, in whole runs (MODEL 6, E5 to E8)."""

from __future__ import annotations

import copy
import csv
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tariffsim.behaviour.prices_and_demand import origins_of_chips
from tariffsim.calibration import build_economy
from tariffsim.errors import ConservationError, NotFiniteError
from tariffsim.kernels.sums import by_class
from tariffsim.month import PHASES
from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario import Scenario
from tariffsim.simulation import Simulation
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.ledger import PAYMENTS, check_accounting_identities
from tariffsim.tables import SHIPPED, load_tables
from tests.economies import REGIONS, free_trade, merged, run, scenario

TOLERANCE = 1e-9
TABLES = load_tables()
MARKETS, ORIGINS, DEVICES = TABLES.markets.codes, TABLES.origins.codes, TABLES.devices.codes
CLASSES = TABLES.node_classes.codes
SMALL = {"agents": {"importers_min": 1, "importers_max": 3}}
TABLE_NAMES = ("foundries", "investment", "makers", "importers", "flows", "cells")
BUSY = {
    "compliance": {"behaviour": "full", "audit_rate": 2.0, "penalty_multiple": 0.2},
    "policies": {
        "component": {
            "kind": "component_tariff", "rate": {"2025-04": 0.5},
            "unknown_origin_rule": "full_content",
        },
        "content": {
            "kind": "product_tariff", "rate": {"2025-05": 0.2}, "only_with_chips_from": ["CN"],
            "markets": ["US", "EU"],
        },
        "cut": {"kind": "price_cut", "points": {"2025-03": 0.1}},
        "credit": {"kind": "investment_credit", "credit": {"2025-04": 0.2}},
        "shortage": {
            "kind": "chip_cutoff", "denied": 0.8, "first_day": "2025-06-10", "days": 80,
            "markets": ["EU", "JK"],
        },
        "ban": {"kind": "import_ban", "denied": 1.0, "start": "2025-05", "grace_months": 4},
    },
    "supply": {"investment": "responsive", "closure_months": 2, "plan_response": 0.5},
    "orders": {"stock_factor": 0.5, "second_source_factor": 1.0, "backlog_share": 0.25},
    "trade": {"front_loading_months": 3.0},
}  # fmt: skip


def months(economy: Economy, draws: Draws, n: int) -> Economy:
    for _ in range(n):
        for phase in PHASES:
            phase(economy, draws)
    return economy


def columns(economy: Economy) -> Iterator[tuple[str, np.ndarray]]:
    """Every column of state, and the ledger, by name."""
    for name in TABLE_NAMES:
        table = getattr(economy, name)
        for column in fields(table):
            values = getattr(table, column.name)
            if isinstance(values, np.ndarray):
                yield f"{name}.{column.name}", values
    yield "ledger", economy.ledger


# E5: the accounts balance, chips and devices are conserved


def codes(of: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(of), min_size=1, max_size=3, unique=True)


@st.composite
def instruments(draw: st.DrawFn) -> dict[str, Any]:
    """Any instrument of the registry, in force in some of the months simulated."""
    kind = draw(st.sampled_from(sorted(INSTRUMENTS)))
    cls = INSTRUMENTS[kind]
    low, high, _ = cls.bounds()
    rates = st.floats(max(low, -0.5), 0.1 * high if high > 1000 else min(high, 1.5))
    start = draw(st.integers(1, 6))
    policy: dict[str, Any] = {
        "kind": kind,
        cls.path_field: {f"2025-0{start}": draw(rates), f"2025-0{start + 2}": draw(rates)},
        "markets": draw(codes(MARKETS)),
        "stacking_group": draw(st.sampled_from([None, None, "group"])),
    }
    if "quota" in cls.model_fields:
        policy["quota"] = draw(st.sampled_from([0.0, 1e5, 1e9]))
    if "refunds" in cls.model_fields:
        policy["refunds"] = draw(st.sampled_from([["p0"], ["p0", "p1", "p2", "IEEPA reciprocal"]]))
    if draw(st.booleans()):
        policy["joins"] = {draw(st.sampled_from(policy["markets"])): "2025-07"}
    optional = {
        "chip_regions": codes(REGIONS),
        "node_classes": codes(CLASSES),
        "only_with_chips_from": codes(REGIONS),
        "devices": codes(DEVICES),
        "assembly_countries": codes(ORIGINS),
        "regions": codes(REGIONS),
        "threshold": st.floats(0, 0.1),
        "per": st.sampled_from(["value", "chip"]),
        "covers_home_assembly": st.booleans(),
        "of": st.sampled_from(["units", "chips"]),
        "unknown_origin_rule": st.sampled_from(
            ["exempt", "deemed_share", "full_content", "full_value"]
        ),
        "deemed_share": st.floats(0, 1),
        "detection": st.floats(0, 1),
        "penalty_multiple": st.floats(0, 10),
        "end": st.sampled_from(["2025-08"]),
        "end_known": st.booleans(),
        "days": st.integers(0, 200),
        "grace_months": st.integers(0, 4),
        "free_chips_per_chip": st.floats(0, 100),
        "credit_per_usd": st.floats(0, 1),
        "owned_share": st.floats(0, 1),
        "capacity_counted": st.sampled_from(["built", "standing"]),
        "pledged_kwpm": st.floats(0, 100),
        "paid_since": st.sampled_from(["2025-02"]),
    }
    for name, values in optional.items():
        if name in cls.model_fields and draw(st.booleans()):
            policy[name] = draw(values)
    return policy


settings_of_firms = st.fixed_dictionaries(
    {
        "sourcing": st.fixed_dictionaries(
            {
                "foresight": st.sampled_from(["announced", "none"]),
                "elasticity": st.just(0.0) | st.floats(0.1, 8),
            }
        ),
        "supply": st.fixed_dictionaries(
            {
                "learning": st.floats(0, 0.2),
                "capacity_growth_factor": st.floats(0, 2),
                "investment": st.sampled_from(["planned", "responsive"]),
                "closure_months": st.integers(1, 4),
                "plan_response": st.floats(0, 1),
            }
        ),
        "trade": st.fixed_dictionaries(
            {
                "markup": st.floats(0, 0.3),
                "pass_through": st.floats(0, 1),
                "growth_factor": st.floats(0, 8),
                "chip_content_growth": st.floats(0, 0.5),
                "front_loading_months": st.just(0.0) | st.floats(0.5, 4),
            }
        ),
        "assembly": st.fixed_dictionaries(
            {"shift_hazard": st.floats(0, 0.4), "plant_hazard": st.floats(0, 0.1)}
        ),
        "compliance": st.fixed_dictionaries(
            {
                "behaviour": st.sampled_from(["full", "full", "compliant"]),
                "unknown_origin_share": st.floats(0, 1),
                "tracing_cost_usd": st.floats(0, 1e6),
                "evasion_cost": st.floats(0, 2),
                "audit_rate": st.floats(0, 12),
                "detection": st.floats(0, 1),
                "lookback_months": st.integers(1, 12),
            }
        ),
        "orders": st.fixed_dictionaries(
            {
                "stock_factor": st.just(0.0) | st.floats(0.01, 3),
                "second_source_factor": st.just(0.0) | st.floats(0.1, 3),
                "backlog_share": st.floats(0, 1),
                "allocation": st.sampled_from(["pro_rata", "domestic_first", "contract_first"]),
            }
        ),
    }
)


@settings(max_examples=100, phases=[Phase.explicit, Phase.generate])  # a run is dear to shrink
@given(
    st.lists(instruments(), max_size=4),
    settings_of_firms,
    st.integers(1, 80),
    st.integers(0, 1000),
)
def test_accounts_balance_and_goods_are_conserved(
    policies: list[dict[str, Any]], firms: dict[str, Any], makers: int, seed: int
) -> None:
    named = {"policies": {f"p{i}": policy for i, policy in enumerate(policies)}}
    for economy in run(scenario(SMALL, firms, named, makers=makers), seed, months=8):
        assert_accounts_balance(economy)
        assert_chips_are_conserved(economy)
        assert_devices_are_conserved(economy)
        assert_duties_are_received(economy)


@pytest.mark.parametrize(
    ("table", "column", "named"),
    [
        ("foundries", "output", "chips made and sold of class A"),
        ("foundries", "line_sales", "chips sold for devices, used and stocked of class A"),
        ("flows", "base_duty", "duty by instrument"),
    ],
)
def test_accounts_that_do_not_balance_are_named(table: str, column: str, named: str) -> None:
    (economy,) = run(scenario(makers=120), seed=0, months=1)
    check_accounting_identities(economy)
    rows = getattr(economy, table)
    setattr(rows, column, getattr(rows, column) * 1.001)
    with pytest.raises(ConservationError, match=f"{named} does not balance in 2025-01: relative"):
        check_accounting_identities(economy)


def test_a_payment_booked_once_is_named() -> None:
    (economy,) = run(scenario(makers=30), seed=0, months=1)
    economy.ledger[PAYMENTS.index("freight"), 0] += 1e6
    with pytest.raises(ConservationError, match="payment 'freight' does not balance"):
        check_accounting_identities(economy)


def test_what_is_not_finite_is_named_with_its_month() -> None:
    simulation = Simulation(scenario(makers=30), seed=0)
    simulation.step()
    simulation.economy.foundries.utilisation[0] = np.nan  # not in the ledger
    simulation.recorder.record(simulation.economy)
    with pytest.raises(NotFiniteError, match="foundry utilisation became NaN or infinite in 2025"):
        simulation.recorder.history(0, simulation.scenario.run.start)


def assert_accounts_balance(economy: Economy) -> None:
    size = np.abs(economy.ledger).sum(axis=1)
    assert np.isfinite(economy.ledger).all()
    chip_sales = sum(
        size[PAYMENTS.index(f"chips for {buyers}")] for buyers in ("devices", "other buyers")
    )
    # overflow is a difference of all sales of chips, to makers of devices and to others
    row_size = np.maximum(size, chip_sales)
    assert (np.abs(economy.ledger.sum(axis=1)) <= TOLERANCE * row_size).all()
    assert abs(economy.ledger.sum()) <= TOLERANCE * size.sum()
    assert (np.abs(economy.ledger.sum(axis=0)) <= TOLERANCE * size.sum()).all()


def assert_chips_are_conserved(economy: Economy) -> None:
    """Chips made are chips used, stocked and sold to others, within capacity."""
    foundries, makers = economy.foundries, economy.makers
    stocked = by_class((makers.stock - makers.opening_stock).sum(axis=0), makers.slot_class)
    assert (makers.stock >= 0).all()
    made = foundries.output.sum(axis=0)
    others = (foundries.other_orders * foundries.fill_rate).sum(axis=0)
    used = by_class(makers.units @ makers.chips, makers.slot_class)
    np.testing.assert_allclose(made, foundries.sales.sum(axis=0), rtol=TOLERANCE)
    np.testing.assert_allclose(made + used, 2 * used + stocked + others, rtol=TOLERANCE)
    assert (foundries.output <= foundries.capacity * (1 + TOLERANCE)).all()
    assert (foundries.output >= 0).all()
    for china in (False, True):  # overflow stays in its bloc
        own = foundries.is_chinese == china
        bloc = foundries.output[own].sum(axis=0), foundries.sales[own].sum(axis=0)
        np.testing.assert_allclose(*bloc, rtol=TOLERANCE)


def assert_devices_are_conserved(economy: Economy) -> None:
    """Units made are units bought; those sold and in stock are no more than wanted and bought."""
    flows, makers = economy.flows, economy.makers
    bought = np.bincount(flows.maker, flows.units, len(makers))
    np.testing.assert_allclose(makers.units, bought, rtol=TOLERANCE)
    assert (flows.units <= flows.purchases * (1 + TOLERANCE)).all()
    assert (flows.sold <= flows.wanted).all()
    missed = flows.sold + flows.lost + flows.backlog
    np.testing.assert_allclose(missed, flows.wanted, rtol=TOLERANCE)
    assert all((column >= 0).all() for column in (flows.units, flows.stock, flows.lost))


def assert_duties_are_received(economy: Economy) -> None:
    """What instruments raise, and the base duties, is what governments receive."""
    flows, makers, tariffs = economy.flows, economy.makers, economy.tariff_schedule
    base = (flows.base_duty * flows.units).sum()
    region = economy.foundries.region[makers.supplier[flows.maker]]
    rate = tariffs.base_bare[flows.origin[:, None], makers.slot_class, region]
    base += (makers.chip_value[flows.maker] * rate).sum(axis=1) @ flows.units
    rows = [PAYMENTS.index(f"duties on {what}") for what in ("products", "unmounted chips")]
    received = np.maximum(economy.ledger[rows], 0).sum()
    raised = economy.policy_duty.sum() + base
    # Below 1e-308 a float has fewer digits the smaller it is: a rate of 5e-324 has one.
    np.testing.assert_allclose(raised, received, rtol=TOLERANCE, atol=1e-300)


def assert_penalties_are_received(economy: Economy) -> None:
    """Back duties and penalties are what was found, never more than was hidden."""
    importers = economy.importers
    assert (importers.evaded >= 0).all()
    assert (economy.flows.new_duty >= 0).all()
    for payment, found in (("back duties", importers.back_duty), ("penalties", importers.penalty)):
        received = np.maximum(economy.ledger[PAYMENTS.index(payment)], 0).sum()
        np.testing.assert_allclose(received, found.sum(), rtol=TOLERANCE)


# E6: all money times a factor leaves quantities and shares alone

CAPITAL_COST = "capital_cost_musd_per_kwpm_300mm"
IN_MONEY = {
    "foundries": "base_price posted_price price parity_price base_cost unit_cost subsidy revenue "
    "cost",
    "investment": "grants grants_due credits credits_due",
    "makers": "other_inputs customs_value line_requalification requalification_per_unit amortised "
    "compliance_distortion chip_value chip_counter_subsidy chip_payments standby_cost "
    "carrying_cost counter_subsidy_payments split_gain split_cost",
    "importers": "customs_value duty evaded back_duty penalty profit",
    "flows": "unit_cost ex_works customs_value bare_duty relocation second_best_place base_landed "
    "base_price base_duty new_duty evaded_duty penalty_cost compliance_cost passed_on price",
    "cells": "base_expenditure",
}


def in_money(factor: float, folder: Path) -> Scenario:
    """A busy scenario, specific duties included, with all money times a factor."""
    imports = folder / f"imports_{factor}.csv"
    with (SHIPPED / "us_imports_2024.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with imports.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            money = ("customs_value_musd", "calculated_duty_musd")
            writer.writerow(row | {name: repr(factor * float(row[name])) for name in money})
    figures = {
        "devices": {
            code: {
                name: factor * TABLES.devices.number(code, name)
                for name in ("unit_value_usd", "requalification_cost_usd")
            }
            for code in DEVICES
        },
        "node_classes": {
            code: {"chip_price_usd": factor * TABLES.node_classes.number(code, "chip_price_usd")}
            for code in CLASSES
        },
        "foundry_regions": {
            code: {
                CAPITAL_COST: factor * TABLES.foundry_regions.number(code, CAPITAL_COST),
                "build_lag_months": 3,
            }
            for code in REGIONS
        },
    }
    each = {
        "policies": {
            "each": {
                "kind": "component_tariff", "per": "chip", "rate": {"2025-03": 0.2 * factor},
                "markets": ["EU"],
            },
            "bare": {"kind": "bare_chip_tariff", "rate": {"2025-03": 0.2}},
            "grant": {"kind": "capacity_grant", "budget_per_year": {"2025-02": 5e9 * factor}},
        }
    }  # fmt: skip
    money = {
        "figures": figures,
        "data": {"us_imports_2024": str(imports)},
        "compliance": {"tracing_cost_usd": factor * 550_000, "firm_turnover_usd": factor * 150e6},
    }
    return scenario(SMALL, BUSY, each, money, makers=120)


@pytest.mark.parametrize(("factor", "exact"), [(4.0, True), (0.07, False)])
def test_money_is_a_unit_of_account(tmp_path: Path, factor: float, exact: bool) -> None:
    """A power of two changes no other bit of the numbers at all."""
    one, other = (months(build_economy(s, 5), Draws(5), 14) for s in (
        in_money(1.0, tmp_path), in_money(factor, tmp_path)
    ))  # fmt: skip
    names = {f"{table}.{column}" for table, row in IN_MONEY.items() for column in row.split()}
    assert names <= {name for name, _ in columns(one)}
    names.add("ledger")
    for (name, before), (_, after) in zip(columns(one), columns(other), strict=True):
        expected = before * factor if name in names else before
        if exact and name != "ledger":
            np.testing.assert_allclose(after, expected, rtol=1e-13, err_msg=name)
        scale = np.abs(expected).max(initial=0.0)
        np.testing.assert_allclose(
            after, expected, rtol=TOLERANCE, atol=1e-12 * scale, err_msg=name
        )
    np.testing.assert_array_equal(one.makers.supplier, other.makers.supplier)


# E7: agents have no names


class PermutedDraws(Draws):
    """The draws of a seed for an economy whose makers and foundries stand in another order.

    `makers[i]`, of lines alone as versions have the draws of theirs, and `foundries[f]` are the
    rows they had. Noise is drawn for the openings of the month, row by row, so that these have to
    be found again.
    """

    def __init__(self, seed: int, economy: Economy, makers: np.ndarray, foundries: np.ndarray):
        super().__init__(seed)
        self.economy, self.makers, self.foundries = economy, makers, foundries

    def uniform(self, stream: str, month: int, *shape: int) -> np.ndarray:
        if stream.startswith("audit"):  # of importers, which keep their order
            return super().uniform(stream, month, *shape)
        assert shape[0] == len(self.makers)
        return super().uniform(stream, month, *shape)[self.makers]

    def exponential(self, stream: str, month: int, *shape: int) -> np.ndarray:
        drawn = super().exponential(stream, month, *shape)
        if stream.startswith("emergency"):
            return drawn[self.makers][:, self.foundries]
        opened = self._open(month)
        if stream == "second source":
            second = self.economy.makers.has_second_source[: len(self.makers)]
            opened &= self._by_itself(month) & second
        else:
            assert stream == "foundry noise"
        maker, node_class = np.nonzero(opened)
        row = self.makers[maker] * self.economy.makers.supplier.shape[1] + node_class
        return drawn[row.argsort().argsort()][:, self.foundries]

    def _open(self, month: int) -> np.ndarray:
        has_slot = self.economy.makers.has_slot[: len(self.makers)]
        return has_slot & (self._design(month)[:, None] | self._by_itself(month))

    def _by_itself(self, month: int) -> np.ndarray:
        makers, sourcing = self.economy.makers, self.economy.scenario.sourcing
        is_pin_compatible = makers.is_pin_compatible[: len(self.makers)]
        alone = self.uniform("drop-in opens", month, *is_pin_compatible.shape)
        alone = alone < sourcing.pin_compatible_hazard * sourcing.opening_factor
        return np.where(is_pin_compatible, alone, self._design(month)[:, None])

    def _design(self, month: int) -> np.ndarray:
        device = self.economy.makers.device[: len(self.makers)]
        hazard = self.economy.constants.design_hazard[device]
        return self.uniform("design opens", month, len(hazard)) < hazard


def permuted(economy: Economy, makers: np.ndarray, foundries: np.ndarray) -> Economy:
    """The same economy with makers and foundries in another order."""
    result = copy.deepcopy(economy)
    for table, order in ((result.makers, makers), (result.foundries, foundries)):
        for column in fields(table):
            values = getattr(table, column.name)
            if column.name == "slot_class":
                continue
            if column.name == "bloc":
                table.bloc = values[:, order]
            elif isinstance(values, np.ndarray):
                setattr(table, column.name, values[order])
    result.foundries.name = [economy.foundries.name[f] for f in foundries]
    place = foundries.argsort()
    result.makers.supplier = place[result.makers.supplier]
    result.makers.next_supplier = place[result.makers.next_supplier]
    result.makers.second_source = place[result.makers.second_source]
    result.makers.line = makers.argsort()[result.makers.line]
    result.flows.maker = makers.argsort()[result.flows.maker]
    result.flows.line = makers.argsort()[result.flows.line]
    result.base_shares = result.base_shares[:, :, foundries]
    return result


def assert_permuted(
    one: Economy, other: Economy, makers: np.ndarray, foundries: np.ndarray
) -> None:
    for (name, expected), (_, found) in zip(
        columns(permuted(one, makers, foundries)), columns(other), strict=True
    ):
        scale = np.abs(expected).max(initial=0.0)
        np.testing.assert_allclose(
            found, expected, rtol=TOLERANCE, atol=1e-11 * scale, err_msg=name
        )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_order_of_agents_does_not_matter(seed: int) -> None:
    one_version = {"agents": {"focus": ()}}
    start = build_economy(scenario(SMALL, BUSY, one_version, makers=120), seed)
    random = np.random.default_rng(seed)
    makers = random.permutation(len(start.makers))
    foundries = random.permutation(len(start.foundries))
    other = permuted(start, makers, foundries)
    draws = PermutedDraws(seed, other, makers, foundries)
    other = months(other, draws, 14)
    assert_permuted(months(start, Draws(seed), 14), other, makers, foundries)


def change_industries(economy: Economy) -> None:
    """What Japan and Korea build changes places."""
    order = np.arange(len(REGIONS))
    order[[REGIONS.index("JP"), REGIONS.index("KR")]] = REGIONS.index("KR"), REGIONS.index("JP")
    for column in fields(economy.investment):
        values = getattr(economy.investment, column.name)
        if np.shape(values)[:1] == order.shape:
            setattr(economy.investment, column.name, values[order])


def test_names_of_identical_regions_do_not_matter() -> None:
    """Foundries of two regions with equal figures change places."""
    figures = {
        "foundry_regions": {
            "KR": {
                name: TABLES.foundry_regions.number("JP", name)
                for name in (
                    "foundries",
                    "utilisation",
                    "gross_margin",
                    "growth_per_year",
                    "build_lag_months",
                    CAPITAL_COST,
                )
            }
        },
    }
    for k in CLASSES:
        both = [TABLES.foundry_regions.number(code, f"share_{k.lower()}") for code in ("JP", "KR")]
        for code in ("JP", "KR"):
            figures["foundry_regions"].setdefault(code, {})[f"share_{k.lower()}"] = sum(both) / 2
    start = build_economy(scenario(SMALL, BUSY, free_trade(), {"figures": figures}, makers=120), 4)
    jp, kr = (
        np.flatnonzero(start.foundries.region == REGIONS.index(code)) for code in ("JP", "KR")
    )
    swap = np.arange(len(start.foundries))
    swap[jp], swap[kr] = kr, jp
    everyone = np.arange(len(start.makers))
    other = permuted(start, everyone, swap)
    other.foundries.region = start.foundries.region.copy()
    change_industries(other)
    lines = everyone[: start.makers.n_lines]
    other = months(other, PermutedDraws(4, other, lines, swap), 14)
    one = months(start, Draws(4), 14)
    assert (one.foundries.output[jp] != one.foundries.output[kr]).any()
    renamed = copy.deepcopy(other)
    renamed.foundries.region = other.foundries.region[swap]
    renamed.makers.chip_region = renamed.foundries.region[renamed.makers.supplier]
    renamed.makers.chip_origin = origins_of_chips(renamed)
    change_industries(renamed)
    assert_permuted(one, renamed, everyone, swap)


# E8: what does nothing changes nothing, to the last bit


def instrument(kind: str, rate: float, **more: Any) -> dict[str, Any]:
    cls = INSTRUMENTS[kind]
    required = {"quota": 1e6, "refunds": ["component"]}
    given = {name: value for name, value in required.items() if name in cls.model_fields}
    return {"kind": kind, cls.path_field: rate} | given | more


def assert_same_bits(scenarios: tuple[Scenario, Scenario], n: int) -> None:
    one, other = (months(build_economy(s, 6), Draws(6), n) for s in scenarios)
    for (name, before), (_, after) in zip(columns(one), columns(other), strict=True):
        np.testing.assert_array_equal(before, after, err_msg=name)
        assert before.tobytes() == after.tobytes(), name


def with_and_without(*changes: dict[str, Any], **policies: Any) -> tuple[Scenario, Scenario]:
    """A busy scenario, and the same with more policies, by name before and after the others."""
    base = merged(SMALL, BUSY, *changes)
    named = {f"{'ax'[i % 2]}_{name}": policies[name] for i, name in enumerate(policies)}
    more = base | {"policies": named | base["policies"]}
    return scenario(base, makers=90), scenario(more, makers=90)


VARIANTS: dict[str, dict[str, Any]] = {
    "product_tariff": {"only_with_chips_from": ["TW"]},
    "component_tariff": {"threshold": 0.1},
    "demand_shift": {"of": "chips"},
}


@pytest.mark.parametrize("kind", INSTRUMENTS)
def test_zero_rate_is_neutral(kind: str) -> None:
    zero = instrument(kind, 0.0, start="2025-02")
    more = {"variant": zero | VARIANTS[kind]} if kind in VARIANTS else {}
    group = zero | {"stacking_group": "group"}
    assert_same_bits(with_and_without(plain=zero, group=group, **more), 8)


@pytest.mark.parametrize("kind", INSTRUMENTS)
def test_empty_scope_is_neutral(kind: str) -> None:
    nowhere = {"assembly_countries": ["CN"], "exempt_assembly_countries": ["CN"]}
    policy = instrument(kind, 0.3, start="2025-02", **nowhere)
    more = {"variant": policy | VARIANTS[kind]} if kind in VARIANTS else {}
    assert_same_bits(with_and_without(plain=policy, **more), 8)


@pytest.mark.parametrize("kind", INSTRUMENTS)
def test_neutral_before_it_is_announced(kind: str) -> None:
    policy = instrument(kind, 0.3, start="2026-01", announced="2025-09")
    more = {"variant": policy | VARIANTS[kind]} if kind in VARIANTS else {}
    assert_same_bits(with_and_without(plain=policy, **more), 8)


@pytest.mark.parametrize("kind", INSTRUMENTS)
def test_neutral_before_it_starts_without_foresight(kind: str) -> None:
    policy = instrument(kind, 0.3, start="2025-09", announced="2025-01")
    more = {"variant": policy | VARIANTS[kind]} if kind in VARIANTS else {}
    blind = {"sourcing": {"foresight": "none"}}
    assert_same_bits(with_and_without(blind, plain=policy, **more), 8)


def test_announcement_is_not_neutral() -> None:
    """The four tests above could fail: after its announcement a tariff moves suppliers."""
    policy = instrument(
        "component_tariff", 2.0, start="2025-09", announced="2025-02", chip_regions=["TW", "KR"]
    )
    one, other = (months(build_economy(s, 6), Draws(6), 8) for s in with_and_without(plain=policy))
    assert (one.makers.next_supplier != other.makers.next_supplier).any()


def test_each_device_is_left_alone() -> None:
    """A trigger on one device moves no supplier of another, as long as prices have not moved."""
    policy = instrument(
        "product_tariff",
        2.0,
        start="2025-01",
        only_with_chips_from=["CN"],
        devices=["combustion_car"],
    )
    one, other = (months(build_economy(s, 6), Draws(6), 1) for s in with_and_without(plain=policy))
    others = one.makers.device != one.constants.codes.devices.index("combustion_car")
    same = (one.makers.next_supplier == other.makers.next_supplier).all(axis=1)
    assert same[others].all()

"""The array code and the plain objects run the same months (MODEL 6, E12).

Every month: who supplies every slot and where every line is assembled, exactly; prices, units,
duty by instrument, Chinese shares and the ledger, to 1e-9.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tariffsim.calibration import build_economy
from tariffsim.month import PHASES
from tariffsim.scenario import Scenario
from tariffsim.state.draws import Draws
from tariffsim.state.economy import Economy
from tariffsim.state.ledger import PAYMENTS, sectors
from tests.economies import scenario
from tests.reference import Maker, Reference, Slot
from tests.reference.scenarios import SCENARIOS, SMALL, lines_of, months_of

TOLERANCE = 1e-9
FOUNDRY_COLUMNS = (
    "price", "capacity", "planned_capacity", "orders", "output", "sales", "line_sales",
    "utilisation", "unit_cost", "experience", "subsidy", "revenue", "cost",
)  # fmt: skip


def compare(name: str) -> None:
    """All months of a scenario."""
    months = months_of(name)
    case = scenario(SMALL, SCENARIOS[name], makers=lines_of(name))
    assert run_both(case, seed=1, months=months).month_number == months - 1


def run_both(scenario: Scenario, seed: int, months: int) -> Reference:
    """The plain objects after some months, in each of which the arrays equal them."""
    economy, draws = build_economy(scenario, seed), Draws(seed)
    world = Reference(build_economy(scenario, seed), Draws(seed))
    for _ in range(months):
        for phase in PHASES:
            phase(economy, draws)
        world.month()
        assert_same_choices(economy, world)
        assert_same_knowledge(economy, world)
        assert_same_quantities(economy, world)
        assert_same_accounts(economy, world)
    return world


def assert_same_knowledge(economy: Economy, world: Reference) -> None:
    assert economy.importers.knows_origin.tolist() == [
        importer.knows_origin for importer in world.importers
    ]


def slots(economy: Economy, world: Reference) -> Iterator[tuple[Maker, tuple[int, int], Slot]]:
    """Every slot with its line and its place in the arrays."""
    for i, maker in enumerate(world.makers):
        assert set(maker.slots) == set(np.flatnonzero(economy.makers.has_slot[i]).tolist())
        for p, slot in maker.slots.items():
            yield maker, (i, p), slot


def assert_same_choices(economy: Economy, world: Reference) -> None:
    makers, codes = economy.makers, economy.constants.codes
    name = economy.foundries.name
    assert makers.is_made.tolist() == [maker.is_made for maker in world.makers]
    for i, maker in enumerate(world.lines):
        assert maker.is_split == makers.is_split[i]
        has_plant = np.flatnonzero(makers.plants[i])
        assert maker.plants == {codes.origins[o] for o in has_plant}
        assert maker.plant_month == makers.plant_month[i]
    for row, flow in enumerate(world.flows):
        assert flow.maker is world.makers[economy.flows.maker[row]]
        assert flow.origin == codes.origins[economy.flows.origin[row]]
        assert flow.arrival_month == economy.flows.arrival_month[row]
    for _, at, slot in slots(economy, world):
        assert slot.supplier.name == name[makers.supplier[at]]
        assert slot.second_source.name == name[makers.second_source[at]]
        assert (slot.waiting is not None) == (makers.switch_month[at] >= 0)
        if slot.waiting is not None:
            assert slot.waiting.name == name[makers.next_supplier[at]]
            assert slot.take_over_month == makers.switch_month[at]


def assert_same_quantities(economy: Economy, world: Reference) -> None:
    foundries, flows = economy.foundries, economy.flows
    for column in FOUNDRY_COLUMNS:
        plain = [[getattr(f, column)[k] for k in world.classes] for f in world.foundries]
        scale = foundries.capacity if column in ("sales", "line_sales", "output") else 0.0
        close(getattr(foundries, column), plain, column, np.maximum(np.abs(plain), scale))
    for column in (
        "orders", "price", "base_duty", "new_duty", "passed_on", "evaded_duty",
        "penalty_cost", "compliance_cost", "customs_value", "ex_works", "exchange",
        "relocation", "second_best_place", "bare_duty",
    ):  # fmt: skip
        close(getattr(flows, column), [getattr(f, column) for f in world.flows], column)
    values = [maker.customs_value for maker in world.makers]
    close(economy.makers.customs_value, values, "customs_value of lines")
    close(economy.makers.fill_rate, [m.fill_rate for m in world.makers], "fill", scale=1.0)
    wanted = np.bincount(flows.maker, flows.wanted, len(economy.makers))
    close(economy.makers.units, [m.units for m in world.makers], "units of lines", scale=wanted)
    for column in ("purchases", "units", "sold", "stock", "lost", "backlog"):
        plain = [getattr(f, column) for f in world.flows]
        close(getattr(flows, column), plain, column, scale=flows.wanted)
    held = list(slots(economy, world))
    at = tuple(np.transpose([place for _, place, _ in held]))
    for column, plain in (
        ("chips", [slot.chips for *_, slot in held]),
        ("chip_value", [slot.chip_value for *_, slot in held]),
        ("amortised", [slot.amortised for *_, slot in held]),
        ("compliance_distortion", [slot.sacrifice for *_, slot in held]),
    ):
        bill = np.array([maker.chip_bill() for maker, *_ in held])
        close(getattr(economy.makers, column)[at], plain, column, scale=bill)
    used = np.array([slot.chips * sum(f.wanted for f in maker.flows) for maker, _, slot in held])
    close(economy.makers.stock[at], [slot.stock for *_, slot in held], "stock", scale=used)
    worth = sum(importer.customs_value for importer in world.importers)
    for column in ("customs_value", "duty", "profit", "back_duty", "penalty", "refund"):
        plain = [getattr(importer, column) for importer in world.importers]
        close(getattr(economy.importers, column), plain, column, scale=worth)
    chinese, total = chips_bought(economy)
    for m, market in enumerate(world.markets):
        plain_chinese, plain_total = plain_chips_bought(world, market)
        assert total[m] == pytest.approx(plain_total, rel=TOLERANCE)
        if plain_total:
            share = plain_chinese / plain_total
            assert chinese[m] / total[m] == pytest.approx(share, rel=TOLERANCE)


def chips_bought(economy: Economy) -> tuple[np.ndarray, np.ndarray]:
    """Chinese and all chips in what each market buys."""
    makers, flows, foundries = economy.makers, economy.flows, economy.foundries
    chips = makers.chips * makers.has_slot
    chinese = chips * foundries.is_chinese[makers.supplier]
    by_line = [chinese.sum(axis=1)[flows.maker], chips.sum(axis=1)[flows.maker]]
    n = len(economy.constants.codes.markets)
    ours, every = (np.bincount(flows.market, count * flows.units, n) for count in by_line)
    return ours, every


def plain_chips_bought(world: Reference, market: str) -> tuple[float, float]:
    chinese = total = 0.0
    for flow in world.flows:
        if flow.market == market:
            for slot in flow.maker.slots.values():
                total += flow.units * slot.chips
                chinese += flow.units * slot.chips * slot.supplier.is_chinese
    return chinese, total


def assert_same_accounts(economy: Economy, world: Reference) -> None:
    names = [law.name for law in economy.tariff_schedule.laws]
    duty = [world.books.duty_by_instrument[i] for i in range(len(names))]
    # units that a cut-off leaves are rounding of those ordered: 1e-15 of all duty
    least = 1e-6 * np.abs(duty).sum()
    close(economy.policy_duty, duty, "duty by instrument", np.maximum(np.abs(duty), least))
    entries = world.books.entries
    plain = np.array([[entries[p, s] for s in sectors(world.markets)] for p in PAYMENTS])
    scale = np.abs(plain).max(axis=1, keepdims=True)
    least = scale[PAYMENTS.index("chips for devices")]  # overflow is a difference of sales
    close(economy.ledger, plain, "transaction_flows", scale=np.maximum(scale, least))


def close(ours: Any, plain: Any, what: str, scale: Any = None) -> None:
    """Equal to 1e-9, relative to each number, or to a scale where differences are booked."""
    ours, plain = np.asarray(ours), np.asarray(plain)
    scale = np.abs(plain) if scale is None else scale
    worst = (np.abs(ours - plain) - TOLERANCE * scale).max(initial=-1.0)
    assert worst <= 1e-300, f"{what} differs by {worst}"

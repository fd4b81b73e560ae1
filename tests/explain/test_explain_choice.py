"""Why a maker buys its chips where it does: in Python, on the command line, as a picture."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import tariffsim
from tariffsim.charts.cost_stack import files_of, pictures_of
from tariffsim.cli import commands
from tariffsim.errors import ChoiceError
from tariffsim.explain import Explanation, explain_maker
from tariffsim.explain.slot import BASE_DUTIES, REBATED, rate_of_cost
from tariffsim.kernels.sourcing import choice_probabilities, with_inertia
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.simulation import Simulation
from tariffsim.typing import format_month
from tests.charts.lint import lint
from tests.economies import odds_of_candidates

SMALL = {"agents__makers": 150, "run__end": "2027-12"}
COMPLIANT = {"compliance__behaviour": "compliant"}
"""So that makers count with every duty in full."""


def scenario(name: str, **changes: object) -> Scenario:
    return replace(load_scenario(name), **SMALL, **changes)


@pytest.fixture(scope="module")
def run() -> Simulation:
    """Two years, with a component tariff in force and slots under qualification."""
    made = Simulation(scenario("component_50"), seed=3)
    while made.economy.month < 24:
        made.step()
    return made


@pytest.fixture(scope="module")
def everyone(run: Simulation) -> list[Explanation]:
    return [explain_maker(run.economy, run.draws, i, 3) for i in range(len(run.economy.makers))]


def test_probabilities_are_those_of_the_model(run: Simulation, everyone: list[Explanation]) -> None:
    economy = run.economy
    makers, names = economy.makers, economy.foundries.name
    waits = makers.switch_month >= 0
    in_place = np.where(waits, makers.next_supplier, makers.supplier)
    maker, k = np.nonzero(makers.has_slot)
    weights = odds_of_candidates(economy, maker, k)
    weights = with_inertia(weights, in_place[maker, k], makers.inertia[maker, k])
    expected = choice_probabilities(weights)
    slots = [slot for found in everyone for slot in found.slots]
    assert len(slots) == len(maker)
    assert waits[makers.has_slot].any()
    for slot, row in zip(slots, expected, strict=True):
        drawn = slot.candidates["probability"].reindex(names, fill_value=0.0)
        assert drawn.to_numpy() == pytest.approx(row, rel=1e-12, abs=1e-300)


def test_the_columns_rebuild_the_probabilities(everyone: list[Explanation]) -> None:
    for found in everyone:
        for slot in found.slots:
            c = slot.candidates
            assert c[["price", "expected_duty", "switching_cost"]].sum(axis=1).to_numpy() == (
                pytest.approx(c["total"].to_numpy())
            )
            weight = (
                c["preference"] * c["size"] * (c["total"] / c["base_cost"]) ** -found.elasticity
            )
            assert (weight / weight.sum()).to_numpy() == pytest.approx(
                c["probability"].to_numpy(), rel=1e-9
            )


def test_duties_by_instrument_add_up(everyone: list[Explanation]) -> None:
    for found in everyone:
        for slot in found.slots:
            missing = slot.duties.sum(axis=1) - slot.candidates["expected_duty"]
            assert missing.abs().max() < 1e-9 * slot.candidates["price"].max()


def test_each_instrument_has_its_own_duty() -> None:
    """A component tariff alone in the world: its rate on Chinese chips, nothing on others."""
    tariff = {"kind": "component_tariff", "announced": "2025-01", "rate": {"2025-01": 0.5},
              "markets": ["US", "EU", "JK", "CN", "ROW"]}  # fmt: skip
    made = replace(
        load_scenario("baseline"),
        **SMALL,
        **COMPLIANT,
        policies={"component_tariff": tariff},
        trade__tariffs_in_force=False,
    )
    (slot, *_) = tariffsim.explain_choice(made, 20, "2025-02").slots
    duty = slot.duties["component_tariff"] / slot.candidates["price"]
    is_china = slot.candidates["region"] == "CN"
    assert duty[is_china].to_numpy() == pytest.approx(0.5)
    assert not duty[~is_china].any()
    assert set(slot.duties) <= {"component_tariff", BASE_DUTIES}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_highest_of_a_stacking_group_has_all_of_its_duty(seed: int) -> None:
    tariff = {"kind": "product_tariff", "announced": "2025-01", "stacking_group": "one",
              "markets": ["US", "EU", "JK", "CN", "ROW"]}  # fmt: skip
    both = {"low": tariff | {"rate": {"2025-01": 0.1}}, "high": tariff | {"rate": {"2025-01": 0.3}}}
    made = replace(load_scenario("baseline"), **SMALL, policies=both, trade__tariffs_in_force=False)
    at_once = Simulation(made, seed)
    at_once.step()
    makers, codes = at_once.economy.makers, at_once.economy.constants.codes
    paying = 0
    for maker in range(0, 150, 10):
        cells = codes.cells_by_market(makers.device[maker], makers.origin[maker])
        crosses = at_once.economy.tariff_schedule.crosses_border[cells] > 0
        exports = (crosses & (makers.weights[maker] > 0)).any()  # the product pays at a border
        for slot in explain_maker(at_once.economy, at_once.draws, maker, seed).slots:
            assert ("high" in slot.duties) == exports
            assert "low" not in slot.duties
        paying += exports
    assert paying > 0


ALL_MARKETS = ["US", "EU", "JK", "CN", "ROW"]
EXPOSURE = (1 - (1 - 0.01 * 0.6 / 12) ** 12) * (1 + 3.0)
"""Back duty and penalty expected for a dollar hidden, at the defaults of `compliance`."""


@pytest.mark.parametrize("behaviour", ["compliant", "full"])
def test_at_the_break_even_rate_half_of_the_openings_leave(behaviour: str) -> None:
    """The answer against the model itself: the same choice under the rate it gives."""
    start = {"announced": "2025-01", "kind": "component_tariff", "node_classes": ["A"],
             "markets": ALL_MARKETS, "unknown_origin_rule": "exempt"}  # fmt: skip
    before = scenario("baseline", compliance__behaviour=behaviour)
    tried = 0
    for maker in range(0, 150, 9):
        (slot, *_) = tariffsim.explain_choice(before, maker, "2025-01").slots
        if slot.node_class != "A" or not 0 < slot.break_even_rate < 5:
            continue
        policy = start | {"rate": {"2025-01": slot.break_even_rate}, "chip_regions": [slot.region]}
        after = replace(before, policies={"tried": policy})
        (moved, *_) = tariffsim.explain_choice(after, maker, "2025-01").slots
        if moved.next_supplier != slot.next_supplier:
            continue  # it opened in this very month and chose otherwise
        assert moved.stays_in_region == pytest.approx(0.5, abs=1e-9)
        assert moved.break_even_rate == pytest.approx(0.0, abs=1e-9)
        tried += 1
    assert tried > (3 if behaviour == "compliant" else 1)


def test_break_even_of_one_market_goes_with_its_weight() -> None:
    made = Simulation(scenario("component_50", **COMPLIANT), seed=3)
    made.step()
    alone = 0
    for maker in range(50):
        found = explain_maker(made.economy, made.draws, maker, 3)
        for slot in found.slots:
            for market, rate in slot.break_even_alone.items():
                assert rate * found.markets[market] == pytest.approx(slot.break_even_rate)
            assert bool(slot.break_even_alone) == (0 < slot.break_even_rate < math.inf)
            alone += len(slot.break_even_alone)
    assert alone > 50


def test_one_market_alone_needs_more_none_without_known_origin(
    everyone: list[Explanation],
) -> None:
    told = 0
    for found in everyone:
        for slot in found.slots:
            assert (slot.break_even_rate > 0) == (slot.stays_in_region > 0.5)
            for market, rate in slot.break_even_alone.items():
                assert rate >= slot.break_even_rate * (1 - 1e-12)
                assert found.importers[market].knows_origin
                told += 1
    assert told > 50


def test_a_rate_costs_importers_what_they_do_not_hide() -> None:
    importers = pd.DataFrame({
        "market": [0, 1, 2], "weight": [0.5, 0.3, 0.0], "evasion_cost": [0.2, 1.0, 0.1],
        "exposure": [0.1, 0.0, 0.1],
    })  # fmt: skip
    for rise in (0.05, 0.16, 0.3, 0.5, 2.0):
        rate = rate_of_cost(rise, importers)
        borne = [
            min(rate, e * rate + h) for h, e in importers[["evasion_cost", "exposure"]].to_numpy()
        ]
        assert sum(importers["weight"] * borne) == pytest.approx(rise)
    assert rate_of_cost(0.31, importers.iloc[1:]) == math.inf  # 0.3 of the value at most
    assert rate_of_cost(0.1, importers.iloc[2:]) == math.inf  # exempt: origin not known
    assert rate_of_cost(-0.1, importers) == -0.1


def taxed(rate: float, **changes: object) -> Scenario:
    """A component tariff of every market, alone in the world."""
    tariff = {"kind": "component_tariff", "announced": "2025-01", "rate": {"2025-01": rate},
              "markets": ALL_MARKETS}  # fmt: skip
    rule = {key: changes.pop(key) for key in ("unknown_origin_rule",) if key in changes}
    return scenario(
        "baseline", policies={"tariff": tariff | rule}, trade__tariffs_in_force=False, **changes
    )


def test_a_duty_costs_no_more_than_hiding_it() -> None:
    rate, capped = 1.5, 0
    made = Simulation(taxed(rate, compliance__unknown_origin_share=0.0), seed=1)
    made.step()
    importers, makers = made.economy.importers, made.economy.makers
    for maker in range(0, 150, 5):
        evasion_cost = importers.evasion_cost[makers.importer[maker]]
        costs = np.minimum(rate, EXPOSURE * rate + evasion_cost)
        weights = makers.weights[maker]
        found = explain_maker(made.economy, made.draws, maker, 1)
        for slot in found.slots:
            is_china = slot.candidates["region"] == "CN"
            duty = slot.duties["tariff"] / slot.candidates["price"]
            assert duty[is_china].to_numpy() == pytest.approx((weights * costs).sum())
            assert not duty[~is_china].any()
        for market, who in found.importers.items():
            at = made.economy.constants.codes.markets.index(market)
            assert (who.evasion_threshold < rate) == (costs[at] < rate)
            capped += who.evasion_threshold < rate
    assert capped > 20


def test_without_known_origin_there_is_no_duty_in_the_stack_where_unknown_is_exempt() -> None:
    found = tariffsim.explain_choice(
        taxed(0.5, compliance__unknown_origin_share=1.0, unknown_origin_rule="exempt"),
        20,
        "2025-01",
    )
    assert not any(who.knows_origin for who in found.importers.values())
    for slot in found.slots:
        assert set(slot.duties) <= {BASE_DUTIES}
        if slot.stays_in_region > 0.5:
            assert slot.break_even_rate == math.inf
            assert not slot.break_even_alone


def test_without_known_origin_the_duty_is_the_same_for_all_where_unknown_is_taxed() -> None:
    """Without tracing, as nobody can afford it here, the full duty is due whoever made the chip."""
    made = taxed(
        0.5, compliance__unknown_origin_share=1.0, compliance__tracing_cost_usd=1e11,
        unknown_origin_rule="full_content",
    )  # fmt: skip
    for slot in tariffsim.explain_choice(made, 20, "2025-01").slots:
        assert (slot.duties["tariff"] / slot.candidates["price"]).to_numpy() == pytest.approx(0.5)


def test_hiding_leaves_duties_that_nobody_can_hide_as_they_are() -> None:
    """Duties of 2024 are paid whatever importers say; what is hidden is the new duty's."""
    early = {
        "policies__product_tariff__announced": "2025-01",
        "policies__product_tariff__rate": {"2025-01": 1.0},
    }
    worlds = [
        Simulation(scenario("whole_product_china", **early, **more), 1) for more in (COMPLIANT, {})
    ]
    for world in worlds:
        world.step()
    places = [world.economy.makers.origin for world in worlds]
    same_place = (places[0] == places[1]).all(axis=1)
    pay, hidden = 0, 0
    for maker in np.flatnonzero(same_place[:150])[::4]:
        found = [explain_maker(w.economy, w.draws, int(maker), 1) for w in worlds]
        for one, two in zip(*(told.slots for told in found), strict=True):
            shares = [s.duties.div(s.candidates["price"], axis=0) for s in (one, two)]
            new = [share.get("product_tariff", 0 * share.sum(axis=1)) for share in shares]
            assert (new[1] <= new[0] + 1e-9).all()
            hidden += (new[1] < new[0] - 1e-6).any()
            assert (BASE_DUTIES in shares[0]) == (BASE_DUTIES in shares[1])
            if BASE_DUTIES in shares[0]:
                base = [share[BASE_DUTIES].to_numpy() for share in shares]
                assert base[0] == pytest.approx(base[1])
                pay += 1
    assert pay > 20
    assert hidden > 0


def test_a_picture_shows_the_duties_of_2024() -> None:
    found = tariffsim.explain_choice(scenario("whole_product_china"), 50, "2026-03")
    for slot in found.slots[:4]:
        parts = pictures_of(found)[slot.part].table.set_index(["foundry", "part"])
        drawn = (parts["end"] - parts["start"]).xs(BASE_DUTIES, level="part")
        assert drawn.to_numpy() == pytest.approx(slot.duties[BASE_DUTIES][drawn.index].to_numpy())


def test_what_china_makes_good_is_a_lower_price() -> None:
    half = {"kind": "counter_subsidy", "share": 0.5, "start": "2025-01", "announced": "2025-01"}
    whole = replace(taxed(0.5, **COMPLIANT), policies__offset=half)
    found = tariffsim.explain_choice(whole, 20, "2025-01")
    for slot in found.slots[:4]:
        is_china = slot.candidates["region"] == "CN"
        price = slot.candidates["price"]
        given = slot.duties[REBATED]
        assert (given / price)[is_china].to_numpy() == pytest.approx(-0.5 * 0.5 / 1.5)
        assert not given[~is_china].any()
        assert slot.duties.sum(axis=1).to_numpy() == pytest.approx(
            slot.candidates["expected_duty"].to_numpy()
        )
        picture = pictures_of(found)[slot.part]
        assert lint(picture) == []
        bottom = picture.table[picture.table["part"].str.startswith("price less")]
        assert len(bottom) == picture.table["foundry"].nunique()


def test_no_rate_where_nobody_else_makes_the_chip() -> None:
    (slot, *_) = tariffsim.explain_choice(
        scenario("baseline", sourcing__elasticity=0.0), 3, "2025-02"
    ).slots
    assert slot.break_even_rate == math.inf
    assert not slot.break_even_alone


def test_nobody_decides_before_the_next_opening_foretold(
    run: Simulation, everyone: list[Explanation]
) -> None:
    later = copy.deepcopy(run)
    foretold = {
        (found.maker, k): slot.next_opening
        for found in everyone
        for k, slot in zip(
            np.flatnonzero(run.economy.makers.has_slot[found.maker]), found.slots, strict=True
        )
    }
    start, decided = run.economy.scenario.run.start, {}
    made = run.economy.makers.is_made
    while later.economy.month < later.n_months - 1:
        makers = later.economy.makers
        # a version that is new goes on with what its line had under way
        comes_from = np.where(makers.is_made, np.arange(len(makers)), makers.line)
        before = makers.switch_month[comes_from]
        later.step()
        makers = later.economy.makers
        after = makers.switch_month
        for row, k in zip(*np.nonzero((after >= 0) & (after != before)), strict=True):
            slot = (row if made[row] else makers.line[row], k)  # of its line, if it is new
            decided.setdefault(slot, format_month(start + later.economy.month))
    assert all(foretold[slot] and month >= foretold[slot] for slot, month in decided.items())
    assert sum(month == foretold[slot] for slot, month in decided.items()) > len(decided) / 4


def test_openings_do_not_depend_on_policy(everyone: list[Explanation]) -> None:
    other = Simulation(scenario("baseline"), seed=3)
    while other.economy.month < 24:
        other.step()
    for found in everyone[::10]:
        same = explain_maker(other.economy, other.draws, found.maker, 3)
        for one, two in zip(found.slots, same.slots, strict=True):
            if one.next_supplier is None and two.next_supplier is None:
                assert one.next_opening == two.next_opening


def test_wrong_questions_are_refused_in_words() -> None:
    made = scenario("baseline")
    for maker, month, words in (
        (150, "2025-02", "makers are numbered 0 to 149"),
        (-1, "2025-02", "makers are numbered 0 to 149"),
        (True, "2025-02", "makers are numbered 0 to 149"),
        (3, "2031-01", "month 2031-01 is not in the run, which is 2025-01 to 2027-12"),
        (3, "soon", "month 'soon' is not a date"),
    ):
        with pytest.raises(ChoiceError, match=words):
            tariffsim.explain_choice(made, maker, month)
    with pytest.raises(ChoiceError, match="has no part Z"):
        tariffsim.explain_choice(made, 3, "2025-01").slot("Z")


def call(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(commands, words)
    return done.exit_code, done.stdout, done.stderr


def test_the_command_says_the_same_as_python() -> None:
    words = ("explain", "component_50", "--maker", "3", "--month", "2026-02", "--seed", "2")
    code, out, _ = call(*words, "--json")
    assert code == 0
    told, found = json.loads(out), tariffsim.explain_choice("component_50", 3, "2026-02", 2)
    assert told["device"] == found.device
    for slot, other in zip(found.slots, told["slots"], strict=True):
        assert other["break_even_rate"] == pytest.approx(slot.break_even_rate)
        assert [row["foundry"] for row in other["candidates"]] == list(slot.candidates.index)
    code, text, _ = call(*words)
    assert code == 0
    for slot in found.slots:
        assert f"Part {slot.part}: " in text
        assert slot.supplier in text
        assert "Break-even duty" in text
    (importer,) = [line for line in text.splitlines() if line.startswith("Its importers: ")]
    assert any(not who.knows_origin for who in found.importers.values()) == (
        "do not know the origin" in importer
    )
    for market, who in found.importers.items():
        assert told["importers"][market] == {
            "knows_origin": who.knows_origin,
            "evasion_threshold": who.evasion_threshold,
        }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--maker 5000 --month 2025-01", "makers are numbered 0 to 1199"),
        ("--maker 3 --month 2040", "month 2040-01 is not in the run"),
        ("--month 2026-01", "--month needs --maker"),
        ("supply --maker 3", "give KEY or --maker, not both"),
    ],
)
def test_the_command_refuses_wrong_questions(words: str, message: str) -> None:
    code, out, errors = call("explain", "component_50", *words.split())
    assert code == 2
    assert message in errors
    assert not out


@pytest.mark.parametrize("name", ["component_50", "bare_chip_2027", "whole_product_content"])
def test_pictures_of_choices_have_no_fault(name: str) -> None:
    found = tariffsim.explain_choice(
        scenario(name, title="A title as long as a paragraph, " * 6), 17
    )
    for picture in pictures_of(found).values():
        assert lint(picture) == []


def test_the_picture_adds_up_to_the_totals(everyone: list[Explanation]) -> None:
    found = everyone[30]
    for node_class, picture in pictures_of(found).items():
        ends = picture.table.groupby("foundry")["end"].max()
        totals = found.slot(node_class).candidates["total"][ends.index]
        assert ends.to_numpy() == pytest.approx(totals.to_numpy())
        assert found.slot(node_class).candidates["total"].idxmin() in ends.index
    assert len(files_of(found)) == 4 * len(found.slots)

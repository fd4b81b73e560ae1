"""A coalition that markets join one by one: one law for the markets of each first month."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tariffsim.errors import ScenarioError
from tariffsim.experiments.timing import shifted
from tariffsim.policy import INSTRUMENTS, Instrument
from tariffsim.scenario import Scenario, load_scenario, replace, to_yaml
from tariffsim.scenario.checks import remarks
from tariffsim.scenario.factors import Unfit, factor_of
from tariffsim.scenario.provenance import explain
from tariffsim.scenario.variation import varied
from tariffsim.typing import format_month, parse_month
from tests.economies import STILL, component, merged, run, scenario

STEP = {"2025-03": 0.2, "2025-08": 0.4}
JOINS = {"EU": "2025-06", "JK": "2025-09"}
ALLIES = ["US", "EU", "JK"]


def levy(**fields: Any) -> dict[str, Any]:
    policy = {
        "kind": "component_tariff", "rate": STEP, "announced": "2025-01", "markets": ALLIES,
        "joins": JOINS,
    }  # fmt: skip
    return {"policies": {"levy": policy | fields}}


def one_by_one() -> dict[str, Any]:
    """The same written as one policy a market."""
    apart: dict[str, Any] = {}
    for market in ALLIES:
        policy = levy(markets=[market], joins={})["policies"]["levy"]
        apart[f"levy_{market.lower()}"] = policy | {"start": JOINS.get(market, "2025-03")}
    return {"policies": apart}


def test_joining_is_one_policy_for_each_first_month() -> None:
    """To the last bit the same months as with three policies, whatever agents expect."""
    full = {"compliance": {"behaviour": "full"}}
    one, other = (
        [e.ledger.copy() for e in run(scenario(full, law, makers=150), 2, 12)]
        for law in (levy(), one_by_one())
    )
    assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_who_pays_when() -> None:
    paid: dict[str, list[bool]] = {market: [] for market in ALLIES}
    for economy in run(scenario(STILL, levy(), makers=150), 0, 10):
        for market, months in paid.items():
            here = economy.flows.market == economy.constants.codes.markets.index(market)
            months.append(bool(economy.flows.new_duty[here].any()))
    assert {market: months.index(True) for market, months in paid.items()} == {
        "US": 2, "EU": 5, "JK": 8,
    }  # fmt: skip
    assert all(months == sorted(months) for months in paid.values())


def test_laws_and_the_table_of_policies_name_the_markets() -> None:
    (economy,) = run(scenario(levy(joins={"JK": "2025-09"}), makers=60), 0, 1)
    laws = {law.name: law.instrument for law in economy.tariff_schedule.laws}
    own = {name: law for name, law in laws.items() if name.startswith("levy")}
    assert [*own] == ["levy, US EU", "levy, JK"]
    assert [format_month(law.first_month) for law in own.values()] == ["2025-03", "2025-09"]
    assert {format_month(law.known_from) for law in own.values()} == {"2025-01"}


def test_all_entries_are_expected_from_the_announcement_on() -> None:
    (economy,) = run(scenario(STILL, levy(), makers=60), 0, 1)
    seen = [dict(economy.regime_ahead(months)) for months in range(10)]
    assert [len(rates) for rates in seen] == [0, 0, 1, 1, 1, 2, 2, 2, 3, 3]
    blind = scenario(STILL, levy(announced="2025-02"), makers=60)
    (economy,) = run(blind, 0, 1)
    assert not economy.regime_ahead(9)


def test_a_ban_that_others_join_denies_nobody_twice() -> None:
    """Lines sold in one member and assembled in another meet one ban, not two."""
    ban = {
        "kind": "import_ban", "denied": 0.5, "start": "2025-01", "markets": ["US", "EU"],
        "grace_months": 0, "chip_regions": ["CN"],
    }  # fmt: skip
    at_once, joined = (
        run(scenario(STILL, {"policies": {"ban": policy}}, makers=60), 0, 3)
        for policy in (ban, ban | {"joins": {"EU": "2025-03"}})
    )
    *_, one = at_once
    *_, other = joined
    ours, others = one.policy.limits.supply, other.policy.limits.supply
    np.testing.assert_array_equal(ours.by_region, others.by_region)
    assert not ours.by_origin
    assert not others.by_origin


def test_the_scope_of_a_market_is_counted_once() -> None:
    (economy,) = run(scenario(levy(), makers=60), 0, 1)
    scopes = [law.scope for law in economy.tariff_schedule.laws if law.name.startswith("levy")]
    assert len(scopes) == 3
    assert max(sum(scopes)) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"joins": {"EA": "2026-01"}}, "policies.levy.joins.EA: is not among the markets"),
        ({"joins": {"EU": "2025-02"}}, "policies.levy.joins.EU: must not be before the start"),
        ({"joins": {"EU": "2026-02"}}, "policies.levy.joins.EU: must not be after the end"),
        ({"joins": {"EU": "soon"}}, "policies.levy.joins.EU: is not a date"),
    ],
)
def test_refusals(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        replace(load_scenario("baseline"), **levy(end="2026-01", **change))
    assert said in str(refused.value)


def test_all_refusals_at_once() -> None:
    wrong = levy(end="2026-01", joins={"EA": "2026-01", "EU": "2025-02", "JK": "2026-02"})
    with pytest.raises(ScenarioError) as refused:
        replace(load_scenario("baseline"), **wrong)
    assert len(refused.value.problems) == 3


@pytest.mark.parametrize(
    "policy",
    [
        {"kind": "price_cut", "points": 0.1, "start": "2025-01"},
        {"kind": "chip_cutoff", "denied": 1.0, "first_day": "2025-03-01"},
    ],
)
def test_measures_without_markets_of_their_own_have_no_entries(policy: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match="joins: does not apply"):
        replace(
            load_scenario("baseline"),
            policies={"levy": policy | {"joins": {"US": "2026-01"}}},
        )


def test_a_response_has_entries_too_but_not_before_it() -> None:
    answer = component(0.1)["policies"]["component"] | {"start": None}
    answer |= {"when": "levy in force", "markets": ["US", "EU"], "joins": {"EU": "2025-10"}}
    both = merged(levy(), {"policies": {"answer": answer}})
    dated = scenario(both).dated_policies["answer"]
    assert [format_month(part.first_month) for part in dated.by_entry()] == ["2025-03", "2025-10"]
    answer["joins"] = {"EU": "2025-02"}
    with pytest.raises(ScenarioError, match=r"joins\.EU: must not be before"):
        replace(load_scenario("baseline"), **merged(levy(), {"policies": {"answer": answer}}))


@pytest.fixture
def grows() -> Scenario:
    return replace(load_scenario("baseline"), **levy())


def test_timing_moves_the_entries_too(grows: Scenario) -> None:
    moved = shifted(grows, parse_month("2026-03")).policies["levy"]
    assert {m: format_month(at) for m, at in moved.joins.items()} == {
        "EU": "2026-06", "JK": "2026-09",
    }  # fmt: skip


def test_sweep_varies_an_entry(grows: Scenario) -> None:
    factor = factor_of("policies.levy.joins.EU", "2025-07,2026-01", grows)
    assert factor.values == ("2025-07", "2026-01")
    for key in ("policies.levy.joins", "policies.levy.joins.CN"):
        with pytest.raises(Unfit, match="is not a key that can be varied"):
            factor_of(key, "2025-07,2026-01", grows)
    late = varied(grows, {"policies.levy.joins.EU": "2026-01"})
    assert late.policies["levy"].joins == {
        "EU": parse_month("2026-01"), "JK": parse_month("2025-09"),
    }  # fmt: skip


def test_explain_shows_months(grows: Scenario) -> None:
    (row,) = explain(grows, "policies.levy.joins")
    assert row.value == JOINS


def test_written_and_read_again(grows: Scenario, tmp_path: Path) -> None:
    file = tmp_path / "grows.yaml"
    file.write_text(to_yaml(grows))
    again = load_scenario(file)
    assert again.policies == grows.policies
    assert again.content_hash == grows.content_hash != load_scenario("baseline").content_hash


def test_entries_of_all_markets_leave_none_from_the_start() -> None:
    made: Instrument = INSTRUMENTS["component_tariff"].model_validate(
        levy(markets=["US", "EU"], joins={"US": "2025-04", "EU": "2025-06"})["policies"]["levy"]
    )
    assert [part.markets for part in made.by_entry()] == [("US",), ("EU",)]


def test_a_remark_where_a_market_joins_after_the_run() -> None:
    late = replace(load_scenario("baseline"), **levy(joins={"EU": "2031-01", "JK": "2030-12"}))
    (said,) = remarks(late)
    assert said.endswith(
        "is only expected in EU: it joins in 2031-01, after the run ends in 2030-12"
    )

"""Months that a scenario shares with its baseline: simulated once, equal to the last bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariffsim import simulation
from tariffsim.experiments import Settings, run_ensemble, runs
from tariffsim.experiments.common_past import common_past, months_to_keep
from tariffsim.experiments.designs import run_design
from tariffsim.experiments.runs import (
    Replication,
    SimulatedRun,
    record_of_run,
    replications_of,
    simulated_baseline,
)
from tariffsim.experiments.store import listed, read_run
from tariffsim.record.history import History
from tariffsim.scenario import Scenario, load_scenario, replace
from tariffsim.scenario.focus import with_common_focus
from tariffsim.scenario.scenario_files import shipped_names
from tariffsim.simulation import Simulation, simulate
from tariffsim.state.snapshot import Snapshot
from tariffsim.typing import format_month
from tests.economies import scenario
from tests.month.test_random_scenarios import MONTHS, START, policies, switches

SEED = 3


def small(name: str, **changes: Any) -> Scenario:
    return replace(load_scenario(name), agents__makers=60, **changes)


def same(one: Any, other: Any) -> None:
    """Equal to the last bit, in all parts."""
    assert type(one) is type(other)
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, Mapping):
        assert list(one) == list(other)
        for key, part in one.items():
            same(part, other[key])
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert one.tobytes() == other.tobytes()
    else:
        assert one == other


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Months that runs have taken over from their baselines, one entry a run that did."""
    found: list[int] = []
    go_on = Simulation.go_on

    def noted(run: Simulation, state: Snapshot, past: History, duty: Any) -> None:
        found.append(state.months)
        go_on(run, state, past, duty)

    monkeypatch.setattr(Simulation, "go_on", noted)
    return found


def pair(own: Scenario, base: Scenario, kept: tuple[int, ...] | None = None) -> Replication:
    """The replication of a scenario; its baseline keeps its states after these months."""
    named = with_common_focus({"base": base, "own": own})
    one = replications_of(named, [SEED], "US", is_full=True)[1]
    return one if kept is None else dataclasses.replace(one, kept=kept)


def history_of(one: Replication, baseline: SimulatedRun) -> History:
    return runs.with_past(one, baseline).history


@lru_cache(maxsize=2)
def _run_of(base: Scenario, kept: tuple[int, ...]) -> SimulatedRun:
    return simulated_baseline(pair(base, base, kept))


# Equal to the last bit.

QUICK = {"component_50": 6, "component_late": 42, "chip_cutoff": 50, "refund_after_ruling": 1}
"""Scenarios that differ from the baseline in law alone, and the months before."""
STATES = (1, 6, 12, 18, 24, 30, 36, 42, 50, 60)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in shipped_names()
    ],
)
def test_shipped_scenarios_are_those_simulated_from_the_start(name: str, shared: list[int]) -> None:
    own = small(name)
    one = pair(own, small(own.compare_with), STATES)
    same(history_of(one, _run_of(one.baseline, STATES)), simulate(one.scenario, SEED))
    if name in QUICK:
        assert shared == [QUICK[name]]


@given(rules=policies(), blocks=switches(), of_both=st.integers(0, 7))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_scenarios_are_those_simulated_from_the_start(
    rules: dict[str, dict[str, Any]], blocks: dict[str, Any], of_both: int
) -> None:
    """Of policies that conditions name, none is missing; every month could be the last shared."""
    run = {"run": {"start": format_month(START), "end": format_month(START + MONTHS - 1)}}
    fewer = dict([*rules.items()][:of_both])
    base, own = (scenario({"policies": of}, blocks, run, makers=50) for of in (fewer, rules))
    one = pair(own, base, tuple(range(1, MONTHS + 1)))
    same(history_of(one, simulated_baseline(one)), simulate(one.scenario, SEED))


@pytest.mark.parametrize(
    ("kind", "foresight", "alike"),
    [
        ("component_tariff", "announced", 6),
        ("component_tariff", "none", 6),  # importers weigh tracing when they hear of it
        ("product_tariff", "none", 14),
    ],
)
def test_a_policy_in_the_middle_of_a_run_is_shared_until_it_is_known(
    kind: str, foresight: str, alike: int, shared: list[int]
) -> None:
    base = small("baseline", run__end="2026-06", sourcing__foresight=foresight)
    tariff = {"kind": kind, "announced": "2025-07", "rate": {"2026-03": 0.5}}
    one = pair(replace(base, policies={"tariff": tariff}), base)
    assert len(common_past(one.scenario, base)) == alike
    assert one.kept == (6,)
    same(history_of(one, simulated_baseline(one)), simulate(one.scenario, SEED))
    assert shared == [6]


def test_drawn_parameters_are_shared_too(shared: list[int]) -> None:
    base, own = (small(name, run__end="2026-06") for name in ("baseline", "component_50"))
    named = {"base": base, "own": own}
    drawn = replications_of(named, [SEED], "US", is_full=True, is_drawn=True)[1]
    alone = dataclasses.replace(drawn, kept=())
    same(*(history_of(one, simulated_baseline(one)) for one in (drawn, alone)))
    assert shared == [6]


# When two scenarios first differ.


def months(own: Scenario, base: Scenario) -> int:
    return len(common_past(own, base))


BASE = small("baseline")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("component_50", "2025-07"),  # announced then
        ("component_late", "2028-07"),
        ("chips_act", "2025-01"),
        ("bare_chip_2027", "2025-12"),
        ("refund_after_ruling", "2025-02"),  # the first duty that will be paid back is paid
    ],
)
def test_the_first_difference_of_shipped_scenarios(name: str, expected: str) -> None:
    assert format_month(BASE.run.start + months(small(name), BASE)) == expected


def with_tariff(**fields: Any) -> Scenario:
    tariff = {"kind": "product_tariff", "rate": 0.1, "start": "2027-05", **fields}
    return replace(BASE, policies={"tariff": tariff})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "2027-05"),  # a surprise
        ({"announced": "2026-02"}, "2026-02"),
        ({"start": "2025-01"}, "2025-01"),
        ({"announced": "2026-02", "belief": 0.0}, "2027-05"),  # nobody believes it
        ({"announced": "2026-02", "belief": 0.3}, "2026-02"),
        ({"announced": "2026-02", "withdrawn": "2026-06"}, "2026-02"),
        ({"start": None, "enacted": False, "announced": "2026-04", "belief": 0.2}, "2026-04"),
        ({"rate": {"2027-05": 0.0, "2028-02": 0.3}}, "2027-05"),  # foreseen from the start on
        ({"rate": 0.0}, "2031-01"),  # never
        ({"markets": ["US", "EU"], "joins": {"EU": "2028-01"}}, "2027-05"),
        ({"replaces": ["Section 301 list 3"]}, "2027-05"),
    ],
)
def test_a_policy_counts_from_the_month_in_which_anything_is_known_of_it(
    fields: dict[str, Any], expected: str
) -> None:
    assert format_month(BASE.run.start + months(with_tariff(**fields), BASE)) == expected


def test_a_later_rate_counts_from_its_announcement() -> None:
    """Both have the policy; what one does not know yet does not set them apart."""
    one, other = with_tariff(announced="2026-02"), with_tariff(announced="2026-02", rate=0.2)
    assert months(one, other) == 13
    steps = {"2027-05": 0.1, "2028-01": 0.3}
    unknown_end = with_tariff(end="2028-12", end_known=False)
    assert months(with_tariff(), unknown_end) == 48  # months to the end
    assert months(with_tariff(), with_tariff(rate=steps)) == 28
    assert months(with_tariff(), replace(with_tariff(), title="Another title")) == 72


def test_a_path_counts_from_the_month_in_which_it_differs(shared: list[int]) -> None:
    path = {"2025-01": 0.2, "2026-03": 0.2, "2026-04": 0.3}
    base = replace(BASE, supply__china_price_discount=0.2, run__end="2026-09")
    own = replace(base, supply__china_price_discount=path)
    assert months(own, base) == 15
    one = pair(own, base)
    same(history_of(one, simulated_baseline(one)), simulate(own, SEED))
    assert shared == [15]


QUOTA = {"kind": "tariff_rate_quota", "start": "2028-01", "rate": 0.1, "quota": 1e9}


@pytest.mark.parametrize(
    "own",
    [
        replace(small("component_late"), trade__markup=0.31),
        replace(small("component_late"), agents__makers=61),
        replace(small("component_late"), run__end="2030-11"),
        replace(small("component_late"), figures={"node_classes": {"A": {"chip_price_usd": 1.7}}}),
        replace(BASE, policies={"quota": QUOTA}),
    ],
    ids=["parameter", "agents", "months", "figure", "memory"],
)
def test_scenarios_that_may_differ_from_the_start_share_nothing(own: Scenario) -> None:
    assert common_past(own, BASE) == ()


def test_states_are_kept_where_policies_are_news() -> None:
    named = {name: small(name) for name in ("component_50", "component_late", "chips_act")}
    assert months_to_keep(BASE, [BASE, *named.values()]) == (6, 42)
    assert months_to_keep(BASE, [replace(named["component_late"], trade__markup=0.31)]) == ()


# What is checked besides.


def test_a_run_that_begins_otherwise_is_simulated_from_the_start(shared: list[int]) -> None:
    """Whatever two calibrations should have in common: columns are compared."""
    one = pair(small("component_50", run__end="2025-09"), small("baseline", run__end="2025-09"))
    baseline = simulated_baseline(one)
    state = baseline.snapshots[6]
    start = {**state.start, ("makers", "size"): b"another"}
    other = dataclasses.replace(baseline, snapshots={6: dataclasses.replace(state, start=start)})
    same(history_of(one, other), simulate(one.scenario, SEED))
    assert shared == []


def test_large_states_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pair(small("component_50", run__end="2025-09"), small("baseline", run__end="2025-09"))
    size = simulation.snapshot.size(Simulation(one.baseline, SEED).economy)
    for most, kept in ((size - 1, [2]), (size, [2]), (2 * size, [2, 4])):
        monkeypatch.setattr(simulation, "MOST_KEPT", most)
        found = simulated_baseline(dataclasses.replace(one, kept=(2, 4, 6))).snapshots
        assert [*found] == (kept if most >= size else [])


def test_a_snapshot_is_not_changed_by_those_who_go_on_from_it() -> None:
    one = pair(small("component_50", run__end="2025-09"), small("baseline", run__end="2025-09"))
    baseline = simulated_baseline(one)
    first, second = (history_of(one, baseline) for _ in range(2))
    same(first, second)


# However runs are made.


def test_two_workers_and_a_store_give_the_same_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = small("baseline", run__end="2025-09")
    named = {name: small(name, run__end="2025-09") for name in ("component_50", "component_100")}
    for folder, jobs in (("alone", 1), ("shared", 2), ("apart", 2)):
        if folder == "apart":
            monkeypatch.setattr(runs, "months_to_keep", lambda *_: ())
        where = Settings(jobs=jobs, store=tmp_path / folder)
        assert not run_ensemble(named, base, [1, 2], settings=where).failures
    alone, shared, apart = (
        {run.key: read_run(tmp_path / folder, run.key) for run in listed(tmp_path / folder)}
        for folder in ("alone", "shared", "apart")
    )
    assert len(alone) == 6
    for other in (shared, apart):
        same(dict(sorted(alone.items())), dict(sorted(other.items())))


def test_points_of_a_design_share_the_past_of_their_baseline(shared: list[int]) -> None:
    own, base = (small(name, run__end="2025-12") for name in ("component_50", "baseline"))
    rates = [{"policies.component_tariff.announced": date} for date in ("2025-05", "2025-10")]
    run_design(own, base, rates, [SEED], "US", Settings(), None)
    assert shared == [4, 9]


def test_a_full_record_is_that_of_a_run_from_the_start() -> None:
    one = pair(small("component_50", run__end="2025-09"), small("baseline", run__end="2025-09"))
    records = []
    for each in (one, dataclasses.replace(one, kept=())):
        runs._baselines.clear()
        records.append(record_of_run(each))
    same(*records)

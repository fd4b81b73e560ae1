"""Scenarios against a baseline, with common random numbers: all tables of all runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from itertools import groupby
from numbers import Integral
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from tariffsim.calibration import build_economy
from tariffsim.calibration.base_year import base_year_rows
from tariffsim.errors import CalibrationError, Problem, RunsFailedError, ScenarioError, escaped
from tariffsim.experiments.ensemble import Progress, Settings, check_comparable, outcomes
from tariffsim.experiments.parameter_draws import described, draw_number
from tariffsim.experiments.parameter_shares import chance_share, strongest
from tariffsim.experiments.precision import MOST, PRECISION, reached, until_precise
from tariffsim.experiments.runs import (
    Failure,
    Outcome,
    Replication,
    record_of_run,
    replications_of,
)
from tariffsim.record.result_tables import SeedRecord, gather
from tariffsim.record.results import Results, provenance
from tariffsim.scenario import (
    Scenario,
    ScenarioLike,
    as_scenario,
    baseline_of,
    written_seeds,
)
from tariffsim.scenario.checks import blame
from tariffsim.scenario.focus import with_common_focus
from tariffsim.scenario.scenario_files import name_problem
from tariffsim.scenario.writing import to_yaml
from tariffsim.state.economy import Economy

DEFAULT_MARKET = "US"


def run(
    scenario: ScenarioLike,
    seed: int | None = None,
    seeds: int | None = None,
    jobs: int | None = 1,
    market: str = DEFAULT_MARKET,
    progress: Progress | None = None,
    **engine: Any,
) -> Results:
    """Run one scenario with central parameters; see `compare` for the arguments."""
    fixed = {"fixed_parameters": True} | engine
    return compare([], scenario, seeds, seed, jobs, market, progress, **fixed)


def compare(
    scenarios: ScenarioLike | Iterable[ScenarioLike] | Mapping[str, ScenarioLike],
    baseline: ScenarioLike | None = None,
    seeds: int | None = None,
    seed: int | None = None,
    jobs: int | None = 1,
    market: str = DEFAULT_MARKET,
    progress: Progress | None = None,
    *,
    precision: float | None = None,
    store: str | os.PathLike[str] | None = None,
    engine: Literal["local", "dask"] = "local",
    scheduler: str | None = None,
    fixed_parameters: bool = False,
) -> Results:
    """Run scenarios and the baseline with the same seeds and compare them seed by seed.

    Every seed has parameters of its own, drawn from their joint distribution, and the same ones in
    all scenarios; see `tariffsim.experiments.parameter_draws`. Tables are means over both.

    All have the markets in focus (`agents.focus`) of any of them, see `provenance["focus"]`; apart
    from that a scenario and a seed give the same result whatever they are compared with. A seed
    whose run fails in one scenario is left out of all; see `provenance["failures"]`.

    Args:
        scenarios: scenarios, their files (a path or its text), or names of shipped ones; one of
            them; or a mapping of names to them.
        baseline: what they are compared with; the one they name (`compare_with`) if None.
        seeds: number of replications. If None, the largest `run.seeds` that a scenario writes; if
            none does, as many as `precision` takes.
        seed: the first seed; the baseline's `run.seed` if None.
        jobs: worker processes, one for each core if None; results do not depend on it. More than
            one needs a script whose main part is guarded by `if __name__ == "__main__"`.
        market: the market that headlines are about.
        progress: called with (runs done, runs in all).
        precision: percentage points, 0.2 if None; instead of `seeds`. Seeds are added, from 5 to
            40, until the part of the interval of every change of the Chinese share that is due to
            seeds reaches no further than that to either side; see
            `tariffsim.experiments.precision`. The part that is due to drawn parameters stays.
        store: folder that keeps finished runs; a run that is there is not repeated.
        engine: `local`, or `dask` for a cluster.
        scheduler: address of a Dask scheduler; a cluster on this machine if None.
        fixed_parameters: whether all runs have the central parameters of their scenario, so that
            intervals are about seeds alone.

    Raises:
        ScenarioError: a scenario is refused, or cannot be compared with the baseline.
        CalibrationError: a scenario allows no base year.
        RunsFailedError: there is no seed without a failed run.
        StorageError: the store cannot be written.
        ValueError: seeds, seed or jobs are not whole numbers, or too small; precision is not
            between 0 and 100, or is given besides seeds.
    """
    began = time.perf_counter()
    _check_whole(seeds=(seeds, 1), seed=(seed, 0), jobs=(jobs, 1))
    named = with_common_focus(named_scenarios(scenarios, baseline))
    check_comparable(named, market)
    base = next(iter(named.values()))
    most, wanted = _number_of_seeds(named, seeds, precision)
    start = base.run.seed if seed is None else seed
    base_year = pd.DataFrame(base_year_rows(_base_year(named, start, market)))
    is_drawn = not fixed_parameters
    draw_of = draw_number if is_drawn else None
    replications = replications_of(named, range(start, start + most), market, True, is_drawn)
    settings = Settings(jobs, None if store is None else Path(store), engine, scheduler)
    failures: list[Failure] = []
    with closing(outcomes(replications, settings, progress)) as ended:
        records = until_precise(_seed_records(ended, failures), wanted, draw_of)
        tables, done = gather(named, records, draw_of)
    tables["base_year"] = base_year
    last = max([done[-1], *(failure.seed for failure in failures)])
    facts: dict[str, Any] = {"precision": wanted and reached(tables["summary"], wanted, draw_of)}
    if is_drawn:
        facts["parameters"] = described() | {
            "strongest": {name: strongest(one, market) for name, one in named.items()},
            "chance": chance_share(),
        }
    return results_of(named, market, tables, range(start, last + 1), began, failures, facts)


def _base_year(named: Mapping[str, Scenario], seed: int, market: str) -> Economy:
    """The baseline's economy, after all scenarios have been found to have one.

    Raises:
        CalibrationError: with all that is wrong with any of them, or no line in the market.
    """
    base: Economy | None = None
    problems: list[Problem] = []
    for scenario in named.values():
        try:
            economy = build_economy(scenario, seed)
            base = base or economy
            if economy.constants.codes.markets.index(market) not in economy.flows.market:
                message = f"is too small a number: no product line is sold in {market}"
                problems.append(blame(scenario, ["agents.makers"], message, "give more"))
        except CalibrationError as error:
            problems += error.problems
    if base is None or problems:
        raise CalibrationError(list(dict.fromkeys(problems)))
    return base


def _check_whole(**given: tuple[object, int]) -> None:
    """Refuse what is not a whole number, or below its minimum; None means the default."""
    for name, (value, least) in given.items():
        is_whole = isinstance(value, Integral) and not isinstance(value, bool)
        if value is not None and not (is_whole and value >= least):  # type: ignore[operator]
            raise ValueError(f"{name} must be a whole number, {least} or more (is {value!r})")


def _number_of_seeds(
    named: Mapping[str, Scenario], seeds: int | None, precision: float | None
) -> tuple[int, float | None]:
    """How many seeds are run at most, and the precision that may end them before.

    Raises:
        ValueError: both are given, or the precision is no number of percentage points.
    """
    if seeds is not None and precision is not None:
        raise ValueError("give seeds, a fixed number, or precision, not both")
    if precision is not None and not 0 < precision < 100:
        raise ValueError(f"precision must be between 0 and 100 percentage points (is {precision})")
    if len(named) == 1:  # nothing is compared
        return seeds or next(iter(named.values())).run.seeds, None
    fixed = written_seeds(named.values()) if precision is None else None
    if (count := seeds or fixed) is not None:
        return count, None
    return MOST, PRECISION if precision is None else precision


def seeds_of(base: Scenario, seed: int | None, seeds: int | None) -> range:
    """The seeds of an experiment; first seed and number are the baseline's if None."""
    first = base.run.seed if seed is None else seed
    return range(first, first + (seeds or base.run.seeds))


def named_scenarios(
    scenarios: ScenarioLike | Iterable[ScenarioLike] | Mapping[str, ScenarioLike],
    baseline: ScenarioLike | None,
) -> dict[str, Scenario]:
    """Baseline first, every scenario under its own name; one may be given alone."""
    if isinstance(scenarios, (str, os.PathLike, Scenario)):
        scenarios = [scenarios]
    given = scenarios.values() if isinstance(scenarios, Mapping) else scenarios
    loaded = [as_scenario(one) for one in given]
    base = baseline_of(loaded) if baseline is None else as_scenario(baseline)
    named = {base.name or "baseline": base}
    if isinstance(scenarios, Mapping):
        reasons = {name: name_problem(name) for name in scenarios}
        if bad := [Problem(escaped(n), message=f"the name {r}") for n, r in reasons.items() if r]:
            raise ScenarioError(bad)
        return named | dict(zip(scenarios, loaded, strict=True))
    for scenario in loaded:
        if scenario.content_hash == base.content_hash and scenario.name == base.name:
            continue
        name, number = scenario.name or "scenario", 2
        while name in named:
            name, number = f"{scenario.name or 'scenario'}_{number}", number + 1
        named[name] = scenario
    return named


def with_baseline(
    scenario: ScenarioLike, baseline: ScenarioLike | None, market: str
) -> tuple[dict[str, Scenario], Scenario, Scenario]:
    """Scenarios by name, the baseline, and the scenario, which may be the baseline itself.

    Raises:
        ScenarioError: one is refused, or they cannot be compared in that market.
    """
    named = with_common_focus(named_scenarios([scenario], baseline))
    check_comparable(named, market)
    values = list(named.values())
    return named, values[0], values[-1]


def run_seed(scenarios: Mapping[str, Scenario], seed: int, market: str = "US") -> SeedRecord:
    """Run all scenarios with one seed, the baseline first, and reduce them to what is kept."""
    replications = replications_of(with_common_focus(scenarios), [seed], market, is_full=True)
    return SeedRecord(seed, {one.name: record_of_run(one) for one in replications})


def _seed_records(
    outcomes: Iterable[tuple[Replication, Outcome]], failures: list[Failure]
) -> Iterator[SeedRecord]:
    """Seeds in their order; one that failed in any scenario has no differences: it is left out."""
    is_any = False
    for seed, group in groupby(outcomes, key=lambda ended: ended[0].seed):
        record, n_failed = SeedRecord(seed), len(failures)
        for replication, outcome in group:
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                record.runs[replication.name] = outcome
        if len(failures) == n_failed:
            is_any = True
            yield record
    if not is_any:
        raise RunsFailedError("\n".join(map(str, failures)))


def results_of(
    named: Mapping[str, Scenario],
    market: str,
    tables: dict[str, pd.DataFrame],
    seeds: range,
    began: float,
    failures: Sequence[Failure] = (),
    facts: Mapping[str, Any] = MappingProxyType({}),
) -> Results:
    """Results with their provenance; the first scenario is the baseline."""
    base = next(iter(named.values()))
    facts = (
        provenance()
        | {
            "seeds": [seeds.start, seeds.stop - 1],
            "scenario_hashes": {name: s.content_hash for name, s in named.items()},
            "data_hash": base.tables().digest,
            "focus": list(base.agents.focus),
            "failures": [asdict(failure) for failure in failures],
            "wall_seconds": round(time.perf_counter() - began, 3),
        }
        | dict(facts)
    )
    file_names = {table: f"{table}.csv" for table in base.data_files}  # the same in all scenarios
    return Results(
        tables=tables,
        scenarios={name: to_yaml(scenario, file_names) for name, scenario in named.items()},
        titles={name: scenario.title or name for name, scenario in named.items()},
        market=market,
        provenance=facts,
        files={
            f"scenarios/{file_names[table]}": path.read_bytes()
            for table, path in base.data_files.items()
        },
    )

"""Scenarios against a baseline, with common random numbers: all tables of all runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import groupby
from numbers import Integral
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from tariffsim.calibration import build_economy
from tariffsim.calibration.base_year_fit import base_year_rows
from tariffsim.errors import Problem, RunsFailedError, ScenarioError
from tariffsim.experiments.ensemble import Progress, Settings, outcomes
from tariffsim.experiments.pairs import Failure, Outcome, Pair, pairs_of, record_of_pair
from tariffsim.record.intervals import paired_interval
from tariffsim.record.result_tables import SeedRecord, gather
from tariffsim.record.results import Results, provenance
from tariffsim.scenario import Scenario, baseline_of, load_scenario
from tariffsim.scenario.writing import to_yaml
from tariffsim.state.draws import Draws

MOST_SEEDS = 1000
"""Seeds that a wish for precision may take."""
DEFAULT_MARKET = "US"
HINTS = {
    "agents": "paired differences need the same agents and draws: give all the same numbers, with "
    "`--set agents.makers=N` or replace(baseline, agents__makers=N)",
    "data": "paired differences need the same agents and draws: give all the same tables",
}


@dataclass(frozen=True)
class Task:
    """One seed of all scenarios; the first is the baseline."""

    scenarios: tuple[tuple[str, Scenario], ...]
    seed: int
    market: str


def run(
    scenario: Scenario | str,
    seed: int | None = None,
    seeds: int | None = None,
    jobs: int | None = 1,
    market: str = DEFAULT_MARKET,
    progress: Progress | None = None,
    **engine: Any,
) -> Results:
    """Run one scenario; see `compare` for the arguments."""
    return compare([], scenario, seeds, seed, jobs, market, progress, **engine)


def compare(
    scenarios: Scenario | str | Sequence[Scenario | str] | Mapping[str, Scenario],
    baseline: Scenario | str | None = None,
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
) -> Results:
    """Run scenarios and the baseline with the same seeds and compare them pair by pair.

    A seed whose run fails in one scenario is left out of all; `provenance["failures"]` tells.

    Args:
        scenarios: scenarios, files, or names of shipped ones; one of them; or a mapping of names
            to scenarios.
        baseline: what they are compared with; what they say themselves (`compare_with`) if None.
        seeds: number of replications; the baseline's `run.seeds` if None.
        seed: the first seed; the baseline's `run.seed` if None.
        jobs: worker processes, one for each core if None; results do not depend on it. More than
            one needs a script whose main part is guarded by `if __name__ == "__main__"`.
        market: the market that headlines are about.
        progress: called with (runs done, runs in all).
        precision: percentage points; more seeds, up to MOST_SEEDS, until the interval of every
            change of the Chinese share reaches no further than that to either side.
        store: folder that keeps finished runs; what it has is not run again.
        engine: `local`, or `dask` for a cluster.
        scheduler: address of a Dask scheduler; a cluster on this machine if None.

    Raises:
        ScenarioError: a scenario is refused, or cannot be compared with the baseline.
        RunsFailedError: there is no seed without a failed run.
        StorageError: the store cannot be written.
        ValueError: seeds, seed or jobs are no whole numbers, or too small.
    """
    began = time.perf_counter()
    _whole(seeds=(seeds, 1), seed=(seed, 0), jobs=(jobs, 1))
    if isinstance(scenarios, (str, Scenario)):
        scenarios = [scenarios]
    named = named_scenarios(scenarios, baseline)
    check_comparable(named, market)
    first = next(iter(named.values()))
    count = first.run.seeds if seeds is None else seeds
    start = first.run.seed if seed is None else seed
    base_year = pd.DataFrame(base_year_rows(build_economy(first, start, Draws(start))))
    most = count if precision is None else max(count, MOST_SEEDS)
    pairs = pairs_of(named, range(start, start + most), market, is_full=True)
    settings = Settings(jobs, None if store is None else Path(store), engine, scheduler)
    failures: list[Failure] = []
    with closing(outcomes(pairs, settings, progress)) as made:
        wish = Wish(count, precision)
        gathered = gather(named, wish.until_met(_seed_records(made, failures)))
    tables = gathered.tables | {"base_year": base_year}
    last = max([gathered.seeds[-1], *(failure.seed for failure in failures)])
    made_with = precision and {"wanted": precision, "is_reached": wish.is_met}
    facts = {"precision": made_with}
    return results_of(named, market, tables, range(start, last + 1), failures, began, facts)


def _whole(**given: tuple[object, int]) -> None:
    """Refuse what is not a whole number, or less than it must be; None stands for the default."""
    for name, (value, least) in given.items():
        is_whole = isinstance(value, Integral) and not isinstance(value, bool)
        if value is not None and not (is_whole and value >= least):  # type: ignore[operator]
            raise ValueError(f"{name} must be a whole number, {least} or more (is {value!r})")


def named_scenarios(
    scenarios: Sequence[Scenario | str] | Mapping[str, Scenario], baseline: Scenario | str | None
) -> dict[str, Scenario]:
    """Baseline first, every scenario under its own name."""
    if not isinstance(scenarios, Mapping):
        loaded = [load_scenario(s) if isinstance(s, str) else s for s in scenarios]
    else:
        loaded = list(scenarios.values())
    base = baseline_of(loaded) if baseline is None else baseline
    base = load_scenario(base) if isinstance(base, str) else base
    named = {base.name or "baseline": base}
    if isinstance(scenarios, Mapping):
        return named | dict(scenarios)
    for scenario in loaded:
        if scenario.content_hash == base.content_hash and scenario.name == base.name:
            continue
        name, number = scenario.name or "scenario", 2
        while name in named:
            name, number = f"{scenario.name or 'scenario'}_{number}", number + 1
        named[name] = scenario
    return named


def check_comparable(named: Mapping[str, Scenario], market: str) -> None:
    """Refuse scenarios that share no draws with the baseline."""
    base_name, base = next(iter(named.items()))
    problems = []
    for name, scenario in named.items():
        if market not in scenario.tables().markets.codes:
            codes = ", ".join(scenario.tables().markets.codes)
            problems.append(
                Problem(name, message=f"has no market {market}", hint=f"known: {codes}")
            )
        for block, what in (("agents", "numbers of agents"), ("data", "data tables")):
            if getattr(scenario, block) != getattr(base, block):
                problems.append(
                    Problem(name, key=block, message=f"differs from {base_name} in its {what}",
                            hint=HINTS[block])
                )  # fmt: skip
        if (scenario.run.start, scenario.run.end) != (base.run.start, base.run.end):
            problems.append(Problem(name, key="run", message=f"has other months than {base_name}"))
    if problems:
        raise ScenarioError(problems)


def run_task(task: Task) -> SeedRecord:
    """Run all scenarios with one seed and reduce them to what is kept."""
    pairs = pairs_of(dict(task.scenarios), [task.seed], task.market, is_full=True)
    return SeedRecord(task.seed, {pair.name: record_of_pair(pair) for pair in pairs})


def _seed_records(
    outcomes: Iterable[tuple[Pair, Outcome]], failures: list[Failure]
) -> Iterator[SeedRecord]:
    """Seeds in their order; one that failed in any scenario has no pairs and is left out."""
    is_any = False
    for seed, group in groupby(outcomes, key=lambda ended: ended[0].seed):
        record, failed = SeedRecord(seed), len(failures)
        for pair, outcome in group:
            if isinstance(outcome, Failure):
                failures.append(outcome)
            else:
                record.add(pair.name, outcome)
        if len(failures) == failed:
            is_any = True
            yield record
    if not is_any:
        raise RunsFailedError("\n".join(map(str, failures)))


def results_of(
    named: Mapping[str, Scenario],
    market: str,
    tables: dict[str, pd.DataFrame],
    seeds: range,
    failures: Sequence[Failure],
    began: float,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Results:
    """Results with where they come from; the first scenario is the baseline."""
    facts: dict[str, Any] = provenance() | {
        "seeds": [seeds.start, seeds.stop - 1],
        "scenario_hashes": {name: s.content_hash for name, s in named.items()},
        "data_hash": next(iter(named.values())).tables().digest,
        "failures": [asdict(failure) for failure in failures],
        "wall_seconds": round(time.perf_counter() - began, 3),
    }
    replaced = next(iter(named.values())).data_files  # the same in all of them
    beside = {table: f"{table}.csv" for table in replaced}
    return Results(
        tables=tables,
        scenarios={name: to_yaml(scenario, beside) for name, scenario in named.items()},
        titles={name: scenario.title or name for name, scenario in named.items()},
        market=market,
        provenance=facts | dict(more),
        files={f"scenarios/{beside[t]}": path.read_bytes() for t, path in replaced.items()},
    )


class Wish:
    """How well changes of the headline share shall be known, and after how many seeds at least."""

    def __init__(self, least: int, precision: float | None) -> None:
        self._least, self._precision = max(least, 2), precision
        self._changes: dict[str, list[float]] = {}
        self.is_met = False

    def until_met(self, records: Iterable[SeedRecord]) -> Iterator[SeedRecord]:
        """Seeds in order until the wish is met; all of them without one.

        Seeds count one by one, so that the answer does not depend on how many are under way.
        """
        for n, record in enumerate(records, start=1):
            yield record
            shares = {name: run.summary["cn_share"] for name, run in record.runs.items()}
            base = next(iter(shares.values()))
            for name, share in shares.items():
                self._changes.setdefault(name, []).append(share - base)
            if self._precision is not None and n >= self._least:
                intervals = map(paired_interval, self._changes.values())
                self.is_met = all((i.high - i.low) / 2 <= self._precision for i in intervals)
                if self.is_met:
                    return

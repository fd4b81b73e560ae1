"""Many runs: scenarios against a baseline, with common random numbers, on several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from numbers import Integral
from typing import Any

from tariffsim.calibration.fit import base_year_rows
from tariffsim.economy import Economy
from tariffsim.errors import Problem, ScenarioError
from tariffsim.gather import Gathered, SeedRecord, gather, record_of
from tariffsim.metrics import Context
from tariffsim.results import Results, provenance
from tariffsim.scenario import Scenario, load_scenario

Progress = Callable[[int, int], None]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
DEFAULT_MARKET = "US"
HINTS = {
    "agents": "paired differences need the same agents and draws: give all the same numbers, with "
    "`--set agents.makers=N` or baseline.with_(agents__makers=N)",
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
) -> Results:
    """Run one scenario; see `compare` for the arguments."""
    return compare([], scenario, seeds, seed, jobs, market, progress)


def compare(
    scenarios: Scenario | str | Sequence[Scenario | str] | Mapping[str, Scenario],
    baseline: Scenario | str = "baseline",
    seeds: int | None = None,
    seed: int | None = None,
    jobs: int | None = 1,
    market: str = DEFAULT_MARKET,
    progress: Progress | None = None,
) -> Results:
    """Run scenarios and the baseline with the same seeds and compare them pair by pair.

    Args:
        scenarios: scenarios, files, or names of shipped ones; one of them; or a mapping of names
            to scenarios.
        baseline: what they are compared with.
        seeds: number of replications; the baseline's `run.seeds` if None.
        seed: the first seed; the baseline's `run.seed` if None.
        jobs: worker processes, one for each core if None; results do not depend on it. More than
            one needs a script whose main part is guarded by `if __name__ == "__main__"`.
        market: the market that headlines are about.
        progress: called with (seeds done, seeds in all).

    Raises:
        ScenarioError: a scenario is refused, or cannot be compared with the baseline.
        ValueError: seeds, seed or jobs are no whole numbers, or too small.
    """
    began = time.perf_counter()
    _whole(seeds=(seeds, 1), seed=(seed, 0), jobs=(jobs, 1))
    if isinstance(scenarios, (str, Scenario)):
        scenarios = [scenarios]
    named = _named(scenarios, baseline)
    _comparable(named, market)
    first = next(iter(named.values()))
    count = first.run.seeds if seeds is None else seeds
    start = first.run.seed if seed is None else seed
    tasks = [Task(tuple(named.items()), s, market) for s in range(start, start + count)]
    records = _records(tasks, jobs or available_cores())
    gathered = gather(dict(named), market, _progressing(records, count, progress))
    return _results(named, market, gathered, range(start, start + count), began)


def _whole(**given: tuple[object, int]) -> None:
    """Refuse what is not a whole number, or less than it must be; None stands for the default."""
    for name, (value, least) in given.items():
        is_whole = isinstance(value, Integral) and not isinstance(value, bool)
        if value is not None and not (is_whole and value >= least):  # type: ignore[operator]
            raise ValueError(f"{name} must be a whole number, {least} or more (is {value!r})")


def _named(
    scenarios: Sequence[Scenario | str] | Mapping[str, Scenario], baseline: Scenario | str
) -> dict[str, Scenario]:
    """Baseline first, every scenario under its own name."""
    base = load_scenario(baseline) if isinstance(baseline, str) else baseline
    named = {base.name or "baseline": base}
    if isinstance(scenarios, Mapping):
        return named | dict(scenarios)
    for item in scenarios:
        scenario = load_scenario(item) if isinstance(item, str) else item
        if scenario.content_hash == base.content_hash and scenario.name == base.name:
            continue
        name, number = scenario.name or "scenario", 2
        while name in named:
            name, number = f"{scenario.name or 'scenario'}_{number}", number + 1
        named[name] = scenario
    return named


def _comparable(named: Mapping[str, Scenario], market: str) -> None:
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


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _records(tasks: Sequence[Task], jobs: int) -> Iterator[SeedRecord]:
    """Records in the order of the seeds, whatever the number of workers."""
    if jobs <= 1 or len(tasks) == 1:
        yield from map(run_task, tasks)
        return
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with _one_thread(), ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=context) as pool:
        try:
            waiting = iter(tasks)
            with _interrupts_ignored():
                queue = [pool.submit(run_task, task) for task in islice(waiting, 2 * jobs)]
            while queue:
                yield queue.pop(0).result()
                queue += [pool.submit(run_task, task) for task in islice(waiting, 1)]
        except BaseException:  # nobody waits for the rest
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Workers started inside leave an interrupt to this process, which stops them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.default_int_handler)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Workers started inside use one thread each for linear algebra."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def run_task(task: Task) -> SeedRecord:
    """Run all scenarios with one seed and reduce them to what is kept."""
    from tariffsim.simulation import Simulation

    baseline, record = None, SeedRecord(task.seed)
    for name, scenario in task.scenarios:
        simulation = Simulation(scenario, task.seed)
        context = context_of(simulation.economy)
        if baseline is None:
            record.base_year = base_year_rows(simulation.economy)
        history = simulation.run()
        baseline = history if baseline is None else baseline
        record.add(name, record_of(history, baseline, context, task.market))
    return record


def context_of(economy: Economy) -> Context:
    """What measures need to know besides the history."""
    figures, scenario = economy.figures, economy.scenario
    return Context(
        figures.codes,
        figures.demand_elasticity,
        scenario.sourcing.elasticity,
        scenario.assembly.elasticity,
    )


def _progressing(
    records: Iterator[SeedRecord], total: int, progress: Progress | None
) -> Iterator[SeedRecord]:
    for done, record in enumerate(records, start=1):
        yield record
        if progress is not None:
            progress(done, total)


def _results(
    named: Mapping[str, Scenario], market: str, gathered: Gathered, seeds: range, began: float
) -> Results:
    facts: dict[str, Any] = provenance() | {
        "seeds": [seeds.start, seeds.stop - 1],
        "scenario_hashes": {name: s.content_hash for name, s in named.items()},
        "data_hash": next(iter(named.values())).tables().digest,
        "wall_seconds": round(time.perf_counter() - began, 3),
    }
    return Results(
        tables=gathered.tables,
        scenarios={name: scenario.to_yaml() for name, scenario in named.items()},
        titles={name: scenario.title or name for name, scenario in named.items()},
        market=market,
        provenance=facts,
    )

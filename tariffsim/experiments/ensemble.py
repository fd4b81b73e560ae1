"""Ensembles: metrics of several scenarios x seeds, with common random numbers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pandas as pd

from tariffsim.errors import Problem, RunsFailedError, ScenarioError
from tariffsim.experiments.engines import Ended, available_cores, on_cluster, on_this_machine
from tariffsim.experiments.runs import (
    Failure,
    Outcome,
    Replication,
    outcome_of,
    replications_of,
    run_into_store,
)
from tariffsim.experiments.store import finished, opened, read_run, write_run
from tariffsim.record.metrics import METRICS
from tariffsim.record.result_tables import RunRecord
from tariffsim.scenario import Scenario
from tariffsim.scenario.checks import blame
from tariffsim.scenario.focus import with_common_focus

Progress = Callable[[int, int], None]
"""Called with (runs done, runs in all)."""
RunScenarios = Callable[[Mapping[str, Scenario]], pd.DataFrame]
"""Runs scenarios with the same seeds: one row a scenario and seed, one column a metric."""
BASELINE = "the baseline"
HINTS = {
    "agents": "paired differences need the same agents and random numbers: give all the same "
    "numbers, with `--set agents.makers=N` or replace(baseline, agents__makers=N)",
    "data": "paired differences need the same agents and random numbers: give all the same tables",
}


@dataclass(frozen=True)
class Settings:
    """Where and how runs are made; results do not depend on it.

    Attributes:
        jobs: worker processes, one for each core if None. More than one needs a script whose main
            part is guarded by `if __name__ == "__main__"`.
        store: folder that keeps finished runs; a run that is there is not repeated.
        engine: `local`, or `dask` for a cluster.
        scheduler: address of a Dask scheduler; a cluster of this machine's cores if None.
    """

    jobs: int | None = 1
    store: Path | None = None
    engine: Literal["local", "dask"] = "local"
    scheduler: str | None = None


@dataclass(frozen=True)
class EnsembleResult:
    """Metrics of all runs.

    Attributes:
        table: scenario, seed, then every metric, in the order of scenarios x seeds; the first
            scenario is the baseline. A run that failed has no row.
        failures: the runs that failed.
    """

    table: pd.DataFrame
    failures: tuple[Failure, ...]


def run_ensemble(
    scenarios: Mapping[str, Scenario],
    baseline: Scenario,
    seeds: Sequence[int],
    market: str = "US",
    settings: Settings = Settings(),
    progress: Progress | None = None,
    name: str = "",
) -> EnsembleResult:
    """Run every scenario and the baseline with every seed; the baseline's name comes first.

    Args:
        scenarios: by name.
        baseline: what welfare and other differences are computed against, seed by seed.
        seeds: of the replications.
        market: the market that metrics are about.
        settings: where and how runs are made.
        progress: called with (runs done, runs in all).
        name: of the baseline in the table; its own if empty.

    Raises:
        ValueError: a scenario has the baseline's name.
    """
    name = name or baseline.name or "baseline"
    if scenarios.get(name, baseline) != baseline:
        raise ValueError(f"{name} is the name of the baseline: give the scenario another one")
    named = with_common_focus({name: baseline} | dict(scenarios))
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    failures = []
    replications = replications_of(named, seeds, market, is_full=False)
    for one, outcome in outcomes(replications, settings, progress):
        if isinstance(outcome, Failure):
            failures.append(outcome)
        else:
            row = {"scenario": one.name, "seed": one.seed} | outcome.summary
            rows[one.name, one.seed] = row
    in_order = [rows[key] for key in product(named, seeds) if key in rows]
    columns = ["scenario", "seed", *(m.name for m in METRICS)]
    return EnsembleResult(pd.DataFrame(in_order, columns=columns), tuple(failures))


@dataclass(frozen=True)
class EnsembleRunner:
    """Runs scenarios against one baseline with common random numbers.

    Experiments that need many ensembles, such as `solve`, take one.

    Args:
        baseline: what welfare and other differences are computed against.
        seeds: of the replications.
        market: the market that metrics are about.
        settings: where and how runs are made.
        progress: called with (runs done, runs in all) of each ensemble.
        skips_baseline: no metric that is used is a difference from the baseline, so that the
            baseline need not be run.
    """

    baseline: Scenario
    seeds: Sequence[int]
    market: str = "US"
    settings: Settings = field(default_factory=Settings)
    progress: Progress | None = None
    skips_baseline: bool = False

    def __call__(self, scenarios: Mapping[str, Scenario]) -> pd.DataFrame:
        """Metrics of all scenarios with all seeds: one row a scenario and seed.

        Raises:
            ScenarioError: a scenario cannot be compared with the baseline.
            RunsFailedError: a run failed; experiments need all of them.
        """
        named = with_common_focus({BASELINE: self.baseline} | dict(scenarios))
        check_comparable(named, self.market)
        baseline = named.pop(BASELINE)
        baseline = next(iter(named.values())) if self.skips_baseline else baseline
        found = run_ensemble(
            named, baseline, self.seeds, self.market, self.settings, self.progress, BASELINE
        )
        if found.failures:
            raise RunsFailedError("\n".join(map(str, found.failures)))
        return found.table[found.table["scenario"] != BASELINE]


def check_comparable(named: Mapping[str, Scenario], market: str) -> None:
    """Refuse scenarios that share no random numbers with the first one, the baseline.

    Raises:
        ScenarioError: with every reason.
    """
    base_name, base = next(iter(named.items()))
    problems = []
    for name, scenario in named.items():
        codes = scenario.tables().markets.codes
        if market not in codes:
            hint = f"known: {', '.join(codes)}"
            problems.append(Problem(name, message=f"has no market {market}", hint=hint))
        for block, what in (("agents", "numbers of agents"), ("data", "data tables")):
            if _drawn_from(scenario, block) != _drawn_from(base, block):
                message = f"differs from {base_name} in its {what}"
                problems.append(Problem(name, key=block, message=message, hint=HINTS[block]))
        problems += _other_foundries(scenario, base, base_name)
        if (scenario.run.start, scenario.run.end) != (base.run.start, base.run.end):
            problems.append(Problem(name, key="run", message=f"has other months than {base_name}"))
    if problems:
        raise ScenarioError(problems)


def _drawn_from(scenario: Scenario, block: str) -> Any:
    """What agents and random numbers follow from; a tariff calendar changes neither."""
    value = getattr(scenario, block)
    if block == "data":
        return {table: path for table, path in value.items() if table != "tariff_calendar"}
    return value


def _other_foundries(scenario: Scenario, base: Scenario, base_name: str) -> list[Problem]:
    """Regions with other numbers of foundries than the baseline's."""
    own, its = (one.tables().foundry_regions for one in (scenario, base))
    return [
        blame(
            scenario,
            [f"figures.foundry_regions.{code}.foundries"],
            f"differs from {base_name}, where it is {its.number(code, 'foundries'):g}",
            "surplus is compared foundry by foundry: give all the same numbers",
        )
        for code in own.codes
        if code in its.codes and own.number(code, "foundries") != its.number(code, "foundries")
    ]


def outcomes(
    replications: Sequence[Replication], settings: Settings, progress: Progress | None = None
) -> Generator[tuple[Replication, Outcome], None, None]:
    """The outcome of every replication, in their order, however the runs were made."""
    with _store(replications, settings) as store, ExitStack() as stack:
        stored = finished(store, {one.key for one in replications}) if store else set()
        early: dict[Replication, Outcome | None] = {
            one: None for one in replications if one.key in stored
        }
        remaining = [one for one in replications if one not in early]
        ended = stack.enter_context(closing(_engine(remaining, store, settings)))
        done = len(early)
        for one in replications:
            while one not in early:
                other, outcome = next(ended)
                early[other] = outcome
                done += 1
                if progress is not None:
                    progress(done, len(replications))
            found = early.pop(one)
            if found is None and store is not None:
                found = read_run(store, one.key)
            assert found is not None  # what is not returned is in the store
            yield one, found


def _engine(replications: Sequence[Replication], store: Path | None, settings: Settings) -> Ended:
    jobs = available_cores() if settings.jobs is None else settings.jobs
    if settings.engine == "local":
        work = partial(run_into_store, store) if store else outcome_of
        return on_this_machine(replications, work, jobs)
    return _stored_here(on_cluster(replications, settings.scheduler, jobs, store), store)


def _stored_here(ended: Ended, store: Path | None) -> Ended:
    """Workers of a cluster may have other disks: this process writes the records they return."""
    with closing(ended):
        for one, outcome in ended:
            if store is not None and isinstance(outcome, RunRecord):
                write_run(store, one.key, outcome, one.labels)
                yield one, None
            else:
                yield one, outcome


@contextmanager
def _store(replications: Sequence[Replication], settings: Settings) -> Iterator[Path | None]:
    """The folder of records; those of full runs are too large for the pipes between processes."""
    is_alone = (settings.jobs, settings.engine) == (1, "local")
    if settings.store is not None:
        with opened(settings.store) as store:
            yield store
    elif is_alone or not any(one.is_full for one in replications):
        yield None
    else:
        with TemporaryDirectory(prefix="tariffsim-") as folder, opened(Path(folder)) as store:
            yield store

"""Measures of many runs: any number of scenarios and seeds against one baseline."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pandas as pd

from tariffsim.experiments.cluster import on_cluster
from tariffsim.experiments.local import Ended, available_cores, on_this_machine
from tariffsim.experiments.pairs import (
    Failure,
    Outcome,
    Pair,
    kept_outcome,
    outcome_of,
    pairs_of,
)
from tariffsim.experiments.store import finished, opened, read_run, write_run
from tariffsim.record.metrics import METRICS
from tariffsim.record.result_tables import RunRecord
from tariffsim.scenario import Scenario

Progress = Callable[[int, int], None]
"""Called with (runs done, runs in all)."""


@dataclass(frozen=True)
class Settings:
    """Where and how runs are made; results do not depend on it.

    Attributes:
        jobs: worker processes, one for each core if None. More than one needs a script whose main
            part is guarded by `if __name__ == "__main__"`.
        store: folder that keeps finished runs; what it has is not run again.
        engine: `local`, or `dask` for a cluster.
        scheduler: address of a Dask scheduler; a cluster of this machine's cores if None.
    """

    jobs: int | None = 1
    store: Path | None = None
    engine: Literal["local", "dask"] = "local"
    scheduler: str | None = None


@dataclass(frozen=True)
class EnsembleResult:
    """Measures of all runs.

    Attributes:
        table: scenario, seed, then every measure, in the order of scenarios x seeds; the first
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
) -> EnsembleResult:
    """Run every scenario and the baseline with every seed; the baseline's name comes first.

    Args:
        scenarios: by name.
        baseline: what welfare, for one, is ensemble against, seed by seed.
        seeds: of the replications.
        market: the market that measures are about.
        settings: where and how runs are made.
        progress: called with (runs done, runs in all).

    Raises:
        ValueError: a scenario has the baseline's name.
    """
    name = baseline.name or "baseline"
    if scenarios.get(name, baseline) != baseline:
        raise ValueError(f"{name} is the name of the baseline: give the scenario another one")
    named = {name: baseline} | dict(scenarios)
    pairs = pairs_of(named, seeds, market, is_full=False)
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    failures = []
    for pair, outcome in outcomes(pairs, settings, progress):
        if isinstance(outcome, Failure):
            failures.append(outcome)
        else:
            row = {"scenario": pair.name, "seed": pair.seed} | outcome.summary
            rows[pair.name, pair.seed] = row
    in_order = [rows[key] for key in ((n, s) for n in named for s in seeds) if key in rows]
    columns = ["scenario", "seed", *(m.name for m in METRICS)]
    return EnsembleResult(pd.DataFrame(in_order, columns=columns), tuple(failures))


def outcomes(
    pairs: Sequence[Pair], settings: Settings, progress: Progress | None = None
) -> Generator[tuple[Pair, Outcome], None, None]:
    """The outcome of every pair, in their order, however the runs were made."""
    with _store(pairs, settings) as store, ExitStack() as stack:
        there = finished(store, {pair.key for pair in pairs}) if store else set()
        early: dict[Pair, Outcome | None] = {p: None for p in pairs if p.key in there}
        todo = [pair for pair in pairs if pair not in early]
        ended = stack.enter_context(closing(_engine(todo, store, settings)))
        done = len(early)
        for pair in pairs:
            while pair not in early:
                other, outcome = next(ended)
                early[other] = outcome
                done += 1
                if progress is not None:
                    progress(done, len(pairs))
            found = early.pop(pair)
            if found is None and store is not None:
                found = read_run(store, pair.key)
            assert found is not None  # what is not returned is in the store
            yield pair, found


def _engine(pairs: Sequence[Pair], store: Path | None, settings: Settings) -> Ended:
    jobs = available_cores() if settings.jobs is None else settings.jobs
    if settings.engine == "local":
        work = partial(kept_outcome, store) if store else outcome_of
        return on_this_machine(pairs, work, jobs)
    return _kept(on_cluster(pairs, settings.scheduler, jobs), store)


def _kept(ended: Ended, store: Path | None) -> Ended:
    """The workers of a cluster may have other disks: records are kept here."""
    with closing(ended):
        for pair, outcome in ended:
            if store is not None and isinstance(outcome, RunRecord):
                write_run(store, pair.key, outcome, pair.about)
                yield pair, None
            else:
                yield pair, outcome


@contextmanager
def _store(pairs: Sequence[Pair], settings: Settings) -> Iterator[Path | None]:
    """Where records are; those of whole runs are too large for the pipes between processes."""
    if settings.store is not None:
        with opened(settings.store) as store:
            yield store
    elif (settings.jobs, settings.engine) == (1, "local") or not any(
        pair.is_full for pair in pairs
    ):
        yield None
    else:
        with TemporaryDirectory(prefix="tariffsim-") as folder, opened(Path(folder)) as store:
            yield store

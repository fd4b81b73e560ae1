"""Runs on a Dask cluster: an existing scheduler, or a cluster of this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby, islice
from typing import Any

from tariffsim.errors import EngineError
from tariffsim.experiments.local import KILLED, Ended, interrupts_ignored
from tariffsim.experiments.runs import (
    Failure,
    Outcome,
    Replication,
    failure_of,
    outcome_of,
    simulated,
)
from tariffsim.experiments.store import code_digest

AHEAD = 2
"""Runs submitted for each thread of the cluster, so that no worker waits for the next one."""
TIMEOUT = 30
"""Seconds to wait for a scheduler and its first worker."""


def on_cluster(replications: Sequence[Replication], scheduler: str | None, jobs: int) -> Ended:
    """Outcomes as runs end; Dask repeats what was lost with a worker.

    Raises:
        EngineError: Dask is not installed, no cluster answers, or it has another version.
    """
    try:
        from distributed import as_completed
    except ImportError as error:
        raise EngineError("engine dask needs Dask: pip install 'tariffsim[cluster]'") from error
    if not replications:
        return
    with ExitStack() as stack:
        client = _client(stack, scheduler, jobs)
        _check_version(client)
        waiting, done = _submitted(client, replications), as_completed(loop=client.loop)
        pending: dict[Any, Replication] = {}
        n_ahead = AHEAD * sum(client.nthreads().values())
        while True:
            for future, replication in islice(waiting, n_ahead - len(pending)):
                pending[future] = replication
                done.add(future)
            if not pending:
                return
            future = next(done)
            replication = pending.pop(future)
            yield replication, _outcome(replication, future)


def _client(stack: ExitStack, scheduler: str | None, jobs: int) -> Any:
    """A client of the scheduler, or of a cluster of this machine, with at least one worker."""
    from distributed import Client, LocalCluster

    try:
        with interrupts_ignored():
            cluster = scheduler or stack.enter_context(
                LocalCluster(
                    n_workers=jobs,
                    threads_per_worker=1,
                    dashboard_address=None,
                    silence_logs=logging.ERROR,
                )
            )
        client = stack.enter_context(Client(cluster, timeout=TIMEOUT, set_as_default=False))
        client.wait_for_workers(1, timeout=TIMEOUT)
    except (OSError, ValueError, TimeoutError) as error:
        where = scheduler or "this machine"
        raise EngineError(f"no Dask scheduler with workers answers at {where}") from error
    return client


def _submitted(
    client: Any, replications: Sequence[Replication]
) -> Iterator[tuple[Any, Replication]]:
    """Tasks, submitted when they are asked for; the run of a baseline is a task as well."""
    for _, group in groupby(replications, lambda replication: replication.group):
        baseline = None
        for one in group:
            baseline = baseline or client.submit(simulated, one.baseline, one.seed, pure=False)
            yield client.submit(outcome_of, one, baseline, pure=False), one


def _outcome(replication: Replication, future: Any) -> Outcome:
    from distributed import KilledWorker

    try:
        return future.result()  # type: ignore[no-any-return]
    except KilledWorker:
        return Failure(replication.name, replication.seed, "", KILLED)
    except Exception as error:  # of the baseline's run
        return failure_of(replication, error)


def _check_version(client: Any) -> None:
    """Refuse a cluster whose code differs, and so its numbers."""
    try:
        found = client.run(code_digest)
    except Exception as error:  # tariffsim is missing there, or too old for this
        raise EngineError(f"the cluster's workers cannot run tariffsim: {error}") from error
    if other := [worker for worker, digest in found.items() if digest != code_digest()]:
        raise EngineError(f"{', '.join(other)}: has another version of tariffsim than this process")

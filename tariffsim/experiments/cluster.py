"""Runs on a Dask cluster: the same tasks, sent to an existing scheduler or to one of our own."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import groupby, islice
from typing import Any

from tariffsim.errors import EngineError
from tariffsim.experiments.local import ENDED, Ended, interrupts_ignored
from tariffsim.experiments.pairs import Failure, Outcome, Pair, failure_of, outcome_of, ran
from tariffsim.experiments.store import code_digest

AHEAD = 2
"""Runs sent ahead for each thread of the cluster, so that no worker waits for the next."""
PATIENCE = 30
"""Seconds to wait for a scheduler and its first worker."""


def on_cluster(pairs: Sequence[Pair], scheduler: str | None, jobs: int) -> Ended:
    """Runs as they end; Dask makes again what was lost with a worker.

    Raises:
        EngineError: Dask is not installed, no cluster answers, or it has another version.
    """
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError as error:
        raise EngineError("engine dask needs Dask: pip install 'tariffsim[cluster]'") from error
    if not pairs:
        return
    with ExitStack() as stack:
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
            client = stack.enter_context(Client(cluster, timeout=PATIENCE, set_as_default=False))
            client.wait_for_workers(1, timeout=PATIENCE)
        except (OSError, ValueError, TimeoutError) as error:
            where = scheduler or "this machine"
            raise EngineError(f"no Dask scheduler with workers answers at {where}") from error
        _check_version(client)
        waiting, done = _sent(client, pairs), as_completed(loop=client.loop)
        pending: dict[Any, Pair] = {}
        n_ahead = AHEAD * sum(client.nthreads().values())
        while True:
            for future, pair in islice(waiting, n_ahead - len(pending)):
                pending[future] = pair
                done.add(future)
            if not pending:
                return
            future = next(done)
            pair = pending.pop(future)
            yield pair, _outcome(pair, future)


def _sent(client: Any, pairs: Sequence[Pair]) -> Iterator[tuple[Any, Pair]]:
    """Tasks with their pairs, sent when they are asked for; a baseline's run is a task as well."""
    for _, group in groupby(pairs, lambda pair: pair.group):
        baseline = None
        for pair in group:
            baseline = baseline or client.submit(ran, pair.baseline, pair.seed, pure=False)
            yield client.submit(outcome_of, pair, baseline, pure=False), pair


def _outcome(pair: Pair, future: Any) -> Outcome:
    from distributed import KilledWorker

    try:
        return future.result()  # type: ignore[no-any-return]
    except KilledWorker:
        return Failure(pair.name, pair.seed, "", ENDED)
    except Exception as error:  # of the baseline's run
        return failure_of(pair, error)


def _check_version(client: Any) -> None:
    """Refuse a cluster whose numbers would be other ones."""
    try:
        found = client.run(code_digest)
    except Exception as error:  # tariffsim is missing there, or too old for this
        raise EngineError(f"the cluster's workers cannot run tariffsim: {error}") from error
    if other := [worker for worker, digest in found.items() if digest != code_digest()]:
        raise EngineError(f"{', '.join(other)}: has another version of tariffsim than this process")

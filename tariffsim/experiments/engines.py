"""Where runs are made: one after another, on worker processes of this machine, or on Dask.

A Dask cluster is an existing scheduler, or a cluster of this machine.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_end
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tariffsim.errors import EngineError, StorageError
from tariffsim.experiments.runs import (
    Failure,
    Outcome,
    Replication,
    failure_of,
    outcome_of,
    simulated_baseline,
)
from tariffsim.experiments.store import code_digest, is_stored, marked, write_run
from tariffsim.record.result_tables import RunRecord

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
AHEAD = 2
"""Replications submitted to a worker, or a thread of a cluster, so that it never waits."""
MAX_DEATHS = 3
"""Workers that may die on one replication before it counts as failed."""
SOON = 10
"""Seconds to wait for the exit code of a process that has ended."""
TIMEOUT = 30
"""Seconds to wait for a Dask scheduler and its first worker."""
KEEPS_MEMORY = {"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None}
"""Dask has its workers give freed memory back at once, to fetch it again in the next month."""
NO_GUARD = 79
"""Exit code of a worker that finds itself importing a script without a guard."""
STARTER = "TARIFFSIM_STARTER"
"""Variable of the environment that tells workers who started them."""
IMPORTED = (
    "worker processes import the script that starts them: put what it does under "
    '`if __name__ == "__main__":`, or use jobs=1'
)
FROM_INPUT = (
    "worker processes cannot import a script that is read from standard input: use jobs=1, or save "
    "it as a file"
)
KILLED = "the system ended its process each time, most likely for lack of memory"


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


Work = Callable[[Replication], Outcome | None]
"""Makes a run; None: its record is in the store."""
Ended = Generator[tuple[Replication, Outcome | None], None, None]


def on_this_machine(replications: Sequence[Replication], work: Work, jobs: int) -> Ended:
    """Outcomes as runs end; when a worker is killed, the run it was on is repeated.

    Raises:
        EngineError: workers cannot import the script that starts them, or would start others.
    """
    if jobs <= 1 or len(replications) <= 1:
        yield from ((replication, work(replication)) for replication in replications)
        return
    _check_script()
    others = set(multiprocessing.active_children())
    with _environment_of_workers():
        workers = [Worker(work) for _ in range(min(jobs, len(replications)))]
        try:
            yield from _until_done(workers, replications)
        except BaseException:  # nobody waits for the rest
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            raise
        finally:
            for worker in workers:
                worker.pool.shutdown(wait=True, cancel_futures=True)


def _check_script() -> None:
    """Refuse a script that is no file; end a worker that has come here by importing the script."""
    is_importing = getattr(multiprocessing.current_process(), "_inheriting", False)
    if is_importing and os.environ.get(STARTER) == str(os.getppid()):
        os._exit(NO_GUARD)  # a message here would be one of each worker
    main = sys.modules["__main__"]
    if (getattr(main, "__file__", None) or "").startswith("<"):
        raise EngineError(FROM_INPUT)


class Worker:
    """One worker process and the replications that wait for it.

    It has a pool of its own: if it is killed the others go on, and it is known on which run.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self.waiting: deque[Replication] = deque()
        self.submitted: deque[tuple[Future[Outcome | None], Replication]] = deque()
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.processes: set[BaseProcess] = set()
        self.pool = ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent)

    def submit(self) -> None:
        """Hand the process its next replications."""
        while self.waiting and len(self.submitted) < AHEAD:
            replication = self.waiting.popleft()
            try:
                before = set(multiprocessing.active_children())
                with interrupts_held():
                    future = self.pool.submit(self._work, replication)
                    self.submitted.append((future, replication))
                self.processes |= set(multiprocessing.active_children()) - before
            except BrokenExecutor:  # the process died after it had ended a run
                self.waiting.appendleft(replication)
                if self.submitted:  # `ended` starts another
                    return
                self.pool.shutdown(wait=False)
                self._start()

    def ended(self) -> Iterator[tuple[Replication, Outcome | None, bool]]:
        """Replications that ended, in their order, and whether the process died on them."""
        while self.submitted and self.submitted[0][0].done():
            future, replication = self.submitted.popleft()
            try:
                yield replication, future.result(), False
            except BrokenExecutor:
                self._check_guard()
                self.waiting.extendleft(other for _, other in reversed(self.submitted))
                self.submitted.clear()
                self.pool.shutdown(wait=False)
                self._start()
                yield replication, None, True

    def _check_guard(self) -> None:
        """Say why, if the process ended because the script has no guard."""
        for process in self.processes:
            process.join(SOON)
            if process.exitcode == NO_GUARD:
                raise EngineError(IMPORTED) from None


def _until_done(workers: Sequence[Worker], replications: Sequence[Replication]) -> Ended:
    """Keep all workers busy; one worker takes all of a group, so that its baseline is run once."""
    groups = deque(list(group) for _, group in groupby(replications, lambda r: r.group))
    deaths: Counter[Replication] = Counter()
    deaths_in_a_row = 0
    while True:
        for worker in workers:
            if not worker.waiting:
                worker.waiting.extend(groups.popleft() if groups else _half_of_longest(workers))
            worker.submit()
        running = [future for worker in workers for future, _ in worker.submitted]
        if not running:
            return
        wait(running, return_when=FIRST_COMPLETED)
        for worker in workers:
            for replication, outcome, has_died in worker.ended():
                deaths[replication] += has_died
                deaths_in_a_row = deaths_in_a_row + 1 if has_died else 0
                if deaths_in_a_row > MAX_DEATHS * len(workers):
                    raise BrokenExecutor("no worker lives long enough for a run")
                if not has_died:
                    yield replication, outcome
                elif deaths[replication] < MAX_DEATHS:
                    worker.waiting.appendleft(replication)
                else:
                    yield replication, Failure(replication.name, replication.seed, "", KILLED)


def _half_of_longest(workers: Sequence[Worker]) -> list[Replication]:
    """Replications that another worker has not begun with."""
    longest = max(workers, key=lambda worker: len(worker.waiting)).waiting
    return [longest.pop() for _ in range(len(longest) // 2)][::-1]


def _end_with_parent() -> None:
    """A worker ends with the process it works for, however that ends, and by no interrupt."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            wait_for_end([parent.sentinel])
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Workers started inside leave an interrupt to this process, where it is not lost."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows: workers ignore it once they have begun
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _environment_of_workers() -> Iterator[None]:
    """Workers started inside use one thread each for linear algebra, and know who starts them."""
    before = {name: os.environ.get(name) for name in (*THREADS, STARTER)}
    os.environ.update(dict.fromkeys(THREADS, "1") | {STARTER: str(os.getpid())})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def second_process(serve: Callable[[Connection], None]) -> Iterator[Connection]:
    """A process for other work than runs, which serves what is at the other end of a connection.

    Where it dies, sending raises an OSError, and receiving an EOFError.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_served, args=(serve, there), daemon=True)
    with here:
        with there, interrupts_held(), _environment_of_workers():
            process.start()
        try:
            yield here
        finally:
            process.terminate()
            process.join()


def _served(serve: Callable[[Connection], None], connection: Connection) -> None:
    _end_with_parent()
    serve(connection)


def on_cluster(
    replications: Sequence[Replication], scheduler: str | None, jobs: int, store: Path | None = None
) -> Ended:
    """Outcomes as runs end; Dask repeats what was lost with a worker.

    Workers that see the folder of the store write into it, and None is given for their runs.

    Raises:
        EngineError: Dask is not installed, no cluster answers, or it has another version.
    """
    try:
        from distributed import as_completed
    except ImportError as error:
        raise EngineError("engine dask needs Dask: pip install 'tariffsim[cluster]'") from error
    if not replications:
        return
    if scheduler is None:
        _check_script()
    with ExitStack() as stack:
        client = _client(stack, scheduler, jobs)
        _check_version(client)
        mark = stack.enter_context(marked(store)) if store else None
        n_ahead = AHEAD * sum(client.nthreads().values())
        waiting, done = deque(_tasks(replications, n_ahead)), as_completed(loop=client.loop)
        pending: dict[Any, Sequence[Replication]] = {}
        while waiting or pending:
            while waiting and len(pending) < n_ahead:
                task = waiting.popleft()
                future = client.submit(_outcomes_of, task, mark, pure=False)
                pending[future] = task
                done.add(future)
            future = next(done)
            task = pending.pop(future)
            found = _found(task, future)
            if found is None:
                waiting.extendleft([one] for one in task)
            else:
                yield from zip(task, found, strict=True)


def _client(stack: ExitStack, scheduler: str | None, jobs: int) -> Any:
    """A client of the scheduler, or of a cluster of this machine, with at least one worker."""
    import dask
    from distributed import Client, LocalCluster

    try:
        with interrupts_held(), _environment_of_workers(), dask.config.set(KEEPS_MEMORY):
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
    except RuntimeError as error:
        raise EngineError(f"no worker of a cluster on this machine starts; {IMPORTED}") from error
    except (OSError, ValueError, TimeoutError) as error:
        where = scheduler or "this machine"
        raise EngineError(f"no Dask scheduler with workers answers at {where}") from error
    return client


def _tasks(replications: Sequence[Replication], least: int) -> Iterator[Sequence[Replication]]:
    """Replications of a group, in so many tasks that there are enough for all threads.

    A task runs the baseline itself: that takes less than fetching it from another worker.
    """
    groups = [list(group) for _, group in groupby(replications, lambda one: one.group)]
    parts = -(-least // max(len(groups), 1))
    for group in groups:
        size = -(-len(group) // parts)
        yield from (group[start : start + size] for start in range(0, len(group), size))


def _outcomes_of(task: Sequence[Replication], mark: Path | None) -> list[Outcome | None]:
    """Outcomes of a task; None for a run that is in the store, which this worker sees."""
    store = mark.parent if mark and mark.is_file() else None
    try:
        baseline = simulated_baseline(task[0])
    except Exception as error:
        return [failure_of(one, error) for one in task]
    found: list[Outcome | None] = []
    for one in task:
        if store and is_stored(store, one.key):  # by a worker that was lost before it said so
            found.append(None)
            continue
        outcome = outcome_of(one, baseline)
        found.append(outcome)
        if store and isinstance(outcome, RunRecord):
            with suppress(StorageError):  # then the process that leads can write it
                write_run(store, one.key, outcome, one.labels)
                found[-1] = None
    return found


def _found(task: Sequence[Replication], future: Any) -> list[Outcome | None] | None:
    """What a task gave; None: it ended its workers, and its runs are to be made one by one."""
    from distributed import KilledWorker

    try:
        return future.result()  # type: ignore[no-any-return]
    except KilledWorker:
        return [Failure(task[0].name, task[0].seed, "", KILLED)] if len(task) == 1 else None
    except Exception as error:  # nothing came back
        return [failure_of(one, error) for one in task]


def _check_version(client: Any) -> None:
    """Refuse a cluster whose code differs, and so its numbers."""
    try:
        found = client.run(code_digest)
    except Exception as error:  # tariffsim is missing there, or too old for this
        raise EngineError(f"the cluster's workers cannot run tariffsim: {error}") from error
    if other := [worker for worker, digest in found.items() if digest != code_digest()]:
        raise EngineError(f"{', '.join(other)}: has another version of tariffsim than this process")

"""Runs on this machine: one after another, or on worker processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import groupby
from multiprocessing.connection import wait as wait_for_end

from tariffsim.experiments.runs import Failure, Outcome, Replication

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
AHEAD = 2
"""Replications submitted to a worker, so that it never waits for the next one."""
MAX_DEATHS = 3
"""Workers that may die on one replication before it counts as failed."""
KILLED = "the system ended its process each time, most likely for lack of memory"


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


Work = Callable[[Replication], Outcome | None]
"""Makes a run; None: its record is in the store."""
Ended = Generator[tuple[Replication, Outcome | None], None, None]


def on_this_machine(replications: Sequence[Replication], work: Work, jobs: int) -> Ended:
    """Outcomes as runs end; when a worker is killed, the run it was on is repeated."""
    if jobs <= 1 or len(replications) <= 1:
        yield from ((replication, work(replication)) for replication in replications)
        return
    others = set(multiprocessing.active_children())
    with _one_thread():
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
        self.pool = ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent)

    def submit(self) -> None:
        """Hand the process its next replications."""
        while self.waiting and len(self.submitted) < AHEAD:
            replication = self.waiting.popleft()
            try:
                with interrupts_ignored():
                    future = self.pool.submit(self._work, replication)
                    self.submitted.append((future, replication))
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
                self.waiting.extendleft(other for _, other in reversed(self.submitted))
                self.submitted.clear()
                self.pool.shutdown(wait=False)
                self._start()
                yield replication, None, True


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
    """A worker does not outlive the process it works for, however that ends."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            wait_for_end([parent.sentinel])
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def interrupts_ignored() -> Iterator[None]:
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

"""Runs on this machine: one after another, or on worker processes of their own lanes."""

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

from tariffsim.experiments.pairs import Failure, Outcome, Pair

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
AHEAD = 2
"""Runs a lane has with its worker, so that it never waits for the next."""
MOST_DEATHS = 3
"""Workers that may end on one run before it counts as failed."""
ENDED = "the system ended its process each time, most likely for want of memory"


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


Work = Callable[[Pair], Outcome | None]
"""Makes a run; None says that its record is in the store."""
Ended = Generator[tuple[Pair, Outcome | None], None, None]


def on_this_machine(pairs: Sequence[Pair], work: Work, jobs: int) -> Ended:
    """Runs as they end; a worker that is killed costs the run it was on, which is redone."""
    if jobs <= 1 or len(pairs) <= 1:
        yield from ((pair, work(pair)) for pair in pairs)
        return
    others = set(multiprocessing.active_children())
    with _one_thread():
        lanes = [Lane(work) for _ in range(min(jobs, len(pairs)))]
        try:
            yield from _driven(lanes, pairs)
        except BaseException:  # nobody waits for the rest
            for worker in set(multiprocessing.active_children()) - others:
                worker.terminate()
            raise
        finally:
            for lane in lanes:
                lane.pool.shutdown(wait=True, cancel_futures=True)


class Lane:
    """One worker process and the runs that wait for it.

    A pool for each worker: when one is killed the others go on, and it is known on which run.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self.waiting: deque[Pair] = deque()
        self.sent: deque[tuple[Future[Outcome | None], Pair]] = deque()
        self._renew()

    def _renew(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent)

    def send(self) -> None:
        """Hand the worker its next runs."""
        while self.waiting and len(self.sent) < AHEAD:
            pair = self.waiting.popleft()
            try:
                with interrupts_ignored():
                    self.sent.append((self.pool.submit(self._work, pair), pair))
            except BrokenExecutor:  # its worker died after it had ended a run
                self.waiting.appendleft(pair)
                if self.sent:  # `ended` sees to it
                    return
                self.pool.shutdown(wait=False)
                self._renew()

    def ended(self) -> Iterator[tuple[Pair, Outcome | None, bool]]:
        """Runs that ended, in their order, and whether the worker died on them."""
        while self.sent and self.sent[0][0].done():
            future, pair = self.sent.popleft()
            try:
                yield pair, future.result(), False
            except BrokenExecutor:
                self.waiting.extendleft(other for _, other in reversed(self.sent))
                self.sent.clear()
                self.pool.shutdown(wait=False)
                self._renew()
                yield pair, None, True


def _driven(lanes: Sequence[Lane], pairs: Sequence[Pair]) -> Ended:
    """Keep all lanes busy; one lane does all pairs of a baseline's run, so that it is run once."""
    groups = deque(list(g) for _, g in groupby(pairs, lambda pair: pair.group))
    deaths: Counter[Pair] = Counter()
    in_vain = 0
    while True:
        for lane in lanes:
            if not lane.waiting:
                lane.waiting.extend(groups.popleft() if groups else _half_of_longest(lanes))
            lane.send()
        running = [future for lane in lanes for future, _ in lane.sent]
        if not running:
            return
        wait(running, return_when=FIRST_COMPLETED)
        for lane in lanes:
            for pair, outcome, has_died in lane.ended():
                deaths[pair] += has_died
                in_vain = in_vain + 1 if has_died else 0
                if in_vain > MOST_DEATHS * len(lanes):
                    raise BrokenExecutor("no worker lives long enough for a run")
                if not has_died:
                    yield pair, outcome
                elif deaths[pair] < MOST_DEATHS:
                    lane.waiting.appendleft(pair)
                else:
                    yield pair, Failure(pair.name, pair.seed, "", ENDED)


def _half_of_longest(lanes: Sequence[Lane]) -> list[Pair]:
    """Runs that another lane has not begun with."""
    longest = max(lanes, key=lambda lane: len(lane.waiting)).waiting
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

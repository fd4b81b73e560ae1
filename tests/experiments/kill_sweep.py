"""Kill a running sweep over and over, continue it each time, and look for lost runs.

`python -m tests.experiments.kill_sweep --kills 200`: SIGKILL at random moments to the leader, or to
one of its workers. After each kill every finished run must still be there, untouched (so that none
is run twice); every sweep that ends must give the results of an undisturbed one, bit for bit; and
no process may be left.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tariffsim.experiments import Failure, Settings
from tariffsim.experiments.ensemble import outcomes
from tariffsim.experiments.runs import Replication, replications_of
from tariffsim.scenario import load_scenario, replace
from tests.processes import holds_in_time, session_of, started, workers_of

MOST_WORKERS = 2
"""Workers killed under one leader: with three on one run, that run would count as failed."""
FILES, SECONDS = 6, 0.1
"""A kill comes after at most so many more runs, and at most so many seconds later."""


def all_replications(seeds: int) -> list[Replication]:
    """A small sweep: three scenarios, metrics only and full records."""
    small = {"agents__makers": 60, "run__end": "2025-06"}
    named = {
        n: replace(load_scenario(n), **small) for n in ("baseline", "component_50", "no_expansion")
    }
    return [
        one
        for is_full in (False, True)
        for one in replications_of(named, range(seeds), "US", is_full=is_full)
    ]


def sweep(folder: Path, seeds: int, jobs: int) -> dict[str, str]:
    """A digest of every record, by the key of the run."""
    found = {}
    for one, outcome in outcomes(all_replications(seeds), Settings(jobs, folder)):
        assert not isinstance(outcome, Failure), outcome
        digest = hashlib.sha256(json.dumps(outcome.summary).encode())
        for columns in outcome.arrays.values():
            for values in columns.values():
                digest.update(values.tobytes())
        found[one.key] = digest.hexdigest()
    return found


@dataclass
class Tally:
    """What was killed and what went wrong."""

    leaders: int = 0
    workers: int = 0
    sweeps: int = 0
    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    unequal: int = 0
    left_over: int = 0
    failed: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """All of them."""
        return self.leaders + self.workers

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.doubled or self.unequal or self.left_over or self.failed)


class Killer:
    """A sweep that is killed and continued until it has had its kills."""

    def __init__(self, folder: Path, seeds: int, seed: int) -> None:
        self.folder, self.seeds = folder, seeds
        self.random, self.tally = random.Random(seed), Tally()
        self.expected = sweep(folder / "undisturbed", seeds, jobs=1)

    def run(self, kills: int) -> Tally:
        """Whole sweeps, until there were so many kills."""
        while self.tally.kills < kills:
            store = self.folder / f"store{self.tally.sweeps}"
            while not self._ended(store, kills):
                pass
            self.tally.sweeps += 1
        return self.tally

    def _ended(self, store: Path, kills: int) -> bool:
        """Start or resume a sweep and kill in it; whether it came to its end."""
        there = finished(store)
        result = self.folder / "result.json"
        program = [sys.executable, "-W", "error", "-m", "tests.experiments.kill_sweep"]
        options = ["--run", store, "--seeds", self.seeds, "--result", result]
        with started([*program, *options]) as leader:
            return self._killed(leader, store, there, result, kills)

    def _killed(
        self, leader: subprocess.Popen[str], store: Path, there: set[tuple[str, int, int]],
        result: Path, kills: int,
    ) -> bool:  # fmt: skip
        """Kill in a running sweep; whether it came to its end."""
        n_workers = 0
        while leader.poll() is None and self.tally.kills < kills:
            more = len(finished(store)) + self.random.randrange(FILES)
            holds_in_time(
                lambda more=more: leader.poll() is not None or len(finished(store)) >= more
            )
            time.sleep(self.random.uniform(0, SECONDS))
            victims = workers_of(leader.pid) if n_workers < MOST_WORKERS else []
            victim = self.random.choice([leader.pid, *victims])
            if leader.poll() is not None:
                break
            there |= finished(store)
            os.kill(victim, signal.SIGKILL)
            n_workers += victim != leader.pid
            self.tally.leaders += victim == leader.pid
            self.tally.workers += victim != leader.pid
            if victim == leader.pid:
                break
        _, errors = leader.communicate()
        self._check(store, there, leader.pid)
        if leader.returncode == -signal.SIGKILL:
            return False
        if leader.returncode != 0:
            self.tally.failed.append(errors)
        elif json.loads(result.read_text()) != self.expected:
            self.tally.unequal += 1
        return True

    def _check(self, store: Path, there: set[tuple[str, int, int]], session: int) -> None:
        """Finished runs are unchanged; no process is left."""
        now = finished(store)
        names = {name for name, *_ in now}
        self.tally.lost |= {name for name, *_ in there if name not in names}
        self.tally.doubled |= {name for name, *_ in there - now if name in names}
        self.tally.left_over += not holds_in_time(lambda: not session_of(session))


def finished(store: Path) -> set[tuple[str, int, int]]:
    """Files of runs: a file written again would have another inode or time."""
    found = set()
    for path in store.glob("*.npz"):
        status = path.stat()
        found.add((path.name, status.st_ino, status.st_mtime_ns))
    return found


def kill_sweep(kills: int, seeds: int, seed: int) -> Tally:
    """Kill so many times in a folder that is removed afterwards."""
    with TemporaryDirectory(prefix="kill-sweep-") as folder:
        return Killer(Path(folder), seeds, seed).run(kills)


def main() -> None:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.run:
        chosen.result.write_text(json.dumps(sweep(chosen.run, chosen.seeds, jobs=2)))
        return
    began = time.monotonic()
    tally = kill_sweep(chosen.kills, chosen.seeds, chosen.seed)
    print(
        f"{tally.kills} kills ({tally.leaders} of the leader, {tally.workers} of a worker) in "
        f"{tally.sweeps} sweeps of {6 * chosen.seeds} runs, {time.monotonic() - began:.0f} s: "
        f"{len(tally.lost)} lost, {len(tally.doubled)} doubled, {tally.unequal} unequal, "
        f"{tally.left_over} left over, {len(tally.failed)} failed"
    )
    print(*tally.failed, sep="\n", file=sys.stderr)
    sys.exit(not tally.is_clean)


if __name__ == "__main__":
    main()

"""Kill a running sweep over and over, take it up again each time, and look for what was lost.

`python -m tests.experiments.kill_sweep --kills 200`: SIGKILL at random moments to the leader, or to
one of its workers. After each kill every run that was finished must be there still, untouched (so
that none is made twice); every sweep that comes to its end must give what an undisturbed one gives,
to the last bit; and no process may be left over.
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
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tariffsim.experiments import Failure, Settings
from tariffsim.experiments.ensemble import outcomes
from tariffsim.experiments.runs import Replication, replications_of
from tariffsim.scenario import load_scenario, replace

MOST_WORKERS = 2
"""Workers killed under one leader: three on one run, and it would rightly count as failed."""
FILES, SECONDS = 6, 0.1
"""A kill comes after so many more runs at most, and so many seconds later at most."""


def all_replications(seeds: int) -> list[Replication]:
    """A small sweep: three scenarios, measures alone and whole records."""
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
    """What was done and what went wrong."""

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
    """A sweep that is killed and taken up again until it has had its kills."""

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
        command = [
            sys.executable,
            "-W",
            "error",
            "-m",
            "tests.experiments.kill_sweep",
            "--run",
            str(store),
        ]
        leader = subprocess.Popen(
            [*command, "--seeds", str(self.seeds), "--result", str(result)],
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        n_workers = 0
        while leader.poll() is None and self.tally.kills < kills:
            more = len(finished(store)) + self.random.randrange(FILES)
            wait_until(lambda more=more: leader.poll() is not None or len(finished(store)) >= more)
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
        _, said = leader.communicate(timeout=300)
        self._check(store, there, leader.pid)
        if leader.returncode == -signal.SIGKILL:
            return False
        if leader.returncode != 0:
            self.tally.failed.append(said)
        elif json.loads(result.read_text()) != self.expected:
            self.tally.unequal += 1
        return True

    def _check(self, store: Path, there: set[tuple[str, int, int]], session: int) -> None:
        """Finished runs are there as they were; nobody works on."""
        now = finished(store)
        names = {name for name, *_ in now}
        self.tally.lost |= {name for name, *_ in there if name not in names}
        self.tally.doubled |= {name for name, *_ in there - now if name in names}
        self.tally.left_over += not wait_until(lambda: not session_of(session), 10)


def finished(store: Path) -> set[tuple[str, int, int]]:
    """Files of runs: a file written again would have another inode or time."""
    found = set()
    for path in store.glob("*.npz"):
        status = path.stat()
        found.add((path.name, status.st_ino, status.st_mtime_ns))
    return found


def processes(*columns: str) -> list[list[str]]:
    """What `ps` says of all processes."""
    words = ["ps", "-eo", ",".join(f"{column}=" for column in columns)]
    listed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return [line.split(None, len(columns) - 1) for line in listed.splitlines()]


def workers_of(leader: int) -> list[int]:
    """Worker processes, without the one that tracks resources."""
    rows = processes("ppid", "pid", "args")
    return [int(pid) for ppid, pid, args in rows if ppid == str(leader) and "spawn_main" in args]


def session_of(leader: int) -> list[str]:
    """Processes of a session that still run."""
    rows = processes("sid", "pid", "stat")
    return [pid for sid, pid, stat in rows if sid == str(leader) and not stat.startswith("Z")]


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> bool:
    """Wait for a condition, and say whether it came."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


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

"""Kill running commands over and over, continue them each time, and look for what is lost.

`python -m tests.experiments.kill_campaign --kills 200`: SIGKILL to `compare`, `sweep`, `solve` and
`sensitivity`, which replace older results: at random moments to the leader or to one of its
workers, and to the leader before its n-th step on files (rename, removal, new folder), with which
it puts results in their place and removes stored runs. After each kill the older results or the
new ones must be there, whole, and every finished run untouched (so that none is run twice); every
command that ends must give the results of an undisturbed one, bit for bit, with nothing left
beside them; and no process may be left.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from tariffsim.cli import main as program_of_the_package
from tariffsim.errors import StorageError
from tariffsim.record.results import RUNS, csv_bytes, load_results
from tests.processes import holds_in_time, session_of, started, workers_of

MOST_WORKERS = 2
"""Workers killed under one leader: with three on one run, that run would count as failed."""
FILES, SECONDS = 6, 0.1
"""A kill comes after at most so many more runs, and at most so many seconds later."""
SMALL = ["--set", "agents.makers=40", "--set", "run.end=2025-02", "-q", "-o", "out"]
EARLY = [
    "--set", "policies.component_tariff.rate={2025-01: 0.5}",
    "--set", "policies.component_tariff.announced=2025-01",
]  # fmt: skip
COMMANDS = {
    "compare": ["compare", "component_50", "no_expansion", "--seeds", "3"],
    "sweep": ["sweep", "component_50", "--vary", "sourcing.elasticity=2,4,6", "--seeds", "2"],
    "solve": ["solve", "component_50", *EARLY, "--change", "cn_share=-0.2", "--seeds", "1"],
    "sensitivity": ["sensitivity", "component_50", *EARLY, "--vary", "sourcing.elasticity=3:6",
                    "--seeds", "2"],
}  # fmt: skip
STEPS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir")
"""Audit events of steps on files."""
STEP = 0.7
"""Part of the kills that are at a step on files."""
OUT = "out"
HEADS = ("command", "kills", "leader", "worker", "at a step on files", "commands that ended",
         "lost", "doubled", "torn", "unequal", "left over", "failed", "seconds")  # fmt: skip
Digests = Mapping[str, bytes]
Runs = set[tuple[str, float]]


def command(words: Sequence[str], at: int = 0, count: Path | None = None) -> None:
    """Run a command without its charts; it kills itself before its step number `at`."""
    steps = 0

    def hook(event: str, _: object) -> None:
        nonlocal steps
        if event in STEPS:
            steps += 1
            if steps == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    sys.argv[1:] = words
    with patch("tariffsim.report.publishing", lambda *_: nullcontext()):
        try:
            program_of_the_package()
        finally:
            if count:
                count.write_text(str(steps))


@dataclass
class Tally:
    """What was killed and what went wrong."""

    leaders: int = 0
    workers: int = 0
    steps: int = 0
    ended: int = 0
    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    torn: list[str] = field(default_factory=list)
    unequal: int = 0
    left_over: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """All of them."""
        return self.leaders + self.workers + self.steps

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        wrong = (self.lost, self.doubled, self.torn, self.unequal, self.left_over, self.failed)
        return not any(wrong)


def tables_of(folder: Path) -> Digests:
    """The tables of whole results, as bytes."""
    return {name: csv_bytes(table) for name, table in load_results(folder).tables.items()}


def finished(store: Path) -> Runs:
    """Runs: one that is written again has another time."""
    found: Runs = set()
    paths: list[Path] = []
    with suppress(FileNotFoundError):  # the folder goes once tables are complete
        paths += store.glob("*.sqlite")
    for path in paths:
        with suppress(sqlite3.Error):  # removed meanwhile, or has no run yet
            place = f"{path.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(place, uri=True)) as file:
                found |= set(file.execute("SELECT key, written FROM runs"))
    return found


class Killer:
    """A command that is killed and continued until it has had its kills."""

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self.folder, self.words = folder, COMMANDS[name]
        self.random, self.tally = random.Random(f"{name} {seed}"), Tally()
        self.store = folder / "work" / OUT / RUNS
        self.count, self.output = folder / "steps", folder / "output"
        self.older = self._undisturbed("older", ["--seed", "100"])
        self.newer = self._undisturbed("newer", [])
        self.most_steps = int(self.count.read_text())

    def _undisturbed(self, name: str, options: list[str]) -> Digests:
        work = self.folder / name
        work.mkdir()
        if name == "newer":
            shutil.copytree(self.folder / "older" / OUT, work / OUT)
        code = self._forked(work, 0, options)
        assert code == 0, self.output.read_text("utf-8")
        return tables_of(work / OUT)

    def _forked(self, work: Path, at: int, options: Sequence[str] = ()) -> int:
        """Exit code of the command in a copy of this process, which saves the time of imports."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # this process uses no threads
            child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        code: object = 1
        try:
            os.setsid()
            os.chdir(work)
            output = os.open(self.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (1, 2):
                os.dup2(output, stream)
            command([*self.words, *SMALL, "--jobs", "1", *options], at, self.count)
        except SystemExit as ended:
            code = ended.code
        finally:
            os._exit(code if isinstance(code, int) else 1)

    def run(self, kills: int) -> Tally:
        """Whole commands, until there were so many kills."""
        work = self.folder / "work"
        while self.tally.kills < kills:
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            shutil.copytree(self.folder / "older" / OUT, work / OUT)
            while not self._ended(work, kills):
                pass
            self.tally.ended += 1
        return self.tally

    def _ended(self, work: Path, kills: int) -> bool:
        """Start or resume the command and kill in it; whether it came to its end."""
        there = finished(self.store)
        if self.tally.kills < kills and self.random.random() >= STEP:
            code, errors = self._with_workers(work, there, kills)
        else:
            is_last = self.tally.kills >= kills
            at = 0 if is_last else self.random.randint(1, self.most_steps)
            code = self._forked(work, at)
            errors = self.output.read_text("utf-8")
            self.tally.steps += code == -signal.SIGKILL
        if code == -signal.SIGKILL:
            self._check(work, there)
            return False
        if code != 0:
            self.tally.failed.append(errors)
        self._check_end(work)
        return True

    def _with_workers(self, work: Path, there: Runs, kills: int) -> tuple[int, str]:
        """Exit code and messages of the command with two workers, among which kills go on."""
        program = [sys.executable, "-m", "tests.experiments.kill_campaign", "--"]
        with started([*program, *self.words, *SMALL, "--jobs", "2"], cwd=work) as leader:
            self._kill(leader, there, kills)
            _, errors = leader.communicate()
            if not holds_in_time(lambda: not session_of(leader.pid)):
                self.tally.left_over.append("a process")
        return leader.returncode, errors

    def _kill(self, leader: subprocess.Popen[str], there: Runs, kills: int) -> None:
        """Kill workers, and the leader, at random moments; adds to the runs that are there."""
        n_workers = 0
        while leader.poll() is None and self.tally.kills < kills:
            more = len(finished(self.store)) + self.random.randrange(FILES)
            holds_in_time(
                lambda more=more: leader.poll() is not None or len(finished(self.store)) >= more
            )
            time.sleep(self.random.uniform(0, SECONDS))
            victims = workers_of(leader.pid) if n_workers < MOST_WORKERS else []
            victim = self.random.choice([leader.pid, *victims])
            if leader.poll() is not None:
                return
            there |= finished(self.store)
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:  # a worker that had ended
                continue
            n_workers += victim != leader.pid
            self.tally.leaders += victim == leader.pid
            self.tally.workers += victim != leader.pid
            if victim == leader.pid:
                return

    def _check(self, work: Path, there: Runs) -> None:
        """Old or new results are there, whole, and finished runs unchanged, when they are read.

        Half of the time nobody reads them, so that the next command finds what was left.
        """
        if self.random.random() < 0.5:
            return
        try:
            found = tables_of(work / OUT)
        except StorageError as error:
            self.tally.torn.append(str(error))
            return
        if found not in (self.older, self.newer):
            self.tally.torn.append("results of neither")
        hidden = {path.name for path in work.iterdir()} - {OUT, f".{OUT}.lock"}
        self.tally.left_over += sorted(hidden)
        if found == self.older:
            now = finished(self.store)
            names = {name for name, *_ in now}
            self.tally.lost |= {name for name, *_ in there if name not in names}
            self.tally.doubled |= {name for name, *_ in there - now if name in names}

    def _check_end(self, work: Path) -> None:
        """The results of an undisturbed command, and nothing else."""
        self.tally.unequal += tables_of(work / OUT) != self.newer
        paths = {path.relative_to(work).as_posix() for path in work.rglob("*")}
        whole = self.folder / "newer"
        wanted = {path.relative_to(whole).as_posix() for path in whole.rglob("*")}
        self.tally.left_over += sorted(paths - wanted)


def kill_campaign(name: str, kills: int, seed: int) -> Tally:
    """Kill a command so many times, in a folder that is removed afterwards."""
    with TemporaryDirectory(prefix="kills-") as folder:
        return Killer(Path(folder), name, seed).run(kills)


def main() -> None:
    """The script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of all commands together")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--command", choices=COMMANDS, action="append", help="default: all")
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.words:
        command(chosen.words)
    clean = True
    print("|", " | ".join(HEADS), "|\n" + "|---" * len(HEADS) + "|")
    names = chosen.command or list(COMMANDS)
    for name in names:
        began = time.monotonic()
        tally = kill_campaign(name, -(-chosen.kills // len(names)), chosen.seed)
        wrong = (tally.lost, tally.doubled, tally.torn, tally.left_over, tally.failed)
        lost, doubled, torn, left_over, failed = map(len, wrong)
        cells = (
            name, tally.kills, tally.leaders, tally.workers, tally.steps, tally.ended, lost,
            doubled, torn, tally.unequal, left_over, failed, f"{time.monotonic() - began:.0f}",
        )  # fmt: skip
        print("|", " | ".join(map(str, cells)), "|", flush=True)
        if not tally.is_clean:
            print(tally, file=sys.stderr)
        clean &= tally.is_clean
    sys.exit(not clean)


if __name__ == "__main__":
    main()

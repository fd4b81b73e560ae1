"""Processes that tests start: waiting for conditions, and ending what was started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest

needs_signals = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX systems")
PROGRAM = [sys.executable, "-m", "tariffsim"]
PATIENCE = 600
"""Seconds until a condition counts as never met: far beyond what a busy machine needs."""


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    assert holds_in_time(condition), "the condition was never met"


def holds_in_time(condition: Callable[[], object]) -> bool:
    """Wait for a condition, and report whether it was met."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@contextmanager
def started(command: Sequence[object], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A program in a session of its own, all of whose processes are ended at the end."""
    process = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=_listen_to_interrupts, **options,
    )  # type: ignore[call-overload]  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _listen_to_interrupts() -> None:
    """Background processes ignore interrupts, and so would their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def listed(*columns: str) -> list[list[str]]:
    """Columns of `ps` for all processes."""
    words = ["ps", "-eo", ",".join(f"{column}=" for column in columns)]
    rows = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return [row.split(None, len(columns) - 1) for row in rows]


def session_of(leader: int) -> list[str]:
    """Processes of a session that still run."""
    rows = listed("sid", "pid", "stat")
    return [pid for sid, pid, stat in rows if sid == str(leader) and not stat.startswith("Z")]


def workers_of(leader: int) -> list[int]:
    """Worker processes, without the one that tracks resources."""
    rows = listed("ppid", "pid", "args")
    return [int(pid) for ppid, pid, args in rows if ppid == str(leader) and "spawn_main" in args]

"""Throughput, overhead and memory of the engine: the same sweep on one core, on two, and on Dask.

Half the runs are the baseline, half component_50, at their own size; every run goes to a store.
Wall time has all in it, the start of workers too. Overhead is the processor time of the process
that leads, as a share of that of its workers (on one core: what the same runs take without the
engine, made alternately). Memory is that of the leading process after a tenth of the runs and after
all. 1,000 runs; `--quick`: 10. Tables are checked to be the same.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from tariffsim.experiments import Settings, run_ensemble
from tariffsim.experiments.runs import _baselines, record_of_run, replications_of
from tariffsim.scenario import load_scenario

ENGINES = {"one core": ("local", 1), "two cores": ("local", 2), "dask": ("dask", 2)}


def resident() -> float:
    """Megabytes this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def processor(who: int) -> float:
    """Processor seconds of this process, or of its ended children."""
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def sweep(seeds: range, engine: str, jobs: int, progress: Callable[[int, int], None]) -> str:
    """Digest of the table of measures."""
    with TemporaryDirectory() as folder:
        settings = Settings(jobs, Path(folder) / "runs", engine)  # type: ignore[arg-type]
        scenarios = {"component_50": load_scenario("component_50")}
        made = run_ensemble(scenarios, load_scenario("baseline"), seeds, "US", settings, progress)
    return sha256(made.table.to_csv().encode()).hexdigest()


def bare(seed: int) -> None:
    """What the engine does for a seed, without the engine."""
    scenarios = {name: load_scenario(name) for name in ("baseline", "component_50")}
    for one in replications_of(scenarios, [seed], "US", is_full=False):
        record_of_run(one)


def overhead_on_one_core(pairs: int) -> float:
    """Processor time of some pairs of runs with the engine over that without, less one."""
    spent = [0.0, 0.0]
    ways: tuple[Callable[[int], object], ...] = (
        bare,
        lambda seed: sweep(range(seed, seed + 1), "local", 1, print_none),
    )
    bare(0)
    for seed in range(1, 1 + pairs):
        for i, make in enumerate(ways):
            _baselines.clear()
            began = time.process_time()
            make(seed)
            spent[i] += time.process_time() - began
    return spent[1] / spent[0] - 1


def print_none(done: int, total: int) -> None:
    """No progress."""


def one(name: str, runs: int) -> None:
    """Measure one engine; prints seconds, overhead, megabytes early and late, digest."""
    engine, jobs = ENGINES[name]
    held = {}
    began, used = time.perf_counter(), processor(resource.RUSAGE_SELF)

    def progress(done: int, total: int) -> None:
        if done in (runs // 10, runs):
            held[done] = resident()

    digest = sweep(range(runs // 2), engine, jobs, progress)
    seconds = time.perf_counter() - began
    own = processor(resource.RUSAGE_SELF) - used
    if jobs == 1:
        overhead = overhead_on_one_core(max(runs // 50, 2))
    else:
        overhead = own / processor(resource.RUSAGE_CHILDREN)
    print(seconds, overhead, held[runs // 10], held[runs], digest)


def main() -> None:
    """Measure every engine in a fresh process and print a table."""
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], int(sys.argv[3]))
        return
    runs = 10 if "--quick" in sys.argv else 1000
    print(f"{'engine':<10} {'runs':>6} {'s':>7} {'runs/s':>7} {'ratio':>6} {'overhead':>9}"
          f" {'MB early':>9} {'MB late':>8}")  # fmt: skip
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    first, digests, took = 0.0, set(), {}
    for name in ENGINES:
        command = [sys.executable, __file__, "--one", name, str(runs)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=alone)
        *numbers, digest = done.stdout.split()
        seconds, overhead, early, late = map(float, numbers)
        first = first or seconds
        took[name] = seconds
        digests.add(digest)
        row = f"{name:<10} {runs:>6,} {seconds:>7.1f} {runs / seconds:>7.2f}"
        row += f" {first / seconds:>6.2f} {overhead:>9.1%} {early:>9.0f} {late:>8.0f}"
        print(row, flush=True)
    assert len(digests) == 1, "tables differ"
    print(
        f"Dask to the local pool, seconds of {runs} runs = {took['dask'] / took['two cores']:.3g}"
    )


if __name__ == "__main__":
    main()

"""Months that scenarios share with their baseline, simulated once, against each run from the start.

Prints processor seconds of both ways and their ratio, by turns in one process on one thread, with
all that is cached forgotten before each. Both give the same metrics, which is checked. `--quick`:
one seed, one turn, 300 makers.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace as with_fields
from functools import partial

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

from tariffsim.calibration import build, tariff_schedule  # noqa: E402 (threads are set first)
from tariffsim.experiments import common_past, runs  # noqa: E402
from tariffsim.experiments.timing import shifted  # noqa: E402
from tariffsim.scenario import Scenario, load_scenario, replace  # noqa: E402
from tariffsim.typing import parse_month  # noqa: E402

STARTS = range(parse_month("2026-01"), parse_month("2030-01"), 6)


def cases(makers: int) -> dict[str, dict[str, Scenario]]:
    """Scenarios by name, the baseline first, of each case."""
    base, early, late = (
        replace(load_scenario(name), agents__makers=makers)
        for name in ("baseline", "component_50", "component_late")
    )
    by_start = {str(start): shifted(early, start) for start in STARTS}
    return {
        "compare component_50": {"baseline": base, "own": early},
        "compare component_late": {"baseline": base, "own": late},
        f"timing, {len(STARTS)} starts": {"baseline": base} | by_start,
    }


def measure(
    named: Mapping[str, Scenario], seeds: int, shares: bool
) -> tuple[float, list[dict[str, float]]]:
    """Processor seconds of all runs, and their metrics."""
    runs._baselines.clear()
    for cached in (build._prepared, tariff_schedule._laws, common_past.common_past):
        cached.cache_clear()
    began = time.process_time()
    found = runs.replications_of(named, range(seeds), "US", is_full=False)
    found = found if shares else [with_fields(one, kept=()) for one in found]
    summaries = [runs.record_of_run(one).summary for one in found]
    return time.process_time() - began, summaries


def main() -> None:
    """Measure every case and print a table."""
    makers, seeds, turns = (300, 1, 1) if "--quick" in sys.argv else (1200, 3, 3)
    print(f"{'case':<24} {'from the start, s':>18} {'shared, s':>10} {'ratio':>6}")
    for name, named in cases(makers).items():
        way = partial(measure, named, seeds)
        both = [(way(False), way(True)) for _ in range(turns)]
        assert all(alone[1] == shared[1] for alone, shared in both), "metrics differ"
        alone, shared = (min(pair[n][0] for pair in both) for n in (0, 1))
        print(f"{name:<24} {alone:>18.2f} {shared:>10.2f} {alone / shared:>6.2f}", flush=True)


if __name__ == "__main__":
    main()

"""The full month against the same month in plain Mesa, one object an agent.

Prints processor milliseconds a month of each (the median) and their ratio, from one run on one
thread in a process of its own. Both give the same months, which is checked. Nothing is
extrapolated. `--quick`: one month of 300 makers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from tariffsim.calibration import build_economy
from tariffsim.month import PHASES
from tariffsim.scenario import load_scenario, replace
from tariffsim.state.draws import Draws

SCENARIO = "component_50"
SIZES = {1_200: 24, 100_000: 1}
"""Makers, and months timed (the first month is left out)."""
TOLERANCE = 1e-9


def timed(step: Callable[[], None], months: int) -> float:
    """Median milliseconds of a month, after a first one."""
    step()
    spent = []
    for _ in range(months):
        began = time.process_time()
        step()
        spent.append(time.process_time() - began)
    return float(np.median(spent)) * 1e3


def measure(makers: int, months: int) -> tuple[float, float]:
    """Milliseconds a month of the array code and of plain Mesa."""
    from plain_mesa import PlainMesa

    scenario = replace(load_scenario(SCENARIO), agents__makers=makers)
    economy, draws = build_economy(scenario, 0), Draws(0)
    plain = PlainMesa(build_economy(scenario, 0), Draws(0))

    def step() -> None:
        for phase in PHASES:
            phase(economy, draws)

    array, objects = timed(step, months), timed(plain.step, months)
    units = np.array([flow.units for flow in plain.world.flows])
    np.testing.assert_allclose(economy.flows.units, units, rtol=TOLERANCE)
    return array, objects


def main() -> None:
    """Measure every size in a fresh process and print a table."""
    if sys.argv[1:2] == ["--one"]:
        print(*measure(int(sys.argv[2]), int(sys.argv[3])))
        return
    print(f"{'makers':>9} {'months':>7} {'arrays, ms':>12} {'plain Mesa, ms':>15} {'ratio':>7}")
    sizes = {300: 1} if "--quick" in sys.argv else SIZES
    for makers, months in sizes.items():
        command = [sys.executable, __file__, "--one", str(makers), str(months)]
        alone = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=alone)
        array, objects = (float(word) for word in done.stdout.split())
        row = f"{makers:>9,} {months:>7} {array:>12.2f} {objects:>15.1f} {objects / array:>7.0f}"
        print(row, flush=True)
        print(f"plain Mesa to arrays, a month, {makers:,} makers = {objects / array:.3g}")


if __name__ == "__main__":
    main()

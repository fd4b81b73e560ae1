"""A default run here against the same run of another copy of the project, in turns.

`python benchmarks/against.py FOLDER` prints processor seconds of a run (the least of `ROUNDS`, on
one thread, each in a fresh process after a first run that is not timed) and their ratio. FOLDER is
another checkout, for example a worktree of the commit that a change starts from. Without FOLDER it
compares the project with itself, which shows how far the machine can be trusted; `--quick`: one
round.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCENARIOS = ("baseline", "component_50")
ROUNDS = 5
RUN = """
import sys, time
from tariffsim.scenario import load_scenario
from tariffsim.simulation import simulate
scenarios = [load_scenario(name) for name in sys.argv[1:]]
simulate(scenarios[0], 0)
began = time.process_time()
for scenario in scenarios:
    simulate(scenario, 0)
print((time.process_time() - began) / len(scenarios))
"""


def timed(folder: Path) -> float:
    """Processor seconds of a run of the project in a folder, mean of the scenarios."""
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment = {**os.environ, **threads, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", RUN, *SCENARIOS]
    done = subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def main() -> None:
    """Time both in turns and print the least of each."""
    here = Path(__file__).resolve().parent.parent
    folders = [Path(word).resolve() for word in sys.argv[1:] if not word.startswith("-")]
    other = folders[0] if folders else here
    rounds = [(timed(here), timed(other)) for _ in range(1 if "--quick" in sys.argv else ROUNDS)]
    new, old = (min(column) for column in zip(*rounds, strict=True))
    print(f"here {new:.3f} s, there {old:.3f} s, here over there {new / old:.2f}")


if __name__ == "__main__":
    main()

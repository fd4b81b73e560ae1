"""Run every benchmark of this folder and print its ratios: `python benchmarks/run.py [--quick]`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Run the scripts one after the other, each in its own process."""
    here = Path(__file__).parent
    for script in sorted(here.glob("*.py")):
        if script.name not in ("run.py", "plain_mesa.py"):
            print(f"\n{script.name}", flush=True)
            subprocess.run([sys.executable, str(script), *sys.argv[1:]], check=True)


if __name__ == "__main__":
    main()

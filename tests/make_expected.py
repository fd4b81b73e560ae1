"""Remake the stored expected results of the shipped scenarios: `python -m tests.make_expected`.

A change of these files is a change of the model's numbers: it goes into a commit of its own, and
CHANGELOG.md says why.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tariffsim.experiments import run_seed
from tariffsim.scenario import load_scenario, replace

FOLDER = Path(__file__).parent / "expected"
SHIPPED = sorted(path.stem for path in (Path(__file__).parent.parent / "scenarios").glob("*.yaml"))
SEEDS = (0,)


def summaries(
    name: str, changes: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, dict[str, float]]:
    """Every metric of a shipped scenario against the baseline, by seed, at its own size."""
    names = dict.fromkeys((load_scenario(name).compare_with, name))
    scenarios = {n: replace(load_scenario(n), **changes) for n in names}
    return {str(seed): run_seed(scenarios, seed).runs[name].summary for seed in SEEDS}


def main() -> None:
    """Write one file a scenario."""
    FOLDER.mkdir(exist_ok=True)
    for name in SHIPPED:
        text = json.dumps(summaries(name), indent=1, sort_keys=True) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")
        print(f"{name}: written", file=sys.stderr)


if __name__ == "__main__":
    main()

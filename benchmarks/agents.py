"""A million makers as windows on rows against a million plain Mesa agents with the same six values.

Prints seconds and megabytes of each, in a process of its own, and their ratios. `--quick`: 100,000.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from mesa import Agent, Model
from mesa.agent import AgentSet

from tariffsim.agents import Census, DeviceMaker, Population

CODES = SimpleNamespace(devices=("drone", "laptop"), origins=("CN", "VN", "US"))


class PlainMaker(Agent):
    """A device maker in plain Mesa."""

    def __init__(
        self, model: Model, device: str, origin: str, size: float, units: float, cost: float,
        value: float,
    ) -> None:  # fmt: skip
        super().__init__(model)
        self.device, self.origin, self.size = device, origin, size
        self.units, self.unit_cost, self.customs_value = units, cost, value


def drawn(n: int) -> dict[str, Any]:
    """Six columns."""
    rng = np.random.default_rng(0)
    return {
        "device": rng.integers(0, 2, n),
        "origin": rng.integers(0, 3, n),
        "size": rng.random(n),
        "units": rng.random(n),
        "unit_cost": rng.random(n),
        "customs_value": rng.random(n),
    }


def plain(columns: dict[str, Any]) -> AgentSet:
    """Mesa's own agents; the model keeps them."""
    model, values = Model(rng=0), {name: column.tolist() for name, column in columns.items()}
    values["device"] = [CODES.devices[code] for code in values["device"]]
    values["origin"] = [CODES.origins[code] for code in values["origin"]]
    PlainMaker.create_agents(model, len(columns["size"]), *values.values())
    return model.agents


def windows(columns: dict[str, Any]) -> AgentSet:
    """A table of its own and a population over it."""
    model: Any = Model(rng=0)
    makers = SimpleNamespace(**{name: column.copy() for name, column in columns.items()})
    n = len(makers.units)
    makers.own_version, makers.is_made = np.full(n, -1), np.ones(n, dtype=bool)
    makers.origin, makers.line_weights = makers.origin[:, None], np.ones((n, 1))
    model.economy = SimpleNamespace(makers=makers, constants=SimpleNamespace(codes=CODES))
    model.census = Census({DeviceMaker: len(columns["size"])})
    return Population.of(model, DeviceMaker)


def large(agents: AgentSet) -> AgentSet:
    """Those of one device with many units, asked in the way each is made for."""
    if isinstance(agents, Population):
        return agents.select(device="drone", units=lambda units: units > 0.9)
    return agents.select(lambda agent: agent.device == "drone" and agent.units > 0.9)


def megabytes() -> float:
    """Resident now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def timed(call: Callable[[], Any], times: int = 1) -> tuple[float, Any]:
    """Seconds of the quickest call, and what it gives."""
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        given = call()
        seconds.append(time.perf_counter() - began)
    return min(seconds), given


def ensemble(kind: str, n: int) -> dict[str, float]:
    """Seconds and megabytes of one kind."""
    columns, before = drawn(n), megabytes()
    create, agents = timed(lambda: {"plain": plain, "windows": windows}[kind](columns))
    memory = megabytes() - before
    return {
        "create, s": create,
        "memory, MB": memory,
        "agg mean, s": timed(lambda: agents.agg("units", np.mean), 3)[0],
        "select, s": timed(lambda: large(agents), 3)[0],
        "groupby and sum, s": timed(lambda: agents.groupby("origin").agg("units", sum))[0],
        "an attribute of each agent, s": timed(lambda: [a.units for a in agents])[0],
    }


def main() -> None:
    """Measure both and print a table."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(ensemble(sys.argv[2], int(sys.argv[3]))))
        return
    n = 100_000 if "--quick" in sys.argv else 1_000_000
    found = {}
    for kind in ("plain", "windows"):
        command = [sys.executable, __file__, "--one", kind, str(n)]
        found[kind] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    print(f"{n:,} makers{'':24}plain Mesa      windows        ratio")
    for name, value in found["plain"].items():
        own = found["windows"][name]
        print(f"{name:36}{value:12.4g} {own:12.4g} {value / own:12.3g}")
    alone = n * np.dtype(np.intp).itemsize / 2**20
    ratio = found["plain"]["memory, MB"] / alone
    print(
        f"The table is there anyway; the population alone takes {alone:.1f} MB, ratio {ratio:.3g}."
    )


if __name__ == "__main__":
    main()

"""Time and memory against the number of makers, and the whole step against its kernels alone.

Prints seconds a month, megabytes and ratios from one run. `--quick` leaves out a million makers.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from types import ModuleType

from tariffsim.kernels import demand, duties, pricing, sourcing, sums, supply
from tariffsim.scenario import load_scenario
from tariffsim.simulation import Simulation

SIZES = {1_000: 24, 10_000: 12, 100_000: 6, 1_000_000: 3}
"""Makers, and months timed (the first month is left out)."""


def measure(makers: int, months: int) -> tuple[float, float, float]:
    """Seconds to build, seconds a month, and peak megabytes of this process."""
    scenario = load_scenario("component_50").with_(agents__makers=makers)
    began = time.perf_counter()
    simulation = Simulation(scenario, 0)
    built = time.perf_counter() - began
    simulation.step()
    began = time.perf_counter()
    for _ in range(months):
        simulation.step()
    month = (time.perf_counter() - began) / months
    return built, month, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_own_process(makers: int, months: int) -> tuple[float, float, float]:
    """The same in a fresh process, so that memory is its own."""
    command = [sys.executable, __file__, "--one", str(makers), str(months)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    built, month, memory = (float(word) for word in text.split())
    return built, month, memory


class Clock:
    """Adds up the time spent inside wrapped kernels, not counting kernels called by kernels."""

    def __init__(self) -> None:
        self.spent, self.depth = 0.0, 0

    def wrap(self, module: ModuleType, name: str) -> object:
        kernel = getattr(module, name)

        def timed(*args: object, **kwargs: object) -> object:
            self.depth += 1
            began = time.perf_counter()
            try:
                return kernel(*args, **kwargs)
            finally:
                self.depth -= 1
                if not self.depth:
                    self.spent += time.perf_counter() - began

        return timed


def step_against_kernels(makers: int, months: int) -> tuple[float, float]:
    """Seconds a month of the whole step, and of its kernels with the array work between them."""
    scenario = load_scenario("component_50").with_(agents__makers=makers)
    simulation = Simulation(scenario, 0)
    simulation.step()
    began = time.perf_counter()
    for _ in range(months):
        simulation.step()
    whole = (time.perf_counter() - began) / months
    clock = Clock()
    modules = (demand, duties, pricing, sourcing, sums, supply)
    originals = {
        (user, name): value
        for user in list(sys.modules.values())
        if user is not None and getattr(user, "__name__", "").startswith("tariffsim.")
        for name, value in vars(user).items()
        if getattr(value, "__module__", "") in {m.__name__ for m in modules} and callable(value)
    }
    for (user, name), _ in originals.items():
        setattr(user, name, clock.wrap(user, name))
    for _ in range(months):
        simulation.step()
    for (user, name), value in originals.items():
        setattr(user, name, value)
    return whole, clock.spent / months


def main() -> None:
    """Print the tables."""
    sizes = {n: m for n, m in SIZES.items() if n < 1_000_000 or "--quick" not in sys.argv}
    print(
        f"{'makers':>10} {'build s':>9} {'month s':>9} {'72 months s':>12} "
        f"{'MB':>7} {'us/maker':>9}"
    )
    for makers, months in sizes.items():
        built, month, memory = in_own_process(makers, months)
        print(
            f"{makers:>10,} {built:>9.2f} {month:>9.4f} {built + 72 * month:>12.1f} "
            f"{memory:>7.0f} {1e6 * month / makers:>9.2f}",
            flush=True,
        )
    for makers in (1_200, 10_000):
        whole, kernels = step_against_kernels(makers, 12)
        print(f"whole step with recorder / time inside kernels, {makers:,} makers: "
              f"{whole / kernels:.2f}")  # fmt: skip


if __name__ == "__main__":
    if "--one" in sys.argv:
        print(*measure(*(int(a) for a in sys.argv[sys.argv.index("--one") + 1 :])))
    else:
        main()

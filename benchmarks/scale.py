"""Time and memory against the number of makers, and the whole step against its kernels alone.

Prints seconds a month, megabytes and ratios from one run. `--quick`: at most 10,000 makers.

"Kernels alone" are the functions of arrays that the phases call (kernels, draws, duties of
instruments), called again with the same arrays and nothing between; the whole step is the phases
with what they gather and assign, the accounts and the recorder.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from inspect import isfunction
from statistics import median

from tariffsim.month import PHASES
from tariffsim.policy import INSTRUMENTS
from tariffsim.policy.base import Instrument
from tariffsim.scenario import load_scenario, replace
from tariffsim.simulation import Simulation
from tariffsim.state.draws import Draws
from tariffsim.state.ledger import check_accounting_identities

SIZES = {1_000: 24, 10_000: 12, 100_000: 6, 1_000_000: 3}
"""Makers, and months timed (the first month is left out)."""


def measure(makers: int, months: int) -> tuple[float, float, float]:
    """Seconds to build, seconds a month, and peak megabytes of this process."""
    scenario = replace(load_scenario("component_50"), agents__makers=makers)
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


Call = tuple[Callable[..., object], tuple[object, ...], dict[str, object]]


@contextmanager
def kept_calls() -> Iterator[list[Call]]:
    """Collect the calls of kernels, draws and duties of instruments, each from outside such calls.

    These are the functions of arrays alone; gathers, assignments and Python are what is between.
    """
    calls: list[Call] = []
    depth = 0

    def kept(function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal depth
            if not depth:
                calls.append((function, args, kwargs))
            depth += 1
            try:
                return function(*args, **kwargs)
            finally:
                depth -= 1

        return call

    owners = [module for name, module in sys.modules.items() if name.startswith("tariffsim")]
    places: list[tuple[object, str]] = [
        (owner, name)
        for owner in owners
        for name, value in vars(owner).items()
        if isfunction(value) and value.__module__.startswith("tariffsim.kernels")
    ]
    kinds = {Instrument, *INSTRUMENTS.values()}
    places += [(kind, "duty") for kind in kinds if "duty" in vars(kind)]
    places += [(kind, "is_triggered") for kind in kinds if "is_triggered" in vars(kind)]
    places += [(Draws, name) for name in ("uniform", "exponential")]
    originals = [(owner, name, getattr(owner, name)) for owner, name in places]
    for owner, name, function in originals:
        setattr(owner, name, kept(function))
    try:
        yield calls
    finally:
        for owner, name, function in originals:
            setattr(owner, name, function)


def timed(call: Callable[[], object]) -> float:
    """Processor seconds."""
    began = time.process_time()
    call()
    return time.process_time() - began


def parts_of_step(makers: int, months: int) -> dict[str, float]:
    """Processor seconds a month (medians): phases, kernels, identities, recorder.

    Kernels are called again with the arrays of a second run of the same months.
    """
    scenario = replace(load_scenario("component_50"), agents__makers=makers)
    one, other = Simulation(scenario, 0), Simulation(scenario, 0)
    spent: dict[str, list[float]] = defaultdict(list)

    def phases(simulation: Simulation) -> None:
        for phase in PHASES:
            phase(simulation.economy, simulation.draws)

    def again(calls: list[Call]) -> None:
        for function, args, kwargs in calls:
            function(*args, **kwargs)

    for _ in range(months + 1):
        spent["phases"].append(timed(lambda: phases(one)))
        spent["identities"].append(timed(lambda: check_accounting_identities(one.economy)))
        spent["recorder"].append(timed(lambda: one.recorder.record(one.economy)))
        with kept_calls() as calls:
            phases(other)
        spent["kernels"].append(timed(partial(again, calls)))
    return {part: median(seconds[1:]) for part, seconds in spent.items()}


def main() -> None:
    """Print the tables."""
    sizes = {n: m for n, m in SIZES.items() if n <= 10_000 or "--quick" not in sys.argv}
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
        print(f"ns a maker and month, {makers:,} makers = {1e9 * month / makers:.4g}")
    for makers in (1_200, 10_000):
        of = parts_of_step(makers, 24)
        step = of["phases"] + of["identities"] + of["recorder"]
        print(
            f"{makers:,} makers: whole step {1e3 * step:.2f} ms, {step / of['kernels']:.2f} times "
            f"its kernels alone; kernels {of['kernels'] / step:.0%}, gathering between them "
            f"{(of['phases'] - of['kernels']) / step:.0%}, recorder {of['recorder'] / step:.0%}, "
            f"identities {of['identities'] / step:.0%}"
        )


if __name__ == "__main__":
    if "--one" in sys.argv:
        print(*measure(*(int(a) for a in sys.argv[sys.argv.index("--one") + 1 :])))
    else:
        main()

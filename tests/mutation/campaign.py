"""Mutation campaign: small changes of the code, each of which some test should notice.

A mutant exists in the memory of a forked process, where an import hook puts it in the place of the
module, never in a file. Mutants that the first tests of their folder let live meet a wider set.
Needs a system that forks.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import random
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, settings

from tests.mutation.mutants import ROOT, Mutant, mutants

EQUIVALENT = Path(__file__).with_name("equivalent.yaml")
PRELOADED = ["numpy", "pandas", "scipy.special", "scipy.optimize", "pydantic", "networkx", "mesa"]

MONTHS = "tests/month/test_reference.py"
ORDERS = "tests/month/test_reference_of_orders.py"
REFERENCE = [
    f"{MONTHS}::test_same_months_of_a_toy",
    *(f"{ORDERS}::test_same_months[{name}]"
      for name in ("everything with stocks", "declarations, full_value")),
    *(f"{MONTHS}::test_same_months[{name}]"
      for name in ("two triggers", "plan slowed by idle lines", "everything")),
]  # fmt: skip
MONTHS_WIDER = [f"tests/month/test_{name}.py" for name in ("month", "economics", "invariance")]
TESTS = {
    "kernels": (REFERENCE, ["tests/kernels", "tests/behaviour", "tests/law"]),
    "behaviour": ([*REFERENCE, "tests/behaviour"], ["tests/law", "tests/policy", *MONTHS_WIDER]),
    "law": ([*REFERENCE, "tests/law"], ["tests/behaviour", "tests/policy", *MONTHS_WIDER]),
}
"""By folder of the package: the tests that run first, and those for what these let live.

The stored results of the shipped scenarios are in neither: they notice every change of a number
and say of none that it is wrong.
"""
PATIENCE = 3600
"""Seconds after which tests count as having noticed: far beyond what a busy machine needs."""


def stages(folder: str, function: str) -> Iterator[Sequence[str]]:
    """Tests of a function, the quickest first: of a kernel, the files that call it."""
    if folder == "kernels":
        called = re.compile(rf"\b{function}\(" if function else "")
        files = sorted((ROOT / "tests" / folder).glob("test_*.py"))
        calling = [it for it in files if called.search(it.read_text(encoding="utf-8"))]
        yield list(map(str, calling or files))
    yield from TESTS[folder]


def equivalents() -> dict[tuple[str, str, str], str]:
    """Why mutants, named by `Mutant.key`, change nothing that the package promises."""
    entries = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8"))
    return {(it["path"], it["function"], it["change"]): it["because"] for it in entries}


class Changed(SourceFileLoader):
    """Finds and loads one module from a changed text."""

    def __init__(self, mutant: Mutant) -> None:
        self.module = mutant.path.removesuffix(".py").replace("/", ".")
        super().__init__(self.module, str(ROOT / mutant.path))
        self.text = mutant.source

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return spec_from_loader(name, self) if name == self.module else None

    def get_code(self, fullname: str) -> object:
        return compile(self.text, self.path, "exec")


def passes(tests: Sequence[str], mutant: Mutant | None) -> bool:
    """Whether tests pass in a process of their own, with a mutant in place of its module."""
    child = multiprocessing.get_context("fork").Process(target=_test, args=(tests, mutant))
    child.start()
    child.join(PATIENCE)
    if child.exitcode is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.join()
    return child.exitcode == 0


def _test(tests: Sequence[str], mutant: Mutant | None) -> None:
    os.setsid()
    os.chdir(ROOT)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    if mutant is not None:
        sys.meta_path.insert(0, Changed(mutant))
    os.environ["HYPOTHESIS_PROFILE"] = "mutation"
    options = ["-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow", "--tb=no", "-x"]
    loaded = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # plugins were loaded before
    os._exit(int(pytest.main([*options, *loaded, *tests])))


def prepare() -> None:
    """Load what tests import, so that every forked process has it; tariffsim is not among it."""
    for name in PRELOADED:
        importlib.import_module(name)
    settings.register_profile(
        "mutation",
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=30,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )


def campaign(folder: str, seed: int, count: int) -> tuple[list[Mutant], list[Mutant], int]:
    """Mutants of a folder that are killed and that survive, and how many drawn are equivalent."""
    every = mutants(folder)
    drawn = random.Random(seed).sample(every, min(count, len(every)))
    known = equivalents()
    tried = [mutant for mutant in drawn if mutant.key not in known]
    print(f"{folder}: {len(tried)} of {len(every)} mutants", flush=True)
    for tests in stages(folder, ""):
        if not passes(tests, None):
            raise SystemExit(f"tests fail without any change: {' '.join(tests)}")
    survived = []
    for mutant in sorted(tried, key=lambda it: (it.path, it.line)):
        if all(passes(tests, mutant) for tests in stages(folder, mutant.function)):
            survived.append(mutant)
            print(mutant, flush=True)
    return [it for it in tried if it not in survived], survived, len(drawn) - len(tried)


def table(killed: list[Mutant], survived: list[Mutant]) -> Iterator[str]:
    """Lines of the report: a module each and all together."""
    yield f"{'module':40}{'mutants':>8}{'killed':>8}{'survived':>9}{'rate':>7}"
    dead, alive = (Counter(it.path for it in found) for found in (killed, survived))
    rows = [(path, dead[path], alive[path]) for path in sorted({*dead, *alive})]
    for name, n_dead, n_alive in [*rows, ("all", len(killed), len(survived))]:
        n = n_dead + n_alive
        yield f"{name:40}{n:8}{n_dead:8}{n_alive:9}{n_dead / max(n, 1):7.1%}"


def main(words: Sequence[str]) -> None:
    """Run the campaign on folders of the package and print the table of each."""
    parser = argparse.ArgumentParser(prog="tasks.py mutate", description=__doc__)
    parser.add_argument("folder", nargs="?", choices=TESTS, help="of the package (all three)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (1)")
    parser.add_argument("--mutants", type=int, default=150, help="drawn from each folder (150)")
    chosen = parser.parse_args(words)
    prepare()
    for folder in [chosen.folder] if chosen.folder else TESTS:
        killed, survived, n_equivalent = campaign(folder, chosen.seed, chosen.mutants)
        print(*table(killed, survived), sep="\n")
        print(f"drawn besides and known to be equivalent: {n_equivalent}\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Draw charts of many comparisons in all sizes, and look for faults with the linter.

`python -m tests.charts.drawing_campaign --most 300`: every chart of comparisons, of shipped
scenarios alone and in threes and sixes, of several numbers of seeds, for screen, phone and print;
and all charts of experiments and of agents. `--most` draws a sample, the same each time.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

import tariffsim
from tariffsim.charts import CHARTS, SIZES, Prepared, prepared
from tariffsim.charts.picture import Chart
from tariffsim.record.results import Results
from tariffsim.scenario import replace
from tariffsim.scenario.scenario_files import shipped_names
from tests.charts.chart_results import one_slot, part
from tests.charts.experiment_results import EXPERIMENTS
from tests.charts.lint import lint

COUNTS = (1, 3, 6)
"""Scenarios of a comparison, besides the baseline."""
SMALL = {"run__end": "2026-06", "agents__makers": 40}
BY_NAME: dict[str, Chart[Any]] = {chart.name: chart for chart in CHARTS}


class Drawing(NamedTuple):
    """One chart of one comparison or experiment, in one size."""

    source: str
    chart: str
    size: str


def compared(names: Sequence[str], seeds: int) -> Results:
    """Small runs of scenarios of the baseline's years."""
    base = tariffsim.load_scenario("baseline")
    found = {name: tariffsim.load_scenario(name) for name in names if name != "baseline"}
    made = {n: replace(s, **SMALL) for n, s in found.items() if s.run.start == base.run.start}
    return tariffsim.compare(made, replace(base, **SMALL), seeds=seeds, fixed_parameters=True)


def groups(names: Sequence[str], counts: Iterable[int] = COUNTS) -> Iterator[tuple[str, ...]]:
    """Every scenario alone, and with those that follow it."""
    for count in counts:
        for i in range(len(names)):
            yield tuple(dict.fromkeys(names[(i + k) % len(names)] for k in range(count)))


def sources(comparisons: Sequence[Results]) -> dict[tuple[str, str], partial[list[Prepared]]]:
    """What makes the charts of each comparison, experiment and agent, by kind of chart and name."""
    found: dict[tuple[str, str], partial[list[Prepared]]] = {}
    for results in comparisons:
        first, last = results.provenance["seeds"]
        for group in groups([name for name in results.scenarios if name != results.baseline]):
            name = f"{last - first + 1} seeds: {', '.join(group)}"
            found["comparison", name] = partial(_of_part, group, results)
    for name, make in EXPERIMENTS.items():
        found["experiment", name] = partial(_of_experiment, make)
    agents = [chart for chart in CHARTS if chart.kind == "agent"]
    found["agent", "one"] = partial(lambda: [chart.prepared(one_slot()) for chart in agents])
    return found


def _of_part(group: tuple[str, ...], whole: Results) -> list[Prepared]:
    return prepared(part(group, of=whole))[0]


def _of_experiment(make: Callable[[], Results]) -> list[Prepared]:
    return prepared(make(), "experiment")[0]


def faults(
    comparisons: Sequence[Results], most: int | None = None
) -> tuple[Counter[str], dict[Drawing, list[str]]]:
    """Number of drawings by chart, and the faults of those that have any.

    Args:
        comparisons: results that are taken apart into comparisons of fewer scenarios.
        most: size of a sample of all sources, charts and sizes.
    """
    known, count, found = sources(comparisons), Counter[str](), dict[Drawing, list[str]]()
    left = most or len(known) * len(CHARTS) * len(SIZES)
    made = [(source, one) for source, make in known.items() for one in make()]
    wanted = [(source, one, size) for source, one in made for size in SIZES]
    Random(20).shuffle(wanted)
    for (_, source), one, size in wanted[:left]:
        count[one.name] += 1
        if wrong := lint(BY_NAME[one.name].drawn(one, size)):
            found[Drawing(source, one.name, size)] = wrong
    return count, found


def main() -> int:
    """Draw what the arguments say and print a table; 1 if there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 20])
    parser.add_argument("--scenarios", nargs="+", default=list(shipped_names()))
    parser.add_argument("--most", type=int, help="drawings in all (default: every one)")
    given = parser.parse_args()
    comparisons = [compared(given.scenarios, seeds) for seeds in given.seeds]
    began = time.process_time()
    count, found = faults(comparisons, given.most)
    print("| chart | drawings | with a fault |\n|---|---|---|")
    wrong = Counter(drawing.chart for drawing in found)
    for name in sorted(count):
        print(f"| {name} | {count[name]} | {wrong[name]} |")
    print(f"| all | {count.total()} | {wrong.total()} |")
    print(f"{time.process_time() - began:.0f} s of one core, without the runs")
    for drawing, texts in found.items():
        print(*drawing, *texts, sep="; ")
    return bool(found)


if __name__ == "__main__":
    raise SystemExit(main())

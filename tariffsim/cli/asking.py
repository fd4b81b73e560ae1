"""What commands share that ask many runs one question: options, runs, results, numbers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite, isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tariffsim.cli.engine import making_runs
from tariffsim.cli.runs import DETAILS, RUN_OPTIONS, check_market
from tariffsim.cli.scenarios import load_with_baseline, with_common_settings
from tariffsim.cli.screen import Screen

if TYPE_CHECKING:
    import pandas as pd

    from tariffsim.experiments.paired import Paired
    from tariffsim.record.dictionary import Metric
    from tariffsim.record.intervals import Interval
    from tariffsim.record.results import Results
    from tariffsim.scenario import Scenario


def asks(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all commands that make many runs."""
    for option in reversed([o for o in RUN_OPTIONS if o is not DETAILS]):
        function = option(function)
    return function


@dataclass(frozen=True)
class Asked:
    """How runs are made, and where results go."""

    runs: Paired
    folder: Path
    screen: Screen
    began: float

    def finish(
        self, named: Mapping[str, Scenario], tables: dict[str, pd.DataFrame], text: str,
        data: Mapping[str, Any], **facts: Any,
    ) -> None:  # fmt: skip
        """Save tables, scenarios and charts, and print what was found."""
        from tariffsim.charts import draw_all
        from tariffsim.experiments.comparison import results_of

        seeds = range(self.runs.seeds[0], self.runs.seeds[-1] + 1)
        results = results_of(named, self.runs.market, tables, seeds, (), self.began)
        results.provenance |= facts
        results.files |= draw_all(results, "experiment")
        self._save(results)
        if self.screen.is_json:
            self.screen.remark(text)
        kept = ("seeds", "scenario_hashes", "data_hash")
        about = {"market": results.market, "folder": str(self.folder), "confidence": 0.95}
        self.screen.show(text, about | {k: results.provenance[k] for k in kept} | dict(data))
        self.screen.remark(f"\nResults: {self.folder}")

    def _save(self, results: Results) -> None:
        from tariffsim.experiments.store import discard
        from tariffsim.record.results import RUNS

        results.save(self.folder)
        if self.runs.settings.store == self.folder / RUNS:
            discard(self.runs.settings.store)


def settled(files: Sequence[str], baseline: str | None, given: dict[str, Any]) -> list[Scenario]:
    """The baseline and the scenarios of a command, with its settings, in a market they have."""
    scenarios = with_common_settings(load_with_baseline(files, baseline), given.pop("settings"))
    check_market(given["market"], scenarios[0])
    return scenarios


@contextmanager
def asking(
    screen: Screen, name: str, base: Scenario, *, out: str | None, seeds: int | None,
    seed: int | None, market: str, is_alone: bool = False, **engine: Any,
) -> Iterator[Asked]:  # fmt: skip
    """Hold the folder of results and say how runs are made, with `base` as the baseline."""
    default = re.sub(r"[^\w.-]+", "_", name)[:80].strip("._")
    folder = Path("results", default) if out is None else Path(out)

    from tariffsim.experiments.paired import Paired
    from tariffsim.record.results import writing_to

    first = base.run.seed if seed is None else seed
    replications = range(first, first + (seeds or base.run.seeds))
    what = f"running {name}, {len(replications)} seed{'s'[: len(replications) - 1]}"
    with writing_to(folder) as place, making_runs(screen, what, place, **engine) as made:
        runs = Paired(base, replications, market, *made, is_alone)
        yield Asked(runs, place, screen, time.perf_counter())


def with_interval(interval: Interval, decimals: int, sign: str = "") -> str:
    """A mean with its interval; the mean alone where there is none."""
    return spread(interval.mean, interval.low, interval.high, decimals, sign)


def spread(value: float, low: float, high: float, decimals: int, sign: str = "") -> str:
    """A value with the ends of its interval."""
    if isnan(value):
        return "-"
    ends = "" if isnan(low) else f" [{low:{sign},.{decimals}f}, {high:{sign},.{decimals}f}]"
    return f"{value:{sign},.{decimals}f}{ends}"


def named_number(text: str, option: str) -> tuple[str, float]:
    """Name and number of `name=number`."""
    name, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = nan
    if not isfinite(value):
        message = f"{option} must be NAME=NUMBER, such as cn_share=10"
        raise click.UsageError(message, click.get_current_context())
    return name.strip(), value


def metric_of(name: str) -> Metric:
    """A measure of one run by its name; a usage error names the nearest."""
    from tariffsim.errors import escaped, nearest
    from tariffsim.record.dictionary import COSTS, metrics

    known = {m.name: m for m in metrics().values() if m.name not in COSTS}
    if name not in known:
        message = f"there is no measure {escaped(name)}; {nearest(name, known)}"
        raise click.UsageError(message, click.get_current_context())
    return known[name]

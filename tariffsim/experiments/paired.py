"""Runs of several scenarios with the same seeds, for experiments that ask for many of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from tariffsim.errors import RunsFailedError
from tariffsim.experiments.comparison import check_comparable
from tariffsim.experiments.ensemble import Progress, Settings, run_ensemble
from tariffsim.record.intervals import paired_interval
from tariffsim.scenario import Scenario

EnsembleRunner = Callable[[Mapping[str, Scenario]], pd.DataFrame]
"""Runs scenarios with the same seeds: a table of scenario, seed and one column a measure."""

ASKED = "asked: "
"""Before the names of what is asked for, which might be that of the baseline."""


def columns_of(name: str, values: ArrayLike, level: float = 0.0) -> dict[str, float]:
    """A mean over seeds and the ends of its interval as columns, laid around a level."""
    interval = paired_interval(np.asarray(values, float).tolist())
    ends = {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return {column: level + value for column, value in ends.items()}


@dataclass(frozen=True)
class Paired:
    """Runs scenarios against one baseline with the same seeds; results do not depend on how.

    Args:
        baseline: what welfare, for one, is ensemble against.
        seeds: of the replications.
        market: the market that measures are about.
        settings: where and how runs are made.
        progress: called with (runs done, runs in all) of each request.
        is_alone: no measure that is asked for is against a baseline, so that it is not run.
    """

    baseline: Scenario
    seeds: Sequence[int]
    market: str = "US"
    settings: Settings = field(default_factory=Settings)
    progress: Progress | None = None
    is_alone: bool = False

    def __call__(self, scenarios: Mapping[str, Scenario]) -> pd.DataFrame:
        """Measures of all scenarios with all seeds.

        Raises:
            RunsFailedError: a run failed; what is asked for needs all of them.
        """
        check_comparable({"the baseline": self.baseline} | dict(scenarios), self.market)
        asked = {f"{ASKED}{name}": scenario for name, scenario in scenarios.items()}
        baseline = next(iter(scenarios.values())) if self.is_alone else self.baseline
        ensemble = run_ensemble(
            asked, baseline, self.seeds, self.market, self.settings, self.progress
        )
        if ensemble.failures:
            raise RunsFailedError("\n".join(map(str, ensemble.failures)))
        table = ensemble.table[ensemble.table["scenario"].str.startswith(ASKED)]
        return table.assign(scenario=table["scenario"].str.removeprefix(ASKED))

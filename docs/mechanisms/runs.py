"""Scenarios of the charts of mechanisms, and their runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pandas as pd

import tariffsim
from tariffsim.record.results import Results
from tariffsim.scenario import Scenario, replace


@dataclass(frozen=True)
class Runs:
    """Runs scenarios against their baseline; runs that two charts share are made once."""

    seeds: int = 4
    makers: int | None = None
    """Number of device makers; that of the baseline if None."""
    store: Path = field(default_factory=lambda: Path(mkdtemp(prefix="mechanisms-")) / "runs")

    def scenario(self, name: str = "baseline", **changes: Any) -> Scenario:
        """A shipped scenario and changes."""
        size = {} if self.makers is None else {"agents__makers": self.makers}
        return replace(tariffsim.load_scenario(name), **size, **changes)

    def compare(
        self, scenarios: Mapping[str, Scenario], baseline: Scenario | None = None
    ) -> Results:
        """Paired runs of scenarios with central parameters, under the names given."""
        base = self.scenario() if baseline is None else baseline
        named = {name: replace(made, title=name) for name, made in scenarios.items()}
        return tariffsim.compare(
            named, base, seeds=self.seeds, seed=0, store=self.store, fixed_parameters=True
        )


def added_by_scarcity(foundries: pd.DataFrame, by: list[str]) -> pd.Series:
    """What scarcity adds to the prices of Chinese chips, mean by orders, %."""
    china = foundries[foundries["region"] == "CN"]
    china = china.assign(added=(china["scarcity"] - 1) * china["orders"])
    sums = china.groupby(by, sort=False)[["added", "orders"]].sum()
    return 100 * sums["added"] / sums["orders"]

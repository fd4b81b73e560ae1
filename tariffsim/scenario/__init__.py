"""Scenario files: typed, validated, frozen."""

from typing import NoReturn

from tariffsim.scenario.loader import (
    ScenarioLike,
    as_scenario,
    baseline_of,
    load_scenario,
    replace,
    with_settings,
)
from tariffsim.scenario.scenario import Scenario, written_seeds
from tariffsim.scenario.writing import to_yaml
from tariffsim.tables.renamed import new_name, now_called


def _renamed(name: str) -> property:
    """An attribute that no longer exists: access names its replacement."""

    def refuse(scenario: Scenario) -> NoReturn:
        old = f"Scenario.{name}"
        raise AttributeError(f"{old} {now_called(new_name('python', old))}")

    return property(refuse)


for _name in ("with_", "to_yaml"):
    setattr(Scenario, _name, _renamed(_name))

__all__ = [
    "Scenario",
    "ScenarioLike",
    "as_scenario",
    "baseline_of",
    "load_scenario",
    "replace",
    "to_yaml",
    "with_settings",
    "written_seeds",
]

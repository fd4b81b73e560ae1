"""Scenario files: typed, validated, frozen."""

from typing import NoReturn

from tariffsim.scenario.fields import Scenario
from tariffsim.scenario.loader import baseline_of, load_scenario, replace, with_settings
from tariffsim.scenario.writing import to_yaml
from tariffsim.tables.renamed import new_name


def _refused(old: str, new: str) -> property:
    """An attribute that no longer exists: access says what replaces it."""

    def refuse(scenario: Scenario) -> NoReturn:
        raise AttributeError(f"Scenario.{old}: it is now called {new}")

    return property(refuse)


for _old in ("with_", "to_yaml"):
    setattr(Scenario, _old, _refused(_old, str(new_name("python", f"Scenario.{_old}"))))

__all__ = ["Scenario", "baseline_of", "load_scenario", "replace", "to_yaml", "with_settings"]

"""Scenario files: typed, validated, frozen."""

from tariffsim.scenario.loader import baseline_of, load_scenario, replace, with_settings
from tariffsim.scenario.scenario import Scenario
from tariffsim.scenario.writing import to_yaml

__all__ = ["Scenario", "baseline_of", "load_scenario", "replace", "to_yaml", "with_settings"]

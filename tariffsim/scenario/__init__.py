"""Scenario files: typed, validated, frozen."""

from tariffsim.scenario.fields import Scenario
from tariffsim.scenario.loader import baseline_of, load_scenario, with_settings

__all__ = ["Scenario", "baseline_of", "load_scenario", "with_settings"]

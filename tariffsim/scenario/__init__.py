"""Scenario files: typed, validated, frozen."""

from tariffsim.scenario.fields import Scenario
from tariffsim.scenario.loader import load_scenario, with_settings

__all__ = ["Scenario", "load_scenario", "with_settings"]

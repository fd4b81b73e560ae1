"""What is taken from Mesa, whose versions keep it in different places."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # A progress bar that Mesa never shows here asks notebooks for a package they need not have.
    warnings.filterwarnings("ignore", message="IProgress not found")
    from mesa import Agent, DataCollector, Model
    from mesa.agent import AgentSet

try:
    from mesa.agentset import GroupBy
except ImportError:  # before Mesa 3.4
    from mesa.agent import GroupBy

__all__ = ["Agent", "AgentSet", "DataCollector", "GroupBy", "Model"]

"""Mesa agents that are windows on the rows of the economy's tables, created lazily."""

from tariffsim.agents.kinds import DeviceMaker, Foundry, Importer
from tariffsim.agents.population import Population
from tariffsim.agents.rows import Census

__all__ = ["Census", "DeviceMaker", "Foundry", "Importer", "Population"]

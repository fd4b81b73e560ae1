"""The month of the model with one plain object an agent: slow, and written to be read.

It shares with the array code the calibrated base year, the draws and the instruments, and nothing
else. `Reference(economy, draws).month()` simulates one month.
"""

from reference.agents import Flow, Foundry, Importer, Maker, Slot
from reference.customs import Customs
from reference.world import Reference

__all__ = ["Customs", "Flow", "Foundry", "Importer", "Maker", "Reference", "Slot"]

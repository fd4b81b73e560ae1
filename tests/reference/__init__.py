"""The month of the model with one plain object an agent: slow, and written to be read.

It shares with the array code the calibrated base year, the draws and the instruments, and nothing
else. `Reference(economy, draws).month()` simulates one month.
"""

from tests.reference.agents import Flow, Foundry, Importer, Maker, Slot
from tests.reference.customs import Customs
from tests.reference.world import Reference

__all__ = ["Customs", "Flow", "Foundry", "Importer", "Maker", "Reference", "Slot"]

"""From data tables to an economy whose base year reproduces them (MODEL 5)."""

from tariffsim.calibration.build import build_economy

__all__ = ["build_economy"]

"""From data tables to an economy whose base year reproduces them (MODEL 5)."""

from tariffsim.calibration.build import build_economy, require_base_year

__all__ = ["build_economy", "require_base_year"]

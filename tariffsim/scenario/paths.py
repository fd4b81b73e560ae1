"""Dated paths, defined beside the instruments that use them."""

from tariffsim.policy.paths import Date, EndDate, Path

__all__ = ["Date", "EndDate", "Path"]

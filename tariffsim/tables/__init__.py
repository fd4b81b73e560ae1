"""The data tables: figures with unit, source, confidence and range, checked when loaded."""

from __future__ import annotations

from tariffsim.tables.load import load_tables
from tariffsim.tables.spec import FIGURE_TABLES, TABLE_NAMES
from tariffsim.tables.types import (
    BARE_CHIPS,
    CalendarRow,
    Figure,
    FigureTable,
    ImportRow,
    Tables,
    ValidationRow,
)

__all__ = [
    "BARE_CHIPS",
    "FIGURE_TABLES",
    "TABLE_NAMES",
    "CalendarRow",
    "Figure",
    "FigureTable",
    "ImportRow",
    "Tables",
    "ValidationRow",
    "load_tables",
]

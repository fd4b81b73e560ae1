"""The data tables: figures with unit, source, confidence and range, checked when loaded."""

from __future__ import annotations

from tariffsim.tables.csv_files import SHIPPED
from tariffsim.tables.figure_tables import FIGURE_TABLES, Figure, FigureTable
from tariffsim.tables.history import History, OutcomeRow, load_history
from tariffsim.tables.load import TABLE_NAMES, Tables, load_tables
from tariffsim.tables.wide_tables import BARE_CHIPS, CalendarRow, ImportRow

__all__ = [
    "BARE_CHIPS",
    "FIGURE_TABLES",
    "SHIPPED",
    "TABLE_NAMES",
    "CalendarRow",
    "Figure",
    "FigureTable",
    "History",
    "ImportRow",
    "OutcomeRow",
    "Tables",
    "load_history",
    "load_tables",
]

"""Amounts of money in another unit than their column: dollars where it is millions, and the like.

A table of one's own is compared with the shipped one. The bound is near the square root of a
thousand, so that a table a thousand times too large or too small is as far on one side of it as
one in the right unit is on the other. An honest table stays within: it describes the same imports
and goods in another year or by another classification, where totals double or halve, and the
imports of single groups change tenfold; thirtyfold in the total, or in half of all cells, is not
another year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from tariffsim.errors import Problem
from tariffsim.tables.csv_files import CsvRow
from tariffsim.tables.figure_tables import FIGURE_TABLES, FigureTable, Sheet
from tariffsim.tables.wide_tables import BARE_CHIPS, ImportRow

BOUND = 30.0
ABOUT = 3.0
"""Factor within which a message rounds."""
POWERS = {
    1e3: "a thousand times", 1e6: "a million times", 1e9: "a thousand million times",
    1e-3: "a thousandth of", 1e-6: "a millionth of", 1e-9: "a thousand-millionth of",
}  # fmt: skip
MILLIONS = "the column is millions of USD"
LARGE_UNIT = re.compile("USD|thousand")


def times(factor: float) -> str:
    """A factor in words: the power of a thousand that it is about."""
    for power, words in POWERS.items():
        if 1 / ABOUT < factor / power < ABOUT:
            return words
    return f"{factor:,.3g} times"


def _is_off(factor: float | None) -> bool:
    return factor is not None and factor > 0 and not 1 / BOUND <= factor <= BOUND


def check_units(sheet: Sheet, shipped: FigureTable, problems: list[Problem]) -> None:
    """Columns of money and of thousands in a table of figures, by the codes of both tables."""
    for name, spec in FIGURE_TABLES[sheet.name].parameters.items():
        if not LARGE_UNIT.search(spec.unit):
            continue
        ratios = {
            code: own / usual
            for code in shipped.codes
            if (own := sheet.number(code, name)) and (usual := shipped.number(code, name))
        }
        factor = median(ratios.values()) if ratios else None
        if factor is not None and _is_off(factor):
            place = sheet.place(next(iter(ratios)), name)
            message = f"its {len(ratios)} figures are {times(factor)} those shipped (median)"
            problems.append(place.problem(f"{name} is in {spec.unit}; {message}"))


def check_import_units(
    rows: Sequence[CsvRow],
    own: Sequence[ImportRow],
    shipped: Sequence[ImportRow],
    problems: list[Problem],
) -> None:
    """Imports by their total and by the middle one of all cells; duties by what they are due on."""
    found, usual = _imports(own), _imports(shipped)
    shared = {row.device for row in own} & {row.device for row in shipped}
    total = _sum(found, shared) / _sum(usual, shared) if shared else None
    ratios = [found[key] / value for key, value in usual.items() if value and found.get(key)]
    factor = next(filter(_is_off, (total, median(ratios) if ratios else None)), None)
    if factor is not None:
        groups = len(shared - {*BARE_CHIPS})
        what = f"imports of the {groups} groups are {times(factor)} those shipped"
        place = rows[0].place("customs_value_musd")
        problems.append(place.problem(f"{MILLIONS}; {what}"))
    elif (duties := sum(row.calculated_duty_usd for row in own)) > sum(found.values()):
        place = rows[0].place("calculated_duty_musd")
        what = f"duties are {duties / sum(found.values()):,.3g} times the imports they are due on"
        problems.append(place.problem(f"{MILLIONS}; {what}"))


def _imports(rows: Iterable[ImportRow]) -> dict[tuple[str, str], float]:
    return {(row.device, row.origin): row.customs_value_usd for row in rows}


def _sum(imports: Mapping[tuple[str, str], float], devices: Iterable[str]) -> float:
    return sum(value for (device, _), value in imports.items() if device in devices)

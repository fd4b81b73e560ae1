"""Amounts of money in another unit than their column: dollars where it is millions, and the like.

A table of one's own is compared with the shipped one. The bound is near the square root of a
thousand, so that a table a thousand times too large or too small is as far on one side of it as
one in the right unit is on the other. An honest table stays within: it describes the same imports
and goods in another year or by another classification, where totals double or halve, and the
imports of single groups change tenfold; thirtyfold in a group, or in half of all cells, is not
another year. Duties are held to what they are due on: in all, by the same bound, and in each row
by `MOST_DUTY` of its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

from tariffsim.errors import Problem
from tariffsim.tables.csv_files import CsvRow
from tariffsim.tables.figure_tables import FIGURE_TABLES, FigureTable, Sheet
from tariffsim.tables.wide_tables import BARE_CHIPS, ImportRow

BOUND = 30.0
MOST_DUTY = 1.75
"""Above the highest real one: Chinese electric cars owed about 1.5 times their value in 2025."""
ABOUT = 3.0
"""Factor within which a message rounds."""
POWERS = {
    1e3: "a thousand times", 1e6: "a million times", 1e9: "a thousand million times",
    1e-3: "a thousandth of", 1e-6: "a millionth of", 1e-9: "a thousand-millionth of",
}  # fmt: skip
VALUE, DUTY = "customs_value_musd", "calculated_duty_musd"
MILLIONS = "the column is millions of USD"
LARGE_UNIT = re.compile("USD|thousand")


def times(factor: float) -> str:
    """A factor in words: the power of a thousand that it is about, or two digits of it."""
    for power, words in POWERS.items():
        if 1 / ABOUT < factor / power < ABOUT:
            return words
    return f"{_rounded(factor)} times" if factor >= 1 else f"1/{_rounded(1 / factor)} of"


def _rounded(number: float) -> str:
    return f"{float(f'{number:.2g}'):,g}" if number < 10 else f"{int(float(f'{number:.2g}')):,}"


def _is_off(factor: float | None) -> bool:
    return factor is not None and factor > 0 and not 1 / BOUND <= factor <= BOUND


def check_units(sheet: Sheet, shipped: FigureTable, problems: list[Problem]) -> None:
    """Money and thousands in a table of figures: whole columns, else figure by figure."""
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
            continue
        for code, ratio in ratios.items():
            if _is_off(ratio):
                message = f"that of {code} is {times(ratio)} the one shipped"
                given = f"{sheet.number(code, name):g}, shipped {shipped.number(code, name):g}"
                place = sheet.place(code, name)
                problems.append(place.problem(f"{name} is in {spec.unit}; {message}", given))


def unusual_figures(
    figures: Mapping[str, Mapping[str, Mapping[str, float]]], shipped: Mapping[str, FigureTable]
) -> Iterator[str]:
    """Keys of a scenario's own amounts that are as far from those shipped, with the factor."""
    for table, codes in figures.items():
        for code, parameters in codes.items():
            for name, own in parameters.items():
                unit = FIGURE_TABLES[table].parameters[name].unit
                figure = shipped[table].figures.get((code, name))
                usual = figure.value if figure else None
                factor = own / usual if usual and isinstance(usual, float) else 1.0
                if LARGE_UNIT.search(unit) and _is_off(factor):
                    key = f"figures.{table}.{code}.{name}"
                    yield f"{key} is {times(factor)} the figure shipped ({usual:g} {unit})"


def check_import_units(
    rows: Sequence[CsvRow],
    own: Sequence[ImportRow],
    shipped: Sequence[ImportRow],
    problems: list[Problem],
) -> None:
    """Imports by the middle one of all cells, else by group; duties by what they are due on."""
    problems += [*_values_off(rows, own, shipped)] or [*_rates_off(rows, own, shipped)]


def _values_off(
    rows: Sequence[CsvRow], own: Sequence[ImportRow], shipped: Sequence[ImportRow]
) -> Iterator[Problem]:
    found, usual = _imports(own), _imports(shipped)
    shared = {row.device for row in own} & {row.device for row in shipped}
    ratios = [found[key] / value for key, value in usual.items() if value and found.get(key)]
    if ratios and _is_off(median(ratios)):
        groups, words = len(shared - {*BARE_CHIPS}), times(median(ratios))
        message = f"{MILLIONS}; imports of the {groups} groups are {words} those shipped"
        yield rows[0].place(VALUE).problem(message)
        return
    for device in sorted(shared):
        factor = _sum(found, {device}) / _sum(usual, {device})
        if _is_off(factor):
            moved = {of: abs(now - usual.get(of, 0.0)) for of, now in found.items()}
            cells = [of for of in found if of[0] == device]
            largest = max(cells, key=moved.__getitem__)
            message = (
                f"{MILLIONS}; imports of {device} are {times(factor)} those shipped, mostly by "
                f"those from {largest[1]}"
            )
            row = rows[[*found].index(largest)]
            yield row.place(VALUE).problem(message, row.cells[VALUE])


def _rates_off(
    rows: Sequence[CsvRow], own: Sequence[ImportRow], shipped: Sequence[ImportRow]
) -> Iterator[Problem]:
    """Duties over imports, in all and by row; a table without any duty has none on purpose."""
    rate, usual = _mean_rate(own), _mean_rate(shipped)
    if rate and _is_off(rate / usual):
        message = (
            f"{MILLIONS}; duties, as a share of the imports they are due on, are "
            f"{times(rate / usual)} those shipped"
        )
        yield rows[0].place(DUTY).problem(message)
        return
    for row, each in zip(rows, own, strict=True):
        duty, value = each.calculated_duty_usd, each.customs_value_usd
        if duty > MOST_DUTY * value:
            what = (
                f"the duty on {each.device} from {each.origin} is {times(duty / value)} its value"
            )
            yield row.place(DUTY).problem(f"{MILLIONS}; {what}", row.cells[DUTY])


def _mean_rate(rows: Sequence[ImportRow]) -> float:
    imports = sum(row.customs_value_usd for row in rows)
    return sum(row.calculated_duty_usd for row in rows) / imports if imports else 0.0


def _imports(rows: Iterable[ImportRow]) -> dict[tuple[str, str], float]:
    return {(row.device, row.origin): row.customs_value_usd for row in rows}


def _sum(imports: Mapping[tuple[str, str], float], devices: Iterable[str]) -> float:
    return sum(value for (device, _), value in imports.items() if device in devices)

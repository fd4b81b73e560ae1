"""Loading: the shipped tables, a user's own in their place, single figures replaced, all checked.

Checked is what must hold between figures and between tables.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tariffsim.errors import DataError, NamedCodes, Problem, nearest
from tariffsim.tables.csv_files import (
    LARGEST,
    SHIPPED,
    BadCell,
    CsvRow,
    Place,
    read_rows,
    without_repeats,
)
from tariffsim.tables.figure_tables import (
    FIGURE_TABLES,
    NODE_CLASSES,
    FigureTable,
    Sheet,
    empty_figure,
    parse_sheet,
)
from tariffsim.tables.units import check_import_units, check_units
from tariffsim.tables.wide_tables import (
    WIDE_TABLES,
    CalendarRow,
    ImportRow,
    KnownCodes,
    SourceRow,
    parse_rows,
)
from tariffsim.typing import one_name

TABLE_NAMES = (*FIGURE_TABLES, *WIDE_TABLES)
Replaced = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Single figures by table, code and parameter."""


@dataclass(frozen=True)
class Tables:
    """Every data table of a run, checked."""

    devices: FigureTable
    foundry_regions: FigureTable
    node_classes: FigureTable
    markets: FigureTable
    origins: FigureTable
    origin_rules: FigureTable
    imports: tuple[ImportRow, ...]
    calendar: tuple[CalendarRow, ...]
    sources: Mapping[str, str]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, whatever files it came from."""
        content = {each.name: getattr(self, each.name) for each in fields(self)}
        text = json.dumps(content, default=_plain, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)


def _plain(part: Any) -> Any:
    """What JSON knows in place of a table or a row."""
    if isinstance(part, BaseModel):
        return part.model_dump()
    figures = [[*key, figure] for key, figure in part.figures.items()]
    return {"name": part.name, "codes": part.codes, "figures": figures}


def load_tables(
    replace: Mapping[str, str | Path] | None = None, figures: Replaced | None = None
) -> Tables:
    """The data tables of a run.

    Args:
        replace: files to read in place of shipped tables, by name of the table.
        figures: single figures to replace, by table, code and parameter; ranges stay.

    Raises:
        DataError: with every problem of every table.
    """
    if not replace and not figures:
        return _shipped()
    return _load(replace or {}, figures or {})


@lru_cache(maxsize=1)
def _shipped() -> Tables:
    return _load({}, {})


def _load(replace: Mapping[str, str | Path], figures: Replaced) -> Tables:
    problems: list[Problem] = []
    for name in replace:
        if name not in TABLE_NAMES:
            place = Place("scenario", 0, 0, f"data.{name}")
            problems.append(place.problem("unknown table", hint=nearest(name, TABLE_NAMES)))
    rows = {name: _read(name, replace.get(name), problems) for name in TABLE_NAMES}
    sheets = {
        name: parse_sheet(name, found, problems) for name in FIGURE_TABLES if (found := rows[name])
    }
    for name in replace:
        if name in sheets:
            check_units(sheets[name], getattr(_shipped(), name), problems)
    codes = named_codes(sheets)
    for table, changed in figures.items():
        _replace_figures(table, changed, sheets, codes, problems)
    check_sheets(sheets, codes, problems)
    wide = _wide_rows(rows, sheets, codes, problems)
    own = rows["us_imports_2024"]
    if "us_imports_2024" in replace and own and len(own) == len(wide["imports"]):
        check_import_units(own, wide["imports"], _shipped().imports, problems)
    if problems:
        raise DataError(without_repeats(problems))
    return Tables(**wide | {name: sheet.table(codes[name]) for name, sheet in sheets.items()})


def _read(name: str, path: str | Path | None, problems: list[Problem]) -> list[CsvRow]:
    """Rows of a table; none if it cannot be read."""
    file = str(path or f"{name}.csv")
    path = Path(path or SHIPPED / file)
    if name in FIGURE_TABLES:
        return read_rows(path, file, FIGURE_TABLES[name].columns, ("note",), problems)
    model = WIDE_TABLES[name]
    return read_rows(path, file, model.columns(), model.optional_columns(), problems)


def _wide_rows(
    rows: Mapping[str, list[CsvRow]],
    sheets: Mapping[str, Sheet],
    named: Mapping[str, NamedCodes],
    problems: list[Problem],
) -> dict[str, Any]:
    """Rows of the wide tables by field of `Tables`."""
    codes = known_codes(sheets, named)
    imports = parse_rows(ImportRow, rows["us_imports_2024"], codes, problems)
    calendar = parse_rows(CalendarRow, rows["tariff_calendar"], codes, problems)
    parse_rows(SourceRow, rows["sources"], codes, problems)
    check_imports(rows["us_imports_2024"], imports, codes, problems)
    check_stacking(rows["tariff_calendar"], codes, problems)
    sources = {row.cells["id"]: row.cells["citation"] for row in rows["sources"]}
    if sources:
        check_cited(sources, [row for found in rows.values() for row in found], problems)
    return {"imports": imports, "calendar": calendar, "sources": sources}


def _replace_figures(
    table: str,
    changed: Mapping[str, Mapping[str, float]],
    sheets: Mapping[str, Sheet],
    codes: Mapping[str, NamedCodes],
    problems: list[Problem],
) -> None:
    """Put a scenario's own figures in place; the place of each becomes its key."""
    place = Place("scenario", 0, 0, f"figures.{table}")
    if table not in FIGURE_TABLES:
        hint = nearest(table, FIGURE_TABLES)
        problems.append(place.problem("is not a table of figures", hint=hint))
        return
    sheet = sheets.get(table)
    if sheet is None:
        return
    for code, parameters in changed.items():
        if code not in sheet.rows:
            at = place._replace(key=f"{place.key}.{code}")
            problems.append(at.problem("unknown code", hint=nearest(code, codes[table])))
            continue
        for parameter, value in parameters.items():
            at = place._replace(key=f"{place.key}.{code}.{parameter}")
            try:
                _replace_figure(sheet, code, parameter, value)
                sheet.places[code, parameter] = at
            except BadCell as bad:
                problems.append(at.problem(str(bad), str(value), bad.hint))


def _replace_figure(sheet: Sheet, code: str, parameter: str, value: float) -> None:
    specs = FIGURE_TABLES[sheet.name].parameters
    if parameter not in specs:
        raise BadCell("unknown parameter", hint=nearest(parameter, specs))
    spec = specs[parameter]
    if spec.is_text:
        raise BadCell("is a text: replace the table to change it")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST:
        raise BadCell("must be a number")
    own = {"value": float(spec.within(value)), "source": "scenario", "confidence": "assumption"}
    figure = sheet.figures.get((code, parameter)) or empty_figure(spec)
    sheet.figures[code, parameter] = figure.model_copy(update=own)


TOLERANCE = 1e-6
CITED = re.compile(r"S\d+", re.ASCII)


def named_codes(sheets: Mapping[str, Sheet]) -> dict[str, NamedCodes]:
    """Codes of each table with their labels, and what contains them or is part of them.

    So that Japan is found in the market of Japan and Korea, and that market among countries.
    """
    names: dict[str, dict[str, list[str]]] = {
        table: {code: [sheet.text(code, "label") or code] for code in sheet.rows}
        for table, sheet in sheets.items()
    }
    origins, markets, regions = (
        names.get(table, {}) for table in ("origins", "markets", "foundry_regions")
    )
    for origin, (label, *_) in origins.items():
        market = sheets["origins"].text(origin, "market")
        if market in markets:
            markets[market] += [origin, label]
            homes = sheets["markets"].text(market, "home_origins").split()
            for table in (origins, regions) if len(homes) > 1 else ():
                if origin in table:
                    table[origin].append(market)
        for region_names in regions.values():
            if label in region_names[0].split(", "):
                region_names.append(origin)
    return {t: NamedCodes(of, {c: tuple(n) for c, n in of.items()}) for t, of in names.items()}


def known_codes(sheets: Mapping[str, Sheet], named: Mapping[str, NamedCodes]) -> KnownCodes:
    """The codes that rows of the wide tables may use."""
    devices, origins, markets = (
        named.get(name, NamedCodes()) for name in ("devices", "origins", "markets")
    )
    homes = {code: tuple(sheets["markets"].text(code, "home_origins").split()) for code in markets}
    return KnownCodes(devices, origins, markets, homes)


def check_sheets(
    sheets: Mapping[str, Sheet], codes: Mapping[str, NamedCodes], problems: list[Problem]
) -> None:
    """All identities within and between the tables of figures that could be read."""
    checks = {
        "devices": _check_devices,
        "foundry_regions": _check_regions,
        "markets": _check_markets,
    }
    for name, check in checks.items():
        if name in sheets:
            check(sheets[name], problems)
    if sheet := sheets.get("node_classes"):
        check_sum(sheet, [(code, "wafer_share") for code in sheet.rows], "wafer_share", problems)
    _check_homes(sheets, codes, problems)
    _check_rules(sheets, codes, problems)


def check_sum(
    sheet: Sheet, cells: Sequence[tuple[str, str]], what: str, problems: list[Problem]
) -> None:
    """Shares that must sum to one; left alone while one of them is missing."""
    values = [sheet.number(code, parameter) for code, parameter in cells]
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(values) or abs(math.fsum(numbers) - 1.0) <= TOLERANCE:
        return
    places = [sheet.place(code, parameter) for code, parameter in cells]
    # a scenario's own figure is to blame before the table it overrides
    place = next((place for place in places if place.file != sheet.file), places[0])
    problems.append(place.problem(f"{what} must sum to 1", f"{math.fsum(numbers):.6g}"))


def _check_devices(sheet: Sheet, problems: list[Problem]) -> None:
    mixes = tuple(f"mix_{k.lower()}" for k in NODE_CLASSES)
    for code in sheet.rows:
        what = f"{code} {' + '.join(mixes)}"
        check_sum(sheet, [(code, mix) for mix in mixes], what, problems)
        lead = sheet.number(code, "requalification_months")
        cycle = sheet.number(code, "design_cycle_months")
        if lead is not None and cycle is not None and lead >= cycle:
            place = sheet.place(code, "requalification_months")
            message = f"{code} requalification_months must be below design_cycle_months"
            problems.append(place.problem(message, f"{lead:g}, {cycle:g}"))


def _check_regions(sheet: Sheet, problems: list[Problem]) -> None:
    for k in NODE_CLASSES:
        share = f"share_{k.lower()}"
        check_sum(sheet, [(code, share) for code in sheet.rows], f"{share} of regions", problems)
        _check_makers_of(share, sheet, problems)
    for code in sheet.rows:
        if code != "CN" and sheet.is_empty(code, "growth_per_year"):
            message = f"{code} growth_per_year is empty (only CN follows a plan)"
            problems.append(sheet.place(code, "growth_per_year").problem(message))


def _check_makers_of(share: str, sheet: Sheet, problems: list[Problem]) -> None:
    """Regions may be without foundries, but somebody must make every node class."""
    figures = [(sheet.number(c, "foundries"), sheet.number(c, share)) for c in sheet.rows]
    if all(n is not None and s is not None and n * s == 0 for n, s in figures):
        place = sheet.place(next(iter(sheet.rows)), "foundries")
        problems.append(place.problem(f"no region with a foundry has any {share}"))


def _check_markets(sheet: Sheet, problems: list[Problem]) -> None:
    for code in sheet.rows:
        shares = ("cn_share_multiplier", "cn_share_fixed")
        if sum(sheet.is_empty(code, share) for share in shares) != 1:
            message = f"{code} must have either {' or '.join(shares)}"
            problems.append(sheet.place(code, shares[0]).problem(message))
        if code != "US" and sheet.is_empty(code, "home_assembly_share"):
            message = f"{code} home_assembly_share is empty (only the US has it by device)"
            problems.append(sheet.place(code, "home_assembly_share").problem(message))


def _check_homes(
    sheets: Mapping[str, Sheet], codes: Mapping[str, NamedCodes], problems: list[Problem]
) -> None:
    """Origins belong to known markets, and home origins to the market they are home of."""
    markets, origins = sheets.get("markets"), sheets.get("origins")
    if not markets or not origins:
        return
    for code in origins.rows:
        market = origins.text(code, "market")
        if market and market not in markets.rows:
            place, hint = origins.place(code, "market"), nearest(market, codes["markets"])
            problems.append(place.problem(f"{code} market is unknown", market, hint))
    for code in markets.rows:
        place = markets.place(code, "home_origins")
        for home in markets.text(code, "home_origins").split():
            if home not in origins.rows:
                hint = nearest(home, codes["origins"])
                problems.append(place.problem(f"{code} home_origins: unknown code", home, hint))
            elif origins.text(home, "market") != code:
                message = f"{code} home_origins: {home} belongs to another market"
                problems.append(place.problem(message, origins.text(home, "market")))


def _check_rules(
    sheets: Mapping[str, Sheet], codes: Mapping[str, NamedCodes], problems: list[Problem]
) -> None:
    regions, rules = sheets.get("foundry_regions"), sheets.get("origin_rules")
    if not regions or not rules:
        return
    for code in regions.rows:
        if code not in rules.rows:
            heading = next(iter(rules.rows.values())).place_in_header("fab_region")
            problems.append(heading.problem(f"{code} is missing"))
    for code, row in rules.rows.items():
        if code not in regions.rows:
            hint = nearest(code, codes["foundry_regions"])
            problems.append(row.place("fab_region").problem("unknown code", code, hint))


def check_imports(
    rows: Sequence[CsvRow], imports: Sequence[ImportRow], codes: KnownCodes, problems: list[Problem]
) -> None:
    """All device groups and both kinds of unmounted chips have imports, once rows are valid."""
    if len(imports) < len(rows) or not rows:
        return
    imported = {row.device for row in imports if row.customs_value_usd}
    for device in codes.goods:
        if device not in imported:
            heading = rows[0].place_in_header("device")
            problems.append(heading.problem(f"no imports of {device}"))


def check_stacking(rows: Sequence[CsvRow], codes: KnownCodes, problems: list[Problem]) -> None:
    """No valid row of an instrument in the duties of 2024 is in a stacking group.

    What it adds to those duties may be less than nothing, and is not a level to compare.
    """
    valid = [(row, known) for row in rows if (known := CalendarRow.of(row, [], codes))]
    held: dict[tuple[str, str], int] = {}
    for row, known in valid:
        if known.in_2024_base and known.in_baseline:
            held.setdefault((one_name(known.instrument), known.levied_by), row.line)
    for row, known in valid:
        of = one_name(known.instrument), known.levied_by
        if known.stacking_group and known.in_baseline and of in held:
            message = (
                f"must be empty for {known.instrument}, which is in the duties of 2024 (line "
                f"{held[of]}): what it adds to them is not compared with other duties"
            )
            hint = "leave it empty, and end that duty where the other begins"
            problems.append(
                row.place("stacking_group").problem(message, known.stacking_group, hint)
            )


def check_cited(
    sources: Mapping[str, str], rows: Sequence[CsvRow], problems: list[Problem]
) -> None:
    """Every S number cited is in the list of sources."""
    told = set()
    for row in rows:
        for number in CITED.findall(row.cells.get("source", "")):
            if number not in sources and (row.file, number) not in told:
                told.add((row.file, number))
                problems.append(row.place("source").problem("is not listed", number))

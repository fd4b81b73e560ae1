"""Builds a table of imports by device group and country from customs data by code of goods.

The extract is a CSV file with one row a code and country: `year,hs10,country,customs_value_usd,
calculated_duty_usd`. Codes are those of the levying market, of six to ten digits; countries are
two-letter codes (ISO 3166). Which codes a group holds is the column `hs_codes` of the shipped
table; where two groups hold a code, the longer prefix wins.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ValidationInfo, field_validator

from tariffsim.errors import DataError, Problem
from tariffsim.tables.csv_files import BadCell, RowModel, context_of, parse_number, read_rows
from tariffsim.tables.load import Tables, load_tables
from tariffsim.tables.wide_tables import ImportRow, KnownCodes, parse_rows

EU = "EU"
MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
"""Of the European Union since 2020, counted as one country; the United Kingdom is not."""
MEGABYTES, MOST_ROWS = 200, 2_000_000
SHOWN = 10
"""Codes that a remark names."""


def _year(text: str) -> int:
    if not re.fullmatch(r"(19|20)\d\d", text):
        raise BadCell("must be a year such as 2025")
    return int(text)


def _code(text: str) -> str:
    code = text.replace(".", "")
    if not re.fullmatch(r"\d{6,10}", code, re.ASCII):
        hint = "format the column as text: a spreadsheet may have turned codes into numbers"
        raise BadCell("must be a code of six to ten digits", hint=hint)
    return code


def _country(text: str, info: ValidationInfo) -> str:
    if text not in context_of(info).origins and not re.fullmatch("[A-Z]{2}", text):
        raise BadCell("must be a country's two-letter code such as CN", hint="see ISO 3166")
    return text


def _usd(text: str) -> float:
    if (amount := parse_number(text)) < 0:
        raise BadCell("must not be negative")
    return amount


class ExtractRow(RowModel):
    """What was imported of one code from one country in a year, USD."""

    year: Annotated[int, BeforeValidator(_year)]
    hs10: Annotated[str, BeforeValidator(_code)]
    country: Annotated[str, BeforeValidator(_country)]
    customs_value_usd: Annotated[float, BeforeValidator(_usd)]
    calculated_duty_usd: Annotated[float, BeforeValidator(_usd)]

    key_column: ClassVar[str] = "hs10"

    @property
    def keys(self) -> tuple[str, ...]:
        """One row for each year, code and country."""
        return (f"{self.hs10} from {self.country} in {self.year}",)

    @field_validator("calculated_duty_usd")
    @classmethod
    def _is_on_something(cls, duty: float, info: ValidationInfo) -> float:
        if duty > 0 and info.data.get("customs_value_usd") == 0:
            raise BadCell("must be 0 where customs_value_usd is 0")
        return duty


def rebuilt_imports(
    path: Path, year: int, tables: Tables, market: str = "US"
) -> tuple[list[dict[str, object]], list[str]]:
    """Rows like those of the shipped table, and remarks on what was left out.

    Args:
        path: the extract.
        year: whose rows are used.
        tables: tables with the groups' codes, the countries and the market's own ones.
        market: the market that levies the duties; what comes from its own countries is left out.

    Raises:
        DataError: with every bad cell, codes that hold others, and groups without imports.
    """
    problems: list[Problem] = []
    columns = ExtractRow.columns()
    found = read_rows(path, path.name, columns, (), problems, MEGABYTES, MOST_ROWS)
    origins = tables.origins.codes
    rows = parse_rows(ExtractRow, found, KnownCodes(origins=origins), problems)
    of_year = [row for row in rows if row.year == year]
    if rows and not of_year:
        problems.append(Problem(path.name, 1, 1, "year", "has no row of the year", str(year)))
    places = {row.cells["hs10"].replace(".", ""): row.place("hs10") for row in found}
    for short, long in pairwise(sorted({row.hs10 for row in of_year})):
        if long.startswith(short):
            problems.append(places[short].problem(f"holds {long}, which has rows too", short))
    prefixes = prefixes_of(tables.imports)
    home = tables.markets.text(market, "home_origins").split()
    sums, remarks = _summed(of_year, prefixes, origins, home)
    value = dict.fromkeys(dict(prefixes.values()), 0.0)
    for (device, _), cell in sums.items():
        value[device] += cell[0]
    absent = [device for device, total in value.items() if not total]
    if absent and not problems:
        message = f"no row of {year} has imports of a code of {len(absent)} groups"
        problems.append(Problem(path.name, 1, 1, "hs10", message, " ".join(absent)))
    if problems:
        raise DataError(problems)
    remarks += _overlaps(prefixes)
    foreign = [origin for origin in origins if origin not in home]
    if missing := [o for o in foreign if not any(key[1] == o for key in sums)]:
        remarks.append(f"nothing is imported from {' '.join(missing)}")
    return list(_table(sums, dict(prefixes.values()), path.name)), remarks


def prefixes_of(imports: Iterable[ImportRow]) -> dict[str, tuple[str, str]]:
    """Group, and the list it is on, by prefix of its codes."""
    found = {}
    for row in imports:
        for prefix in row.hs_codes.split("+"):
            found[prefix] = row.device, row.hs_codes
    return found


def _summed(
    rows: Iterable[ExtractRow],
    prefixes: dict[str, tuple[str, str]],
    origins: tuple[str, ...],
    home: list[str],
) -> tuple[dict[tuple[str, str], list[float]], list[str]]:
    """Value and duty by group and country, USD; and remarks on rows that are left out."""
    matched = [(row, _match(row, prefixes)) for row in rows]
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    unmatched: dict[str, float] = defaultdict(float)
    members = frozenset(MEMBERS.split())
    with_members = {
        prefixes[match][0] for row, match in matched if match and row.country in members
    }
    others: set[str] = set()
    used: set[str | None] = set()
    own, twice = 0, 0.0
    for row, match in matched:
        origin = EU if row.country in members else row.country
        if origin not in origins:
            others.add(origin)
            origin = "OTHER"
        used.add(match)
        if match is None:
            unmatched[row.hs10] += row.customs_value_usd
        elif origin in home:
            own += 1
        elif row.country == EU and prefixes[match][0] in with_members:
            twice += row.customs_value_usd
        else:
            cell = sums[prefixes[match][0], origin]
            cell[0] += row.customs_value_usd
            cell[1] += row.calculated_duty_usd
    absent = sorted(prefixes.keys() - used)
    said = [
        (unmatched, f"{len(unmatched)} codes are of no group, {sum(unmatched.values()) / 1e6:,.0f}"
         f" m USD: {_some(sorted(unmatched))}"),
        (absent, f"no code begins with {_some(absent)}"),
        (others, f"counted as OTHER: {' '.join(sorted(others))}"),
        (twice, f"{twice / 1e6:,.1f} m USD of rows of EU are left out, in groups in which its "
         "members are there"),
        (own, f"{own} rows of the market's own countries are left out"),
    ]  # fmt: skip
    return sums, [remark for is_so, remark in said if is_so]


def _match(row: ExtractRow, prefixes: dict[str, tuple[str, str]]) -> str | None:
    """The longest prefix that holds the row's code."""
    return next((p for n in range(10, 0, -1) if (p := row.hs10[:n]) in prefixes), None)


def _some(codes: list[str]) -> str:
    more = f" and {len(codes) - SHOWN} more" if len(codes) > SHOWN else ""
    return " ".join(codes[:SHOWN]) + more


def _overlaps(prefixes: dict[str, tuple[str, str]]) -> Iterator[str]:
    """Prefixes of a group that lie within one of another group."""
    for short, (group, _) in prefixes.items():
        for long, (other, _) in prefixes.items():
            if long != short and long.startswith(short) and group != other:
                yield f"{long} is of {other}, the rest of {short} of {group}"


def _table(
    sums: dict[tuple[str, str], list[float]], lists: dict[str, str], source: str
) -> Iterator[dict[str, object]]:
    order = list(lists)
    for device, origin in sorted(sums, key=lambda key: (order.index(key[0]), key[1])):
        value, duty = (round(amount / 1e3) / 1e3 for amount in sums[device, origin])
        yield {
            "device": device, "hs_codes": lists[device], "origin": origin,
            "customs_value_musd": value, "calculated_duty_musd": duty,
            "source": source, "confidence": "data",
        }  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Write the table and print the remarks; 3 if the extract is refused, 5 if nothing is saved."""
    parser = argparse.ArgumentParser(
        prog="python -m tariffsim.tables.rebuild_imports",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    tables = load_tables()
    parser.add_argument("extract", type=Path, metavar="EXTRACT.csv")
    parser.add_argument("--year", type=int, required=True, help="whose rows are used")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the table"
    )
    parser.add_argument("--market", default="US", choices=tables.markets.codes,
                        help="market that levies the duties; default: US")  # fmt: skip
    chosen = parser.parse_args(arguments)
    try:
        rows, remarks = rebuilt_imports(chosen.extract, chosen.year, tables, chosen.market)
    except DataError as error:
        print(error, file=sys.stderr)
        return 3
    path = chosen.out / f"{chosen.market.lower()}_imports_{chosen.year}.csv"
    try:
        chosen.out.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        print(f"{path}: cannot be written: {error.strerror}", file=sys.stderr)
        return 5
    for remark in remarks:
        print(f"Note: {remark}", file=sys.stderr)
    print(f"wrote {path}: {len(rows)} rows")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Tables as spreadsheets write them: read, or refused with the one cause; amounts, labels."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tariffsim.errors import DataError, NamedCodes, Problem, nearest
from tariffsim.scenario import load_scenario, replace
from tariffsim.scenario.checks import remarks
from tariffsim.tables import SHIPPED, load_tables
from tariffsim.tables.figure_tables import FIGURE_TABLES

HEADER = (
    "date,ends,levied_by,against,base,instrument,rate,in_2024_base,devices,in_baseline,scope,"
    "reading,source,confidence"
)
ROW = "2026-01,,US,CN,product,Border surcharge,0.10,no,laptop,yes,,,assumption,assumption"
CALENDAR = "tariff_calendar"


def written(folder: Path, text: str | bytes, table: str = CALENDAR) -> dict[str, Path]:
    path = folder / f"{table}.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return {table: path}


def problems(folder: Path, text: str | bytes, table: str = CALENDAR) -> list[Problem]:
    with pytest.raises(DataError) as caught:
        load_tables(written(folder, text, table))
    return list(caught.value.problems)


def only(found: list[Problem]) -> tuple[int, int, str, str, str]:
    (problem,) = found
    return problem.line, problem.column, problem.message, problem.given, problem.hint


BLANK = "," * HEADER.count(",")


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{ROW}\n{BLANK}\n{BLANK}\n",
        f"{BLANK}\n{HEADER}\n{BLANK}\n{ROW}\n\n",
        f"{HEADER}\n{ROW}\n , ,\n,\n",
        f"{HEADER},,\n{ROW},,\n{BLANK},,\n",
        f"{HEADER.replace(',', ' , ')}\n{ROW}\n",
    ],
    ids=["rows at the end", "rows between", "short rows", "columns at the end", "blanks in names"],
)
def test_empty_rows_and_columns_are_skipped(tmp_path: Path, text: str) -> None:
    (row,) = load_tables(written(tmp_path, text)).calendar
    assert (row.instrument, row.rate, row.devices) == ("Border surcharge", 0.10, ("laptop",))


GERMAN_ROW = ROW.replace(",", ";").replace("0.10", "0,10")
GERMAN = f"{HEADER.replace(',', ';')}\n{GERMAN_ROW}\n"
SAVE = "save it as CSV UTF-8 with commas between columns"
SEMICOLONS = "columns are separated by semicolons and decimals are commas"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (f"\ufeff{GERMAN}", SEMICOLONS, f"{SAVE} and points in numbers"),
        (
            GERMAN.replace("Border surcharge", '"Border; ""new"""'),
            SEMICOLONS,
            f"{SAVE} and points in numbers",
        ),
        (GERMAN.replace("0,10", "0.10"), "columns are separated by semicolons", SAVE),
        (
            f"{HEADER}\n{ROW}\n".replace(",", "\t"),
            "columns are separated by tabs",
            SAVE,
        ),
        (
            f"Duties of 2026\n\n{HEADER}\n{ROW}\n",
            "the header is on line 3, below other rows",
            "delete the rows above it",
        ),
        (
            f"sep=;\n{GERMAN}",
            f"the header is on line 2, below other rows; {SEMICOLONS}",
            f"delete the rows above it; {SAVE} and points in numbers",
        ),
    ],
    ids=["german", "german with quotes", "semicolons", "tabs", "title", "sep"],
)
def test_one_problem_names_the_cause(tmp_path: Path, text: str, message: str, hint: str) -> None:
    assert only(problems(tmp_path, text)) == (1, 1, message, "", hint)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            f"{HEADER.upper()}\n{ROW}\n",
            "names of columns have capital letters",
            f"write them in small letters: {HEADER.replace(',', ', ')}",
        ),
        (
            f"{HEADER.replace('date', 'Date')}\n{ROW}\n",
            "names of columns have capital letters",
            "write them in small letters: date",
        ),
        (
            f"{HEADER.title()}\n{ROW}\n".replace(",", ";"),
            "names of columns have capital letters; columns are separated by semicolons",
            f"write them in small letters: {HEADER.replace(',', ', ')}; {SAVE}",
        ),
    ],
    ids=["all", "one", "and semicolons"],
)
def test_capital_letters_in_the_header_are_named(
    tmp_path: Path, text: str, message: str, hint: str
) -> None:
    assert only(problems(tmp_path, text)) == (1, 1, message, "", hint)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (HEADER, "is the header again"),
        ("Total,,,,,,0.10,,,,,,,", "is a row of totals"),
        (",,,Grand total,,,0.10,,,,,,,", "is a row of totals"),
        ("SUM,0.10", "is a row of totals"),
    ],
)
def test_a_row_that_is_none_of_the_table_is_one_problem(
    tmp_path: Path, row: str, message: str
) -> None:
    found = only(problems(tmp_path, f"{HEADER}\n{ROW}\n{row}\n"))
    assert found == (3, 1, message, "", "delete the row")
    found = only(problems(tmp_path, f"{HEADER}\n{row}\n{ROW}\n{row}\n"))
    assert found == (2, 1, message, "and 1 more such rows", "delete the row")


def test_a_row_of_totals_of_figures_is_one_problem(tmp_path: Path) -> None:
    text = (SHIPPED / "devices.csv").read_text("utf-8")
    rows = text.count("\n")
    found = only(problems(tmp_path, f"{text}Total,,12.5,,,,,,\n", "devices"))
    assert found[:3] == (rows + 1, 1, "is a row of totals")


@pytest.mark.parametrize("text", [f"{ROW}\n{ROW}\n", "S1,x\n"], ids=["no header", "other table"])
def test_a_file_without_the_header_is_told_its_columns(tmp_path: Path, text: str) -> None:
    line, column, message, _, hint = only(problems(tmp_path, text))
    assert (line, column, message) == (1, 1, "does not begin with the header of this table")
    needed = {*HEADER.split(",")} - {"reading"}  # which it may have
    assert set(hint.removeprefix("its columns are ").split(",")) == needed


def test_a_german_file_in_its_own_encoding_is_told_both(tmp_path: Path) -> None:
    found = problems(tmp_path, GERMAN.replace("Border", "Zölle").encode("cp1252"))
    assert [(p.line, p.message) for p in found] == [(1, SEMICOLONS), (2, "is not UTF-8 text")]


def test_title_above_the_header_is_placed_where_it_stands(tmp_path: Path) -> None:
    assert only(problems(tmp_path, f"\n,,\nDuties,,\n{HEADER}\n{ROW}\n"))[:3] == (
        3, 1, "the header is on line 4, below other rows",
    )  # fmt: skip


def test_decimal_commas_in_quotes_are_one_problem(tmp_path: Path) -> None:
    rows = [ROW.replace("2026", f"20{n}").replace("0.10", '"0,10"') for n in range(26, 46)]
    found = only(problems(tmp_path, "\n".join([HEADER, *rows])))
    column = rows[0].index('"0,10"') + 1
    assert found == (
        2, column, "must be a number", "0,10 and in 19 more cells",
        "numbers have a decimal point, and nothing between thousands",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "key", "hint"),
    [
        ("0.10", "10 %", "rate", "numbers have no % sign: a fraction of 0.25 is 25 %"),
        (
            "0.10",
            '"1,234.5"',
            "rate",
            "numbers have a decimal point, and nothing between thousands",
        ),
        ("0.10", "1 234", "rate", "numbers have a decimal point, and nothing between thousands"),
        ("20{n}-01", "Jan-{n}", "date", "format the column as text"),
        ("20{n}-01", "01.01.20{n}", "date", "format the column as text"),
        ("20{n}-01", "Jan {n}", "date", "format the column as text"),
    ],
)
def test_what_a_spreadsheet_does_to_all_cells_is_one_problem(
    tmp_path: Path, old: str, new: str, key: str, hint: str
) -> None:
    rows = [
        ROW.replace("2026", f"20{n}").replace(old.format(n=n), new.format(n=n))
        for n in range(26, 46)
    ]
    (problem,) = problems(tmp_path, "\n".join([HEADER, *rows]))
    assert (problem.line, problem.key) == (2, key)
    assert problem.given == f"{new.format(n=26).strip(chr(34))} and in 19 more cells"
    assert hint in problem.hint


def test_decimal_commas_without_quotes_are_one_problem(tmp_path: Path) -> None:
    rows = [ROW.replace("2026", f"20{n}").replace("0.10", "0,10") for n in range(26, 46)]
    line, column, message, given, hint = only(problems(tmp_path, "\n".join([HEADER, *rows])))
    assert (line, column) == (2, rows[0].rindex("assumption") + 1)
    assert (message, given) == ("row must have 14 cells", "15, and 19 more such rows")
    assert "decimals have a point" in hint


def test_columns_count_characters_of_the_line(tmp_path: Path) -> None:
    quoted = ROW.replace("Border surcharge", '"Zoll, ""é"" neu"').replace("laptop", "lapdog")
    (problem,) = problems(tmp_path, f"{HEADER}\n{quoted}\n")
    assert (problem.line, problem.column) == (2, quoted.index("lapdog") + 1)
    two_lines = ROW.replace("Border surcharge", '"Border\nsurcharge"').replace("laptop", "lapdog")
    (problem,) = problems(tmp_path, f"{HEADER}\n{two_lines}\n{ROW}\n")
    second = two_lines.partition("\n")[2]
    assert (problem.line, problem.column) == (3, second.index("lapdog") + 1)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (HEADER.encode("utf-16"), (1, 1), "is not UTF-8 text (it looks like UTF-16)"),
        (HEADER.encode("utf-16-le"), (1, 1), "is not UTF-8 text (it looks like UTF-16)"),
        (b"PK\x03\x04\x14", (1, 1), "is a workbook of a spreadsheet, not text"),
        (b"", (1, 1), "is empty"),
        (b"\n,,\n", (1, 1), "is empty"),
        (b"\n".join([HEADER.encode(), "é,".encode() * 3 + b"\xe9"]), (2, 7), "is not UTF-8 text"),
        (HEADER.encode() + b"\n" + b"\xc3\xa9" * 5_000_000, None, "is larger than 10 MB"),
        (f'{HEADER}\n"a"b'.encode(), (2, 4), "is not valid CSV: ',' expected after '\"'"),
        (f'{HEADER}\na,"b'.encode(), (2, 3), "is not valid CSV: unexpected end of data"),
    ],
    ids=[
        "utf-16",
        "no mark",
        "workbook",
        "empty",
        "blank",
        "latin-1",
        "long",
        "quote",
        "open quote",
    ],
)
def test_files_that_are_no_table_have_a_place(
    tmp_path: Path, text: bytes, place: tuple[int, int] | None, message: str
) -> None:
    line, column, found, _, _ = only(problems(tmp_path, text))
    assert found == message
    assert (line, column) == (place or (2, (10_000_000 - len(HEADER) - 1) // 2 + 1))


def test_every_problem_of_a_table_has_a_line_and_a_column(tmp_path: Path) -> None:
    for table in FIGURE_TABLES:
        lines = (SHIPPED / f"{table}.csv").read_text(encoding="utf-8").splitlines()
        own = [line for n, line in enumerate(lines) if n == 0 or n % 3]
        found = problems(tmp_path, "\n".join(own).replace("assumption", "S99"), table)
        mine = [problem for problem in found if problem.file == str(tmp_path / f"{table}.csv")]
        assert mine
        assert all(problem.line and problem.column for problem in mine)


# Amounts in another unit than the column


def scaled(table: str, parameter: str, factor: float) -> str:
    """A shipped table with one column, or the figures of one parameter, times a factor."""
    text = (SHIPPED / f"{table}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        columns = ["value", "low", "high"] if row.get("parameter") == parameter else []
        for column in columns or [parameter]:
            if row.get(column):
                row[column] = repr(float(row[column]) * factor)
    return as_csv(rows)


def as_csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


IMPORTS, VALUE, DUTY = "us_imports_2024", "customs_value_musd", "calculated_duty_musd"


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1e6, "a million times"),
        (1e3, "a thousand times"),
        (1e-3, "a thousandth of"),
        (40.0, "40 times"),
    ],
)
def test_imports_in_another_unit_are_refused(tmp_path: Path, factor: float, words: str) -> None:
    (problem,) = problems(tmp_path, scaled(IMPORTS, VALUE, factor), IMPORTS)
    assert (problem.line, problem.key) == (2, VALUE)
    assert problem.message == (
        f"the column is millions of USD; imports of the 17 groups are {words} those shipped"
    )


CARS = "electric_car,870380,CN,"


def in_row(table: str, start: str, column: str, factor: float) -> str:
    """A shipped table with one cell times a factor: of the row that begins like this."""
    text = (SHIPPED / f"{table}.csv").read_text(encoding="utf-8")
    header, *lines = text.splitlines()
    at = header.split(",").index(column)
    for number, line in enumerate(lines):
        if line.startswith(start):
            cells = line.split(",")
            lines[number] = ",".join(
                [*cells[:at], repr(float(cells[at]) * factor), *cells[at + 1 :]]
            )
    return "\n".join([header, *lines])


def test_one_country_in_dollars_is_refused(tmp_path: Path) -> None:
    own = in_row(IMPORTS, "smartphone,851713,VN,", VALUE, 1e6)
    (problem,) = problems(tmp_path, own, IMPORTS)
    assert problem.message == (
        "the column is millions of USD; imports of smartphone are 140,000 times those shipped, "
        "mostly by those from VN"
    )
    assert problem.given == "7835710000.0"
    assert (problem.line, problem.key) == (13, VALUE)


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1e6, "a million times"),
        (1e3, "a thousand times"),
        (1e-3, "a thousandth of"),
        (50.0, "50 times"),
        (0.02, "1/50 of"),
        (1e-4, "1/10,000 of"),
    ],
)
def test_duties_in_another_unit_are_refused(tmp_path: Path, factor: float, words: str) -> None:
    (problem,) = problems(tmp_path, scaled(IMPORTS, DUTY, factor), IMPORTS)
    assert (problem.line, problem.key) == (2, DUTY)
    assert problem.message == (
        "the column is millions of USD; duties, as a share of the imports they are due on, are "
        f"{words} those shipped"
    )


def test_a_duty_above_the_value_is_refused(tmp_path: Path) -> None:
    own = in_row(IMPORTS, CARS, DUTY, 5.0)
    (problem,) = problems(tmp_path, own, IMPORTS)
    assert problem.key == DUTY
    assert problem.message == (
        "the column is millions of USD; the duty on electric_car from CN is 2.2 times its value"
    )
    load_tables(written(tmp_path, in_row(IMPORTS, CARS, DUTY, 2.0), IMPORTS))


def test_imports_free_of_duty_are_read_with_a_remark(tmp_path: Path) -> None:
    (tmp_path / "free.csv").write_text(scaled(IMPORTS, DUTY, 0.0))
    (tmp_path / "free.yaml").write_text("extends: baseline\ndata: {us_imports_2024: free.csv}\n")
    found = [*remarks(load_scenario(tmp_path / "free.yaml"))]
    assert "free: free.csv: no duty was collected on any good: base duties are 0" in found
    assert not [*remarks(load_scenario("baseline"))]


@pytest.mark.parametrize("factor", [0.1, 0.5, 3.0, 20.0])
def test_honest_imports_are_read(tmp_path: Path, factor: float) -> None:
    text = scaled(IMPORTS, VALUE, factor)
    rows = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        row[DUTY] = repr(float(row[DUTY]) * factor)
    own = load_tables(written(tmp_path, as_csv(rows), IMPORTS)).imports
    total = sum(row.customs_value_usd for row in own)
    assert total == pytest.approx(775_382.382e6 * factor)


@pytest.mark.parametrize("code", ["laptop", "drone"])
@pytest.mark.parametrize("name", ["unit_value_usd", "requalification_cost_usd"])
def test_a_single_figure_in_another_unit_is_refused(tmp_path: Path, code: str, name: str) -> None:
    start = f"{code},{name},"
    shipped = load_tables().devices.number(code, name)
    own = in_row("devices", start, "value", 1e3)
    found = problems(tmp_path, own, "devices")
    (problem,) = [one for one in found if "is in USD" in one.message]
    assert problem.message.endswith(f"; that of {code} is a thousand times the one shipped")
    assert problem.given == f"{1e3 * shipped:g}, shipped {shipped:g}"
    line = own.splitlines()[problem.line - 1]
    assert line.startswith(start)


def test_a_figure_of_a_scenario_in_another_unit_gets_a_remark() -> None:
    rules = replace(load_scenario("baseline"), figures__devices__laptop__unit_value_usd=487_000.0)
    (found,) = remarks(rules)
    assert "figures.devices.laptop.unit_value_usd is a thousand times the figure shipped" in found
    usual = replace(load_scenario("baseline"), figures__devices__laptop__unit_value_usd=1500.0)
    assert not [*remarks(usual)]


MONEY = [
    (table, name)
    for table, spec in FIGURE_TABLES.items()
    for name, parameter in spec.parameters.items()
    if "USD" in parameter.unit
]


def test_columns_of_money_are_known() -> None:
    assert {name for _, name in MONEY} == {
        "unit_value_usd",
        "requalification_cost_usd",
        "capital_cost_musd_per_kwpm_300mm",
        "chip_price_usd",
    }


@pytest.mark.parametrize(
    ("table", "parameter"), [*MONEY, ("node_classes", "world_wafers_kwpm_300mm")]
)
def test_figures_in_another_unit_are_refused(tmp_path: Path, table: str, parameter: str) -> None:
    for factor, words in ((1e3, "a thousand times"), (1e-6, "a millionth of")):
        found = problems(tmp_path, scaled(table, parameter, factor), table)
        (problem,) = [problem for problem in found if "those shipped" in problem.message]
        unit = FIGURE_TABLES[table].parameters[parameter].unit
        assert problem.message.startswith(f"{parameter} is in {unit}; its ")
        assert problem.message.endswith(f"figures are {words} those shipped (median)")
        assert problem.line > 1
        assert problem.column > 1
    for factor in (0.1, 10.0):
        load_tables(written(tmp_path, scaled(table, parameter, factor), table))


# Codes are found by their labels


@pytest.mark.parametrize(
    ("table", "given", "hint"),
    [
        ("markets", "JP", "did you mean JK (Japan and Korea)?"),
        ("markets", "Korea", "did you mean JK (Japan and Korea)?"),
        ("markets", "china", "did you mean CN (China)?"),
        ("origins", "China", "did you mean CN (China)?"),
        ("origins", "JK", "did you mean KR (Korea) or JP (Japan)?"),
        ("foundry_regions", "MY", "did you mean SEA (Singapore, Malaysia, Thailand)?"),
        ("devices", "PHONE", "did you mean smartphone?"),
        (
            "devices",
            "cars",
            "did you mean electric_car (Battery-electric cars) or combustion_car (Combustion and "
            "hybrid cars and light trucks)?",
        ),
        ("node_classes", "X", "allowed: A, B, C, D"),
        ("markets", "XX", "allowed: US, EU, JK, CN, ROW"),
    ],
)
def test_codes_are_found_by_label(table: str, given: str, hint: str) -> None:
    assert nearest(given, getattr(load_tables(), table).codes) == hint


def test_hints_keep_the_order_of_codes_and_sort_sets() -> None:
    assert nearest("x", ("bbb", "aaa")) == "allowed: bbb, aaa"
    assert nearest("x", {"bbb", "aaa"}) == "allowed: aaa, bbb"
    assert nearest("xyz", NamedCodes(["A"], {"A": ("xyz 1",)})) == "did you mean A (xyz 1)?"

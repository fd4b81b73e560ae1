"""The data tables: right figures in, wrong ones refused with file, line and column."""

import copy
import os
import pickle
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariffsim.errors import DataError, Problem
from tariffsim.tables import FIGURE_TABLES, TABLE_NAMES, Tables, load_tables
from tariffsim.typing import parse_moment

DATA = Path(__file__).resolve().parents[2] / "tariffsim" / "data"


@pytest.fixture(scope="module")
def tables() -> Tables:
    return load_tables()


def refused(replace: Mapping[str, Path], figures=None) -> list[str]:
    """Messages of the refusal, with file names only."""
    with pytest.raises(DataError) as caught:
        load_tables(replace, figures)
    folders = {str(Path(path).parent) + "/" for path in replace.values()}
    messages = [str(problem) for problem in caught.value.problems]
    for folder in folders:
        messages = [message.replace(folder, "") for message in messages]
    return messages


def edited(folder: Path, table: str, old: str, new: str) -> dict[str, Path]:
    """A shipped table with one text replaced, once."""
    text = (DATA / f"{table}.csv").read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"{old!r} is not in {table}"
    path = folder / f"{table}.csv"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return {table: path}


# --- the shipped figures


def test_sizes_and_codes(tables: Tables) -> None:
    assert len(tables.devices.codes) == 17
    assert tables.foundry_regions.codes == ("CN", "TW", "JP", "KR", "US", "EU", "SEA", "OTHER")
    assert tables.node_classes.codes == ("A", "B", "C", "D")
    assert tables.markets.codes == ("US", "EU", "JK", "CN", "ROW")
    assert len(tables.origins.codes) == 13
    assert tables.origin_rules.codes == tables.foundry_regions.codes
    assert (len(tables.imports), len(tables.calendar)) == (227, 142)
    assert len(tables.sources) == 61
    assert sum(tables.foundry_regions.numbers("foundries")) == 29


def test_growth_of_a_device_is_a_path_of_dates(tables: Tables) -> None:
    assert tables.devices.path("server", "extra_growth_from_") == (
        ("2025-01", 0.20), ("2027-12", 0.03),
    )  # fmt: skip
    assert tables.devices.path("laptop", "extra_growth_from_") == ()
    assert tables.devices.figures["server", "extra_growth_from_2025-01"].high == 0.30
    own = {"laptop": {"extra_growth_from_2026-05": 0.1, "extra_growth_from_2026-02": -0.02}}
    found = load_tables(figures={"devices": own}).devices
    assert found.path("laptop", "extra_growth_from_") == (("2026-02", -0.02), ("2026-05", 0.1))
    assert found.path("server", "extra_growth_from_") == tables.devices.path(
        "server", "extra_growth_from_"
    )


@pytest.mark.parametrize("date", ["2025", "2025-13", "2025-1", "0000-01", "9999-12", "YYYY-MM", ""])
def test_a_path_has_months(date: str) -> None:
    with pytest.raises(DataError, match="unknown parameter"):
        load_tables(figures={"devices": {"laptop": {f"extra_growth_from_{date}": 0.1}}})


def test_a_rate_of_a_path_keeps_to_its_bounds() -> None:
    with pytest.raises(DataError, match=r"must be between -0\.5 and 1"):
        load_tables(figures={"devices": {"laptop": {"extra_growth_from_2025-01": 1.1}}})


def test_import_totals(tables: Tables) -> None:
    value, duty = defaultdict(float), 0.0
    for row in tables.imports:
        value[row.device] += row.customs_value_usd
        value[row.origin] += row.customs_value_usd
        duty += row.calculated_duty_usd
    assert sum(row.customs_value_usd for row in tables.imports) == pytest.approx(775_382.382e6)
    assert duty == pytest.approx(10_611.908e6)
    known = {
        "smartphone": 56_087.096,
        "server": 65_545.926,
        "combustion_car": 232_072.578,
        "drone": 475.070,
        "bare_ic": 38_100.426,
        "bare_discrete": 5_813.793,
        "CN": 124_622.333,
        "MX": 224_257.677,
        "VN": 42_154.782,
    }
    assert {key: value[key] for key in known} == pytest.approx(
        {key: total * 1e6 for key, total in known.items()}
    )


def test_single_figures(tables: Tables) -> None:
    figure = tables.devices.figures["smartphone", "chip_content"]
    assert (figure.value, figure.low, figure.high, figure.unit) == (0.4, 0.3, 0.5, "fraction")
    assert tables.devices.figures["laptop", "unit_value_usd"].source == "S1"
    volume = tables.devices.figures["hvac", "design_units_month"]
    assert (volume.value, volume.low, volume.high) == (15_000, 5_000, 45_000)
    assert tables.foundry_regions.figures["CN", "growth_per_year"].value is None
    assert tables.foundry_regions.numbers("growth_per_year", missing=0.0)[0] == 0.0
    assert tables.node_classes.numbers("chip_price_usd") == (1.6, 0.8, 0.35, 0.06)
    assert tables.markets.text("JK", "home_origins") == "JP KR"
    assert tables.markets.number("CN", "cn_share_fixed") == 0.65
    assert tables.origins.texts("preference").count("usmca") == 2
    with pytest.raises(TypeError, match="CN growth_per_year is not a number"):
        tables.foundry_regions.number("CN", "growth_per_year")


def test_every_figure_has_unit_source_and_confidence(tables: Tables) -> None:
    for name in FIGURE_TABLES:
        for key, figure in getattr(tables, name).figures.items():
            assert figure.unit, key
            words = figure.source.split()
            assert words, key
            own = set(words) - set(tables.sources)
            assert own <= {"assumption", "calibration"}, key
            assert (figure.confidence == "assumption") == bool(own), key


def test_calendar(tables: Tables) -> None:
    def level(instrument: str, day: str, origin: str, device: str) -> float:
        at = parse_moment(day)
        found = [
            (row.rate or 0.0) * row.coverage
            for row in tables.calendar
            if row.in_baseline and row.instrument == instrument
            if origin in row.against and device in row.devices
            if row.starts <= at < row.stops
        ]  # fmt: skip
        return sum(found)

    assert level("Section 301 lists 1-2", "2024-06", "CN", "bare_ic") == 0.25
    assert level("Section 301 lists 1-2", "2025-01", "CN", "bare_ic") == 0.50
    assert level("Section 301 lists 1-2", "2025-01", "CN", "bare_discrete") == 0.81 * 0.50
    assert level("IEEPA fentanyl", "2025-11-09", "CN", "drone") == 0.20
    assert level("IEEPA fentanyl", "2025-11-10", "CN", "drone") == 0.10
    assert level("IEEPA fentanyl", "2026-02-24", "CN", "drone") == 0.0
    assert level("IEEPA reciprocal", "2025-04-10", "CN", "television") == 0.25 * 1.25
    assert level("IEEPA reciprocal", "2025-04-10", "CN", "smartphone") == 0.0
    assert level("Section 301 forced labour", "2026-07-24", "EU", "drone") == 0.10
    assert level("Section 301 forced labour", "2026-07-24", "CN", "drone") == 0.125
    assert level("Section 301 forced labour", "2026-07-24", "MX", "drone") == 0.0
    assert level("Section 232 semiconductors phase 1", "2026-07", "TW", "server") == 0.0
    out = [row.instrument for row in tables.calendar if not row.in_baseline]
    assert len(out) == 5
    surcharge = [row for row in tables.calendar if row.instrument.startswith("Section 122")]
    assert all(row.end_known for row in surcharge)
    assert not any(row.end_known for row in tables.calendar if row not in surcharge)
    assert not {"US", "MX", "CA"} & {origin for row in surcharge for origin in row.against}
    fentanyl = next(row for row in tables.calendar if row.instrument == "IEEPA fentanyl")
    assert len(fentanyl.devices) == 19
    deals = {o for row in tables.calendar if row.all_in for o in row.against}
    assert deals == {"JP", "KR", "EU", "TW"}


def test_loaded_once_frozen_and_copied(tables: Tables) -> None:
    assert load_tables() is tables
    assert load_tables({}, {}) is tables
    assert pickle.loads(pickle.dumps(tables)) == tables
    assert hash(copy.deepcopy(tables)) == hash(tables)
    with pytest.raises(AttributeError):
        tables.devices = tables.markets  # type: ignore[misc]


# --- a user's own tables and figures


def test_table_replaced_by_path(tables: Tables, tmp_path: Path) -> None:
    same = load_tables(edited(tmp_path, "devices", "x", "x"))
    assert same == tables
    assert same.digest == tables.digest
    own = load_tables(edited(tmp_path, "devices", "cn_share,0.10,", "cn_share,0.11,"))
    assert own.devices.number("smartphone", "cn_share") == 0.11
    assert own.digest != tables.digest


def test_spreadsheet_file_without_notes(tables: Tables, tmp_path: Path) -> None:
    text = (DATA / "origins.csv").read_text(encoding="utf-8")
    lines = [line.rpartition(",")[0] for line in text.splitlines()]
    path = tmp_path / "own.csv"
    path.write_text("\r\n\r\n".join(lines), encoding="utf-8-sig")
    assert load_tables({"origins": path}).origins.codes == tables.origins.codes


def test_columns_in_any_order(tmp_path: Path) -> None:
    lines = (DATA / "origins.csv").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "origins.csv"
    swapped = [",".join(line.split(",")[::-1]) for line in lines]
    path.write_text("\n".join(swapped).replace("1.18", "-1"), encoding="utf-8")
    message = "origins.csv:48:56: value: US cost_factor must be above 0 (-1)"
    assert refused({"origins": path}) == [message]


def test_optional_figures_may_be_left_out(tables: Tables, tmp_path: Path) -> None:
    replace = edited(
        tmp_path,
        "foundry_regions",
        "CN,growth_per_year,,,,fraction a year,assumption,assumption,none: China follows a plan\n",
        "",
    )
    assert load_tables(replace).foundry_regions.figures["CN", "growth_per_year"].value is None


def test_single_figures_overridden(tables: Tables) -> None:
    figures = {"devices": {"smartphone": {"cn_share": 0.5}}, "markets": {"EU": {"ai_2030": 1}}}
    own = load_tables(figures=figures)
    figure = own.devices.figures["smartphone", "cn_share"]
    assert (figure.value, figure.low, figure.high) == (0.5, 0.03, 0.2)
    assert (figure.source, figure.confidence) == ("scenario", "assumption")
    assert own.markets.number("EU", "ai_2030") == 1.0
    assert own.digest != tables.digest
    assert tables.devices.number("smartphone", "cn_share") == 0.1


OVERRIDES = [
    ("device.drone.cn_share", 0.5, "device: is not a table of figures | did you mean devices?"),
    (
        "devices.smartfone.cn_share",
        0.5,
        "devices.smartfone: unknown code | did you mean smartphone?",
    ),
    ("devices.drone.cn_shar", 0.5, ": unknown parameter (0.5) | did you mean cn_share?"),
    ("devices.drone.label", 1, ": is a text: replace the table to change it (1)"),
    ("devices.drone.cn_share", 30, ": must be between 0 and 1 (30)"),
    ("devices.drone.cn_share", float("nan"), ": must be a number (nan)"),
    ("devices.drone.ai_capable", True, ": must be a number (True)"),
    ("node_classes.A.chip_price_usd", 0, ": must be above 0 (0)"),
    ("foundry_regions.JP.share_b", 0.07, ": share_b of regions must sum to 1 (1.01)"),
    (
        "devices.drone.requalification_months",
        24,
        ": drone requalification_months must be below design_cycle_months (24, 24)",
    ),
]


@pytest.mark.parametrize(("key", "value", "message"), OVERRIDES)
def test_override_refused(key: str, value: float, message: str) -> None:
    table, code, parameter = key.split(".")
    (found,) = refused({}, {table: {code: {parameter: value}}})
    at = key if message.startswith(":") else ""
    assert found.replace("\n    ", " | ") == f"scenario: figures.{at}{message}"


EDITS = yaml.safe_load((Path(__file__).parent / "bad_edits.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("table", "edit"),
    [
        pytest.param(table, edit, id=f"{table}-{edit['new'][:30].strip()}")
        for table, edits in EDITS.items()
        for edit in edits
    ],
)
def test_edit_refused(tmp_path: Path, table: str, edit: dict) -> None:
    found = refused(edited(tmp_path, table, edit["old"], edit["new"]))
    found = [message.replace("\n    ", " | ") for message in found]
    assert [message for message in found if "is not listed (S2)" not in message] == edit["problems"]


def drop(folder: Path, table: str, start: str) -> dict[str, Path]:
    lines = (DATA / f"{table}.csv").read_text(encoding="utf-8").splitlines()
    path = folder / f"{table}.csv"
    path.write_text("\n".join(x for x in lines if not x.startswith(start)), encoding="utf-8")
    return {table: path}


@pytest.mark.parametrize(
    ("table", "start", "message"),
    [
        ("origin_rules", "SEA,", "origin_rules.csv:1:1: fab_region: SEA is missing"),
        ("us_imports_2024", "bare_ic,", "us_imports_2024.csv:1:1: device: no imports of bare_ic"),
    ],
)
def test_missing_code(tmp_path: Path, table: str, start: str, message: str) -> None:
    assert refused(drop(tmp_path, table, start)) == [message]


def test_closed_codes(tmp_path: Path) -> None:
    path = edited(tmp_path, "node_classes", "D,label", "E,label")
    assert refused(path) == [
        "node_classes.csv:20:1: node_class: unknown code (E)\n    allowed: A, B, C, D",
        *(
            f"node_classes.csv:20:3: parameter: E has no {name}"
            for name in (
                "chip_price_usd",
                "commodity_share",
                "parts",
                "wafer_share",
                "world_wafers_kwpm_300mm",
            )
        ),
        "node_classes.csv:21:3: parameter: D has no label",
    ]


def test_required_code_and_unknown_market(tmp_path: Path) -> None:
    messages = refused(drop(tmp_path, "markets", "US,"))
    assert "markets.csv:1:1: market: US is missing" in messages
    assert "origins.csv:47:11: value: US market is unknown (US)" in "\n".join(messages)


# --- files that are no tables


def test_files_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to(DATA / "devices.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "empty.csv").write_bytes(b"\n\n")
    (tmp_path / "latin.csv").write_bytes(b"region,parameter\nCN,caf\xe9\n")
    with (tmp_path / "huge.csv").open("wb") as stream:
        stream.truncate(10_000_001)
    head = (DATA / "devices.csv").read_text(encoding="utf-8").partition("\n")[0]
    (tmp_path / "head.csv").write_text(head, encoding="utf-8")
    (tmp_path / "quote.csv").write_text('id,citation\nS1,"open', encoding="utf-8")
    replace = {
        "devices": tmp_path / "head.csv",
        "foundry_regions": tmp_path / "latin.csv",
        "node_classes": tmp_path / "empty.csv",
        "markets": tmp_path / "huge.csv",
        "origins": tmp_path / "link.csv",
        "origin_rules": tmp_path / "pipe.csv",
        "us_imports_2024": tmp_path / "folder",
        "tariff_calendar": tmp_path / "none.csv",
        "sources": tmp_path / "quote.csv",
        "device": tmp_path / "head.csv",
    }
    assert refused(replace) == [
        "empty.csv:1:1: is empty",
        "folder: is a folder, not a plain file",
        "head.csv:1:1: has no rows",
        "huge.csv:1:10000001: is larger than 10 MB",
        "latin.csv:2:7: is not UTF-8 text (byte 0xe9)\n    save it as CSV UTF-8",
        "link.csv: is a symbolic link, not a plain file",
        "none.csv: there is no such file",
        "pipe.csv: is a pipe, not a plain file",
        "quote.csv:2:4: is not valid CSV: unexpected end of data",
        "scenario: data.device: unknown table\n    did you mean devices?",
    ]
    (tmp_path / "control.csv").write_text("id,citation\nS1,a\x00b\n", encoding="utf-8")
    assert refused({"sources": tmp_path / "control.csv"}) == [
        "control.csv:2:5: contains a control character (U+0000)"
    ]


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = edited(tmp_path, "devices", "x", "x")
    opened = os.open

    def deny(path, *args):
        if path == replace["devices"]:
            raise PermissionError(13, "Permission denied")
        return opened(path, *args)

    monkeypatch.setattr(os, "open", deny)
    assert refused(replace) == ["devices.csv: cannot be read: Permission denied"]


def test_too_many_rows(tmp_path: Path) -> None:
    path = tmp_path / "sources.csv"
    path.write_text("id,citation\n" + "a,b\n" * 100_001, encoding="utf-8")
    assert refused({"sources": path}) == ["sources.csv:100001:1: has more than 100000 rows"]


def test_all_problems_of_all_tables_at_once(tmp_path: Path) -> None:
    replace = edited(tmp_path, "devices", "mix_a,0.45,", "mix_a,0.40,")
    replace |= edited(tmp_path, "origins", "MX,market,ROW", "MX,market,MARS")
    assert len(refused(replace, {"markets": {"EU": {"ai_2030": -1}}})) == 3


# --- whatever the text, nothing but a refusal

PIECES = st.sampled_from(
    [
        "",
        ",",
        '"',
        "\n",
        "\r",
        "nan",
        "-1",
        "1e400",
        "\x00",
        "\ufeff",
        "é",
        "US",
        "label",
        ",,,",
        "0",
    ]
)
CUTS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), PIECES), min_size=1, max_size=6)


@given(table=st.sampled_from(TABLE_NAMES), cuts=CUTS)
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_mutated_tables_are_read_or_refused(tmp_path: Path, table: str, cuts) -> None:
    text = (DATA / f"{table}.csv").read_text(encoding="utf-8")
    for where, length, piece in cuts:
        start = int(where * len(text))
        text = text[:start] + piece + text[start + length :]
    path = tmp_path / f"{table}.csv"
    path.write_bytes(text.encode("utf-8"))
    problems: list[Problem] | None = None
    try:
        load_tables({table: path})
    except DataError as error:
        problems = [*error.problems]
    assert problems is None or problems
    assert all(problem.file and problem.message for problem in problems or ())

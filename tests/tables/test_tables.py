"""The data tables: right figures in, wrong ones refused with file, line and column."""

import copy
import os
import pickle
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariffsim.errors import DataError, Problem
from tariffsim.tables import FIGURE_TABLES, TABLE_NAMES, Tables, load_tables

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
    assert (len(tables.imports), len(tables.calendar)) == (227, 27)
    assert (len(tables.validation), len(tables.sources)) == (17, 34)
    assert sum(tables.foundry_regions.numbers("foundries")) == 29


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
    assert tables.foundry_regions.column("growth_per_year")[:2] == (None, 0.025)
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
            assert set(words) - {"assumption"} <= set(tables.sources), key
            assert (figure.confidence == "assumption") == ("assumption" in words), key


def test_calendar(tables: Tables) -> None:
    def level(instrument: str, month: str, origin: str, device: str) -> float:
        rate = 0.0
        for row in sorted(tables.calendar, key=lambda row: row.date):
            named = row.in_baseline and origin in row.against and device in row.devices
            if named and row.instrument == instrument and row.date <= month:
                rate = row.rate if row.ends is None or month < row.ends else 0.0
        return rate

    assert level("Section 301 lists 1-2", "2024-06", "CN", "bare_ic") == 0.25
    assert level("Section 301 lists 1-2", "2025-01", "CN", "bare_discrete") == 0.50
    assert level("IEEPA fentanyl", "2025-11", "CN", "drone") == 0.10
    assert level("IEEPA fentanyl", "2026-02", "CN", "drone") == 0.0
    assert level("IEEPA reciprocal", "2025-04", "CN", "television") == 1.25
    assert level("IEEPA reciprocal", "2025-04", "CN", "smartphone") == 0.0
    assert level("Section 301 forced labour", "2026-07", "EU", "hvac") == 0.10
    assert level("Section 301 forced labour", "2026-07", "CN", "hvac") == 0.125
    assert level("Section 301 forced labour", "2026-07", "MX", "hvac") == 0.0
    assert level("Section 232 semiconductors phase 1", "2026-07", "TW", "server") == 0.0
    out = [row.instrument for row in tables.calendar if not row.in_baseline]
    assert len(out) == 2
    surcharge = next(row for row in tables.calendar if row.instrument.startswith("Section 122"))
    assert "US" not in surcharge.against
    assert len(surcharge.against) == 12
    assert len(surcharge.devices) == 13
    fentanyl = next(row for row in tables.calendar if row.instrument == "IEEPA fentanyl")
    assert len(fentanyl.devices) == 19


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
    message = "origins.csv:48: value: US cost_factor must be above 0 (-1)"
    assert refused({"origins": path}) == [message]


def test_optional_figures_may_be_left_out(tables: Tables, tmp_path: Path) -> None:
    replace = edited(
        tmp_path,
        "foundry_regions",
        "CN,growth_per_year,,,,fraction a year,assumption,assumption,none: China follows a plan\n",
        "",
    )
    assert load_tables(replace).foundry_regions.column("growth_per_year")[0] is None


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
    ({"device": {}}, "device: unknown table of figures\n    did you mean devices?"),
    (
        {"devices": {"smartfone": {"cn_share": 0.5}}},
        "devices.smartfone: unknown code\n    did you mean smartphone?",
    ),
    (
        {"devices": {"drone": {"cn_shar": 0.5}}},
        "devices.drone.cn_shar: unknown parameter\n    did you mean cn_share?",
    ),
    (
        {"devices": {"drone": {"label": 1}}},
        "devices.drone.label: is a text: replace the table to change it",
    ),
    (
        {"devices": {"drone": {"cn_share": 30}}},
        "devices.drone.cn_share: must be between 0 and 1 (30)",
    ),
    (
        {"devices": {"drone": {"cn_share": float("nan")}}},
        "devices.drone.cn_share: must be a number (nan)",
    ),
    (
        {"devices": {"drone": {"ai_capable": True}}},
        "devices.drone.ai_capable: must be a number (True)",
    ),
    (
        {"node_classes": {"A": {"chip_price_usd": 0}}},
        "node_classes.A.chip_price_usd: must be above 0 (0)",
    ),
    (
        {"foundry_regions": {"JP": {"share_b": 0.07}}},
        "foundry_regions.JP.share_b: share_b of regions must sum to 1 (1.01)",
    ),
    (
        {"devices": {"drone": {"requalification_months": 24}}},
        "devices.drone.requalification_months: drone requalification_months must be below "
        "design_cycle_months (24, 24)",
    ),
]


@pytest.mark.parametrize(("figures", "message"), OVERRIDES)
def test_override_refused(figures, message: str) -> None:
    assert refused({}, figures) == [f"scenario: figures.{message}"]


EDITS = [
    (
        "devices",
        "device,parameter,value,low",
        "device,parameter,value,lov",
        [
            "devices.csv:1: lov: unknown column\n    did you mean low?",
            "devices.csv:1: low: column is missing",
        ],
    ),
    ("markets", "note\n", "unit\n", ["markets.csv:1: unit: column is there twice"]),
    (
        "devices",
        "smartphone,cn_share,0.10,0.03,0.20,fraction,assumption,assumption,\n",
        "",
        ["devices.csv:2: parameter: smartphone has no cn_share"],
    ),
    (
        "devices",
        "smartphone,cn_share,",
        "smartphone,cn_shares,",
        [
            "devices.csv:2: parameter: smartphone has no cn_share",
            "devices.csv:7: parameter: smartphone: unknown parameter (cn_shares)\n"
            "    did you mean cn_share?",
        ],
    ),
    (
        "devices",
        "smartphone,cn_share,0.10,0.03,0.20",
        "smartphone,cn_share,,,",
        ["devices.csv:7: value: smartphone cn_share is empty"],
    ),
    (
        "devices",
        "laptop,label,",
        "smart phone,label,",
        [
            "devices.csv:23: device: is not a code (smart phone)\n"
            "    letters, digits and _, beginning with a letter",
            "devices.csv:24: parameter: laptop has no label",
        ],
    ),
    (
        "devices",
        "unit_value_usd,352,",
        "unit_value_usd,-352,",
        ["devices.csv:4: value: smartphone unit_value_usd must be above 0 (-352)"],
    ),
    (
        "devices",
        "chip_stock_days,30,",
        "chip_stock_days,-30,",
        ["devices.csv:18: value: smartphone chip_stock_days must not be negative (-30)"],
    ),
    (
        "devices",
        "cn_share,0.10,0.03,0.20",
        "cn_share,0.10,0.03,20",
        ["devices.csv:7: high: smartphone cn_share must be between 0 and 1 (20)"],
    ),
    (
        "devices",
        "cn_share,0.10,0.03,0.20",
        "cn_share,0.02,0.03,0.20",
        [
            "devices.csv:7: value: smartphone cn_share must have low <= value <= high "
            "(0.03, 0.02, 0.2)"
        ],
    ),
    (
        "devices",
        "cn_share,0.10,0.03,0.20",
        "cn_share,0.10,0.03,",
        ["devices.csv:7: high: smartphone cn_share must have both low and high, or neither"],
    ),
    (
        "devices",
        "smartphone,label,Smartphones,,",
        "smartphone,label,Smartphones,1,",
        ["devices.csv:2: low: smartphone label is a text and has no range (1)"],
    ),
    *(
        (
            "devices",
            "cn_share,0.10,",
            f"cn_share,{text},",
            [f"devices.csv:7: value: smartphone cn_share must be a number ({text})"],
        )
        for text in ("nan", "inf", "1e999", "0x1", "1_0", "٣", "abc", "1.5 %")
    ),
    (
        "us_imports_2024",
        "VN,7835.71,",
        "VN,1e305,",
        ["us_imports_2024.csv:13: customs_value_musd: must be at most 1e+15 (1e305)"],
    ),
    (
        "devices",
        "mix_a,0.45,",
        "mix_a,0.40,",
        [
            "devices.csv:8: value: smartphone mix_a + mix_b + mix_c + mix_d must sum to 1 (0.95)",
        ],
    ),
    (
        "devices",
        "requalification_months,6,",
        "requalification_months,6.5,",
        ["devices.csv:15: value: smartphone requalification_months must be a whole number (6.5)"],
    ),
    (
        "devices",
        "requalification_months,6,",
        "requalification_months,18,",
        [
            "devices.csv:15: value: smartphone requalification_months must be below "
            "design_cycle_months (18, 18)"
        ],
    ),
    (
        "devices",
        "352,,,USD,S1,data",
        "352,,,EUR,S1,data",
        ["devices.csv:4: unit: smartphone unit_value_usd must be in 'USD' (EUR)"],
    ),
    (
        "devices",
        "352,,,USD,S1,data",
        "352,,,USD,,data",
        ["devices.csv:4: source: smartphone unit_value_usd needs a source, or the word assumption"],
    ),
    (
        "devices",
        "352,,,USD,S1,data",
        "352,,,USD,assumption,data",
        [
            "devices.csv:4: source: smartphone unit_value_usd is data and needs a source "
            "(assumption)"
        ],
    ),
    (
        "devices",
        "352,,,USD,S1,data",
        "352,,,USD,S1,sure",
        [
            "devices.csv:4: confidence: smartphone unit_value_usd must be data or seen or "
            "assumption (sure)"
        ],
    ),
    (
        "devices",
        "352,,,USD,S1,data",
        "352,,,USD,S99,data",
        ["devices.csv: source: is not listed (S99)"],
    ),
    (
        "devices",
        "smartphone,sector,",
        "smartphone,label,",
        [
            "devices.csv:2: parameter: smartphone has no sector",
            "devices.csv:3: parameter: smartphone label is also on line 2",
        ],
    ),
    (
        "devices",
        "cn_share,0.10,",
        "cn_share,0.10,,",
        [
            "devices.csv:2: parameter: smartphone has no cn_share",
            "devices.csv:7: row must have 9 cells (10)",
        ],
    ),
    (
        "foundry_regions",
        "share_c,0.32",
        "share_c,0.30",
        ["foundry_regions.csv:6: value: share_c of regions must sum to 1 (0.98)"],
    ),
    (
        "foundry_regions",
        "TW,growth_per_year,0.025",
        "TW,growth_per_year,",
        ["foundry_regions.csv:21: value: TW growth_per_year is empty (only CN follows a plan)"],
    ),
    (
        "node_classes",
        "wafer_share,0.15",
        "wafer_share,0.25",
        ["node_classes.csv:3: value: wafer_share must sum to 1 (1.1)"],
    ),
    (
        "markets",
        "US,cn_share_fixed,",
        "US,cn_share_fixed,0.5",
        ["markets.csv:4: value: US must have either cn_share_multiplier or cn_share_fixed"],
    ),
    (
        "markets",
        "EU,home_assembly_share,0.45",
        "EU,home_assembly_share,",
        ["markets.csv:18: value: EU home_assembly_share is empty (only the US has it by device)"],
    ),
    (
        "markets",
        "JP KR",
        "JP KP",
        [
            "markets.csv:28: value: JK home_origins: unknown code (KP)\n    "
            "allowed: CN VN MX TW KR JP EU TH MY IN CA US OTHER"
        ],
    ),
    (
        "markets",
        "JP KR",
        "JP VN",
        ["markets.csv:28: value: JK home_origins: VN belongs to another market (ROW)"],
    ),
    (
        "origins",
        "MX,market,ROW",
        "MX,market,RWO",
        ["origins.csv:11: value: MX market is unknown (RWO)\n    did you mean ROW?"],
    ),
    (
        "origins",
        "MX,preference,usmca",
        "MX,preference,nafta",
        ["origins.csv:13: value: MX preference must be usmca (nafta)"],
    ),
    (
        "us_imports_2024",
        "smartphone,851713,VN",
        "smartfone,851713,VN",
        ["us_imports_2024.csv:13: device: unknown code (smartfone)\n    did you mean smartphone?"],
    ),
    (
        "us_imports_2024",
        "smartphone,851713,VN",
        "smartphone,851713,TW",
        ["us_imports_2024.csv:13: origin: smartphone from TW is also on line 12"],
    ),
    (
        "us_imports_2024",
        "smartphone,851713,VN",
        "smartphone,851713,US",
        ["us_imports_2024.csv:13: origin: goods from home are no imports (US)"],
    ),
    (
        "us_imports_2024",
        "VN,7835.71,",
        "VN,-7835.71,",
        ["us_imports_2024.csv:13: customs_value_musd: must not be negative (-7835.71)"],
    ),
    (
        "us_imports_2024",
        "VN,7835.71,0.0",
        "VN,0,0.1",
        [
            "us_imports_2024.csv:13: calculated_duty_musd: must be 0 where customs_value_musd is "
            "(0.1)"
        ],
    ),
    (
        "tariff_calendar",
        "2018-07,2025-01",
        "2018-13,2025-01",
        ["tariff_calendar.csv:2: date: must be a month such as 2025-07 (2018-13)"],
    ),
    (
        "tariff_calendar",
        "2018-07,2025-01",
        "2018-07,2018-07",
        ["tariff_calendar.csv:2: ends: must be after 2018-07 (2018-07)"],
    ),
    (
        "tariff_calendar",
        "2025-01,US,CN,",
        "2025-01,USA,CN PRC,",
        [
            "tariff_calendar.csv:2: against: unknown code (PRC)\n"
            "    allowed: CN VN MX TW KR JP EU TH MY IN CA US OTHER",
            "tariff_calendar.csv:2: levied_by: unknown code (USA)\n    did you mean US?",
        ],
    ),
    (
        "tariff_calendar",
        "lists 1-2,0.25,yes",
        "lists 1-2,25,Y",
        [
            "tariff_calendar.csv:2: in_2024_base: must be yes or no (Y)",
            "tariff_calendar.csv:2: rate: must be a fraction of at most 5: 0.25 is 25 % (25)",
        ],
    ),
    (
        "tariff_calendar",
        "lists 1-2,0.25,yes,bare_chips",
        "lists 1-2,,yes,all except phone",
        [
            "tariff_calendar.csv:2: devices: unknown code (phone)\n    did you mean smartphone?",
            "tariff_calendar.csv:2: rate: must be there where in_baseline is yes",
        ],
    ),
    (
        "tariff_calendar",
        "2025-08,2026-02,US,VN TW,",
        "2025-08,2026-02,US,VN JP,",
        [
            "tariff_calendar.csv:20: instrument: IEEPA reciprocal on others from 2025-08 on "
            "television from JP is also on line 19"
        ],
    ),
    (
        "validation_public",
        "V4,test",
        "V4,tests",
        ["validation_public.csv:7: use: unknown code (tests)\n    did you mean test?"],
    ),
    ("sources", "\nS2,", "\nS1,", ["sources.csv:3: id: source is there twice (S1)"]),
]


@pytest.mark.parametrize(
    ("table", "old", "new", "messages"), EDITS, ids=[f"{e[0]}-{e[2][:30].strip()}" for e in EDITS]
)
def test_edit_refused(tmp_path: Path, table: str, old: str, new: str, messages: list[str]) -> None:
    found = [m for m in refused(edited(tmp_path, table, old, new)) if "is not listed (S2)" not in m]
    assert found == messages


def drop(folder: Path, table: str, start: str) -> dict[str, Path]:
    lines = (DATA / f"{table}.csv").read_text(encoding="utf-8").splitlines()
    path = folder / f"{table}.csv"
    path.write_text("\n".join(x for x in lines if not x.startswith(start)), encoding="utf-8")
    return {table: path}


@pytest.mark.parametrize(
    ("table", "start", "message"),
    [
        ("origin_rules", "SEA,", "origin_rules.csv: fab_region: SEA is missing"),
        ("us_imports_2024", "bare_ic,", "us_imports_2024.csv: device: no imports of bare_ic"),
    ],
)
def test_missing_code(tmp_path: Path, table: str, start: str, message: str) -> None:
    assert refused(drop(tmp_path, table, start)) == [message]


def test_closed_codes(tmp_path: Path) -> None:
    path = edited(tmp_path, "node_classes", "D,label", "E,label")
    assert refused(path) == [
        "node_classes.csv:17: node_class: unknown code (E)\n    allowed: A B C D",
        *(
            f"node_classes.csv:17: parameter: E has no {name}"
            for name in (
                "chip_price_usd",
                "commodity_share",
                "wafer_share",
                "world_wafers_kwpm_300mm",
            )
        ),
        "node_classes.csv:18: parameter: D has no label",
    ]


def test_required_code_and_unknown_market(tmp_path: Path) -> None:
    messages = refused(drop(tmp_path, "markets", "US,"))
    assert "markets.csv: market: US is missing" in messages
    assert "origins.csv:47: value: US market is unknown (US)" in "\n".join(messages)


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
    (tmp_path / "control.csv").write_text("id,citation\nS1,a\x00b\n", encoding="utf-8")
    replace = {
        "devices": tmp_path / "head.csv",
        "foundry_regions": tmp_path / "latin.csv",
        "node_classes": tmp_path / "empty.csv",
        "markets": tmp_path / "huge.csv",
        "origins": tmp_path / "link.csv",
        "origin_rules": tmp_path / "pipe.csv",
        "us_imports_2024": tmp_path / "folder",
        "tariff_calendar": tmp_path / "none.csv",
        "validation_public": tmp_path / "control.csv",
        "sources": tmp_path / "quote.csv",
        "device": tmp_path / "head.csv",
    }
    assert refused(replace) == [
        "control.csv:2:5: has a control character (U+0000)",
        "empty.csv: is empty",
        "folder: is a folder, not a plain file",
        "head.csv: has no rows",
        "huge.csv: is larger than 10 MB",
        "latin.csv:2: is not UTF-8 text: save it as CSV UTF-8",
        "link.csv: is a symbolic link, not a plain file",
        "none.csv: there is no such file",
        "pipe.csv: is a pipe, not a plain file",
        "quote.csv:2: is not valid CSV: unexpected end of data",
        "scenario: data.device: unknown table\n    did you mean devices?",
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
    assert refused({"sources": path}) == ["sources.csv: has more than 100000 rows"]


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

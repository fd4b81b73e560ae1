"""`validate`, `explain`, `new`, `schema`, `list`, `doctor` and `runs`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tariffsim.cli import doctor
from tariffsim.experiments.store import opened
from tariffsim.policy import INSTRUMENTS
from tariffsim.scenario.scenario_files import shipped_names
from tariffsim.tables import SHIPPED
from tests.cli.calling import call, json_of, small

ROOT = Path(__file__).resolve().parents[2]

# Scenario files


def test_validate_reports_every_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("extends: baseline\nrum: 1\n", encoding="utf-8")
    code, out, err = call("validate", "a.yaml", "component_50", "b.yaml")
    assert code == 3
    assert out == "component_50: valid (50 % duty on Chinese legacy chips inside imports)\n"
    assert "a.yaml:2:1" in err
    assert "b.yaml:2:1" in err
    assert "2 problems" in err
    code, out, err = call("validate", "a.yaml", "component_50", "--json")
    assert [file["is_valid"] for file in json.loads(out)["files"]] == [False, True]
    assert (code, err.count("a.yaml:2:1")) == (3, 1)


@pytest.mark.parametrize(
    ("rule", "note"),
    [
        ("rate: {2040-01: 0.5}", "does nothing: it starts in 2040-01, after the run ends"),
        ("announced: 2026-01, rate: {2040-01: 0.5}", "is only expected: it starts in 2040-01"),
        ("rate: {2020-01: 0.5}, end: 2021-06", "does nothing: it ends in 2021-06, before the run"),
        ("rate: {2026-01: 0.5}", ""),
    ],
)
def test_policies_outside_the_run_get_a_note(tmp_path: Path, rule: str, note: str) -> None:
    file = tmp_path / "late.yaml"
    policy = f"policies: {{duty: {{kind: component_tariff, {rule}, chip_regions: [CN]}}}}"
    file.write_text(f"schema_version: 1\nextends: baseline\n{policy}\n", encoding="utf-8")
    code, _, err = call("validate", file)
    assert code == 0
    assert (f"Note: late: policies.duty {note}" in err) if note else not err
    notes = json_of("validate", file)["files"][0]["notes"]
    assert [note in found for found in notes] == [True] * bool(note)


HEADER = (
    "date,ends,levied_by,against,base,instrument,rate,in_2024_base,devices,in_baseline,scope,"
    "reading,source,confidence\n"
)


def test_rates_above_one_get_a_note(tmp_path: Path) -> None:
    rows = (
        ("2026-01", "Border surcharge", "3.4"),
        ("2026-02", "Border surcharge", "1"),
        ("2025-04", "IEEPA reciprocal", "1.25"),  # as in the shipped calendar
    )
    lines = (
        f"{date},,US,CN,product,{name},{rate},no,laptop,yes,,,assumption,assumption\n"
        for date, name, rate in rows
    )
    (tmp_path / "own.csv").write_text(HEADER + "".join(lines), encoding="utf-8")
    kinds = {
        "levy": "product_tariff, rate: {2026-01: 0.1, 2027-01: 3.4}",
        "whole": "product_tariff, rate: {2026-01: 1}",
        "each": "component_tariff, per: chip, rate: {2026-01: 3.4}",
        "odds": "preference_shift, log_odds: {2026-01: 3.4}",
    }
    policies = "".join(f"  {name}: {{kind: {kind}}}\n" for name, kind in kinds.items())
    text = f"extends: baseline\ndata: {{tariff_calendar: own.csv}}\npolicies:\n{policies}"
    (tmp_path / "three.yaml").write_text(text, encoding="utf-8")
    notes = json_of("validate", "three.yaml")["files"][0]["notes"]
    assert [note for note in notes if "%" in note] == [
        "three: policies.levy.rate is 3.4, that is 340 %: 0.034 is 3.4 %",
        "three: own.csv: rate of Border surcharge from 2026-01 is 3.4, that is 340 %: 0.034 is "
        "3.4 %",
    ]


def test_explain_shows_all_facts_of_one_value() -> None:
    out = call("explain", "component_50", "policies.component_tariff.rate")[1]
    for fact in ("fraction", "0 to 5", "component_50.yaml:14:11", "2026-01  0.25", "assumption"):
        assert fact in out
    out = call("explain", "component_50", "supply")[1]
    assert "supply.learning" in out
    assert "baseline.yaml:16:13" in out


def test_schema_is_the_stored_one() -> None:
    stored = (ROOT / "schema" / "scenario-1.json").read_text(encoding="utf-8")
    assert call("schema")[1] == stored


@pytest.mark.parametrize("base", shipped_names())
def test_new_scenarios_are_valid(base: str, tmp_path: Path) -> None:
    code, out, err = call("new", "my own", "--from", base)
    assert (code, out) == (0, "wrote my own.yaml\n")
    assert "tariffsim compare 'my own.yaml'" in err
    assert call("validate", "my own.yaml")[0] == 0
    text = (tmp_path / "my own.yaml").read_bytes()
    assert call("new", "my own.yaml")[0] == 5
    assert (tmp_path / "my own.yaml").read_bytes() == text


# Lists


def test_codes_of_all_tables_are_listed_with_their_labels() -> None:
    codes = json_of("list", "codes")["codes"]
    assert {"code": "JK", "of": "market", "label": "Japan and Korea"} in codes
    found = {
        kind: [c["code"] for c in codes if c["of"] == kind] for kind in (c["of"] for c in codes)
    }
    assert {kind: len(of) for kind, of in found.items()} == {
        "device group": 17, "market": 5, "country of assembly": 13, "region of fabrication": 8,
        "node class": 4,
    }  # fmt: skip
    (line,) = call("list", "codes", "smartphone")[1].splitlines()[1:]
    assert line.split() == ["smartphone", "device", "group", "Smartphones"]


@pytest.mark.parametrize("kind", INSTRUMENTS)
def test_an_instrument_is_listed_with_its_fields(kind: str) -> None:
    fields = json_of("list", "instruments", kind)["instruments"]
    model = INSTRUMENTS[kind]
    assert [f["field"] for f in fields] == [f for f in model.model_fields if f not in model.without]
    assert all(field["unit"] and field["description"] for field in fields)
    (path,) = [field for field in fields if field["field"] == model.path_field]
    assert path["default"] == "required"
    least, most, unit = model.bounds()
    assert (path["allowed"], path["unit"]) == (f"{least:.12g} to {most:.12g}", unit)


def test_a_code_in_the_key_of_a_figure_is_found_by_its_label() -> None:
    for code, hint in (
        ("PHONE", "did you mean smartphone?"),
        ("cars", "did you mean electric_car"),
    ):
        status, _, err = call("explain", "baseline", f"figures.devices.{code}")
        assert status == 3
        assert hint in err
    err = call("explain", "baseline", "figures.device.drone")[2]
    assert "did you mean devices?" in err
    err = call("explain", "baseline", "figures.devices.drone.cn_shar")[2]
    assert "did you mean cn_share?" in err


def test_lists_are_lines_for_programs_and_fit_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = json_of("list", "parameters", "policies.component_tariff.")["parameters"]
    out = call("list", "parameters", "policies.component_tariff")[1]
    assert len(out.splitlines()) == 1 + len(parameters)
    for columns in (60, 100, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        for what in ("scenarios", "instruments", "parameters", "metrics"):
            out = call("list", what)[1]
            assert max(map(len, out.splitlines())) <= columns


def test_parameters_have_all_columns() -> None:
    heads = call("list", "parameters")[1].splitlines()[0].split()
    assert (heads[0], heads[1], heads[-1]) == ("parameter", "default", "description")
    (line,) = call("list", "parameters", "supply.learning_spillover")[1].splitlines()[1:]
    assert "0.33" in line
    assert "S29" in line


def test_doctor_gives_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise OSError("no")

    monkeypatch.setattr(doctor, "CHECKS", {"good": (lambda: "1", ""), "bad": (broken, "mend it")})
    code, out, _ = call("doctor")
    assert code == 5
    assert out.splitlines() == ["good  ok   1", "bad   BAD  OSError: no; mend it"]


# Stored runs


def test_runs_are_listed_and_pruned(no_charts: None) -> None:
    assert call("compare", "component_50", *small(end="2025-06"), "--store", "kept")[0] == 0
    code, out, _ = call("runs", "kept")
    assert code == 0
    assert [line.split()[:5] for line in out.splitlines()[1:]] == [
        [name, "US", "all", "tables", "2"] for name in ("baseline", "component_50")
    ]
    (file,) = Path("kept").glob("*.sqlite")
    damaged, old = (run["key"] for run in json_of("runs", "kept")["runs"][:2])
    change(file, "UPDATE runs SET run = substr(run, 1, length(run) - 9) WHERE key = ?", damaged)
    assert f"{damaged[:12]}: " in call("runs", "kept")[1]
    with opened(Path("kept")):
        assert call("runs", "kept", "--prune")[0] == 5
    removed = json_of("runs", "kept", "--prune")
    assert [run["key"] for run in removed["removed"]] == [damaged]
    assert len(removed["runs"]) == 3
    change(file, "UPDATE runs SET written = written - 864000 WHERE key = ?", old)
    assert "removed 0 runs" in call("runs", "kept", "--prune")[1]
    assert "removed 1 run," in call("runs", "kept", "--prune", "--older-than", "9")[1]
    assert old not in {run["key"] for run in json_of("runs", "kept")["runs"]}
    assert "removed 2 runs," in call("runs", "kept", "--prune", "--older-than", "0")[1]
    assert not file.exists()
    assert call("runs", "kept", "--older-than", "9")[0] == 2


def change(file: Path, statement: str, key: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(statement, [key])


def test_new_copies_a_table(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    assert call("new", file, "--table", "tariff_calendar")[0] == 0
    assert file.read_text() == (SHIPPED / "tariff_calendar.csv").read_text()
    assert call("new", file, "--table", "tariff_calendar")[0] == 5
    code, _, err = call("new", file, "--table", "tarif_calendar")
    assert code == 2
    assert "did you mean tariff_calendar?" in err

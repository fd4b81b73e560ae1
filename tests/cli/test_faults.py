"""Little memory, names that are formulas, results that are in the way."""

from __future__ import annotations

import csv
import errno
import json
import subprocess
from pathlib import Path

import pytest

from tariffsim import compare, load_scenario
from tariffsim.cli import explained
from tariffsim.errors import DataError, Problem, ScenarioError, StorageError
from tariffsim.record.results import load_results
from tests.cli.calling import call, small
from tests.processes import PROGRAM, needs_signals

SMALL = small(seeds=1, makers=40, end="2025-01")


@needs_signals
@pytest.mark.parametrize("words", ["compare component_50", "verify there", "pack there"])
def test_too_little_memory_is_said(words: str) -> None:
    limited = f"ulimit -v 500000; exec {' '.join(PROGRAM)} {words}"
    ended = subprocess.run(["sh", "-c", limited], capture_output=True, text=True)
    assert ended.returncode == 4
    assert ended.stderr.startswith("this shell lets a program use 512 MB of memory (ulimit -v)")
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    "error",
    [
        ImportError("x.so: failed to map segment from shared object"),
        ImportError("x.so: cannot allocate memory in static TLS block"),
        OSError(errno.ENOMEM, "Cannot allocate memory", "x"),
        MemoryError(),
    ],
)
def test_errors_that_mean_too_little_memory(error: Exception) -> None:
    code, text = explained(error)
    assert code == 4
    assert "lack of memory" in text
    assert explained(ImportError("no module named x"))[0] == 1


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "a\x1bb", "a\nb", "a\u202eb", "\udcff"])
def test_scenarios_have_names_that_tables_can_show(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.yaml").write_text("schema_version: 1\nextends: baseline\n", "utf-8")
    with pytest.raises(ScenarioError, match="the name of the file, which is that of the scenario"):
        load_scenario(tmp_path / f"{name}.yaml")
    with pytest.raises(ScenarioError, match="the name "):
        compare({name: load_scenario("component_50")}, "baseline")


def test_instruments_of_the_calendar_are_no_formulas(tmp_path: Path) -> None:
    shipped = Path(compare.__code__.co_filename).parents[1] / "data/tariff_calendar.csv"
    text = shipped.read_text("utf-8").replace("Section 301", "=Section 301")
    (tmp_path / "calendar.csv").write_text(text, "utf-8")
    scenario = "schema_version: 1\nextends: baseline\ndata: {tariff_calendar: calendar.csv}\n"
    (tmp_path / "mine.yaml").write_text(scenario, "utf-8")
    code, _, err = call("validate", "mine.yaml")
    assert code == 3
    assert "must not begin with =, which spreadsheets take for a formula" in err


def test_no_cell_of_results_is_a_formula() -> None:
    assert call("compare", "component_50", *SMALL, "-o", "out", "-q")[0] == 0
    for path in Path("out").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                texts = [cell for cell in row if not _is_number(cell)]
                assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))], path


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_errors_escape_what_could_control_a_terminal() -> None:
    problem = Problem("a\x1b[2J.csv", 1, 2, "key\x07", "is \x9bwrong", "\u202e", "a hint\x00")
    for text in (str(problem), str(DataError([problem])), str(StorageError("x\x1b]0;y"))):
        assert all(line.isprintable() for line in text.split("\n"))
    assert "\\x1b[2J.csv:1:2: key\\x07: is \\x9bwrong" in str(DataError([problem]))


# Results in the way


def test_results_of_other_scenarios_are_replaced_with_force_only(no_charts: None) -> None:
    assert call("run", "baseline", *SMALL, "-o", "out")[0] == 0
    before = Path("out/manifest.json").read_bytes()
    others = [
        ["run", "component_50"], ["compare", "component_50"],
        ["compare", "baseline", "--baseline", "component_50"],
        ["sweep", "baseline", "--vary", "sourcing.elasticity=2"],
    ]  # fmt: skip
    for words in others:
        code, _, err = call(*words, *SMALL, "-o", "out")
        assert (code, "holds results of baseline; to replace them, add --force" in err) == (5, True)
    assert Path("out/manifest.json").read_bytes() == before
    assert call("run", "baseline", *small(seeds=2, makers=40, end="2025-01"), "-o", "out")[0] == 0
    assert load_results("out").provenance["seeds"] == [0, 1]
    assert call("compare", "component_50", *SMALL, "-o", "out", "--force")[0] == 0
    assert list(load_results("out").titles) == ["baseline", "component_50"]
    code, _, err = call(
        "compare", "component_50", "--baseline", "no_expansion", *SMALL, "-o", "out"
    )
    assert (code, "--force" in err) == (5, True)


def test_results_of_other_values_are_replaced_with_force_only(no_charts: None) -> None:
    def ran(*words: object, makers: int = 40, end: str = "2025-01", seeds: int = 1) -> bool:
        size = small(seeds=seeds, makers=makers, end=end)
        code, _, err = call("run", *words, *size, "-o", "out")
        refused = "holds results of baseline with other values or options; to replace them" in err
        assert (code, refused) in ((0, False), (5, True)), err
        return code == 0

    Path("baseline.yaml").write_text("extends: baseline\nsourcing: {elasticity: 3.5}\n", "utf-8")
    assert ran("baseline", end="2025-02")
    before = Path("out/manifest.json").read_bytes()
    assert not ran("baseline", end="2025-01")
    assert not ran("baseline", makers=41, end="2025-02")
    assert not ran("./baseline.yaml", end="2025-02")
    assert not ran("baseline", "--market", "EU", end="2025-02")
    assert not ran("baseline", "--set", "sourcing.elasticity=6", end="2025-02")
    assert Path("out/manifest.json").read_bytes() == before
    assert ran("baseline", "--set", "title=Another", end="2025-02")
    assert ran("baseline", "--seed", "7", end="2025-02", seeds=2)
    assert load_results("out").provenance["seeds"] == [7, 8]
    assert ran("./baseline.yaml", "--force")
    assert ran("./baseline.yaml")


def test_another_question_about_the_same_scenario_is_another_experiment(no_charts: None) -> None:
    def code_of(*words: object) -> int:
        return call("sweep", "baseline", "--vary", *words, *SMALL, "-o", "out")[0]

    assert code_of("sourcing.elasticity=4,6") == 0
    assert code_of("sourcing.elasticity=4,8") == 5
    assert code_of("sourcing.elasticity=4,6", "--seed", 3) == 0
    assert code_of("sourcing.elasticity=4,8", "--force") == 0
    assert code_of("sourcing.elasticity=8, 4") == 0


def test_the_points_of_a_sweep_in_another_order_are_the_same_question(no_charts: None) -> None:
    for points, code in (("[4, 6]", 0), ("[6, 4]", 0), ("[6, 5]", 5)):
        Path("own.yaml").write_text(
            f"extends: baseline\nexperiment: {{vary: {{sourcing.elasticity: {points}}}}}\n"
        )
        assert call("sweep", "own.yaml", *SMALL, "-o", "out")[0] == code


@pytest.mark.parametrize("out", [["-o", "out"], []], ids=["named", "default"])
def test_files_of_the_user_are_deleted_with_force_only(out: list[str], no_charts: None) -> None:
    folder = Path("out" if out else "results/baseline")
    assert call("run", "baseline", *SMALL, *out)[0] == 0
    (folder / "notes.txt").write_text("mine", "utf-8")
    (folder / "figures").mkdir()
    assert call("pack", folder, "--out", folder / "package")[0] == 0
    before = (folder / "manifest.json").read_bytes()
    code, _, err = call("run", "baseline", *SMALL, *out)
    assert code == 5
    assert "not of its results: figures/, notes.txt, package/; move them away; to delete" in err
    assert (folder / "manifest.json").read_bytes() == before
    assert (folder / "notes.txt").read_text("utf-8") == "mine"
    assert call("run", "baseline", *SMALL, *out, "--force")[0] == 0
    assert not (folder / "notes.txt").exists()


def test_results_that_cannot_be_read_are_replaced_with_force_only(no_charts: None) -> None:
    Path("out").mkdir()
    Path("out/manifest.json").write_text(json.dumps({"outputs": {}}), "utf-8")
    code, _, err = call("run", "baseline", *SMALL, "-o", "out")
    assert (code, "to replace them, add --force" in err) == (5, True)
    assert call("run", "baseline", *SMALL, "-o", "out", "--force")[0] == 0


def test_saving_from_python_waits_for_nobody(no_run: None) -> None:
    from tariffsim.record.results import Results, writing_to

    results = Results({}, {"a": ""}, {"a": "A"}, "US", {"seeds": [0, 0]})
    with writing_to("out"), pytest.raises(StorageError, match="is busy"):
        results.save("out")
    results.save("out")
    assert load_results("out").titles == {"a": "A"}

"""The command line as its users meet it: what it prints, where, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tariffsim import experiments
from tariffsim.cli import commands, headline
from tariffsim.errors import StorageError
from tariffsim.record.metrics import METRICS
from tariffsim.record.results import Results, load_results, writing_to
from tariffsim.scenario import load_scenario
from tariffsim.scenario.scenario_files import shipped_names

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--seeds", "2", "--jobs", "1", "--set", "agents.makers=150", "--set", "run.end=2025-12"]
HEAVY = {"numpy", "pandas", "scipy", "mesa", "matplotlib", "networkx"}
PROGRAM = [sys.executable, "-m", "tariffsim"]
needs_signals = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX systems")


def call(*words: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        commands.main([str(word) for word in words])
    assert isinstance(ended.value.code, int)
    return ended.value.code, out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a working directory of its own, and output that goes nowhere special."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts take most of the time of a tiny run; one test has them."""
    monkeypatch.setattr("tariffsim.report.page.publish", lambda results: None)


@pytest.fixture
def no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that gets as far as running anything."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("must not run")

    monkeypatch.setattr(experiments, "compare", refuse)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A tiny comparison: its folder, what it printed to stdout and to stderr."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    names = ("whole_product_content", "component_50", "baseline")
    code, out, err = call("compare", *names, *TINY, "--out", folder)
    assert code == 0, err
    return folder, out, err


# Help


@pytest.mark.parametrize("name", ["", *commands.commands])
def test_help_has_examples_and_fits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    code, out, _ = call(*name.split(), "--help")
    assert code == 0
    assert f"  tariffsim {name}".rstrip() in out.partition("\n")[2]
    assert "..." not in out.partition("Commands:")[2]
    assert max(map(len, out.splitlines())) <= 100


def test_no_arguments_print_help() -> None:
    assert call() == call("--help")
    assert call("-V")[1].startswith("tariffsim 0.")


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "compare --help",
        "validate component_50",
        "explain component_50 supply.learning",
        "list scenarios",
        "list instruments",
        "list parameters",
        "schema",
        "new mine.yaml",
        "compare component_50 --seeds nine",
        "compare no_such_scenario",
    ],
)
def test_light_commands_import_nothing_heavy(words: str) -> None:
    code = (
        f"import sys\nfrom tariffsim.cli import commands\ntry: commands.main({words.split()!r})\n"
        "except SystemExit: pass\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ended.stderr.split())
    assert not loaded & HEAVY
    assert "--help" not in words or not loaded & {"pydantic", "yaml", "rich"}


def test_runs_as_a_module() -> None:
    ended = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("tariffsim ")


# Runs


def test_compare_prints_one_line_a_scenario(saved: tuple[Path, str, str]) -> None:
    folder, out, err = saved
    lines = out.splitlines()
    named = [line.split()[0] for line in lines if line.startswith(("base", "whole", "comp"))]
    assert named[:3] == ["baseline", "whole_product_content", "component_50"]
    assert max(map(len, lines)) <= 100
    assert "2 seeds (0 to 1)" in out
    assert "not distinguishable" in out
    assert "running 3 scenarios, 2 seeds" in err.splitlines()
    assert f"Report:  {folder / 'report.html'}" in err
    assert f"Results: {folder}" in err


def test_results_are_where_it_says(saved: tuple[Path, str, str]) -> None:
    results = load_results(saved[0])
    assert results.baseline == "baseline"
    assert list(results.titles) == ["baseline", "whole_product_content", "component_50"]
    assert "makers: 150" in results.scenarios["component_50"]
    assert b"<html" in results.files["report.html"]
    assert not list(saved[0].parent.glob(".*"))


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 200])
@pytest.mark.parametrize("details", [False, True])
def test_table_fits_the_terminal(
    columns: int, details: bool, saved: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    base = load_scenario("baseline")
    text = headline.text_of(load_results(saved[0]), base, details)
    assert max(map(len, text.splitlines())) <= columns
    labels = {m.label for m in METRICS if details or m.name in headline.HEADLINE}
    is_table = columns >= 80 and not details
    assert is_table or columns < 60 or all(label in text for label in labels)
    assert "component_50" in text


def row(metric: str, difference: float, low: float, high: float, n: int = 20) -> dict[str, Any]:
    is_known = n > 1 and not low <= 0 <= high
    facts = {"level": 50.0, "difference": difference, "low": low, "high": high}
    words = {"metric": metric, "label": metric, "unit": "%"}
    return words | facts | {"is_significant": is_known, "n": n}


def made_up(difference: float, low: float, high: float, n: int = 20) -> Results:
    """Results whose scenario differs in every measure by the same."""
    rows = []
    for scenario, values in (("baseline", (0.0, 0.0, 0.0)), ("x" * 50, (difference, low, high))):
        for metric in (*headline.HEADLINE,):
            rows.append({"scenario": scenario} | row(metric, *values, n))
    return Results(
        tables={"headline": pd.DataFrame(rows)},
        scenarios={"baseline": "", "x" * 50: ""},
        titles={"baseline": "b", "x" * 50: "t"},
        market="US",
        provenance={"seeds": [0, n - 1]},
    )


@pytest.mark.parametrize(
    ("values", "expected", "elsewhere"),
    [
        ((-6.62, -7.44, -5.8), "-6.6 [-7.4, -5.8]", "-6.62"),
        ((-0.7, -2.27, 0.82), "n.d. [-2.3, +0.8]", "n.d."),
        ((0.0, 0.0, 0.0), "0.0 [0.0, 0.0]", "0.000"),
        ((1234.5, 1200.0, 1300.0), "+1,234.5 [+1,200.0, +1,300.0]", "+1,234"),
        ((3.0, float("nan"), float("nan"), 1), "+3.0", "+3.00"),
        ((float("nan"), float("nan"), float("nan")), "n.d.", "n.d."),
    ],
)
def test_changes_in_words(
    values: tuple[Any, ...], expected: str, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headline, "PAGE", 200)  # intervals stand beside the change
    text = headline.text_of(made_up(*values), load_scenario("baseline"), details=False)
    (line,) = (line for line in text.splitlines() if line.startswith("x" * 22 + " "))
    assert f" {expected} " in line
    assert line.split().count(elsewhere) >= 5
    assert ("One seed gives no interval" in text) == (len(values) == 4)


def test_run_prints_levels(tmp_path: Path, no_charts: None) -> None:
    code, out, err = call("run", "component_50", *TINY)
    assert code == 0
    assert "Chinese share of chips" in out
    assert "Consumer cost" not in out
    assert (tmp_path / "results" / "component_50" / "manifest.json").is_file()
    assert str(tmp_path / "results" / "component_50") in err


def test_names_of_any_script(tmp_path: Path, no_charts: None) -> None:
    file = tmp_path / "zöll 研究.yaml"
    file.write_text("schema_version: 1\nextends: baseline\ntitle: Zölle\n", encoding="utf-8")
    code, out, err = call("compare", file, *TINY, "--quiet", "--baseline", "component_50")
    assert (code, err) == (0, "")
    assert "zöll 研究" in out
    assert (tmp_path / "results" / "compare-zöll_研究" / "manifest.json").is_file()


# Settings


def test_settings_hold_for_all_that_have_them(no_charts: None) -> None:
    policy = "policies.component_tariff.rate={2026-01: 0.8}"
    words = ["compare", "component_50", "whole_product_china", *TINY, "--set", policy]
    code, _, err = call(*words, "--set", "supply.learning=0.1", "--out", "out")
    assert code == 0, err
    scenarios = load_results("out").scenarios
    assert ["0.8" in text for text in scenarios.values()] == [False, True, False]
    assert all("learning: 0.1" in text for text in scenarios.values())


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("policies.component_tarif.rate=0.8", "did you mean component_tariff?"),
        ("supply.learnin=0.1", "did you mean learning?"),
        ("supply.learning", "must be key.path=value"),
        ("supply.learning=90", "must be between 0 and 0.5"),
        ("agents.makers=.nan", "must be a finite number"),
    ],
)
def test_bad_settings_are_refused_once(setting: str, said: str, no_run: None) -> None:
    code, _, err = call("compare", "component_50", "no_expansion", "--set", setting)
    assert code == 3
    assert said in err
    assert "1 problem" in err


# Exit codes


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("compar", 2, "No such command"),
        ("compare", 2, "Missing argument"),
        ("compare component_50 --seeds 0", 2, "--seeds"),
        ("compare component_50 --jobs -1", 2, "--jobs"),
        ("compare component_50 --market XX", 2, "there is no market XX"),
        ("run component_50 --baseline baseline", 2, "--baseline"),
        ("list colours", 2, "scenarios"),
        ("list", 2, "Choose from: scenarios, instruments, parameters"),
        ("new x.yaml --from component_5", 2, "component_50"),
        ("compare no_such_file.yaml", 3, "there is no such file"),
        ("compare component_5", 3, "did you mean component_50?"),
        ("explain component_50 supply.learnin", 3, "did you mean supply.learning?"),
        ("compare component_50 --out /dev/null/x", 5, "cannot write results"),
        ("new /dev/null/x.yaml", 5, "cannot write"),
        ("new there.yaml", 5, "exists already"),
        ("compare component_50 --out .", 5, "holds something else than results"),
        ("compare component_50 --out there.yaml", 5, "is not a folder"),
    ],
)
def test_exit_codes(words: str, code: int, said: str, tmp_path: Path, no_run: None) -> None:
    (tmp_path / "there.yaml").write_text("precious", encoding="utf-8")
    got, out, err = call(*words.split())
    assert (got, out) == (code, "")
    assert said in err
    assert (tmp_path / "there.yaml").read_text(encoding="utf-8") == "precious"


def test_a_folder_in_use_is_left_alone(tmp_path: Path, no_run: None) -> None:
    pytest.importorskip("fcntl")
    with writing_to(tmp_path / "out"):
        code, _, err = call("compare", "component_50", "--out", "out")
    assert code == 5
    assert "is busy" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 4, "--jobs 1"),
        (ZeroDivisionError("oh"), 1, "a mistake of ours"),
        (OSError(28, "No space left on device", "x"), 5, "No space left"),
    ],
)
def test_failures_during_a_run(
    error: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(experiments, "compare", fail)
    for debug in ([], ["--debug"]):
        got, _, err = call("compare", "component_50", "--out", "out", *debug)
        assert got == code
        assert said in err
        assert ("Traceback" in err) == bool(debug)
    assert list(tmp_path.iterdir()) == []


# JSON


def test_json_of_a_comparison(tmp_path: Path, no_charts: None) -> None:
    code, out, err = call("compare", "component_50", *TINY, "--json", "--out", "out")
    data = json.loads(out)
    assert code == 0
    assert data["folder"] == str(tmp_path / "out")
    share = data["headline"]["component_50"]["cn_share"]
    assert {"level", "difference", "low", "high", "is_significant", "n", "unit"} <= set(share)
    assert data["headline"]["baseline"]["cost_per_pp"]["level"] is None
    assert "component_50" in err


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("validate component_50", {"files"}),
        ("explain component_50", {"scenario", "title", "hash", "values"}),
        ("explain component_50 supply.learning", {"scenario", "title", "hash", "values"}),
        ("list scenarios", {"scenarios"}),
        ("list instruments", {"instruments"}),
        ("list parameters", {"parameters"}),
        ("list parameters no_such_word", {"parameters"}),
        ("list phases", {"phases"}),
        ("list metrics", {"metrics"}),
        ("list charts", {"charts"}),
        ("schema", {"$schema", "properties"}),
        ("new mine.yaml", {"file", "from"}),
        ("doctor", {"checks"}),
    ],
)
def test_json_is_one_object(words: str, keys: set[str]) -> None:
    code, out, err = call(*words.split(), "--json", "--quiet")
    assert (code, err) == (0, "")
    assert keys <= set(json.loads(out))


def test_json_of_errors(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("schema_version: 1\nrun: {seed: x}\n", encoding="utf-8")
    code, out, err = call("compare", "bad.yaml", "--json")
    error = json.loads(out)["error"]
    assert code == error["exit_code"] == 3
    assert error["problems"][0]["line"] == 2
    assert "bad.yaml:2:13" in err
    assert json.loads(call("compare", "--json")[1])["error"]["exit_code"] == 2


# Scenario files


def test_validate_reports_every_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("extends: baseline\nrum: 1\n", encoding="utf-8")
    code, out, err = call("validate", "a.yaml", "component_50", "b.yaml")
    assert code == 3
    assert out == "component_50: valid (50 % duty on Chinese foundational chips inside imports)\n"
    assert "a.yaml:2:1" in err
    assert "b.yaml:2:1" in err
    assert "2 problems" in err
    code, out, err = call("validate", "a.yaml", "component_50", "--json")
    assert [file["is_valid"] for file in json.loads(out)["files"]] == [False, True]
    assert (code, err.count("a.yaml:2:1")) == (3, 1)


def test_explain_says_all_of_one_value() -> None:
    out = call("explain", "component_50", "policies.component_tariff.rate")[1]
    for said in ("fraction", "0 to 5", "component_50.yaml:13:11", "2026-01  0.25", "assumption"):
        assert said in out
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


def test_lists_are_lines_for_programs_and_fit_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    out = call("list", "parameters", "policies.component_tariff")[1]
    assert len(out.splitlines()) == 1 + len(json.loads(json_of("component_tariff"))["parameters"])
    for columns in (60, 100, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        for what in ("scenarios", "instruments", "parameters", "metrics"):
            out = call("list", what)[1]
            assert max(map(len, out.splitlines())) <= columns


def json_of(kind: str) -> str:
    return call("list", "parameters", f"policies.{kind}.", "--json")[1]


def test_parameters_have_all_columns() -> None:
    heads = call("list", "parameters")[1].splitlines()[0].split()
    assert (heads[0], heads[1], heads[-1]) == ("parameter", "default", "description")
    (line,) = call("list", "parameters", "supply.learning_spillover")[1].splitlines()[1:]
    assert "0.33" in line
    assert "S29" in line


def test_doctor_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise OSError("no")

    module = import_module("tariffsim.cli.doctor")
    monkeypatch.setattr(module, "CHECKS", {"good": (lambda: "1", ""), "bad": (broken, "mend it")})
    code, out, _ = call("doctor")
    assert code == 5
    assert out.splitlines() == ["good  ok   1", "bad   BAD  OSError: no; mend it"]


# A rough world


HOSTILE = (
    "", " ", "-", "--", "..", "/", "~", "\x1b[31mred", "a\nb", "a\x00b", "\udcff", "[bold]x[/bold]",
    "%s{0}", "../../../etc/passwd", "/dev/zero", "/dev/stdin", "/proc/self/mem", "x" * 5000,
    "а" * 10, "CON", "component_50\u202e", "=", "--set", "-9", "$(touch x)", "component_50.yaml",
)  # fmt: skip


def stop(*_: object, **__: object) -> None:
    raise StorageError("far enough")


@pytest.mark.parametrize("word", HOSTILE, ids=ascii)
@pytest.mark.parametrize(
    "words",
    [
        ["validate", "{}"],
        ["explain", "{}"],
        ["explain", "component_50", "{}"],
        ["list", "{}"],
        ["list", "metrics", "{}"],
        ["new", "{}"],
        ["new", "x.yaml", "--from", "{}"],
        ["compare", "{}"],
        ["compare", "component_50", "--baseline", "{}"],
        ["compare", "component_50", "--set", "{}"],
        ["compare", "component_50", "--set", "supply.learning={}"],
        ["compare", "component_50", "--market", "{}"],
        ["compare", "component_50", "--seeds", "{}"],
        ["run", "component_50", "--set", "agents.makers=0", "--out", "{}"],
        ["{}"],
    ],
    ids=" ".join,
)
def test_hostile_arguments(word: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiments, "compare", stop)
    code, out, err = call(*(part.replace("{}", word) for part in words))
    assert code in (0, 2, 3, 5)
    assert "Traceback" not in err
    assert "mistake of ours" not in err
    assert not set(out + err) & {"\x1b", "\x00", "\u202e", "\udcff"}


@needs_signals
def test_a_closed_pipe_is_no_error() -> None:
    command = " ".join([*PROGRAM, "list parameters | head -n 1"])
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w") as full:
            ended = subprocess.run([*PROGRAM, "schema"], stdout=full, stderr=subprocess.PIPE)
        assert ended.returncode == 5
        assert b"No space left" in ended.stderr
        assert b"Traceback" not in ended.stderr


def test_plain_letters_are_enough(saved: tuple[Path, str, str]) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    for words in (["list", "scenarios"], ["explain", "component_late"], ["--help"]):
        ended = subprocess.run([*PROGRAM, *words], capture_output=True, env=environment)
        assert ended.returncode == 0
        assert ended.stderr == b""


@needs_signals
@pytest.mark.parametrize("to_all", [True, False], ids=["terminal", "kill"])
def test_an_interrupt_stops_the_workers(to_all: bool, tmp_path: Path, no_charts: None) -> None:
    """As from a terminal, which tells all processes, and as from `kill`, which tells one."""
    out = tmp_path / "out"
    assert call("run", "baseline", *TINY, "--out", out)[0] == 0
    before = (out / "manifest.json").read_bytes()
    command = [*PROGRAM, "compare", "component_50", "--seeds", "50", "--jobs", "2", "--out", "out"]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=listen_to_interrupts,
    )
    wait_for(lambda: len(processes_of(running.pid)) > 2)
    time.sleep(1.0)
    (os.killpg if to_all else os.kill)(running.pid, signal.SIGINT)
    began = time.monotonic()
    said, err = running.communicate(timeout=30)
    assert time.monotonic() - began < 5
    assert (running.returncode, said) == (130, "")
    assert "interrupted" in err
    assert "Traceback" not in err
    wait_for(lambda: not processes_of(running.pid))
    assert (out / "manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def listen_to_interrupts() -> None:
    """What runs in the background ignores interrupts, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def processes_of(session: int) -> list[str]:
    """Processes of a session that still run."""
    listed = subprocess.run(["ps", "-eo", "sid=,stat="], capture_output=True, text=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return [stat for sid, stat in rows if sid == str(session) and not stat.startswith("Z")]


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


# Notes


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("rate: {2040-01: 0.5}", "does nothing: it starts in 2040-01, after the run ends"),
        ("announced: 2026-01, rate: {2040-01: 0.5}", "is only expected: it starts in 2040-01"),
        ("rate: {2020-01: 0.5}, end: 2021-06", "does nothing: it ends in 2021-06, before the run"),
        ("rate: {2026-01: 0.5}", ""),
    ],
)
def test_policies_outside_the_run_get_a_note(tmp_path: Path, rule: str, said: str) -> None:
    file = tmp_path / "late.yaml"
    policy = f"policies: {{duty: {{kind: component_tariff, {rule}, chip_regions: [CN]}}}}"
    file.write_text(f"schema_version: 1\nextends: baseline\n{policy}\n", encoding="utf-8")
    code, _, err = call("validate", file)
    assert code == 0
    assert (f"Note: late: policies.duty {said}" in err) if said else not err
    notes = json.loads(call("validate", file, "--json")[1])["files"][0]["notes"]
    assert [said in note for note in notes] == [True] * bool(said)


def test_comparisons_hand_on_the_notes(no_charts: None) -> None:
    policy = "policies.component_tariff.rate={2040-01: 0.5}"
    late = ["--set", policy, "--set", "policies.component_tariff.announced=2040-01"]
    code, out, err = call("compare", "component_50", *TINY, *late, "--json")
    assert code == 0, err
    (note,) = json.loads(out)["notes"]
    assert note.startswith("component_50: policies.component_tariff does nothing")
    assert note in err

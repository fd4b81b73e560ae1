"""All commands: how they are found, help, exit codes, JSON, wrong and hostile arguments."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

import tariffsim.cli
from tariffsim import experiments
from tariffsim.cli import commands
from tariffsim.cli.screen import Command
from tariffsim.errors import StorageError
from tariffsim.record.results import writing_to
from tests.cli.calling import call
from tests.processes import PROGRAM, needs_signals

HEAVY = {"numpy", "pandas", "scipy", "mesa", "matplotlib", "networkx"}
MODULES = [module.name for module in pkgutil.iter_modules(tariffsim.cli.__path__)]

# How commands are found


@pytest.mark.parametrize("name", MODULES)
def test_every_command_of_a_module_is_listed(name: str) -> None:
    """A module of the package that defines a `Command` adds it, and nothing else is needed."""
    module = importlib.import_module(f"tariffsim.cli.{name}")
    defined = [thing for thing in vars(module).values() if isinstance(thing, click.Command)]
    for command in defined:
        assert isinstance(command, Command), f"{name}: {command.name} needs cls=Command, order=N"
        assert commands.commands.get(str(command.name)) is command, f"{name}: not found"
        assert command.short_help, f"{name}: {command.name} needs a short_help"
        assert "\n\b\nExample" in str(command.help), f"{name}: {command.name} needs examples"


def test_commands_are_in_the_order_that_they_say() -> None:
    orders = {name: command.order for name, command in commands.commands.items()}
    assert list(orders.values()) == sorted(orders.values())
    shared = [name for name, order in orders.items() if list(orders.values()).count(order) > 1]
    assert shared == [], "commands need an order of their own"
    assert next(iter(orders)) == "compare"


def test_a_command_is_found_by_being_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "greet.py").write_text(
        "import click\nfrom tariffsim.cli.screen import Command\n\n"
        "@click.command(cls=Command, order=5)\n"
        "def greet(screen):\n    'Greet.'\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(tariffsim.cli, "__path__", [*tariffsim.cli.__path__, str(tmp_path)])
    assert "greet" in {command.name for command in tariffsim.cli.found()}
    monkeypatch.delitem(sys.modules, "tariffsim.cli.greet")


# What is imported when


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "compare --help",
        "validate no_such_scenario",
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


# Help


@pytest.mark.parametrize("name", ["", *commands.commands])
def test_help_has_examples_and_fits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    code, out, _ = call(*name.split(), "--help")
    assert code == 0
    assert f"\n    tariffsim {name}".rstrip() in out.partition("\n")[2]
    assert "..." not in out.partition("Commands:")[2]
    assert max(map(len, out.splitlines())) <= 100


def test_no_arguments_print_help() -> None:
    assert call() == call("--help")
    assert call("-V")[1].startswith("tariffsim 0.")


def test_runs_as_a_module() -> None:
    ended = subprocess.run([*PROGRAM, "--version"], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("tariffsim ")


# Exit codes


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("compar", 2, "No such command"),
        ("compare", 2, "Missing argument"),
        ("compare component_50 --seeds 0", 2, "--seeds"),
        ("compare component_50 --jobs -1", 2, "--jobs"),
        ("compare component_50 --market XX", 2, "there is no market XX"),
        ("compare component_50 --equal rate", 2, "effect"),
        ("run component_50 --baseline baseline", 2, "--baseline"),
        ("list colours", 2, "scenarios"),
        ("list", 2, "Choose from: scenarios, instruments, codes, parameters"),
        ("new x.yaml --from component_5", 2, "component_50"),
        ("solve component_50", 2, "give one of --target"),
        ("solve component_50 --target cn_share=9 --like baseline", 2, "give one of --target"),
        ("solve component_50 --target cn_share", 2, "must be NAME=NUMBER"),
        ("solve component_50 --target cn_share=nan", 2, "must be NAME=NUMBER"),
        ("solve component_50 --target cn_shar=9", 2, "there is no metric cn_shar"),
        ("solve component_50 --against tariff=9", 2, "--against must be one of"),
        ("solve component_50 --target cn_share=9 --between 0.5", 2, "--between must be LOW:HIGH"),
        ("timing component_50 --start soon", 2, "such as 2025-01..2030-01"),
        ("timing component_50 --start 2030..2026", 2, "must not end before it begins"),
        ("frontier component_50 --rates 0:1", 2, "--rates must be LOW:HIGH:STEP"),
        ("compare no_such_file.yaml", 3, "there is no such file"),
        ("compare component_5", 3, "did you mean component_50?"),
        ("explain component_50 supply.learnin", 3, "did you mean supply.learning?"),
        ("solve component_50 --target cn_share=9 --between 0:9", 3, "must be between 0 and 5"),
        ("solve component_50 sourcing.elastic --target cn_share=9", 3, "is not a key that can be"),
        ("solve baseline --target cn_share=9", 3, "no policy whose rate could be changed"),
        ("decompose baseline baseline", 3, "does not differ"),
        ("timing baseline --start 2026", 3, "no policy to move"),
        ("frontier baseline", 3, "no policy whose rate could be changed"),
        ("compare component_50 --out /dev/null/x", 5, "cannot write results"),
        ("new /dev/null/x.yaml", 5, "cannot write"),
        ("new there.yaml", 5, "exists already"),
        ("compare component_50 --out .", 5, "holds something else than results"),
        ("compare component_50 --out there.yaml", 5, "is not a folder"),
        ("pack nowhere", 5, "is not a complete results folder"),
        ("verify nowhere", 5, "is not a complete results folder"),
        ("runs results", 5, "has no stored runs"),
    ],
)
def test_exit_codes(words: str, code: int, message: str, tmp_path: Path, no_run: None) -> None:
    (tmp_path / "there.yaml").write_text("precious", encoding="utf-8")
    found, out, err = call(*words.split())
    assert (found, out) == (code, "")
    assert message in " ".join(err.split())
    assert (tmp_path / "there.yaml").read_text(encoding="utf-8") == "precious"


def test_a_folder_in_use_is_refused(tmp_path: Path, no_run: None) -> None:
    with writing_to(tmp_path / "out"):
        code, _, err = call("compare", "component_50", "--out", "out")
    assert (code, "is busy" in err) == (5, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 4, "--jobs 1"),
        (ZeroDivisionError("oh"), 1, "internal error: ZeroDivisionError: oh\nPlease report it"),
        (OSError(28, "No space left on device", "x"), 5, "No space left"),
    ],
)
def test_failures_during_a_run(
    error: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(experiments, "compare", fail)
    for debug in ([], ["--debug"]):
        found, _, err = call("compare", "component_50", "--out", "out", *debug)
        assert found == code
        assert message in err
        assert ("Traceback" in err) == bool(debug)
    assert list(tmp_path.iterdir()) == []


# JSON


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


# Hostile arguments and surroundings


HOSTILE = (
    "", " ", "-", "--", "..", "/", "~", "\x1b[31mred", "a\nb", "a\x00b", "\udcff", "[bold]x[/bold]",
    "%s{0}", "../../../etc/passwd", "/dev/zero", "/dev/stdin", "/proc/self/mem", "x" * 5000,
    "а" * 10, "CON", "component_50\u202e", "=", "--set", "-9", "$(touch x)", "component_50.yaml",
)  # fmt: skip


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
    def stop(*_: object, **__: object) -> None:
        raise StorageError("far enough")

    monkeypatch.setattr(experiments, "compare", stop)
    code, out, err = call(*(part.replace("{}", word) for part in words))
    assert code in (0, 2, 3, 5)
    assert "Traceback" not in err
    assert "internal error" not in err
    assert not set(out + err) & {"\x1b", "\x00", "\u202e", "\udcff"}


@needs_signals
def test_a_closed_pipe_is_no_error() -> None:
    command = " ".join([*PROGRAM, "list parameters | head -n 1"])
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w") as full:
            ended = subprocess.run([*PROGRAM, "schema"], stdout=full, stderr=subprocess.PIPE)
        assert ended.returncode == 5
        assert b"No space left" in ended.stderr
        assert b"Traceback" not in ended.stderr


def test_plain_letters_are_enough() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    for words in (["list", "scenarios"], ["explain", "component_late"], ["--help"]):
        ended = subprocess.run([*PROGRAM, *words], capture_output=True, env=environment)
        assert (ended.returncode, ended.stderr) == (0, b"")

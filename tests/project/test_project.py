"""The project as a whole: what is imported when, how large files are, what the papers say."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import networkx
import pytest
from hatchling.builders.wheel import WheelBuilder

import tariffsim

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tariffsim"
sys.path.insert(0, str(ROOT))
import tasks  # noqa: E402  the tasks are a script beside the package

HEAVY = {"numpy", "pandas", "scipy", "mesa", "matplotlib", "networkx"}
LONGEST_MODULE = 500


def loaded(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after a statement."""
    code = (
        f"{statement}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    )
    command = [sys.executable, "-c", code]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_importing_the_package_is_light() -> None:
    assert not loaded("import tariffsim") & (HEAVY | {"pydantic", "yaml", "click", "rich"})


def test_validation_needs_no_numpy() -> None:
    assert not loaded("import tariffsim.scenario, tariffsim.policy, tariffsim.tables") & HEAVY


@pytest.mark.parametrize("words", ["", "--help"])
def test_command_line_starts_light(words: str) -> None:
    """The start is held by what is imported: time would depend on the machine."""
    statement = "import tariffsim.cli"
    if words:
        statement = (
            "import contextlib, io\nfrom tariffsim.cli import commands\n"
            f"with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
            f"    commands.main({words.split()!r})"
        )
    assert not loaded(statement) & (HEAVY | {"pydantic", "yaml", "rich", "filelock"})


def test_economics_needs_no_mesa_and_no_matplotlib() -> None:
    modules = sorted(path.stem for path in (PACKAGE / "kernels").glob("[a-z]*.py"))
    statement = "\n".join(f"import tariffsim.kernels.{name}" for name in modules)
    assert modules
    assert not loaded(statement) & {"mesa", "matplotlib", "pandas", "networkx", "pydantic"}


def program(name: str) -> str:
    """Path of a program installed beside the interpreter."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or name


def test_imports_go_downwards_only() -> None:
    command = [program("lint-imports"), "--no-logo"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_no_module_is_reached_by_its_own_imports_even_those_for_types() -> None:
    """The contract leaves out what is imported for annotations alone."""
    found = networkx.DiGraph()
    graph = grimp.build_graph("tariffsim", cache_dir=None, exclude_type_checking_imports=False)
    for module in graph.modules - {"tariffsim"}:  # the face of the package hands names on
        found.add_edges_from((module, it) for it in graph.find_modules_directly_imported_by(module))
    found.remove_node("tariffsim")
    assert len(found) > 100
    assert [c for c in networkx.strongly_connected_components(found) if len(c) > 1] == []


def test_public_names_have_docstrings() -> None:
    command = [program("ruff"), "check", "--no-cache", "--select", "D1", "--ignore", "D105,D107"]
    finished = subprocess.run([*command, "tariffsim"], cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout


def test_modules_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_the_wheel_holds_the_scenarios_and_their_tables(tmp_path: Path) -> None:
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    held = set(zipfile.ZipFile(built).namelist())
    scenarios = ROOT / "scenarios"
    needed = {path.relative_to(scenarios).as_posix() for path in scenarios.rglob("*.*")}
    assert "hindcast_2017/us_imports_2017.csv" in needed
    assert {f"tariffsim/scenarios/{name}" for name in needed} <= held


def test_version_is_the_same_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\nversion: {tariffsim.__version__}\n" in citation
    assert f"## [{tariffsim.__version__}]" in changes


def test_lock_names_packages_and_hashes_only() -> None:
    lines = tasks.LOCK.read_text(encoding="utf-8").splitlines()
    wanted = re.compile(r"#.*|[\w.-]+==[\w.]+( ;.*)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|")
    assert [line for line in lines if not wanted.fullmatch(line)] == []
    assert "mesa==" in "\n".join(lines)


def imported(script: Path) -> set[str]:
    """Top-level names that a script imports from elsewhere, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names


def test_what_tests_import_is_installed_with_them() -> None:
    """Not by chance, as a part of the lock or of another package (a fresh machine has no lock)."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    declared = {
        re.split(r"[^\w.-]", requirement)[0].lower()
        for requirement in project["dependencies"] + project["optional-dependencies"]["test"]
    }
    providers = packages_distributions()
    names = set().union(*(imported(script) for script in (ROOT / "tests").rglob("*.py")))
    foreign = {name for name in names if name in providers and name != "tariffsim"}
    assert {
        name for name in foreign if not {p.lower() for p in providers[name]} & declared
    } == set()


def test_tasks_are_listed_and_known() -> None:
    finished = subprocess.run(
        [sys.executable, ROOT / "tasks.py"], capture_output=True, text=True, check=True
    )
    assert all(f"\n  {task.__name__} " in finished.stdout for task in tasks.TASKS)


def test_unknown_task_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert tasks.main(["tests"]) == 2
    assert "there is no task 'tests'" in capsys.readouterr().err


def test_old_interpreter_is_told_what_is_needed() -> None:
    with pytest.raises(tasks.TaskError, match=r"needs Python 3\.11 or newer, this is 3\.9"):
        tasks.require_python((3, 9, 2))


def test_missing_venv_module_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tasks.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(tasks.TaskError, match=r"sudo apt install python3\.\d+-venv"):
        tasks.make_environment(tmp_path / "env")


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious", encoding="utf-8")
    with pytest.raises(tasks.TaskError, match="not a virtual environment and not empty"):
        tasks.make_environment(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_environment_is_filled_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran: list[tuple[str, ...]] = []

    def pretend(*command: object, **_: object) -> None:
        words = tuple(map(str, command))
        ran.append(words)
        if "venv" in words:
            environment.python.parent.mkdir(parents=True)
            environment.python.touch()

    monkeypatch.setattr(tasks, "run", pretend)
    environment = tasks.Environment(tmp_path / "env")
    environment.ensure()
    environment.ensure()
    assert len(ran) == 2
    environment.ensure("test")
    environment.ensure()
    assert len(ran) == 3
    assert ran[-1][-1] == f"{ROOT}[test]"
    monkeypatch.setattr(tasks, "python_name", lambda: "another interpreter")
    environment.folder.rename(tmp_path / "old")
    environment.ensure()
    assert len(ran) == 5

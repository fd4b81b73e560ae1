"""What the documentation shows in Python works, page by page, in a folder of its own.

A block whose first line is a comment with the path of a file is written to that file. A page that
adds a file to the package gets a copy of the package to add it to.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(python|yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# ([\w./]+\.(?:py|yaml))\n")


def pages() -> list[Path]:
    found = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [page for page in found if "\n```python\n" in page.read_text(encoding="utf-8")]


def unfold(page: Path, folder: Path) -> tuple[list[str], str]:
    """Write the files that a page shows; return them and the rest of its Python."""
    files, script = [], []
    for language, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        named = FILE.match(code)
        if named:
            files.append((named[1], code))
        elif language == "python":
            script.append(code)
    if any(name.startswith("tariffsim/") for name, _ in files):
        skip = shutil.ignore_patterns("__pycache__")
        for part in ("tariffsim", "scenarios"):
            shutil.copytree(ROOT / part, folder / part, ignore=skip)
    for name, code in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(code, encoding="utf-8")
    return [name for name, _ in files], "\n".join(script)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONWARNINGS": "error"}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, text=True, capture_output=True,
        timeout=600, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=pytest.mark.slow if "experiments" in page.name else ())
     for page in pages()],
    ids=lambda page: page.stem,
)  # fmt: skip
def test_python_of_the_page_runs(page: Path, tmp_path: Path) -> None:
    _, script = unfold(page, tmp_path)
    (tmp_path / "page.py").write_text(script, encoding="utf-8")
    done = run(tmp_path, "page.py")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_instrument_of_the_page_keeps_the_contract(tmp_path: Path) -> None:
    """A file dropped into the policy folder is found, and the contract tests take it up."""
    files, _ = unfold(ROOT / "docs" / "how_to_add_an_instrument.md", tmp_path)
    assert {"tariffsim/policy/area_tariff.py", "tariffsim/policy/chip_allowance.py"} <= set(files)
    (tmp_path / "tests" / "policy").mkdir(parents=True)
    for name in ("conftest.py", "economies.py", "policy/test_instruments.py"):
        shutil.copy(ROOT / "tests" / name, tmp_path / "tests" / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    done = run(
        tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider",
        "tests/policy/test_instruments.py",
        "-k", "area_tariff or chip_allowance or kinds_name_their_files",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 20  # type: ignore[index]


def test_tables_of_results_are_all_described() -> None:
    from tariffsim.record.result_tables import AXES

    text = (ROOT / "docs" / "how_to_use_results.md").read_text(encoding="utf-8")
    for table in (*AXES, "headline", "summary", "base_year"):
        assert f"| `{table}` |" in text, table


def test_a_pull_request_has_the_checklist_of_contributing() -> None:
    pages = ROOT / "CONTRIBUTING.md", ROOT / ".github" / "pull_request_template.md"
    wanted, given = (
        re.findall(r"^- \[ \] .+$", page.read_text(encoding="utf-8"), re.MULTILINE)
        for page in pages
    )
    assert wanted == given != []

"""What README and docs tell people to type works: every `tariffsim` line of their sh blocks.

Comparisons run with few makers, months and seeds. A block after `<!-- slow -->` is left out; it
must be covered elsewhere.
"""

from __future__ import annotations

import io
import re
import shlex
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tariffsim.cli import commands as group

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(<!-- slow -->\s*)?^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
TINY = "--seeds 2 --jobs 1 --set agents.makers=150 --set run.end=2025-12"


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for slow, kind, text in found if kind == language and not slow]


def commands(page: Path) -> list[str]:
    text = "".join(blocks(page, "sh")).replace("\\\n", " ")
    return [line for line in text.splitlines() if line.startswith("tariffsim ")]


def made_small(command: str) -> str:
    """The same comparison, soon done."""
    is_run = re.match(
        r"tariffsim (compare|run|sweep|sensitivity|solve|frontier|decompose|timing) ", command
    )
    if not is_run:
        return command
    return is_run[0] + TINY + " " + re.sub(r" --(seeds|precision) \S+", "", command[is_run.end() :])


def with_commands() -> list[Any]:
    """Pages that show commands; one of them shows every experiment."""
    return [
        pytest.param(page, marks=pytest.mark.slow if "experiments" in page.name else ())
        for page in PAGES
        if commands(page)
    ]


@pytest.mark.parametrize("page", with_commands(), ids=lambda page: page.name)
def test_commands_of_a_page_work(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in blocks(page, "yaml"):
        if named := re.match(r"# (\S+\.yaml)\n", text):
            (tmp_path / named[1]).write_text(text, encoding="utf-8")
    for text in blocks(page, "csv"):
        first, _, rest = text.partition("\n")
        (tmp_path / first.removeprefix("# ")).write_text(rest, encoding="utf-8")
    for command in commands(page):
        words, _, target = made_small(command).partition(" > ")
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            group.main(shlex.split(words, comments=True)[1:])
        assert ended.value.code == 0, f"{command}\n{out.getvalue()}\n{err.getvalue()}"
        assert out.getvalue()
        if target:
            (tmp_path / target.strip()).write_text(out.getvalue(), encoding="utf-8")
        if "compare" in words:  # charts once a page: they take most of the time
            monkeypatch.setattr("tariffsim.report.publishing", lambda *_: nullcontext())


def test_every_command_is_shown_somewhere() -> None:
    shown = {command.split()[1] for page in PAGES for command in commands(page)}
    assert shown >= set(group.commands)

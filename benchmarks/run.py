"""Run every benchmark of this folder: `python benchmarks/run.py [--quick] [--record]`.

Lines `figure = value` are the figures to follow. `--record` appends them to history.csv with the
date, the commit and the machine.
"""

from __future__ import annotations

import csv
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
FIGURE = re.compile(r"^(.+) = ([-+.\de]+)$", re.MULTILINE)
ALONE = ("run.py", "plain_mesa.py")
"""Scripts that are not benchmarks by themselves."""


def machine() -> str:
    """Model of the processor, and its cores."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
        (model, *_) = re.findall(r"^model name\s*: (.+)$", text, re.MULTILINE)
    except (OSError, ValueError):
        model = platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores"


def printed(script: Path, words: list[str]) -> str:
    """What a script prints, passed on line by line."""
    command, lines = [sys.executable, str(script), *words], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(process.returncode)
    return "".join(lines)


def record(figures: list[tuple[str, str]], is_quick: bool) -> None:
    """Append figures to the history."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True
    ).stdout.strip()
    fixed = [f"{datetime.now(UTC):%Y-%m-%d}", commit, machine()]
    with (HERE / "history.csv").open("a", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        if not file.tell():
            rows.writerow(["date", "commit", "machine", "figure", "value"])
        kind = " (quick)" if is_quick else ""
        rows.writerows([*fixed, figure + kind, value] for figure, value in figures)


def main() -> None:
    """Run the scripts one after the other, each in its own process."""
    words, figures = [word for word in sys.argv[1:] if word != "--record"], []
    for script in sorted(HERE.glob("*.py")):
        if script.name not in ALONE:
            print(f"\n{script.name}", flush=True)
            figures += FIGURE.findall(printed(script, words))
    if "--record" in sys.argv:
        record(figures, "--quick" in sys.argv)


if __name__ == "__main__":
    main()

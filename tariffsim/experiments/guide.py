"""The README of a replication package, after the template of data editors in economics.

Vilhuber, Connolly, Koren, Llull and Morrow (2022), A template README for social science
replication packages, version 1.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tariffsim.record.results import Results

_README = """\
# Replication package: {title}

## Overview

Everything below is made by one command from the scenarios in `results/scenarios`:

    python replicate.py

It makes an environment in `.venv` with the versions of `requirements.txt` (this needs a network),
checks every file of this package against `SHA256SUMS`, runs all scenarios again and compares every
table with the one in `results/`. It prints `bit-identical`, `within 1e-9` or `moved`. With these
packages installed already, `python replicate.py --here` takes the interpreter it is called with.

## Data availability

All data are in the package; nothing is restricted, nothing personal. Where each figure comes from
is said in its row, by keys of `code/tariffsim/data/sources.csv`; figures marked `assumption` there
are nobody's data.

| file | provided |
|---|---|
{data}

## Computational requirements

- Python {python} on {system}; packages as in `requirements.txt`
- {runs} runs of {months} months; {seconds:.0f} seconds of wall time where they were made
- Random numbers are keyed by seed, stream and month: seeds {first} to {last}. The same machine and
  versions give the same bits for any number of processes; other machines agree to 1e-9.

## Programs

| folder | holds |
|---|---|
| `code/tariffsim` | the model, tariffsim {version}, as it was installed |
| `code/scenarios` | the scenarios that it ships |
| `results/scenarios` | what was run: every value of every scenario |

## Results

| file | holds |
|---|---|
{tables}

Columns are described in `results/variables.csv`. `results/headline.csv` has the numbers of the
headline table, with 95 % intervals over seeds. Charts and report, where there are any, are drawn
from these tables.

| scenario | title |
|---|---|
{scenarios}
"""

_REPLICATE = '''\
"""Run everything again and compare: `python replicate.py`, or with `--here` in this interpreter."""

import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent


def interpreter() -> str:
    """Of an environment with the versions of requirements.txt."""
    if "--here" in sys.argv:
        return sys.executable
    folder = HERE / ".venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    wanted = ["-r", str(HERE / "requirements.txt")]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    return str(python)


os.environ["PYTHONPATH"] = str(HERE / "code")
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
command = [interpreter(), "-m", "tariffsim", "verify", str(HERE)]
sys.exit(subprocess.run(command).returncode)
'''


def replicate_script() -> str:
    """The one command."""
    return _REPLICATE


def guide(results: Results, data: Sequence[str], here: Mapping[str, Any]) -> str:
    """The README, with the facts of these results."""
    facts, (first, last) = results.provenance, results.provenance["seeds"]
    titles = {name: title.replace("|", "/") for name, title in results.titles.items()}
    months = results.tables["market_month"]["month"].nunique()
    return _README.format(
        title=", ".join(titles.values()),
        data="\n".join(f"| `{path}` | yes |" for path in data),
        python=facts.get("python", here["python"]),
        system=" ".join(map(str, facts.get("machine", here["machine"]).values())),
        runs=len(titles) * (last - first + 1),
        months=months,
        seconds=facts.get("wall_seconds", 0.0),
        first=first,
        last=last,
        version=facts.get("tariffsim", here["tariffsim"]),
        tables="\n".join(
            f"| `results/{name}.csv` | {len(table):,} rows |"
            for name, table in results.tables.items()
        ),
        scenarios="\n".join(f"| `{name}` | {title} |" for name, title in titles.items()),
    )

"""Execute every notebook from a clean state and compare with what is stored.

`python3 tasks.py notebooks` compares; with `--write` it stores what the notebooks print. As many
are executed side by side as there are cores, each on one.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).resolve().parent
HANGS = 900  # seconds after which a cell is taken to hang, on a busy machine too
LARGEST = 400_000  # bytes a notebook may have, outputs included
VARIES = re.compile(r"\b0x[0-9a-f]{6,}\b|(?<=<Figure size )[^>]*")
"""Addresses, and sizes of pictures, which follow the length of their text."""


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook with fresh outputs, and nothing that differs from run to run."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(
        notebook,
        timeout=HANGS,
        kernel_name="python3",
        coalesce_streams=True,  # how output is cut into pieces depends on the machine
        resources=resources,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
    ).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def outputs(notebook: nbformat.NotebookNode) -> Iterator[str]:
    """What a reader sees, as lines; of a picture only its kind, since fonts differ."""
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text = output.get("text") or data.get("text/plain", "")
            yield f"cell {number}: {output.output_type} {', '.join(sorted(data))}"
            yield from VARIES.sub("...", text).splitlines()


def compared(stored: Iterator[str], fresh: Iterator[str]) -> Iterator[str]:
    """The lines that differ, as a unified diff."""
    return difflib.unified_diff(list(stored), list(fresh), "stored", "now", n=1, lineterm="")


def problems(path: Path, write: bool) -> list[str]:
    """What is wrong with a notebook; stores its outputs on request."""
    name = path.relative_to(HERE.parent)
    began = time.monotonic()
    try:
        fresh = executed(path)
    except CellExecutionError as error:
        return [f"{name} stops with an error:\n{error}"]
    seconds = time.monotonic() - began
    found = []
    stored = nbformat.read(path, as_version=4)
    if write:
        nbformat.write(fresh, path)
    elif difference := list(compared(outputs(stored), outputs(fresh))):
        found.append("\n".join([f"{name} shows something else now:", *difference]))
    if path.stat().st_size > LARGEST:
        found.append(f"{name} has {path.stat().st_size:,} bytes, more than {LARGEST:,}")
    text = f"{name}: {seconds:.1f} s{'' if not found else ', ' + str(len(found)) + ' problems'}"
    print(text, flush=True)
    return found


def main() -> int:
    """Execute all notebooks, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="store the outputs")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all")
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["NO_COLOR"] = "1"  # what is stored is the same on a terminal and in CI
    os.environ.pop("MPLBACKEND", None)  # figures are shown in the notebook, whatever else is set
    paths = [path.resolve() for path in chosen.notebooks] or sorted(HERE.rglob("[0-9]*.ipynb"))
    with ThreadPoolExecutor(os.cpu_count()) as kernels:
        each = list(kernels.map(partial(problems, write=chosen.write), paths))
    found = [problem for one in each for problem in one]
    print(f"{len(paths)} notebooks executed, {len(found)} problems")
    if found:
        print("\n" + "\n\n".join(found))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())

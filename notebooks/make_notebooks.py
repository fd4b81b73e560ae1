"""Make every notebook from its source in `sources/`: Markdown, with cells of Python between fences.

`python notebooks/make_notebooks.py [NAME ...]` executes each from a clean state and stores it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from execute import HERE, executed

SOURCES = HERE / "sources"
CODE = re.compile(r"^```python\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def notebook(source: str) -> nbformat.NotebookNode:
    """The cells of a source, without outputs."""
    made = nbformat.v4.new_notebook()
    for number, text in enumerate(CODE.split(source)):
        kind = nbformat.v4.new_code_cell if number % 2 else nbformat.v4.new_markdown_cell
        if text.strip():
            made.cells.append(kind(text.strip(), id=f"cell-{len(made.cells)}"))
    return made


def target(source: Path) -> Path:
    """Where the notebook of a source is stored."""
    return (HERE / source.relative_to(SOURCES)).with_suffix(".ipynb")


def main() -> None:
    """Make all notebooks, or those whose source has one of the given names in its path."""
    for source in sorted(SOURCES.rglob("*.md")):
        if len(sys.argv) == 1 or any(name in str(source) for name in sys.argv[1:]):
            path = target(source)
            path.parent.mkdir(exist_ok=True)
            nbformat.write(notebook(source.read_text(encoding="utf-8")), path)
            nbformat.write(executed(path), path)
            print(f"{path.relative_to(HERE.parent)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

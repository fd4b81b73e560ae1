"""Make every notebook from its source in `sources/`: Markdown, with cells of Python between fences.

`python notebooks/make_notebooks.py [NAME ...]` executes each from a clean state and stores it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "sources"
CODE = re.compile(r"^```python\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def cells(source: str) -> list[tuple[str, str]]:
    """Kind and text of each cell."""
    kinds = ("markdown", "code")
    split = [(kinds[i % 2], text.strip()) for i, text in enumerate(CODE.split(source))]
    return [(kind, text) for kind, text in split if text]


def target(source: Path) -> Path:
    """Where the notebook of a source is stored."""
    return (HERE / source.relative_to(SOURCES)).with_suffix(".ipynb")


def notebook(source: str) -> Any:
    """A notebook without outputs."""
    from nbformat import v4

    made = v4.new_notebook()
    make = {"markdown": v4.new_markdown_cell, "code": v4.new_code_cell}
    made.cells = [make[kind](text, id=f"cell-{i}") for i, (kind, text) in enumerate(cells(source))]
    return made


def main() -> None:
    """Make all notebooks, or those whose source has one of the given words in its path."""
    import nbformat
    from execute import executed

    for source in sorted(SOURCES.rglob("*.md")):
        if len(sys.argv) == 1 or any(word in str(source) for word in sys.argv[1:]):
            path = target(source)
            path.parent.mkdir(exist_ok=True)
            draft = path.with_name(f".{path.name}")  # what is stored stays if a cell fails
            try:
                nbformat.write(notebook(source.read_text(encoding="utf-8")), draft)
                nbformat.write(executed(draft), draft)
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
            print(f"{path.relative_to(HERE.parent)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

"""How Sphinx builds the pages into a site: `python3 tasks.py docs --site`.

The sources are the Markdown pages as they read on a code host. What a site needs beside them, the
order of pages and the details of the API, is added while they are read. Formulas become MathML:
no script, no request.
"""

from __future__ import annotations

import inspect
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.util import logging

ROOT = Path(__file__).resolve().parent.parent
SCENARIOS = ROOT / "docs" / "scenarios"
sys.path.insert(0, str(ROOT))

from tariffsim import __version__  # noqa: E402

project = "tariffsim"
author = "the tariffsim contributors"
copyright = author
release = version = __version__

root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "scenarios/README.md"]
exclude_patterns = [".*", "*.egg-info", "benchmarks", "build", "dist", "results", "tests",
                    "tariffsim", "notebooks", "requirements", "schema"]  # fmt: skip
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["myst.header"]  # a generated page may start with a lower heading

autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_use_ivar = True
default_role = "code"

html_theme = "furo"
html_title = f"tariffsim {release}"
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"
smartquotes = False

WIDE = "padding: 0.5em 0; overflow-x: auto; overflow-y: hidden"
NAVIGATION = "\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{pages}\n```\n"
DETAILS = "\n\n```{{eval-rst}}\n.. auto{kind}:: {name}\n{options}\n```\n"
MEMBERS = "   :members:"


def sections(text: str) -> Iterator[tuple[str, list[str]]]:
    """Heading and linked pages of each section of the map."""
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        pages = re.findall(r"\]\(([\w./]+)\.md\)", section)
        yield section.partition("\n")[0], list(dict.fromkeys(pages))


def add_to_page(app: Sphinx, page: str, source: list[str]) -> None:
    """The map of pages becomes the navigation; the table of names is followed by their details."""
    if page == root_doc:
        for caption, pages in sections(source[0]):
            source[0] += NAVIGATION.format(caption=caption, pages="\n".join(pages))
    elif page == "scenarios/README":
        pages = (f"../docs/scenarios/{path.stem}" for path in sorted(SCENARIOS.glob("*.md")))
        source[0] += NAVIGATION.format(caption="Scenarios", pages="\n".join(pages))
    elif page == "docs/api":
        source[0] += "\n## In detail\n" + "".join(details(source[0]))


def details(text: str) -> Iterator[str]:
    """What autodoc says of each name of the table of names."""
    found = runpy.run_path(str(ROOT / "docs" / "make_api_page.py"))["found"]
    for name in re.findall(r"^\| `([\w.]+)` \|", text, flags=re.MULTILINE):
        thing = found(name)
        kind = "module" if inspect.ismodule(thing) else "function"
        if inspect.isclass(thing):
            kind = "exception" if issubclass(thing, Exception) else "class"
        options = "" if kind == "function" else MEMBERS
        yield DETAILS.format(kind=kind, name=name, options=options)


def without_type(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: Any) -> None:
    """What stands before a colon in the docstring of an attribute is no type: it is annotated."""
    if what in ("attribute", "data"):
        lines[:0] = ["..", ""]  # a comment, which has no colon


def mathml(node: nodes.math | nodes.math_block) -> str:
    """A formula as MathML; what is not understood is a warning with its place."""
    text, is_block = node.astext(), isinstance(node, nodes.math_block)
    found = str(convert(text, display="block" if is_block else "inline"))
    if "\\" in found or "&#x0005C;" in found:
        logging.getLogger(__name__).warning("not understood: %s", text, location=node)
    return found


def inline(writer: Any, node: nodes.math) -> None:
    """Write a formula in a line."""
    writer.body.append(mathml(node))
    raise nodes.SkipNode


def display(writer: Any, node: nodes.math_block) -> None:
    """Write a formula on lines of its own."""
    writer.body.append(f'<div style="{WIDE}">{mathml(node)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """What is particular to these pages."""
    app.connect("source-read", add_to_page)
    app.connect("autodoc-process-docstring", without_type, priority=400)  # before napoleon
    app.add_lexer("csv", TextLexer)
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

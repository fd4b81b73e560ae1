"""`docs`: the documentation that the package carries, in a browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from tariffsim.cli.screen import Command, Screen
from tariffsim.errors import StorageError, nearest

PACKAGE = Path(__file__).resolve().parents[1]
SITE = PACKAGE / "site"
"""Built from the pages by `tasks.py docs --site`; wheels of releases carry it."""
PAGES = PACKAGE.parent / "docs"
"""The pages themselves, in a clone of the repository."""
TO_BUILD = "python3 tasks.py docs --site"


@click.command(cls=Command, order=145, short_help="Open the documentation in a browser.")
@click.argument("page", default="index")
@click.option("--where", is_flag=True, help="Say where it is; open nothing.")
def docs(screen: Screen, page: str, where: bool) -> None:
    """Open the documentation in a browser; it needs no network.

    PAGE is the name of a page, such as model, limits or glossary, or of a shipped scenario.

    Examples:
      tariffsim docs
      tariffsim docs limits
      tariffsim docs component_50 --where
    """
    path = _page(page)
    screen.show(str(path), {"page": path.stem, "path": str(path), "url": path.as_uri()})
    if path.suffix == ".md":
        screen.remark(f"the site with its search is not built here; to build it: {TO_BUILD}")
    if not where and not webbrowser.open(path.as_uri()):
        screen.remark("no browser is found here; open that file in one")


def _page(name: str) -> Path:
    """The file of a page: of the site, or in a clone that has not built it the page itself.

    Raises:
        StorageError: this installation carries no documentation.
        click.UsageError: there is no such page.
    """
    home, suffix = (SITE / "docs", "html") if SITE.is_dir() else (PAGES, "md")
    is_ours = home != PAGES or (PAGES.parent / "pyproject.toml").is_file()
    places = (f"scenarios/*.{suffix}", f"*.{suffix}") if is_ours else ()
    found = {path.stem: path for place in places for path in sorted(home.glob(place))}
    if not found:
        text = f"{SITE}: this installation carries no documentation; in a clone run {TO_BUILD}"
        raise StorageError(f"{text}, and install that")
    if name not in found:
        hint = nearest(name, found) or "`tariffsim docs` opens the map of all pages"
        raise click.UsageError(f"there is no page '{name}'; {hint}")
    return found[name]

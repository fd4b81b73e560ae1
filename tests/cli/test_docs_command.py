"""`docs`: which file it opens, and what it says where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tariffsim.cli import docs as command
from tests.cli.calling import call, json_of


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that would have been opened."""
    found: list[str] = []

    def pretend(address: str) -> bool:
        found.append(address)
        return True

    monkeypatch.setattr(command.webbrowser, "open", pretend)
    return found


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with three pages."""
    pages = tmp_path / "site" / "docs"
    (pages / "scenarios").mkdir(parents=True)
    for name in ("index", "limits", "scenarios/component_50"):
        (pages / f"{name}.html").touch()
    monkeypatch.setattr(command, "SITE", tmp_path / "site")
    return pages


def test_the_site_is_opened(site: Path, opened: list[str]) -> None:
    assert call("docs") == (0, f"{site / 'index.html'}\n", "")
    assert call("docs", "component_50")[0] == 0
    assert opened == [(site / f"{p}.html").as_uri() for p in ("index", "scenarios/component_50")]


def test_where_opens_nothing(site: Path, opened: list[str]) -> None:
    found = json_of("docs", "limits", "--where")
    assert found["url"] == (site / "limits.html").as_uri()
    assert opened == []


def test_without_a_browser_the_file_is_told(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.webbrowser, "open", lambda address: False)
    code, out, err = call("docs")
    assert (code, out) == (0, f"{site / 'index.html'}\n")
    assert "no browser" in err


def test_an_unknown_page_is_refused_with_the_nearest(site: Path) -> None:
    code, _, err = call("docs", "limts", "--where")
    assert code == 2
    assert "there is no page 'limts'; did you mean limits?" in err


def test_a_clone_without_a_site_shows_the_page_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "SITE", tmp_path / "none")
    code, out, err = call("docs", "limits", "--where")
    assert (code, out) == (0, f"{command.PAGES / 'limits.md'}\n")
    assert "tasks.py docs --site" in err


def test_an_installation_without_pages_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").touch()  # of another package
    monkeypatch.setattr(command, "SITE", tmp_path / "none")
    monkeypatch.setattr(command, "PAGES", tmp_path / "docs")
    code, _, err = call("docs", "--where")
    assert code == 5
    assert "carries no documentation" in err

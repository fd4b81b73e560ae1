"""Fixtures of the tests of commands."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from tariffsim import experiments


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a working directory of its own, and output of unlimited width."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts take most of the time of a small run."""
    monkeypatch.setattr("tariffsim.report.publishing", lambda *_: nullcontext())


@pytest.fixture
def no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that gets as far as running anything."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("must not run")

    monkeypatch.setattr(experiments, "compare", refuse)

"""Commands called in this process."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest

from tariffsim.cli import commands


def call(*words: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        commands.main([str(word) for word in words])
    assert isinstance(ended.value.code, int)
    return ended.value.code, out.getvalue(), err.getvalue()


def json_of(*words: object) -> dict[str, Any]:
    """The JSON object of a command that succeeds."""
    code, out, err = call(*words, "--json")
    assert code == 0, err
    return dict(json.loads(out))


def small(seeds: int | None = 2, makers: int = 60, end: str = "2025-06") -> list[str]:
    """Options of a run that takes little time."""
    size = ["--set", f"agents.makers={makers}", "--set", f"run.end={end}"]
    number = [] if seeds is None else ["--seeds", str(seeds)]
    return [*size, *number, "--jobs", "1"]


EARLY = [
    "--set", "policies.component_tariff.rate={2025-01: 0.5}",
    "--set", "policies.component_tariff.announced=2025-01",
]  # fmt: skip
"""Options by which the tariff of component_50 is in force in the months of a small run."""

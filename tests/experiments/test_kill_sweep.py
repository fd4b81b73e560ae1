"""A sweep that is killed and taken up again gives what an undisturbed one gives."""

from __future__ import annotations

import os

import pytest

from tests.experiments.kill_sweep import kill_sweep

KILLS = int(os.environ.get("TARIFFSIM_KILLS", "8"))


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX systems")
def test_nothing_is_lost_or_doubled_by_kills() -> None:
    tally = kill_sweep(KILLS, seeds=5, seed=1)
    assert tally.failed == []
    assert tally.kills == KILLS
    assert tally.is_clean, tally

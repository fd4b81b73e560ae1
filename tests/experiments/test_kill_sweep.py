"""A sweep that is killed and continued gives the results of an undisturbed one."""

from __future__ import annotations

import os

import pytest

from tests.experiments.kill_sweep import kill_sweep
from tests.processes import needs_signals

KILLS = int(os.environ.get("TARIFFSIM_KILLS", "8"))


@pytest.mark.slow
@needs_signals
def test_nothing_is_lost_or_doubled_by_kills() -> None:
    tally = kill_sweep(KILLS, seeds=5, seed=1)
    assert tally.failed == []
    assert tally.kills == KILLS
    assert tally.is_clean, tally

"""Commands that are killed and continued give the results of undisturbed ones."""

from __future__ import annotations

import os

import pytest

from tests.experiments.kill_campaign import COMMANDS, kill_campaign
from tests.processes import needs_signals

KILLS = int(os.environ.get("TARIFFSIM_KILLS", "3"))


@pytest.mark.slow
@needs_signals
@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_lost_or_doubled_by_kills(name: str) -> None:
    tally = kill_campaign(name, KILLS, seed=1)
    assert tally.failed == []
    assert tally.kills == KILLS
    assert tally.is_clean, tally

"""Many broken files: none makes a traceback, a hang, or eats memory."""

import os

import pytest

from tests.scenario.fuzz_scenarios import MEGABYTES, fuzz, peak_memory

FILES = int(os.environ.get("TARIFFSIM_FUZZ_FILES", "20000"))


@pytest.mark.slow
def test_fuzz_files_are_loaded_or_refused():
    counts, broken = fuzz(FILES, seed=1)
    assert broken == []
    assert counts["loaded"] > FILES / 50
    assert counts["denied"] > FILES / 5


def test_fuzz_memory_is_bounded():
    assert peak_memory(300, seed=2) < MEGABYTES

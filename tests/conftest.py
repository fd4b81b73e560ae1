"""Settings of the whole test suite."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("tests.reference.comparison")

# The same examples every time and everywhere, so that a failure is a change of the code;
# `HYPOTHESIS_PROFILE=explore` looks for new ones.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "explore", settings.get_profile("ci"), derandomize=False, max_examples=1000
)
os.environ.pop("COLUMNS", None)  # parallel workers are told the width of another terminal
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

"""Chips in AI-enabled devices: the kernel, and its path in a run."""

from __future__ import annotations

import numpy as np
import pytest

from tariffsim.kernels.demand import ai_content
from tests.economies import STILL, last, merged, scenario


def test_ai_content_is_relative_to_the_start() -> None:
    assert ai_content(np.array([0.2, 0.7]), np.array([0.2, 0.2]), 0.15) == pytest.approx(
        [1.0, (1 + 0.15 * 0.7) / (1 + 0.15 * 0.2)], rel=1e-15
    )


def test_chips_in_devices_follow_adoption_by_market() -> None:
    """Half-way between December 2027 and December 2030 adoption is the mean of the two."""
    uplift = merged(STILL, {"trade": {"ai_chip_uplift": 0.4}})
    figures = {"figures": {"markets": {"CN": {"ai_2025": 0.2, "ai_2027": 0.7, "ai_2030": 0.9}}}}
    run = {"run": {"start": "2025-01", "end": "2030-12"}}
    world = last(scenario(uplift, figures, run, makers=60), 0, 12 * 4 + 6)
    makers, codes = world.makers, world.constants.codes
    home = makers.market == codes.markets.index("CN")
    content = makers.chips / world.constants.chips_per_unit[makers.device]
    able = world.constants.is_ai_capable[makers.device]
    assert home[able].any()
    assert home[~able].any()
    expected = (1 + 0.4 * 0.8) / (1 + 0.4 * 0.2)
    np.testing.assert_allclose(content[home & able], expected, rtol=1e-12)
    np.testing.assert_allclose(
        content[~able], 1.0, rtol=1e-15
    )  # a line's weights sum to one, rounded

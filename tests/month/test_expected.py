"""Every shipped scenario gives its stored expected result."""

from __future__ import annotations

import json

import pytest

from tests.make_expected import FOLDER, SHIPPED, summaries

# The same numbers to the last bit on one machine; across machines and numpy versions sums over
# 1,200 lines may differ by rounding, and sums of differences of them by a thousand times that.
RELATIVE, ABSOLUTE = 1e-9, 1e-9


def test_every_scenario_has_one() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_expected_result(name: str) -> None:
    stored = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    found = summaries(name)
    assert found.keys() == stored.keys()
    for seed, metrics in stored.items():
        assert found[seed] == pytest.approx(metrics, rel=RELATIVE, abs=ABSOLUTE), seed

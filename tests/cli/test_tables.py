"""Printed tables: alignment, headers, intervals, narrow screens."""

from __future__ import annotations

import pandas as pd
import pytest

from tariffsim.cli.screen import Column, show, show_facts

FRONTIER = pd.DataFrame(
    {
        "instrument": ["component_50", "x"],
        "share": [27.123, 9.0],
        "share_low": [26.0, float("nan")],
        "share_high": [28.25, float("nan")],
        "extra_cost": [0.25, 12345.6],
    }
)


def test_results_have_the_headers_of_the_dictionary_and_aligned_numbers() -> None:
    marks = Column("", lambda row: "*" if row["extra_cost"] < 1 else "", is_number=False)
    lines = show(FRONTIER, ("instrument", "share", "extra_cost", marks)).splitlines()
    assert lines == [
        "                        Chinese",
        "                       share of",
        "                          chips  Extra cost",
        "                              %    bn USD a",
        "Instrument               [95 %]        year",
        "component_50  27.1 [26.0, 28.2]        0.25  *",
        "x                           9.0      12,346",
    ]


def test_intervals_stand_below_their_values_on_narrow_screens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = show(FRONTIER, ("instrument", "share", "extra_cost")).splitlines()
    assert lines[-3:] == [
        "component_50          27.1        0.25",
        "              [26.0, 28.2]",
        "x                      9.0      12,346",
    ]


def test_other_rows_have_their_keys_as_headers() -> None:
    rows = [{"name": "a", "runs": 3}, {"name": "bc", "runs": 12}]
    assert show(rows, ("name", "runs")) == "name  runs\na        3\nbc      12"
    assert show_facts([("a", 1), ("bc", "x y")]) == "a   1\nbc  x y"


@pytest.mark.parametrize("columns", [30, 60])
def test_texts_are_wrapped_or_become_paragraphs(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    rows = [{"key": "policies.component_tariff", "unit": "", "meaning": "a text " * 20}]
    text = show(rows, ("key", "unit", "meaning"))
    assert max(map(len, text.splitlines())) <= columns
    assert "policies.component_tariff" in text
    assert text.startswith("key") == (columns == 60)

"""Rows of the tariff calendar that are believed, withdrawn or threatened: what agents expect."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tariffsim
from tariffsim.calibration import build_economy
from tariffsim.calibration.doubt import Span, spans_in_doubt
from tariffsim.calibration.tariff_calendar import spans_of
from tariffsim.explain.remarks import remarks
from tariffsim.policy.strength import chance_in
from tariffsim.scenario import Scenario
from tariffsim.tables import CalendarRow
from tariffsim.typing import format_month, parse_month
from tests.calibration.test_tariff_calendar import calendar, due, expected, refused

EXTRA = "announced,withdrawn,belief,enacted"
LEVY = "2026-01,,VN,Levy,0.10,no,laptop,2025-06,,,"
RISE = "2026-09,,VN,Levy,0.30,no,laptop,2026-03"


def rules(tmp_path: Path, *rows: str, **changes: Any) -> Scenario:
    return calendar(tmp_path, *rows, extra=EXTRA, **changes)


def test_a_doubted_rise_counts_by_its_belief_and_the_rest_stays(tmp_path: Path) -> None:
    found = rules(tmp_path, LEVY, f"{RISE},,0.4,")
    assert expected(found, "2026-02", "2027-01") == pytest.approx(0.10)
    assert expected(found, "2026-03", "2026-08") == pytest.approx(0.10)
    assert expected(found, "2026-03", "2027-01") == pytest.approx(0.6 * 0.10 + 0.4 * 0.30)
    assert expected(found, "2026-09", "2027-01") == pytest.approx(0.30)
    for month, rate in (("2026-08", 0.10), ("2026-09", 0.30)):
        assert due(found, month, "laptop", "VN") == pytest.approx(rate, abs=1e-6)


def test_a_withdrawn_row_leaves_what_was_there(tmp_path: Path) -> None:
    found = rules(tmp_path, LEVY, f"{RISE},2026-07-15,0.4,")
    assert expected(found, "2026-06", "2027-01") == pytest.approx(0.6 * 0.10 + 0.4 * 0.30)
    assert expected(found, "2026-07", "2027-01") == pytest.approx(0.10)
    assert expected(found, "2026-12", "2027-01") == pytest.approx(0.10)
    assert due(found, "2027-01", "laptop", "VN") == pytest.approx(0.10, abs=1e-6)


def test_a_threatened_row_would_replace_the_others_at_once(tmp_path: Path) -> None:
    threat = ",,VN,Levy,0.50,no,laptop,2026-03,2026-11,0.3,no"
    found = rules(tmp_path, LEVY, threat)
    for month in ("2026-03", "2026-04", "2029-01"):
        assert expected(found, "2026-03", month) == pytest.approx(0.7 * 0.10 + 0.3 * 0.50)
    assert expected(found, "2026-02", "2029-01") == pytest.approx(0.10)
    assert expected(found, "2026-11", "2029-01") == pytest.approx(0.10)
    assert due(found, "2026-06", "laptop", "VN") == pytest.approx(0.10, abs=1e-6)
    listed = tariffsim.duty(found, "laptop", "VN", "US", "2026-06").product
    assert [row.law for row in listed if row.rate == 0.5] == [
        "Levy: a threat, never law (belief 0.3)"
    ]


def test_a_threat_by_another_name_would_come_on_top(tmp_path: Path) -> None:
    found = rules(tmp_path, LEVY, ",,VN,Threat,0.50,no,laptop,2026-03,,0.3,no")
    assert expected(found, "2026-03", "2027-01") == pytest.approx(0.10 + 0.3 * 0.50)
    assert due(found, "2027-06", "laptop", "VN") == pytest.approx(0.10, abs=1e-6)


@pytest.mark.parametrize(
    ("fields", "before", "after"),
    [
        ({"start": "2026-09"}, 0.4 * 0.10, 0.0),
        ({"start": "2026-09", "withdrawn": "2026-07"}, 0.4 * 0.10, 0.10),
        ({"start": "2026-09", "end": "2026-12"}, 0.10, 0.10),
        ({"start": "2026-09", "end": "2026-12", "end_known": False}, 0.4 * 0.10, 0.0),
        ({"enacted": False, "withdrawn": "2026-07"}, 0.4 * 0.10, 0.10),
    ],
    ids=["enacted", "withdrawn", "known to end", "not known to end", "threat"],
)
def test_a_doubted_repeal_leaves_the_rest(
    tmp_path: Path, fields: dict[str, Any], before: float, after: float
) -> None:
    """Expected of January 2027: between announcement and start, and once that is decided."""
    ruling = {"kind": "repeal", "share": 1.0, "announced": "2026-03", "belief": 0.6} | fields
    found = rules(tmp_path, LEVY, policies={"ruling": ruling})
    laws = build_economy(found, 0).tariff_schedule.laws

    def on_laptops(now: str) -> float:
        months = parse_month("2027-01"), parse_month(now)
        duties = (law for law in laws if law.raises_duty)
        return float(
            sum(law.by_cell(law.rate_expected(*months, "announced")).max() for law in duties)
        )

    assert on_laptops("2026-02") == pytest.approx(0.10)
    assert on_laptops("2026-04") == pytest.approx(before, abs=1e-9)
    assert on_laptops("2026-10") == pytest.approx(after, abs=1e-9)


def test_a_doubted_row_comes_on_a_duty_of_the_base_year(tmp_path: Path) -> None:
    """What the duties of 2024 have of an instrument is taken off with the same probability."""
    held = "2024-01,,VN,Levy,0.05,yes,laptop,2023-06,,,"
    found = rules(tmp_path, held, "2026-09,,VN,Levy,0.00,no,laptop,2026-03,,0.4,")
    assert expected(found, "2026-02", "2027-01") == 0.0
    assert expected(found, "2026-04", "2027-01") == pytest.approx(-0.4 * 0.05)
    assert expected(found, "2026-09", "2027-01") == pytest.approx(-0.05)


def test_a_group_is_compared_at_expected_rates(tmp_path: Path) -> None:
    more = "announced,withdrawn,belief,enacted,stacking_group"
    found = calendar(
        tmp_path,
        "2026-01,,VN,One,0.10,no,laptop,2025-06,,,,z",
        "2026-09,,VN,Two,0.30,no,laptop,2026-03,,0.4,,z",
        extra=more,
    )
    economy = build_economy(found, 0)
    laws = economy.tariff_schedule
    then, now = parse_month("2027-01"), parse_month("2026-04")
    regime = laws.regime([law.rate_expected(then, now, "announced") for law in laws.laws])
    codes = economy.constants.codes
    cell = codes.cell(codes.devices.index("laptop"), codes.origins.index("VN"), 0)
    found_rate = economy.declarations.origin_duties(regime).rate[cell]
    assert codes.markets[0] == "US"
    assert found_rate == pytest.approx(0.12)


# Any rows: against a plain rule, and against what is known of certain ones


RATES = st.sampled_from([0.0, 0.05, 0.25, 0.5])
START = parse_month("2026-01")


@st.composite
def row_of(draw: st.DrawFn, doubted: bool) -> CalendarRow:
    starts = START + draw(st.integers(0, 30))
    known = starts - draw(st.integers(0, 12))
    enacted = not doubted or draw(st.booleans())
    gone = draw(st.none() | st.integers(0, starts - known)) if doubted else None
    ends = draw(st.none() | st.integers(1, 20)) if enacted and doubted else None
    return CalendarRow.model_construct(
        date=format_month(starts) if enacted else "",
        ends=None if ends is None else format_month(starts + ends),
        date_day=None,
        ends_day=None,
        announced=format_month(known),
        end_known=draw(st.booleans()),
        withdrawn=None if gone is None else format_month(known + gone),
        belief=draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])) if doubted else 1.0,
        enacted=enacted,
        rate=draw(RATES),
        devices=("laptop",),
        against=("VN",),
    )


def believed(row: CalendarRow, now: int) -> float:
    """By hand: nothing before it is known or once withdrawn, all once it is in force."""
    known = parse_month(row.announced or "")
    if now < known or (row.withdrawn is not None and now >= parse_month(row.withdrawn)):
        return 0.0
    if row.enacted and now >= parse_month(row.date):
        return 1.0
    return row.belief


def by_hand(rows: list[CalendarRow], month: int, now: int) -> float:
    """Row after row: what it would put in place of the others, with its probability."""
    level = 0.0
    enacted = sorted((r for r in rows if r.enacted), key=lambda r: parse_month(r.date))
    threats = sorted((r for r in rows if not r.enacted), key=lambda r: parse_month(r.announced))
    for row in (*enacted, *threats):
        if row.enacted and month < parse_month(row.date):
            continue
        own = row.rate or 0.0
        if row.ends and month >= parse_month(row.ends):
            sees_end = parse_month(row.announced or "") if row.end_known else parse_month(row.ends)
            own = 0.0 if now >= sees_end else own
        chance = believed(row, now)
        level = chance * own + (1 - chance) * level
    return level


def level(spans: list[Span], month: int, now: int) -> float:
    return sum(
        chance_in(span.chance, now) * (span.row.rate or 0.0)
        for span in spans
        if span.row is not None and span.starts <= month < span.ends
    )


NOW, AHEAD = st.integers(-14, 60), st.integers(0, 50)


@given(rows=st.lists(row_of(doubted=True), min_size=1, max_size=5), now=NOW, ahead=AHEAD)
def test_spans_in_doubt_are_the_plain_rule(rows: list[CalendarRow], now: int, ahead: int) -> None:
    spans, now = spans_in_doubt(rows), START + now
    month = now + ahead
    assert level(spans, month, now) == pytest.approx(by_hand(rows, month, now), abs=1e-12)
    chances = [chance_in(s.chance, now) for s in spans if s.starts <= month < s.ends]
    assert sum(chances) == pytest.approx(1.0, abs=1e-12)
    in_law = [s for s in spans if s.is_law and s.starts <= month < s.ends]
    by_law = [s for s in spans_of(sorted(rows, key=lambda r: r.starts), ("laptop", "VN"))
              if s.starts <= month < s.ends]  # fmt: skip
    assert sum(s.row.rate or 0.0 for s in in_law if s.row) == sum(
        s.row.rate or 0.0 for s in by_law if s.row
    )
    assert len(in_law) == 1


@given(
    rows=st.lists(row_of(doubted=False), min_size=1, max_size=5, unique_by=lambda r: r.date),
    now=NOW,
    ahead=AHEAD,
)
def test_certain_rows_are_expected_as_if_nothing_were_doubted(
    rows: list[CalendarRow], now: int, ahead: int
) -> None:
    """The spans of law, each expected to stay until the next is known, say the same."""
    rows = sorted(rows, key=lambda r: r.starts)
    if any(later.known_from < row.known_from for row, later in pairwise(rows)):
        return  # the row between is not known of, and its law would begin with the later one's
    now, month = START + now, START + now + ahead
    certain = 0.0
    for span in spans_of(rows, ("laptop", "VN")):
        knows_end = now >= span.end_known_from
        holds = span.starts <= month and (month < span.ends or (not knows_end and now < span.ends))
        if span.row is not None and now >= span.known_from and holds:
            certain += span.row.rate or 0.0
    assert level(spans_in_doubt(rows), month, now) == pytest.approx(certain, abs=1e-12)


# Words


def test_faults_are_told_at_their_cells(tmp_path: Path) -> None:
    text = refused(
        tmp_path,
        "2026-01,2026-05,VN,A,0.10,no,laptop,2025-06,,30,no",
        ",,VN,B,0.10,no,laptop,,,0.5,no",
        ",,VN,C,0.10,yes,laptop,2025-06,,0.5,no",
        ",,VN,D,0.10,no,laptop,2025-06,,,",
        "2026-01,,VN,E,0.10,no,laptop,2025-06,2026-02,,",
        "2026-01,,VN,F,0.10,no,laptop,2025-06,2025-05,,maybe",
        extra=EXTRA,
    )
    for words in (
        "date: must be empty where enacted is no (2026-01)",
        "a threat has no dates: leave date and ends empty",
        "belief: must be a fraction of at most 1 (30)",
        "announced: must be given where enacted is no",
        "in_2024_base: must be no where enacted is no (yes)",
        "date: must be a month such as 2025-07",
        "withdrawn: must not be after 2026-01 (2026-02)",
        "withdrawn: must not be before it is announced in 2025-06 (2025-05)",
        "enacted: must be yes or no (maybe)",
    ):
        assert words in text, f"{words} is not in {text}"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (LEVY, ""),
        (f"{RISE},,0.4,", ""),
        (",,VN,Levy,0.50,no,laptop,2026-03,2026-11,0.3,no", ""),
        (",,VN,Levy,0.50,no,laptop,2041-03,,0.3,no", "it is announced in 2041-03, after the run"),
        (",,VN,Levy,0.50,no,laptop,2020-03,2024-11,0.3,no", "it is withdrawn in 2024-11, before"),
        (",,VN,Levy,0.50,no,laptop,2026-03,,0,no", "its belief is 0"),
        (",,US,Levy,0.50,no,laptop,2026-03,,0.3,no", "nothing crosses a border"),
        ("2026-01,,VN,Levy,0.10,no,laptop,,,0.5,", "nobody knows of it before it is in force"),
        ("2026-01,,VN,Levy,0.10,no,laptop,2026-01,2026-01,0.5,", "before anybody could expect it"),
    ],
)
def test_what_is_idle_is_said(tmp_path: Path, row: str, words: str) -> None:
    said = [remark for remark in remarks(rules(tmp_path, row)) if "Levy" in remark]
    assert [words in remark for remark in said] == ([True] if words else [])


def test_a_row_believed_in_full_is_as_without_the_column(tmp_path: Path) -> None:
    plain = calendar(tmp_path, "2026-01,,VN,Levy,0.10,no,laptop,2025-06", extra="announced")
    (tmp_path / "other").mkdir()
    in_full = rules(tmp_path / "other", "2026-01,,VN,Levy,0.10,no,laptop,2025-06,,1,yes")
    (one, other) = (build_economy(each, 0).tariff_schedule.laws for each in (plain, in_full))
    assert [law.name for law in one] == [law.name for law in other]
    assert [law.instrument for law in one] == [law.instrument for law in other]
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.scope, b.scope)

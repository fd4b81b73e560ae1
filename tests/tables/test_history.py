"""Published outcomes and past imports: right figures in, and the tables agree with each other."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from tariffsim.tables import BARE_CHIPS, History, OutcomeRow, load_history, load_tables
from tariffsim.tables.history import LAST_YEAR

FITTED = {"V1", "V2", "V5", "V6", "V8", "V10", "V13", "V19", "V21"}
ROUNDING = 0.0005
"""Shares of the table of outcomes have three decimals."""


@pytest.fixture(scope="module")
def history() -> History:
    return load_history()


def yearly(history: History, sector: int) -> pd.DataFrame:
    """(year, country) imports and duty of a sector, US$ m."""
    rows = history.by_month[history.by_month["sector"] == sector]
    by = rows.assign(year=rows["month"].str[:4].astype(int)).groupby(["year", "country"])
    return by[["imports_usd_m", "duty_usd_m"]].sum().unstack()


def test_what_may_be_fitted_is_never_a_test(history: History) -> None:
    uses: dict[str, set[str]] = {}
    for row in history.outcomes:
        uses.setdefault(row.id, set()).add(row.use)
    assert {id for id, of in uses.items() if "calibration" in of} == FITTED
    assert not any({"calibration", "test"} <= of for of in uses.values())
    assert sum("test" in of for of in uses.values()) == 12
    assert Counter(row.use for row in history.outcomes) == {
        "calibration": 50, "test": 109, "data": 27,
    }  # fmt: skip


def test_every_scored_row_holds_its_own_value(history: History) -> None:
    for row in history.outcomes:
        if row.is_scored and row.value is not None:
            assert row.holds(row.value), row.name
    by_name = {row.name: row for row in history.outcomes}
    assert by_name["V5.1"].holds(-1.72)
    assert not by_name["V5.1"].holds(-0.5)
    assert by_name["V16.1"].holds(1e9)  # an open bound


def test_every_source_is_listed(history: History) -> None:
    sources = load_tables().sources
    assert {s for row in history.outcomes for s in row.source.split()} <= sources.keys()


@pytest.mark.parametrize(("id", "sector"), [("V21", 334), ("V22", 335)])
def test_shares_of_sectors_are_those_of_the_monthly_table(
    history: History, id: str, sector: int
) -> None:
    imports = yearly(history, sector)["imports_usd_m"]
    share = imports.div(imports["TOTAL"], axis=0)
    rows = history.outcomes_of(id)
    assert len(rows) == 32
    for row in rows:
        year, country = int(row.period[:4]), row.place.split()[-1]
        assert row.level == pytest.approx(share.loc[year, country], abs=ROUNDING), row.name
        of_2017 = next(r.level for r in rows if r.place == row.place and "2017 over" in r.period)
        assert row.value == pytest.approx(np.log(row.level / of_2017), abs=5e-4)  # four digits


def test_collected_duty_is_that_of_the_monthly_table(history: History) -> None:
    for row in history.outcomes_of("V24"):
        tables = yearly(history, int(row.case.split()[-1]))
        ratio = tables["duty_usd_m", "CN"] / tables["imports_usd_m", "CN"]
        assert row.level == pytest.approx(ratio[int(row.period[:4])], abs=1e-4)


def test_tables_end_before_the_year_that_is_kept_for_a_test_from_outside(
    history: History,
) -> None:
    months = pd.concat([history.by_month["month"], history.by_product["month"]])
    assert months.str[:4].astype(int).max() == LAST_YEAR
    assert history.by_year["year"].max() == LAST_YEAR


def test_the_last_year_is_near_the_imports_of_the_base_year(history: History) -> None:
    """General imports with freight are above imports for consumption, by so much as is said."""
    now = {(r.device, r.origin): r.customs_value_usd / 1e6 for r in load_tables().imports}
    last = history.by_year[history.by_year["year"] == LAST_YEAR]
    ratio = {
        country: np.median([
            row.imports_musd / now[row.device, country]
            for row in last[last["country"] == country].itertuples()
            if now.get((row.device, country)) and not row.device.startswith("bare")
        ])
        for country in ("CN", "VN", "MX", "TW")
    }  # fmt: skip
    assert {c: round(100 * (r - 1)) for c, r in ratio.items()} == {
        "CN": 5, "VN": 3, "MX": 1, "TW": 0,
    }  # fmt: skip


def test_shares_on_lists_add_up(history: History) -> None:
    lists = history.list_shares[["l1", "l2", "l3", "l4A", "none"]].sum(axis=1)
    assert lists.to_numpy() == pytest.approx(1.0, abs=0.002)  # three decimals in five columns
    assert set(history.list_shares["device"]) < set(load_tables().devices.codes)
    goods = {*load_tables().devices.codes, *BARE_CHIPS}
    assert set(history.products["device"]) == goods


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"use": "fit"}, "must be calibration or test or data"),
        ({"value": "x"}, "must be a number"),
        ({"low": "", "high": ""}, "must have a bound"),
        ({"low": "0.5"}, "does not hold its value"),
        ({"source": ""}, "is empty"),
    ],
)
def test_wrong_outcomes_are_refused(change: dict[str, str], message: str) -> None:
    cells = {
        "id": "V1", "part": "1", "use": "test", "case": "a", "quantity": "b", "place": "US",
        "period": "2019", "unit": "share", "value": "0.2", "low": "0.1", "high": "0.3",
        "level": "", "source": "S1",
    }  # fmt: skip
    assert OutcomeRow.model_validate(cells).name == "V1.1"
    with pytest.raises(ValueError, match=message):
        OutcomeRow.model_validate(cells | change)

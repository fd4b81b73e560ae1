"""Scenarios that cannot be compared are refused with a key, not by the shapes of arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tariffsim.errors import CalibrationError, NotFiniteError, ProblemsError, ScenarioError
from tariffsim.experiments import compare
from tariffsim.record import result_tables
from tariffsim.record.results import Results
from tariffsim.scenario import load_scenario, replace
from tariffsim.tables import load_tables
from tests.cli.calling import call
from tests.month.extremes import (
    FIGURES,
    codes_with,
    ends_of_figure,
    name_in_runs,
    shipped_value,
)

MONTH = {"agents__makers": 9, "run__start": "2025-01", "run__end": "2025-01"}
BASELINE = replace(load_scenario("baseline"), **MONTH)
SEVEN = {"foundry_regions": {"CN": {"foundries": 7}}}


def test_other_numbers_of_foundries_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("seven.yaml").write_text(
        "schema_version: 1\nextends: baseline\nfigures: {foundry_regions: {CN: {foundries: 7}}}\n",
        encoding="utf-8",
    )
    status, _, said = call("compare", "seven.yaml", "--seeds", 1)
    assert status == 3
    place = "seven.yaml:3:45: figures.foundry_regions.CN.foundries"
    assert f"{place}: differs from baseline, where it is 6 (7)" in said
    world = replace(BASELINE, figures=SEVEN)
    results = compare([replace(world, trade__markup=0.2)], world, seeds=1)  # both have seven
    assert results.tables["foundries"]["foundry"].str.startswith("CN").sum() == 2 * 7 * 4


@pytest.mark.parametrize(("table", "name"), FIGURES, ids=str)
@pytest.mark.filterwarnings("ignore:no product line is sold:UserWarning")
def test_any_figure_may_differ_or_is_refused(table: str, name: str) -> None:
    shipped = getattr(load_tables(), table)
    spec, name = FIGURES[table, name], name_in_runs(name)
    code = codes_with(shipped, name)[0]
    value = shipped_value(shipped, code, name)
    tried = 0
    for end in {*ends_of_figure(spec, value)} - {value}:
        try:
            world = replace(BASELINE, figures={table: {code: {name: end}}})
            compare([world], BASELINE, seeds=1)
        except ProblemsError as refused:
            if not all(problem.key for problem in refused.problems):
                raise
        tried += 1
    assert tried


# What is not defined


@pytest.fixture(scope="module")
def lonely() -> Results:
    """One line, sold in one market."""
    base = replace(BASELINE, agents__makers=1)
    with pytest.warns(UserWarning, match="no product line is sold in EU, JK, CN, ROW with so few"):
        return compare([replace(base, trade__markup=0.2)], base, seeds=2, fixed_parameters=True)


def test_a_market_without_lines_has_no_price_index(lonely: Results) -> None:
    table = lonely.tables["market_month"]
    is_empty = table["price_index"].isna()
    assert set(table.loc[is_empty, "market"]) == set(table.loc[table["lines"] == 0, "market"])
    assert set(table.loc[is_empty, "market"]) == {"EU", "JK", "CN", "ROW"}


def test_all_else_is_a_number(lonely: Results) -> None:
    for name, table in lonely.tables.items():
        numbers = table.select_dtypes("number")
        if name == "headline":  # a cost has no level, and none where nothing is bought
            numbers = numbers[~table["metric"].str.contains("cost_per|resource_shuffling")]
        if name == "base_year":  # some are compared without a tolerance
            free = ["capacity_share", "unknown_origin_value", "lines"]
            numbers = numbers[~table["total"].isin(free)]
        empty = {"price_index"} if name == "market_month" else set()
        wrong = {column for column in numbers if not np.isfinite(numbers[column]).all()}
        assert wrong == empty, name
        assert len(table), name


def test_headlines_of_a_market_without_lines_are_refused(lonely: Results) -> None:
    base = replace(BASELINE, agents__makers=1)
    with pytest.raises(CalibrationError, match=r"agents\.makers: is too small a number"):
        compare([], base, seeds=1, market="CN")
    with pytest.raises(ScenarioError, match="has no market XX"):
        compare([], base, seeds=1, market="XX")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_derived_tables_are_checked(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that no month recorded wrong, but a table computed wrong from it, is refused."""
    monkeypatch.setattr(result_tables, "ratio", lambda top, bottom: np.full_like(top, value))
    with pytest.raises(NotFiniteError, match=r"cn_share of .* became NaN or infinite: baseline"):
        compare([], BASELINE, seeds=1)


def test_scenarios_without_a_base_year_are_refused_together() -> None:
    laptop = {"chip_content": 1.0, "foundational_share": 1.0}
    wrong = {"figures": {"devices": {"laptop": laptop}}}
    twice = {name: replace(BASELINE, **wrong, trade__markup=m) for name, m in
             (("one", 0.2), ("other", 0.3))}  # fmt: skip
    with pytest.raises(CalibrationError, match="1 problem"):
        compare(twice, BASELINE, seeds=1)

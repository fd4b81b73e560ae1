"""Imports by group and country from customs data by code: one file and one command."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tariffsim.errors import DataError
from tariffsim.scenario import load_scenario
from tariffsim.tables import load_tables
from tariffsim.tables.rebuild_imports import main, prefixes_of, rebuilt_imports

Cells = dict[tuple[str, str], tuple[float, float]]
TABLES = load_tables()
HEAD = "year,hs10,country,customs_value_usd,calculated_duty_usd\n"
PREFIXES = {device: prefix for prefix, (device, _) in prefixes_of(TABLES.imports).items()}
ONE_OF_EACH = "".join(f"2025,{p:0<10},JP,1000000,25000\n" for p in PREFIXES.values())
"""A code of every group from Japan."""


@pytest.fixture
def rebuilt(
    tmp_path: Path,
) -> Callable[..., tuple[Cells, str]]:
    def of(text: str, year: int = 2025, market: str = "US") -> tuple[Cells, str]:
        (tmp_path / "extract.csv").write_text(HEAD + text, encoding="utf-8")
        rows, remarks = rebuilt_imports(tmp_path / "extract.csv", year, TABLES, market)
        table = pd.DataFrame(rows).set_index(["device", "origin"])
        cells = table[["customs_value_musd", "calculated_duty_musd"]].itertuples()
        return {key: (value, duty) for key, value, duty in cells}, "\n".join(remarks)

    return of


def test_codes_are_summed_by_group_and_country_and_the_longer_prefix_wins(rebuilt) -> None:
    cells, remarks = rebuilt(
        ONE_OF_EACH
        + "2025,8517.13.0000,CN,1000400,0\n2025,8517130010,CN,2000200,500\n"
        + "2025,8516790000,CN,3000000,300\n2025,8516500030,CN,4000000,400\n"
        + "2024,8517130000,CN,9000000,900\n2025,0101210010,CN,7000000,0\n"
    )
    assert cells["smartphone", "CN"] == (3.001, 0.0)  # 3,000,600 and 500 USD: half goes to even
    assert cells["small_appliance", "CN"] == (3.0, 0.0)
    assert cells["major_appliance", "CN"] == (4.0, 0.0)
    assert cells["drone", "JP"] == (1.0, 0.025)
    assert "1 codes are of no group, 7 m USD: 0101210010" in remarks
    assert "851650 is of major_appliance, the rest of 8516 of small_appliance" in remarks
    assert "no code begins with 8418 842211" in remarks
    assert "nothing is imported from VN MX TW KR EU TH MY IN CA OTHER" in remarks


def test_members_of_the_european_union_are_one_country_and_counted_once(rebuilt) -> None:
    members = ONE_OF_EACH + "2025,8806210000,DE,1000000,0\n2025,8806210000,FR,2000000,0\n"
    cells, remarks = rebuilt(members + "2025,8806210000,EU,3000000,0\n2025,8806210000,GB,1,0\n")
    assert cells["drone", "EU"] == (3.0, 0.0)
    assert cells["drone", "OTHER"] == (0.0, 0.0)
    assert "3.0 m USD of rows of EU are left out, in groups in which its members are" in remarks
    assert "counted as OTHER: GB" in remarks
    cells, _ = rebuilt(ONE_OF_EACH + "2025,8806210000,EU,3000000,0\n")
    assert cells["drone", "EU"] == (3.0, 0.0)


def test_members_in_one_group_leave_rows_of_the_union_in_others(rebuilt) -> None:
    text = "2025,8806210000,DE,1000000,0\n2025,8517130000,EU,5000000,0\n"
    cells, remarks = rebuilt(ONE_OF_EACH + text)
    assert cells["smartphone", "EU"] == (5.0, 0.0)
    assert "left out" not in remarks


def test_a_group_whose_imports_are_all_nothing_is_refused(rebuilt) -> None:
    nothing = ONE_OF_EACH.replace("1000000,25000", "0,0")
    with pytest.raises(DataError, match=f"imports of a code of {len(PREFIXES)} groups"):
        rebuilt(nothing)


def test_another_market_imports_nothing_from_its_own_countries(rebuilt) -> None:
    text = ONE_OF_EACH + "2025,8806210000,DE,1000000,0\n2025,8806210000,US,2000000,0\n"
    cells, remarks = rebuilt(text, market="EU")
    assert cells["drone", "US"] == (2.0, 0.0)
    assert ("drone", "EU") not in cells
    assert "1 rows of the market's own countries are left out" in remarks


def test_all_that_is_wrong_is_said_at_once_with_its_place(rebuilt) -> None:
    bad = (
        "2025,8517130000,CN,100,x\n2025,85,China,-5,0\n25,8517130000,VN,1,0\n"
        "2025,8517130000,MX,0,5\n2025,851713,IN,10,5\n2025,8517130000,TW,1,0\n"
        "2025,8517130000,TW,1,0\n"
    )
    with pytest.raises(DataError) as refused:
        rebuilt(bad)
    found = {(p.line, p.column, p.key, p.given) for p in refused.value.problems}
    assert found == {
        (2, 24, "calculated_duty_usd", "x"), (3, 6, "hs10", "85"), (3, 9, "country", "China"),
        (3, 15, "customs_value_usd", "-5"), (4, 1, "year", "25"),
        (5, 22, "calculated_duty_usd", "5"), (6, 6, "hs10", "851713"), (8, 6, "hs10", ""),
    }  # fmt: skip
    with pytest.raises(DataError, match="has no row of the year"):
        rebuilt(ONE_OF_EACH, year=2026)
    with pytest.raises(
        DataError, match=r"no row of 2025 has imports of a code of 1 groups \(drone\)"
    ):
        rebuilt("".join(line for line in ONE_OF_EACH.splitlines(True) if ",8806" not in line))


def test_one_command_writes_a_table_that_scenarios_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    extract, out = tmp_path / "extract.csv", tmp_path / "out"
    shipped = [(r, r.hs_codes.split("+")[-1]) for r in TABLES.imports]
    lines = (
        f"2025,{prefix:0<10},{row.origin},{row.customs_value_usd},{row.calculated_duty_usd}\n"
        for row, prefix in shipped
    )
    extract.write_text(HEAD + "".join(lines), encoding="utf-8")
    words = [str(extract), "--year", "2025", "--out", str(out)]
    assert main(words) == 0
    said = capsys.readouterr()
    assert f"wrote {out / 'us_imports_2025.csv'}: {len(shipped)} rows" in said.out
    assert "Note: no code begins with" in said.err
    (out / "mine.yaml").write_text(
        "schema_version: 1\nextends: baseline\ndata: {us_imports_2024: us_imports_2025.csv}\n",
        encoding="utf-8",
    )
    rebuilt = load_scenario(out / "mine.yaml").tables().imports
    for part in ("customs_value_usd", "calculated_duty_usd"):
        now, then = (
            {(r.device, r.origin): getattr(r, part) for r in rows}
            for rows in (rebuilt, TABLES.imports)
        )
        assert now == pytest.approx(then)
    assert main(words) == 5
    assert "cannot be written: File exists" in capsys.readouterr().err
    extract.write_text(HEAD + "x,x,x,x,x\n", encoding="utf-8")
    assert main(words) == 3
    assert capsys.readouterr().err.count("extract.csv:2:") == 5

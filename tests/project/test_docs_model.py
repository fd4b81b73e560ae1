"""docs/model.md names functions that exist and gives the defaults that hold."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

from tariffsim.law import duty_tables, policy_state
from tariffsim.month import PHASES
from tariffsim.scenario.catalogue import blocks
from tariffsim.state import constants, economy, makers
from tariffsim.tables import FIGURE_TABLES, load_tables

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "model.md").read_text(encoding="utf-8")
MODULES = "kernels|month|behaviour|law|calibration|record|state|policy|scenario"
FUNCTIONS = sorted(set(re.findall(rf"`((?:{MODULES})\.[\w.]+)`", PAGE)))
COLUMNS = sorted(
    set(
        re.findall(
            r"`((?:Foundries|DeviceMakers|Flows|Cells|Constants|Economy|PolicyState|DutyTables)\.\w+)`",
            PAGE,
        )
    )
)
DEFAULTS = re.findall(r"`([a-z_]+\.[a-z_]+)`\s+=\s+([0-9./]*[0-9])", PAGE)
KEYS = sorted(
    set(re.findall(rf"`((?:{'|'.join({k.split('.')[0] for k in blocks()})})\.\w+)`", PAGE))
)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_exist(name: str) -> None:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            module = import_module(".".join(["tariffsim", *parts[:cut]]))
        except ModuleNotFoundError:
            continue
        assert reduce(getattr, parts[cut:], module) is not None
        return
    pytest.fail(f"{name} is in no module")


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_exist(name: str) -> None:
    table, column = name.split(".")
    (owner,) = (
        vars(m)[table]
        for m in (economy, makers, constants, policy_state, duty_tables)
        if getattr(vars(m).get(table), "__module__", "") == m.__name__
    )
    assert column in owner.__dataclass_fields__


def test_defaults_are_those_of_the_scenario() -> None:
    assert len(DEFAULTS) > 30
    for key, written in DEFAULTS:
        assert blocks()[key].default == pytest.approx(float(Fraction(written))), key


@pytest.mark.parametrize("key", KEYS)
def test_keys_exist(key: str) -> None:
    assert key in blocks()


def test_columns_of_the_tables_exist() -> None:
    tables = load_tables()
    for table in FIGURE_TABLES:
        known = {parameter for _, parameter in getattr(tables, table).figures}
        for parameter in re.findall(rf"`{table}\.(\w+)`", PAGE):
            assert parameter in known | {"csv"}, f"{table}.{parameter}"


def test_phases_are_in_order() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE.split("## 4.")[0], re.MULTILINE)
    assert listed == [phase.__name__ for phase in PHASES]

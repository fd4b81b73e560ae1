"""Old names of metrics, tables and Python names are refused with the new ones."""

from __future__ import annotations

import csv
from importlib import resources

import pytest

import tariffsim
from tariffsim.errors import ScenarioError
from tariffsim.experiments.solve import Target
from tariffsim.record.dictionary import COSTS, metrics
from tariffsim.record.results import Results
from tests.cli.calling import call

TEXT = resources.files("tariffsim").joinpath("data/renamed.csv").read_text("utf-8")


def renamed(kind: str) -> list[tuple[str, str]]:
    return [(row["old"], row["new"]) for row in csv.DictReader(TEXT.splitlines())
            if row["kind"] == kind]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), renamed("metric"))
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("solve component_50 --target {}=1", 2),
        ("solve component_50 --like baseline --metric {}", 2),
        ("decompose baseline component_50 --metric {}", 2),
        ("sensitivity component_50 --metric {}", 3),
    ],
)
def test_metrics_on_the_command_line(words: str, code: int, old: str, new: str) -> None:
    found, out, err = call(*words.format(old).split())
    assert (found, out) == (code, "")
    assert old in err
    assert f"is now called `{new}`" in " ".join(err.split())


@pytest.mark.parametrize(("old", "new"), renamed("metric"))
def test_metrics_in_python(old: str, new: str) -> None:
    with pytest.raises(ScenarioError, match=f"is now called `{new}`"):
        _ = Target(old).known
    assert new in metrics()
    assert new in COSTS or Target(new).known.name == new


@pytest.mark.parametrize(("old", "new"), renamed("table"))
def test_tables(old: str, new: str) -> None:
    results = Results({}, {}, {}, "US", {})
    with pytest.raises(KeyError, match=f"{old} is now called `{new}`"):
        results.tables[old]
    with pytest.raises(KeyError, match="no_such_table"):
        results.tables["no_such_table"]


@pytest.mark.parametrize(("old", "new"), renamed("python"))
def test_python_names(old: str, new: str) -> None:
    home, _, name = old.rpartition(".")
    owner = tariffsim.load_scenario("baseline") if home == "Scenario" else tariffsim
    with pytest.raises(AttributeError, match=f"is now called `{new}`"):
        getattr(owner, name)
    assert not hasattr(owner, name)
    assert hasattr(tariffsim, new.removeprefix("tariffsim."))


def test_unknown_names_have_no_new_one() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = tariffsim.no_such_name

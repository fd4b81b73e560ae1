"""Old names of metrics, tables and Python names are refused with the new ones."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

import pandas as pd
import pytest

import tariffsim
from tariffsim.agents import DeviceMaker, Importer
from tariffsim.errors import ScenarioError, StorageError
from tariffsim.experiments.solve import Target
from tariffsim.record.dictionary import COSTS, metrics
from tariffsim.record.results import Results, _refuse_old_names, load_results
from tests.cli.calling import call

SMALL = {"agents__makers": 40, "run__end": "2025-01"}
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


@pytest.mark.parametrize(("old", "new"), [*renamed("column"), *renamed("metric")])
def test_results_with_an_old_column_are_refused(old: str, new: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"scenario": ["baseline"], old: [1.0]})
    with pytest.raises(StorageError, match=f"`{old}` is now called `{new}`"):
        _refuse_old_names(tmp_path, {"summary": frame})


@pytest.mark.parametrize(("old", "new"), renamed("table"))
def test_results_with_an_old_table_are_refused(old: str, new: str, tmp_path: Path) -> None:
    scenario = tariffsim.replace(tariffsim.load_scenario("baseline"), **SMALL)
    results = tariffsim.run(scenario, seeds=1)
    results.tables[old] = results.tables.pop(new)
    results.save(tmp_path / "old")
    with pytest.raises(StorageError, match=f"`{old}` is now called `{new}`"):
        load_results(tmp_path / "old")


@pytest.mark.parametrize(("old", "new"), renamed("agent"))
def test_attributes_of_agents(old: str, new: str) -> None:
    kinds = {"fill": DeviceMaker, "honesty": Importer}
    model = tariffsim.TariffModel(tariffsim.replace(tariffsim.load_scenario("baseline"), **SMALL))
    agent = model.agents_by_type[kinds[old]][0]
    with pytest.raises(AttributeError, match=f"is now called `{new}`"):
        getattr(agent, old)
    assert hasattr(agent, new)


@pytest.mark.parametrize(("old", "new"), renamed("option"))
@pytest.mark.parametrize("command", ["solve", "decompose", "sensitivity"])
def test_options(old: str, new: str, command: str) -> None:
    code, _, err = call(command, "component_50", old, "cn_share")
    assert code == 2
    assert f"{old} is now called `{new}`" in err


@pytest.mark.parametrize(("what", "kind"), [("phases", "phase"), ("metrics", "metric")])
def test_a_search_for_an_old_name_finds_the_new_one(what: str, kind: str) -> None:
    for old, new in renamed(kind):
        _, _, err = call("list", what, old)
        assert f"{old} is now called `{new}`" in " ".join(err.split())


@pytest.mark.parametrize(("old", "new"), renamed("scenario"))
def test_a_new_file_from_an_old_scenario(old: str, new: str, tmp_path: Path) -> None:
    code, _, err = call("new", tmp_path / "mine.yaml", "--from", old)
    assert code == 2
    assert f"is now called `{new}`" in " ".join(err.split())


def test_every_kind_of_renamed_name_is_told_somewhere() -> None:
    kinds = {row["kind"] for row in csv.DictReader(TEXT.splitlines())}
    assert kinds == {"agent", "column", "instrument", "key", "metric", "option", "phase", "python",
                     "scenario", "table"}  # fmt: skip

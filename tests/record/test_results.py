"""The results folder: complete or absent, and read back unchanged."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from tariffsim.errors import StorageError
from tariffsim.experiments import compare
from tariffsim.record import disk
from tariffsim.record import results as results_module
from tariffsim.record.dictionary import entry
from tariffsim.record.disk import Contents
from tariffsim.record.results import Results, load_results
from tariffsim.scenario import load_scenario, replace

SMALL = {"agents__makers": 120, "run__end": "2025-12"}


@pytest.fixture(scope="module")
def comparison() -> Results:
    names = ("component_50", "baseline")
    component, baseline = (replace(load_scenario(name), **SMALL) for name in names)
    results = compare([component], baseline, seeds=2, jobs=1)
    results.files["charts/one.svg"] = b"<svg/>"
    return results


def test_round_trip(comparison: Results, tmp_path: Path) -> None:
    loaded = load_results(comparison.save(tmp_path / "out"))
    assert loaded.tables.keys() == comparison.tables.keys()
    for name, table in comparison.tables.items():
        pd.testing.assert_frame_equal(
            table, loaded.tables[name], check_exact=True, check_dtype=False, obj=name
        )
    assert loaded.scenarios == comparison.scenarios
    assert loaded.titles == comparison.titles
    assert loaded.market == comparison.market
    assert loaded.provenance == json.loads(json.dumps(comparison.provenance))
    assert loaded.files == comparison.files


def test_results_say_their_schema_and_a_newer_one_is_refused(
    comparison: Results, tmp_path: Path
) -> None:
    folder = comparison.save(tmp_path / "out")
    manifest = folder / "manifest.json"
    facts = json.loads(manifest.read_text(encoding="utf-8"))
    assert facts.pop("schema_version") == 1
    manifest.write_text(json.dumps(facts), encoding="utf-8")
    assert load_results(folder).titles == comparison.titles, "older ones did not say it"
    manifest.write_text(json.dumps(facts | {"schema_version": 2}), encoding="utf-8")
    with pytest.raises(StorageError, match=r"newer version \(results schema 2, here 1\); install"):
        load_results(folder)


def test_parquet_holds_the_same_with_the_extra(comparison: Results, tmp_path: Path) -> None:
    folder = comparison.save(tmp_path / "out")
    for name, table in comparison.tables.items():
        stored = pd.read_parquet(folder / f"{name}.parquet")
        pd.testing.assert_frame_equal(table, stored, check_exact=True, check_dtype=False, obj=name)


def test_without_the_extra_there_is_no_parquet(
    comparison: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_module, "find_spec", lambda name: None)
    folder = comparison.save(tmp_path / "out")
    assert not list(folder.glob("*.parquet"))
    load_results(folder)


def test_resolved_scenarios_load_back_equal(comparison: Results, tmp_path: Path) -> None:
    folder = comparison.save(tmp_path / "out")
    again = load_scenario(folder / "scenarios" / "component_50.yaml")
    original = replace(load_scenario("component_50"), **SMALL)
    assert again.content_hash == original.content_hash


def test_every_column_is_in_the_dictionary(comparison: Results) -> None:
    for name, table in comparison.tables.items():
        assert [column for column in table.columns if entry(name, column) is None] == []


def test_the_share_is_a_fraction_by_month_and_per_cent_in_the_summary() -> None:
    shares = entry("summary", "cn_share"), entry("market_month", "cn_share")
    assert [variable.unit for variable in shares if variable] == ["%", "fraction"]


def test_every_file_has_its_checksum(comparison: Results, tmp_path: Path) -> None:
    folder = comparison.save(tmp_path / "out")
    written = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert written == {*manifest["outputs"], "manifest.json"}


@pytest.mark.parametrize("name", ["summary.csv", "scenarios/baseline.yaml"])
def test_damage_is_named(comparison: Results, tmp_path: Path, name: str) -> None:
    folder = comparison.save(tmp_path / "out")
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[:-3] + b"9\n")
    with pytest.raises(StorageError, match=f"{name}: is damaged"):
        load_results(folder)


def test_a_missing_file_is_an_error(comparison: Results, tmp_path: Path) -> None:
    folder = comparison.save(tmp_path / "out")
    (folder / "transaction_flows.csv").unlink()
    with pytest.raises(StorageError, match="is not a complete results folder"):
        load_results(folder)


def test_saving_again_replaces(comparison: Results, tmp_path: Path) -> None:
    folder = comparison.save(tmp_path / "out")
    (folder / "summary.csv").write_text("old")
    comparison.save(folder)
    load_results(folder)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_interrupted_save_leaves_the_old_results(
    comparison: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = comparison.save(tmp_path / "out")
    before = (folder / "manifest.json").read_bytes()
    written, write_file = 0, disk.write_file

    def failing(path: Path, parts: Contents) -> None:
        nonlocal written
        written += 1
        if written == 4:
            raise OSError(28, "No space left on device")
        write_file(path, parts)

    monkeypatch.setattr(disk, "write_file", failing)
    with pytest.raises(StorageError, match="No space left"):
        comparison.save(folder)
    assert (folder / "manifest.json").read_bytes() == before
    load_results(folder)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_something_else_is_refused(comparison: Results, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StorageError, match="holds something else"):
        comparison.save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("notes.txt", "notes.txt"),
        ("charts/mine.svg", "charts/mine.svg"),
        ("figures/one/a.png", "figures/"),
        ("out-package/results/manifest.json", "out-package/"),
        (".notes", ".notes"),
    ],
)
def test_what_results_do_not_list_is_never_lost(
    comparison: Results, tmp_path: Path, name: str, said: str
) -> None:
    folder = comparison.save(tmp_path / "out")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("mine")
    with pytest.raises(StorageError, match=f"not of its results: {said}; move them away"):
        comparison.save(folder)
    assert (folder / name).read_text() == "mine"
    comparison.save(folder, is_forced=True)
    assert not (folder / name).exists()


def test_some_of_many_files_in_the_way_are_named(comparison: Results, tmp_path: Path) -> None:
    folder = comparison.save(tmp_path / "out")
    for letter in "gfedcba":
        (folder / letter).touch()
    with pytest.raises(StorageError, match="results: a, b, c, d, e and 2 more; move"):
        comparison.save(folder)


def test_working_files_and_finished_runs_are_in_nobodys_way(
    comparison: Results, tmp_path: Path
) -> None:
    folder = comparison.save(tmp_path / "out")
    (folder / "runs").mkdir()
    (folder / "runs" / "one.sqlite").touch()
    for name in (".inner.tariffsim-new", ".inner.lock", ".tariffsim-x", ".DS_Store"):
        (folder / name).touch()
    (folder / ".inner.tariffsim-old").mkdir()
    comparison.save(folder)
    assert (folder / "runs" / "one.sqlite").exists()
    assert not (folder / ".inner.lock").exists()


def test_results_that_cannot_be_read_are_not_replaced(comparison: Results, tmp_path: Path) -> None:
    """What else is in the folder cannot be told from them."""
    folder = comparison.save(tmp_path / "out")
    (folder / "manifest.json").write_text("{}")
    with pytest.raises(StorageError, match="to replace them, add --force"):
        comparison.save(folder)
    comparison.save(folder, is_forced=True)
    load_results(folder)


def test_results_without_manifest_are_called_that(comparison: Results, tmp_path: Path) -> None:
    folder = comparison.save(tmp_path / "out")
    (folder / "manifest.json").unlink()
    with pytest.raises(StorageError, match=r"their manifest\.json is missing"):
        load_results(folder)
    with pytest.raises(StorageError, match=r"results without their manifest\.json"):
        comparison.save(folder)


def test_results_are_summarised_in_a_few_lines(comparison: Results) -> None:
    text = repr(comparison)
    assert "scenarios: baseline, component_50" in text
    assert "seeds: 0 to 1" in text
    assert "market: US" in text
    assert f"summary ({len(comparison.tables['summary'])})" in text
    assert len(text.splitlines()) == 5


def test_a_link_is_refused(comparison: Results, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", tmp_path / "link")
    with pytest.raises(StorageError, match="is not a folder"):
        comparison.save(tmp_path / "link")


def test_datapackage_describes_every_table(comparison: Results, tmp_path: Path) -> None:
    folder = comparison.save(tmp_path / "out")
    package = json.loads((folder / "datapackage.json").read_text())
    for resource in package["resources"]:
        header = (folder / resource["path"]).read_text().split("\n", 1)[0]
        assert header.split(",") == [field["name"] for field in resource["schema"]["fields"]]
    assert len(package["resources"]) == len(comparison.tables)

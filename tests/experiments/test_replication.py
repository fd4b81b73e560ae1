"""Replication packages and verification: identical results, or what has changed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tariffsim.errors import StorageError
from tariffsim.experiments import compare
from tariffsim.experiments.replication import CHECKSUMS, IDENTICAL, MOVED, WITHIN, pack, verify
from tariffsim.record.disk import write_new_folder
from tariffsim.scenario import load_scenario, replace
from tariffsim.tables import SHIPPED
from tests.cli.calling import call

SMALL = {"agents__makers": 60, "run__end": "2025-06"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base, policy = (replace(load_scenario(name), **SMALL) for name in ("baseline", "component_50"))
    results = compare([policy], base, seeds=2)
    return results.save(tmp_path_factory.mktemp("runs") / "first")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(saved, tmp_path / "first"))


def change_number(folder: Path, table: str, column: str, factor: float) -> None:
    """Change one number and update its checksum, as if it had been computed so."""
    path = folder / f"{table}.csv"
    data = pd.read_csv(path)
    data.loc[0, column] *= factor
    path.write_text(data.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    manifest = folder / "manifest.json"
    content = json.loads(manifest.read_text("utf-8"))
    content["outputs"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(content), encoding="utf-8")


def test_unchanged_results_are_bit_identical(saved: Path) -> None:
    found = verify(saved)
    assert found.status == IDENTICAL
    assert found.changed == ()
    assert (found.tables["status"] == IDENTICAL).all()
    assert {"headline", "market_month", "transaction_flows"} <= set(found.tables["table"])


@pytest.mark.parametrize(("factor", "status"), [(1 + 1e-12, WITHIN), (1 + 1e-6, MOVED)])
def test_numbers_that_moved_are_named(folder: Path, factor: float, status: str) -> None:
    change_number(folder, "market_month", "retail_value", factor)
    found = verify(folder)
    assert found.status == status
    row = found.tables.set_index("table").loc["market_month"]
    assert row["status"] == status
    assert row["where"] == "retail_value"
    code, out, _ = call("verify", folder, "--jobs", "1")
    assert code == (0 if status == WITHIN else 4)
    assert ("The results have moved." in out) == (status == MOVED)


def test_changed_versions_and_scenarios_are_named(folder: Path) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text("utf-8"))
    content["versions"]["numpy"] = "1.0"
    content["scenario_hashes"]["component_50"] = "0"
    path.write_text(json.dumps(content), encoding="utf-8")
    changed = verify(folder).changed
    assert any(said.startswith("numpy 1.0 then") for said in changed)
    assert "scenario component_50 has another meaning in this version" in changed


def test_a_table_with_other_rows_has_moved(folder: Path) -> None:
    change_number(folder, "summary", "cn_share", 1.0)
    path = folder / "summary.csv"
    path.write_text("\n".join(path.read_text("utf-8").splitlines()[:-1]) + "\n", "utf-8")
    change_number(folder, "summary", "cn_share", 1.0)
    assert verify(folder).tables.set_index("table").loc["summary", "where"] == "rows or columns"


def test_a_tampered_file_is_named(folder: Path) -> None:
    with (folder / "headline.csv").open("a") as file:
        file.write("x\n")
    with pytest.raises(StorageError, match=r"headline\.csv: is damaged"):
        verify(folder)
    with pytest.raises(StorageError, match=r"headline\.csv: is damaged"):
        pack(folder)


@pytest.fixture(scope="module")
def package(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("packages") / "package"
    code, out, err = call("pack", saved, "--out", target)
    assert code == 0, err
    assert str(target) in out
    return target


def test_the_readme_has_the_sections_of_the_template(package: Path) -> None:
    text = (package / "README.md").read_text("utf-8")
    for head in ("Overview", "Data availability", "Computational requirements", "Programs",
                 "Results"):  # fmt: skip
        assert f"\n## {head}\n" in text
    assert "| `code/tariffsim/data/devices.csv` | yes |" in text
    wanted = (package / "requirements.txt").read_text("utf-8").splitlines()
    assert all("==" in line for line in wanted)
    assert {"numpy", "pandas", "pydantic"} <= {line.partition("==")[0] for line in wanted}
    assert not any("pytest" in line for line in wanted)


def test_every_file_of_a_package_has_its_checksum(package: Path) -> None:
    lines = (package / CHECKSUMS).read_text("utf-8").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    there = {p.relative_to(package).as_posix() for p in package.rglob("*") if p.is_file()}
    assert there == listed.keys() | {CHECKSUMS}
    for name, digest in listed.items():
        assert hashlib.sha256((package / name).read_bytes()).hexdigest() == digest


@pytest.mark.slow
def test_the_one_command_runs_the_code_of_the_package(package: Path, tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ended = subprocess.run(
        [sys.executable, package / "replicate.py", "--here"], cwd=tmp_path, env=environment,
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "Every table is bit-identical." in ended.stdout
    assert not list(package.rglob("__pycache__"))


def test_a_package_that_was_touched_is_refused(package: Path, tmp_path: Path) -> None:
    assert verify(package).status == IDENTICAL
    copy = Path(shutil.copytree(package, tmp_path / "copy"))
    (copy / "code/tariffsim/state/draws.py").write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(StorageError, match=r"draws\.py: was changed"):
        verify(copy)
    (copy / "code/tariffsim/state/draws.py").unlink()
    with pytest.raises(StorageError, match=r"draws\.py: is missing"):
        verify(copy)
    (copy / CHECKSUMS).write_text(f"{'0' * 64}  ../../etc/passwd\n", encoding="utf-8")
    with pytest.raises(StorageError, match="outside its folder"):
        verify(copy)


def test_only_comparisons_can_be_verified(saved: Path, tmp_path: Path) -> None:
    from tariffsim.record.results import load_results

    results = load_results(saved)
    results.tables = {"solve": results.tables["summary"]}
    results.save(tmp_path / "solved")
    with pytest.raises(StorageError, match="only results of a comparison"):
        verify(tmp_path / "solved")


def test_replaced_data_tables_go_with_the_results(tmp_path: Path) -> None:
    table = (SHIPPED / "foundry_regions.csv").read_text("utf-8")
    (tmp_path / "mine.csv").write_text(table, encoding="utf-8")
    text = "extends: baseline\ndata: {foundry_regions: mine.csv}\n"
    (tmp_path / "mine.yaml").write_text(f"schema_version: 1\n{text}", encoding="utf-8")
    base = replace(load_scenario(tmp_path / "mine.yaml"), **SMALL)
    folder = compare([], base, seeds=1).save(tmp_path / "moved" / "results")
    (tmp_path / "mine.csv").unlink()
    assert verify(folder).status == IDENTICAL
    write_new_folder(tmp_path / "package", pack(folder))
    assert (tmp_path / "package/results/scenarios/foundry_regions.csv").is_file()
    assert verify(tmp_path / "package").status == IDENTICAL

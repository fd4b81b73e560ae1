"""Replication packages and verification: identical results, or what has changed."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import site
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tariffsim
from tariffsim.errors import StorageError
from tariffsim.experiments import compare
from tariffsim.experiments.replication import (
    CHECKSUMS,
    IDENTICAL,
    MOVED,
    REQUIRED,
    WITHIN,
    _compared,
    _versions,
    pack,
    verify,
)
from tariffsim.record.disk import write_new_folder
from tariffsim.scenario import load_scenario, replace
from tariffsim.scenario.scenario_files import shipped_folder
from tariffsim.tables import SHIPPED
from tests.cli.calling import call
from tests.processes import needs_signals

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
    scenarios = [p for p in shipped_folder().rglob("*.*") if p.suffix != ".md"]
    names = {p.relative_to(shipped_folder()).as_posix() for p in scenarios}
    assert {f"code/scenarios/{name}" for name in names} <= listed.keys()
    there = {p.relative_to(package).as_posix() for p in package.rglob("*") if p.is_file()}
    assert there == listed.keys() | {CHECKSUMS}
    for name, digest in listed.items():
        assert hashlib.sha256((package / name).read_bytes()).hexdigest() == digest


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with all packages of this one except tariffsim."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "env", symlinks=True)
    (folder / "packages").mkdir()
    for place in map(Path, site.getsitepackages()):
        for path in place.iterdir() if place.is_dir() else ():
            if "tariffsim" not in path.name:
                (folder / "packages" / path.name).symlink_to(path)
    (inside,) = (folder / "env").rglob("site-packages")
    (inside / "packages.pth").write_text(f"{folder / 'packages'}\n", encoding="utf-8")
    return folder / "env" / "bin" / "python"


def output_of(*words: object, **settings: str) -> str:
    """What a program prints that knows nothing of this tree."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | settings
    ended = subprocess.run(
        list(map(str, words)), cwd="/", env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@needs_signals
@pytest.mark.parametrize("options", [[], ["--here"]])
def test_a_package_runs_where_tariffsim_is_not_installed(
    package: Path, bare_python: Path, options: list[str]
) -> None:
    find = "import importlib.util as u; print(u.find_spec('tariffsim'))"
    assert output_of(bare_python, "-c", find) == "None\n"
    found = output_of(bare_python, package / "replicate.py", *options)
    assert "Every table is bit-identical." in found
    assert not list(package.rglob("__pycache__"))
    assert not (package / ".venv").exists()


@needs_signals
def test_the_tree_runs_and_packs_without_installation(
    saved: Path, bare_python: Path, tmp_path: Path
) -> None:
    tree = Path(tariffsim.__file__).parents[1]
    script = tmp_path / "script.py"
    script.write_text(
        "import tariffsim as t\nif __name__ == '__main__':\n"
        "    one = t.replace(t.load_scenario('baseline'), agents__makers=40, run__end='2025-01')\n"
        "    print(t.run(one, seeds=2, jobs=2))\n",
        encoding="utf-8",
    )
    assert "seeds: 0 to 1" in output_of(bare_python, script, PYTHONPATH=str(tree))
    words = ["-m", "tariffsim", "pack", saved, "-o", tmp_path / "package"]
    output_of(bare_python, *words, PYTHONPATH=str(tree))
    packed = (tmp_path / "package" / "requirements.txt").read_text("utf-8").splitlines()
    assert packed == _versions()


def test_the_required_packages_are_those_of_the_project() -> None:
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        listed = tomllib.load(file)["project"]["dependencies"]
    assert [re.split(r"\W", line)[0].lower() for line in listed] == list(REQUIRED)


KERNELS = ("Haswell", "Zen", "Prescott")
"""Of OpenBLAS: they add in other orders."""


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="kernels of x86-64")
@pytest.mark.parametrize("made_by", KERNELS)
def test_results_are_the_same_with_other_kernels(tmp_path: Path, made_by: str) -> None:
    """They differ in what is zero but for rounding, and so in the rows of sparse tables."""
    tree = str(Path(tariffsim.__file__).parents[1])
    program = [sys.executable, "-m", "tariffsim"]
    words = ["run", "component_50", "--seeds", "1", "--set", "run.end=2026-06", "--jobs", "1"]
    folder = tmp_path / "rb"
    output_of(*program, *words, "-o", folder, PYTHONPATH=tree, OPENBLAS_CORETYPE=made_by)
    for kernel in KERNELS:
        words = ["verify", folder, "--jobs", "1"]
        found = output_of(*program, *words, PYTHONPATH=tree, OPENBLAS_CORETYPE=kernel)
        assert "bit-identical." in found or "to within 1e-9 of the largest of its column" in found
        assert kernel != made_by or "bit-identical." in found


@pytest.mark.parametrize(
    ("old", "status"),
    [
        ([("a", 1.0), ("b", 3e10), ("c", 1e-8)], WITHIN),
        ([("b", 3e10)], IDENTICAL),
        ([("a", 1.0), ("b", 3e10)], WITHIN),
        ([("b", 3e10), ("c", 1e3)], MOVED),
        ([("c", 1e-8)], MOVED),
        ([("b", 3e10), ("b", 3e10)], MOVED),
        ([("b", np.nan)], MOVED),
        ([], MOVED),
    ],
)
def test_a_row_that_is_not_kept_is_zero(old: list[tuple[str, float]], status: str) -> None:
    new = pd.DataFrame([("b", 3e10)], columns=["payment", "value"])
    stored = pd.DataFrame(old, columns=["payment", "value"])
    assert _compared("transaction_flows", stored, new)["status"] == status
    if len(old) != 1:
        assert _compared("market_month", stored, new)["status"] == MOVED


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
